//! `tagtill reconcile`: the books against a provider's own list of what moved.

use super::target::{Place, Target};
use super::{Failure, Outcome, failure, say};
use crate::till::id::EntryId;
use crate::till::money::Currency;
use crate::till::record::{EntryKind, EntryRecord};
use crate::till::state::{Direction, Key as _, Read as _, Span};
use crate::till::table::Journal;
use crate::till::time::Time;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Compare the books with a provider's balance export, line by line.
///
/// FILE is a CSV file with a header, as Stripe's dashboard exports it: the itemized "Balance change from activity"
/// report, or the list of balance transactions. Every charge, refund and dispute in it, and every entry of the journal
/// in the same time, is named as matched, missing here, missing there, or different. Fees and payouts are counted and
/// otherwise left alone. It ends with exit code 3 where anything is not matched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The provider's export
    file: PathBuf,
    /// Only entries of this gateway
    #[arg(long, value_name = "GATEWAY", default_value = "stripe")]
    gateway: String,
    /// Entries from this time on; from the export's first line unless given
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    from: Option<Time>,
    /// Entries before this time; an hour after the export's last line unless given
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    to: Option<Time>,
    /// Name what is matched, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    target: Target,
}

/// Clocks differ, and the till learns of what happened a little later.
const SLACK_SECONDS: i64 = 3600;

/// What moves money either way, in the provider's words or ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Charge,
    Refund,
    RefundReturned,
    Dispute,
    DisputeWon,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundReturned => "refund that came back",
            Self::Dispute => "dispute",
            Self::DisputeWon => "dispute won",
        }
    }

    /// Stripe's balance transaction types and reporting categories; `None`: nothing of the till's.
    fn of_provider(word: &str) -> Option<Self> {
        match word {
            "charge" | "payment" => Some(Self::Charge),
            "refund" | "payment_refund" => Some(Self::Refund),
            "refund_failure" | "payment_failure_refund" => Some(Self::RefundReturned),
            "dispute" | "adjustment" => Some(Self::Dispute),
            "dispute_reversal" => Some(Self::DisputeWon),
            _ => None,
        }
    }

    /// What a deal credits is a refund of the transaction that earned it.
    fn of_entry(kind: EntryKind) -> Option<Self> {
        match kind {
            EntryKind::Charge | EntryKind::LateCharge => Some(Self::Charge),
            EntryKind::Refund | EntryKind::LateRefund | EntryKind::Credit => Some(Self::Refund),
            EntryKind::RefundReturned | EntryKind::LateRefundReturned => Some(Self::RefundReturned),
            EntryKind::Dispute => Some(Self::Dispute),
            EntryKind::DisputeWon => Some(Self::DisputeWon),
            EntryKind::CreditReversal => None,
        }
    }
}

/// Something that moved money.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    kind: Kind,
    /// The provider's names for it, the best first.
    names: Vec<String>,
    /// In minor units, without a sign.
    amount: i64,
    currency: String,
    at: Option<Time>,
}

pub fn run(args: &Args) -> Outcome {
    let (theirs, others) = read_export(&args.file)?;
    let first = theirs.iter().filter_map(|line| line.at).min();
    let last = theirs.iter().filter_map(|line| line.at).max();
    let from = args.from.or(first.map(|at| at.plus_seconds(-SLACK_SECONDS)));
    let to = args.to.or(last.map(|at| at.plus_seconds(SLACK_SECONDS)));
    let ours = match args.target.find_to_read()? {
        Place::File(store) => of_file(&store.snapshot().map_err(failure)?, &args.gateway, from, to)?,
        Place::Running(client) => {
            let time = |name: &str, at: Option<Time>| {
                let encoded = at.map(|at| utf8_percent_encode(&at.to_string(), NON_ALPHANUMERIC).to_string());
                encoded.map(|at| format!("&{name}={at}")).unwrap_or_default()
            };
            let path = format!("/v1/journal?{}{}", time("from", from), time("to", to));
            let all = client.all(&path.replace("?&", "?")).map_err(failure)?;
            all.iter().filter_map(|entry| of_answer(entry, &args.gateway)).collect()
        }
    };
    // Beside the export's edges a partner may stand, but nothing is missing there.
    let within = |at: Option<Time>| {
        at.is_none_or(|at| {
            args.from.or(first).is_none_or(|from| from <= at) && args.to.or(last).is_none_or(|to| at <= to)
        })
    };
    let found = compare(ours, theirs, within);
    for (_, sentence) in found.iter().filter(|(matched, _)| args.all || !matched) {
        say(sentence)?;
    }
    let matched = found.iter().filter(|(matched, _)| *matched).count();
    let open = found.len() - matched;
    say(format_args!(
        "{matched} matched, {open} not; {others} lines of the export move no money of the till's"
    ))?;
    if open == 0 { Ok(()) } else { Err(Failure { sentence: format!("{open} lines do not match."), code: 3 }) }
}

