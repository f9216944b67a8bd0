//! What is played on every network.

use crate::stage::{Network, Stage, outage};
use crate::support::wait_for;
use std::time::Duration;

/// Buy, confirm by post and by repost, too late, twice, deleted; the bot's own posts; strangers' words.
pub fn people_buy(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = format!("@{}", stage.network.bot_handle());
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
    stage.take_bridge().stop();
}

/// The network is down for a minute, then the till, while people buy and confirm.
pub fn outages(network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = format!("@{}", stage.network.bot_handle());
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
    wait_for("what went wrong to be counted", || {
        let bridge = client.get(&format!("/v1/networks/{}/bridge", stage.network.slug()));
        bridge["errors"].as_object().is_some_and(|errors| !errors.is_empty()).then_some(())
    });
}

/// The bridge is killed again and again, at moments that differ, while people buy and confirm.
pub fn kills(network: impl Network) {
    let rounds = std::env::var("TAGTILL_BRIDGE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let mut stage = Stage::new(network);
    let shop = format!("@{}", stage.network.bot_handle());
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
    let shop = format!("@{}", stage.network.bot_handle());
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
    let shop = format!("@{}", stage.network.bot_handle());
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
