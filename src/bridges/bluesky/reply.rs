//! Posting a reply: where it goes in the thread, and under which key.

use super::record::{POST, REPOST, StrongRef, key_of, parts, reply_record};
use super::{Bluesky, Source};
use crate::bridges::{Posted, Reply, Trouble, now};
use crate::till::id::ReplyId;
use crate::till::time::Time;
use serde_json::{Value, json};

/// Where a reply goes.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: StrongRef,
    parent: StrongRef,
}

impl Bluesky {
    /// Posts a reply. A retry is the same record: its key is made of the reply's id, and what is there is not written
    /// again.
    pub(super) fn post_reply(&self, reply: &Reply) -> Result<Posted, Trouble> {
        let id = ReplyId::parse(&reply.id)
            .ok_or_else(|| Trouble::refused("the till's id of it cannot be read"))?;
        let did = self.own_did()?;
        let key = key_of(id);
        let uri = format!("at://{did}/{POST}/{key}");
        let place = match self.place(&reply.in_reply_to) {
            // What is gone now may have been answered before it went.
            Err(trouble) => match self.posted(&did, &key, reply)? {
                Some(sent_at) => return Ok(Posted { post_id: uri, sent_at }),
                None => return Err(trouble),
            },
            Ok(place) => place,
        };
        let record = reply_record(&reply.text, &place.root, &place.parent, now());
        let body =
            json!({"repo": did, "collection": POST, "rkey": key, "swapRecord": null, "record": record});
        match self.session.procedure("com.atproto.repo.putRecord", &body) {
            Ok(_) => Ok(Posted { post_id: uri, sent_at: now() }),
            Err(trouble) if trouble.is_called("InvalidSwap") => match self.posted(&did, &key, reply)? {
                Some(sent_at) => Ok(Posted { post_id: uri, sent_at }),
                None => Err(Trouble::refused(format!("another record is under its key {key}"))),
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// When a reply was posted under this key, if it was.
    fn posted(&self, did: &str, key: &str, reply: &Reply) -> Result<Option<Time>, Trouble> {
        let params = [("repo", did), ("collection", POST), ("rkey", key)];
        let said = match self.session.query("com.atproto.repo.getRecord", &params) {
            Ok(said) => said,
            Err(trouble) if is_not_there(&trouble) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str);
        let same = text("/value/text") == Some(reply.text.as_str());
        let at = text("/value/createdAt").and_then(|at| Time::parse(at).ok()).unwrap_or_else(now);
        Ok(same.then_some(at))
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
                let ours = self.record(parts(ours).ok_or_else(wrong)?)?;
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
            Source::AppView => self.views(&[uri])?.into_iter().next().ok_or_else(gone)?,
            Source::Firehose => {
                let mut record = self.record(parts(uri).ok_or_else(gone)?)?;
                // As a view has it.
                record["record"] = record["value"].take();
                record
            }
        };
        let blocked = view.pointer("/author/viewer/blockedBy").and_then(Value::as_bool) == Some(true);
        let closed = view.pointer("/viewer/replyDisabled").and_then(Value::as_bool) == Some(true);
        if blocked || closed {
            return Err(gone());
        }
        let parent = StrongRef::read(&view).ok_or_else(gone)?;
        let root = view.pointer("/record/reply/root").and_then(StrongRef::read);
        Ok(Place { root: root.unwrap_or_else(|| parent.clone()), parent })
    }

    /// A record from whoever has it: our PDS where it can, else its owner's.
    fn record(&self, (did, collection, key): (&str, &str, &str)) -> Result<Value, Trouble> {
        let gone = |trouble: Trouble| match is_not_there(&trouble) {
            true => Trouble::refused("the post that it answers is gone"),
            false => trouble,
        };
        if did == self.own_did()? || self.settings.source == Source::AppView {
            let params = [("repo", did), ("collection", collection), ("rkey", key)];
            return self.session.query("com.atproto.repo.getRecord", &params).map_err(gone);
        }
        self.people.record((did, collection, key)).map_err(gone)
    }
}

/// Whether a PDS says that there is no such record.
fn is_not_there(trouble: &Trouble) -> bool {
    trouble.is_called("RecordNotFound")
        || trouble.why.contains("Could not locate record")
        || trouble.is_called("RepoNotFound")
}
