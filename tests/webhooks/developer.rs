//! What a developer has: `listen` and `trigger`, as processes of their own beside the till.

use super::support::{self, Site, Till, wait_for};
use super::{World, types};
use serde_json::json;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Stdio};

/// `tagtill listen`, once it listens.
struct Listening {
    child: Child,
    /// The secret that it printed.
    secret: Option<String>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Listening {
    fn start(site: &Site, args: &[&str]) -> Self {
        let mut child = support::binary()
            .arg("listen")
            .args(args)
            .env("TAGTILL_DATA", site.data())
            .env("TAGTILL_TOKEN_FILE", site.path("token"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut listening = Self { child, secret: None, lines };
        loop {
            let line = listening.line();
            if line.starts_with("Listening") {
                return listening;
            }
            listening.secret = Some(line.strip_prefix("secret: ").unwrap().to_owned());
        }
    }

    /// What it prints until it ends by itself.
    fn rest(mut self) -> Vec<String> {
        let lines: Vec<String> = self.lines.by_ref().map(|line| line.unwrap()).collect();
        assert!(self.child.wait().unwrap().success(), "{lines:?}");
        lines
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_developer_listens_forwards_and_triggers() {
    let Some(world) = World::new() else { return };
    let forward = format!("{}/dev", world.receiver.url);
    let listening =
        Listening::start(&world.site, &["--forward-to", &forward, "--events", "order.*", "--count", "2"]);
    let secret = listening.secret.clone().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    world.receiver.plan("dev", &json!({ "secret": secret }));
    let triggered = world.site.ok(&["trigger", "order.shipped"]);
    assert!(triggered.contains("order     ord_"), "{triggered}");
    let shown = listening.rest();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].contains("order.created") && shown[0].contains("-> 200 in "), "{shown:?}");
    // Verified with the secret that was printed; of the many events of a sale only those that were asked for.
    let seen = world.receiver.until("dev", 2);
    assert_eq!(types(&seen), ["order.created", "order.shipped"]);
    assert!(seen[0]["body"].as_str().unwrap().contains("ship_to"));
}

#[test]
fn a_secret_of_ones_own_signs_what_is_forwarded() {
    let Some(world) = World::new() else { return };
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
    std::fs::write(world.site.path("secret"), secret).unwrap();
    world.receiver.plan("own", &json!({ "secret": secret }));
    let forward = format!("{}/own", world.receiver.url);
    let file = world.site.path("secret");
    let args = ["--forward-to", &forward, "--secret-file", file.to_str().unwrap(), "--count", "1"];
    let listening = Listening::start(&world.site, &args);
    world.site.ok(&["trigger", "account.created"]);
    assert_eq!(listening.rest().len(), 1);
    assert_eq!(types(&world.receiver.until("own", 1)), ["account.created"]);
    std::fs::write(world.site.path("secret"), "whsec_not base64").unwrap();
    let refused =
        world.site.run(&["listen", "--forward-to", &forward, "--secret-file", file.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must be whsec_ and base64"), "{refused:?}");
}

#[test]
fn a_receiver_that_is_not_there_does_not_end_it() {
    let site = Site::new();
    let _till = site.start(&[]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let forward = format!("http://{nobody}/");
    let args = ["--forward-to", &forward, "--events", "offer.*,account.created", "--count", "3"];
    let listening = Listening::start(&site, &args);
    site.ok(&["trigger", "offer.ended"]);
    let shown = listening.rest();
    for (line, kind) in shown.iter().zip(["account.created", "offer.created", "offer.ended"]) {
        assert!(line.contains(kind) && line.contains(" -> ") && !line.contains("-> 200"), "{shown:?}");
    }
}

#[test]
fn it_goes_on_once_the_till_is_back() {
    let site = Site::new();
    let till: Till = site.start(&[]);
    let mut listening = Listening::start(&site, &["--events", "account.created", "--count", "2"]);
    site.ok(&["trigger", "account.created"]);
    assert!(listening.line().contains("account.created"));
    till.kill_9();
    // At another address: it is found again beside the data file. What happened before it asks again is not missed.
    let _till = site.start(&[]);
    site.ok(&["trigger", "account.updated"]);
    let shown = listening.rest();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("account.created"), "{shown:?}");
}

#[test]
fn everything_that_can_be_triggered_happens() {
    let site = Site::new();
    let till = site.start(&[]);
    let help = site.ok(&["trigger", "--help"]);
    let kinds = help.split("possible values: ").nth(1).unwrap().split(']').next().unwrap();
    let kinds: Vec<String> = kinds.split(',').map(|kind| kind.split_whitespace().collect()).collect();
    assert!(kinds.len() >= 14, "{kinds:?}");
    for kind in &kinds {
        let before = till.client.all("/v1/events").len();
        site.ok(&["trigger", kind]);
        wait_for(kind, || {
            let events = till.client.all("/v1/events");
            events[before..].iter().any(|event| event["type"] == **kind).then_some(())
        });
    }
    let merchant = till.client.post("/v1/merchants", &json!({"name": "Mine"}))["id"].clone();
    site.ok(&["trigger", "order.created", "--merchant", merchant.as_str().unwrap()]);
    let orders = till.client.all("/v1/orders");
    assert_eq!(orders[0]["merchant"], merchant, "the newest order is that merchant's");
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence() {
    let site = Site::new();
    let nobody = site.run(&["listen"]);
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!nobody.status.success() && said(&nobody).contains("No till runs this data file"), "{nobody:?}");
    let till = site.start_with(&[], &[]);
    let unknown = site.run(&["trigger", "order.lost"]);
    assert!(!unknown.status.success() && said(&unknown).contains("order.created"), "{unknown:?}");
    let earnest = site.run(&["trigger", "order.created"]);
    assert!(!earnest.status.success() && said(&earnest).contains("Only a sandbox"), "{earnest:?}");
    assert_eq!(till.client.all("/v1/events").len(), 0, "nothing is left behind");
    let types = site.run(&["listen", "--events", "order.lost"]);
    assert!(said(&types).contains("--events must be one of") && types.status.code() == Some(2), "{types:?}");
    let help = site.ok(&["listen", "--help"]);
    for word in ["--forward-to", "--events", "--secret-file", "--after", "--count"] {
        assert!(help.contains(word), "{help}");
    }
}
