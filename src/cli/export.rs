//! `tagtill export`: everything in the file as JSON lines.

use super::target::{Place, SMALL_CACHE_BYTES, Target};
use super::{Outcome, create, failure, unwritten};
use crate::store::{Snapshot, Store, beside};
use crate::till::id::EventId;
use crate::till::state::{Direction, Read as _, Span, Table};
use crate::till::table::{
    Accounts, Credits, Deals, Disputes, Enrolments, Events, Journal, Merchants, Networks, OfferVersions,
    Offers, Orders, Posts, Purchases, Refunds, Replies, Stocks, Transactions, Waiting,
};
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

/// Write everything as JSON lines to standard output, personal data included.
///
/// Each line names its table, its key and its record; tables come one after the other, in the order in which an empty
/// till would need them. Secrets (tokens) are left out.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args) -> Outcome {
    let out = &mut BufWriter::new(std::io::stdout().lock());
    match args.target.find_to_read()? {
        Place::File(store) => write_all(&store, out),
        Place::Running(client) => {
            let copy = beside(&args.target.data, "exporting");
            let mut file = create(&copy)?;
            let loaded = client.download("/v1/backups", &mut file).map_err(failure);
            let written = loaded.and_then(|_| {
                let store = Store::open_unchanged(&copy, SMALL_CACHE_BYTES).map_err(failure)?;
                write_all(&store, out)
            });
            let _ = std::fs::remove_file(&copy);
            written
        }
    }
}

fn write_all(store: &Store, out: &mut impl Write) -> Outcome {
    let snapshot = store.snapshot().map_err(failure)?;
    let settings = store.settings().map_err(failure)?;
    let epoch = settings.epoch;
    let head = json!({"table": "settings", "record": settings});
    writeln!(out, "{head}").map_err(unwritten)?;
    let written = table::<Networks>(&snapshot, out, |key| key.0.into())
        .and_then(|()| table::<Merchants>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Accounts>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Offers>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Stocks>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| {
            table::<OfferVersions>(&snapshot, out, |(offer, version)| json!([offer.to_string(), version]))
        })
        .and_then(|()| {
            table::<Waiting>(&snapshot, out, |key| json!([key.offer.to_string(), key.variant, key.number]))
        })
        .and_then(|()| table::<Posts>(&snapshot, out, |key| json!([key.network, key.id])))
        .and_then(|()| table::<Purchases>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Refunds>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Orders>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Deals>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Enrolments>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Transactions>(&snapshot, out, |key| key.0.into()))
        .and_then(|()| table::<Credits>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Disputes>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Journal>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| table::<Replies>(&snapshot, out, |key| key.to_string().into()))
        .and_then(|()| {
            table::<Events>(&snapshot, out, |sequence| EventId { epoch, sequence }.to_string().into())
        });
    written?;
    out.flush().map_err(unwritten)
}

fn table<T: Table>(snapshot: &Snapshot, out: &mut impl Write, key_json: impl Fn(T::Key) -> Value) -> Outcome {
    let mut failed = None;
    let scanned = snapshot.scan::<T>(&Span::all(), Direction::Up, |key, record| {
        let line = json!({"table": T::NAME, "key": key_json(key), "record": record});
        match writeln!(out, "{line}") {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    scanned.map_err(failure)?;
    failed.map_or(Ok(()), |error| Err(unwritten(error)))
}
