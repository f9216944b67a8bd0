//! What is late, lost or away: nobody is answered twice, and nothing that was paid for is missed.

use super::*;
use std::process::{Child, Command, Stdio};

/// The real bridge, as a process of its own.
fn process(stage: &Stage, url: &str) -> Child {
    let mut command: Command = support::binary();
    command.args(["bridge", "x", "--url", url, "--budget-cents-per-day", "1000", "--poll-seconds", "5"]);
    command.env("TAGTILL_TOKEN", &stage.token).env("TAGTILL_X_API_BASE", &stage.x.url);
    let secrets = [
        ("TAGTILL_X_API_KEY", API_KEY),
        ("TAGTILL_X_API_KEY_SECRET", API_KEY_SECRET),
        ("TAGTILL_X_ACCESS_TOKEN", ACCESS_TOKEN),
        ("TAGTILL_X_ACCESS_TOKEN_SECRET", ACCESS_TOKEN_SECRET),
        ("TAGTILL_X_BEARER_TOKEN", BEARER),
    ];
    command.envs(secrets).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_bridge_that_is_killed_while_it_posts_has_posted_once() {
    let stage = Stage::new();
    stage.wish();
    let (tell, told) = channel();
    stage.x.script(POST, Say::Later(told));
    let mut bridge = process(&stage, &stage.till.client.url);
    wait_for("the reply at X", || stage.x.posted().pop());
    bridge.kill().unwrap();
    bridge.wait().unwrap();
    drop(tell);
    assert!(stage.events("reply.sent").is_empty());
    let mut bridge = process(&stage, &stage.till.client.url);
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    bridge.kill().unwrap();
    bridge.wait().unwrap();
    assert_eq!((stage.x.posted().len(), stage.x.asked(POST).len()), (1, 1), "the next one found it");
}

#[test]
fn a_reply_whose_answer_was_lost_is_found_and_not_posted_again() {
    let stage = Stage::new();
    stage.x.script(POST, Say::Lost);
    let bridge = stage.bridge();
    let id = fresh();
    stage.x.script(MENTIONS, answer(200, mention(&id, WISH)));
    let sent = wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    assert_eq!(stage.x.posted().len(), 1, "{sent}");
    assert_eq!(stage.x.asked(POST).len(), 1);
    assert_eq!(stage.x.asked(TIMELINE).last().unwrap().query["since_id"], id);
    bridge.stop();
}

#[test]
fn what_an_earlier_bridge_posted_is_found_by_the_next() {
    let stage = Stage::new();
    let id = stage.wish();
    let replies = stage.client().get("/v1/replies?network=x")["data"].clone();
    let text = replies[0]["text"].as_str().unwrap();
    // The earlier bridge posted it and was killed before it could say so.
    let body = json!({"text": text, "reply": {"in_reply_to_tweet_id": id}});
    stage.x.script(POST, Say::Do(403, recorded("duplicate", &[])));
    let keys = stage.bridge();
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    assert_eq!(stage.x.asked(POST)[0].body, body);
    assert_eq!((stage.x.posted().len(), stage.x.asked(POST).len()), (1, 1), "the duplicate was its own");
    assert!(!stage.x.asked(TIMELINE).is_empty(), "an old reply is looked for first");
    keys.stop();
}

#[test]
fn a_duplicate_that_no_timeline_shows_yet_is_looked_for_again() {
    let stage = Stage::new();
    let empty = || answer(200, json!({"meta": {"result_count": 0}}));
    // One for the latest replies at the start.
    (0..3).for_each(|_| stage.x.script(TIMELINE, empty()));
    stage.x.script(POST, Say::Do(403, recorded("duplicate", &[])));
    stage.x.script(POST, answer(403, recorded("duplicate", &[])));
    let bridge = stage.bridge();
    wait_for("the latest replies", || stage.x.asked(TIMELINE).pop());
    let id = fresh();
    stage.x.script(MENTIONS, answer(200, mention(&id, WISH)));
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    assert_eq!((stage.x.posted().len(), stage.x.asked(POST).len()), (1, 2));
    assert!(stage.events("reply.failed").is_empty());
    bridge.stop();
}

#[test]
fn a_till_that_is_down_while_a_reply_is_posted_hears_of_it_later() {
    let mut stage = Stage::new();
    stage.wish();
    let (tell, told) = channel();
    stage.x.script(POST, Say::Later(told));
    let bridge = stage.bridge();
    wait_for("the reply at X", || stage.x.posted().pop());
    let killed = Command::new("kill").args(["-9", &stage.till.id().to_string()]).status().unwrap();
    assert!(killed.success());
    wait_for("the end of the till", || (!stage.till.runs()).then_some(()));
    tell.send(()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    stage.till = stage.site.start_at(stage.till.client.url.trim_start_matches("http://"));
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    bridge.stop();
    assert_eq!((stage.x.posted().len(), stage.x.asked(POST).len()), (1, 1));
}

#[test]
fn a_mention_that_x_shows_late_is_not_missed() {
    let stage = Stage::new();
    let (late, newer) = (fresh(), fresh());
    stage.x.script(MENTIONS, answer(200, mention(&newer, "hello, @ExampleUser")));
    let bridge = stage.bridge();
    wait_for("the cursor", || stage.cursor("mentions").filter(|cursor| *cursor == newer));
    let asked = stage.x.asked(MENTIONS).len();
    let asked = wait_for("another question", || stage.x.asked(MENTIONS).get(asked + 1).cloned());
    let since: u64 = asked.query["since_id"].parse().unwrap();
    assert!(since < late.parse().unwrap());
    stage.x.script(MENTIONS, answer(200, mention(&late, WISH)));
    stage.wait_for_verdict(&late, "pending");
    assert_eq!(stage.cursor("mentions"), Some(newer), "the cursor does not go back");
    bridge.stop();
}

#[test]
fn deletions_are_seen_though_nothing_more_may_be_read() {
    let mut stage = Stage::new();
    // Of 60,000, 36,000 are for reading: signing in is 10,000, a mention with its author 15,000, and 11,000 are too
    // little for another.
    stage.limits = Limits { cents_per_day: 6, cents_per_month: None, reserve_percent: 40 };
    let id = fresh();
    stage.x.script(MENTIONS, answer(200, mention(&id, WISH)));
    let bridge = stage.bridge();
    stage.wait_for_replies(1);
    wait_for("reading to be stopped", || {
        let view = stage.client().get("/v1/networks/x/bridge");
        view["errors"]["budget"].as_u64().filter(|count| *count >= 1)
    });
    let gone = json!({"errors": [{
        "value": id, "type": "https://api.twitter.com/2/problems/resource-not-found", "title": "Not Found Error"
    }]});
    stage.x.script("GET /2/tweets", answer(200, gone));
    wait_for("the hold to go", || {
        (!stage.client().all("/v1/purchases?status=cancelled").is_empty()).then_some(())
    });
    bridge.stop();
}

fn retweeted_by(reply: &str) -> String {
    format!("GET /2/tweets/{reply}/retweeted_by")
}

fn buyer() -> Say {
    let user = json!({"id": "2222222222222222222", "username": "OtherUser", "name": "Other User"});
    answer(200, json!({"data": [user], "meta": {"result_count": 1}}))
}

#[test]
fn without_a_stream_a_native_repost_is_asked_for() {
    let stage = Stage::new();
    stage.wish();
    let bridge = stage.bridge();
    let reply = stage.wait_for_replies(1).remove(0).0;
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    wait_for("a look", || stage.x.asked(&retweeted_by(&reply)).pop());
    // It comes while the bridge is away, and an earlier one has posted the reply.
    bridge.stop();
    stage.x.script(&retweeted_by(&reply), buyer());
    let bridge = stage.bridge();
    stage.wait_for_verdict(&format!("retweet-{reply}-2222222222222222222"), "confirmed");
    bridge.stop();
    assert_eq!(stage.x.posted().len(), 1, "a repost is not answered");
}

#[test]
fn a_repost_that_the_stream_told_of_too_changes_nothing() {
    let stage = Stage::new();
    let first = stage.stream();
    let bridge = stage.bridge();
    let rule = stage.rule();
    stage.wish();
    let reply = stage.wait_for_replies(1).remove(0).0;
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    let repost = fresh();
    let parts = [("ID", repost.as_str()), ("RULE", &rule), ("NOW", &now()), ("REFERENCE", &reply)];
    first.send(recorded("stream_repost", &parts).to_string()).unwrap();
    stage.wait_for_verdict(&repost, "confirmed");
    assert!(stage.x.asked(&retweeted_by(&reply)).is_empty(), "the stream is heard");
    stage.x.script(&retweeted_by(&reply), buyer());
    let second = stage.stream();
    drop(first);
    let found = format!("retweet-{reply}-2222222222222222222");
    let verdict = wait_for("the repost to be found", || stage.verdict(&found));
    assert_ne!(verdict, "confirmed");
    assert_eq!(stage.client().all("/v1/purchases").len(), 1);
    bridge.stop();
    drop(second);
    assert_eq!(stage.x.posted().len(), 1, "and nobody is answered");
}

#[test]
fn whoever_renames_themselves_meanwhile_has_to_be_shown_anew() {
    let stage = Stage::new();
    let bridge = stage.bridge();
    let (id, confirms) = (fresh(), fresh());
    stage.x.script(MENTIONS, answer(200, mention(&id, WISH)));
    stage.wait_for_verdict(&id, "pending");
    stage.wait_for_replies(1);
    let mut renamed = mention(&confirms, "#ConfirmThing @ExampleUser");
    renamed["includes"]["users"][0]["username"] = json!("Renamed");
    stage.x.script(MENTIONS, answer(200, renamed));
    stage.wait_for_verdict(&confirms, "identity_frozen");
    bridge.stop();
}
