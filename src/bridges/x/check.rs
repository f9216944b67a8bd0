//! What `--check` looks at: credentials, rights, money. Nothing is changed, and hardly anything is read.

use super::api::success;
use super::{X, rules, snowflake};
use crate::bridges::{Finding, Trouble, now};
use serde_json::Value;

/// Tries one thing.
fn tried<T>(what: &str, tried: Result<T, Trouble>, help: &str) -> (Option<T>, Finding) {
    match tried {
        Ok(done) => (Some(done), Finding::fine(what)),
        Err(trouble) => (None, Finding::missing(what, format!("{trouble}; {help}"))),
    }
}

/// Tries everything, one after the other.
pub fn findings(x: &X) -> Vec<Finding> {
    let mut findings = Vec::new();
    let help = "the four keys of the app and the account must belong together";
    let (me, mut finding) = tried("keys of the account", x.me(), help);
    if let Some(me) = &me {
        finding.what = format!("keys of the account: @{}", me.us.handle);
    }
    findings.push(finding);
    if let Some(me) = me {
        let what = "right to post";
        findings.push(match me.access.as_deref() {
            Some(access) if access.contains("write") => Finding::fine(what),
            Some(access) => {
                let why = format!(
                    "the access token may only {access}: set the app to \"Read and write\" and make the token anew"
                );
                Finding::missing(what, why)
            }
            None => Finding::fine("right to post: X does not say; the first reply will show it"),
        });
        let help = "credits may be missing: see X's developer console";
        findings.push(tried("mentions", mentions(x, &me.us.id), help).1);
    }
    let help = "without it, a native repost does not confirm, and mentions are heard some seconds later";
    findings.push(tried("filtered stream, with the app's bearer token", rules::look(x), help).1);
    findings.push(if x.has_budget {
        Finding::fine(format!("budget: {}", x.api.budget.words()))
    } else {
        Finding::missing("budget", "say how much may be spent with --budget-cents-per-day")
    });
    if x.webhook.is_some() {
        findings.push(webhooks(x));
    }
    findings
        .push(Finding::fine("to be seen by people only: the account's profile has the label \"Automated\""));
    findings
}

/// Asks for mentions from now on: there are none, which costs nothing.
fn mentions(x: &X, id: &str) -> Result<(), Trouble> {
    let since = snowflake::least(now());
    let parameters = [("since_id", since.as_str()), ("max_results", "5")];
    let said = success(x.api.get(&format!("/2/users/{id}/mentions"), &parameters, "mentions")?)?;
    x.api.count(&said.body);
    Ok(())
}

/// Whether X has a webhook of this app that works.
fn webhooks(x: &X) -> Finding {
    let what = "webhook";
    let help = "register a public https address that leads to --webhook-listen";
    let (said, finding) =
        tried(what, x.api.as_app("GET", "/2/webhooks", None, "webhooks").and_then(success), help);
    let Some(said) = said else { return finding };
    let hooks = said.body.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let valid = hooks.iter().find(|hook| hook.get("valid").and_then(Value::as_bool) == Some(true));
    match valid.and_then(|hook| hook.get("url").and_then(Value::as_str)) {
        Some(url) => Finding::fine(format!("webhook: {url}")),
        None if hooks.is_empty() => Finding::missing(what, format!("X knows none; {help}")),
        None => Finding::missing(what, "X calls it invalid: it must be reachable, and answer X's challenge"),
    }
}
