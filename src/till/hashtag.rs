//! Who owns which hashtag: unique over all offers, by look-alike too; reserved for a while after an offer's end.

use super::id::OfferId;
use super::record::{HashtagRecord, OfferRecord, TagRole};
use super::refusal::{Fault, Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Hashtags, Lookalikes, Offers, Stocks, Text};
use super::text::{fold, hashtags, single_script, skeleton};
use super::time::Time;
use unicode_normalization::UnicodeNormalization as _;

/// After an offer's end its hashtags stay with its merchant for this long: 30 days.
const RESERVED_SECONDS: i64 = 30 * 86_400;
/// The longest hashtag, in characters: it has to fit into every reply.
pub const LETTERS_MAX: usize = 40;

/// A hashtag without its `#` or `＃`.
pub fn bare(tag: &str) -> &str {
    tag.strip_prefix('#').or_else(|| tag.strip_prefix('＃')).unwrap_or(tag)
}

/// The confirmation hashtag of a purchase hashtag that begins with `Buy`.
///
/// # Errors
/// A refusal where it does not begin so: then the confirmation hashtag must be given.
pub fn default_confirm(hashtag: &str) -> Result<String> {
    let tag = bare(hashtag);
    let sign = hashtag.strip_suffix(tag).unwrap_or_default();
    // Three characters in any form that folds to `buy`, full-width ones included.
    let rest = tag.char_indices().nth(3).map_or("", |(at, _)| tag.get(at..).unwrap_or_default());
    let begins = fold(tag.strip_suffix(rest).unwrap_or_default()) == "buy";
    if begins && !rest.is_empty() {
        return Ok(format!("{sign}Confirm{rest}"));
    }
    let detail = "must be given, because the purchase hashtag does not begin with Buy";
    Err(Refusal::invalid("confirm_hashtag", detail).into())
}

/// The hashtag that lets a purchase go where none is given: `Buy…` becomes `Pass…`, anything else gets `Pass` before
/// it; `None` where that is no hashtag.
pub fn default_cancel(hashtag: &str) -> Option<String> {
    let cancel = match default_confirm(hashtag) {
        Ok(confirm) => confirm.replacen("Confirm", "Pass", 1),
        Err(_) => {
            let tag = bare(hashtag);
            format!("{}Pass{tag}", hashtag.strip_suffix(tag).unwrap_or_default())
        }
    };
    check_form("cancel_hashtag", &cancel).is_ok().then_some(cancel)
}

/// Takes the hashtags of a new offer. One to let purchases go that was not `asked` for is left out where it is taken.
pub fn take<S: Write>(
    state: &mut S,
    now: Time,
    id: OfferId,
    offer: &mut OfferRecord,
    asked: bool,
) -> Result<()> {
    let tags: Vec<_> = offer.tags().map(|(tag, role)| (tag.to_owned(), role)).collect();
    for (tag, role) in tags {
        let field = match role {
            TagRole::Buy => "hashtag",
            TagRole::Confirm => "confirm_hashtag",
            TagRole::Cancel => "cancel_hashtag",
        };
        check_form(field, &tag)?;
        let folded = fold(bare(&tag));
        let look = skeleton(&folded);
        if let Some(Text(other)) = state.get::<Lookalikes>(&Text(look.clone()))?.map(Text) {
            match release(state, now, field, &other, id, offer) {
                Err(Fault::Refused(_)) if role == TagRole::Cancel && !asked => {
                    offer.cancel_hashtag = None;
                    continue;
                }
                released => released?,
            }
        }
        state.put::<Hashtags>(&Text(folded.clone()), &HashtagRecord { offer: id, role })?;
        state.put::<Lookalikes>(&Text(look), &folded)?;
    }
    Ok(())
}

/// Frees the hashtag `other` for the new offer `id`, if it may be had.
fn release<S: Write>(
    state: &mut S,
    now: Time,
    field: &str,
    other: &str,
    id: OfferId,
    offer: &OfferRecord,
) -> Result<()> {
    let key = Text(other.to_owned());
    let owner = state.must::<Hashtags>(&key)?.offer;
    if owner == id {
        let detail = "must differ from the other hashtags of the offer, to the eye too";
        return Err(Refusal::invalid(field, detail).into());
    }
    let holder = state.must::<Offers>(&owner)?;
    let stock = state.must::<Stocks>(&owner)?;
    let why = if !holder.is_over(now) {
        Some("is taken by an offer, or looks like one that is".to_owned())
    } else if stock.all.held > 0 {
        Some("is taken until the last purchase on it is closed".to_owned())
    } else if holder.merchant == offer.merchant {
        None
    } else {
        let since = holder.over_since().max(stock.last_closed_at).unwrap_or(now);
        let free_at = since.plus_seconds(RESERVED_SECONDS);
        (now < free_at).then(|| format!("is reserved for another merchant until {free_at}"))
    };
    match why {
        Some(why) => Err(Refusal::taken(field, why).into()),
        None => {
            state.delete::<Hashtags>(&key);
            Ok(())
        }
    }
}

/// Whether an offer still has all of its hashtags.
pub fn owns<S: Read>(state: &S, id: OfferId, offer: &OfferRecord) -> Result<bool, StateError> {
    for (tag, role) in offer.tags() {
        if find(state, &fold(bare(tag)))? != Some(HashtagRecord { offer: id, role }) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a text can be a hashtag of an offer.
pub fn check_form(field: &str, tag: &str) -> Result<()> {
    let refuse = |detail: &str| Err(Refusal::invalid(field, detail).into());
    let name = bare(tag);
    // In NFC, in which networks count: some letters are two or three characters there.
    if name.nfc().count() > LETTERS_MAX {
        return refuse(&format!("must have at most {LETTERS_MAX} characters"));
    }
    if hashtags(&format!("#{name}")) != [name] {
        return refuse("must be a hashtag: letters, digits and _, with at least one letter, no spaces");
    }
    let folded = fold(name);
    if hashtags(&format!("#{folded}")) != [folded.as_str()] {
        return refuse("must still be a hashtag in its plain form (NFKC, lower case)");
    }
    if single_script(name).is_err() {
        return refuse("must be written in one script");
    }
    if folded.starts_with("link") || folded.starts_with("unlink") {
        return refuse("must not begin with Link or Unlink: those are reserved for linking accounts");
    }
    Ok(())
}

/// What a folded hashtag does, if it is taken.
pub fn find<S: Read>(state: &S, folded: &str) -> Result<Option<HashtagRecord>, StateError> {
    state.get::<Hashtags>(&Text(folded.to_owned()))
}
