//! The part of a request's target behind the `?`: names that the route knows, each once.

use super::problem::Problem;
use super::route::Route;
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, IntoDeserializer, value::StrDeserializer};

/// The parameters of a request.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the `?`; a name that the route does not know is an error.
    pub fn parse(text: &str, route: &Route) -> Result<Self, Problem> {
        let mut found: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name =
                decode(name).ok_or_else(|| Problem::unreadable("query", "must be UTF-8, percent-encoded"))?;
            if !route.query.iter().any(|known| known.name == name) {
                let known: Vec<_> = route.query.iter().map(|known| known.name).collect();
                let detail = if known.is_empty() {
                    "is not known: this call takes no parameters".to_owned()
                } else {
                    format!("is not known; this call takes {}", known.join(", "))
                };
                return Err(Problem::unreadable(name, detail));
            }
            if found.iter().any(|(known, _)| *known == name) {
                return Err(Problem::unreadable(name, "is given twice"));
            }
            let value = decode(value).ok_or_else(|| Problem::unreadable(name.as_str(), "must be UTF-8"))?;
            found.push((name, value));
        }
        Ok(Self(found))
    }

    /// The value of a parameter, if it is given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number within bounds; `default` if it is not given.
    pub fn number(&self, name: &str, min: u32, max: u32, default: u32) -> Result<u32, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| Problem::unreadable(name, format!("must be a whole number from {min} to {max}")))
    }

    /// The same, but more than `max` is taken as `max`.
    pub fn capped(&self, name: &str, min: u32, max: u32, default: u32) -> Result<u32, Problem> {
        self.number(name, min, u32::MAX, default).map(|number| number.min(max))
    }

    /// A value that `read` understands, if it is given.
    pub fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| Problem::unreadable(name, format!("must be {what}")))
    }

    /// One of the words of `T`, if it is given.
    pub fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let words: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
        // What was sent is not repeated: nobody knows what it is.
        let unknown = |_| Problem::unreadable(name, "is not one of the words that this parameter takes");
        T::deserialize(words).map(Some).map_err(unknown)
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
