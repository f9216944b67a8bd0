//! A bridge to Mastodon sells: the real binary, a sandbox till, and a server with Mastodon's API in between.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/peers/mod.rs"]
mod peers;
mod support;

use peers::{MastodonPeer, MastodonPerson};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use support::{Client, Site, Till, account, binary, wait_for};

/// A till, a server, and what a bridge between them needs.
struct Town {
    site: Site,
    till: Till,
    peer: MastodonPeer,
    bot: MastodonPerson,
}

/// A bridge that runs; ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        assert!(self.0.wait().unwrap().success(), "a clean stop exits 0");
    }
}

impl Town {
    /// One that sells tea; `None` where no server was set up.
    fn new() -> Option<Self> {
        let peer = MastodonPeer::start()?;
        let site = Site::new();
        let till = site.start(&["--tick-ms", "50"]);
        let token = till.client.post("/v1/tokens", &json!({"role": "network:mastodon"}));
        std::fs::write(site.path("bridge"), token["token"].as_str().unwrap()).unwrap();
        std::fs::write(site.path("access"), "token-of-shop\n").unwrap();
        support::shop(&till.client, "#BuyTea", Some(100));
        let bot = peer.person("shop");
        Some(Self { site, till, peer, bot })
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = binary();
        command.args(["bridge", "mastodon", "--server", &self.peer.url(), "--url", &self.till.client.url]);
        command.arg("--token-file").arg(self.site.path("bridge"));
        command.arg("--access-token-file").arg(self.site.path("access")).args(more);
        command
    }

    fn bridge(&self) -> Running {
        self.bridge_with(&[])
    }

    fn bridge_with(&self, more: &[&str]) -> Running {
        let log = File::options().create(true).append(true).open(self.site.path("bridge.log")).unwrap();
        let mut command = self.command(more);
        command.env("TAGTILL_LOG", "info").stdout(Stdio::null()).stderr(log);
        Running(command.spawn().unwrap())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.site.path("bridge.log")).unwrap_or_default()
    }

    fn output(&self, more: &[&str]) -> Output {
        self.command(more).output().unwrap()
    }

    fn client(&self) -> &Client {
        &self.till.client
    }

    /// Somebody who has linked a card.
    fn buyer(&self, name: &str) -> MastodonPerson {
        let person = self.peer.person(name);
        let mut linked = account(&person.id, "tok_visa");
        let handle = if person.acct.contains('@') {
            person.acct.clone()
        } else {
            format!("{}@{}", person.acct, self.peer.url().trim_start_matches("http://"))
        };
        linked["email"] = json!(format!("{name}@example.com"));
        linked["identities"][0] = json!({"network": "mastodon", "user_id": person.id, "handle": handle});
        self.client().post("/v1/accounts", &linked);
        person
    }

    /// The bot's reply to a post, once it is there.
    #[track_caller]
    fn reply(&self, reader: &MastodonPerson, post: &str) -> Value {
        let found = || reader.replies(post).into_iter().find(|one| one["account"]["id"] == *self.bot.id);
        let log = || self.log();
        let begun = std::time::Instant::now();
        wait_for("the bot's reply", || {
            assert!(begun.elapsed().as_secs() < 50, "no reply; the log: {}", log());
            found()
        })
    }

    /// How often the bot has answered a post.
    fn direct_replies(&self, post: &str) -> usize {
        let replies = self.bot.replies(post);
        replies
            .iter()
            .filter(|one| one["in_reply_to_id"] == *post && one["account"]["id"] == *self.bot.id)
            .count()
    }

    #[track_caller]
    fn purchases(&self, status: &str, count: usize) {
        let path = format!("/v1/purchases?status={status}");
        let begun = std::time::Instant::now();
        wait_for("purchases", || {
            let found = self.client().all(&path).len();
            assert!(begun.elapsed().as_secs() < 50, "{found} are {status}; the log: {}", self.log());
            (found == count).then_some(())
        });
    }

    #[track_caller]
    fn verdict(&self, post: &str) -> String {
        let path = format!("/v1/posts/mastodon/{post}");
        let seen = wait_for("a verdict", || {
            let answer = self.client().send("GET", &path, "", b"").unwrap();
            (answer.status == 200).then(|| answer.json())
        });
        seen["verdict"].as_str().unwrap().to_owned()
    }
}

fn text(status: &Value) -> &str {
    status["content"].as_str().unwrap()
}

