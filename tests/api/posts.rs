//! Posts, alone and in lines.

use super::till::{ADMIN, post, till};
use serde_json::{Value, json};

#[test]
fn from_a_post_to_a_confirmed_purchase() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bought = till.post("/v1/posts", &post("1", "ann", "Oh yes #buytea!")).expect(200);
    assert_eq!((&bought["verdict"], &bought["repeated"]), (&json!("pending"), &json!(false)));
    assert!(bought["reply"]["text"].as_str().unwrap().contains("#ConfirmTea"), "{bought}");
    let again = till.post("/v1/posts", &post("1", "ann", "edited")).expect(200);
    assert_eq!((&again["verdict"], &again["repeated"]), (&json!("pending"), &json!(true)));
    till.post("/v1/posts", &post("1", "eve", "mine")).problem(409, "conflict", "id");

    let bot = till.token("network:x");
    let replies = till.call(&bot, "GET", "/v1/replies", &Value::Null).expect(200);
    assert_eq!(replies["data"][0]["to"], json!({"user_id": "ann", "handle": "ann"}));
    let sent = format!("/v1/replies/{}/sent", replies["data"][0]["id"].as_str().unwrap());
    assert_eq!(till.call(&bot, "POST", &sent, &json!({"post_id": "r1"})).expect(200)["status"], "sent");
    assert_eq!(till.call(&bot, "GET", "/v1/replies", &Value::Null).expect(200)["data"], json!([]));

    let confirmed = till.say("ann", "#ConfirmTea");
    assert_eq!((&confirmed["verdict"], &confirmed["purchase"]), (&json!("confirmed"), &bought["purchase"]));
    let purchase = till.get(&format!("/v1/purchases/{}", bought["purchase"].as_str().unwrap())).expect(200);
    // The worker may have been faster than this test.
    let captured = if purchase["status"] == "paid" { 1999 } else { 0 };
    assert!(["capturing", "paid"].contains(&purchase["status"].as_str().unwrap()), "{purchase}");
    assert_eq!(purchase["captured"]["amount"], captured);
    let followed = till.get("/v1/posts/x/1").expect(200);
    assert_eq!((&followed["verdict"], &followed["reply"]["post_id"]), (&json!("pending"), &json!("r1")));
    assert!(["capturing", "paid"].contains(&followed["purchase"]["status"].as_str().unwrap()), "{followed}");
    till.post(&format!("/v1/purchases/{}/cancel", purchase["id"].as_str().unwrap()), &Value::Null)
        .problem(409, "conflict", "");
}

#[test]
fn a_deleted_post_cancels_and_its_id_may_hold_slashes() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bought = till
        .post("/v1/posts", &post("at://did/post 1".replace(' ', "-").as_str(), "ann", "#BuyTea"))
        .expect(200);
    let path = "/v1/posts/x/at%3A%2F%2Fdid%2Fpost-1";
    assert_eq!(till.get(path).expect(200)["id"], "at://did/post-1");
    let deleted = till.call(ADMIN, "DELETE", path, &Value::Null).expect(200);
    assert_eq!(deleted, json!({"deleted": true, "purchase": bought["purchase"], "verdict": "passed"}));
    let purchase = till.get(&format!("/v1/purchases/{}", bought["purchase"].as_str().unwrap())).expect(200);
    assert_eq!(purchase["status"], "cancelled");
    assert!(till.get(path).expect(200)["deleted_at"].is_string());
    till.get("/v1/posts/x/never").problem(404, "not_found", "");
    till.get("/v1/posts/nowhere/1").problem(404, "not_found", "");
}

#[test]
fn a_deletion_can_be_told_for_known_posts_only() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let delete = |id: &str, known: &str| {
        till.call(ADMIN, "DELETE", &format!("/v1/posts/x/{id}?known={known}"), &Value::Null)
    };
    assert_eq!(delete("1", "true").expect(200), json!({"deleted": false}));
    assert_eq!(till.post("/v1/posts", &post("1", "ann", "#BuyTea")).expect(200)["verdict"], "pending");
    assert_eq!(delete("1", "true").expect(200)["verdict"], "passed");
    assert_eq!(delete("2", "false").expect(200), json!({"deleted": true}));
    assert_eq!(till.post("/v1/posts", &post("2", "ann", "#BuyTea")).expect(200)["verdict"], "deleted");
    delete("1", "perhaps").problem(400, "invalid_request", "known");
    till.call(ADMIN, "DELETE", "/v1/posts/nowhere/1?known=true", &Value::Null).problem(404, "not_found", "");
}

