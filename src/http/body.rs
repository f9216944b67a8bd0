//! Reading a body: its type, its size, its JSON, its fields; card numbers are refused in all of them.
//!
//! Whatever is wrong names the field. Nothing that is refused is echoed where it may be a card number.

use super::message::Request;
use super::problem::{Code, Problem};
use crate::till::text::contains_card_number;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The largest body of JSON, but for posts: 64 KiB.
const JSON_BYTES_MAX: usize = 64 * 1024;
/// How deep a body may nest.
const DEPTH_MAX: usize = 16;
/// A tenth of all ids of 19 digits pass for card numbers by chance: these fields are not looked at.
const IDS: &[&str] =
    &["id", "user_id", "repost_of", "quote_of", "in_reply_to", "post_id", "tracking_number", "cursor", "was"];
/// What to say of a card number.
pub const CARD_ADVICE: &str =
    "holds what looks like a card number; never send one: send the gateway's token for it";

/// The body of a request as `T`.
pub fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    match content_type(request)? {
        None | Some(ContentType::Json) => {}
        Some(ContentType::Lines) => return Err(unsupported("application/json")),
    }
    if request.body.len() > JSON_BYTES_MAX {
        return Err(too_large(JSON_BYTES_MAX));
    }
    let text = std::str::from_utf8(&request.body).map_err(|error| {
        Problem::new(Code::InvalidRequest, format!("The body is not UTF-8 at byte {}.", error.valid_up_to()))
    })?;
    let value = parse(text)?;
    refuse_cards("", &value)?;
    serde_path_to_error::deserialize(value).map_err(|error| unreadable(&error))
}

/// A content type that some body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`
    Json,
    /// `application/x-ndjson`
    Lines,
}

/// The type of a body; `None` where the client did not say.
pub fn content_type(request: &Request) -> Result<Option<ContentType>, Problem> {
    let Some(value) = request.header("content-type") else { return Ok(None) };
    let mut parts = value.split(';').map(str::trim);
    let kind = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "application/json" => ContentType::Json,
        "application/x-ndjson" => ContentType::Lines,
        _ => return Err(unsupported("application/json")),
    };
    let foreign = parts.any(|part| {
        let part = part.to_ascii_lowercase();
        part.strip_prefix("charset=").is_some_and(|charset| charset.trim_matches('"') != "utf-8")
    });
    if foreign { Err(unsupported("UTF-8")) } else { Ok(Some(kind)) }
}

fn unsupported(wanted: &str) -> Problem {
    Problem::new(Code::UnsupportedMediaType, format!("The body of this call must be {wanted}."))
}

/// The body is larger than `bytes`.
pub fn too_large(bytes: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("The body of this call may have {} KiB.", bytes / 1024))
}

fn parse(text: &str) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde::de::DeserializeSeed::deserialize(Strict { depth: 0 }, &mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        Problem::new(Code::InvalidRequest, format!("The body is not JSON as this till takes it: {error}."))
    })
}

/// Reads JSON of bounded depth, in which no name stands twice.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("it nests too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                let shown = if contains_card_number(&name) { "a name" } else { name.as_str() };
                return Err(A::Error::custom(format_args!("{shown} is given twice")));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// A card number in the field `field`, which is not its to hold.
pub fn card_in(field: &str) -> Problem {
    Problem::on(Code::Invalid, field, CARD_ADVICE)
}

fn refuse_cards(path: &str, value: &Value) -> Result<(), Problem> {
    match value {
        Value::String(text) if contains_card_number(text) => Err(card_in(path)),
        Value::Number(number) if contains_card_number(&number.to_string()) => Err(card_in(path)),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, item)| refuse_cards(&format!("{path}[{i}]"), item))
        }
        Value::Object(map) => map.iter().try_for_each(|(name, item)| {
            if contains_card_number(name) {
                return Err(card_in(if path.is_empty() { "the name of a field" } else { path }));
            }
            if IDS.contains(&name.as_str()) && !item.is_object() && !item.is_array() {
                return Ok(());
            }
            refuse_cards(&join(path, name), item)
        }),
        _ => Ok(()),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Why a value is no such request, with the field at fault.
pub fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let quoted = message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("unknown field") {
        let parent = path.strip_suffix(quoted).map_or(path.as_str(), |rest| rest.trim_end_matches('.'));
        let known = message.split_once(", ").map_or("", |(_, rest)| rest);
        return Problem::unreadable(
            join(parent, quoted),
            format!("is not a field of this request ({known})"),
        );
    }
    if message.starts_with("missing field") {
        return Problem::unreadable(join(&path, quoted), "is missing");
    }
    if message.starts_with("duplicate field") {
        let parent = path.strip_suffix(quoted).map_or(path.as_str(), |rest| rest.trim_end_matches('.'));
        return Problem::unreadable(join(parent, quoted), "is given twice");
    }
    Problem::unreadable(if path.is_empty() { "body".to_owned() } else { path }, in_words(message))
}

/// The same in words that do not speak of Rust.
fn in_words(message: &str) -> String {
    let mut words = message.to_owned();
    if let Some(at) = words.find("struct ") {
        words.truncate(at);
        words.push_str("an object");
    }
    for (ours, plain) in [
        ("expected u64", "expected a whole number from 0"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected i64", "expected a whole number"),
        ("expected a borrowed string", "expected a string"),
    ] {
        words = words.replace(ours, plain);
    }
    words
}
