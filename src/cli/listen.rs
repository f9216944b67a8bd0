//! `tagtill listen`: a running till's events as they happen, on the screen and, signed, to a receiver under development.

use super::target::Target;
use super::{Failure, Outcome, failure, say, serve};
use crate::client::Client;
use crate::till::endpoint::{unknown_event, wants};
use crate::webhooks::{Parcel, Sender, new_secret, sign};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long one question for news waits.
const WAIT_SECONDS: u32 = 25;
/// The pause before a till that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// Print a till's events as they happen, and forward them to a receiver under development.
///
/// With --forward-to each is sent there as a webhook is, signed with a secret that is printed at the start. Forwarded
/// once: what came of it stands behind the event. Needs no webhook endpoint, and no address that others can reach.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to send each event, as in `http://127.0.0.1:3000/hooks`
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Only these types, as order.created or order.*
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    events: Vec<String>,
    /// File with the secret to sign with (whsec_…); a new one otherwise
    #[arg(long, value_name = "FILE", requires = "forward_to")]
    secret_file: Option<PathBuf>,
    /// Begin after this event; from now on unless given
    #[arg(long, value_name = "EVENT", default_value = "latest")]
    after: String,
    /// End after so many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    target: Target,
}

/// Where events go besides the screen.
struct Forward {
    url: String,
    secret: String,
    sender: Sender,
}

pub fn run(args: &Args) -> Outcome {
    if let Some((_, why)) = unknown_event(&args.events) {
        return Err(Failure { sentence: format!("--events {why}"), code: 2 });
    }
    let Some(mut client) = args.target.running()? else {
        return Err(Failure::from(
            "No till runs this data file. Start one with `tagtill serve`, or name one with --url.",
        ));
    };
    let forward = args.forward_to.as_ref().map(|url| forward(url, args)).transpose()?;
    if let Some(forward) = &forward {
        say(format_args!("secret: {}", forward.secret))?;
    }
    // Where to begin is settled before it says that it listens: nothing that happens from then on is missed.
    let (mut after, mut left) = (begin(&client, &args.after)?, args.count);
    say("Listening; Ctrl-C ends it.")?;
    loop {
        let page = match news(&client, &after) {
            Ok(page) => page,
            // What a question is refused for stays so; what is not there may come back.
            Err(error) if error.status.is_some_and(|status| status < 500) => return Err(failure(error)),
            Err(error) => {
                eprintln!("tagtill: {error}; asking again");
                std::thread::sleep(PAUSE);
                // It may be back at another address.
                client = args.target.running()?.unwrap_or(client);
                continue;
            }
        };
        for event in page.get("data").and_then(Value::as_array).into_iter().flatten() {
            if let Some(id) = event.get("id").and_then(Value::as_str) {
                id.clone_into(&mut after);
            }
            if !wanted(event, &args.events) {
                continue;
            }
            show(event, forward.as_ref())?;
            left = left.map(|left| left.saturating_sub(1));
            if left == Some(0) {
                return Ok(());
            }
        }
        if let Some(cursor) = page.get("next_cursor").and_then(Value::as_str) {
            cursor.clone_into(&mut after);
        }
    }
}

fn forward(url: &str, args: &Args) -> Result<Forward, Failure> {
    let secret = match &args.secret_file {
        Some(file) => serve::read_secret(file)?,
        None => new_secret().map_err(failure)?,
    };
    if sign(&[&secret], "evt", 0, b"").is_empty() {
        return Err(Failure::from("The secret must be whsec_ and base64, as an endpoint's is."));
    }
    Ok(Forward { url: url.to_owned(), secret, sender: Sender::new(true) })
}

/// After which event to begin.
fn begin(client: &Client, after: &str) -> Result<String, Failure> {
    if after != "latest" {
        return Ok(after.to_owned());
    }
    let page = client.get("/v1/events?after=latest").map_err(failure)?;
    Ok(page.get("next_cursor").and_then(Value::as_str).unwrap_or(after).to_owned())
}

fn news(client: &Client, after: &str) -> Result<Value, crate::client::ClientError> {
    let after = utf8_percent_encode(after, NON_ALPHANUMERIC);
    client.get(&format!("/v1/events?expand=object&wait_seconds={WAIT_SECONDS}&after={after}"))
}

fn wanted(event: &Value, types: &[String]) -> bool {
    let code = event.get("type").and_then(Value::as_str).unwrap_or_default();
    wants(types, code)
}

/// One line an event; what came of forwarding it in the same line.
fn show(event: &Value, forward: Option<&Forward>) -> Outcome {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let ids = event.get("data").and_then(Value::as_object).into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(|(_, id)| id.as_str()).collect();
    let line = format!("{}  {:<24} {}  {}", text("created_at"), text("type"), text("id"), ids.join(" "));
    let Some(forward) = forward else { return say(line) };
    let body = event.to_string().into_bytes();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let timestamp = i64::try_from(since).unwrap_or(i64::MAX);
    let signature = sign(&[&forward.secret], text("id"), timestamp, &body);
    let parcel = Parcel { url: &forward.url, id: text("id"), timestamp, signature: &signature, body: &body };
    let came = forward.sender.send(&parcel);
    let answer = came.status.map_or_else(|why| why, |status| status.to_string());
    say(format_args!("{line}  -> {answer} in {} ms", came.duration.as_millis()))
}
