//! What a rehearsal came to, in a terminal.

use crate::cli::demo::{Ink, Style, pad, wrap};
use crate::cli::thousands;
use crate::rehearsal::{Group, Latency, Rehearsal};
use std::fmt::Write as _;

/// How wide what is named is.
const LABEL: usize = 22;
/// The longest bar.
const BAR: u64 = 40;

/// All of it.
pub fn words(style: Style, rehearsal: &Rehearsal) -> String {
    let mut out = String::new();
    let Rehearsal { offer, settings, stock, .. } = rehearsal;
    let units = stock.quantity.map_or("any number of units".to_owned(), |units| many(units, "unit"));
    let title = format!("{} · #{}", offer.title, offer.hashtag);
    let _ = writeln!(out, "{}", style.paint(Ink::Bold, &title));
    let _ = writeln!(
        out,
        "{} for {units} on {}; {} posts in {}, seed {}\n",
        many(rehearsal.buyers(), "buyer"),
        settings.network,
        thousands(rehearsal.posts()),
        seconds(rehearsal.lasted_seconds),
        settings.seed
    );
    outcomes(&mut out, style, rehearsal);
    let charged = rehearsal.charged();
    let money = if charged.is_empty() { "Nothing".to_owned() } else { charged };
    let _ = writeln!(
        out,
        "\n{money} charged in {}, {} declined. Stock: {} sold, {} held, {} free, {} waiting.\n",
        many(rehearsal.money.charges, "charge"),
        thousands(rehearsal.money.declined),
        thousands(stock.sold),
        thousands(stock.held),
        stock.available.map_or("any number".to_owned(), thousands),
        thousands(stock.waiting)
    );
    for check in &rehearsal.checks {
        let (sign, ink) = if check.holds { ("ok", Ink::Good) } else { ("NO", Ink::Bad) };
        let name = check.name.replace('_', " ");
        let found = format!("{:>6}", thousands(check.found));
        let _ = writeln!(
            out,
            "  {} {} {found}  {}",
            style.paint(ink, sign),
            pad(&name, LABEL),
            style.paint(Ink::Dim, &check.about)
        );
    }
    out.push('\n');
    for latency in &rehearsal.latencies {
        let (half, most) = (Latency::words(latency.p50_micros), Latency::words(latency.p99_micros));
        let clock = if latency.real { "" } else { ", by the drop's own clock" };
        let about = style.paint(Ink::Dim, &format!("{}{clock}", latency.about));
        let _ = writeln!(out, "  {} p50 {half:>10}  p99 {most:>10}  {about}", pad(&latency.name, 10));
    }
    let replies = &rehearsal.replies;
    let _ = writeln!(
        out,
        "\nReplies: {} out, {} lost, {} buyers without an answer. It took {}.",
        thousands(replies.out),
        thousands(replies.lost),
        thousands(replies.buyers_unanswered),
        Latency::words(rehearsal.took_ms.saturating_mul(1000))
    );
    for note in &rehearsal.notes {
        out.push('\n');
        for line in wrap(note, style.width) {
            let _ = writeln!(out, "{}", style.paint(Ink::Calm, &line));
        }
    }
    out
}

fn outcomes(out: &mut String, style: Style, rehearsal: &Rehearsal) {
    let all = rehearsal.buyers().max(1);
    for counted in &rehearsal.outcomes {
        let ink = match counted.group {
            Group::Sold => Ink::Good,
            Group::TurnedAway => Ink::Bad,
            _ => Ink::Calm,
        };
        let bar = usize::try_from((counted.buyers * BAR).div_ceil(all)).unwrap_or(0);
        let _ = writeln!(
            out,
            "  {} {:>7}  {:>4}  {}",
            pad(counted.outcome.words(), LABEL),
            thousands(counted.buyers),
            share(counted.buyers, all),
            style.paint(ink, &"■".repeat(bar))
        );
    }
}

/// `4%`, and `<1%` rather than none.
fn share(part: u64, all: u64) -> String {
    match part * 100 / all.max(1) {
        0 if part > 0 => "<1%".to_owned(),
        percent => format!("{percent}%"),
    }
}

/// `12,345`
/// `1 buyer`, `2,000 buyers`
fn many(number: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// `14 min`, `1 h 20 min`
fn seconds(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(share(1, 1000), "<1%");
        assert_eq!(share(40, 1000), "4%");
        assert_eq!(share(0, 0), "0%");
        assert_eq!(seconds(59), "59 s");
        assert_eq!(seconds(4800), "1 h 20 min");
    }
}
