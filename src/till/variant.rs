//! Sizes, colours and amounts: what an offer may list, and what a post asks for in its own words.

use super::check;
use super::command::Variant;
use super::money::{AMOUNT_MAX, Money};
use super::record::{OfferRecord, StockRecord, VariantRecord};
use super::refusal::{Refusal, Result};
use super::text::{check_plain, fold};
use std::collections::BTreeSet;

/// The most variants of one offer.
const VARIANTS_MAX: usize = 100;
/// The most synonyms of one variant.
const SYNONYMS_MAX: usize = 50;
/// The longest name or synonym, in characters.
const NAME_CHARACTERS_MAX: usize = 40;
/// Words of a post beyond this many are not looked at.
const WORDS_MAX: usize = 1000;
/// What parts words, beside spaces.
const PARTS: &str = ",;:!?/|()\"-–—…、。，／！？";
/// The most units of one purchase.
pub const UNITS_MAX: u32 = 1000;

/// What a post asks for beside its hashtag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'o> {
    /// Which variant; `None`: the offer has none.
    pub variant: Option<&'o VariantRecord>,
    /// How many units are asked for.
    pub asked: u32,
}

/// Checks the variants of an offer and what one purchase may have of them.
///
/// # Errors
/// A refusal that names the field.
pub fn check_all(variants: &[Variant], price: Money, max_per_purchase: u32) -> Result<()> {
    check::within("max_per_purchase", u64::from(max_per_purchase), 1, u64::from(UNITS_MAX))?;
    if variants.len() > VARIANTS_MAX {
        return Err(Refusal::invalid("variants", format!("must be at most {VARIANTS_MAX}")).into());
    }
    check_total("price", price, max_per_purchase)?;
    let mut taken = BTreeSet::new();
    for (i, variant) in variants.iter().enumerate() {
        let field = |name: &str| format!("variants[{i}].{name}");
        if let Some(own) = variant.price {
            check::money(&field("price"), own)?;
            if own.currency != price.currency {
                let detail = "must be the currency of the offer's price";
                return Err(Refusal::invalid(field("price.currency"), detail).into());
            }
            check_total(&field("price"), own, max_per_purchase)?;
        }
        if variant.synonyms.len() > SYNONYMS_MAX {
            let detail = format!("must be at most {SYNONYMS_MAX}");
            return Err(Refusal::invalid(field("synonyms"), detail).into());
        }
        // Two names of one variant may say the same, those of two may not.
        let mut own = BTreeSet::new();
        let synonyms = (0..).zip(&variant.synonyms).map(|(n, word)| (field(&format!("synonyms[{n}]")), word));
        for (field, name) in std::iter::once((field("name"), &variant.name)).chain(synonyms) {
            check_name(&field, name)?;
            let words: BTreeSet<_> = words(name).collect();
            if taken.contains(&words) {
                return Err(Refusal::invalid(field, "says the same as another variant").into());
            }
            own.insert(words);
        }
        taken.extend(own);
    }
    Ok(())
}

/// A purchase of as many units as one may have must be chargeable.
fn check_total(field: &str, price: Money, max_per_purchase: u32) -> Result<()> {
    match price.times(max_per_purchase) {
        Some(_) => Ok(()),
        None => {
            let detail = format!("must be such that {max_per_purchase} cost at most {AMOUNT_MAX}");
            Err(Refusal::invalid(format!("{field}.amount"), detail).into())
        }
    }
}

fn check_name(field: &str, name: &str) -> Result<()> {
    check::text(field, name, NAME_CHARACTERS_MAX)?;
    check_plain(name).map_err(|why| Refusal::invalid(field, why.to_string()))?;
    if words(name).next().is_none() {
        return Err(Refusal::invalid(field, "must have a letter or a digit").into());
    }
    if name.trim() != name {
        return Err(Refusal::invalid(field, "must not begin or end with a space").into());
    }
    Ok(())
}

impl VariantRecord {
    /// What is written down of a variant.
    pub fn of(variant: &Variant) -> Self {
        let Variant { name, synonyms, price, .. } = variant.clone();
        Self { name, synonyms, price }
    }
}

impl OfferRecord {
    /// What a unit of a variant costs.
    pub fn unit_price(&self, variant: Option<&VariantRecord>) -> Money {
        variant.and_then(|variant| variant.price).unwrap_or(self.price)
    }

