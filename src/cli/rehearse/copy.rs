//! What is copied: an offer, its network and the limits, from the till that runs or from a data file.

use super::wrong;
use crate::cli::target::{Place, Target};
use crate::cli::{Failure, failure};
use crate::client::{Client, ClientError};
use crate::engine::wall_ms;
use crate::http::{SaleShown, sale_shown};
use crate::rehearsal::{Copied, Sale, Settings, Wrong};
use crate::till::id::OfferId;
use crate::till::time::Time;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The sale that an offer's copy makes.
pub fn sale(target: &Target, offer: OfferId, settings: &Settings) -> Result<Sale, Failure> {
    let (copied, now) = match target.find_to_read()? {
        Place::Running(client) => of_running(&client, offer, settings)?,
        Place::File(store) => {
            let now =
                Time::from_ms(wall_ms().saturating_add(store.settings().map_err(failure)?.clock_offset_ms));
            let snapshot = store.snapshot().map_err(failure)?;
            let shown = sale_shown(&snapshot, now, offer, &settings.network).map_err(failure)?;
            let shown = shown.map_err(|(field, detail)| wrong(Wrong::new(field, detail)))?;
            (copied(shown), now)
        }
    };
    Sale::of(&copied, settings, now).map_err(wrong)
}

/// As a rehearsal takes it.
pub fn copied(SaleShown { offer, network, limits }: SaleShown) -> Copied {
    Copied { offer, network, limits }
}

fn of_running(client: &Client, offer: OfferId, settings: &Settings) -> Result<(Copied, Time), Failure> {
    let missing = |field: &'static str, detail: &'static str| {
        move |error: ClientError| match error.status {
            Some(404) => wrong(Wrong::new(field, detail)),
            _ => failure(error),
        }
    };
    let network = utf8_percent_encode(&settings.network, NON_ALPHANUMERIC).to_string();
    let copied = Copied {
        offer: client
            .get(&format!("/v1/offers/{offer}"))
            .map_err(missing("offer", "is not an offer of this till"))?,
        network: client
            .get(&format!("/v1/networks/{network}"))
            .map_err(missing("network", "is not a network that this till knows"))?,
        limits: client.get("/v1/limits").map_err(failure)?,
    };
    let me = client.get("/v1/me").map_err(failure)?;
    let now = me.get("now").and_then(Value::as_str).unwrap_or_default();
    Ok((copied, Time::parse(now).map_err(Failure::from)?))
}