#[test]
fn a_post_is_explained_with_what_followed() {
    let till = till();
    till.call(ADMIN, "PUT", "/v1/networks/x", &json!({"own": {"user_id": "s", "handle": "shop"}}))
        .expect(200);
    till.offer(&till.merchant(), "Sencha");
    till.account("ann");
    let near = till.post("/v1/posts", &post("1", "ann", "@shop #BuySencah")).expect(200);
    assert_eq!(near["verdict"], "near_miss");
    assert!(near["reply"]["text"].as_str().unwrap().contains("#BuySencha?"), "{near}");
    till.post("/v1/posts", &post("2", "eve", "@Shop, what is this?")).expect(200);
    let asked = till.get("/v1/posts/x/2").expect(200);
    assert_eq!((&asked["verdict"], &asked["why"]), (&json!("no_offer"), &asked["explanation"]));
    till.post("/v1/posts", &post("3", "ann", "@shop #BuySencha")).expect(200);
    till.post("/v1/posts", &post("4", "ann", "#ConfirmSencha")).expect(200);
    let why = till.get("/v1/posts/x/4").expect(200);
    assert!(why["by"]["seconds_left"].as_f64().unwrap() > 0.0, "{why}");
    let history = super::support::wait_for("the whole story", || {
        let history = till.get("/v1/posts/x/3").expect(200)["history"].clone();
        history.to_string().contains("An order was made").then_some(history)
    });
    let times: Vec<_> = history.as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{history}");
    for part in
        ["was made.", "A unit was held for $19.99", "Charge 1 was begun: paid", "queued: the confirmation"]
    {
        assert!(history.to_string().contains(part), "{part}: {history}");
    }
}

#[test]
fn networks_learn_nothing_about_accounts() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    let ann = till.account("ann");
    till.call(ADMIN, "PATCH", &format!("/v1/accounts/{ann}"), &json!({"status": "suspended"})).expect(200);
    let bot = till.token("network:x");
    let seen = till.call(&bot, "POST", "/v1/posts", &post("1", "ann", "#BuyTea")).expect(200);
    assert!(!seen["explanation"].as_str().unwrap().contains("suspended"), "{seen}");
    assert!(!seen["reply"].to_string().contains("suspended"), "{seen}");
    let known = till.post("/v1/posts", &post("1", "ann", "#BuyTea")).expect(200);
    assert!(known["explanation"].as_str().unwrap().contains("suspended"), "{known}");
}

#[test]
fn one_line_out_per_line_in() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bot = till.token("network:x");
    let mut foreign = post("4", "ann", "hi");
    foreign["network"] = json!("bluesky");
    let mut unknown = post("5", "ann", "hi");
    unknown["extra"] = json!(1);
    let lines = [
        post("1", "ann", "nothing").to_string(),
        "{not json".to_owned(),
        post("2", "ann", "#BuyTea").to_string(),
        foreign.to_string(),
        String::new(),
        unknown.to_string(),
        post("2", "ann", "#BuyTea").to_string(),
        post("2", "eve", "#BuyTea").to_string(),
    ];
    let answer = till.lines(&bot, &(lines.join("\n") + "\n"));
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/x-ndjson"));
    let out: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), lines.len());
    assert_eq!((&out[0]["verdict"], &out[2]["verdict"]), (&json!("no_offer"), &json!("pending")));
    assert_eq!(out[6]["repeated"], true);
    for (i, code, field) in [
        (1, "invalid_request", None),
        (3, "forbidden", Some("network")),
        (4, "invalid_request", None),
        (5, "invalid_request", Some("extra")),
        (7, "conflict", Some("id")),
    ] {
        assert_eq!(out[i]["line"], i + 1, "{}", out[i]);
        assert_eq!(out[i]["problem"]["code"], code, "{}", out[i]);
        assert_eq!(out[i]["problem"]["errors"][0]["field"].as_str(), field, "{}", out[i]);
    }
}

#[test]
fn many_lines_go_in_chunks_and_come_back_in_order() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    let lines: Vec<_> =
        (0..2500).map(|i| post(&format!("{i}"), &format!("u{i}"), "#BuyTea").to_string()).collect();
    let answer = till.lines(ADMIN, &lines.join("\n"));
    let out: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), 2500);
    assert!(out.iter().all(|line| line["verdict"] == "not_linked"));
    assert_eq!(till.lines(ADMIN, "").text(), "");
}

#[test]
fn card_numbers_in_a_text_are_no_reason_to_refuse() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    assert_eq!(till.say("ann", "#BuyTea 4111 1111 1111 1111")["verdict"], "pending");
}