#[test]
fn people_buy_with_a_mention_a_hashtag_and_a_repost() {
    let Some(town) = Town::new() else { return };
    let [ada, ben, eve] = ["ada", "ben", "eve"].map(|name| town.buyer(name));
    let _bridge = town.bridge();
    let wish = ada.post("Hello @shop, #BuyTea please", "public");
    let reply = town.reply(&ada, &wish);
    assert_eq!((&reply["visibility"], &reply["in_reply_to_id"]), (&json!("unlisted"), &json!(wish)));
    assert!(text(&reply).contains("@ada ") && text(&reply).contains("#ConfirmTea"), "{reply}");
    ada.reblog(reply["id"].as_str().unwrap());
    town.purchases("paid", 1);

    // Without a mention; confirmed by a post of its own.
    let wish = ben.post("One #BuyTea", "public");
    town.reply(&ben, &wish);
    ben.reply("@shop #ConfirmTea", "unlisted", &wish);
    town.purchases("paid", 2);

    // Somebody of another server, in private.
    let wish = eve.post("@shop #BuyTea", "direct");
    let reply = town.reply(&eve, &wish);
    assert_eq!(reply["visibility"], "direct");
    assert!(text(&reply).contains("@eve@far.example "), "{reply}");
    eve.reply("@shop #ConfirmTea", "direct", reply["id"].as_str().unwrap());
    town.purchases("paid", 3);

    // The hashtag in a content warning, from somebody whom the till does not know.
    let warned = json!({"status": "@shop for me", "spoiler_text": "#BuyTea", "visibility": "public"});
    let dee = town.peer.person("dee");
    let warned = dee.client.post("/api/v1/statuses", &warned)["id"].as_str().unwrap().to_owned();
    town.reply(&dee, &warned);
    assert_eq!(town.verdict(&warned), "not_linked");
    assert!(!town.log().contains("token-of"), "no secrets in logs");
    assert!(
        !town.log().contains("please") && !town.log().contains("eve@"),
        "no words or names of people in logs"
    );
}

#[test]
fn what_is_deleted_or_blocked_gets_no_reply_and_holds_nothing() {
    let Some(town) = Town::new() else { return };
    let [ada, ben, cyd] = ["ada", "ben", "cyd"].map(|name| town.buyer(name));
    // The stream tells of deletions of those that the bot follows; others' posts are asked for.
    town.bot.client.post(&format!("/api/v1/accounts/{}/follow", ada.id), &json!({}));
    let bridge = town.bridge();
    let [wish, other] = [&ada, &ben].map(|person| person.post("@shop #BuyTea", "public"));
    town.reply(&ada, &wish);
    town.reply(&ben, &other);
    town.purchases("pending", 2);
    ada.delete(&wish);
    let begun = std::time::Instant::now();
    town.purchases("pending", 1);
    assert!(begun.elapsed().as_secs() < 15, "the stream told of it");
    ben.delete(&other);
    town.purchases("pending", 0);
    bridge.stop();

    // Deleted before the bridge has read it: its hold, if any, goes; blocked: no reply.
    let gone = ben.post("@shop #BuyTea", "public");
    let waits = cyd.post("@shop #BuyTea", "public");
    ben.delete(&gone);
    town.bot.block(&cyd.id);
    cyd.block(&town.bot.id);
    let _bridge = town.bridge();
    assert_eq!(town.verdict(&waits), "pending");
    wait_for("the reply to be given up", || {
        let told = town.client().get(&format!("/v1/posts/mastodon/{waits}"));
        told.to_string().contains("blocks us").then_some(())
    });
    assert!(cyd.replies(&waits).is_empty());
    assert_eq!(
        town.client().send("GET", &format!("/v1/posts/mastodon/{gone}"), "", b"").unwrap().status,
        404
    );
}

#[test]
fn nothing_is_lost_or_done_twice_when_the_network_or_the_bridge_fails() {
    let Some(mut town) = Town::new() else { return };
    let [ada, ben, dee] = ["ada", "ben", "dee"].map(|name| town.buyer(name));
    let bridge = town.bridge();
    town.peer.cut.swallow_answers(1, "POST /api/v1/statuses");
    let wish = ada.post("@shop #BuyTea", "public");
    town.reply(&ada, &wish);
    wait_for("a second try", || (town.peer.cut.requests("/context") > 0).then_some(()));
    let other = dee.post("@shop #BuyTea", "public");
    town.reply(&dee, &other);
    assert_eq!(town.direct_replies(&wish), 1);
    drop(bridge);

    // More than a page while nobody reads, and a server that crashes.
    for number in 0..45 {
        ben.post(&format!("@shop {number}"), "unlisted");
    }
    let last = ben.post("@shop #BuyTea", "unlisted");
    town.peer.kill();
    let bridge = town.bridge();
    std::thread::sleep(std::time::Duration::from_secs(1));
    town.peer.restart();
    town.reply(&ben, &last);
    town.purchases("pending", 3);
    // The stream comes back after a break, and reading goes on meanwhile.
    town.peer.cut.interrupt();
    let reply = town.reply(&ada, &wish);
    ada.reblog(reply["id"].as_str().unwrap());
    town.purchases("paid", 1);
    bridge.stop();
    assert_eq!((town.direct_replies(&wish), town.direct_replies(&last)), (1, 1));
}

#[test]
fn a_dry_run_changes_nothing() {
    let Some(town) = Town::new() else { return };
    let ada = town.buyer("ada");
    let wish = ada.post("@shop #BuyTea", "public");
    let bridge = town.bridge_with(&["--dry-run"]);
    wait_for("what would be done", || town.log().contains("would hand in a post").then_some(()));
    bridge.stop();
    assert!(ada.replies(&wish).is_empty());
    town.purchases("pending", 0);
    // The real one begins where the dry one had not been.
    let _bridge = town.bridge();
    town.reply(&ada, &wish);
}

