//! The private page of an account: what was bought, where it stands, what to do now. Whoever has its address sees it, so
//! it shows no more than the first letters of anything.

mod cards;

use super::layout::{Page, copied, day};
use super::link::network_name;
use crate::till::time::Time;
use maud::{Markup, html};

/// Seconds between two looks while something is under way.
const AGAIN_SECONDS: u32 = 8;
/// The same while nothing is.
const AGAIN_QUIET_SECONDS: u32 = 40;

/// A linked identity.
#[derive(Debug)]
pub struct LinkedIdentity {
    /// The network's slug.
    pub network: String,
    /// The handle; only its first letters are shown.
    pub handle: String,
}

/// A purchase as its buyer sees it.
#[derive(Debug)]
pub struct Bought {
    /// What it was.
    pub title: String,
    /// Which variant.
    pub variant: Option<String>,
    /// How many units.
    pub units: u32,
    /// How much for all of them, as people write it.
    pub price: String,
    /// t of the purchase post.
    pub at: Time,
    /// Where it stands.
    pub stands: Stands,
    /// What was shipped.
    pub parcels: Vec<Parcel>,
    /// What of the price was given back, as people write it.
    pub given_back: Option<String>,
}

/// Where a purchase stands.
#[derive(Debug)]
pub enum Stands {
    /// Until then it can be confirmed.
    Held {
        /// The last moment.
        until: Time,
        /// So long it is in all.
        window_seconds: u32,
        /// Whether our reply is out: until then the last moment may come earlier yet.
        replied: bool,
        /// What to post.
        confirm: ToPost,
        /// What to post to let it go.
        cancel: Option<String>,
    },
    /// The bank wants its customer to allow the charge.
    OneStepLeft {
        /// The last moment.
        until: Time,
        /// The way there.
        href: String,
    },
    /// The gateway is asked.
    Charging,
    /// Paid, to be shipped; some of it may be under way.
    Packed,
    /// All of it is under way.
    Shipped,
    /// There.
    Delivered,
    /// Over: what became of it, what to do now, and whether that is news.
    Over {
        /// In a few words.
        words: &'static str,
        /// In a sentence.
        to_do: Option<String>,
        /// Whether its buyer may not know it yet.
        news: bool,
    },
}

/// Something to be posted.
#[derive(Debug)]
pub struct ToPost {
    /// Word for word.
    pub text: String,
    /// Where a post is prepared already: the network's name and the address.
    pub prepared: Vec<(String, String)>,
}

/// What was shipped together.
#[derive(Debug)]
pub struct Parcel {
    /// How many units.
    pub units: u32,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub number: Option<String>,
    /// When it was shipped.
    pub at: Time,
}

/// A place in a line.
#[derive(Debug)]
pub struct Wait {
    /// For what.
    pub title: String,
    /// Which variant.
    pub variant: Option<String>,
    /// How many units.
    pub units: u32,
    /// From 1.
    pub place: u64,
    /// What to post to leave the line.
    pub cancel: Option<String>,
}

/// A deal that the account takes part in.
#[derive(Debug)]
pub struct Deal {
    /// What it is called.
    pub title: String,
    /// What it gives, in a sentence.
    pub terms: String,
    /// Since when.
    pub since: Time,
    /// What it gave: how much, how that stands, since when.
    pub credits: Vec<(String, &'static str, Time)>,
}

/// What the page shows.
#[derive(Debug)]
pub struct View {
    /// The page's own path.
    pub path: String,
    /// What the till's clock says.
    pub now: Time,
    /// Whether it was made just now.
    pub fresh: bool,
    /// What is linked.
    pub identities: Vec<LinkedIdentity>,
    /// The card's brand.
    pub card: String,
    /// The version of the agreement, and when it was agreed to.
    pub mandate: Option<(u32, Time)>,
    /// Newest first.
    pub purchases: Vec<Bought>,
    /// Places in lines.
    pub waits: Vec<Wait>,
    /// Deals, newest last.
    pub deals: Vec<Deal>,
}

impl Stands {
    /// Whether it is still to be looked at, rather than remembered.
    fn is_now(&self) -> bool {
        !matches!(self, Self::Delivered | Self::Over { news: false, .. })
    }

