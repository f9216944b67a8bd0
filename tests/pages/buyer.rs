//! What the tests of the buyers' pages share: a shop, a buyer, and what they do.

use crate::support::{Site, Till, buyer, post};
use serde_json::{Value, json};

/// A sandbox till with a short tick.
pub fn start(site: &Site) -> Till {
    site.start(&["--tick-ms", "50"])
}

/// A buyer with a private page; the account and the page's address.
pub fn with_page(till: &Till, user_id: &str) -> (String, String) {
    let account = buyer(&till.client, user_id, "tok_visa");
    let id = account["id"].as_str().unwrap().to_owned();
    let page = till.client.post(&format!("/v1/accounts/{id}/page"), &json!({}));
    (id, page["url"].as_str().unwrap().to_owned())
}

/// Says something on the sandbox network.
pub fn say(till: &Till, id: &str, user_id: &str, text: &str) -> Value {
    till.client.post("/v1/posts", &post(id, user_id, text))
}

/// Reports the reply to a post as posted: its window begins.
pub fn reply_is_out(till: &Till, answer: &Value) {
    let id = answer["reply"]["id"].as_str().unwrap();
    till.client.post(&format!("/v1/replies/{id}/sent"), &json!({"post_id": format!("r-{id}")}));
}
