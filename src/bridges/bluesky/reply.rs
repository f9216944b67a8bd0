//! Posting a reply: where it goes in the thread, and under which key.

use super::record::{POST, REPOST, StrongRef, key_of, parts, reply_record};
use super::{Bluesky, Source};
use crate::bridges::{Kind, Posted, Reply, Trouble, now};
use crate::till::id::ReplyId;
use crate::till::time::Time;
use serde_json::{Value, json};

/// The most keys tried: two replies of one millisecond share one about once in a million times.
const KEYS_MAX: u8 = 8;

/// Where a reply goes.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: StrongRef,
    parent: StrongRef,
}

impl Bluesky {
    /// Posts a reply. A retry is the same record: its key is made of the reply's id, and what is there is not written
    /// again.
    pub(super) fn post_reply(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
        let id = ReplyId::parse(&reply.id)
            .ok_or_else(|| Trouble::refused("the till's id of it cannot be read"))?;
        let did = self.own_did()?;
        // What is gone now may have been answered before it went.
        if maybe_out && let (_, Some(posted)) = self.free_key(&did, id, reply)? {
            return Ok(posted);
        }
        let place = self.place(&reply.in_reply_to)?;
        let mut key = key_of(id, 0);
        for _ in 0..KEYS_MAX {
            let record = reply_record(&reply.text, &place.root, &place.parent, now());
            let body =
                json!({"repo": did, "collection": POST, "rkey": key, "swapRecord": null, "record": record});
            match self.session.procedure("com.atproto.repo.putRecord", &body) {
                Ok(_) => return Ok(Posted { post_id: address(&did, &key), sent_at: now() }),
                Err(trouble) if trouble.is_called("InvalidSwap") => match self.free_key(&did, id, reply)? {
                    (_, Some(posted)) => return Ok(posted),
                    (free, None) => key = free,
                },
                Err(trouble) => return Err(trouble),
            }
        }
        Err(Trouble::new(Kind::Server, "no key is free for it"))
    }

