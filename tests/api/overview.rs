//! How the shop stands, as the console's first page asks for it.

use super::support::{Client, Site, account as sandbox_account, post as sandbox_post, wait_for};
use super::till::{ADMIN, Answer, Till, account, offer, till};
use serde_json::{Value, json};

const PATH: &str = "/v1/overview";

/// Asks until the answer is as wanted: one is given again for a second.
#[track_caller]
fn overview(till: &Till, token: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || {
        let found = till.call(token, "GET", PATH, &Value::Null).expect(200);
        wanted(&found).then_some(found)
    })
}

fn conditional(till: &Till, tag: &str) -> Answer {
    let bearer = format!("Bearer {ADMIN}");
    till.send("GET", PATH, &[("Authorization", &bearer), ("If-None-Match", tag)], b"")
}

fn need<'a>(overview: &'a Value, code: &str) -> Option<&'a Value> {
    overview["needs"].as_array().unwrap().iter().find(|need| need["code"] == code)
}

/// A merchant with an offer of ten, of which three can be bought at once.
fn shop(till: &Till, tag: &str, title: &str) -> (String, String) {
    let merchant = till.merchant();
    let mut new = offer(&merchant, tag);
    (new["quantity"], new["title"]) = (json!(10), json!(title));
    (new["per_account_limit"], new["max_per_purchase"]) = (json!(5), json!(3));
    let id = till.post("/v1/offers", &new).expect(201)["id"].as_str().unwrap().to_owned();
    (merchant, id)
}

/// A buyer whose card does this.
fn buyer(till: &Till, user: &str, card: &str) {
    let mut body = account(user);
    body["payment_method"]["token"] = json!(card);
    till.post("/v1/accounts", &body).expect(201);
}

#[test]
fn a_fresh_till_has_nothing_to_say() {
    let till = till();
    let found = overview(&till, ADMIN, "an answer", |_| true);
    assert_eq!(
        (&found["ready"], &found["reason"], &found["sandbox"]),
        (&json!(true), &Value::Null, &json!(true))
    );
    assert_eq!(found["counted"]["percent"], 100);
    for path in ["/needs", "/offers/data", "/holds/data", "/events", "/posts/minutes", "/today/money"] {
        assert_eq!(found.pointer(path), Some(&json!([])), "{path}");
    }
    assert_eq!((&found["holds"]["count"], &found["today"]["orders"]), (&json!(0), &json!(0)));
    assert_eq!(found["sales"]["hours"].as_array().unwrap().len(), 24);
    assert_eq!(found["sales"]["days"].as_array().unwrap().len(), 30);
    assert_eq!(found["confirming"]["days"]["p50_seconds"], Value::Null);
}

/// Three sales of two units and one, a hold, a decline, an expiry, a refund, a parcel, a stranger.
fn story(till: &Till) -> (String, String) {
    // All of it is to be on one UTC day.
    let now = till.get("/v1/me").expect(200)["now"].as_str().unwrap().to_owned();
    if &now[11..13] == "23" {
        till.post("/v1/sandbox/clock", &json!({"advance_seconds": 3600})).expect(200);
    }
    let (merchant, tea) = shop(till, "Tea", "Green tea");
    shop(till, "Cup", "A cup");
    for user in ["ann", "bob", "eve", "kim"] {
        buyer(till, user, "tok_visa");
    }
    buyer(till, "dan", "tok_declined");
    let paid = |count: usize| {
        wait_for("the orders", || {
            let orders = till.get("/v1/orders").expect(200)["data"].as_array().unwrap().clone();
            (orders.len() == count).then_some(orders)
        })
    };
    till.say("kim", "#BuyTea");
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 2000})).expect(200);
    till.say("ann", "x2 #BuyTea");
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 20})).expect(200);
    till.say("ann", "#ConfirmTea");
    till.say("bob", "#BuyCup");
    till.say("bob", "#ConfirmCup");
    till.say("dan", "#BuyTea");
    till.say("dan", "#ConfirmTea");
    till.say("eve", "#BuyTea");
    till.say("stranger", "#BuyTea");
    let orders = paid(2);
    let of = |title: &str| orders.iter().find(|order| order["title"] == title).unwrap();
    let purchase = of("Green tea")["purchase"].as_str().unwrap();
    till.post(&format!("/v1/purchases/{purchase}/refund"), &json!({"amount": 500})).expect(200);
    till.post(&format!("/v1/orders/{}/ship", of("A cup")["id"].as_str().unwrap()), &json!({})).expect(200);
    (merchant, tea)
}

