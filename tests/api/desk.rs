//! What the console asks for: an offer's preview, all networks, the log newest first, which token one has.

use super::support::wait_for;
use super::till::{ADMIN, Till, offer, till};
use serde_json::{Value, json};
use tagtill::till::text::{Counting, length};

/// Every way of counting, and a network that has no defaults.
const NETWORKS: &[(&str, Counting)] = &[
    ("x", Counting::X),
    ("bluesky", Counting::Graphemes),
    ("mastodon", Counting::Characters),
    ("sandbox", Counting::Characters),
    ("friendica", Counting::Characters),
];

fn account_on(till: &Till, network: &str, user: &str, card: &str) {
    let mut body = super::till::account(user);
    body["identities"][0]["network"] = json!(network);
    body["payment_method"]["token"] = json!(card);
    till.post("/v1/accounts", &body).expect(201);
}

fn say_on(till: &Till, network: &str, user: &str, text: &str) -> Value {
    let mut post = super::till::post(&format!("p{}", till.unique()), user, text);
    post["network"] = json!(network);
    till.post("/v1/posts", &post).expect(200)
}

/// The wordings that a preview shows.
fn wordings(preview: &Value, network: &str, kind: &str) -> Vec<String> {
    let replies = preview["replies"].as_array().unwrap();
    let of = |reply: &&Value| reply["network"] == network && reply["kind"] == kind;
    replies.iter().filter(of).map(|reply| reply["text"].as_str().unwrap().to_owned()).collect()
}

/// Whether what was said is one of them.
#[track_caller]
fn previewed(preview: &Value, network: &str, kind: &str, said: &str) {
    let all = wordings(preview, network, kind);
    assert!(all.iter().any(|text| text == said), "{network} {kind}: {said:?} is none of {all:#?}");
}

#[track_caller]
fn reply(judged: &Value) -> &str {
    judged["reply"]["text"].as_str().unwrap_or_else(|| panic!("no reply: {judged}"))
}

/// What waits for a bridge in answer to a user.
fn queued_for(till: &Till, network: &str, user: &str) -> Vec<String> {
    let page = till.get(&format!("/v1/replies?network={network}&limit=200")).expect(200);
    let to = |reply: &&Value| reply["to"]["user_id"] == user;
    let text = |reply: &Value| reply["text"].as_str().unwrap().to_owned();
    page["data"].as_array().unwrap().iter().filter(to).map(text).collect()
}

#[test]
fn the_preview_is_word_for_word_what_is_said_then() {
    for (at, (network, counting)) in NETWORKS.iter().enumerate() {
        let till = till();
        let settings = till.call(ADMIN, "PUT", &format!("/v1/networks/{network}"), &json!({})).expect(200);
        let mut body = offer(&till.merchant(), "Harbour");
        for (name, value) in [
            ("title", json!("Café crème – 茶 👩‍🚀")),
            ("quantity", json!(2)),
            ("ends_at", json!("2050-12-24T20:00:00Z")),
            ("terms_url", json!("https://shop.example/terms-that-are-rather-long-to-read")),
            ("lang", json!(["en", "de", "es", "fr", "ja"][at])),
            ("waitlist", json!(at % 2 == 0)),
        ] {
            body[name] = value;
        }
        let preview = till.post("/v1/offers/preview", &body).expect(200);
        for reply in preview["replies"].as_array().unwrap().iter().filter(|one| one["network"] == *network) {
            let text = reply["text"].as_str().unwrap();
            assert_eq!(reply["length"], length(text, *counting), "{reply}");
            assert_eq!(reply["limit"], settings["text_limit"]);
        }
        assert_eq!(preview["confirm_hashtag"], "#ConfirmHarbour");
        till.post("/v1/offers", &body).expect(201);
        let is = |kind: &str, said: &str| previewed(&preview, network, kind, said);
        is("not_linked", reply(&say_on(&till, network, "stranger", "#BuyHarbour")));
        account_on(&till, network, "ann", "tok_visa");
        let held = say_on(&till, network, "ann", "I want #BuyHarbour");
        is("pending", reply(&held));
        is("already_pending", reply(&say_on(&till, network, "ann", "#BuyHarbour please")));
        let confirmed = say_on(&till, network, "ann", "#ConfirmHarbour");
        if *network == "x" {
            // The one reply there follows the capture.
            let paid = wait_for("the reply", || queued_for(&till, network, "ann").get(2).cloned());
            is("paid", &paid);
        } else {
            is("confirmed", reply(&confirmed));
        }
        is("already_confirmed", reply(&say_on(&till, network, "ann", "#ConfirmHarbour")));
        account_on(&till, network, "bob", "tok_declined");
        say_on(&till, network, "bob", "#BuyHarbour");
        account_on(&till, network, "eve", "tok_visa");
        let gone = say_on(&till, network, "eve", "#BuyHarbour");
        let waits = at % 2 == 0;
        if !waits {
            is("sold_out", reply(&gone));
        } else if *network != "x" {
            is("waitlisted", reply(&gone));
        }
        is("nothing_to_confirm", reply(&say_on(&till, network, "eve", "#ConfirmHarbour")));
        say_on(&till, network, "bob", "#ConfirmHarbour");
        wait_for("what is said of the declined card", || {
            let said = queued_for(&till, network, "bob");
            said.iter().any(|text| wordings(&preview, network, "refused").contains(text)).then_some(())
        });
        if waits {
            // What bob let go is eve's.
            let said = wait_for("eve's turn", || queued_for(&till, network, "eve").first().cloned());
            is("your_turn", &said);
        }
    }
}

