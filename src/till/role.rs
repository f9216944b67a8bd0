//! Who may call what: the roles of API tokens.

use super::id::MerchantId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use std::fmt;

/// What a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Every call.
    Admin,
    /// One network's posts and replies.
    Network(String),
    /// One merchant's offers, orders and events.
    Merchant(MerchantId),
    /// Card transactions.
    Processor,
}

impl Role {
    /// Reads `admin`, `network:<slug>`, `merchant:<id>` or `processor`.
    ///
    /// # Errors
    /// A sentence for people for anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be admin, network:<slug>, merchant:<id> or processor".to_owned();
        match text.split_once(':') {
            None if text == "admin" => Ok(Self::Admin),
            None if text == "processor" => Ok(Self::Processor),
            Some(("network", slug)) if is_slug(slug) => Ok(Self::Network(slug.to_owned())),
            Some(("merchant", id)) => MerchantId::parse(id).map(Self::Merchant).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

/// Whether `text` can name a network: 1 to 32 of `a`–`z`, `0`–`9`, `-`, `_`, beginning with a letter.
pub fn is_slug(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::Network(slug) => write!(f, "network:{slug}"),
            Self::Merchant(id) => write!(f, "merchant:{id}"),
            Self::Processor => f.write_str("processor"),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Role {
    fn schema_name() -> Cow<'static, str> {
        "Role".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "admin, network:<slug>, merchant:<id> or processor",
            "examples": ["network:bluesky"]
        })
    }
}
