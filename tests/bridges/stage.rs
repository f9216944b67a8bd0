//! A network, a till and a bridge between them, as tests play with them.

use crate::peers::Cut;
use crate::support::{Client, Site, Till, binary, charges, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a test needs of a network.
pub trait Network {
    fn slug(&self) -> &'static str;
    /// What stands between the bridge and the network.
    fn cut(&self) -> &Cut;
    /// A part of the path by which replies are posted.
    fn posting_path(&self) -> &'static str;
    /// Stable id and handle of one of three people.
    fn person(&self, who: usize) -> (String, String);
    fn bot_handle(&self) -> String;
    /// How people write whom they mean.
    fn mention(&self) -> String {
        format!("@{}", self.bot_handle())
    }
    /// Makes the network say something, where a bridge has to hear that first.
    fn warm_up(&self) {}
    /// The flags and variables of the bridge.
    fn set_up(&self, command: &mut Command);
    /// The same as variables alone.
    fn set_up_inside(&self, command: &mut Command);
    fn post(&self, who: usize, text: &str) -> String;
    fn post_as_bot(&self, text: &str) -> String;
    fn repost(&self, who: usize, post: &str) -> String;
    fn delete(&self, who: usize, post: &str);
    /// Whether only those may be answered who mention the bot.
    fn must_mention(&self) -> bool {
        false
    }
    /// Whether the bot's account says that it is one.
    fn is_marked_as_bot(&self) -> bool;
    /// All that the bot has replied: id, what it answers, text.
    fn replies(&self) -> Vec<(String, String, String)>;
}

/// A bridge that runs.
pub struct Bridge {
    child: Option<Child>,
}

impl Bridge {
    pub fn kill_9(mut self) {
        self.end("-KILL");
    }

    /// Ctrl-C; must end with 0.
    pub fn stop(mut self) {
        assert_eq!(self.end("-INT"), Some(0), "a bridge that is told to end ends well");
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        let mut child = self.child.take()?;
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        wait_for("the end of the bridge", || child.try_wait().unwrap()).code()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The stage. What is dropped first ends first.
pub struct Stage<N> {
    bridge: Option<Bridge>,
    till: Option<Till>,
    listen: String,
    site: Site,
    pub network: N,
}

impl<N: Network> Stage<N> {
    /// A till with three linked buyers and two offers: tea, and cups that have to be confirmed at once. No bridge yet.
    pub fn new(network: N) -> Self {
        let site = Site::new();
        let till = site.start(&[]);
        let listen = till.client.url.trim_start_matches("http://").to_owned();
        let stage = Self { bridge: None, till: Some(till), listen, site, network };
        let client = stage.client();
        for who in 0..3 {
            let (user_id, handle) = stage.network.person(who);
            let mut account = crate::support::account("somebody", "tok_visa");
            account["identities"] =
                json!([{"network": stage.network.slug(), "user_id": user_id, "handle": handle}]);
            client.post("/v1/accounts", &account);
        }
        let merchant = client.post("/v1/merchants", &json!({"name": "Tea shop"}))["id"].clone();
        for (tag, per_account, window) in [("BuyTea", 1, 900), ("BuyCup", 1000, 2), ("BuyPot", 1000, 900)] {
            let offer = json!({
                "merchant": merchant, "kind": "purchase", "hashtag": tag, "title": "A thing",
                "price": {"amount": 1500, "currency": "USD"}, "quantity": null,
                "per_account_limit": per_account, "confirm_window_seconds": window,
            });
            client.post("/v1/offers", &offer);
        }
        stage.make_token(stage.network.slug());
        stage
    }

    fn token_file_of(&self, slug: &str) -> PathBuf {
        self.site.path(&format!("token-{slug}"))
    }

    fn make_token(&self, slug: &str) {
        let token = self.client().post("/v1/tokens", &json!({"role": format!("network:{slug}")}));
        std::fs::write(self.token_file_of(slug), token["token"].as_str().unwrap()).unwrap();
    }

    /// Links the first of its people to the first of another network's, and starts a bridge to that one, too.
    pub fn join(&self, other: &impl Network) -> Bridge {
        let ours = self.network.person(0).0;
        let accounts = self.client().all("/v1/accounts");
        let account = accounts.iter().find(|account| account["identities"][0]["user_id"] == *ours).unwrap();
        let (user_id, handle) = other.person(0);
        let mut identities = account["identities"].clone();
        let more = json!({"network": other.slug(), "user_id": user_id, "handle": handle});
        identities.as_array_mut().unwrap().push(more);
        let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
        self.client().call("PATCH", &path, &json!({"identities": identities})).ok();
        self.make_token(other.slug());
        let mut command = self.command_of(other);
        Bridge { child: Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()) }
    }

    fn command_of(&self, network: &impl Network) -> Command {
        let mut command = binary();
        command.args(["bridge", network.slug(), "--url", &format!("http://{}", self.listen)]);
        command.arg("--token-file").arg(self.token_file_of(network.slug()));
        network.set_up(&mut command);
        command
    }

    pub fn client(&self) -> Client {
        self.till.as_ref().unwrap().client.clone()
    }

    /// The command of the bridge, with these flags besides.
    pub fn command(&self, extra: &[&str]) -> Command {
        let mut command = self.command_of(&self.network);
        command.args(extra);
        command
    }

    pub fn start_bridge(&mut self) {
        let mut command = self.command(&[]);
        match std::env::var_os("TAGTILL_BRIDGE_LOG") {
            Some(level) => command.env("TAGTILL_LOG", level),
            None => command.stderr(Stdio::null()),
        };
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        self.bridge = Some(Bridge { child: Some(child) });
        self.wait_for_cursor();
    }

    fn wait_for_cursor(&self) {
        let cursors = format!("/v1/networks/{}/cursors", self.network.slug());
        let client = self.client();
        // A firehose that was never read begins with what comes next.
        let mut last = None;
        wait_for("the first cursor", || {
            if last.is_none_or(|at: Instant| at.elapsed() > Duration::from_millis(500)) {
                self.network.warm_up();
                last = Some(Instant::now());
            }
            client.all(&cursors).iter().any(|cursor| cursor["stream"] != "bridge").then_some(())
        });
    }

    /// The running bridge as a bare process.
    pub fn take_child(&mut self) -> Child {
        self.take_bridge().child.take().unwrap()
    }

    /// Runs the bridge's command to its end: its exit code and what it said.
    pub fn run(&self, extra: &[&str]) -> (Option<i32>, String) {
        let output = self.command(extra).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), format!("{out}{err}"))
    }

    pub fn take_bridge(&mut self) -> Bridge {
        self.bridge.take().unwrap()
    }

    /// Ends the till as a crash would.
    pub fn kill_till(&mut self) {
        self.till.take().unwrap().kill_9();
    }

    /// Starts it again where it was.
    pub fn start_till(&mut self) {
        self.till = Some(self.site.start_at(&self.listen));
    }

    /// Ends the till and starts it anew with the bridge inside.
    pub fn start_together(&mut self) {
        self.till.take().unwrap().stop();
        let mut command = binary();
        self.network.set_up_inside(&mut command);
        self.till = Some(self.site.start_as(command, &["--sandbox"], &["--bridge", self.network.slug()]));
        self.client().url.trim_start_matches("http://").clone_into(&mut self.listen);
        self.wait_for_cursor();
    }

    /// Ends the till, which must end well.
    pub fn stop_till(&mut self) {
        self.till.take().unwrap().stop();
    }

    /// What the till decided about a post.
    pub fn verdict(&self, post: &str) -> Option<String> {
        let path = format!("/v1/posts/{}/{}", self.network.slug(), encoded(post));
        let answer = self.client().send("GET", &path, "application/json", b"").unwrap();
        (answer.status == 200).then(|| answer.json()["verdict"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    pub fn wait_for_verdict(&self, post: &str, verdict: &str) {
        let found = wait_for(&format!("a verdict about {post}"), || self.verdict(post));
        assert_eq!(found, verdict, "{post}");
    }

    /// The reply to a post: its id and text.
    #[track_caller]
    pub fn reply_to(&self, post: &str) -> (String, String) {
        wait_for(&format!("a reply to {post}"), || {
            let replies = self.network.replies();
            replies.into_iter().find(|(_, answered, _)| answered == post).map(|(id, _, text)| (id, text))
        })
    }

    /// Waits until nothing waits: no reply is queued, no charge is under way.
    #[track_caller]
    pub fn settle(&self) {
        let client = self.client();
        wait_for("the end of all work", || {
            let queued = client.get(&format!("/v1/replies?network={}", self.network.slug()));
            let capturing = client.get("/v1/purchases?status=capturing");
            let nothing = |list: &Value| list["data"].as_array().unwrap().is_empty();
            (nothing(&queued) && nothing(&capturing)).then_some(())
        });
    }

    /// How many events of a type there were.
    fn events(&self, kind: &str) -> usize {
        let (client, mut next, mut found) = (self.client(), "/v1/events?limit=200".to_owned(), 0);
        loop {
            let page = client.get(&next);
            let events = page["data"].as_array().unwrap();
            found += events.iter().filter(|event| event["type"] == kind).count();
            match events.last() {
                Some(last) => next = format!("/v1/events?limit=200&after={}", last["id"].as_str().unwrap()),
                None => return found,
            }
        }
    }

    /// No reply is out twice, and none that the till does not know of; returns how many there are.
    #[track_caller]
    pub fn one_reply_each(&self) -> usize {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (_, answered, text) in self.network.replies() {
            *counts.entry((answered, text)).or_default() += 1;
        }
        for (what, count) in &counts {
            assert_eq!(*count, 1, "posted {count} times: {what:?}");
        }
        let sent = self.events("reply.sent");
        assert_eq!(counts.len(), sent, "what is out is what the till knows to be out");
        counts.len()
    }

    /// Every purchase that was confirmed is paid, and its card was charged once. Returns how many.
    #[track_caller]
    pub fn paid_once_each(&self) -> usize {
        let paid = self.client().all("/v1/purchases?status=paid");
        let orders = self.client().all("/v1/orders");
        assert_eq!(paid.len(), orders.len());
        let charged = charges(&self.site.path("till.redb.sandbox-ledger"));
        for purchase in &paid {
            let id = purchase["id"].as_str().unwrap();
            assert_eq!(charged.get(id), Some(&1), "{id}");
        }
        assert_eq!(charged.len(), paid.len(), "nothing else was charged");
        let verified = self.site.run(&["verify", "--url", &format!("http://{}", self.listen)]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        paid.len()
    }
}

/// Waits a while, because it is the length of an outage that is tested.
pub fn outage() {
    let seconds =
        std::env::var("TAGTILL_OUTAGE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
