//! A charge that its card's owner has to allow: the same intent, confirmed with the owner there.

use super::super::{Authentication, Charge, Gateway as _, Standing};
use super::client::Failure;
use super::{Intent, Stripe};

impl Stripe {
    /// Confirms an intent on-session. Stripe answers with its page; where the owner has been there already, or the
    /// intent is over, with how it stands. Without a key: an intent is paid once at most, however often its owner comes.
    pub(super) fn confirm_on_session(
        &self,
        reference: &str,
        charge: &Charge,
        return_url: &str,
    ) -> Authentication {
        let path = format!("/v1/payment_intents/{reference}/confirm");
        let form = [("payment_method", charge.method.clone()), ("return_url", return_url.to_owned())];
        let stands = Authentication::Standing;
        match self.ask(|client| client.post::<Intent>(&path, &form, None)) {
            Ok(intent) => self.page_of(&intent, charge),
            // It was confirmed before, and its owner may not have come to the page yet.
            Err(Failure::State) => {
                match self.ask(|client| client.get::<Intent>(&format!("/v1/payment_intents/{reference}"))) {
                    Ok(intent) => self.page_of(&intent, charge),
                    Err(_) => stands(Standing::Unknown),
                }
            }
            Err(Failure::Card(_)) => stands(self.fetch(reference, charge)),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                stands(Standing::Unknown)
            }
        }
    }

    fn page_of(&self, intent: &Intent, charge: &Charge) -> Authentication {
        let redirect = intent.next_action.as_ref().and_then(|action| action.redirect_to_url.as_ref());
        let url = redirect.and_then(|redirect| redirect.url.as_ref());
        match (self.standing(intent, charge), url) {
            (Standing::NeedsOwner, Some(url)) => Authentication::Page(url.clone()),
            (Standing::NeedsOwner, None) => Authentication::Standing(Standing::Unknown),
            (standing, _) => Authentication::Standing(standing),
        }
    }
}
