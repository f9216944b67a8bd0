//! The frame of a page that scripts fill: the console, the playground.

use super::assets;
use maud::{DOCTYPE, html};

/// Which page.
#[derive(Clone, Copy, Debug)]
pub struct App {
    /// What the browser's tab says.
    pub title: &'static str,
    /// What it is, for who looks at it without scripts, in a sentence.
    pub about: &'static str,
    /// Its styles, in their order.
    pub styles: &'static [&'static str],
    /// The script that begins.
    pub script: &'static str,
    /// The scripts that it will ask for: the browser fetches them at once.
    pub modules: &'static [&'static str],
}

/// The whole document.
pub fn render(app: &App) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (app.title) }
                link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                @for style in app.styles { link rel="stylesheet" href=(assets::path(style)); }
                @for module in app.modules { link rel="modulepreload" href=(assets::path(module)); }
                script type="module" src=(assets::path(app.script)) {}
            }
            body {
                div id="app" {
                    noscript { p.noscript { (app.about) " It needs scripts, which are switched off here." } }
                }
            }
        }
    };
    document.into_string()
}
