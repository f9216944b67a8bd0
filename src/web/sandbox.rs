//! The sandbox's stand-ins for pages of a gateway's.

use super::layout::Page;
use maud::html;

/// A test card to choose.
#[derive(Debug)]
pub struct Card<'a> {
    /// Its token.
    pub token: &'a str,
    /// `visa`, …
    pub brand: &'a str,
    /// The last four digits.
    pub last4: &'a str,
    /// What it does.
    pub about: &'a str,
}

/// Choose a test card.
pub fn cards(cards: &[Card<'_>], action: &str, cancel_url: &str) -> Page {
    let body = html! {
        h1 { "Choose a test card" }
        p.lead { "In a sandbox this stands where the gateway's page would be. No money moves." }
        form method="post" action=(action) {
            fieldset.choices {
                legend { "Test cards" }
                @for (i, card) in cards.iter().enumerate() {
                    label.choice {
                        input type="radio" name="card" value=(card.token) checked[i == 0] required;
                        span { b { (card.brand) " …" (card.last4) } " " (card.about) }
                    }
                }
            }
            button { "Store this card" }
        }
        p { a href=(cancel_url) { "Back" } }
    };
    Page::new("Test cards", body)
}

/// The bank asks the card's owner.
pub fn owner(amount: &str, action: &str) -> Page {
    let body = html! {
        h1 { "Allow this charge?" }
        p.lead { "In a sandbox this stands where the bank's page would be. No money moves." }
        p.price { (amount) }
        form method="post" action=(action) {
            div.row {
                button name="answer" value="allow" { "Allow it" }
                button.bad name="answer" value="refuse" { "Refuse it" }
            }
        }
    };
    Page::new("Allow this charge?", body)
}
