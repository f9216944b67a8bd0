//! Every call with every role. The calls come from the table of routes, so that a new one cannot be forgotten.

use super::support::wait_for;
use super::till::{ADMIN, Answer, Till, account, offer, post, till, till_with};
use serde_json::{Value, json};
use tagtill::http::route::{Access, Kind, Route};

/// What the matrix plays with: one thing of each kind, and a token of each role.
struct World {
    till: Till,
    tokens: Vec<(&'static str, String)>,
    merchant: String,
    offer: String,
    account: String,
    purchase: String,
    reply: String,
    order: String,
}

fn world() -> World {
    let till = till();
    let (merchant, other) = (till.merchant(), till.merchant());
    let offer = till.offer(&merchant, "Tea");
    let account = till.account("ann");
    // One that is sold, with an order that is there, and one that is held.
    till.account("carl");
    till.say("carl", "I want #BuyTea");
    till.say("carl", "#ConfirmTea");
    let order = wait_for("an order", || {
        let orders = till.get("/v1/orders").expect(200);
        orders["data"][0]["id"].as_str().map(str::to_owned)
    });
    let judged = till.say("ann", "I want #BuyTea");
    // Who may not goes first: what they are refused is there, and stays as it is.
    let tokens = vec![
        ("bad token", "tt_of_nobody".to_owned()),
        ("no token", String::new()),
        ("other merchant", till.token(&format!("merchant:{other}"))),
        ("other network", till.token("network:bluesky")),
        ("processor", till.token("processor")),
        ("own network", till.token("network:x")),
        ("own merchant", till.token(&format!("merchant:{merchant}"))),
        ("admin", ADMIN.to_owned()),
    ];
    let purchase = judged["purchase"].as_str().unwrap().to_owned();
    let reply = judged["reply"]["id"].as_str().unwrap().to_owned();
    World { till, tokens, merchant, offer, account, purchase, reply, order }
}

impl World {
    /// A path with ids of things that are there, and a body that can be read.
    fn request(&self, route: &Route) -> (String, Value) {
        let n = self.till.unique();
        let missing = "00000000000000000000000001";
        let id = match route.path.split('/').nth(2).unwrap_or_default() {
            "merchants" => self.merchant.clone(),
            "accounts" if route.id == "eraseAccount" => format!("acc_{missing}"),
            "accounts" => self.account.clone(),
            "offers" => self.offer.clone(),
            "purchases" => self.purchase.clone(),
            "orders" => self.order.clone(),
            "replies" => self.reply.clone(),
            "tokens" => format!("tkn_{missing}"),
            "webhook-endpoints" => self.endpoint(),
            _ => format!("p{n}"),
        };
        let path = route.path.replace("{network}", "x").replace("{slug}", "x").replace("{id}", &id);
        let path = path
            .replace("{account}", &self.account)
            .replace("{version}", "1")
            .replace("{stream}", "all")
            .replace("{user_id}", "zoe");
        let path = if route.id == "listReplies" { format!("{path}?network=x") } else { path };
        let path =
            if route.id == "getSettlement" { format!("{path}?merchant={}", self.merchant) } else { path };
        let body = match route.id {
            "judgePost" => post(&format!("p{n}"), "bob", "nothing"),
            "putCursor" => json!({"cursor": "1729360192837465"}),
            "putNetwork"
            | "announceBridge"
            | "putLimits"
            | "updateAccount"
            | "updateOffer"
            | "startRehearsal"
            | "updateWebhookEndpoint" => {
                json!({})
            }
            "createMerchant" | "updateMerchant" => json!({"name": "Tea"}),
            "createAccount" => account(&format!("u{n}")),
            "createOffer" | "previewOffer" => offer(&self.merchant, &format!("Thing{n}a")),
            "replySent" => json!({"post_id": "r1"}),
            "replyFailed" => json!({"reason": "no", "retry": true}),
            "createLinkSession" => json!({"network": "x", "handle": "bob"}),
            "createToken" => json!({"role": "processor"}),
            "takeCardTransaction" => json!({
                "id": format!("t{n}"), "type": "purchase", "account": self.account, "merchant": self.merchant,
                "amount": {"amount": 5, "currency": "USD"}, "occurred_at": "2013-02-12T14:00:00Z",
            }),
            "createWebhookEndpoint" => json!({"merchant": self.merchant, "url": "https://shop.example/"}),
            "resendWebhooks" => json!({"since": "2013-02-12T14:00:00Z"}),
            "advanceClock" => json!({"advance_seconds": 1}),
            _ => Value::Null,
        };
        (path, body)
    }

    /// A webhook endpoint of the merchant: the one before it is removed.
    fn endpoint(&self) -> String {
        let all = self.till.get("/v1/webhook-endpoints?limit=200").expect(200);
        for one in all["data"].as_array().unwrap() {
            let path = format!("/v1/webhook-endpoints/{}", one["id"].as_str().unwrap());
            self.till.call(ADMIN, "DELETE", &path, &Value::Null).expect(200);
        }
        let body = json!({"merchant": self.merchant, "url": "https://shop.example/"});
        self.till.post("/v1/webhook-endpoints", &body).expect(201)["id"].as_str().unwrap().to_owned()
    }

