//! What was learned of people and posts lately: handles by id, and the newest version of an edited post.

use super::api::{Api, success};
use crate::bridges::{Kind, Trouble};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// More are not remembered: what was known is forgotten then.
const KNOWN_MAX: usize = 20_000;

/// Names and versions.
#[derive(Debug, Default)]
pub struct Known {
    names: Mutex<HashMap<String, String>>,
    versions: Mutex<HashMap<String, String>>,
}

fn put(map: &Mutex<HashMap<String, String>>, key: &str, value: &str) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= KNOWN_MAX {
        map.clear();
    }
    map.insert(key.to_owned(), value.to_owned());
}

fn get(map: &Mutex<HashMap<String, String>>, key: &str) -> Option<String> {
    map.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

impl Known {
    /// Learns the names of people that came along with posts.
    pub fn learn(&self, includes: &Value) {
        for user in includes.get("users").and_then(Value::as_array).into_iter().flatten() {
            let text = |name| user.get(name).and_then(Value::as_str);
            if let (Some(id), Some(name)) = (text("id"), text("username")) {
                put(&self.names, id, name);
            }
        }
    }

    /// A person's handle; X is asked where it is not known. `None` where X does not know it either.
    pub fn name(&self, api: &Api, user_id: &str) -> Result<Option<String>, Trouble> {
        if let Some(name) = get(&self.names, user_id) {
            return Ok(Some(name));
        }
        if user_id.is_empty() || !user_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let path = format!("/2/users/{user_id}");
        let said = api.get(&path, &[("user.fields", "username")], "users").and_then(success);
        let said = match said {
            Err(trouble) if trouble.kind == Kind::Refused => return Ok(None),
            other => other?,
        };
        api.budget.read([].into_iter(), [user_id].into_iter());
        let name = said.body.pointer("/data/username").and_then(Value::as_str);
        if let Some(name) = name {
            put(&self.names, user_id, name);
        }
        Ok(name.map(str::to_owned))
    }

    /// A version of a post was seen.
    pub fn note_version(&self, first: &str, version: &str) {
        let is_newer = |known: &String| super::snowflake::later(known, version) == version;
        if first != version && get(&self.versions, first).as_ref().is_none_or(is_newer) {
            put(&self.versions, first, version);
        }
    }

    /// The newest version of a post that was seen.
    pub fn version(&self, first: &str) -> String {
        get(&self.versions, first).unwrap_or_else(|| first.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_known() {
        let known = Known::default();
        assert_eq!(known.version("1"), "1");
        for version in ["1", "3", "12", "2"] {
            known.note_version("1", version);
        }
        assert_eq!(known.version("1"), "12");
    }
}
