//! `tagtill explain`: why a post was judged as it was, and what followed.

use super::target::{Place, Target};
use super::{Failure, Outcome, failure, say};
use crate::http::explain_post;
use crate::till::time::Time;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Say why a post was judged as it was, by how much, and what followed, in time order.
///
/// Knows every post that the till acted on or that mentions the shop. Asks the till that runs, or reads the data file
/// where none does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The network, as in x or mastodon
    network: String,
    /// The network's id of the post
    id: String,
    /// Print what the API answers, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args) -> Outcome {
    let found = match args.target.find_to_read()? {
        Place::File(store) => {
            let snapshot = store.snapshot().map_err(failure)?;
            explain_post(&snapshot, &args.network, &args.id).map_err(failure)?.ok_or_else(|| {
                Failure::from(format!(
                    "No post {} on {} is remembered. Posts that match no offer and do not mention the shop leave no trace.",
                    args.id, args.network
                ))
            })?
        }
        Place::Running(client) => {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            client
                .get(&format!("/v1/posts/{}/{}", encode(&args.network), encode(&args.id)))
                .map_err(failure)?
        }
    };
    if args.json {
        return say(format_args!("{found:#}"));
    }
    say(format_args!("{}", words(&found)))
}

/// An explanation as people read it.
fn words(found: &Value) -> String {
    let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut lines = vec![format!("{} · {}", text("verdict"), text("why"))];
    for moment in found.get("history").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| moment.get(name).and_then(Value::as_str).unwrap_or_default();
        // A time that cannot be read is printed as it came.
        let at = Time::parse(part("at")).map_or_else(|_| part("at").to_owned(), |at| at.to_string());
        lines.push(format!("{at}  {}", part("what")));
    }
    for (name, pointer) in [("offer", "/offer"), ("purchase", "/purchase/id"), ("order", "/order/id")] {
        if let Some(id) = found.pointer(pointer).and_then(Value::as_str) {
            lines.push(format!("{name:<9} {id}"));
        }
    }
    lines.join("\n")
}
