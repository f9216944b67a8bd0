//! Linking, one thought a page: who, where to, the agreement, the card, the proof, the last yes.

use super::layout::{self, Line, Page, copied, field, left, minute};
use super::mandate;
use crate::till::country::{self, Country};
use crate::till::record::LinkPurpose;
use crate::till::time::Time;
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

    /// Whether anything is wrong.
    fn is_wrong(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What is wrong, but with none of these fields.
    fn elsewhere(&self, fields: &[&str]) -> Markup {
        html! {
            @for (name, error) in self.errors.iter().filter(|(name, _)| !fields.contains(&name.as_str())) {
                p.error role="alert" { @if !name.is_empty() { (name) " " } (error) }
            }
        }
    }

    /// The line of this name; of all that are wrong, the cursor is in the first one. `order`: how they follow each other.
    fn line<'a>(&'a self, order: &[&str], line: Line<'a>) -> Markup {
        let first = order.iter().find(|name| self.error(name).is_some());
        layout::line(&Line {
            value: self.value(line.name),
            error: self.error(line.name),
            first: first == Some(&line.name),
            ..line
        })
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

/// What a handle looks like there.
fn example(slug: &str) -> Option<&'static str> {
    match slug {
        "x" => Some("@ada on X"),
        "bluesky" => Some("ada.bsky.social on Bluesky"),
        "mastodon" => Some("@ada@social.example on Mastodon"),
        _ => None,
    }
}

/// Back to the screen before.
fn back(href: &str) -> Markup {
    html! { a.back href=(href) { span aria-hidden="true" { "‹ " } "Back" } }
}

