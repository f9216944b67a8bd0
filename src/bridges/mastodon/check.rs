//! `--check`: each thing that the bridge needs, tried and told apart.

use super::api::Instance;
use super::status::text;
use super::{Mastodon, text_limit};
use crate::bridges::{Finding, Kind, Network, Trouble};
use serde_json::{Value, json};

/// What a token has to allow, as Mastodon's scopes.
pub const SCOPES: &[&str] = &[
    "read:accounts",
    "read:follows",
    "read:notifications",
    "read:statuses",
    "write:accounts",
    "write:statuses",
];

/// Looks at everything; stops where the rest depends on what is missing.
pub fn check(network: &Mastodon) -> Vec<Finding> {
    let mut findings = Vec::new();
    let instance = match network.api.instance() {
        Ok(instance) => instance,
        Err(trouble) => return vec![Finding::missing(format!("server {}", network.api.base()), trouble.why)],
    };
    findings.push(Finding::fine(format!("server {}, {}", instance.domain, instance.version)));
    match network.sign_in() {
        Ok(own) => findings.push(Finding::fine(format!("signed in as @{}", own.person.handle))),
        Err(trouble) => {
            findings.push(Finding::missing("token", told(&trouble)));
            return findings;
        }
    }
    let api = &network.api;
    if let Ok(Some(app)) = api.find("/api/v1/apps/verify_credentials")
        && let Some(missing) = missing_scopes(&app)
    {
        findings.push(match missing.as_slice() {
            [] => Finding::fine("scopes of the token's application"),
            some => Finding::missing("scopes of the token's application", some.join(", ")),
        });
    }
    let account = network.account();
    let id = account.as_ref().ok().and_then(|account| text(account, "/id")).unwrap_or_default();
    for (what, path) in [
        ("reading notifications", "/api/v1/notifications?limit=1".to_owned()),
        ("reading hashtags", "/api/v1/timelines/tag/tea?limit=1".to_owned()),
        ("reading posts", format!("/api/v1/accounts/{id}/statuses?limit=1")),
        ("seeing who blocks us", format!("/api/v1/accounts/relationships?id%5B%5D={id}")),
    ] {
        findings.push(finding(what, api.get(&path).map(drop)));
    }
    if let Ok(Some(policy)) = api.find("/api/v2/notifications/policy") {
        findings.push(match dropped(&policy).as_slice() {
            [] => Finding::fine("mentions by anybody arrive"),
            some => {
                let why =
                    format!("the account ignores them ({}): Preferences, Notifications", some.join(", "));
                Finding::missing("mentions by anybody arrive", why)
            }
        });
    }
    findings.push(may_post(network));
    match &account {
        Ok(account) => findings.extend(standing(account)),
        Err(trouble) => findings.push(Finding::missing("the account", told(trouble))),
    }
    findings.push(Finding::fine(lengths(&instance)));
    findings.push(streaming(network));
    findings
}

/// Tries to post what no server takes, an empty reply to nothing: whether it is the words that are refused, or we.
fn may_post(network: &Mastodon) -> Finding {
    let nothing = json!({"status": "", "in_reply_to_id": "0", "visibility": "direct"});
    match network.api.change("POST", "/api/v1/statuses", &nothing) {
        Err(trouble) if trouble.kind == Kind::Refused && !trouble.why.contains("403") => {
            Finding::fine("posting")
        }
        Err(trouble) => Finding::missing("posting", told(&trouble)),
        Ok(_) => Finding::fine("posting"),
    }
}

fn finding(what: &str, tried: Result<(), Trouble>) -> Finding {
    match tried {
        Ok(()) => Finding::fine(what),
        Err(trouble) => Finding::missing(what, told(&trouble)),
    }
}

fn told(trouble: &Trouble) -> String {
    match trouble.kind {
        Kind::Credentials => format!("{trouble}: get a new token with --login"),
        _ => trouble.to_string(),
    }
}

/// How the account stands with its server.
fn standing(account: &Value) -> Vec<Finding> {
    let is = |key: &str| account.get(key).and_then(Value::as_bool) == Some(true);
    let stands = if is("suspended") {
        Finding::missing("the account's standing", "it is suspended: ask the server's owner")
    } else if is("limited") {
        Finding::missing(
            "the account's standing",
            "it is limited, few see its replies: ask the server's owner",
        )
    } else if account.get("moved").is_some_and(|moved| !moved.is_null()) {
        Finding::missing("the account's standing", "it has moved elsewhere: use the new one")
    } else {
        Finding::fine("the account's standing")
    };
    let bot = if is("bot") {
        Finding::fine("marked as a bot")
    } else {
        Finding::fine("not marked as a bot yet: the bridge does it when it starts")
    };
    vec![stands, bot]
}

fn lengths(instance: &Instance) -> String {
    let (all, ours) = (instance.characters, text_limit(instance));
    format!("posts of {all} characters, {ours} of them for the till's words")
}

fn streaming(network: &Mastodon) -> Finding {
    let opened = network.stream_url().and_then(|url| network.stream().map(|_| url));
    Finding::fine(match opened {
        Ok(url) => format!("streaming from {}", url.split('?').next().unwrap_or_default()),
        Err(trouble) => format!("no streaming ({trouble}): notifications are read every few seconds instead"),
    })
}

/// The scopes that are missing; `None` where the server tells none.
fn missing_scopes(app: &Value) -> Option<Vec<&'static str>> {
    let told: Vec<&str> = app.get("scopes")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let covers = |scope: &str| told.iter().any(|one| *one == scope || scope.split(':').next() == Some(one));
    Some(SCOPES.iter().copied().filter(|scope| !covers(scope) && !is_follow(scope, &told)).collect())
}

/// `follow` is the old name of what `read:follows` is a part of.
fn is_follow(scope: &str, told: &[&str]) -> bool {
    scope == "read:follows" && told.contains(&"follow")
}

/// What kinds of people's mentions the account never gets.
fn dropped(policy: &Value) -> Vec<&str> {
    let rules = policy.as_object().into_iter().flatten();
    rules.filter(|(_, rule)| *rule == "drop").map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_scopes_are_named() {
        let missing = |scopes: Value| missing_scopes(&json!({"scopes": scopes}));
        assert_eq!(missing(json!(["read", "write"])), Some(vec![]));
        assert_eq!(missing(json!(["read", "write:statuses"])), Some(vec!["write:accounts"]));
        assert_eq!(missing(json!(SCOPES)), Some(vec![]));
        assert_eq!(
            missing(json!(["write", "read:accounts", "read:statuses", "follow"])),
            Some(vec!["read:notifications"])
        );
        assert_eq!(missing_scopes(&json!({"name": "old"})), None);
    }

    #[test]
    fn an_account_that_cannot_sell_is_named() {
        let missing = |account: Value| standing(&account).iter().any(|finding| finding.missing.is_some());
        assert!(!missing(json!({"bot": true, "moved": null})));
        assert!(!missing(json!({"bot": false})));
        assert!(missing(json!({"suspended": true})));
        assert!(missing(json!({"limited": true})));
        assert!(missing(json!({"moved": {"id": "1"}})));
    }

    #[test]
    fn mentions_that_are_thrown_away_are_named() {
        let policy =
            json!({"for_not_following": "drop", "for_private_mentions": "filter", "summary": {"a": 1}});
        assert_eq!(dropped(&policy), ["for_not_following"]);
    }
}
