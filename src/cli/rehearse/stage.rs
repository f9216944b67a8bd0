//! The till of a rehearsal: a sandbox in this process, on a file of its own that goes with it.

use crate::cli::running::{Options, Running};
use crate::cli::verify::check_store;
use crate::client::Client;
use crate::http::new_secret;
use crate::rehearsal::{Broken, Check, Place, Rehearsal, Sale, Settings, Watch, rehearse};
use crate::store::{Scratch, beside};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// How much of its file the till keeps in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What ids are drawn from, beside the seed: two numbers alike would draw nothing.
const IDS: u64 = 0x7265_6865_6172_7365;

/// Plays a rehearsal on a till of its own, in a folder of its own in `within`.
///
/// # Errors
/// Where somebody wants it to end, or there is no room for it.
pub fn play(sale: &Sale, settings: &Settings, watch: &dyn Watch, within: &Path) -> Result<Rehearsal, Broken> {
    let folder = Scratch::new(within, "tagtill-rehearsal")
        .map_err(|error| format!("cannot make a folder in {}: {error}", within.display()))?;
    let token = new_secret().map_err(|error| error.to_string())?;
    let options = Options {
        data: folder.path().join("rehearsal.redb"),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        sandbox: true,
        clock_start: Some(sale.clock_start),
        clock_stands: true,
        seed: Some([settings.seed, IDS]),
        admin_token: Some(token.clone()),
        cache_bytes: CACHE_BYTES,
        slots: 64,
        playground: "",
        ..Options::default()
    };
    let running = Running::start(&options).map_err(|failure| failure.sentence)?;
    let place =
        Place { admin: Client::new(&running.url, &token), ledger: beside(&options.data, "sandbox-ledger") };
    let played = rehearse(&place, sale, settings, watch).map(|mut rehearsal| {
        let verified = check_store(running.handle().store());
        let about = "faults that `tagtill verify` finds in the till's file";
        rehearsal.check(Check::none("verify", about, u64::from(verified.is_err())));
        rehearsal.notes.extend(verified.err().map(|failure| failure.sentence));
        rehearsal
    });
    running.stop();
    played
}