#[test]
fn a_story_is_told_in_figures() {
    let till = till();
    let (_, tea) = story(&till);
    let found = overview(&till, ADMIN, "the refund and the decline", |found| {
        found["today"]["money"][0]["refunds"]["count"] == 1 && need(found, "declines").is_some()
    });
    let money = &found["today"]["money"][0];
    assert_eq!((&money["currency"], &money["sales"]), (&json!("USD"), &json!({"count": 2, "amount": 5997})));
    assert_eq!((&money["refunds"]["amount"], &money["net"]), (&json!(500), &json!(5497)));
    assert_eq!(found["today"]["orders"], 2);
    assert_eq!(found["orders_unshipped"], 1);
    let funnel = &found["funnel"]["days"];
    assert_eq!(
        *funnel,
        json!({"posts": 9, "pending": 5, "confirmed": 3, "paid": 2, "shipped": 1}),
        "{funnel}"
    );
    // Only eve still holds one: kim's time is over, dan's card was declined.
    let holds = &found["holds"];
    assert_eq!(holds["count"], 1, "{holds}");
    let hold = &holds["data"][0];
    assert_eq!(
        (&hold["title"], &hold["units"], &hold["handle"]),
        (&json!("Green tea"), &json!(1), &json!("eve"))
    );
    assert!(hold["expires_at"].as_str().unwrap() < hold["release_at"].as_str().unwrap());
    assert_eq!((&hold["told"], &hold["price"]["amount"]), (&json!(false), &json!(1999)));
    let first = &found["offers"]["data"][0];
    assert_eq!(
        (&first["id"], &first["hashtag"]),
        (&json!(tea), &json!("#BuyTea")),
        "what sells most comes first"
    );
    let stock =
        ["quantity", "available", "held", "sold", "waiting", "sold_last_hour"].map(|name| &first[name]);
    assert_eq!(stock, [10, 7, 1, 2, 0, 2].map(|count| json!(count)).each_ref());
    let hours = found["sales"]["hours"].as_array().unwrap();
    let sold: u64 = hours.iter().map(|hour| hour["count"].as_u64().unwrap()).sum();
    assert_eq!(sold, 2);
    assert_eq!(found["sales"]["days"][29]["amounts"], json!([{"currency": "USD", "amount": 5997}]));
    let confirming = &found["confirming"]["days"];
    assert_eq!(confirming["count"], 3);
    assert_eq!(
        (&confirming["buckets"][0]["count"], &confirming["buckets"][1]["count"]),
        (&json!(2), &json!(1))
    );
    let verdicts = |name: &str| -> u64 {
        let minutes = found["posts"]["minutes"].as_array().unwrap();
        minutes.iter().map(|minute| minute["verdicts"][name].as_u64().unwrap_or(0)).sum()
    };
    assert_eq!((verdicts("pending"), verdicts("confirmed"), verdicts("not_linked")), (5, 3, 1));
    let types: Vec<_> =
        found["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    for kind in
        ["purchase.refunded", "order.shipped", "purchase.declined", "purchase.pending", "purchase.paid"]
    {
        assert!(types.contains(&json!(kind)), "{kind} {types:?}");
    }
    let declines = need(&found, "declines").unwrap();
    assert_eq!((&declines["count"], &declines["link"]), (&json!(1), &json!("#/purchases?status=declined")));
}

#[test]
fn a_merchant_sees_its_own_and_no_buyer() {
    let till = till();
    let (merchant, tea) = story(&till);
    let own = till.token(&format!("merchant:{merchant}"));
    let found =
        overview(&till, &own, "the refund", |found| found["today"]["money"][0]["refunds"]["count"] == 1);
    assert_eq!(found["today"]["money"][0]["sales"], json!({"count": 1, "amount": 3998}));
    assert_eq!(found["offers"]["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["offers"]["data"][0]["id"], tea.as_str());
    assert_eq!(found["holds"]["count"], 1);
    assert_eq!((&found["posts"], &found["reason"]), (&Value::Null, &Value::Null));
    let funnel = &found["funnel"]["today"];
    assert_eq!((&funnel["posts"], &funnel["paid"], &funnel["shipped"]), (&Value::Null, &json!(1), &json!(0)));
    assert_eq!((&found["orders_unshipped"], &found["needs"]), (&json!(1), &json!([])));
    let text = found.to_string();
    for word in ["handle", "\"eve\"", "acc_", "rep_", "#BuyCup", "A cup"] {
        assert!(!text.contains(word), "{word} {text}");
    }
    let other = till.token(&format!("merchant:{}", till.merchant()));
    let nothing = overview(&till, &other, "an answer", |_| true);
    for path in ["/offers/data", "/holds/data", "/events", "/today/money"] {
        assert_eq!(nothing.pointer(path), Some(&json!([])), "{path}");
    }
}

#[test]
fn what_is_known_is_not_sent_again() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    let first = till.get(PATH);
    assert_eq!(first.headers["cache-control"], "no-store");
    let tag = first.headers["etag"].clone();
    let again = conditional(&till, &format!("W/\"0\", {tag}"));
    assert_eq!((again.status, again.bytes.len(), &again.headers["etag"]), (304, 0, &tag));
    assert_eq!(conditional(&till, "\"another\"").status, 200);
    // Another answer is made, and only the time has changed.
    let made = first.json()["now"].clone();
    let later = wait_for("another answer", || {
        let answer = till.get(PATH);
        (answer.json()["now"] != made).then_some(answer)
    });
    assert_eq!(later.headers["etag"], tag);
    till.account("ann");
    till.say("ann", "#BuyTea");
    let news = wait_for("news", || Some(conditional(&till, &tag)).filter(|answer| answer.status == 200));
    assert_eq!(news.json()["holds"]["count"], 1);
}

#[test]
fn a_clock_that_is_moved_is_news() {
    let till = till();
    let first = till.get(PATH);
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 3})).expect(200);
    let tag = &first.headers["etag"];
    let news =
        wait_for("news", || Some(conditional(&till, tag)).filter(|answer| answer.status == 200)).json();
    assert!(news["now"].as_str().unwrap() > first.json()["now"].as_str().unwrap());
}

