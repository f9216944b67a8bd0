//! The handles that posts are handed in with. What a DID document says is a claim; where a post is to prove who somebody
//! is, the handle has to lead back to them.

use super::Bluesky;
use super::people::NO_HANDLE;
use super::session::Session;
use crate::bridges::{Kind, Post};
use crate::till::link::has_form;
use crate::till::text::{fold, hashtags};
use serde_json::Value;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

/// From one try to look a handle up to the next.
const BETWEEN: Duration = Duration::from_secs(1);

/// So many looks find a post without a handle before it is handed in like that.
const LOOKS: u8 = 5;
/// The most posts whose looks are counted.
const UNNAMED_MAX: usize = 10_000;

/// A handle to be looked at.
#[derive(Debug)]
pub struct Claim {
    /// Of which post's author.
    pub post: String,
    /// What they claim.
    pub handle: String,
    /// Who they are.
    pub did: String,
    /// Nobody waits for it after that.
    pub until: Instant,
}

/// Whether a post holds what may be the code of somebody who is to prove who they are.
pub fn proves(post: &Post) -> bool {
    hashtags(&post.text).into_iter().any(|tag| has_form(&fold(tag)))
}

impl Bluesky {
    /// Names the author of a post that an AppView shows without a handle, as far as anybody can; not where it is to prove
    /// who they are. Whether the post may be handed in; else it is to be looked for again.
    pub(super) fn name(&self, post: &mut Post) -> bool {
        let author = &mut post.author;
        if author.handle != NO_HANDLE {
            self.people.learn(&author.user_id, &author.handle);
            return true;
        }
        if proves(post) {
            return true;
        }
        if let Ok(Some(handle)) = self.people.handle(&post.author.user_id) {
            post.author.handle = handle;
            return true;
        }
        let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        if unnamed.len() >= UNNAMED_MAX {
            unnamed.clear();
        }
        let looks = unnamed.entry(post.id.clone()).or_default();
        *looks += 1;
        let enough = *looks >= LOOKS;
        if enough {
            unnamed.remove(&post.id);
        }
        enough
    }
}

/// Whether a handle leads to a person: our PDS asks (DNS, or the handle's own host).
fn is_theirs(session: &Session, claim: &Claim) -> bool {
    while Instant::now() < claim.until {
        match session.query("com.atproto.identity.resolveHandle", &[("handle", &claim.handle)]) {
            Ok(said) => return said.get("did").and_then(Value::as_str) == Some(&claim.did),
            Err(trouble) if trouble.kind == Kind::Refused => return false,
            Err(trouble) => log::warn!("bluesky: a handle could not be looked up: {trouble}"),
        }
        std::thread::sleep(BETWEEN);
    }
    false
}

/// Looks at handles until nobody wants to know.
pub fn look_at_claims(session: &Session, claims: &Receiver<Claim>, tell: &Sender<(String, bool)>) {
    while let Ok(claim) = claims.recv() {
        let fine = is_theirs(session, &claim);
        if tell.send((claim.post, fine)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bridges::Person;
    use crate::bridges::bluesky::{Settings, Source};

    /// A bridge that asks the server at `url` for everything.
    pub fn bridge(url: &str) -> Bluesky {
        Bluesky::new(Settings {
            service: url.to_owned(),
            identifier: String::new(),
            password: String::new(),
            source: Source::AppView,
            firehose: url.replace("http", "ws"),
            plc: url.to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn only_a_code_proves() {
        let post =
            |text: &str| Post::new("at://x", Person { user_id: String::new(), handle: String::new() }, text);
        for (text, is) in [
            ("me: #Link4711ABCDEFGHI", true),
            ("#unlink4711abcdefghi", true),
            ("#LinkedIn", false),
            ("#linkinbio #Link", false),
            ("Link4711ABCDEFGHI", false),
        ] {
            assert_eq!(proves(&post(text)), is, "{text}");
        }
    }

    #[test]
    fn a_post_without_a_handle_waits_for_some_looks() {
        let bridge = bridge("http://127.0.0.1:1");
        let post = |handle: &str, text: &str| {
            let author = Person { user_id: "did:plc:ada".to_owned(), handle: handle.to_owned() };
            Post::new("at://did:plc:ada/app.bsky.feed.post/3k", author, text)
        };
        let mut unnamed = post(NO_HANDLE, "#BuyTea");
        let looks: Vec<bool> = (0..5).map(|_| bridge.name(&mut unnamed)).collect();
        assert_eq!(looks, [false, false, false, false, true]);
        assert_eq!(unnamed.author.handle, NO_HANDLE);
        assert!(bridge.name(&mut post("ada.test", "#BuyTea")));
        assert!(bridge.name(&mut unnamed));
        assert_eq!(unnamed.author.handle, "ada.test", "the last that was known");
        let mut proof = post(NO_HANDLE, "#Link4711ABCDEFGHI");
        assert!(bridge.name(&mut proof));
        assert_eq!(proof.author.handle, NO_HANDLE, "a claim proves nothing");
    }
}
