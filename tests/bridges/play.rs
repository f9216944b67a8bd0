//! What is played on every network.

use crate::stage::{Network, Stage, outage};
use crate::support::wait_for;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Buy, confirm by post and by repost, too late, twice, deleted; the bot's own posts; strangers' words.
pub fn people_buy(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let client = stage.client();

    // By post.
    let wish = stage.network.post(0, &format!("{shop} #BuyTea please"));
    let (_, text) = stage.reply_to(&wish);
    assert!(text.contains("#ConfirmTea"), "{text}");
    let yes = stage.network.post(0, &format!("#ConfirmTea {shop}"));
    stage.wait_for_verdict(&yes, "confirmed");
    stage.reply_to(&yes);
    // By repost.
    let wish = stage.network.post(1, &format!("#BuyTea {shop}"));
    let (reply, _) = stage.reply_to(&wish);
    let yes = stage.network.repost(1, &reply);
    stage.wait_for_verdict(&yes, "confirmed");
    // Without a word to the shop. Some servers' search heeds the case.
    let mut paid = 2;
    if !stage.network.must_mention() {
        let wish = stage.network.post(0, "#buypot for me");
        stage.reply_to(&wish);
        let yes = stage.network.post(0, "Yes: #confirmpot");
        stage.wait_for_verdict(&yes, "confirmed");
        stage.reply_to(&yes);
        paid += 1;
    }
    // Twice.
    let again = stage.network.post(0, &format!("{shop} #BuyTea"));
    stage.wait_for_verdict(&again, "limit_reached");
    stage.reply_to(&again);
    // Deleted before it was confirmed.
    let wish = stage.network.post(2, &format!("{shop} #BuyTea"));
    stage.reply_to(&wish);
    stage.network.delete(2, &wish);
    wait_for("the cancelled purchase", || {
        let cancelled = client.get("/v1/purchases?status=cancelled");
        (cancelled["data"].as_array().unwrap().len() == 1).then_some(())
    });
    // Too late.
    let wish = stage.network.post(2, &format!("{shop} #BuyCup"));
    stage.reply_to(&wish);
    wait_for("the window", || {
        let expires = client.get("/v1/purchases?status=pending");
        let set = expires["data"][0]["expires_at"].as_str().map(str::to_owned);
        set.filter(|at| *at < jiff::Timestamp::now().to_string())
    });
    std::thread::sleep(Duration::from_millis(10));
    let late = stage.network.post(2, &format!("{shop} #ConfirmCup"));
    stage.wait_for_verdict(&late, "too_late");
    stage.reply_to(&late);
    // The bot's own words, and somebody else's.
    let own = stage.network.post_as_bot("Come in: #BuyTea, then #ConfirmTea");
    let other = stage.network.post(1, "#Tea is nice #notforsale");
    let last = stage.network.post(1, &format!("{shop} #BuyPot"));
    stage.reply_to(&last);
    assert_eq!((stage.verdict(&own), stage.verdict(&other)), (None, None));

    stage.settle();
    assert_eq!(stage.paid_once_each(), paid);
    stage.one_reply_each();
    let bridge = client.get(&format!("/v1/networks/{}/bridge", stage.network.slug()));
    assert_eq!(bridge["own"]["handle"].as_str(), Some(stage.network.bot_handle().as_str()), "{bridge}");
    assert!(stage.network.is_marked_as_bot(), "it says that it is a bot");
    stage.take_bridge().stop();
}

/// The network is down for a minute, then the till, while people buy and confirm.
pub fn outages(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let wish = stage.network.post(0, &format!("{shop} #BuyPot"));
    stage.reply_to(&wish);

    stage.network.cut().down();
    let yes = stage.network.post(0, &format!("{shop} #ConfirmPot"));
    let others = [1, 2].map(|who| stage.network.post(who, &format!("{shop} #BuyPot")));
    outage();
    stage.network.cut().open();
    stage.wait_for_verdict(&yes, "confirmed");
    let replies = others.map(|post| stage.reply_to(&post).0);

    stage.kill_till();
    stage.network.repost(1, &replies[0]);
    let yes = stage.network.post(2, &format!("{shop} #ConfirmPot"));
    let more = stage.network.post(0, &format!("{shop} #BuyPot again"));
    outage();
    stage.start_till();
    stage.wait_for_verdict(&yes, "confirmed");
    stage.reply_to(&more);
    let client = stage.client();
    wait_for("three paid purchases", || (client.all("/v1/purchases?status=paid").len() == 3).then_some(()));

    stage.settle();
    assert_eq!(stage.paid_once_each(), 3);
    stage.one_reply_each();
    wait_for("the count of what went wrong", || {
        let bridge = client.get(&format!("/v1/networks/{}/bridge", stage.network.slug()));
        (bridge["errors"] != json!({})).then_some(())
    });
}