    /// What a post asks for; `None`: it names no variant, or more than one.
    pub fn choice(&self, text: &str) -> Option<Choice<'_>> {
        if self.variants.is_empty() && self.max_per_purchase == 1 {
            return Some(Choice { variant: None, asked: 1 });
        }
        let said: Vec<String> = words(text).take(WORDS_MAX).collect();
        let variant = match self.variants.as_slice() {
            [] => None,
            [only] => Some(only),
            _ => Some(self.named(&said)?),
        };
        // A size such as `2X` is no amount.
        let sizes: BTreeSet<String> = self.variants.iter().flat_map(names).flat_map(words).collect();
        let amounts = said.iter().filter(|word| !sizes.contains(*word)).filter_map(|word| amount(word));
        Some(Choice { variant, asked: amounts.min().unwrap_or(1) })
    }

    /// The variant of which most words are said, if it is one alone.
    fn named(&self, said: &[String]) -> Option<&VariantRecord> {
        let mut best: (usize, Option<&VariantRecord>) = (0, None);
        for variant in &self.variants {
            let said_of = |name| {
                let words: BTreeSet<String> = words(name).collect();
                if words.iter().all(|word| said.contains(word)) { words.len() } else { 0 }
            };
            let score = names(variant).map(said_of).max().unwrap_or(0);
            if score > best.0 {
                best = (score, Some(variant));
            } else if score == best.0 {
                best.1 = None;
            }
        }
        best.1
    }

    /// The variants that can be had now, for a reply that lists them; all of them where others would have to wait.
    pub fn choices(&self, stock: &StockRecord) -> Vec<&str> {
        let free = |variant: &&VariantRecord| {
            self.waitlist || stock.for_newcomers(Some(&variant.name)).is_none_or(|free| free > 0)
        };
        self.variants.iter().filter(free).map(|variant| variant.name.as_str()).collect()
    }
}

fn names(variant: &VariantRecord) -> impl Iterator<Item = &str> {
    std::iter::once(variant.name.as_str()).chain(variant.synonyms.iter().map(String::as_str))
}

/// The words of a text, folded, without hashtags, mentions and links.
fn words(text: &str) -> impl Iterator<Item = String> {
    let part = |c: char| c.is_whitespace() || PARTS.contains(c);
    text.split_whitespace()
        .filter(|chunk| !chunk.contains("://") && !chunk.starts_with('@') && !chunk.starts_with('＠'))
        .flat_map(move |chunk| chunk.split(part))
        .filter(|word| !word.contains(['#', '＃', '@', '＠']))
        .map(|word| fold(word.trim_matches(|c: char| !c.is_alphanumeric() && c != '×' && c != '+')))
        .filter(|word| !word.is_empty())
}

/// An amount: `x2`, `2x`, `×2`, `2×`.
fn amount(word: &str) -> Option<u32> {
    let digits = word
        .strip_prefix(['x', '×'])
        .or_else(|| word.strip_suffix(['x', '×']))
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    // More digits than fit are more than anybody may have.
    Some(digits.parse().unwrap_or(u32::MAX)).filter(|units| *units > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_is_left_of_hashtags_mentions_and_links() {
        let said = |text| words(text).collect::<Vec<_>>();
        assert_eq!(said("I want it! #BuyShirt, M, @shop https://a.example/L"), ["i", "want", "it", "m"]);
        assert_eq!(said("blue/LARGE x2."), ["blue", "large", "x2"]);
        assert_eq!(said("it's 3.5 XL+ ×2"), ["it's", "3.5", "xl+", "×2"]);
        assert_eq!(said("ＸＬ STRASSE"), ["xl", "strasse"]);
    }

    #[test]
    fn amounts_have_an_x_and_nothing_else() {
        for (word, wanted) in [
            ("x2", Some(2)),
            ("2x", Some(2)),
            ("×3", Some(3)),
            ("3×", Some(3)),
            ("x0", None),
            ("x", None),
            ("2", None),
            ("x2x", None),
            ("xl", None),
            ("x99999999999", Some(u32::MAX)),
        ] {
            assert_eq!(amount(word), wanted, "{word}");
        }
    }
}