fn of_file(
    snapshot: &crate::store::Snapshot,
    gateway: &str,
    from: Option<Time>,
    to: Option<Time>,
) -> Result<Vec<Line>, Failure> {
    let start = from.map_or_else(Vec::new, |from| EntryId::first_at(from).encode());
    let span = Span { start, end: to.map(|to| EntryId::first_at(to).encode()) };
    let mut lines = Vec::new();
    snapshot
        .scan::<Journal>(&span, Direction::Up, |_, entry: EntryRecord| {
            if let Some(kind) = Kind::of_entry(entry.kind).filter(|_| entry.gateway == gateway) {
                let (amount, currency) = (entry.amount(), entry.currency.code().to_owned());
                let names = vec![provider_name(&entry.reference)];
                lines.push(Line { kind, names, amount, currency, at: Some(entry.at) });
            }
            ControlFlow::Continue(())
        })
        .map_err(failure)?;
    Ok(lines)
}

/// What the provider calls it: of a credit's reference, the transaction, which stands before the till's own key.
fn provider_name(reference: &str) -> String {
    reference.split_once('/').map_or(reference, |(transaction, _)| transaction).to_owned()
}

fn of_answer(entry: &Value, gateway: &str) -> Option<Line> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    if text("/gateway") != Some(gateway) {
        return None;
    }
    let kind: EntryKind = serde_json::from_value(entry.get("type")?.clone()).ok()?;
    Some(Line {
        kind: Kind::of_entry(kind)?,
        names: vec![provider_name(text("/reference")?)],
        amount: entry.pointer("/amount/amount")?.as_i64()?,
        currency: text("/amount/currency")?.to_owned(),
        at: text("/created_at").and_then(|at| Time::parse(at).ok()),
    })
}

/// Reads an export; also how many of its lines are about something else.
fn read_export(path: &Path) -> Result<(Vec<Line>, usize), Failure> {
    let cannot =
        |why: &dyn std::fmt::Display| Failure::from(format!("Cannot read {}: {why}", path.display()));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| cannot(&error))?;
    let names: Vec<String> = reader
        .headers()
        .map_err(|error| cannot(&error))?
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_lowercase().replace([' ', '(', ')'], "_"))
        .collect();
    let column =
        |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
    let must = |wanted: &[&str]| {
        column(wanted).ok_or_else(|| {
            cannot(&format!("it has no column {}; is it a balance export?", wanted.join(" or ")))
        })
    };
    let kind = must(&["reporting_category", "type"])?;
    let amount = must(&["gross", "amount"])?;
    let currency = must(&["currency"])?;
    let time = column(&["created_utc", "created__utc_", "created"]);
    let ids = [
        "payment_intent_id",
        "payment_intent",
        "source_id",
        "source",
        "charge_id",
        "refund_id",
        "dispute_id",
    ];
    let ids: Vec<usize> = ids.iter().filter_map(|name| column(&[name])).collect();
    if ids.is_empty() {
        return Err(cannot(&"it names neither payment intents nor sources"));
    }
    let (mut lines, mut others) = (Vec::new(), 0);
    for (row, record) in reader.records().enumerate() {
        let number = row + 2;
        let record = record.map_err(|error| cannot(&error))?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let Some(mut of) = Kind::of_provider(&cell(kind).to_lowercase()) else {
            others += 1;
            continue;
        };
        let code = cell(currency).to_ascii_uppercase();
        let minor = Currency::parse(&code).and_then(|currency| minor_units(cell(amount), currency));
        let Some(minor) = minor else {
            return Err(cannot(&format!("line {number} has no amount: {:?} {code:?}", cell(amount))));
        };
        if of == Kind::Dispute && minor > 0 {
            of = Kind::DisputeWon;
        }
        let own = ids.iter().map(|column| cell(*column).to_owned()).filter(|name| !name.is_empty());
        let at = time.and_then(|column| utc(cell(column)));
        lines.push(Line {
            kind: of,
            names: own.collect(),
            amount: minor.saturating_abs(),
            currency: code,
            at,
        });
    }
    Ok((lines, others))
}

/// Exports write UTC without saying so, some of them without seconds.
fn utc(text: &str) -> Option<Time> {
    let text = text.trim_end_matches('Z').replace(' ', "T");
    let seconds = if text.len() == "2013-02-12T14:00".len() { ":00" } else { "" };
    Time::parse(&format!("{text}{seconds}Z")).ok()
}

