//! Edits tell a field that is missing (left as it is) from one that is null (cleared).

use serde::{Deserialize, Deserializer};

/// For `#[serde(default, deserialize_with = "given")]`: a field that is there is `Some`, null included.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
