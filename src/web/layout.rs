//! What buyers' pages share: the frame, the style, a message, an error.

use super::assets;
use crate::till::time::Time;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of every page. A page's policy names it by its hash.
pub const STYLE: &str = include_str!("style.css");

/// The script that counts down, copies and looks again.
const SCRIPT: &str = "buyer.js";

/// A page.
#[derive(Debug)]
pub struct Page {
    /// What the browser's tab says.
    pub title: String,
    /// Which step of how many, at the top.
    pub step: Option<(u32, u32)>,
    /// Look again by itself after so many seconds, and what the till's clock says.
    again: Option<(u32, Time)>,
    /// Whether a script does what a form cannot. The page works without it.
    scripted: bool,
    /// Whether its address is a secret.
    private: bool,
    /// What it is about.
    pub body: Markup,
}

impl Page {
    /// A page of this title.
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), step: None, again: None, scripted: false, private: false, body }
    }

    /// The same as a step of some.
    #[must_use]
    pub fn step(self, number: u32, of: u32) -> Self {
        Self { step: Some((number, of)), ..self }
    }

    /// The same, looking again by itself: without losing one's place where scripts run, as a whole where not.
    #[must_use]
    pub fn again(self, seconds: u32, now: Time) -> Self {
        Self { again: Some((seconds, now)), scripted: true, ..self }
    }

    /// The same, where nobody is to learn its address.
    #[must_use]
    pub fn private(self) -> Self {
        Self { private: true, ..self }
    }

    /// The same after something was typed wrong.
    #[must_use]
    pub fn wrong(self, wrong: bool) -> Self {
        if wrong { Self { title: format!("Error: {}", self.title), ..self } } else { self }
    }

    /// Whether it needs a policy with the script in it.
    pub fn is_scripted(&self) -> bool {
        self.scripted
    }

    /// Whether its address is a secret.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// The whole document.
    pub fn render(&self) -> String {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    @if let Some((seconds, _)) = self.again {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                    title { (self.title) }
                    link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                    style { (PreEscaped(STYLE)) }
                    @if self.scripted { script type="module" src=(assets::path(SCRIPT)) {} }
                }
                body {
                    header {
                        span.brand { img src=(assets::path("icon.svg")) alt="" width="24" height="24"; "Pay by post" }
                        @if let Some((number, of)) = self.step { (steps(number, of)) }
                    }
                    main data-again=[self.again.map(|(seconds, _)| seconds)]
                        data-now=[self.again.map(|(_, now)| now)] { (self.body) }
                    @if self.scripted {
                        p #said .unseen role="status" {}
                        p #away .away role="status" hidden {
                            "The till does not answer right now. This page is brought up to date as soon as it does."
                        }
                    }
                }
            }
        };
        document.into_string()
    }
}

/// How far one is.
fn steps(number: u32, of: u32) -> Markup {
    html! {
        span.steps {
            span.bar aria-hidden="true" { @for step in 1..=of { i.on[step <= number] {} } }
            "Step " (number) " of " (of)
        }
    }
}

/// Something that can be copied at a click where scripts run; nothing to copy: the page's own address.
pub fn copied(text: &str, label: &str, shown: &Markup) -> Markup {
    html! { div.copy data-copy=(text) data-label=(label) { (shown) } }
}

/// So long, in whole minutes: `8 minutes`. A script makes a clock of it that runs.
pub fn left(until: Time, now: Time) -> Markup {
    let minutes = until.ms_since(now).max(0).saturating_add(59_999) / 60_000;
    html! {
        b.clock role="timer" data-until=(until) { (minutes) @if minutes == 1 { " minute" } @else { " minutes" } }
    }
}

/// A time of the day: `14:05 UTC`, or what that is here, where scripts run.
pub fn minute(at: Time) -> Markup {
    let text = at.to_string().get(11..16).map_or_else(String::new, |time| format!("{time} UTC"));
    html! { time datetime=(at) data-as="minute" { (text) } }
}

/// A day.
pub fn day(at: Time) -> Markup {
    let (year, month, day) = at.date();
    html! { time datetime=(at) data-as="day" { (format!("{year:04}-{month:02}-{day:02}")) } }
}

/// A page that says one thing, with a way on.
pub fn message(title: &str, text: &str, on: Option<(&str, &str)>) -> Page {
    let body = html! {
        h1 { (title) }
        p { (text) }
        @if let Some((href, label)) = on {
            a.button href=(href) { (label) }
        }
    };
    Page::new(title, body)
}

/// A page about what went wrong.
pub fn error_page(title: &str, detail: &str, request_id: &str, on: Option<(&str, &str)>) -> Page {
    let page = message(title, detail, on);
    let body = html! {
        (page.body)
        p.dim { small { "Request " (request_id) } }
    };
    Page::new(title, body)
}

/// A field of a form, with its error beside it.
pub fn field(name: &str, label: &str, error: Option<&str>, input: &Markup) -> Markup {
    html! {
        div.field.wrong[error.is_some()] {
            label for=(name) { (label) }
            @if let Some(error) = error { (wrong(name, label, error)) }
            (input)
        }
    }
}

/// What is wrong with a field.
pub fn wrong(name: &str, label: &str, error: &str) -> Markup {
    html! { p.error id=(format!("{name}-error")) { (label) " " (error) "." } }
}

/// A line to type into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// As the form calls it.
    pub name: &'a str,
    /// As people read it.
    pub label: &'a str,
    /// `text`, `email`, …
    pub kind: &'a str,
    /// What browsers fill in.
    pub autocomplete: &'a str,
    /// What was typed.
    pub value: &'a str,
    /// What helps with it.
    pub hint: Option<&'a str>,
    /// Whether it may be left out.
    pub optional: bool,
    /// What is wrong with it.
    pub error: Option<&'a str>,
    /// Whether the cursor is to be there.
    pub first: bool,
}

/// The line, with its label, its hint and its error.
pub fn line(line: &Line<'_>) -> Markup {
    let Line { name, label, error, .. } = *line;
    let ids = [line.hint.map(|_| format!("{name}-hint")), error.map(|_| format!("{name}-error"))];
    let about = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let plain = line.autocomplete == "off";
    html! {
        div.field.wrong[error.is_some()] {
            label for=(name) { (label) @if line.optional { " " span.dim { "(optional)" } } }
            @if let Some(hint) = line.hint { p.hint id=(format!("{name}-hint")) { (hint) } }
            @if let Some(error) = error { (wrong(name, label, error)) }
            input type=(line.kind) id=(name) name=(name) value=(line.value) autocomplete=(line.autocomplete)
                required[!line.optional] autofocus[line.first]
                autocapitalize=[plain.then_some("none")] spellcheck=[plain.then_some("false")]
                aria-invalid=[error.map(|_| "true")] aria-describedby=[(!about.is_empty()).then_some(about)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let evil = "\"><script>alert('x')</script>&";
        let input = line(&Line { name: "a", label: evil, value: evil, error: Some(evil), ..Line::default() });
        let page = Page::new(evil, html! { (input) p { (evil) } });
        let text = page.render();
        assert!(!text.contains("<script") && text.contains("&quot;&gt;&lt;script"), "{text}");
    }
}