#[test]
fn what_was_is_counted_after_a_restart() {
    let site = Site::new();
    let till = site.start(&["--clock-start", "2013-02-12T14:00:00Z"]);
    let merchant = till.client.post("/v1/merchants", &json!({"name": "Shop"}))["id"].clone();
    let mut new = offer("", "Tea");
    new["merchant"] = merchant;
    till.client.post("/v1/offers", &new);
    let advance = |client: &Client, days: u32| {
        client.post("/v1/sandbox/clock", &json!({"advance_seconds": days * 86_400}));
    };
    let sell = |client: &Client, user: &str| {
        client.post("/v1/accounts", &sandbox_account(user, "tok_visa"));
        for text in ["#BuyTea", "#ConfirmTea"] {
            client.post("/v1/posts", &sandbox_post(&format!("{user}{text}"), user, text));
        }
        wait_for("the payment", || {
            let all = client.all("/v1/purchases");
            all.iter().all(|purchase| purchase["status"] == "paid").then_some(())
        });
    };
    sell(&till.client, "ann");
    advance(&till.client, 40);
    sell(&till.client, "bob");
    advance(&till.client, 3);
    sell(&till.client, "eve");
    till.kill_9();
    let till = site.start(&[]);
    let found = wait_for("all to be counted", || {
        let found = till.client.get(PATH);
        (found["counted"]["complete"] == true).then_some(found)
    });
    // Ann's was more than thirty days ago.
    assert_eq!(found["funnel"]["days"]["paid"], 2);
    assert_eq!(found["funnel"]["today"]["paid"], 1);
    assert_eq!((&found["orders_unshipped"], &found["today"]["orders"]), (&json!(3), &json!(1)), "Ann's, too");
    let late = need(&found, "orders_late").unwrap();
    assert_eq!((&late["count"], &late["link"]), (&json!(2), &json!("#/orders?status=unfulfilled")));
    let sold: Vec<_> =
        found["sales"]["days"].as_array().unwrap().iter().map(|day| day["count"].clone()).collect();
    assert_eq!((&sold[26], &sold[29]), (&json!(1), &json!(1)));
    assert_eq!(found["offers"]["data"][0]["sold"], 3, "the stock is the file's");
    assert_eq!(found["funnel"]["days"]["posts"], 0, "the till remembers posts since it started");
}

