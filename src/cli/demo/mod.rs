//! The story of February 2013, played against a till through its API and told as it happens.
//!
//! `script` holds what people do, `stage` what is there before, `story` plays it and the network's bot, `timeline` and
//! `report` say it in words, `visit` keeps it for the playground. Nothing here reaches into the till but through HTTP.

mod report;
mod run;
mod script;
mod stage;
mod story;
mod style;
mod timeline;
mod visit;

pub use report::print_summary;
pub use run::{Args, run};
pub use style::{Ink, Style, pad, wrap};
pub use timeline::Stock;

use crate::client::Client;
use crate::playground::{Ready, Told};
use script::Script;
use std::collections::BTreeMap;
use std::io::Write;

/// Where the clock of the story's till has to start.
pub const CLOCK_START: &str = "2013-02-12T13:55:00Z";

/// What the story came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Posts sent, one delivered twice counted twice.
    pub posts: u64,
    /// How often each verdict was given.
    pub verdicts: BTreeMap<String, u64>,
    /// How many purchases ended where.
    pub purchases_by_status: BTreeMap<String, u64>,
    /// Orders to ship.
    pub orders: u64,
    /// What is left of each offer, in the order of the script.
    pub stock: Vec<Stock>,
    /// What the playground begins with.
    pub visit: Option<(Ready, Vec<Told>)>,
}

/// Plays the story against a fresh sandbox till whose clock started at [`CLOCK_START`]; `admin` carries an admin token.
///
/// # Errors
/// A sentence: a call that failed, or a verdict that is not the one the story expects.
pub fn play(admin: &Client, out: &mut dyn Write, style: Style) -> Result<Summary, String> {
    let script = Script::load()?;
    let stage = stage::Stage::set(admin, &script)?;
    say(out, &stage::opening(style, &script))?;
    let ((posts, verdicts), told) = story::tell(admin, &stage, &script, out, style)?;
    let found = report::Found::read(admin, &stage)?;
    say(out, &report::tables(style, &found))?;
    Ok(Summary {
        posts,
        verdicts,
        purchases_by_status: found.by_status(),
        orders: found.orders.len() as u64,
        stock: found.stock,
        visit: Some((visit::ready(&stage, &script), told)),
    })
}

/// Prints at once: the story is read while it plays.
fn say(out: &mut dyn Write, text: &str) -> Result<(), String> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("cannot print: {error}"))
}
