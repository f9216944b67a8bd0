//! Posts whose author's handle is not known yet: they wait for it, but not for ever, and nobody waits for them.

use crate::bridges::Post;
use crate::bridges::bluesky::people::NO_HANDLE;
use std::time::{Duration, Instant};

/// A post waits for so long; then it is handed in without a handle.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// A handle is asked for again after so long.
const AGAIN: Duration = Duration::from_secs(1);
/// The most posts that wait.
const WAITING_MAX: usize = 2000;

/// What a post waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Any handle.
    Handle,
    /// A word on the handle that it has.
    Word,
}

#[derive(Debug)]
struct Waits {
    seq: Option<i64>,
    post: Post,
    what: For,
    again: Instant,
    until: Instant,
}

/// The posts that wait.
#[derive(Debug, Default)]
pub struct Waiting {
    posts: Vec<Waits>,
}

impl Waiting {
    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// Another post waits; where too many do, the oldest comes back and goes without.
    pub fn push(&mut self, seq: Option<i64>, post: Post, what: For, now: Instant) -> Option<Post> {
        self.posts.push(Waits { seq, post, what, again: now + AGAIN, until: now + PATIENCE });
        (self.posts.len() > WAITING_MAX).then(|| nameless(self.posts.remove(0).post))
    }

    /// A post is gone.
    pub fn forget(&mut self, uri: &str) {
        self.posts.retain(|waits| waits.post.id != uri);
    }

    /// The place before the first that waits: whoever begins behind it would miss that.
    pub fn before(&self) -> Option<i64> {
        self.posts.iter().filter_map(|waits| waits.seq).min().map(|seq| seq - 1)
    }

    /// A word on a post's handle: the post, if it still waits.
    pub fn word(&mut self, uri: &str, fine: bool) -> Option<Post> {
        let at = self.posts.iter().position(|waits| waits.what == For::Word && waits.post.id == uri)?;
        let post = self.posts.remove(at).post;
        Some(if fine { post } else { nameless(post) })
    }

    /// Those that have waited for too long.
    pub fn over(&mut self, now: Instant) -> Vec<Post> {
        self.posts.extract_if(.., |waits| waits.until <= now).map(|waits| nameless(waits.post)).collect()
    }

    /// Those whose handle is to be asked for again, and their places.
    pub fn due(&mut self, now: Instant) -> Vec<(Option<i64>, String)> {
        let mut due = Vec::new();
        for waits in self.posts.iter_mut().filter(|waits| waits.what == For::Handle && waits.again <= now) {
            waits.again = now + AGAIN;
            due.push((waits.seq, waits.post.id.clone()));
        }
        due
    }

    /// Who made a post that waits for a handle.
    pub fn author(&self, uri: &str) -> Option<&str> {
        let is = |waits: &&Waits| waits.what == For::Handle && waits.post.id == uri;
        self.posts.iter().find(is).map(|waits| waits.post.author.user_id.as_str())
    }

    /// Its handle is known: it waits no more.
    pub fn take(&mut self, uri: &str) -> Option<Post> {
        let is = |waits: &Waits| waits.what == For::Handle && waits.post.id == uri;
        let at = self.posts.iter().position(is)?;
        Some(self.posts.remove(at).post)
    }
}

fn nameless(mut post: Post) -> Post {
    NO_HANDLE.clone_into(&mut post.author.handle);
    post
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::Person;

    fn post(id: &str, handle: &str) -> Post {
        Post::new(id, Person { user_id: format!("did:{id}"), handle: handle.to_owned() }, "")
    }

    #[test]
    fn a_post_waits_for_its_handle_and_not_for_ever() {
        let now = Instant::now();
        let mut waiting = Waiting::default();
        assert_eq!(waiting.push(Some(7), post("a", ""), For::Handle, now), None);
        assert_eq!(waiting.push(Some(9), post("b", "b.test"), For::Word, now), None);
        assert_eq!(waiting.before(), Some(6), "a restart begins before the first");
        assert_eq!(waiting.due(now), []);
        assert_eq!(waiting.due(now + AGAIN), [(Some(7), "a".to_owned())]);
        assert_eq!(waiting.due(now + AGAIN), []);
        assert_eq!(waiting.author("a"), Some("did:a"));
        assert_eq!(waiting.author("b"), None);
        assert_eq!(waiting.take("b"), None);
        assert_eq!(waiting.word("a", true), None);
        assert_eq!(waiting.take("a"), Some(post("a", "")));
        assert_eq!(waiting.before(), Some(8));
        assert_eq!(waiting.over(now + AGAIN), []);
        assert_eq!(waiting.over(now + PATIENCE), [post("b", NO_HANDLE)]);
        assert_eq!(waiting.word("b", true), None);
        assert!(waiting.is_empty() && waiting.before().is_none());
    }

    #[test]
    fn a_word_decides() {
        let now = Instant::now();
        for (fine, handle) in [(true, "b.test"), (false, NO_HANDLE)] {
            let mut waiting = Waiting::default();
            waiting.push(None, post("b", "b.test"), For::Word, now);
            assert_eq!(waiting.word("b", fine), Some(post("b", handle)));
        }
        let mut waiting = Waiting::default();
        waiting.push(None, post("b", "b.test"), For::Word, now);
        waiting.forget("b");
        assert_eq!(waiting.word("b", true), None);
    }

    #[test]
    fn where_too_many_wait_the_oldest_goes_without() {
        let now = Instant::now();
        let mut waiting = Waiting::default();
        for number in 0..WAITING_MAX {
            assert_eq!(waiting.push(None, post(&number.to_string(), ""), For::Handle, now), None);
        }
        assert_eq!(waiting.push(None, post("x", ""), For::Handle, now), Some(post("0", NO_HANDLE)));
    }
}