/// Leaves it all.
fn stop(purpose: LinkPurpose) -> Markup {
    html! {
        form.stop method="post" action="/link/cancel" {
            button.plain { @if purpose == LinkPurpose::Link { "Stop, and forget what I typed" } @else { "Stop" } }
        }
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
    let order = ["network", "handle"];
    let examples: Vec<_> = networks.iter().filter_map(|slug| example(slug)).collect();
    let hint = format!("For example {}.", examples.join(", "));
    let handle = Line {
        name: "handle",
        label: "Your handle there",
        kind: "text",
        autocomplete: "off",
        hint: (!examples.is_empty()).then_some(hint.as_str()),
        ..Line::default()
    };
    let body = html! {
        h1 { (title) }
        p.lead { (lead) }
        (form.elsewhere(&order))
        form method="post" action=(action) novalidate {
            (which_network(networks, form))
            (form.line(&order, handle))
            @if purpose != LinkPurpose::Link {
                fieldset.choices {
                    legend { "What is to happen?" }
                    label.choice {
                        input type="radio" name="purpose" value="unlink" checked[purpose != LinkPurpose::Erase];
                        span { b { "Unlink this account" } br;
                            span.dim { "With its last linked account, everything is erased." } }
                    }
                    label.choice {
                        input type="radio" name="purpose" value="erase" checked[purpose == LinkPurpose::Erase];
                        span { b { "Erase everything" } br;
                            span.dim { "The card, the address, and what else is linked." } }
                    }
                }
            }
            button { "Go on" }
        }
        @if purpose == LinkPurpose::Link {
            p.foot { "Linked before? A fresh proof makes a new start: card and address are asked for anew. "
                a href="/unlink" { "Unlink or erase" } "." }
        }
    };
    let page = Page::new(title, body).wrong(form.is_wrong());
    // Under a private page's address, that one is a secret.
    let page = if action.starts_with("/p/") { page.private() } else { page };
    if purpose == LinkPurpose::Link { page.step(1, STEPS) } else { page }
}

/// The only network there is, or a choice.
fn which_network(networks: &[String], form: &Form) -> Markup {
    if let [only] = networks {
        return html! {
            @if let Some(error) = form.error("network") { (layout::wrong("network", "Network", error)) }
            input type="hidden" name="network" value=(only);
            p { "Your account on " b { (network_name(only)) } "." }
        };
    }
    let (chosen, error) = (form.value("network"), form.error("network"));
    html! {
        fieldset.choices.wrong[error.is_some()] aria-describedby=[error.map(|_| "network-error")] {
            legend { "Network" }
            @if let Some(error) = error { (layout::wrong("network", "Network", error)) }
            @for (i, slug) in networks.iter().enumerate() {
                label.choice {
                    input type="radio" name="network" value=(slug) required checked[slug == chosen]
                        autofocus[error.is_some() && i == 0] aria-invalid=[error.map(|_| "true")];
                    span { (network_name(slug)) }
                }
            }
        }
    }
}

/// Somebody else began this: go on in this browser?
pub fn opening(purpose: LinkPurpose, network: &str, handle: &str, action: &str) -> Page {
    let title = match purpose {
        LinkPurpose::Link => "Link a card to buy by post",
        LinkPurpose::Unlink => "Unlink your account",
        LinkPurpose::Erase => "Erase everything that is linked",
    };
    let body = html! {
        h1 { (title) }
        p.lead { "This goes on for " b { "@" (handle) } " on " (network_name(network)) ", in this browser." }
        form method="post" action=(action) { button { "That is me" } }
        p.foot { "Is that not you? Then close this page." }
    };
    Page::new(title, body).private()
}

/// Which country?
pub fn country(form: &Form) -> Page {
    let chosen = form.value("country");
    let body = html! {
        (back("/link"))
        h1 { "Where is your parcel to go?" }
        p.lead { "First the country; the rest of the form follows from it." }
        form method="get" action="/link/address" novalidate {
            (field("country", "Country", form.error("country"), &html! {
                select id="country" name="country" required autocomplete="country" autofocus[form.is_wrong()]
                    aria-invalid=[form.error("country").map(|_| "true")]
                    aria-describedby=[form.error("country").map(|_| "country-error")] {
                    option value="" { "Please choose" }
                    @for country in country::all() {
                        option value=(country.code) selected[country.code == chosen] { (country.name) }
                    }
                }
            }))
            button { "Go on" }
        }
        (stop(LinkPurpose::Link))
    };
    Page::new("Your country", body).wrong(form.is_wrong()).step(2, STEPS)
}

/// The rest of the address, as that country has it.
pub fn address(country: &Country, form: &Form) -> Page {
    let order = ["name", "line1", "line2", "city", "region", "postal_code", "email"];
    let region = country.region.map(|part| (capital(part.word), part.needed));
    let postal = country.postal.map(|part| (postal_label(part.word), part.needed));
    let line = |name, label, autocomplete, needed: bool| {
        let kind = if name == "email" { "email" } else { "text" };
        form.line(&order, Line { name, label, kind, autocomplete, optional: !needed, ..Line::default() })
    };
    let body = html! {
        (back("/link/address"))
        h1 { "Where is your parcel to go?" }
        p.lead { (country.name) ". " a href="/link/address" { "Another country" } }
        (form.elsewhere(&order))
        form method="post" action="/link/address" novalidate {
            input type="hidden" name="country" value=(country.code);
            (line("name", "Name", "name", true))
            (line("line1", "Street and number", "address-line1", true))
            (line("line2", "Flat, floor, building", "address-line2", false))
            (line("city", "Town", "address-level2", true))
            @if let Some((label, needed)) = &region { (line("region", label, "address-level1", *needed)) }
            @if let Some((label, needed)) = &postal { (line("postal_code", label, "postal-code", *needed)) }
            (line("email", "Email, for the shop's receipts", "email", false))
            button { "Go on" }
        }
        (stop(LinkPurpose::Link))
    };
    Page::new("Your address", body).wrong(form.is_wrong()).step(2, STEPS)
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

/// The agreement. `country`: where the address before it is.
pub fn agreement(country: &str, error: Option<&str>) -> Page {
    let body = html! {
        (back(&format!("/link/address?country={country}")))
        h1 { "What you agree to" }
        blockquote {
            @for paragraph in mandate::text(mandate::CURRENT).unwrap_or_default() { p { (paragraph) } }
        }
        p.dim { "Version " (mandate::CURRENT) ". What you agree to is kept with the time; "
            a href=(format!("/link/mandates/{}", mandate::CURRENT)) { "this text stays here" } "." }
        form method="post" action="/link/agreement" novalidate {
            input type="hidden" name="version" value=(mandate::CURRENT);
            div.choices.wrong[error.is_some()] {
                @if let Some(error) = error { p.error id="agree-error" { (error) } }
                label.choice {
                    input type="checkbox" name="agree" value="yes" required autofocus[error.is_some()]
                        aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "agree-error")];
                    span { b { "I agree" } }
                }
            }
            button { "Go on" }
        }
        (stop(LinkPurpose::Link))
    };
    Page::new("Your agreement", body).wrong(error.is_some()).step(3, STEPS)
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
        (back("/link/agreement"))
        h1 { "Your card" }
        @if let Some(note) = note { p.error role="alert" { (note) } }
        p.lead { (what) " Then you come back." }
        p.dim { "Nothing is charged now. Your card is charged only for what you confirm by post." }
        a.button href="/link/card/go" { "Go to " (who) }
        (stop(LinkPurpose::Link))
    };
    Page::new("Your card", body).wrong(note.is_some()).step(4, STEPS)
}

