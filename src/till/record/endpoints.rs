//! Webhook endpoints: where merchants want their events, how far each has come, and what came of each delivery.

use crate::till::id::{EndpointId, MerchantId};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an endpoint is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// It is.
    Enabled,
    /// It is not, until somebody enables it; then it goes on where it stopped.
    Disabled,
}

/// An address that events are sent to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRecord {
    /// Whose; `None`: the operator's, who sees everything.
    pub merchant: Option<MerchantId>,
    /// Where.
    pub url: String,
    /// Which types, as `order.created` or `order.*`; empty: all.
    pub events: Vec<String>,
    /// What deliveries are signed with, `whsec_…`. Kept, because signing needs it.
    pub secret: String,
    /// The secret before it, and until when deliveries are signed with that one, too.
    pub old_secret: Option<(String, Time)>,
    /// Whether it is sent anything.
    pub status: EndpointStatus,
    /// Why it was disabled, where the till did that.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// The sequence of the last event that was delivered, or that was none of its own.
    pub cursor: u64,
    /// How often the next one has failed.
    pub failures: u32,
    /// Not before this time.
    pub due_at: Time,
}

impl std::fmt::Debug for EndpointRecord {
    /// Without its secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointRecord")
            .field("merchant", &self.merchant)
            .field("status", &self.status)
            .field("cursor", &self.cursor)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// One try to deliver an event: ids and figures, nothing of what was in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Where to.
    pub endpoint: EndpointId,
    /// The event's sequence; 0: a test.
    pub event: u64,
    /// From 1; a resend counts anew.
    pub attempt: u32,
    /// When its answer was there, or when there was none.
    pub at: Time,
    /// How long that took.
    pub duration_ms: u32,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// Whether somebody asked for it.
    pub resent: bool,
}

impl DeliveryRecord {
    /// Whether it arrived.
    pub fn arrived(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}
