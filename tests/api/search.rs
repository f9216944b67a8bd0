//! Lists that are searched: by each key that somebody may have in hand, within bounds, and nobody else's.

use super::support::wait_for;
use super::till::{ADMIN, Till, account, offer, post, till};
use serde_json::{Value, json};

/// Two merchants, a buyer of each, paid.
struct Shop {
    till: Till,
    merchants: [String; 2],
    offers: [String; 2],
    accounts: [String; 2],
    purchases: [String; 2],
    orders: [String; 2],
}

fn buyer(till: &Till, user: &str, handle: &str, name: &str, postal_code: &str) -> String {
    let mut body = account(user);
    body["identities"][0]["handle"] = json!(handle);
    body["email"] = json!(format!("{handle}@shop.example"));
    body["billing_address"]["name"] = json!(name);
    body["billing_address"]["postal_code"] = json!(postal_code);
    till.post("/v1/accounts", &body).expect(201)["id"].as_str().unwrap().to_owned()
}

fn says(till: &Till, id: &str, user: &str, handle: &str, text: &str) -> Value {
    let mut body = post(id, user, text);
    body["author"]["handle"] = json!(handle);
    till.post("/v1/posts", &body).expect(200)
}

fn shop() -> Shop {
    let till = till();
    let merchants = [till.merchant(), till.merchant()];
    let offers = [till.offer(&merchants[0], "Tea"), till.offer(&merchants[1], "Cup")];
    let accounts = [
        buyer(&till, "u-71", "AnnOkafor", "Ann Okafor", "SW1A 1AA"),
        buyer(&till, "u-72", "ben_lind", "Ben Lindqvist", "90210"),
    ];
    let (mut purchases, mut orders) = (Vec::new(), Vec::new());
    for (user, handle, thing) in [("u-71", "AnnOkafor", "Tea"), ("u-72", "ben_lind", "Cup")] {
        let judged = says(&till, &format!("buy-{thing}"), user, handle, &format!("#Buy{thing}"));
        let reply = judged["reply"]["id"].as_str().unwrap();
        let sent = json!({"post_id": format!("ours-{thing}")});
        till.post(&format!("/v1/replies/{reply}/sent"), &sent).expect(200);
        says(&till, &format!("confirm-{thing}"), user, handle, &format!("#Confirm{thing}"));
        let purchase = judged["purchase"].as_str().unwrap().to_owned();
        orders.push(wait_for("an order", || {
            let found = till.get(&format!("/v1/purchases/{purchase}")).expect(200);
            found["order"].as_str().map(str::to_owned)
        }));
        purchases.push(purchase);
        till.post("/v1/sandbox/clock", &json!({"advance_seconds": 60})).expect(200);
    }
    let orders = [orders[0].clone(), orders[1].clone()];
    let purchases = [purchases[0].clone(), purchases[1].clone()];
    Shop { till, merchants, offers, accounts, purchases, orders }
}

