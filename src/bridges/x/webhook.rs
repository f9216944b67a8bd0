//! X's webhooks: a small server that proves that it is ours, takes what is signed, and answers once the till has it.
//!
//! X asks for an answer within ten seconds and repeats nothing by itself: what gets lost is found among the mentions.

use super::api::Api;
use super::events::{self, Event};
use super::{WEBHOOK, X};
use crate::bridges::{Desk, Kind, Trouble, now};
use crate::http::{GateConfig, Handler, Method, Request, Responder, Response, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Deliveries that may wait; beyond them X is told to come again.
const WAITING_MAX: usize = 48;
/// The largest delivery.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The header that proves who sent a delivery.
const SIGNATURE: &str = "x-twitter-webhooks-signature";

/// A delivery, and who waits for an answer to it.
type Delivery = (Value, Responder);

/// What answers X.
struct Hook {
    secret: String,
    sender: SyncSender<Delivery>,
}

/// `sha256=` and the HMAC of `message` with the app's secret, as X writes it.
fn proof(secret: &str, message: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(message);
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether X signed a body.
fn is_signed(secret: &str, body: &[u8], signature: Option<&str>) -> bool {
    let wanted = proof(secret, body);
    signature.is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted.as_bytes())))
}

/// The answer to a challenge, where one is asked.
fn challenge(secret: &str, query: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let (_, token) = parameters.find(|(name, _)| name == "crc_token")?;
    Some(json!({"response_token": proof(secret, token.as_bytes())}).to_string())
}

impl Handler for Hook {
    fn handle(&self, request: Request, mut responder: Responder) {
        let status = match request.method {
            Method::Get => match challenge(&self.secret, &request.query) {
                Some(answer) => return responder.send(Response::new(200, "application/json", answer)),
                None => 400,
            },
            Method::Post if !is_signed(&self.secret, &request.body, request.header(SIGNATURE)) => 401,
            Method::Post => match serde_json::from_slice(&request.body) {
                Err(_) => 400,
                Ok(_) if !responder.park() => 503,
                Ok(sent) => match self.sender.try_send((sent, responder)) {
                    Ok(()) => return,
                    Err(full) => {
                        let (std::sync::mpsc::TrySendError::Full((_, back))
                        | std::sync::mpsc::TrySendError::Disconnected((_, back))) = full;
                        responder = back;
                        503
                    }
                },
            },
            _ => 405,
        };
        responder.send(Response::empty(status));
    }
}

/// Serves X's webhooks until there is trouble.
pub fn read(x: &X, desk: &Desk) -> Result<(), Trouble> {
    let Some(addr) = x.webhook else { return desk.nap(Duration::from_secs(60)) };
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let config = GateConfig {
        addr,
        workers: 2,
        body_max_bytes: BODY_BYTES_MAX,
        shutdown_grace: Duration::from_secs(2),
        ..GateConfig::default()
    };
    let hook = Arc::new(Hook { secret: x.api.keys.api_key_secret.clone(), sender });
    let server = Server::start(config, hook)
        .map_err(|error| Trouble::new(Kind::Unreachable, format!("cannot listen on {addr}: {error}")))?;
    log::info!("x: webhooks are listened for on {}", server.local_addr());
    let ended = serve(x, desk, &receiver);
    for (_, responder) in receiver.try_iter() {
        responder.send(Response::empty(503));
    }
    server.shutdown();
    ended
}

fn serve(x: &X, desk: &Desk, receiver: &Receiver<Delivery>) -> Result<(), Trouble> {
    loop {
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok((sent, responder)) => {
                let taken = take(x, desk, &sent);
                responder.send(Response::empty(if taken.is_ok() { 200 } else { 503 }));
                match taken {
                    Err(trouble) if matches!(trouble.kind, Kind::Stopped | Kind::Another) => {
                        return Err(trouble);
                    }
                    Err(trouble) => {
                        desk.counts.error(trouble.kind);
                        log::warn!("x, {WEBHOOK}: what X sent is not taken: {trouble}");
                    }
                    Ok(()) => {}
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Trouble::protocol("the server has ended")),
        }
        desk.read_to(WEBHOOK, now());
        if desk.stopping() {
            return Err(Trouble::stopped());
        }
    }
}

/// Does what a delivery asks for.
fn take(x: &X, desk: &Desk, sent: &Value) -> Result<(), Trouble> {
    if let Some(includes) = sent.pointer("/data/includes") {
        x.known.learn(includes);
    }
    for event in events::read(sent, &x.us()) {
        match event {
            Event::Posted(tweet) => {
                count(&x.api, &tweet.version);
                x.deliver(desk, vec![tweet])?;
            }
            Event::Deleted(id) => desk.delete(&id)?,
            Event::Blocked(person) => desk.opt_out(&person, true)?,
        }
    }
    Ok(())
}

/// X bills what it sends as a post.
fn count(api: &Api, id: &str) {
    api.budget.read([id].into_iter(), [].into_iter());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_with_the_secret() {
        // Computed with openssl: printf %s challenge_string | openssl dgst -sha256 -hmac consumer_secret -binary | base64
        let answer = challenge("consumer_secret", "nonce=1&crc_token=challenge_string").unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["response_token"], "sha256=v1WdiCVwy17uGTMWveHGlqQXN/qW1bQraNXXByRO2YA=");
        assert_eq!(challenge("consumer_secret", "nonce=1"), None);
    }

    #[test]
    fn only_what_is_signed_with_the_secret_is_signed() {
        let signature = proof("consumer_secret", b"{}");
        assert!(is_signed("consumer_secret", b"{}", Some(&signature)));
        assert!(!is_signed("consumer_secret", b"{} ", Some(&signature)));
        assert!(!is_signed("another", b"{}", Some(&signature)));
        assert!(!is_signed("consumer_secret", b"{}", Some("")));
        assert!(!is_signed("consumer_secret", b"{}", None));
    }
}