/// Where a proof stands.
#[derive(Debug)]
pub enum Proof<'a> {
    /// No code was made, or it is too old.
    None {
        /// Whether there was one.
        too_late: bool,
    },
    /// This is to be posted.
    Code {
        /// Word for word.
        text: &'a str,
        /// Until when.
        until: Time,
        /// What the till's clock says.
        now: Time,
        /// Where a post is prepared.
        prepared: Option<String>,
        /// Where another account has to post it, too: whether it has, and whether the one that is named has.
        voucher: Option<(bool, bool)>,
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
    let (title, body) = match stands {
        Proof::None { too_late } => ("Show that it is you", before_code(name, handle, *too_late)),
        Proof::Code { text, until, now, prepared, voucher } => {
            let way = prepared.as_deref();
            ("Show that it is you", code(name, handle, text, (*until, *now), way, *voucher))
        }
        Proof::Seen { handle, user_id } => ("Is this you?", seen(purpose, name, handle, user_id)),
    };
    let body = html! { h1 { (title) } (body) (stop(purpose)) };
    let page = Page::new(title, body);
    let page = if purpose == LinkPurpose::Link { page.step(5, STEPS) } else { page };
    match stands {
        Proof::Code { now, .. } => page.again(4, *now),
        Proof::None { too_late } => page.wrong(*too_late),
        Proof::Seen { .. } => page,
    }
}

fn before_code(network: &str, handle: &str, too_late: bool) -> Markup {
    html! {
        @if too_late { p.error role="alert" { "The time for that code is over." } }
        p.lead { "You get a hashtag to post as " b { "@" (handle) } " on " (network) ", once, within 10 minutes." }
        p.dim { "You can delete the post afterwards." }
        form method="post" action="/link/code" { button { "Get the hashtag" } }
    }
}

fn code(
    network: &str,
    handle: &str,
    text: &str,
    (until, now): (Time, Time),
    prepared: Option<&str>,
    voucher: Option<(bool, bool)>,
) -> Markup {
    html! {
        p.lead { "Post this as " b { "@" (handle) } " on " (network)
            @if voucher.is_some() { ", and also from an account of yours that is linked already" }
        ":" }
        div.card {
            (copied(text, "Copy", &html! { span.code { (text) } }))
            @if let Some(href) = prepared {
                p { a.button href=(href) target="_blank" rel="noopener noreferrer" { "Post it on " (network) } }
            }
            p.left { (left(until, now)) span { "left, until " (minute(until)) } }
        }
        p.waits data-part="waits" role="status" {
            span.dot aria-hidden="true" {}
            span { @match voucher {
                Some((true, false)) => { "The post from your linked account was seen. Waiting for the other one." }
                Some((false, true)) => { "The post from @" (handle) " was seen. Waiting for the other one." }
                Some(_) => { "Waiting for both posts." }
                None => { "Waiting for your post." }
            }
            " This page looks again by itself." }
        }
        p.dim { "It has to be a post of its own, no repost and no quote. You can delete it afterwards." }
        div.row {
            a.button.second href="/link/proof" { "Look again" }
            form.inline method="post" action="/link/code" { button.plain { "Another hashtag" } }
        }
    }
}

fn seen(purpose: LinkPurpose, network: &str, handle: &str, user_id: &str) -> Markup {
    html! {
        p.lead { "Your post was seen:" }
        div.card { dl {
            dt { "Network" } dd { (network) }
            dt { "Handle" } dd { b { "@" (handle.trim_start_matches('@')) } }
            dt { "Id there" } dd { (user_id) }
        } }
        form method="post" action="/link/confirm" {
            @match purpose {
                LinkPurpose::Link => { button { "Yes, link it" } }
                LinkPurpose::Unlink => { button.bad { "Yes, unlink it" } }
                LinkPurpose::Erase => { button.bad { "Yes, erase everything" } }
            }
        }
        form method="post" action="/link/code" { button.plain { "No, that is not me: another hashtag" } }
    }
}