#[test]
fn who_confirms_too_late_is_told_what_the_preview_shows() {
    let till = till();
    let body = offer(&till.merchant(), "Tea");
    let preview = till.post("/v1/offers/preview", &body).expect(200);
    till.post("/v1/offers", &body).expect(201);
    till.account("ann");
    till.say("ann", "#BuyTea");
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 86_400})).expect(200);
    previewed(&preview, "x", "too_late", reply(&till.say("ann", "#ConfirmTea")));
}

#[test]
fn own_texts_and_choices_are_previewed() {
    let till = till();
    let mut body = offer(&till.merchant(), "Shirt");
    body.as_object_mut().unwrap().remove("quantity");
    body["variants"] = json!([{"name": "S", "quantity": 2}, {"name": "XL", "quantity": 1, "price": {"amount": 2500, "currency": "USD"}}]);
    let own: Vec<String> =
        (1..=7).map(|n| format!("Number {n}: #{{confirm}} in {{window}} for {{price}}.")).collect();
    body["texts"] = json!({"en": {"held": own}});
    let preview = till.post("/v1/offers/preview", &body).expect(200);
    assert_eq!(wordings(&preview, "bluesky", "pending").len(), 7);
    let post = preview["post"]["text"].as_str().unwrap();
    assert!(post.contains("from $19.99") && post.contains("S, XL"), "{post}");
    till.post("/v1/offers", &body).expect(201);
    for n in 0..5 {
        let user = format!("u{n}");
        till.account(&user);
        previewed(&preview, "x", "unknown_variant", reply(&till.say(&user, "#BuyShirt")));
    }
    previewed(&preview, "x", "pending", reply(&till.say("u1", "#BuyShirt S")));
}

#[test]
fn a_deal_is_previewed() {
    let till = till();
    let body = json!({
        "merchant": till.merchant(), "kind": "deal", "hashtag": "#TeaFriends", "title": "Tea friends",
        "min_spend": {"amount": 2000, "currency": "USD"}, "credit": {"percent": 10, "cap": {"amount": 500, "currency": "USD"}},
    });
    let preview = till.post("/v1/offers/preview", &body).expect(200);
    assert_eq!(preview["confirm_hashtag"], Value::Null);
    till.post("/v1/offers", &body).expect(201);
    till.account("ann");
    previewed(&preview, "x", "enrolled", reply(&till.say("ann", "#TeaFriends")));
    previewed(&preview, "x", "already_enrolled", reply(&till.say("ann", "#TeaFriends")));
}