#[test]
fn what_needs_a_person_is_said() {
    let till = till();
    let (merchant, _) = shop(&till, "Tea", "Green tea");
    let bridge = json!({"lag_seconds": 300, "errors": {"rate_limit": 2}});
    till.call(ADMIN, "PUT", "/v1/networks/x/bridge", &bridge).expect(200);
    let small = json!({"replies_per_15_minutes": 1});
    till.call(ADMIN, "PUT", "/v1/networks/x", &small).expect(200);
    for user in ["ann", "bob"] {
        till.account(user);
        till.say(user, "#BuyTea");
    }
    let first = till.get("/v1/replies?network=x").expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    till.post(&format!("/v1/replies/{first}/sent"), &json!({"post_id": "r1"})).expect(200);
    let hook = json!({"merchant": merchant, "url": "http://127.0.0.1:9/"});
    till.post("/v1/webhook-endpoints", &hook).expect(201);
    till.call(ADMIN, "PUT", "/v1/limits", &json!({"captures_per_hour": 1})).expect(200);
    for user in ["cem", "dora", "ed"] {
        till.account(user);
        till.say(user, "#BuyTea");
        till.say(user, "#ConfirmTea");
    }
    let found = overview(&till, ADMIN, "all needs", |found| {
        ["captures_paused", "bridge_lags", "bridge_errors", "replies_over_budget"]
            .iter()
            .all(|code| need(found, code).is_some())
    });
    assert_eq!((&found["ready"], found["reason"].is_string()), (&json!(false), true));
    let severities: Vec<_> =
        found["needs"].as_array().unwrap().iter().map(|need| need["severity"].clone()).collect();
    assert_eq!((&severities[0], severities.last().unwrap()), (&json!("high"), &json!("medium")));
    for one in found["needs"].as_array().unwrap() {
        let text = one["text"].as_str().unwrap();
        assert!(text.len() > 40 && text.ends_with(['.', '?']), "{one}");
        assert!(one["link"].as_str().unwrap().starts_with("#/"), "{one}");
    }
    // Replies that nobody fetches are older than holds wait for them, once their budget is there again.
    till.call(ADMIN, "PUT", "/v1/networks/x", &json!({"replies_per_15_minutes": null})).expect(200);
    till.post("/v1/resume", &json!({})).expect(200);
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 700})).expect(200);
    let found = overview(&till, ADMIN, "replies that wait", |found| need(found, "replies_waiting").is_some());
    assert!(need(&found, "captures_paused").is_none(), "{}", found["needs"]);
    // The endpoint is disabled for good after its tries.
    let disabled = overview(&till, ADMIN, "the endpoint", |found| {
        till.post("/v1/sandbox/clock", &json!({"advance_seconds": 43_000})).expect(200);
        need(found, "webhooks_disabled").is_some()
    });
    assert_eq!(need(&disabled, "webhooks_disabled").unwrap()["link"], "#/webhooks");
    let own = till.token(&format!("merchant:{merchant}"));
    let found = overview(&till, &own, "the merchant's", |found| need(found, "webhooks_disabled").is_some());
    for code in ["bridge_lags", "replies_waiting", "declines"] {
        assert!(need(&found, code).is_none(), "{code} is the operator's");
    }
}
