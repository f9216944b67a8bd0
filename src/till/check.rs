//! Checks of single fields: lengths, characters, codes. Each says what is wrong and what to do.

use super::country;
use super::money::Money;
use super::record::Address;
use super::refusal::{Refusal, Result};
use super::text::check_plain;

/// A text of 1 to `max` characters without control characters.
pub fn text(field: &str, value: &str, max: usize) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Refusal::invalid(field, "must not be empty").into());
    }
    if value.chars().count() > max {
        return Err(Refusal::invalid(field, format!("must have at most {max} characters")).into());
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, "must hold no control characters").into());
    }
    Ok(())
}

/// The same, where there is a text.
pub fn optional_text(field: &str, value: Option<&String>, max: usize) -> Result<()> {
    value.map_or(Ok(()), |value| text(field, value, max))
}

/// An id that a network or a provider gave: 1 to 512 bytes without spaces or control characters.
pub fn foreign_id(field: &str, value: &str) -> Result<()> {
    let fine =
        (1..=512).contains(&value.len()) && !value.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine {
        Ok(())
    } else {
        Err(Refusal::invalid(field, "must be 1 to 512 bytes without spaces or control characters").into())
    }
}

/// A title: plain words that a reply can carry.
pub fn title(field: &str, value: &str) -> Result<()> {
    text(field, value, 100)?;
    check_plain(value).map_err(|why| Refusal::invalid(field, why.to_string()).into())
}

/// An amount that can be charged.
pub fn money(field: &str, value: Money) -> Result<()> {
    value.check().map_err(|why| Refusal::invalid(format!("{field}.amount"), why).into())
}

/// A whole number within bounds, both included.
pub fn within(field: &str, value: u64, min: u64, max: u64) -> Result<()> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, format!("must be from {min} to {max}")).into())
    }
}

/// An ISO 3166-1 alpha-2 code, officially assigned.
pub fn country(field: &str, value: &str) -> Result<()> {
    if country::find(value).is_some() {
        Ok(())
    } else {
        Err(Refusal::invalid(field, "must be a country of ISO 3166-1 in two capital letters, for example US")
            .into())
    }
}

/// An address that a parcel can be sent to.
pub fn address(field: &str, value: &Address) -> Result<()> {
    text(&format!("{field}.name"), &value.name, 200)?;
    text(&format!("{field}.line1"), &value.line1, 200)?;
    optional_text(&format!("{field}.line2"), value.line2.as_ref(), 200)?;
    text(&format!("{field}.city"), &value.city, 100)?;
    optional_text(&format!("{field}.region"), value.region.as_ref(), 100)?;
    // Some countries have none, others do without.
    let needed = |one: country::Country| one.postal.is_some_and(|part| part.needed);
    if !value.postal_code.is_empty() || country::find(&value.country).is_none_or(needed) {
        text(&format!("{field}.postal_code"), &value.postal_code, 20)?;
    }
    country(&format!("{field}.country"), &value.country)
}

/// An address for mail: something, `@`, something with a dot or a bare host.
pub fn email(field: &str, value: &str) -> Result<()> {
    text(field, value, 254)?;
    let fine = value.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !host.is_empty() && !host.contains('@') && !value.contains(char::is_whitespace)
    });
    if fine { Ok(()) } else { Err(Refusal::invalid(field, "must be an email address").into()) }
}

/// A link that buyers can open.
pub fn link(field: &str, value: &str) -> Result<()> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let fine = value.len() <= 500
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !value.chars().any(|c| c.is_whitespace() || c.is_control());
    if fine {
        Ok(())
    } else {
        let detail = "must be a link that begins with https://, of at most 500 bytes, without spaces";
        Err(Refusal::invalid(field, detail).into())
    }
}
