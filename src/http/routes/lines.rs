//! Many posts in one request, one a line: one line out per line in, in the same order.
//!
//! A bad line is answered in its place and stops nobody else's. What the writer has to judge goes to it in chunks,
//! so that single posts are not kept waiting behind a large request; the answer follows when all are done.

use super::post::{AnswerView, POST_BYTES_MAX, read};
use super::posts::judged;
use crate::engine::{Job, Unavailable, Verdicted};
use crate::http::answer::{Answer, Out};
use crate::http::api::Shared;
use crate::http::body::too_large;
use crate::http::call::Call;
use crate::http::message::Response;
use crate::http::problem::{Document, Problem};
use crate::till::command::{Command, Post, PostAnswer};
use crate::till::post::triage;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// Commands in one job for the writer.
const CHUNK: usize = 1000;

type Line = Result<PostAnswer, Problem>;

/// A line that could not be judged.
#[derive(Serialize)]
struct BadLine<'a> {
    line: usize,
    problem: Document<'a>,
}

/// The answers so far. Whoever puts in the last one sends them all.
struct Gathering {
    lines: Mutex<Vec<Option<Line>>>,
    /// Taken by the last part.
    out: Mutex<(usize, Option<Out>)>,
    shared: Arc<Shared>,
    admin: bool,
}

pub fn judge(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (snapshot, now, admin) = (shared.handle.snapshot()?, shared.handle.now(), call.is_admin());
    let mut lines = Vec::new();
    let mut commands = Vec::new();
    for post in posts_in(call.network(), &call.request.body) {
        let line = post.and_then(|post| match triage(&snapshot, now, &post) {
            Ok(Some(answer)) => Ok(Some(answer)),
            Ok(None) => {
                commands.push((lines.len(), Command::JudgePost(post)));
                Ok(None)
            }
            Err(fault) => Err(fault.into()),
        });
        lines.push(line.transpose());
    }
    Answer::later(move |shared, out| submit(shared, out, lines, commands, admin))
}

/// Reads each line of a body on its own; `network` is the one that its sender is limited to.
///
/// An empty body has no lines; an empty line among others is a bad one.
pub fn posts_in(network: Option<&str>, body: &[u8]) -> impl Iterator<Item = Result<Post, Problem>> {
    let lines = body.strip_suffix(b"\n").unwrap_or(body);
    lines.split(|&byte| byte == b'\n').filter(|_| !lines.is_empty()).map(move |line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > POST_BYTES_MAX {
            return Err(too_large(POST_BYTES_MAX));
        }
        read(network, line)
    })
}

fn submit(
    shared: &Arc<Shared>,
    out: Out,
    lines: Vec<Option<Line>>,
    mut commands: Vec<(usize, Command)>,
    admin: bool,
) {
    // One part for each chunk, and one for this function: nothing is sent before all are on their way.
    let parts = commands.len().div_ceil(CHUNK) + 1;
    let gathering = Arc::new(Gathering {
        lines: Mutex::new(lines),
        out: Mutex::new((parts, Some(out))),
        shared: Arc::clone(shared),
        admin,
    });
    while !commands.is_empty() {
        let rest = commands.split_off(commands.len().min(CHUNK));
        let (places, chunk): (Vec<_>, Vec<_>) = std::mem::replace(&mut commands, rest).into_iter().unzip();
        let (later, filled) = (Arc::clone(&gathering), places.clone());
        let done = Box::new(move |result| later.fill(&filled, result));
        if let Err(overloaded) = shared.handle.submit(Job::Many { commands: chunk, done }) {
            gathering.put(&places, &Problem::from(overloaded));
            gathering.part_done();
        }
    }
    gathering.part_done();
}

impl Gathering {
    fn fill(&self, places: &[usize], result: Result<Vec<Verdicted>, Unavailable>) {
        match result {
            Ok(outcomes) => {
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                for (&place, outcome) in places.iter().zip(outcomes) {
                    if let Some(line) = lines.get_mut(place) {
                        *line = Some(judged(Some(outcome)));
                    }
                }
            }
            Err(error) => self.put(places, &error.into()),
        }
        self.part_done();
    }

    /// The same problem on all these lines.
    fn put(&self, places: &[usize], problem: &Problem) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for &place in places {
            if let Some(line) = lines.get_mut(place) {
                *line = Some(Err(problem.clone()));
            }
        }
    }

    fn part_done(&self) {
        let mut waiting = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0 = waiting.0.saturating_sub(1);
        if waiting.0 > 0 {
            return;
        }
        let Some(out) = waiting.1.take() else { return };
        drop(waiting);
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let body = self.render(lines, out.request_id());
        out.send(Response::new(200, "application/x-ndjson", body).with_header("Cache-Control", "no-store"));
    }

    fn render(&self, lines: Vec<Option<Line>>, request_id: &str) -> Vec<u8> {
        let (mut body, now) = (Vec::new(), self.shared.handle.now());
        for (i, line) in lines.into_iter().enumerate() {
            let line = line.unwrap_or_else(|| Err(Problem::internal("a line was not judged")));
            let written = match line {
                Ok(answer) => {
                    self.shared.metrics.judged(answer.verdict, now);
                    serde_json::to_writer(&mut body, &AnswerView::new(answer, self.admin))
                }
                Err(problem) => {
                    if let Some(inner) = &problem.inner {
                        log::error!("request {request_id}, line {}: {inner}", i + 1);
                    }
                    let bad = BadLine { line: i + 1, problem: problem.document(request_id) };
                    serde_json::to_writer(&mut body, &bad)
                }
            };
            if let Err(error) = written {
                log::error!("request {request_id}: {error}");
            }
            body.push(b'\n');
        }
        body
    }
}
