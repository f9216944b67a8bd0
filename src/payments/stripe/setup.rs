//! Storing a card on a page of Stripe's: Checkout in setup mode, for a customer made for it.
//!
//! What comes back in a browser is never believed: how it stands is asked, and the session has to be the one that was
//! begun under that key.

use super::super::{Setup, SetupBegun, SetupStanding};
use super::client::Failure;
use super::{KEY_FIELD, Stripe, is_plain};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Deserialize)]
struct Customer {
    id: String,
}

/// A Checkout session that has just been begun.
#[derive(Debug, Deserialize)]
struct Begun {
    id: String,
    url: Option<String>,
}

/// A Checkout session with what came of it.
#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    mode: String,
    livemode: bool,
    status: Option<String>,
    client_reference_id: Option<String>,
    customer: Option<String>,
    setup_intent: Option<SetupIntent>,
}

#[derive(Debug, Deserialize)]
struct SetupIntent {
    status: String,
    payment_method: Option<String>,
}

impl Stripe {
    pub(super) fn begin_checkout(&self, setup: &Setup) -> SetupBegun {
        match self.try_begin(setup) {
            Ok(Begun { id, url: Some(url) }) => SetupBegun::At { reference: id, url },
            Ok(Begun { id, url: None }) => {
                log::warn!("{}: {id} has no page", setup.key);
                SetupBegun::Unknown
            }
            Err(failure) => {
                log::warn!("{}: {failure}", setup.key);
                SetupBegun::Unknown
            }
        }
    }

    /// Each step has a key of its own, so that both are made once.
    fn try_begin(&self, setup: &Setup) -> Result<Begun, Failure> {
        let metadata = format!("metadata[{KEY_FIELD}]");
        let own = (metadata.as_str(), setup.key.clone());
        let form = [own.clone()];
        let customer: Customer = self.begin("/v1/customers", &form, &format!("{}-customer", setup.key))?;
        let form = [
            ("mode", "setup".to_owned()),
            ("customer", customer.id),
            ("client_reference_id", setup.key.clone()),
            ("payment_method_types[]", "card".to_owned()),
            ("success_url", setup.return_url.clone()),
            ("cancel_url", setup.cancel_url.clone()),
            own,
        ];
        self.begin("/v1/checkout/sessions", &form, &format!("{}-session", setup.key))
    }

    /// Begins something under its key. An error that is saved under it would be said for a day, and one that is begun
    /// twice costs nobody anything: then another key is taken.
    fn begin<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, String)],
        key: &str,
    ) -> Result<T, Failure> {
        match self.ask(|client| client.post(path, form, Some(key))) {
            Err(Failure::Replayed(_)) => {
                let other = format!("{key}-again");
                self.ask(|client| client.post(path, form, Some(&other)))
            }
            other => other,
        }
    }

    pub(super) fn checkout(&self, reference: &str, key: &str) -> SetupStanding {
        if !reference.starts_with("cs_") || !is_plain(reference) {
            return SetupStanding::Ended;
        }
        let path = format!("/v1/checkout/sessions/{reference}?expand[]=setup_intent");
        let session = match self.ask(|client| client.get::<Session>(&path)) {
            Ok(session) => session,
            Err(Failure::NotFound) => return SetupStanding::Ended,
            Err(failure) => {
                log::warn!("{key}: {failure}");
                return SetupStanding::Unknown;
            }
        };
        let ours = session.id == reference
            && session.client_reference_id.as_deref() == Some(key)
            && session.mode == "setup"
            && session.livemode == self.live;
        if !ours {
            log::error!("{key}: what Stripe has under {reference} was not begun here");
            return SetupStanding::Ended;
        }
        match session.status.as_deref() {
            Some("open") => SetupStanding::Open,
            Some("expired") => SetupStanding::Ended,
            Some("complete") => self.stored(&session, key),
            _ => SetupStanding::Unknown,
        }
    }

    /// The card that a session has stored, looked up as any other: it has to belong to the session's customer.
    fn stored(&self, session: &Session, key: &str) -> SetupStanding {
        let done = session.setup_intent.as_ref().filter(|intent| intent.status == "succeeded");
        let Some(token) = done.and_then(|intent| intent.payment_method.as_ref()) else {
            return SetupStanding::Unknown;
        };
        match self.method(token) {
            Ok(Ok(method)) if Some(&method.customer) == session.customer.as_ref() => {
                SetupStanding::Stored(method)
            }
            Ok(_) => {
                log::error!("{key}: the card that {} has stored is not its customer's", session.id);
                SetupStanding::Ended
            }
            Err(failure) => {
                log::warn!("{key}: {failure}");
                SetupStanding::Unknown
            }
        }
    }
}
