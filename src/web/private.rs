//! The private page of an account: what is linked, what was bought, what to do now. Whoever has its address sees it, so
//! it shows no more than the first letters of anything.

use super::layout::Page;
use super::link::network_name;
use maud::{Markup, html};

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
    /// How much, as people write it.
    pub price: String,
    /// Where it stands, in a few words.
    pub state: String,
    /// Good, bad, or neither.
    pub mood: Mood,
    /// What to do now, in a sentence.
    pub to_do: Option<String>,
    /// Where that is done.
    pub action: Option<(String, &'static str)>,
}

/// How a purchase stands for its buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It goes on.
    Open,
    /// It went well.
    Good,
    /// It did not.
    Bad,
}

/// What the page shows.
#[derive(Debug)]
pub struct View {
    /// The page's own path.
    pub path: String,
    /// Whether it was made just now.
    pub fresh: bool,
    /// What is linked.
    pub identities: Vec<LinkedIdentity>,
    /// The card: brand and last four digits.
    pub card: String,
    /// The version of the agreement, and the day.
    pub mandate: Option<(u32, String)>,
    /// Newest first.
    pub purchases: Vec<Bought>,
    /// Whether some of them are still under way.
    pub live: bool,
}

/// The first letters, and no more.
pub fn first_letters(text: &str) -> String {
    let letters: String = text.trim_start_matches('@').chars().take(2).collect();
    format!("{letters}…")
}

/// The page.
pub fn page(view: &View) -> Page {
    let body = html! {
        h1 { "Your purchases by post" }
        @if view.fresh {
            div.card {
                p { b.good { "Linked." } " From now on you buy with a post." }
                p { "This page is yours alone: keep its address, a bookmark will do. It is not shown again, and \
                    nobody can find it without." }
            }
        }
        @if view.purchases.is_empty() { p.dim { "Nothing bought yet." } }
        @for bought in &view.purchases { (purchase(bought)) }
        h2 { "What is linked" }
        ul {
            @for one in &view.identities {
                li { (network_name(&one.network)) ": @" (first_letters(&one.handle)) }
            }
        }
        p { "Card: " (view.card) }
        @if let Some((version, day)) = &view.mandate {
            p.dim { "You agreed to " a href=(format!("/link/mandates/{version}")) { "version " (version) }
                " of the agreement on " (day) "." }
        }
        p { a href=(format!("{}/link", view.path)) { "Link another account of yours" } }
        p { a href="/unlink" { "Unlink, or erase everything" } }
    };
    let page = Page::new("Your purchases by post", body);
    if view.live { page.again(10) } else { page }
}

fn purchase(bought: &Bought) -> Markup {
    let class = match bought.mood {
        Mood::Open => "state",
        Mood::Good => "state good",
        Mood::Bad => "state bad-text",
    };
    html! {
        div.card {
            p { b { (bought.title) } ", " (bought.price) }
            p class=(class) { (bought.state) }
            @if let Some(to_do) = &bought.to_do { p { (to_do) } }
            @if let Some((href, label)) = &bought.action { a.button href=(href) { (label) } }
        }
    }
}
