//! `tagtill trigger`: makes an event happen in a running sandbox, by doing what leads to it.

use super::target::Target;
use super::{Failure, Outcome, failure, say};
use crate::client::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the sandbox gateway may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// From one look at a purchase to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// Make an event happen in a running sandbox, for whoever develops against it.
///
/// It does what leads there through the API: links a buyer with a test card, offers something under a hashtag of its
/// own, posts, confirms. Everything that this brings about is printed, and goes out as webhooks as it does in earnest.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which type, as order.created
    #[arg(value_name = "TYPE", value_parser = clap::builder::PossibleValuesParser::new(TYPES))]
    kind: String,
    /// Whose; a new merchant unless given
    #[arg(long, value_name = "MERCHANT")]
    merchant: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// What can be brought about.
const TYPES: [&str; 16] = [
    "account.created",
    "account.updated",
    "account.erased",
    "offer.created",
    "offer.updated",
    "offer.ended",
    "purchase.pending",
    "purchase.cancelled",
    "purchase.authentication_required",
    "purchase.declined",
    "purchase.paid",
    "purchase.refunded",
    "order.created",
    "order.shipped",
    "order.delivered",
    "order.cancelled",
];

pub fn run(args: &Args) -> Outcome {
    let Some(client) = args.target.running()? else {
        return Err(Failure::from(
            "No till runs this data file. Start one with `tagtill serve --sandbox`, or name one with --url.",
        ));
    };
    Play::begin(&client, args)?.until(&args.kind)
}

/// A little story of its own.
struct Play<'c> {
    client: &'c Client,
    /// In every name, so that plays do not meet.
    name: String,
    merchant: String,
    account: String,
    offer: String,
}

impl<'c> Play<'c> {
    /// A buyer, a merchant and an offer. The buyer comes first: only a sandbox knows the test card.
    fn begin(client: &'c Client, args: &Args) -> Result<Self, Failure> {
        let letters = getrandom::u64().map_err(failure)?;
        let name: String =
            (0..8).map(|n| char::from(b'a' + u8::try_from(letters >> (n * 8) & 15).unwrap_or(0))).collect();
        let card = match args.kind.as_str() {
            "purchase.declined" => "tok_declined",
            "purchase.authentication_required" => "tok_authenticate",
            _ => "tok_visa",
        };
        let account = json!({
            "identities": [{"network": "sandbox", "user_id": name, "handle": name}],
            "billing_address": {
                "name": "Trigger Test", "line1": "1 Main St", "city": "Springfield", "region": "IL",
                "postal_code": "62701", "country": "US"
            },
            "payment_method": {"gateway": "sandbox", "token": card},
        });
        let mut play =
            Self { client, name, merchant: String::new(), account: String::new(), offer: String::new() };
        play.account = play.make("account", "/v1/accounts", &account).map_err(|failure| {
            Failure::from(format!("Only a sandbox takes play money. {}", failure.sentence))
        })?;
        play.merchant = match &args.merchant {
            Some(merchant) => merchant.clone(),
            None => play.make("merchant", "/v1/merchants", &json!({"name": "Trigger & Co"}))?,
        };
        let offer = json!({
            "merchant": play.merchant, "kind": "purchase", "hashtag": format!("#Buy{}", play.name),
            "title": "A thing to try", "price": {"amount": 1500, "currency": "USD"}, "quantity": 10,
        });
        play.offer = play.make("offer", "/v1/offers", &offer)?;
        Ok(play)
    }

    /// Does what leads to an event of this type.
    fn until(&self, kind: &str) -> Outcome {
        match kind {
            "account.created" | "offer.created" => Ok(()),
            "account.updated" => self.patch("accounts", &self.account, &json!({"email": "t@example.com"})),
            "account.erased" => {
                self.client.delete(&format!("/v1/accounts/{}", self.account)).map(drop).map_err(failure)
            }
            "offer.updated" => self.patch("offers", &self.offer, &json!({"title": "Another thing"})),
            "offer.ended" => self.patch("offers", &self.offer, &json!({"status": "ended"})),
            _ => self.sell(kind),
        }
    }

    fn sell(&self, kind: &str) -> Outcome {
        let purchase = self.post("buy", &format!("#Buy{}", self.name))?;
        say(format_args!("purchase  {purchase}"))?;
        match kind {
            "purchase.pending" => return Ok(()),
            "purchase.cancelled" => {
                return self.call(&format!("/v1/purchases/{purchase}/cancel"), &json!({}));
            }
            _ => {}
        }
        self.post("confirm", &format!("#Confirm{}", self.name))?;
        let closed = self.closed(&purchase)?;
        let Some(order) = closed.get("order").and_then(Value::as_str) else {
            let without = ["purchase.declined", "purchase.authentication_required"];
            if without.contains(&kind) {
                return Ok(());
            }
            return Err(Failure::from(format!("{purchase} came to no order, so there is no {kind}.")));
        };
        say(format_args!("order     {order}"))?;
        match kind {
            "order.cancelled" => self.call(&format!("/v1/orders/{order}/cancel"), &json!({})),
            "purchase.refunded" => self.call(&format!("/v1/purchases/{purchase}/refund"), &json!({})),
            "order.shipped" | "order.delivered" => {
                let parcel = json!({"carrier": "DHL", "tracking_number": "JD000001"});
                self.call(&format!("/v1/orders/{order}/ship"), &parcel)?;
                if kind == "order.shipped" {
                    return Ok(());
                }
                self.call(&format!("/v1/orders/{order}/deliver"), &json!({}))
            }
            _ => Ok(()),
        }
    }

    /// A purchase once the gateway has answered.
    fn closed(&self, purchase: &str) -> Result<Value, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self.client.get(&format!("/v1/purchases/{purchase}")).map_err(failure)?;
            let waits = found.get("authenticate_by").is_some_and(Value::is_string);
            if waits || found.get("status").and_then(Value::as_str) != Some("capturing") {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(Failure::from(format!("The gateway has not answered about {purchase} yet.")));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Posts as the buyer; returns the purchase that it is about.
    fn post(&self, what: &str, text: &str) -> Result<String, Failure> {
        let post = json!({
            "network": "sandbox", "id": format!("{what}-{}", self.name),
            "author": {"user_id": self.name, "handle": self.name}, "text": text,
        });
        let judged = self.client.post("/v1/posts", &post).map_err(failure)?;
        let purchase = judged.get("purchase").and_then(Value::as_str);
        purchase.map(str::to_owned).ok_or_else(|| {
            let verdict = judged.get("verdict").and_then(Value::as_str).unwrap_or("nothing");
            Failure::from(format!("{text} was judged {verdict}; the limits of this till may be in the way."))
        })
    }

    fn make(&self, what: &str, path: &str, body: &Value) -> Result<String, Failure> {
        let made = self.client.post(path, body).map_err(failure)?;
        let id = made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        say(format_args!("{what:<9} {id}"))?;
        Ok(id)
    }

    fn patch(&self, what: &str, id: &str, body: &Value) -> Outcome {
        self.client.patch(&format!("/v1/{what}/{id}"), body).map(drop).map_err(failure)
    }

    fn call(&self, path: &str, body: &Value) -> Outcome {
        self.client.post(path, body).map(drop).map_err(failure)
    }
}