/// The bridge is killed again and again, at moments that differ, while people buy and confirm.
pub fn kills(network: impl Network) {
    let rounds = std::env::var("TAGTILL_BRIDGE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let mut stage = Stage::new(network);
    let shop = stage.network.mention();
    let mut wishes = Vec::new();
    for round in 0..rounds {
        stage.start_bridge();
        let who = round % 3;
        // Whoever has been answered confirms; whoever has confirmed buys again.
        for (answered, reply) in std::mem::take(&mut wishes) {
            let _: &String = &reply;
            stage.network.post(answered, &format!("{shop} #ConfirmPot {round}"));
        }
        let wish = stage.network.post(who, &format!("{shop} #BuyPot {round}"));
        let mut moment = [0; 2];
        getrandom::fill(&mut moment).unwrap();
        let moment = u64::from(u16::from_le_bytes(moment)) % 1500;
        std::thread::sleep(Duration::from_millis(moment));
        stage.take_bridge().kill_9();
        wishes.push((who, wish));
    }
    stage.start_bridge();
    for (_, wish) in wishes {
        stage.reply_to(&wish);
    }
    stage.settle();
    stage.paid_once_each();
    let replies = stage.one_reply_each();
    assert!(replies >= rounds, "{replies} replies in {rounds} rounds");
}

/// The answers to postings are lost: the replies are out, and must not go out again.
pub fn lost_answers(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let first = stage.network.post(0, &format!("{shop} #BuyPot"));
    stage.reply_to(&first);
    for who in [1, 2] {
        stage.network.cut().swallow_answers(2, stage.network.posting_path());
        let wish = stage.network.post(who, &format!("{shop} #BuyPot"));
        stage.reply_to(&wish);
        stage.settle();
        let yes = stage.network.post(who, &format!("{shop} #ConfirmPot"));
        stage.reply_to(&yes);
    }
    stage.network.cut().open();
    stage.settle();
    assert!(stage.network.cut().swallowed() >= 2, "{}", stage.network.cut().swallowed());
    assert_eq!(stage.paid_once_each(), 2);
    assert_eq!(stage.one_reply_each(), 5);
}

/// Somebody wants no replies, and then wants them again.
pub fn opt_out(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let client = stage.client();
    let opt_outs = format!("/v1/networks/{}/opt-outs", stage.network.slug());
    let wish = stage.network.post(0, &format!("{shop} #BuyPot"));
    stage.reply_to(&wish);

    stage.network.post(0, &format!("{shop} stop"));
    wait_for("the opt-out", || (client.all(&opt_outs).len() == 1).then_some(()));
    let unheard = stage.network.post(0, &format!("{shop} #ConfirmPot"));
    stage.wait_for_verdict(&unheard, "confirmed");
    let other = stage.network.post(1, &format!("{shop} #BuyPot"));
    stage.reply_to(&other);

    stage.network.post(0, &format!("{shop} START"));
    wait_for("the end of the opt-out", || client.all(&opt_outs).is_empty().then_some(()));
    let again = stage.network.post(0, &format!("{shop} #BuyPot again"));
    stage.reply_to(&again);
    stage.settle();
    assert_eq!(stage.paid_once_each(), 1);
    assert_eq!(stage.one_reply_each(), 3);
    assert!(stage.network.replies().iter().all(|(_, answered, _)| *answered != unheard));
}

/// A post is deleted while no bridge runs: whoever comes next notices. A second bridge beside one ends.
pub fn one_after_the_other(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let wishes = [0, 1].map(|who| stage.network.post(who, &format!("{shop} #BuyPot")));
    for wish in &wishes {
        stage.reply_to(wish);
    }
    stage.settle();
    stage.take_bridge().kill_9();
    stage.network.delete(0, &wishes[0]);
    stage.start_bridge();
    let client = stage.client();
    wait_for("the cancelled purchase", || {
        let cancelled = client.get("/v1/purchases?status=cancelled");
        (cancelled["data"].as_array().unwrap().len() == 1).then_some(())
    });
    assert_eq!(client.all("/v1/purchases?status=pending").len(), 1, "the other one is still held");

    let mut first = stage.take_child();
    stage.start_bridge();
    let ended = wait_for("the end of the first", || first.try_wait().unwrap());
    assert_eq!(ended.code(), Some(1));
    let wish = stage.network.post(2, &format!("{shop} #BuyPot"));
    stage.reply_to(&wish);
    stage.one_reply_each();
}

/// One buyer on two networks: buys on both, and has one limit for both.
pub fn one_buyer_on_two(network: impl Network, other: &impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let bridge = stage.join(other);
    let client = stage.client();
    let paid = |count: usize| {
        wait_for("a paid purchase", || {
            (client.all("/v1/purchases?status=paid").len() == count).then_some(())
        });
    };
    // Two of a kind for everybody, wherever they buy.
    let offers = client.all("/v1/offers");
    let pot = offers.iter().find(|offer| offer["hashtag"] == "BuyPot").unwrap()["id"].as_str().unwrap();
    client.call("PATCH", &format!("/v1/offers/{pot}"), &json!({"per_account_limit": 2})).ok();
    let here = stage.network.post(0, &format!("{} #BuyPot", stage.network.mention()));
    stage.reply_to(&here);
    // The hold is the account's: what was wished here is confirmed there.
    let reply = |post: &str| {
        wait_for("a reply there", || other.replies().into_iter().find(|(_, answered, _)| answered == post))
    };
    let yes = other.post(0, &format!("{} #ConfirmPot", other.mention()));
    reply(&yes);
    paid(1);
    let there = other.post(0, &format!("{} #BuyPot", other.mention()));
    let (out, _, _) = reply(&there);
    other.repost(0, &out);
    paid(2);
    let more = stage.network.post(0, &format!("{} #BuyPot once more", stage.network.mention()));
    stage.wait_for_verdict(&more, "limit_reached");
    let more = other.post(0, &format!("{} #BuyPot once more", other.mention()));
    let (_, _, text) = reply(&more);
    assert!(!text.contains("#ConfirmPot"), "{text}");
    stage.settle();
    assert_eq!(stage.paid_once_each(), 2);
    bridge.stop();
}

/// Credentials are tried, a dry run changes nothing, and `serve` runs the bridge inside.
pub fn ways_to_run(network: impl Network) {
    let mut stage = Stage::new(network);
    let shop = stage.network.mention();
    let (code, said) = stage.run(&["--check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Everything is there."), "{said}");
    stage.network.cut().down();
    let (code, said) = stage.run(&["--check"]);
    assert!(code == Some(3) && said.contains("MISSING  "), "{code:?} {said}");
    stage.network.cut().open();

    let mut dry = stage.command(&["--dry-run"]);
    dry.env("TAGTILL_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut dry = dry.spawn().unwrap();
    let lines = BufReader::new(dry.stderr.take().unwrap()).lines();
    let (told, heard) = channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| told.send(line)));
    let mut posts = Vec::new();
    let line = wait_for("what would be done", || {
        // It begins with what comes after it has begun.
        posts.push(stage.network.post(0, &format!("{shop} #BuyPot")));
        let line = heard.recv_timeout(Duration::from_secs(1)).ok()?;
        line.contains("would hand in").then_some(line)
    });
    assert!(line.contains("buypot") && !line.contains(&stage.network.person(0).1), "{line}");
    dry.kill().unwrap();
    dry.wait().unwrap();
    let client = stage.client();
    assert!(posts.iter().all(|post| stage.verdict(post).is_none()));
    assert_eq!(client.all(&format!("/v1/networks/{}/cursors", stage.network.slug())), Vec::<Value>::new());
    assert_eq!(client.get(&format!("/v1/networks/{}", stage.network.slug()))["own"], Value::Null);
    for post in &posts {
        stage.network.delete(0, post);
    }

    stage.start_together();
    let wish = stage.network.post(1, &format!("{shop} #BuyPot"));
    stage.reply_to(&wish);
    let yes = stage.network.post(1, &format!("{shop} #ConfirmPot"));
    stage.reply_to(&yes);
    stage.settle();
    assert_eq!(stage.paid_once_each(), 1);
    let metrics = stage.client().send("GET", "/metrics", "text/plain", b"").unwrap();
    let metrics = String::from_utf8(metrics.body).unwrap();
    let lag = format!("tagtill_bridge_lag_seconds{{network=\"{}\"}}", stage.network.slug());
    assert!(metrics.contains(&lag), "{metrics}");
    stage.stop_till();
}
