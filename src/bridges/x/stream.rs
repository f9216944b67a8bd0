//! The filtered stream: one connection, kept as X's documents ask for.

use super::api::FIELDS;
use super::oauth::query;
use super::rules::{self, NoStream};
use super::wire::{Heard, Wire};
use super::{STREAM, X};
use crate::bridges::{Desk, Kind, Trouble, now};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// After so long an app without the right to a stream tries again: rights are bought.
const NOT_PERMITTED_WAIT: Duration = Duration::from_secs(6 * 3600);

/// How long is waited before connecting again, by what went wrong: linearly for connections, doubled for answers.
#[derive(Debug, Default)]
struct Waits {
    failures: u32,
}

impl Waits {
    fn next(&mut self, trouble: &Trouble) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        let doubled = |first: u64, most: u64| (first << failures.min(16)).min(most);
        let wait = match trouble.kind {
            Kind::Unreachable => {
                Duration::from_millis(u64::from(failures) * 250).min(Duration::from_secs(16))
            }
            Kind::RateLimited => Duration::from_secs(doubled(60, 900)),
            _ => Duration::from_secs(doubled(5, 320)),
        };
        wait.max(trouble.wait.unwrap_or_default().min(Duration::from_secs(3600)))
    }
}

/// Listens until there is trouble that others have to know of.
pub fn read(x: &X, desk: &Desk) -> Result<(), Trouble> {
    let mut waits = Waits::default();
    let mut told = false;
    loop {
        let ended = listen(x, desk, &mut waits);
        x.set_streaming(false);
        match ended {
            NoStream::NotPermitted(why) => {
                if !told {
                    log::warn!(
                        "x: this app may not have the stream, so mentions are asked for instead: {why}"
                    );
                }
                told = true;
                let until = Instant::now() + NOT_PERMITTED_WAIT;
                while Instant::now() < until {
                    desk.read_to(STREAM, now());
                    desk.nap(Duration::from_secs(5))?;
                }
            }
            NoStream::Trouble(trouble) => {
                if matches!(
                    trouble.kind,
                    Kind::Stopped | Kind::Another | Kind::Till | Kind::Budget | Kind::Credentials
                ) {
                    return Err(trouble);
                }
                let wait = waits.next(&trouble);
                desk.counts.error(trouble.kind);
                log::warn!("x, {STREAM}: {trouble}; again in {:.2} s", wait.as_secs_f32());
                desk.nap(wait)?;
            }
        }
    }
}

/// Connects and hands in what comes, until it ends.
fn listen(x: &X, desk: &Desk, waits: &mut Waits) -> NoStream {
    match listening(x, desk, waits) {
        Err(end) => end,
        Ok(()) => Trouble::stopped().into(),
    }
}

fn listening(x: &X, desk: &Desk, waits: &mut Waits) -> Result<(), NoStream> {
    x.api.budget.may_read()?;
    let rules = rules::set(x)?;
    let url = format!("{}/2/tweets/search/stream?{}", x.api.base, query(FIELDS));
    let mut wire = Wire::open(&url, &x.api.bearer)?;
    x.set_streaming(true);
    while !desk.stopping() {
        let heard = wire.next()?;
        if heard != Heard::Nothing {
            waits.failures = 0;
            desk.read_to(STREAM, now());
        }
        if let Heard::Line(line) = heard {
            take(x, desk, &rules, &line)?;
            x.api.budget.may_read()?;
        }
    }
    Ok(())
}

/// Takes one line of the stream.
fn take(x: &X, desk: &Desk, rules: &BTreeSet<String>, line: &[u8]) -> Result<(), Trouble> {
    let said: Value = serde_json::from_slice(line)
        .map_err(|error| Trouble::protocol(format!("the stream holds a line that is no JSON: {error}")))?;
    let Some(data) = said.get("data") else {
        let title = said.pointer("/errors/0/title").or_else(|| said.get("title")).and_then(Value::as_str);
        let why = format!("X ended the stream: {}", title.unwrap_or("it does not say why"));
        let kind = if said.get("connection_issue").is_some() { Kind::RateLimited } else { Kind::Unreachable };
        return Err(Trouble::new(kind, why));
    };
    x.api.count(&said);
    let matching = said.get("matching_rules").and_then(Value::as_array).into_iter().flatten();
    let mut matching = matching.filter_map(|rule| rule.get("id").and_then(Value::as_str));
    if !matching.any(|id| rules.contains(id)) {
        return Ok(());
    }
    let includes = said.get("includes").unwrap_or(&Value::Null);
    x.deliver(desk, x.tweet(data, includes).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(kind: Kind, asked: Option<u64>) -> Vec<u64> {
        let mut waits = Waits::default();
        let trouble = Trouble { wait: asked.map(Duration::from_secs), ..Trouble::new(kind, "") };
        (0..8).map(|_| u64::try_from(waits.next(&trouble).as_millis()).unwrap()).collect()
    }

    #[test]
    fn waits_are_those_of_the_documents() {
        assert_eq!(waits(Kind::Unreachable, None), [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
        let server = [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000];
        assert_eq!(waits(Kind::Server, None), server);
        assert_eq!(waits(Kind::RateLimited, None)[..5], [60_000, 120_000, 240_000, 480_000, 900_000]);
        assert_eq!(waits(Kind::RateLimited, Some(100))[..2], [100_000, 120_000]);
        let mut long = Waits { failures: 1000 };
        assert_eq!(long.next(&Trouble::new(Kind::Unreachable, "")), Duration::from_secs(16));
    }
}