    /// The first key of a reply under which no other record is, and the reply if it is there already.
    fn free_key(&self, did: &str, id: ReplyId, reply: &Reply) -> Result<(String, Option<Posted>), Trouble> {
        let mut key = String::new();
        for attempt in 0..KEYS_MAX {
            key = key_of(id, attempt);
            let params = [("repo", did), ("collection", POST), ("rkey", key.as_str())];
            let said = match self.session.query("com.atproto.repo.getRecord", &params) {
                Ok(said) => said,
                Err(trouble) if is_not_there(&trouble) => return Ok((key, None)),
                Err(trouble) => return Err(trouble),
            };
            let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str);
            if text("/value/text") == Some(reply.text.as_str()) {
                let at = text("/value/createdAt").and_then(|at| Time::parse(at).ok());
                let post_id = address(did, &key);
                return Ok((key, Some(Posted { post_id, sent_at: at.unwrap_or_else(now) })));
            }
        }
        Ok((key, None))
    }

    /// Where the answer to a post goes: under it. The answer to a repost of our reply goes under the post that our
    /// reply had answered, so that its author hears of it.
    fn place(&self, in_reply_to: &str) -> Result<Place, Trouble> {
        let wrong = || Trouble::refused("it answers something that is no post");
        match parts(in_reply_to).ok_or_else(wrong)? {
            (_, POST, _) => self.place_under(in_reply_to),
            address @ (_, REPOST, _) => {
                let repost = self.record(address)?;
                let ours = repost.pointer("/value/subject/uri").and_then(Value::as_str).ok_or_else(wrong)?;
                let ours = parts(ours).ok_or_else(wrong)?;
                // Anybody's server can say anything of what they have reposted.
                if (ours.0, ours.1) != (self.own_did()?.as_str(), POST) {
                    return Err(wrong());
                }
                let ours = self.record(ours)?;
                let theirs =
                    ours.pointer("/value/reply/parent/uri").and_then(Value::as_str).ok_or_else(wrong)?;
                self.place_under(theirs)
            }
            _ => Err(wrong()),
        }
    }

    fn place_under(&self, uri: &str) -> Result<Place, Trouble> {
        let gone = || Trouble::refused("the post that it answers is gone, or its author blocks us");
        let view = match self.settings.source {
            Source::AppView => match self.views(&[uri])?.into_iter().next() {
                Some(view) => view,
                None => return Err(self.why_not_shown(uri)?),
            },
            Source::Firehose => self.record(parts(uri).ok_or_else(gone)?)?,
        };
        let blocked = view.pointer("/author/viewer/blockedBy").and_then(Value::as_bool) == Some(true);
        let closed = view.pointer("/viewer/replyDisabled").and_then(Value::as_bool) == Some(true);
        if blocked || closed {
            return Err(gone());
        }
        place_of(uri, &view).ok_or_else(gone)
    }

    /// Why a post is not shown to us: it is gone, we are blocked, or the AppView has not got that far.
    fn why_not_shown(&self, uri: &str) -> Result<Trouble, Trouble> {
        let gone = || Trouble::refused("the post that it answers is gone, or its author blocks us");
        let Some(address @ (did, _, _)) = parts(uri) else { return Ok(gone()) };
        match self.are_apart(did) {
            Ok(true) => return Ok(gone()),
            Err(trouble) if trouble.kind != Kind::Refused => return Err(trouble),
            // Whoever has no profile is gone, too; their server knows.
            Ok(false) | Err(_) => {}
        }
        self.record(address)?;
        Ok(Trouble::new(Kind::Server, "the post that it answers is not shown yet"))
    }

    /// A record from whoever has it: our PDS where it can, else its owner's.
    fn record(&self, (did, collection, key): (&str, &str, &str)) -> Result<Value, Trouble> {
        let gone = |trouble: Trouble| {
            if is_not_there(&trouble) {
                Trouble::refused("the post that it answers is gone")
            } else {
                trouble
            }
        };
        if did == self.own_did()? || self.settings.source == Source::AppView {
            let params = [("repo", did), ("collection", collection), ("rkey", key)];
            return self.session.query("com.atproto.repo.getRecord", &params).map_err(gone);
        }
        self.people.record((did, collection, key)).map_err(gone)
    }
}

/// The place under a post, from what a server shows of it. Its address is the one that was asked for: a stranger's server
/// could name another.
fn place_of(uri: &str, view: &Value) -> Option<Place> {
    let parent = StrongRef { uri: uri.to_owned(), cid: view.get("cid")?.as_str()?.to_owned() };
    // A view has the record inside, and so has what a server says of one.
    let record = view.get("record").or_else(|| view.get("value"));
    let root = record.and_then(|record| StrongRef::read(record.pointer("/reply/root")?));
    Some(Place { root: root.unwrap_or_else(|| parent.clone()), parent })
}

fn address(did: &str, key: &str) -> String {
    format!("at://{did}/{POST}/{key}")
}

/// Whether a PDS says that there is no such record.
fn is_not_there(trouble: &Trouble) -> bool {
    trouble.is_called("RecordNotFound")
        || trouble.why.contains("Could not locate record")
        || trouble.is_called("RepoNotFound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_under_the_post_that_was_asked_for() {
        let strong = |uri: &str, cid: &str| StrongRef { uri: uri.to_owned(), cid: cid.to_owned() };
        let (asked, other) =
            ("at://did:plc:ada/app.bsky.feed.post/3k", "at://did:plc:victim/app.bsky.feed.post/3v");
        let said = json!({"uri": other, "cid": "bafyA", "value": {"text": "#BuyTea"}});
        let place = Place { root: strong(asked, "bafyA"), parent: strong(asked, "bafyA") };
        assert_eq!(place_of(asked, &said), Some(place));
        let root = json!({"uri": other, "cid": "bafyR"});
        let said = json!({"cid": "bafyA", "record": {"reply": {"root": root, "parent": root}}});
        let place = Place { root: strong(other, "bafyR"), parent: strong(asked, "bafyA") };
        assert_eq!(place_of(asked, &said), Some(place));
        assert_eq!(place_of(asked, &json!({"uri": asked})), None);
    }
}
