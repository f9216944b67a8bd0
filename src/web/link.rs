//! Linking, one thought a page: who, where to, the agreement, the card, the proof, the last yes.

use super::layout::{Page, field, text_input};
use super::mandate;
use crate::till::country::{self, Country};
use crate::till::record::LinkPurpose;
use maud::{Markup, html};

/// Steps to a new account.
const STEPS: u32 = 5;

/// What a form shows again after an error.
#[derive(Debug, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    errors: Vec<(String, String)>,
}

impl Form {
    /// With what was typed and what is wrong with it.
    pub fn new(values: Vec<(String, String)>, errors: Vec<(String, String)>) -> Self {
        Self { values, errors }
    }

    /// What was typed.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(known, _)| known == name).map(|(_, error)| error.as_str())
    }

    /// What is wrong, but with none of these fields.
    fn elsewhere(&self, fields: &[&str]) -> Markup {
        html! {
            @for (name, error) in self.errors.iter().filter(|(name, _)| !fields.contains(&name.as_str())) {
                p.error role="alert" { @if !name.is_empty() { (name) " " } (error) }
            }
        }
    }

    fn line(&self, name: &str, label: &str, kind: &str, autocomplete: &str, needed: bool) -> Markup {
        let error = self.error(name);
        let input = text_input(name, kind, self.value(name), autocomplete, needed, error);
        field(name, label, !needed, error, &input)
    }
}

/// How people call a network.
pub fn network_name(slug: &str) -> &str {
    match slug {
        "x" => "X",
        "bluesky" => "Bluesky",
        "mastodon" => "Mastodon",
        "sandbox" => "Sandbox",
        other => other,
    }
}

/// Who are you there?
pub fn who(purpose: LinkPurpose, networks: &[String], action: &str, form: &Form) -> Page {
    let (title, lead) = match purpose {
        LinkPurpose::Link => (
            "Link a card to buy by post",
            "First, where do you post? You will show that the account is yours with one post, at the end.",
        ),
        LinkPurpose::Unlink | LinkPurpose::Erase => (
            "Unlink",
            "Which account is it? You will show that it is yours with one post. Whether anything is linked to it, \
             only its owner is told.",
        ),
    };
    let chosen = form.value("network");
    let body = html! {
        h1 { (title) }
        p { (lead) }
        (form.elsewhere(&["network", "handle"]))
        form method="post" action=(action) {
            (field("network", "Network", false, form.error("network"), &html! {
                select id="network" name="network" required {
                    @for slug in networks {
                        option value=(slug) selected[slug == chosen] { (network_name(slug)) }
                    }
                }
            }))
            (form.line("handle", "Your handle there", "text", "off", true))
            @if purpose != LinkPurpose::Link {
                fieldset.card {
                    legend.dim { "What is to happen?" }
                    label.choice {
                        input type="radio" name="purpose" value="unlink" checked;
                        span { "Unlink this account. With its last linked account, everything is erased." }
                    }
                    label.choice {
                        input type="radio" name="purpose" value="erase";
                        span { "Erase everything: the card, the address, and what else is linked." }
                    }
                }
            }
            button { "Go on" }
        }
        @if purpose == LinkPurpose::Link {
            p.dim { "Linked before? A fresh proof makes a new start: card and address are asked for anew. "
                a href="/unlink" { "Unlink or erase" } "." }
        }
    };
    let page = Page::new(title, body);
    if purpose == LinkPurpose::Link { page.step(1, STEPS) } else { page }
}

/// Somebody else began this: go on in this browser?
pub fn opening(network: &str, handle: &str, action: &str) -> Page {
    let body = html! {
        h1 { "Link a card to buy by post" }
        p { "This goes on for " b { "@" (handle) } " on " (network_name(network)) ", in this browser." }
        p.dim { "Is that not you? Then close this page." }
        form method="post" action=(action) { button { "That is me" } }
    };
    Page::new("Link a card", body)
}

/// Which country?
pub fn country(form: &Form) -> Page {
    let chosen = form.value("country");
    let body = html! {
        h1 { "Where is your parcel to go?" }
        p { "First the country; the rest of the form follows from it." }
        form method="get" action="/link/address" {
            (field("country", "Country", false, form.error("country"), &html! {
                select id="country" name="country" required autocomplete="country" {
                    option value="" { "Please choose" }
                    @for country in country::all() {
                        option value=(country.code) selected[country.code == chosen] { (country.name) }
                    }
                }
            }))
            button { "Go on" }
        }
    };
    Page::new("Your country", body).step(2, STEPS)
}

