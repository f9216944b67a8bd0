//! One card a purchase, a place in a line, a deal.

use super::{Bought, Deal, Parcel, Stands, ToPost, Wait, amount};
use crate::till::time::Time;
use crate::web::layout::{copied, day, left, minute};
use maud::{Markup, html};

/// What a purchase goes through.
const WAY: [&str; 5] = ["Held", "Confirmed", "Paid", "Shipped", "Delivered"];

/// A purchase that is under way, or over since a moment ago.
pub fn under_way(bought: &Bought, now: Time) -> Markup {
    let hero = bought.stands.is_live();
    let mood = match &bought.stands {
        Stands::Packed | Stands::Shipped | Stands::Delivered => "state good",
        Stands::Over { to_do: Some(_), .. } => "state bad-text",
        _ => "state",
    };
    html! {
        article.card.hero[hero] data-say=(format!("{}: {}", bought.title, bought.stands.words())) {
            p class=(mood) { (bought.stands.words()) }
            h2 { (bought.title) }
            p.price { (bought.price)
                @if let Some(amount) = amount(bought.units, bought.variant.as_deref()) { span.dim { " · " (amount) } }
            }
            @match &bought.stands {
                Stands::Held { until, window_seconds, replied, confirm, cancel } => {
                    (time_left(*until, now, *window_seconds, "left to confirm"))
                    (held(confirm, *replied, cancel.as_deref()))
                }
                Stands::OneStepLeft { until, href } => {
                    p { "Your bank wants you to allow this charge, before " (minute(*until))
                        ". Nothing is charged until then." }
                    (time_left(*until, now, 0, "left to allow it"))
                    a.button href=(href) { "Go to your bank" }
                }
                Stands::Charging => { p { "That takes a moment. There is nothing left for you to do." } }
                Stands::Over { to_do: Some(to_do), .. } => { p { (to_do) } }
                _ => {}
            }
            @if let Some(back) = &bought.given_back { p { (back) " of it were given back to your card." } }
            @for parcel in &bought.parcels { (shipped(parcel, bought.units)) }
            @if let Some(at) = place(&bought.stands) { (way(at)) }
        }
    }
}

/// What is left until then.
fn time_left(until: Time, now: Time, window_seconds: u32, of: &str) -> Markup {
    let seconds = until.ms_since(now).max(0) / 1000;
    html! {
        p.left { (left(until, now)) span { (of) ", until " (minute(until)) } }
        @if window_seconds > 0 {
            progress data-until=(until) max=(window_seconds) value=(seconds) aria-hidden="true" {}
        }
    }
}

fn held(confirm: &ToPost, replied: bool, cancel: Option<&str>) -> Markup {
    html! {
        p.ask { "To buy it, post this:" }
        (copied(&confirm.text, "Copy", &html! { span.code { (confirm.text) } }))
        @if !confirm.prepared.is_empty() {
            p.ways.buttons {
                @for (i, (network, href)) in confirm.prepared.iter().enumerate() {
                    a.button.second[i > 0] href=(href) target="_blank" rel="noopener noreferrer" { "Post it on " (network) }
                }
            }
        }
        p.dim {
            @if replied { "Reposting our reply does it, too. " }
            @else { "Our reply is on its way, and the time that you have is what it says. " }
            @if let Some(cancel) = cancel { "Changed your mind? Post " b { (cancel) } ", or just let the time pass: " }
            @else { "Changed your mind? Just let the time pass: " }
            "nothing is charged."
        }
    }
}

/// At which step of the way; `None`: it has left it.
fn place(stands: &Stands) -> Option<usize> {
    match stands {
        Stands::Held { .. } => Some(0),
        Stands::OneStepLeft { .. } | Stands::Charging => Some(1),
        Stands::Packed => Some(2),
        Stands::Shipped => Some(3),
        Stands::Delivered => Some(4),
        Stands::Over { .. } => None,
    }
}

/// The way of a purchase, and where on it this one is.
fn way(at: usize) -> Markup {
    html! {
        ol.way aria-label="Its way to you" {
            @for (step, name) in WAY.iter().enumerate() {
                li.done[step <= at] aria-current=[(step == at).then_some("step")] {
                    (name)
                    @if step < at { span.unseen { ", done" } }
                }
            }
        }
    }
}

fn shipped(parcel: &Parcel, of: u32) -> Markup {
    html! {
        div.parcel {
            p {
                @if parcel.units < of { (parcel.units) " of " (of) " shipped on " } @else { "Shipped on " }
                (day(parcel.at))
                @if let Some(carrier) = &parcel.carrier { " with " b { (carrier) } }
            }
            @if let Some(number) = &parcel.number {
                (copied(number, "Copy the number", &html! { p { span.dim { "Tracking number " } span.mono { (number) } } }))
            }
        }
    }
}

/// A place in a line.
pub fn waiting(wait: &Wait) -> Markup {
    html! {
        article.card data-say=(format!("{}: place {} in line", wait.title, wait.place)) {
            p.state { "In line for it" }
            h2 { (wait.title) }
            p.price { "Place " (wait.place)
                @if let Some(amount) = amount(wait.units, wait.variant.as_deref()) { span.dim { " · " (amount) } }
            }
            p { "It is sold out. When it is your turn, one is held for you, and we answer your post: then you have \
                the time that our reply says." }
            @if let Some(cancel) = &wait.cancel {
                p.dim { "Changed your mind? Post " b { (cancel) } " to leave the line." }
            }
        }
    }
}

/// A deal, with what it gave.
pub fn deal(deal: &Deal) -> Markup {
    html! {
        article.card data-say=(format!("{}: {} credits", deal.title, deal.credits.len())) {
            h3 { (deal.title) }
            p { (deal.terms) " You take part since " (day(deal.since)) "." }
            @if deal.credits.is_empty() {
                p.dim { "No credit yet. It comes by itself once you have paid with your card there." }
            } @else {
                ul.past {
                    @for (amount, state, at) in &deal.credits {
                        li { span { b { (state) } br; span.dim { (day(*at)) } } span.sum { (amount) } }
                    }
                }
            }
        }
    }
}

/// A purchase that is over, in a line.
pub fn past(bought: &Bought) -> Markup {
    html! {
        li {
            span {
                b { (bought.title) }
                @if let Some(amount) = amount(bought.units, bought.variant.as_deref()) { span.dim { " · " (amount) } }
                br;
                span.dim { (bought.stands.words()) ", " (day(bought.at))
                    @if let Some(back) = &bought.given_back { "; " (back) " given back" }
                }
            }
            span.sum { (bought.price) }
        }
    }
}

/// Nothing was bought yet.
pub fn nothing_yet() -> Markup {
    html! {
        div.card.empty {
            p { b { "Nothing bought yet." } }
            p.dim { "Post the hashtag of something that you like. It is held for you then, and shows here with the time \
                that you have to confirm it." }
        }
    }
}