#[test]
fn the_post_to_publish_says_what_it_means_and_fits_everywhere() {
    let till = till();
    let merchant = till.merchant();
    for lang in ["en", "de", "es", "fr", "ja"] {
        let mut body = offer(&merchant, "Tea");
        body["lang"] = json!(lang);
        body["ends_at"] = json!("2050-12-24T20:00:00Z");
        let preview = till.post("/v1/offers/preview", &body).expect(200);
        let text = preview["post"]["text"].as_str().unwrap();
        assert_eq!(preview["lang"], lang);
        assert!(text.starts_with("Green tea – ") && text.contains("#BuyTea"), "{text}");
        assert!(text.contains(&format!("{}/link", till.url)), "{text}");
        assert!(!text.contains("ConfirmTea"), "whoever publishes it confirms nothing: {text}");
        for one in preview["post"]["lengths"].as_array().unwrap() {
            assert!(one["length"].as_u64() <= one["limit"].as_u64(), "{one}: {text}");
        }
    }
    let only = till.post("/v1/offers/preview?network=bluesky", &offer(&merchant, "Tea")).expect(200);
    assert!(only["replies"].as_array().unwrap().iter().all(|reply| reply["network"] == "bluesky"), "{only}");
    assert_eq!(only["post"]["lengths"].as_array().unwrap().len(), 4);
    till.post("/v1/offers/preview?network=nowhere", &offer(&merchant, "Tea")).problem(404, "not_found", "");
    // Where only those may be answered who mention the shop, a reply does that.
    let own = json!({"own": {"user_id": "1", "handle": "teashop"}});
    till.call(ADMIN, "PUT", "/v1/networks/x", &own).expect(200);
    let preview = till.post("/v1/offers/preview", &offer(&merchant, "Tea")).expect(200);
    assert!(preview["post"]["text"].as_str().unwrap().contains("reply with #BuyTea"), "{preview}");
}

#[test]
fn a_preview_refuses_what_making_it_would_and_changes_nothing() {
    let till = till();
    let merchant = till.merchant();
    till.offer(&merchant, "Tea");
    let before = (till.events(), till.get("/v1/offers").expect(200));
    for (name, value) in [
        ("title", json!("")),
        ("title", json!("Tea #1")),
        ("hashtag", json!("#BuyTea")),
        ("hashtag", json!("#ΒuyTea")),
        ("hashtag", json!("#Milk")),
        ("hashtag", json!("two words")),
        ("price", json!({"amount": 0, "currency": "USD"})),
        ("price", json!({"amount": 5})),
        ("price", Value::Null),
        ("quantity", json!(0)),
        ("confirm_window_seconds", json!(0)),
        ("lang", json!("xx")),
        ("texts", json!({"en": {"held": ["no placeholder"]}})),
        ("ships_to", json!(["XX"])),
        ("merchant", json!("mer_00000000000000000000000001")),
        ("colour", json!("red")),
    ] {
        let mut body = offer(&merchant, "Milk");
        body[name] = value;
        let (mut made, mut shown) =
            (till.post("/v1/offers", &body).json(), till.post("/v1/offers/preview", &body).json());
        for one in [&mut made, &mut shown] {
            one.as_object_mut().unwrap().remove("request_id");
        }
        assert!(made["errors"][0]["field"].is_string(), "{made}");
        assert_eq!(shown["errors"], made["errors"], "{body}");
        assert_eq!(shown["status"], made["status"], "{body}");
    }
    till.post("/v1/offers/preview", &offer(&merchant, "Milk")).expect(200);
    assert_eq!((till.events(), till.get("/v1/offers").expect(200)), before);
    // The hashtags of what was only previewed are free.
    till.offer(&merchant, "Milk");
}

#[test]
fn an_edit_is_previewed_as_the_edit_that_it_is() {
    let till = till();
    let merchant = till.merchant();
    let id = till.offer(&merchant, "Tea");
    let path = format!("/v1/offers/preview?offer={id}");
    let mut body = offer(&merchant, "Tea");
    body["title"] = json!("Black tea");
    let preview = till.post(&path, &body).expect(200);
    assert!(wordings(&preview, "x", "pending")[0].starts_with("Black tea: "), "{preview}");
    till.account("ann");
    till.say("ann", "#BuyTea");
    // As much is held, and its hashtag stays.
    body["quantity"] = Value::Null;
    till.post(&path, &body).expect(200);
    till.account("bob");
    till.say("bob", "#BuyTea");
    body["quantity"] = json!(1);
    till.post(&path, &body).problem(422, "invalid", "quantity");
    body["quantity"] = json!(2);
    body["hashtag"] = json!("#BuyMilk");
    till.post(&path, &body).problem(422, "invalid", "hashtag");
    body["hashtag"] = json!("#BuyTea");
    body["price"] = json!({"amount": 5, "currency": "EUR"});
    till.post(&path, &body).problem(422, "invalid", "price.currency");
    body["price"] = json!({"amount": 5, "currency": "USD"});
    let other = till.token(&format!("merchant:{}", till.merchant()));
    body.as_object_mut().unwrap().remove("merchant");
    till.call(&other, "POST", &path, &body).problem(404, "not_found", "");
    let own = till.token(&format!("merchant:{merchant}"));
    till.call(&own, "POST", &path, &body).expect(200);
    till.call(ADMIN, "PATCH", &format!("/v1/offers/{id}"), &json!({"status": "ended"})).expect(200);
    till.call(&own, "POST", &path, &body).problem(409, "conflict", "");
    assert_eq!(till.get(&format!("/v1/offers/{id}")).expect(200)["title"], "Green tea");
}

