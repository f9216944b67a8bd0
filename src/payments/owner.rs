//! The step that is left to a card's owner: where it is done, asked for while the owner is there.

use super::round::charge_of;
use super::{Authentication, Gateways, Standing};
use crate::till::id::PurchaseId;
use crate::till::record::{AttemptState, PurchaseRecord, PurchaseStatus};
use crate::till::time::Time;

/// Asks the gateway of a purchase for the page on which its card's owner allows the charge; `None`: nothing waits for
/// that. It is the attempt that waits, no other, so that there is never a second charge.
pub fn authenticate(
    gateways: &Gateways,
    (id, purchase): (PurchaseId, &PurchaseRecord),
    now: Time,
    return_url: &str,
) -> Option<Authentication> {
    let (attempt, charge) = charge_of(id, purchase)?;
    let waits = attempt.state == AttemptState::Waiting && purchase.status == PurchaseStatus::Capturing;
    let in_time = purchase.authenticate_by.is_some_and(|until| now < until);
    if !waits || !in_time {
        return None;
    }
    let slug = purchase.confirmation.as_ref()?.gateway.as_str();
    let unknown = Authentication::Standing(Standing::Unknown);
    let (Some(gateway), Some(reference)) = (gateways.get(slug), attempt.reference.as_ref()) else {
        return Some(unknown);
    };
    if gateway.rests() {
        return Some(unknown);
    }
    Some(gateway.authenticate(reference, &charge, return_url))
}
