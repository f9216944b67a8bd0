//! What all pages share: the frame, the style, a message, an error.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of every page. A page's policy names it by its hash.
pub const STYLE: &str = include_str!("style.css");

/// A page.
#[derive(Debug)]
pub struct Page {
    /// What the browser's tab says.
    pub title: String,
    /// What stands at the top, on the right: `2 of 5`.
    pub step: Option<String>,
    /// Look again by itself after so many seconds.
    pub again_seconds: Option<u32>,
    /// What it is about.
    pub body: Markup,
}

impl Page {
    /// A page of this title.
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), step: None, again_seconds: None, body }
    }

    /// The same as a step of some.
    #[must_use]
    pub fn step(self, number: u32, of: u32) -> Self {
        Self { step: Some(format!("Step {number} of {of}")), ..self }
    }

    /// The same, looking again by itself.
    #[must_use]
    pub fn again(self, seconds: u32) -> Self {
        Self { again_seconds: Some(seconds), ..self }
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
                    @if let Some(seconds) = self.again_seconds {
                        meta http-equiv="refresh" content=(seconds);
                    }
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        span { "Pay by post" }
                        @if let Some(step) = &self.step {
                            span.steps { (step) }
                        }
                    }
                    main { (self.body) }
                }
            }
        };
        document.into_string()
    }
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
pub fn field(name: &str, label: &str, optional: bool, error: Option<&str>, input: &Markup) -> Markup {
    html! {
        label for=(name) {
            (label)
            @if optional { " " span.dim { "(optional)" } }
        }
        (input)
        @if let Some(error) = error {
            p.error id=(format!("{name}-error")) role="alert" { (label) " " (error) "." }
        }
    }
}

/// A line to type into.
pub fn text_input(
    name: &str,
    kind: &str,
    value: &str,
    autocomplete: &str,
    needed: bool,
    error: Option<&str>,
) -> Markup {
    let described = error.map(|_| format!("{name}-error"));
    html! {
        input type=(kind) id=(name) name=(name) value=(value) autocomplete=(autocomplete) required[needed]
            autocapitalize=[(autocomplete == "off").then_some("none")]
            aria-invalid=[error.map(|_| "true")] aria-describedby=[described];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let evil = "\"><script>alert('x')</script>&";
        let input = text_input("a", "text", evil, "off", true, Some(evil));
        let page = Page::new(evil, html! { (field("a", evil, false, Some(evil), &input)) p { (evil) } });
        let text = page.render();
        assert!(!text.contains("<script") && text.contains("&quot;&gt;&lt;script"), "{text}");
    }
}