#[test]
fn all_networks_are_listed() {
    let till = till();
    till.call(ADMIN, "PUT", "/v1/networks/friendica", &json!({"text_limit": 1000})).expect(200);
    till.call(ADMIN, "PUT", "/v1/networks/x", &json!({"text_limit": 200})).expect(200);
    let all = till.get("/v1/networks").expect(200);
    let slugs: Vec<_> = all["data"].as_array().unwrap().iter().map(|one| one["slug"].clone()).collect();
    assert_eq!(slugs, ["bluesky", "friendica", "mastodon", "sandbox", "x"]);
    for one in all["data"].as_array().unwrap() {
        let slug = one["slug"].as_str().unwrap();
        assert_eq!(*one, till.get(&format!("/v1/networks/{slug}")).expect(200));
    }
    assert_eq!(all["data"][4]["text_limit"], 200);
}

/// Types and ids of a page of the log.
fn log(till: &Till, token: &str, query: &str) -> (Vec<String>, Vec<String>, Value) {
    let page = till.call(token, "GET", &format!("/v1/events?{query}"), &Value::Null).expect(200);
    let of = |name: &str| {
        let data = page["data"].as_array().unwrap().iter();
        data.map(|event| event[name].as_str().unwrap().to_owned()).collect()
    };
    (of("type"), of("id"), page["next_cursor"].clone())
}

#[test]
fn the_log_is_read_newest_first_and_by_type() {
    let till = till();
    let (merchant, other) = (till.merchant(), till.merchant());
    till.offer(&merchant, "Tea");
    till.offer(&other, "Milk");
    till.account("ann");
    for name in ["Tea", "Milk"] {
        till.say("ann", &format!("#Buy{name}"));
    }
    let (_, up, _) = log(&till, ADMIN, "limit=200");
    let (mut down, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, ids, next) = log(&till, ADMIN, &format!("order=desc&limit=2{cursor}"));
        down.extend(ids);
        let Some(next) = next.as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    down.reverse();
    assert_eq!(down, up);
    let kinds = |query: &str| log(&till, ADMIN, query).0;
    assert_eq!(kinds("type=offer"), ["offer.created", "offer.created"]);
    assert_eq!(kinds("order=desc&type=purchase.pending&limit=1"), ["purchase.pending"]);
    assert_eq!(kinds("type=purchase.paid"), Vec::<String>::new());
    assert_eq!(kinds(&format!("after={}&type=purchase", up[up.len() - 2])), ["purchase.pending"]);
    let own = till.token(&format!("merchant:{merchant}"));
    assert_eq!(log(&till, &own, "order=desc").0, ["purchase.pending", "offer.created"]);
    for (query, field) in [
        ("order=up", "order"),
        ("type=nothing", "type"),
        ("type=", "type"),
        ("order=desc&after=latest", "after"),
        ("order=desc&wait_seconds=1", "wait_seconds"),
        ("order=desc&cursor=evt_1", "cursor"),
    ] {
        till.get(&format!("/v1/events?{query}")).problem(400, "invalid_request", field);
    }
}

#[test]
fn whoever_waits_for_a_type_hears_of_no_other() {
    let till = till();
    let merchant = till.merchant();
    let last = log(&till, ADMIN, "order=desc&limit=1").1;
    assert_eq!(last, Vec::<String>::new());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| log(&till, ADMIN, "type=account&wait_seconds=30").0);
        till.until_waiting(1);
        till.offer(&merchant, "Tea");
        till.account("ann");
        assert_eq!(waiting.join().unwrap(), ["account.created"]);
    });
}

#[test]
fn a_token_knows_its_id() {
    let till = till();
    let made = till.post("/v1/tokens", &json!({"role": "admin"})).expect(201);
    let me = till.call(made["token"].as_str().unwrap(), "GET", "/v1/me", &Value::Null).expect(200);
    assert_eq!(me["token"], made["id"]);
    assert_eq!(till.get("/v1/me").expect(200)["token"], Value::Null, "one that was given at the start");
}
