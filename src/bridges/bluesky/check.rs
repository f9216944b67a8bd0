//! `--check`: credentials and rights, one after the other; and the mark of a bot.

use super::{Bluesky, Source};
use crate::bridges::{Finding, Socket, Trouble};
use serde_json::{Value, json};

/// The label by which an account says that it is a bot (`com.atproto.label.defs#selfLabels`).
const BOT: &str = "bot";
/// The collection and key of our profile.
const PROFILE: &str = "app.bsky.actor.profile";

impl Bluesky {
    /// Our profile: its record and version; nothing where there is none yet.
    fn profile(&self) -> Result<(Value, Value), Trouble> {
        let did = self.own_did()?;
        let params = [("repo", did.as_str()), ("collection", PROFILE), ("rkey", "self")];
        match self.session.query("com.atproto.repo.getRecord", &params) {
            Ok(mut said) => {
                let cid = said.get_mut("cid").map(Value::take).unwrap_or_default();
                Ok((said.get_mut("value").map(Value::take).unwrap_or_default(), cid))
            }
            Err(trouble)
                if trouble.is_called("RecordNotFound") || trouble.why.contains("Could not locate record") =>
            {
                Ok((json!({"$type": PROFILE}), Value::Null))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Labels our account as a bot, unless it is.
    pub(super) fn label_as_bot(&self) -> Result<(), Trouble> {
        let (profile, cid) = self.profile()?;
        if is_bot(&profile) {
            return Ok(());
        }
        let Value::Object(mut profile) = profile else {
            return Err(Trouble::protocol("our profile is no record"));
        };
        let mut values = profile
            .get("labels")
            .and_then(|labels| labels.get("values")?.as_array().cloned())
            .unwrap_or_default();
        values.push(json!({"val": BOT}));
        let labels = json!({"$type": "com.atproto.label.defs#selfLabels", "values": values});
        profile.insert("labels".to_owned(), labels);
        let did = self.own_did()?;
        let body =
            json!({"repo": did, "collection": PROFILE, "rkey": "self", "swapRecord": cid, "record": profile});
        self.session.procedure("com.atproto.repo.putRecord", &body).map(|_| ())
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let own = match self.session.sign_in() {
            Ok(own) => own,
            Err(trouble) => return vec![Finding::missing("sign in", trouble.why)],
        };
        self.remember(&own.user_id);
        let mut findings = vec![Finding::fine(format!("sign in as {}", own.handle))];
        findings.push(self.account_works());
        findings.push(match self.profile().map(|(profile, _)| is_bot(&profile)) {
            Ok(true) => Finding::fine("the account is labelled as a bot"),
            Ok(false) => {
                Finding::fine("the account is not labelled as a bot yet: the bridge does that when it starts")
            }
            Err(trouble) => Finding::missing("read our profile", trouble.why),
        });
        match self.settings.source {
            Source::AppView => {
                let params = [("limit", "1")];
                let notifications = self.session.query("app.bsky.notification.listNotifications", &params);
                findings.push(found("read notifications", notifications));
                let params = [("q", "#tagtill"), ("limit", "1")];
                findings.push(found(
                    "search for hashtags",
                    self.session.query("app.bsky.feed.searchPosts", &params),
                ));
            }
            Source::Firehose => {
                let url = format!("{}/xrpc/com.atproto.sync.subscribeRepos", self.settings.firehose);
                findings.push(found("read the firehose", Socket::connect(&url, None)));
                findings.push(found("ask the directory who we are", self.people.who(&own.user_id)));
            }
        }
        findings
    }

    /// Whether our account may post.
    fn account_works(&self) -> Finding {
        let what = "post as this account";
        match self.session.query("com.atproto.server.getSession", &[]) {
            Ok(said) if said.get("active").and_then(Value::as_bool) == Some(false) => {
                let status = said.get("status").and_then(Value::as_str).unwrap_or("not active");
                Finding::missing(what, format!("the account is {status}"))
            }
            other => found(what, other),
        }
    }
}

fn found<T>(what: &str, tried: Result<T, Trouble>) -> Finding {
    match tried {
        Ok(_) => Finding::fine(what),
        Err(trouble) => Finding::missing(what, trouble.why),
    }
}

fn is_bot(profile: &Value) -> bool {
    let labels = profile.pointer("/labels/values").and_then(Value::as_array);
    labels.into_iter().flatten().any(|label| label.get("val").and_then(Value::as_str) == Some(BOT))
}
