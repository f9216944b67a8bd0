//! The sandbox's stand-in for a gateway's page on which a card is stored: test cards to choose from.
//!
//! Pages live in memory only and not for ever: whoever comes back too late, or after a restart, begins again.

use super::Setup;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pages that are kept at once; the oldest makes way.
const PAGES_MAX: usize = 10_000;

/// A test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestCard {
    /// Its token.
    pub token: &'static str,
    /// `visa`, …
    pub brand: &'static str,
    /// The last four digits.
    pub last4: &'static str,
    /// What it does.
    pub about: &'static str,
}

const fn card(
    token: &'static str,
    brand: &'static str,
    last4: &'static str,
    about: &'static str,
) -> TestCard {
    TestCard { token, brand, last4, about }
}

/// The test cards.
pub const CARDS: &[TestCard] = &[
    card("tok_visa", "visa", "4242", "pays"),
    card("tok_mastercard", "mastercard", "4444", "pays"),
    card("tok_amex", "amex", "0005", "pays"),
    card("tok_declined", "visa", "0002", "is declined"),
    card("tok_insufficient_funds", "visa", "9995", "has too little on it"),
    card("tok_timeout", "visa", "0119", "pays, but its answer is late"),
    card("tok_authenticate", "visa", "3155", "wants its owner to allow each charge"),
];

/// A page as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayPage {
    /// Where the browser goes to go back.
    pub cancel_url: String,
    /// Whether a card was chosen: then it is used up.
    pub used: bool,
}

/// What was chosen on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// There is no such page.
    NoPage,
    /// Nothing yet.
    Nothing,
    /// The card of this token.
    Card(String),
}

#[derive(Debug)]
struct Page {
    setup: Setup,
    chosen: Option<String>,
}

#[derive(Debug, Default)]
struct Shelf {
    pages: HashMap<String, Page>,
    by_key: HashMap<String, String>,
    ages: VecDeque<String>,
}

/// The pages, by a reference that nobody can guess.
#[derive(Debug, Default)]
pub struct Pages(Mutex<Shelf>);

impl Pages {
    fn kept(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page for this key, the same one each time; `None` where the system has no randomness.
    pub fn begin(&self, setup: &Setup) -> Option<String> {
        let mut kept = self.kept();
        if let Some(known) = kept.by_key.get(&setup.key) {
            return Some(known.clone());
        }
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).ok()?;
        let reference = random.iter().fold("set_".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        if kept.ages.len() >= PAGES_MAX
            && let Some(oldest) = kept.ages.pop_front()
            && let Some(page) = kept.pages.remove(&oldest)
        {
            kept.by_key.remove(&page.setup.key);
        }
        kept.ages.push_back(reference.clone());
        kept.by_key.insert(setup.key.clone(), reference.clone());
        kept.pages.insert(reference.clone(), Page { setup: setup.clone(), chosen: None });
        Some(reference)
    }

    /// The page of this reference.
    pub fn find(&self, reference: &str) -> Option<PlayPage> {
        let kept = self.kept();
        let page = kept.pages.get(reference)?;
        Some(PlayPage { cancel_url: page.setup.cancel_url.clone(), used: page.chosen.is_some() })
    }

    /// Keeps the choice; returns where the browser goes. `None`: there is no such page, or it is used up.
    pub fn choose(&self, reference: &str, token: &str) -> Option<String> {
        let mut kept = self.kept();
        let page = kept.pages.get_mut(reference).filter(|page| page.chosen.is_none())?;
        page.chosen = Some(token.to_owned());
        Some(page.setup.return_url.clone())
    }

    /// What was chosen on the page that was begun under this key.
    pub fn chosen(&self, reference: &str, key: &str) -> Chosen {
        let kept = self.kept();
        match kept.pages.get(reference).filter(|page| page.setup.key == key) {
            None => Chosen::NoPage,
            Some(page) => page.chosen.clone().map_or(Chosen::Nothing, Chosen::Card),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(key: &str) -> Setup {
        Setup { key: key.to_owned(), return_url: format!("/back/{key}"), cancel_url: "/no".to_owned() }
    }

    #[test]
    fn a_page_takes_one_card_and_belongs_to_its_key() {
        let pages = Pages::default();
        let page = pages.begin(&setup("a")).unwrap();
        assert_eq!(pages.begin(&setup("a")), Some(page.clone()));
        assert_ne!(pages.begin(&setup("b")), Some(page.clone()));
        assert_eq!(pages.chosen(&page, "a"), Chosen::Nothing);
        assert_eq!(pages.chosen(&page, "b"), Chosen::NoPage);
        assert_eq!(pages.choose(&page, "tok_visa"), Some("/back/a".to_owned()));
        assert_eq!(pages.choose(&page, "tok_amex"), None);
        assert_eq!(pages.chosen(&page, "a"), Chosen::Card("tok_visa".to_owned()));
        assert!(pages.find(&page).unwrap().used);
        assert_eq!(pages.find("set_0"), None);
    }
}