/// `-1,234.50` in minor units; `None` where it is no amount of that currency.
fn minor_units(text: &str, currency: Currency) -> Option<i64> {
    let text = text.trim().replace(',', "");
    let (sign, number) = text.strip_prefix('-').map_or((1, text.as_str()), |number| (-1, number));
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let digits = usize::try_from(currency.minor_digits()).ok()?;
    // More digits than the currency has must be zeros.
    let (own, more) = rest.split_at_checked(digits.min(rest.len()))?;
    let fine = !whole.is_empty() && [whole, own].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !fine || more.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let number: i64 = format!("{whole}{own:0<digits$}").parse().ok()?;
    Some(sign * number)
}

/// Pairs what is the same on both sides; a sentence for each, and whether it is matched.
/// Names every line of both sides; `within` says at which times one of ours must not be missing there.
fn compare(ours: Vec<Line>, theirs: Vec<Line>, within: impl Fn(Option<Time>) -> bool) -> Vec<(bool, String)> {
    let mut open: BTreeMap<(Kind, String), Vec<Line>> = BTreeMap::new();
    for line in ours {
        let name = line.names.first().cloned().unwrap_or_default();
        open.entry((line.kind, name)).or_default().push(line);
    }
    let mut found = Vec::new();
    for line in theirs {
        let name = line.names.first().cloned().unwrap_or_default();
        let own = line.names.iter().find_map(|name| {
            let lines = open.get_mut(&(line.kind, name.clone()))?;
            let same =
                lines.iter().position(|own| (own.amount, &own.currency) == (line.amount, &line.currency));
            (!lines.is_empty()).then(|| (lines.remove(same.unwrap_or(0)), name.clone()))
        });
        let theirs = money(&line);
        found.push(match own {
            None => (false, format!("missing here   {} {name} of {theirs}", line.kind.word())),
            Some((own, name)) if (own.amount, &own.currency) == (line.amount, &line.currency) => {
                (true, format!("matched        {} {name} of {theirs}", line.kind.word()))
            }
            Some((own, name)) => {
                let ours = money(&own);
                (false, format!("different      {} {name}: {ours} here, {theirs} there", line.kind.word()))
            }
        });
    }
    for ((kind, name), lines) in open {
        for line in lines.into_iter().filter(|line| within(line.at)) {
            found.push((false, format!("missing there  {} {name} of {}", kind.word(), money(&line))));
        }
    }
    found
}

fn money(line: &Line) -> String {
    let number = Currency::parse(&line.currency)
        .map_or_else(|| line.amount.to_string(), |currency| crate::http::decimal(line.amount, currency));
    format!("{number} {}", line.currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        let read = |text, code| minor_units(text, Currency::parse(code).unwrap());
        assert_eq!(read("14.99", "USD"), Some(1499));
        assert_eq!(read("-1,234.5", "USD"), Some(-123_450));
        assert_eq!(read("15", "USD"), Some(1500));
        assert_eq!(read("15.000", "USD"), Some(1500));
        assert_eq!(read("1500.00", "JPY"), Some(1500));
        assert_eq!(read("1.5", "KWD"), Some(1500));
        for wrong in ["", "-", "1.001", "x", "1e3", ".5", "--1", "1.-5"] {
            assert_eq!(read(wrong, "USD"), None, "{wrong}");
        }
    }

    fn line(kind: Kind, name: &str, amount: i64) -> Line {
        Line { kind, names: vec![name.to_owned()], amount, currency: "USD".to_owned(), at: None }
    }

    #[test]
    fn every_line_is_named() {
        let ours = vec![
            line(Kind::Charge, "pi_1", 1500),
            line(Kind::Charge, "pi_2", 900),
            line(Kind::Refund, "re_1", 1),
        ];
        let theirs = vec![
            line(Kind::Charge, "pi_1", 1500),
            line(Kind::Charge, "pi_2", 800),
            line(Kind::Charge, "pi_3", 5),
        ];
        let found: Vec<String> =
            compare(ours, theirs, |_| true).into_iter().map(|(_, sentence)| sentence).collect();
        assert_eq!(
            found,
            [
                "matched        charge pi_1 of 15.00 USD",
                "different      charge pi_2: 9.00 USD here, 8.00 USD there",
                "missing here   charge pi_3 of 0.05 USD",
                "missing there  refund re_1 of 0.01 USD",
            ]
        );
    }

    #[test]
    fn nothing_is_missing_beyond_the_edges() {
        let edge = Time::from_ms(1_000_000);
        let at = |ms| Line { at: Some(Time::from_ms(ms)), ..line(Kind::Charge, &format!("pi_{ms}"), 1500) };
        let found =
            compare(vec![at(999_999), at(1_000_000)], Vec::new(), |at| at.is_none_or(|at| edge <= at));
        assert_eq!(found, [(false, "missing there  charge pi_1000000 of 15.00 USD".to_owned())]);
    }
}