/// The rest of the address, as that country has it.
pub fn address(country: &Country, form: &Form) -> Page {
    let known = ["name", "line1", "line2", "city", "region", "postal_code", "email"];
    let region = country.region.map(|part| (capital(part.word), part.needed));
    let postal = country.postal.map(|part| (postal_label(part.word), part.needed));
    let body = html! {
        h1 { "Where is your parcel to go?" }
        p { (country.name) ". " a href="/link/address" { "Another country" } }
        (form.elsewhere(&known))
        form method="post" action="/link/address" {
            input type="hidden" name="country" value=(country.code);
            (form.line("name", "Name", "text", "name", true))
            (form.line("line1", "Street and number", "text", "address-line1", true))
            (form.line("line2", "Flat, floor, building", "text", "address-line2", false))
            (form.line("city", "Town", "text", "address-level2", true))
            @if let Some((label, needed)) = &region {
                (form.line("region", label, "text", "address-level1", *needed))
            }
            @if let Some((label, needed)) = &postal {
                (form.line("postal_code", label, "text", "postal-code", *needed))
            }
            (form.line("email", "Email, for the shop's receipts", "email", "email", false))
            button { "Go on" }
        }
    };
    Page::new("Your address", body).step(2, STEPS)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn postal_label(word: &str) -> String {
    match word {
        "zip" => "ZIP code".to_owned(),
        "pin" => "PIN code".to_owned(),
        "eircode" => "Eircode".to_owned(),
        _ => "Postal code".to_owned(),
    }
}

/// The agreement.
pub fn agreement(error: Option<&str>) -> Page {
    let body = html! {
        h1 { "What you agree to" }
        blockquote {
            @for paragraph in mandate::text(mandate::CURRENT).unwrap_or_default() { p { (paragraph) } }
        }
        p.dim { "Version " (mandate::CURRENT) ". What you agree to is kept with the time; "
            a href=(format!("/link/mandates/{}", mandate::CURRENT)) { "this text stays here" } "." }
        form method="post" action="/link/agreement" {
            input type="hidden" name="version" value=(mandate::CURRENT);
            label.choice {
                input type="checkbox" name="agree" value="yes" required aria-invalid=[error.map(|_| "true")];
                span { "I agree." }
            }
            @if let Some(error) = error { p.error role="alert" { (error) } }
            button { "Go on" }
        }
    };
    Page::new("Your agreement", body).step(3, STEPS)
}

/// A text that was agreed to.
pub fn mandate_page(version: u32, text: &[&str]) -> Page {
    let body = html! {
        h1 { "The agreement, version " (version) }
        blockquote { @for paragraph in text { p { (paragraph) } } }
    };
    Page::new(format!("The agreement, version {version}"), body)
}

/// To the gateway's page.
pub fn card(gateway: &str, note: Option<&str>) -> Page {
    let (who, what) = match gateway {
        "stripe" => ("Stripe", "You store it on a page of Stripe's. Its number never comes here."),
        _ => ("the sandbox", "This is a sandbox: you choose a test card, and play money is charged."),
    };
    let body = html! {
        h1 { "Your card" }
        @if let Some(note) = note { p.error role="alert" { (note) } }
        p { (what) " Then you come back." }
        a.button href="/link/card/go" { "Go to " (who) }
    };
    Page::new("Your card", body).step(4, STEPS)
}

/// Where a proof stands.
#[derive(Debug)]
pub enum Proof<'a> {
    /// No code was made, or it is too old.
    None {
        /// Whether there was one.
        too_late: bool,
    },
    /// This hashtag is to be posted.
    Code {
        /// Without its `#`.
        hashtag: &'a str,
        /// Whole minutes that are left, at least 1.
        minutes: i64,
    },
    /// It was posted by this author.
    Seen {
        /// The handle, as the network named it.
        handle: &'a str,
        /// The network's id of the person.
        user_id: &'a str,
    },
}

/// The proof, and the last yes.
pub fn proof(purpose: LinkPurpose, network: &str, handle: &str, stands: &Proof<'_>) -> Page {
    let name = network_name(network);
    let title = match stands {
        Proof::Seen { .. } => "Is this you?",
        _ => "Show that it is you",
    };
    let body = html! {
        h1 { (title) }
        @match stands {
            Proof::None { too_late } => {
                @if *too_late { p.error role="alert" { "The time for that code is over." } }
                p { "You get a hashtag to post as " b { "@" (handle) } " on " (name) ", once, within 10 minutes. \
                    You can delete the post afterwards." }
                form method="post" action="/link/code" { button { "Get the hashtag" } }
            }
            Proof::Code { hashtag, minutes } => {
                p { "Post this as " b { "@" (handle) } " on " (name) ":" }
                span.code { "#" (hashtag) }
                p { "It has to be a post of its own, no repost and no quote. " (minutes)
                    @if *minutes == 1 { " minute" } @else { " minutes" } " left." }
                p role="status" { "Waiting for your post. This page looks again by itself." }
                a.button href="/link/proof" { "Look again" }
                form.inline method="post" action="/link/code" { button.plain { "Another hashtag" } }
            }
            Proof::Seen { handle, user_id } => {
                p { "Your post was seen:" }
                div.card { dl {
                    dt { "Network" } dd { (name) }
                    dt { "Handle" } dd { "@" (handle.trim_start_matches('@')) }
                    dt { "Id there" } dd { (user_id) }
                } }
                form method="post" action="/link/confirm" {
                    @match purpose {
                        LinkPurpose::Link => { button { "Yes, link it" } }
                        LinkPurpose::Unlink => { button.bad { "Yes, unlink it" } }
                        LinkPurpose::Erase => { button.bad { "Yes, erase everything" } }
                    }
                }
            }
        }
        form method="post" action="/link/cancel" { button.plain { "Stop" } }
    };
    let page = Page::new(title, body);
    let page = if purpose == LinkPurpose::Link { page.step(5, STEPS) } else { page };
    if matches!(stands, Proof::Code { .. }) { page.again(4) } else { page }
}
