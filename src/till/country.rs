//! Countries, and what an address has there: whether a region and a postal code are needed, what they are called, and
//! what shapes a code has.
//!
//! One line a country in `countries.txt`: code (ISO 3166-1), name, region and postal code as people call them there
//! (`!` needed, `?` not, empty: there is none), and the shapes of a code, in which `9` is a digit, `A` a letter and `X`
//! either. Spaces and hyphens in a code do not count. After the address metadata that Chromium and Android use.

use super::check;
use super::record::Address;
use super::refusal::{Fault, FieldError, Refusal, Result};
use std::sync::LazyLock;

const LINES: &str = include_str!("countries.txt");

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called there: `state`, `county`, `zip`, `postal`, …
    pub word: &'static str,
    /// Whether an address must have it.
    pub needed: bool,
}

/// A country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// Its name in English.
    pub name: &'static str,
    /// State, province, county, …
    pub region: Option<Part>,
    /// Its postal code.
    pub postal: Option<Part>,
    shapes: &'static str,
}

static ALL: LazyLock<Vec<Country>> = LazyLock::new(|| LINES.lines().filter_map(read).collect());

/// All countries, by code.
pub fn all() -> impl Iterator<Item = Country> {
    ALL.iter().copied()
}

/// The country of this code.
pub fn find(code: &str) -> Option<Country> {
    let place = ALL.binary_search_by_key(&code, |country| country.code).ok()?;
    ALL.get(place).copied()
}

fn read(line: &'static str) -> Option<Country> {
    let mut fields = line.split('|');
    let (code, name) = (fields.next()?, fields.next()?);
    let (region, postal) = (part(fields.next()?), part(fields.next()?));
    Some(Country { code, name, region, postal, shapes: fields.next()? })
}

fn part(field: &'static str) -> Option<Part> {
    let needed = field.ends_with('!');
    let word = field.trim_end_matches(['!', '?']);
    (!word.is_empty()).then_some(Part { word, needed })
}

impl Country {
    /// Whether a text can be a postal code there.
    pub fn fits(&self, postal_code: &str) -> bool {
        let letters: Vec<char> = postal_code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let fits = |shape: &str| {
            shape.len() == letters.len()
                && shape.chars().zip(&letters).all(|(shape, letter)| match shape {
                    '9' => letter.is_ascii_digit(),
                    'A' => letter.is_ascii_alphabetic(),
                    _ => letter.is_ascii_alphanumeric(),
                })
        };
        self.shapes.is_empty() || self.shapes.split(' ').any(fits)
    }
}

/// Checks an address as somebody typed it, by what its country needs; names every field that is wrong.
pub fn check_typed(address: &Address) -> Result<()> {
    check::country("country", &address.country)?;
    let Some(country) = find(&address.country) else {
        return Err(Refusal::invalid("country", "is not a country that this till knows").into());
    };
    let checks = [
        check::text("name", &address.name, 200),
        check::text("line1", &address.line1, 200),
        check::optional_text("line2", address.line2.as_ref(), 200),
        check::text("city", &address.city, 100),
        needed("region", country.region, address.region.as_deref().unwrap_or_default(), 100),
        needed("postal_code", country.postal, &address.postal_code, 20),
        shaped(&country, &address.postal_code),
    ];
    let mut errors: Vec<FieldError> = Vec::new();
    for refusal in checks.into_iter().filter_map(Result::err) {
        match refusal {
            Fault::Refused(refusal) => errors.extend(refusal.errors),
            other @ Fault::State(_) => return Err(other),
        }
    }
    let Some(first) = errors.first() else { return Ok(()) };
    let FieldError { field, detail } = first.clone();
    Err(Refusal { errors, ..Refusal::invalid(field, detail) }.into())
}

/// A part that some countries need.
fn needed(field: &str, part: Option<Part>, value: &str, max: usize) -> Result<()> {
    if value.is_empty() && part.is_none_or(|part| !part.needed) {
        return Ok(());
    }
    check::text(field, value, max)
}

fn shaped(country: &Country, postal_code: &str) -> Result<()> {
    if postal_code.is_empty() || country.fits(postal_code) {
        return Ok(());
    }
    let detail = format!("does not look like one of {}", country.name);
    Err(Refusal::invalid("postal_code", detail).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_country_and_every_country_has_a_line() {
        let codes: Vec<_> = all().map(|country| country.code).collect();
        assert_eq!(codes.len(), LINES.lines().count());
        assert!(codes.is_sorted(), "{codes:?}");
        for code in codes {
            assert!(check::country("country", code).is_ok(), "{code}");
        }
        assert_eq!(find("XX"), None);
    }

    #[test]
    fn codes_have_the_shapes_of_their_country() {
        for (country, code, fine) in [
            ("US", "62701", true),
            ("US", "62701-1234", true),
            ("US", "6270", false),
            ("US", "SW1A 1AA", false),
            ("GB", "SW1A 1AA", true),
            ("GB", "ec1y8sy", true),
            ("GB", "12345", false),
            ("DE", "50667", true),
            ("DE", "D-50667", false),
            ("CA", "H3Z 2Y7", true),
            ("NL", "1234 AB", true),
            ("JP", "154-0023", true),
            ("IE", "A65 F4E2", true),
            ("AE", "anything", true),
        ] {
            assert_eq!(find(country).unwrap().fits(code), fine, "{country} {code}");
        }
    }

    #[test]
    fn an_address_has_what_its_country_needs() {
        let address = |country: &str, region: Option<&str>, postal_code: &str| Address {
            name: "Jo".to_owned(),
            line1: "1 High Street".to_owned(),
            line2: None,
            city: "Town".to_owned(),
            region: region.map(str::to_owned),
            postal_code: postal_code.to_owned(),
            country: country.to_owned(),
        };
        assert!(check_typed(&address("US", Some("IL"), "62701")).is_ok());
        assert!(check_typed(&address("US", None, "62701")).is_err());
        assert!(check_typed(&address("DE", None, "50667")).is_ok());
        assert!(check_typed(&address("DE", None, "")).is_err());
        assert!(check_typed(&address("AE", Some("Dubai"), "")).is_ok());
        assert!(check_typed(&address("HK", Some("Kowloon"), "")).is_ok());
        assert!(check_typed(&address("XX", None, "1")).is_err());
        let Err(Fault::Refused(refusal)) = check_typed(&address("US", None, "SW1A 1AA")) else {
            panic!("refused")
        };
        let fields: Vec<_> = refusal.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["region", "postal_code"]);
    }
}