    fn call(&self, route: &Route, token: &str) -> Answer {
        let (path, body) = self.request(route);
        self.till.call(token, route.method.as_str(), &path, &body)
    }

    /// What another merchant may be told: nothing of this one's, not even an id. And of this one's own buyers no
    /// merchant is told more than where to ship to.
    fn is_told_no_more(&self, role: &str, answer: &Answer) -> bool {
        let text = answer.text();
        match role {
            "other merchant" if answer.status < 300 => {
                let theirs = [&self.merchant, &self.offer, &self.order, &self.purchase, &self.account];
                !theirs.iter().any(|id| text.contains(id.as_str())) && !text.contains("Main St")
            }
            "own merchant" => {
                let private = ["acc_", "rep_", "tok_", "@example.com", "\"handle\"", "\"user_id\""];
                !private.iter().any(|word| text.contains(word))
            }
            _ => true,
        }
    }
}

/// What a role must get from a route: a status, or `None` for whatever the call itself says.
fn wanted(route: &Route, role: &str) -> Option<u16> {
    let kinds = match route.access {
        Access::Open => return None,
        Access::Signed => return Some(404),
        Access::Roles(kinds) => kinds,
    };
    let kind = match role {
        "admin" => return None,
        "bad token" | "no token" => return Some(401),
        "own network" | "other network" => Kind::Network,
        "own merchant" | "other merchant" => Kind::Merchant,
        _ => Kind::Processor,
    };
    if !kinds.contains(&kind) {
        return Some(403);
    }
    if route.id == "getMe" {
        return None;
    }
    let lists =
        ["listOffers", "listOrders", "exportOrders", "listEvents", "getOverview", "listWebhookEndpoints"]
            .contains(&route.id);
    match role {
        "other network" if route.path.starts_with("/v1/replies/") => Some(404),
        "other network" => Some(403),
        "other merchant" if !lists => Some(404),
        _ => None,
    }
}

#[test]
fn every_call_with_every_role() {
    let world = world();
    let mut count = 0;
    for route in tagtill::http::routes() {
        for (role, token) in &world.tokens {
            let answer = world.call(route, token);
            let context =
                format!("{} {} as {role}: {} {}", route.method, route.path, answer.status, answer.text());
            assert!(answer.headers["x-request-id"].starts_with("req_"), "{context}");
            match wanted(route, role) {
                Some(status) => {
                    assert_eq!(answer.status, status, "{context}");
                    assert_eq!(answer.headers["content-type"], "application/problem+json", "{context}");
                    assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{context}");
                }
                None => {
                    assert!(!matches!(answer.status, 400 | 401 | 403 | 405 | 415 | 422 | 500..), "{context}");
                }
            }
            if !matches!(route.access, Access::Open) {
                assert!(world.is_told_no_more(role, &answer), "{context}");
            }
            count += 1;
        }
    }
    assert!(count >= 8 * 35, "{count}");
}

#[test]
fn the_table_says_who_may_what() {
    let mut found: Vec<_> = tagtill::http::routes()
        .filter_map(|route| match route.access {
            Access::Roles([]) => None,
            Access::Roles(kinds) => Some(format!("{} {} {kinds:?}", route.method, route.path)),
            Access::Open => Some(format!("{} {} open", route.method, route.path)),
            Access::Signed => Some(format!("{} {} signed", route.method, route.path)),
        })
        .collect();
    found.sort();
    let wanted = "DELETE /v1/networks/{slug}/opt-outs/{user_id} [Network]\n\
DELETE /v1/posts/{network}/{id} [Network]\n\
DELETE /v1/webhook-endpoints/{id} [Merchant]\n\
GET /healthz open\n\
GET /metrics open\n\
GET /readyz open\n\
GET /v1/events [Merchant]\n\
GET /v1/me [Network, Merchant, Processor]\n\
GET /v1/networks/{slug} [Network]\n\
GET /v1/networks/{slug}/bridge [Network]\n\
GET /v1/networks/{slug}/cursors [Network]\n\
GET /v1/networks/{slug}/cursors/{stream} [Network]\n\
GET /v1/networks/{slug}/held [Network]\n\
GET /v1/networks/{slug}/opt-outs [Network]\n\
GET /v1/offers [Merchant]\n\
GET /v1/offers/{id} [Merchant]\n\
GET /v1/offers/{id}/versions/{version} [Merchant]\n\
GET /v1/offers/{id}/waiting [Merchant]\n\
GET /v1/openapi.json open\n\
GET /v1/orders [Merchant]\n\
GET /v1/orders.csv [Merchant]\n\
GET /v1/orders/{id} [Merchant]\n\
GET /v1/orders/{id}/packing-slip [Merchant]\n\
GET /v1/overview [Merchant]\n\
GET /v1/replies [Network]\n\
GET /v1/reports/settlement [Merchant]\n\
GET /v1/webhook-endpoints [Merchant]\n\
GET /v1/webhook-endpoints/{id} [Merchant]\n\
GET /v1/webhook-endpoints/{id}/deliveries [Merchant]\n\
PATCH /v1/offers/{id} [Merchant]\n\
PATCH /v1/webhook-endpoints/{id} [Merchant]\n\
POST /v1/card-transactions [Processor]\n\
POST /v1/gateway-events/{gateway} signed\n\
POST /v1/link-sessions [Network]\n\
POST /v1/offers [Merchant]\n\
POST /v1/offers/preview [Merchant]\n\
POST /v1/orders/{id}/cancel [Merchant]\n\
POST /v1/orders/{id}/deliver [Merchant]\n\
POST /v1/orders/{id}/ship [Merchant]\n\
POST /v1/posts [Network]\n\
POST /v1/replies/{id}/failed [Network]\n\
POST /v1/replies/{id}/sent [Network]\n\
POST /v1/webhook-endpoints [Merchant]\n\
POST /v1/webhook-endpoints/{id}/resend [Merchant]\n\
POST /v1/webhook-endpoints/{id}/rotate [Merchant]\n\
POST /v1/webhook-endpoints/{id}/test [Merchant]\n\
PUT /v1/networks/{slug}/bridge [Network]\n\
PUT /v1/networks/{slug}/cursors/{stream} [Network]\n\
PUT /v1/networks/{slug}/opt-outs/{user_id} [Network]";
    assert_eq!(found.join("\n"), wanted);
}

#[test]
fn merchants_see_their_own_only() {
    let World { till, tokens, offer, .. } = world();
    let token = |wanted: &str| &tokens.iter().find(|(role, _)| *role == wanted).unwrap().1;
    let (own, other) = (token("own merchant"), token("other merchant"));
    let list =
        |token: &str, path: &str| till.call(token, "GET", path, &Value::Null).expect(200)["data"].clone();
    assert_eq!(list(own, "/v1/offers")[0]["id"], offer);
    assert_eq!(list(other, "/v1/offers"), json!([]));
    assert_eq!(list(other, "/v1/events"), json!([]));
    let events = list(own, "/v1/events");
    assert_eq!(events[0]["type"], "offer.created");
    assert_eq!(events[1]["type"], "purchase.pending");
    assert!(!events.to_string().contains("acc_") && !events.to_string().contains("rep_"), "{events}");
    // A merchant may leave itself out.
    let mut mine = super::till::offer("x", "Cup");
    mine.as_object_mut().unwrap().remove("merchant");
    assert_eq!(till.call(own, "POST", "/v1/offers", &mine).status, 201);
    till.post("/v1/offers", &mine).problem(400, "invalid_request", "merchant");
}

#[test]
fn revoked_tokens_open_nothing() {
    let till = till();
    let made = till.post("/v1/tokens", &json!({"role": "admin"})).expect(201);
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(token.starts_with("tt_") && token.len() == 46, "{token}");
    assert_eq!(till.call(token, "GET", "/v1/tokens", &Value::Null).status, 200);
    till.call(ADMIN, "DELETE", &format!("/v1/tokens/{id}"), &Value::Null).expect(200);
    till.call(token, "GET", "/v1/tokens", &Value::Null).problem(401, "unauthorized", "");
    assert!(!till.get("/v1/tokens").text().contains(token));
}

#[test]
fn whoever_is_forwarded_is_remote() {
    let bearer = format!("Bearer {ADMIN}");
    for (trusted, headers, status) in [
        (false, vec![], 200),
        (false, vec![("X-Forwarded-For", "127.0.0.1")], 401),
        (false, vec![("Forwarded", "for=127.0.0.1")], 401),
        (false, vec![("X-Forwarded-For", "9.9.9.9"), ("Authorization", bearer.as_str())], 200),
        (true, vec![("X-Forwarded-For", "127.0.0.1")], 200),
        (true, vec![("X-Forwarded-For", "127.0.0.1, 9.9.9.9")], 401),
        (true, vec![("Forwarded", "for=\"[::1]:1234\";proto=https")], 200),
        (true, vec![("Forwarded", "for=\"[::1]\";proto=https")], 200),
        (true, vec![("Forwarded", "for=127.0.0.1"), ("X-Forwarded-For", "9.9.9.9")], 401),
        (true, vec![("Forwarded", "proto=https")], 401),
    ] {
        let till = till_with(true, if trusted { &["--trusted-proxy", "127.0.0.1"] } else { &[] });
        for path in ["/healthz", "/readyz", "/metrics", "/v1/openapi.json"] {
            assert_eq!(till.send("GET", path, &headers, b"").status, status, "{trusted} {headers:?} {path}");
        }
    }
}
