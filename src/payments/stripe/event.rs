//! Stripe's events: whether one is Stripe's (its signature over the raw bytes), and which intent it is about. Nothing
//! else in it is believed.

use super::super::{NotTaken, Notice};
use super::is_plain;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// A signature may be so old, or so far ahead: what Stripe's own libraries allow.
const TOLERANCE_SECONDS: i64 = 300;

#[derive(Deserialize)]
struct Event {
    id: String,
    livemode: bool,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

/// A payment intent, or something that names one.
#[derive(Deserialize)]
struct Object {
    id: Option<String>,
    #[serde(rename = "object")]
    kind: String,
    payment_intent: Option<serde_json::Value>,
}

/// Reads an event; `None` where it is about nothing of ours.
pub fn read(
    secret: &str,
    live: bool,
    signature: Option<&str>,
    body: &[u8],
    now_seconds: i64,
) -> Result<Option<Notice>, NotTaken> {
    let signature = signature.ok_or(NotTaken::Unproven("The header Stripe-Signature is missing."))?;
    verify(secret, signature, body, now_seconds)?;
    let event: Event =
        serde_json::from_slice(body).map_err(|_| NotTaken::Unproven("The body is no event of Stripe."))?;
    if event.livemode != live {
        return Ok(None);
    }
    let object = event.data.object;
    let about = match object.kind.as_str() {
        "payment_intent" => object.id,
        _ => object.payment_intent.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned),
    };
    let named = about.filter(|id| id.starts_with("pi_") && is_plain(id));
    Ok(named.filter(|_| is_plain(&event.id)).map(|about| Notice { event: event.id, about }))
}

/// `t=<seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 over the time, a point and the body.
fn verify(secret: &str, signature: &str, body: &[u8], now_seconds: i64) -> Result<(), NotTaken> {
    let refuse = NotTaken::Unproven;
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let seconds: Option<i64> = time.and_then(|time| time.parse().ok());
    let (Some(time), Some(seconds)) = (time, seconds) else {
        return Err(refuse("The header Stripe-Signature holds no time."));
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| refuse("The signing secret cannot be used."))?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let wanted = hex(&mac.finalize().into_bytes());
    let mut same = Choice::from(0);
    for (_, given) in parts().filter(|(name, _)| *name == "v1") {
        same |= given.as_bytes().ct_eq(wanted.as_bytes());
    }
    if !bool::from(same) {
        return Err(refuse("No signature fits: check the signing secret."));
    }
    if now_seconds.saturating_sub(seconds).saturating_abs() > TOLERANCE_SECONDS {
        return Err(refuse("The signature is more than 300 seconds from now: check this machine's clock."));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_test_secret_of_this_file";
    const NOW: i64 = 1_700_000_000;

    fn signed(secret: &str, seconds: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.{body}").as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    fn event(kind: &str, object: &str) -> String {
        format!(r#"{{"id":"evt_1","livemode":false,"type":"{kind}","data":{{"object":{object}}}}}"#)
    }

    #[test]
    fn what_is_signed_is_read() {
        let charge = event("charge.refunded", r#"{"id":"ch_1","object":"charge","payment_intent":"pi_1"}"#);
        let intent = event("payment_intent.succeeded", r#"{"id":"pi_1","object":"payment_intent"}"#);
        let notice = Some(Notice { event: "evt_1".to_owned(), about: "pi_1".to_owned() });
        for body in [&charge, &intent] {
            let (old, new) = (signed("whsec_the_one_before_it", NOW, body), signed(SECRET, NOW, body));
            let header = format!("t={NOW},v0=00,v1={old},v1={new}");
            assert_eq!(read(SECRET, false, Some(&header), body.as_bytes(), NOW), Ok(notice.clone()));
            assert_eq!(read(SECRET, true, Some(&header), body.as_bytes(), NOW), Ok(None), "another mode");
        }
        for other in [
            event("payout.paid", r#"{"id":"po_1","object":"payout"}"#),
            event("charge.failed", r#"{"id":"ch_1","object":"charge","payment_intent":"pi_1/../x"}"#),
        ] {
            let header = format!("t={NOW},v1={}", signed(SECRET, NOW, &other));
            assert_eq!(read(SECRET, false, Some(&header), other.as_bytes(), NOW), Ok(None), "{other}");
        }
    }

    #[test]
    fn what_is_not_signed_is_not() {
        let body = event("payment_intent.succeeded", r#"{"id":"pi_1","object":"payment_intent"}"#);
        let good = signed(SECRET, NOW, &body);
        let at = |seconds: i64| format!("t={seconds},v1={}", signed(SECRET, seconds, &body));
        for (header, now) in [
            (None, NOW),
            (Some(String::new()), NOW),
            (Some(format!("v1={good}")), NOW),
            (Some(format!("t={NOW}")), NOW),
            (Some(format!("t={},v1={good}", NOW + 1)), NOW),
            (Some(format!("t={NOW},v1={}", signed("whsec_of_somebody_else", NOW, &body))), NOW),
            (Some(format!("t={NOW},v1={}", &good[..63])), NOW),
            (Some(at(NOW)), NOW + 301),
            (Some(at(NOW)), NOW - 301),
            (Some(format!("t={},v1={good}", i64::MIN)), NOW),
        ] {
            let read = read(SECRET, false, header.as_deref(), body.as_bytes(), now);
            assert!(matches!(read, Err(NotTaken::Unproven(_))), "{header:?} {read:?}");
        }
        assert!(read(SECRET, false, Some(&at(NOW)), body.as_bytes(), NOW + 300).is_ok());
        let longer = format!("{body} ");
        assert!(read(SECRET, false, Some(&at(NOW)), longer.as_bytes(), NOW).is_err());
    }
}