#[test]
fn checking_names_what_is_missing() {
    let Some(town) = Town::new() else { return };
    let output = town.output(&["--check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    for what in [
        "signed in as @shop@127.0.0.1",
        "posting",
        "marked as a bot",
        "streaming from ws://",
        "500 characters",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert!(town.bot.statuses(&town.bot.id).is_empty(), "trying to post posts nothing");
    std::fs::write(town.site.path("access"), "a-wrong-token").unwrap();
    let output = town.output(&["--check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("MISSING  token") && said.contains("--login"), "{said}");
    assert!(!said.contains("a-wrong-token"));
}

#[test]
fn logging_in_writes_a_token_that_works() {
    let Some(town) = Town::new() else { return };
    let log_in = |code: &str| {
        let mut command = town.command(&["--login"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{code}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let file = town.site.path("access");
    std::fs::remove_file(&file).unwrap();
    let (done, said) = log_in("nonsense");
    assert!(!done && said.contains("does not take the code"), "{said}");
    assert!(!file.exists());
    let (done, said) = log_in(" mockcode_shop ");
    assert!(done && said.contains("/oauth/authorize?response_type=code&client_id="), "{said}");
    assert!(said.contains("@shop is in ") && said.contains("--check"), "{said}");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!said.contains(token.trim()));
    assert!(town.output(&["--check"]).status.success());

    // Another account's token is not put in its place, nor in that of something else.
    let (done, said) = log_in("mockcode_ada");
    assert!(!done && said.contains("@shop") && said.contains("@ada"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token);
    std::fs::write(&file, "a shopping list").unwrap();
    let (done, said) = log_in("mockcode_shop");
    assert!(!done && said.contains("Name another file"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a shopping list");
}

#[test]
fn a_new_accounts_first_mention_is_read_at_once() {
    let Some(town) = Town::new() else { return };
    let ada = town.buyer("ada");
    let _bridge = town.bridge();
    wait_for("the first looks", || {
        (town.peer.cut.requests("GET /api/v1/notifications") >= 2
            && town.peer.cut.requests("GET /api/v1/streaming") > 0)
            .then_some(())
    });
    // In private, so that no hashtag's timeline shows it.
    let wish = ada.post("@shop #BuyTea", "direct");
    let begun = std::time::Instant::now();
    town.reply(&ada, &wish);
    assert!(begun.elapsed().as_secs() < 15, "it waited for a sweep");
}

#[test]
fn an_edit_is_of_its_own_time_and_changes_nothing_that_was_acted_on() {
    let Some(town) = Town::new() else { return };
    let ada = town.buyer("ada");
    let _bridge = town.bridge();
    let wish = ada.post("Hello", "public");
    std::thread::sleep(std::time::Duration::from_secs(1));
    ada.edit(&wish, "Hello @shop, #BuyTea");
    let edited = ada.status(&wish).unwrap();
    let time = |value: &Value| tagtill::till::time::Time::parse(value.as_str().unwrap()).unwrap();
    assert!(time(&edited["edited_at"]) > time(&edited["created_at"]));
    town.reply(&ada, &wish);
    town.purchases("pending", 1);
    let judged = town.client().get(&format!("/v1/posts/mastodon/{wish}"));
    assert_eq!(time(&judged["created_at"]), time(&edited["edited_at"]));

    ada.edit(&wish, "@shop #ConfirmTea #BuyTea");
    let sweeps = || town.peer.cut.requests("?local=false&limit=40 HTTP");
    let before = sweeps();
    // The timeline of the other hashtag had nothing to remember: it is looked at again and again.
    wait_for("looks at the hashtags", || (sweeps() >= before + 4).then_some(()));
    let other = ada.post("@shop #BuyTea", "direct");
    assert_eq!(town.verdict(&other), "already_pending");
    town.purchases("pending", 1);
    assert_eq!(town.direct_replies(&wish), 1);
}

#[test]
fn a_reply_that_is_out_is_known_though_its_thread_is_gone() {
    let Some(town) = Town::new() else { return };
    let ada = town.buyer("ada");
    let _bridge = town.bridge();
    town.peer.cut.swallow_answers(1, "POST /api/v1/statuses");
    let wish = ada.post("@shop #BuyTea", "public");
    wait_for("an answer to be lost", || (town.peer.cut.swallowed() > 0).then_some(()));
    ada.delete(&wish);
    let event = |kind: &str| {
        let all = town.client().get("/v1/events?limit=200");
        all["data"].as_array().unwrap().iter().any(|event| event["type"] == kind)
    };
    wait_for("what became of the reply", || (event("reply.sent") || event("reply.failed")).then_some(()));
    assert!(event("reply.sent"), "the log: {}", town.log());
    assert_eq!(town.bot.statuses(&town.bot.id).len(), 1);
}
