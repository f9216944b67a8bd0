//! What the client remembers: every request, with its answer if one came.

use crate::support::{Answer, Client};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// One post, alone or as a line among many.
#[derive(Clone)]
pub struct Posted {
    pub line: String,
    pub answer: Option<Value>,
}

/// One request under a key of its own.
#[derive(Clone)]
pub struct Keyed {
    pub path: String,
    pub key: String,
    pub body: String,
    pub answer: Option<Answer>,
}

#[derive(Default)]
pub struct Memory {
    pub posts: Mutex<Vec<Posted>>,
    pub keyed: Mutex<Vec<Keyed>>,
    /// Replies that were reported as sent, and as which post.
    pub sent: Mutex<Vec<(String, String)>>,
    /// Posts whose deletion was acknowledged, with the purchase that it cancelled.
    pub deleted: Mutex<Vec<Option<String>>>,
    /// Events as they were seen, in order.
    pub events: Mutex<Vec<String>>,
    answers: AtomicUsize,
}

impl Memory {
    pub fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    fn count(&self, more: usize) {
        self.answers.fetch_add(more, Ordering::Relaxed);
    }

    /// Delivers a post. `None`: no answer came, and nothing was promised.
    pub fn post(&self, client: &Client, post: &Value) -> Option<Value> {
        let line = post.to_string();
        let answer = client.send("POST", "/v1/posts", "application/json", line.as_bytes());
        let answer = answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.json());
        self.count(usize::from(answer.is_some()));
        keep(&self.posts, Posted { line, answer: answer.clone() });
        answer
    }

    /// Delivers many posts at once; an answer a post.
    pub fn lines(&self, client: &Client, posts: &[Value]) -> Option<Vec<Value>> {
        let lines: Vec<String> = posts.iter().map(Value::to_string).collect();
        let answer = client.send("POST", "/v1/posts", "application/x-ndjson", lines.join("\n").as_bytes());
        let answers: Option<Vec<Value>> = answer.ok().filter(|answer| answer.status == 200).map(|answer| {
            let text = String::from_utf8(answer.body).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        });
        for (i, line) in lines.into_iter().enumerate() {
            let answer = answers.as_ref().map(|answers| answers[i].clone());
            keep(&self.posts, Posted { line, answer });
        }
        self.count(answers.as_ref().map_or(0, Vec::len));
        answers
    }

    /// Makes a call under a key.
    pub fn keyed(&self, client: &Client, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let body = body.to_string();
        let answer = client.send_keyed(path, key, body.as_bytes()).ok().filter(|answer| answer.status < 500);
        self.count(usize::from(answer.is_some()));
        let (path, key) = (path.to_owned(), key.to_owned());
        keep(&self.keyed, Keyed { path, key, body, answer: answer.clone() });
        answer
    }

    /// Reports a reply as sent.
    pub fn sent(&self, client: &Client, reply: &str, post: &str) -> Option<()> {
        let path = format!("/v1/replies/{reply}/sent");
        let body = serde_json::json!({"post_id": post}).to_string();
        let answer = client.send("POST", &path, "application/json", body.as_bytes()).ok()?;
        if answer.status == 200 {
            self.count(1);
            keep(&self.sent, (reply.to_owned(), post.to_owned()));
        }
        Some(())
    }

    /// Reports a post as deleted.
    pub fn delete(&self, client: &Client, post: &str) -> Option<()> {
        let path = format!("/v1/posts/sandbox/{post}");
        let answer = client.send("DELETE", &path, "application/json", b"").ok()?;
        if answer.status == 200 {
            self.count(1);
            keep(&self.deleted, answer.json()["purchase"].as_str().map(str::to_owned));
        }
        Some(())
    }
}

pub fn keep<T>(list: &Mutex<Vec<T>>, one: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(one);
}
