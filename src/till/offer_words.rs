//! An offer's own words: its language, and texts that take the place of the till's.

use super::network;
use super::record::OfferRecord;
use super::refusal::{Refusal, Result};
use super::state::Read;
use super::words::{Key, Language, Words, check_texts, longest};
use std::collections::BTreeMap;

/// Characters of all texts of an offer: it is read for every post about it.
const CHARACTERS_MAX: usize = 10_000;

/// Checks an offer's own words: languages that the till speaks, placeholders that it knows, lengths that every network
/// takes.
pub fn check<S: Read>(state: &S, words: &Words, offer: &OfferRecord) -> Result<()> {
    let spoken = || words.all().map(Language::code).collect::<Vec<_>>().join(", ");
    if let Some(code) = &offer.language
        && words.find(code).is_none()
    {
        return Err(Refusal::invalid("lang", format!("must be one of {}", spoken())).into());
    }
    if offer.texts.is_empty() {
        return Ok(());
    }
    let texts = offer.texts.values().flat_map(BTreeMap::values).flatten();
    let characters: usize = texts.map(|text| text.chars().count()).sum();
    if characters > CHARACTERS_MAX {
        let detail = format!("must have {CHARACTERS_MAX} characters at most in all; these are {characters}");
        return Err(Refusal::invalid("texts", detail).into());
    }
    let networks = network::all(state)?;
    let tags: Vec<&str> = offer.tags().map(|(tag, _)| super::hashtag::bare(tag)).collect();
    for (code, replies) in &offer.texts {
        let Some(language) = words.find(code) else {
            let detail = format!("is no language that the till speaks; it speaks {}", spoken());
            return Err(Refusal::invalid(format!("texts.{code}"), detail).into());
        };
        for (name, texts) in replies {
            let field = format!("texts.{code}.{name}");
            let Some(key) = Key::parse(name) else {
                let detail = "is nothing that the till says; `tagtill words` shows what there is";
                return Err(Refusal::invalid(field, detail).into());
            };
            let templates = check_texts(&field, key, texts).map_err(|wrong| refusal(&field, &wrong))?;
            for (i, template) in templates.iter().enumerate() {
                for (slug, settings) in &networks {
                    let long = longest(language, template, &[settings.counting], &tags);
                    if long > usize::try_from(settings.text_limit).unwrap_or(usize::MAX) {
                        let most = settings.text_limit;
                        let detail =
                            format!("comes to {long} with the longest values, and {slug} takes {most} only");
                        return Err(Refusal::invalid(format!("{field}[{i}]"), detail).into());
                    }
                }
            }
        }
    }
    Ok(())
}

/// `field: what is wrong`, as a refusal.
fn refusal(field: &str, wrong: &str) -> Refusal {
    match wrong.split_once(": ") {
        Some((field, detail)) => Refusal::invalid(field, detail),
        None => Refusal::invalid(field, wrong),
    }
}