    /// Whether it may change from one moment to the next.
    fn is_live(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::OneStepLeft { .. } | Self::Charging)
    }

    /// In a few words.
    fn words(&self) -> &'static str {
        match self {
            Self::Held { .. } => "Held for you",
            Self::OneStepLeft { .. } => "One step is left",
            Self::Charging => "Ordered; your card is being charged",
            Self::Packed => "Paid; it is being packed",
            Self::Shipped => "Paid and shipped",
            Self::Delivered => "Paid and delivered",
            Self::Over { words, .. } => words,
        }
    }
}

/// The first letters, and no more.
pub fn first_letters(text: &str) -> String {
    let text = text.trim_start_matches('@');
    // Never all of it.
    let letters: String = text.chars().take(2.min(text.chars().count().saturating_sub(1))).collect();
    format!("{letters}…")
}

/// `Red`, `2 × Red`, `2 pieces`, or nothing.
fn amount(units: u32, variant: Option<&str>) -> Option<String> {
    match (units, variant) {
        (1, variant) => variant.map(str::to_owned),
        (_, Some(variant)) => Some(format!("{units} × {variant}")),
        (_, None) => Some(format!("{units} pieces")),
    }
}

/// The page.
pub fn page(view: &View) -> Page {
    let (open, past): (Vec<_>, Vec<_>) = view.purchases.iter().partition(|bought| bought.stands.is_now());
    let nothing = view.purchases.is_empty() && view.waits.is_empty() && view.deals.is_empty();
    let body = html! {
        h1 { "Your purchases by post" }
        @if view.fresh && nothing { (fresh()) }
        section data-part="now" aria-label="Under way" {
            @for bought in &open { (cards::under_way(bought, view.now)) }
            @for wait in &view.waits { (cards::waiting(wait)) }
            @if nothing { (cards::nothing_yet()) }
            @else if open.is_empty() && view.waits.is_empty() { p.dim { "Nothing is under way." } }
        }
        @if view.fresh && !nothing { (fresh()) }
        section data-part="deals" aria-label="Deals" {
            @if !view.deals.is_empty() {
                h2 { "Deals" }
                @for deal in &view.deals { (cards::deal(deal)) }
            }
        }
        section data-part="past" aria-label="Before" {
            @if !past.is_empty() {
                h2 { "Before" }
                ul.past { @for bought in &past { (cards::past(bought)) } }
            }
        }
        (linked(view))
    };
    let live = view.purchases.iter().any(|bought| bought.stands.is_live());
    let page = Page::new("Your purchases by post", body);
    page.again(if live { AGAIN_SECONDS } else { AGAIN_QUIET_SECONDS }, view.now).private()
}

fn fresh() -> Markup {
    html! {
        div.card.welcome {
            p { b.good { "Linked." } " From now on you buy with a post." }
            p { "This page is yours alone: keep its address, a bookmark will do. It is not shown again, and \
                nobody can find it without." }
            (copied("", "Copy the address", &html! {}))
        }
    }
}

fn linked(view: &View) -> Markup {
    html! {
        h2 { "What is linked" }
        div.card {
            dl {
                @for one in &view.identities {
                    dt { (network_name(&one.network)) }
                    dd { "@" (first_letters(&one.handle)) }
                }
                dt { "Card" } dd { (view.card) }
                @if let Some((version, at)) = &view.mandate {
                    dt { "Agreement" }
                    dd { a href=(format!("/link/mandates/{version}")) { "version " (version) } ", on " (day(*at)) }
                }
            }
            p.ways {
                a href=(format!("{}/link", view.path)) { "Link another account of yours" }
                a href="/unlink" { "Unlink, or erase everything" }
            }
        }
    }
}
