//! What a rehearsal came to, as a page to look at, to keep and to print: whole in itself, without scripts.

use super::charts::{self, percent, time_words};
use super::plan::Settings;
use super::result::{Check, Group, Latency, Rehearsal};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("report.css");

/// The whole document.
pub fn page(rehearsal: &Rehearsal) -> String {
    let title = format!("Rehearsal: {}", rehearsal.offer.title);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (head(rehearsal)) (body(rehearsal)) } }
        }
    };
    document.into_string()
}

fn head(rehearsal: &Rehearsal) -> Markup {
    let Rehearsal { offer, settings, .. } = rehearsal;
    let broken = rehearsal.checks.iter().filter(|check| !check.holds).count();
    let began = rehearsal.began_at.to_string();
    let day = began.get(..16).unwrap_or_default().replace('T', " ");
    html! {
        header {
            h1 { (offer.title) }
            p.dim {
                "A rehearsal of #" (offer.hashtag) ": " (rehearsal.buyers()) " simulated buyers on "
                (settings.network) ", from " (day) " UTC, for " (time_words(rehearsal.lasted_seconds)) "."
                @if offer.copied_from.is_none() { " The offer was made up." }
            }
            @if broken == 0 {
                p.verdict { "Oversold: 0. All " (rehearsal.checks.len()) " checks hold." }
            } @else {
                p.verdict.bad { (broken) " of " (rehearsal.checks.len()) " checks do not hold." }
            }
        }
    }
}

fn body(rehearsal: &Rehearsal) -> Markup {
    html! {
        (figures(rehearsal))
        (notes(rehearsal))
        section {
            h2 { "What became of everybody" }
            (charts::outcomes(rehearsal))
        }
        section {
            h2 { "Stock as the drop went" }
            (charts::stock(rehearsal))
            ul.key {
                (key("sold", "sold"))
                (key("held", "held"))
                @if let Some(quantity) = rehearsal.stock.quantity { li { "– – " (quantity) " units in all" } }
            }
        }
        section {
            h2 { "Posts as they came" }
            (charts::posts(rehearsal))
        }
        section {
            h2 { "What must hold" }
            (checks(&rehearsal.checks))
        }
        section {
            h2 { "How long it took" }
            (latencies(&rehearsal.latencies))
        }
        section {
            h2 { "Verdicts" }
            dl.facts {
                @for (verdict, count) in &rehearsal.verdicts {
                    div { dt { (verdict.replace('_', " ")) } dd { (count) } }
                }
            }
        }
        section {
            h2 { "What was asked for" }
            (asked(rehearsal))
        }
    }
}

fn key(class: &str, words: &str) -> Markup {
    html! { li { svg viewBox="0 0 1 1" aria-hidden="true" { rect class=(class) width="1" height="1" {} } (words) } }
}

fn figures(rehearsal: &Rehearsal) -> Markup {
    let all = rehearsal.buyers();
    let charged = rehearsal.charged();
    let of = rehearsal.stock.quantity.map(|quantity| format!("of {quantity} units"));
    html! {
        dl.figures {
            @for group in Group::ALL {
                @let buyers = rehearsal.group(group);
                div {
                    dt { (capital(group.words())) }
                    dd {
                        (buyers)
                        small {
                            @match (group, &of) {
                                (Group::Sold, Some(of)) => (of),
                                _ => { (percent(buyers, all)) " of buyers" }
                            }
                        }
                    }
                }
            }
            div {
                dt { "Charged" }
                dd {
                    @if charged.is_empty() { "–" } @else { (charged) }
                    small { (rehearsal.money.charges) " charges, " (rehearsal.money.declined) " declined" }
                }
            }
        }
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn notes(rehearsal: &Rehearsal) -> Markup {
    html! {
        @if !rehearsal.notes.is_empty() {
            section.notes {
                h2 { "What to know before the drop" }
                ul { @for note in &rehearsal.notes { li { (note) } } }
            }
        }
    }
}

fn checks(all: &[Check]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "Check" } th.num scope="col" { "Found" } th scope="col" { "" } } }
            tbody {
                @for check in all {
                    tr {
                        th scope="row" { (capital(&check.name.replace('_', " "))) span.group { (check.about) } }
                        td.num { (check.found) }
                        @if check.holds { td.sign { "✓ holds" } } @else { td.sign.bad { "✗ broken" } }
                    }
                }
            }
        }
    }
}

fn latencies(all: &[Latency]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "What" }
                    th.num scope="col" { "p50" }
                    th.num scope="col" { "p99" }
                    th.num.wide scope="col" { "Longest" }
                }
            }
            tbody {
                @for one in all {
                    tr {
                        th scope="row" {
                            (capital(&one.about))
                            span.group {
                                (one.count) " times, by "
                                @if one.real { "this machine's clock" } @else { "the drop's own clock" }
                            }
                        }
                        td.num { (Latency::words(one.p50_micros)) }
                        td.num { (Latency::words(one.p99_micros)) }
                        td.num.wide { (Latency::words(one.max_micros)) }
                    }
                }
            }
        }
    }
}

fn asked(rehearsal: &Rehearsal) -> Markup {
    let settings = &rehearsal.settings;
    let wait = if rehearsal.offer.waitlist { "yes" } else { "no" };
    let mut rows = vec![
        ("Copy of".to_owned(), rehearsal.offer.copied_from.clone().unwrap_or_else(|| "nothing".to_owned())),
        ("Window to confirm".to_owned(), time_words(rehearsal.offer.window_seconds)),
        ("Waiting list".to_owned(), wait.to_owned()),
        ("All come within".to_owned(), time_words(settings.spread_seconds.into())),
        ("A reply takes about".to_owned(), time_words(settings.reply_seconds.into())),
        ("Seed".to_owned(), settings.seed.to_string()),
    ];
    let shares = Settings::percents(settings).into_iter();
    rows.extend(shares.map(|(name, percent)| {
        let name = name.strip_suffix("_percent").unwrap_or(name).replace('_', " ");
        (capital(&name), format!("{percent}%"))
    }));
    html! {
        dl.facts { @for (name, value) in &rows { div { dt { (name) } dd { (value) } } } }
        p.dim { "The rehearsal took " (Latency::words(rehearsal.took_ms.saturating_mul(1000))) ". No card was charged." }
    }
}