impl Shop {
    /// The ids that a list finds.
    #[track_caller]
    fn ids(&self, token: &str, path: &str) -> Vec<String> {
        let found = self.till.call(token, "GET", path, &Value::Null).expect(200);
        let ids = found["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.collect()
    }
}

#[test]
fn purchases_are_found_by_whatever_is_known_of_them() {
    let shop = shop();
    let keys = [
        &shop.purchases[0],
        &shop.orders[0],
        &shop.accounts[0],
        "buy-Tea",
        "confirm-Tea",
        "ours-Tea",
        "u-71",
        "AnnOkafor",
        "@annok",
        "okaf",
    ];
    for key in keys {
        let found = shop.ids(ADMIN, &format!("/v1/purchases?q={key}"));
        assert_eq!(found, [shop.purchases[0].as_str()], "{key}");
    }
    let refund =
        shop.till.post(&format!("/v1/purchases/{}/refund", shop.purchases[1]), &json!({"amount": 5}));
    let refund = refund.expect(200)["refunds"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.ids(ADMIN, &format!("/v1/purchases?q={refund}")), [shop.purchases[1].as_str()]);
    for key in ["nobody", "pur_00000000000000000000000001", "ord_00000000000000000000000001", "Ann Okafor"] {
        let key = key.replace(' ', "%20");
        assert_eq!(shop.ids(ADMIN, &format!("/v1/purchases?q={key}")), [""; 0], "{key}");
    }
    // What is found still has to fit the other filters.
    assert_eq!(shop.ids(ADMIN, &format!("/v1/purchases?q=u-71&offer={}", shop.offers[1])), [""; 0]);
    assert_eq!(shop.ids(ADMIN, "/v1/purchases?q=buy-Tea&status=pending"), [""; 0]);
    assert_eq!(shop.ids(ADMIN, "/v1/purchases?q=%20&limit=1"), [shop.purchases[1].as_str()]);
    let listed = shop.till.get("/v1/purchases").expect(200);
    assert_eq!(listed["data"][1]["handle"], "AnnOkafor");
}

#[test]
fn orders_are_found_by_what_is_on_the_parcel_and_only_ones_own() {
    let shop = shop();
    let own = shop.till.token(&format!("merchant:{}", shop.merchants[0]));
    let keys = [&shop.orders[0], &shop.purchases[0], "okafor", "ann%20o", "SW1A%201", "sw1a1aa"];
    for key in keys {
        for token in [ADMIN, &own] {
            let found = shop.ids(token, &format!("/v1/orders?q={key}"));
            assert_eq!(found, [shop.orders[0].as_str()], "{key}");
        }
        let csv = shop.till.get(&format!("/v1/orders.csv?q={key}"));
        assert_eq!(csv.text().lines().count(), 2, "{key}: {}", csv.text());
    }
    for key in [&shop.orders[1], &shop.purchases[1], "lindqvist", "90210"] {
        assert_eq!(shop.ids(ADMIN, &format!("/v1/orders?q={key}")), [shop.orders[1].as_str()], "{key}");
        assert_eq!(shop.ids(&own, &format!("/v1/orders?q={key}")), [""; 0], "{key}");
        let path = format!("/v1/orders.csv?q={key}");
        let csv = shop.till.call(&own, "GET", &path, &Value::Null);
        assert_eq!(csv.text().lines().count(), 1, "{key}: {}", csv.text());
    }
    // A handle is nothing that merchants see.
    assert_eq!(shop.ids(&own, "/v1/orders?q=AnnOkafor"), [""; 0]);
}

#[test]
fn accounts_are_found_by_handle_id_email_and_name() {
    let shop = shop();
    let keys = [&shop.accounts[0], "u-71", "@AnnOkafor", "annok", "annokafor@shop.example", "ann%20okafor"];
    for key in keys {
        assert_eq!(shop.ids(ADMIN, &format!("/v1/accounts?q={key}")), [shop.accounts[0].as_str()], "{key}");
    }
    for path in ["handle=%40annokafor", "network=x&handle=AnnOkafor", "q=ann&status=active"] {
        assert_eq!(shop.ids(ADMIN, &format!("/v1/accounts?{path}")), [shop.accounts[0].as_str()], "{path}");
    }
    for path in ["handle=annok", "network=bluesky", "network=mastodon&handle=AnnOkafor", "status=suspended"] {
        assert_eq!(shop.ids(ADMIN, &format!("/v1/accounts?{path}")), [""; 0], "{path}");
    }
    // Whoever is erased is found by nothing that was theirs.
    let path = format!("/v1/accounts/{}", shop.accounts[0]);
    shop.till.post(&format!("/v1/orders/{}/ship", shop.orders[0]), &json!({})).expect(200);
    shop.till.call(ADMIN, "DELETE", &path, &Value::Null).expect(200);
    wait_for("the erasure", || (shop.till.get(&path).expect(200)["status"] == "erased").then_some(()));
    for key in ["u-71", "annok", "annokafor@shop.example", "okafor"] {
        assert_eq!(shop.ids(ADMIN, &format!("/v1/accounts?q={key}")), [""; 0], "{key}");
        assert_eq!(shop.ids(ADMIN, &format!("/v1/orders?q={key}")), [""; 0], "{key}");
        assert_eq!(shop.ids(ADMIN, &format!("/v1/purchases?q={key}")), [""; 0], "{key}");
    }
}

#[test]
fn lists_keep_to_a_time() {
    let shop = shop();
    let order = shop.till.get(&format!("/v1/orders/{}", shop.orders[1])).expect(200);
    let later = order["created_at"].as_str().unwrap();
    assert_eq!(shop.ids(ADMIN, &format!("/v1/orders?from={later}")), [shop.orders[1].as_str()]);
    assert_eq!(shop.ids(ADMIN, &format!("/v1/orders?to={later}")), [shop.orders[0].as_str()]);
    let csv = shop.till.get(&format!("/v1/orders.csv?to={later}"));
    assert!(csv.text().contains(&shop.orders[0]) && !csv.text().contains(&shop.orders[1]));
    for list in ["orders", "purchases"] {
        let all = shop.ids(ADMIN, &format!("/v1/{list}?from=2013-02-12T14:00:00Z&to=2100-01-01T00:00:00Z"));
        assert_eq!(all.len(), 2, "{list}");
        for nothing in ["from=2100-01-01T00:00:00Z", "to=2013-02-12T14:00:00Z"] {
            assert_eq!(shop.ids(ADMIN, &format!("/v1/{list}?{nothing}")), [""; 0], "{list} {nothing}");
            let sought = format!("/v1/{list}?q={}&{nothing}", shop.purchases[0]);
            assert_eq!(shop.ids(ADMIN, &sought), [""; 0], "{sought}");
        }
    }
}

#[test]
fn what_cannot_be_looked_for_is_named() {
    let shop = shop();
    let long = "x".repeat(201);
    for (path, field) in [
        ("orders?from=yesterday", "from"),
        ("orders?to=2013-02-12", "to"),
        ("orders?from=2013-02-12T14:00:00Z&to=2013-02-12T14:00:00Z", "to"),
        ("orders.csv?from=never", "from"),
        ("purchases?to=soon", "to"),
        ("purchases?status=gone", "status"),
        ("accounts?network=nowhere", "network"),
        ("accounts?status=gone", "status"),
        (&format!("orders?q={long}"), "q"),
        (&format!("purchases?q={long}"), "q"),
        (&format!("accounts?handle={long}"), "handle"),
    ] {
        shop.till.get(&format!("/v1/{path}")).problem(400, "invalid_request", field);
    }
    let own = shop.till.token(&format!("merchant:{}", shop.merchants[0]));
    for path in ["purchases?q=a", "accounts?q=a"] {
        shop.till.call(&own, "GET", &format!("/v1/{path}"), &Value::Null).problem(403, "forbidden", "");
    }
}

#[test]
fn what_is_found_comes_in_pages_that_go_on() {
    let till = till();
    let merchant = till.merchant();
    till.account("ann");
    till.account("bob");
    for number in 0..5 {
        let mut body = offer(&merchant, &format!("Thing{number}a"));
        body["per_account_limit"] = json!(1);
        till.post("/v1/offers", &body).expect(201);
        till.say("ann", &format!("#BuyThing{number}a"));
        till.say("bob", &format!("#BuyThing{number}a"));
    }
    let ann = till.get("/v1/accounts?q=ann").expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    // By the account's own list of purchases, and row by row.
    for query in [format!("account={ann}"), "q=ann".to_owned(), "q=an".to_owned()] {
        let (mut found, mut next) = (Vec::new(), format!("/v1/purchases?{query}&limit=2"));
        let first = next.clone();
        loop {
            let page = till.get(&next).expect(200);
            found.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            assert!(
                page["data"].as_array().unwrap().iter().all(|one| one["account"] == ann.as_str()),
                "{page}"
            );
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{first}&cursor={cursor}");
        }
        assert_eq!(found.len(), 5, "{query}");
        assert!(found.is_sorted_by(|newer, older| newer.as_str() > older.as_str()), "{query}");
    }
}

#[test]
fn a_story_is_told_from_the_post_to_the_parcels() {
    let shop = shop();
    let (purchase, order) = (&shop.purchases[0], &shop.orders[0]);
    let parcel = json!({"carrier": "UPS", "tracking_number": "1Z"});
    shop.till.post(&format!("/v1/orders/{order}/ship"), &parcel).expect(200);
    shop.till.post(&format!("/v1/purchases/{purchase}/refund"), &json!({"amount": 500})).expect(200);
    let path = format!("/v1/purchases/{purchase}/story");
    let story = wait_for("the refund", || {
        let story = shop.till.get(&path).expect(200);
        (story["purchase"]["refunded"]["amount"] == 500).then_some(story)
    });
    assert_eq!(story["title"], "Green tea");
    assert_eq!(story["handle"], "AnnOkafor");
    assert_eq!(story["refundable"], json!({"amount": 1499, "currency": "USD"}));
    let posts: Vec<_> = story["posts"].as_array().unwrap().iter().collect();
    assert_eq!(
        (posts.len(), &posts[0]["id"], &posts[1]["id"]),
        (2, &json!("buy-Tea"), &json!("confirm-Tea"))
    );
    assert_eq!(posts[0]["verdict"], "pending");
    assert_eq!(posts[1]["verdict"], "confirmed");
    assert!(posts[1]["why"].as_str().unwrap().contains("to go"), "{}", posts[1]);
    let replies = story["replies"].as_array().unwrap();
    assert!(replies[0]["text"].as_str().unwrap().contains("#ConfirmTea"), "{}", replies[0]);
    let kinds: Vec<_> =
        story["moments"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    let mut order_of = 0;
    for kind in ["post", "verdict", "hold", "confirmed", "charge", "charged", "order", "shipped", "refund"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
        let place = kinds.iter().position(|one| *one == kind).unwrap();
        // Reply and charge may come in the same millisecond; what follows from another never comes before it.
        assert!(place >= order_of || kind == "hold", "{kind} in {kinds:?}");
        order_of = order_of.max(place);
    }
    let times: Vec<_> = story["moments"].as_array().unwrap().iter().map(|one| one["at"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let own = shop.till.token(&format!("merchant:{}", shop.merchants[0]));
    shop.till.call(&own, "GET", &path, &Value::Null).problem(403, "forbidden", "");
    shop.till.get("/v1/purchases/pur_00000000000000000000000001/story").problem(404, "not_found", "");
}

#[test]
fn what_an_account_waits_for_and_what_an_endpoint_was_not_sent() {
    let till = till();
    let merchant = till.merchant();
    let mut body = offer(&merchant, "Tea");
    body["quantity"] = json!(1);
    body["waitlist"] = json!(true);
    let offer = till.post("/v1/offers", &body).expect(201)["id"].as_str().unwrap().to_owned();
    till.account("ann");
    let bob = till.account("bob");
    till.say("ann", "#BuyTea");
    assert_eq!(till.say("bob", "#BuyTea")["verdict"], "waitlisted");
    let waits = till.get(&format!("/v1/accounts/{bob}/waiting")).expect(200);
    assert_eq!((&waits["data"][0]["offer"], &waits["data"][0]["place"]), (&json!(offer), &json!(1)));
    till.get("/v1/accounts/acc_00000000000000000000000001/waiting").problem(404, "not_found", "");

    let hook = json!({"url": "http://127.0.0.1:9/", "events": ["account.created"]});
    let hook = till.post("/v1/webhook-endpoints", &hook).expect(201);
    assert_eq!(hook["oldest_unsent_at"], Value::Null);
    till.merchant();
    till.account("carl");
    let path = format!("/v1/webhook-endpoints/{}", hook["id"].as_str().unwrap());
    let unsent = till.get(&path).expect(200)["oldest_unsent_at"].clone();
    assert!(unsent.is_string(), "{unsent}");
    let tried = wait_for("a delivery", || {
        let tries = till.get(&format!("{path}/deliveries")).expect(200);
        tries["data"][0].is_object().then(|| tries["data"][0].clone())
    });
    assert_eq!((&tried["type"], &tried["delivered"]), (&json!("account.created"), &json!(false)));
}
