//! A language's file: read, checked, and made ready.

use super::key::Key;
use super::language::{Form, Language, Span, Spans};
use super::template::{Slot, Template, listed};
use crate::till::text::{check_plain, contains_card_number, hashtags};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Texts under one name.
const TEXTS_MAX: usize = 8;
/// Characters of one text.
const TEXT_MAX: usize = 1000;

/// A file as it is written; what is left out stays as the till has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageFile {
    language: String,
    #[serde(default)]
    form: BTreeMap<String, String>,
    #[serde(default)]
    money: BTreeMap<String, String>,
    #[serde(default)]
    span: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    reply: BTreeMap<String, Vec<String>>,
}

impl LanguageFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The language: two or three small letters.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// What `other` says takes the place of what is said here.
    pub fn overlay(&mut self, other: Self) {
        self.form.extend(other.form);
        self.money.extend(other.money);
        for (unit, forms) in other.span {
            self.span.entry(unit).or_default().extend(forms);
        }
        self.reply.extend(other.reply);
    }

    /// Makes it ready.
    ///
    /// # Errors
    /// Which field is wrong, and what to do.
    pub fn ready(&self) -> Result<Language, String> {
        let code = &self.language;
        if !(2..=3).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err("language: must be two or three small letters, for example de".to_owned());
        }
        let known = ["line", "join", "list", "variant", "units"];
        if let Some(other) = self.form.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("form.{other}: is no form; there are {}", known.join(", ")));
        }
        let form = Form {
            line: self.form("line", &[Slot::Title, Slot::Text])?,
            join: self.form.get("join").ok_or("form.join: is missing")?.clone(),
            list: self.form.get("list").ok_or("form.list: is missing")?.clone(),
            variant: self.form("variant", &[Slot::Title, Slot::Variant])?,
            units: self.form("units", &[Slot::Title, Slot::Units])?,
        };
        let mut money = BTreeMap::new();
        for (currency, text) in &self.money {
            let field = format!("money.{currency}");
            let template = template(&field, text, &[Slot::Number, Slot::Code])?;
            if !template.has(Slot::Number) {
                return Err(format!("{field}: must have {{number}}"));
            }
            money.insert(currency.clone(), template);
        }
        let other = money.remove("other").ok_or("money.other: is missing")?;
        let spans =
            Spans { second: self.span("second")?, minute: self.span("minute")?, hour: self.span("hour")? };
        if let Some(unit) =
            self.span.keys().find(|unit| !["second", "minute", "hour"].contains(&unit.as_str()))
        {
            return Err(format!("span.{unit}: is no unit; there are second, minute and hour"));
        }
        let mut replies = BTreeMap::new();
        for (name, texts) in &self.reply {
            let key =
                Key::parse(name).ok_or_else(|| format!("reply.{name}: is nothing that the till says"))?;
            replies.insert(key, check_texts(&format!("reply.{name}"), key, texts)?);
        }
        if let Some(key) = Key::ALL.iter().find(|key| !replies.contains_key(key)) {
            return Err(format!("reply.{}: is missing", key.name()));
        }
        Language::new(code, form, (money, other), spans, replies)
    }

    fn form(&self, name: &str, slots: &[Slot]) -> Result<Template, String> {
        let field = format!("form.{name}");
        let text = self.form.get(name).ok_or_else(|| format!("{field}: is missing"))?;
        let template = template(&field, text, slots)?;
        must_have(&field, &template, slots)?;
        Ok(template)
    }

    fn span(&self, unit: &str) -> Result<Span, String> {
        let forms = self.span.get(unit).ok_or_else(|| format!("span.{unit}: is missing"))?;
        let mut templates = BTreeMap::new();
        for (category, text) in forms {
            let field = format!("span.{unit}.{category}");
            if !["zero", "one", "two", "few", "many", "other"].contains(&category.as_str()) {
                return Err(format!(
                    "{field}: is no plural form; there are zero, one, two, few, many and other"
                ));
            }
            let read = template(&field, text, &[Slot::N])?;
            must_have(&field, &read, &[Slot::N])?;
            templates.insert(category.clone(), read);
        }
        let other = templates.remove("other").ok_or_else(|| format!("span.{unit}.other: is missing"))?;
        Ok(Span { forms: templates, other })
    }
}

/// Reads the texts under one name.
///
/// # Errors
/// Which field is wrong, and what to do.
pub fn check_texts(field: &str, key: Key, texts: &[String]) -> Result<Vec<Template>, String> {
    if texts.is_empty() || texts.len() > TEXTS_MAX {
        return Err(format!("{field}: must be 1 to {TEXTS_MAX} texts"));
    }
    let mut read = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let field = format!("{field}[{i}]");
        let template = template(&field, text, key.slots())?;
        must_have(&field, &template, key.must_have())?;
        tags_are_seen(&field, key, &template)?;
        read.push(template);
    }
    Ok(read)
}

fn template(field: &str, text: &str, slots: &[Slot]) -> Result<Template, String> {
    if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
        return Err(format!("{field}: must be 1 to {TEXT_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{field}: must not hold control characters"));
    }
    if contains_card_number(text) {
        return Err(format!("{field}: looks like a card number"));
    }
    Template::parse(text, slots).map_err(|wrong| format!("{field}: {wrong}"))
}

fn must_have(field: &str, template: &Template, slots: &[Slot]) -> Result<(), String> {
    if slots.iter().all(|slot| template.has(*slot)) {
        return Ok(());
    }
    Err(format!("{field}: must have {}", listed(slots)))
}

/// A hashtag that a text names must be one where it stands: `#{confirm}`, with a space or a mark after it.
/// Another one must not be there: it might be some other offer's.
fn tags_are_seen(field: &str, key: Key, template: &Template) -> Result<(), String> {
    let tags: Vec<_> =
        key.slots().iter().copied().filter(|slot| slot.is_hashtag() && template.has(*slot)).collect();
    for name in ["Sample", "見本"] {
        let values: Vec<_> =
            key.slots().iter().map(|slot| (*slot, if tags.contains(slot) { name } else { "1" })).collect();
        let text = template.fill(&values);
        let found = hashtags(&text);
        if tags.iter().any(|_| !found.contains(&name)) {
            return Err(format!(
                "{field}: {} must stand behind # and before a space or a mark",
                listed(&tags)
            ));
        }
        if found.iter().any(|tag| *tag != name) {
            return Err(format!("{field}: must not name a hashtag of its own"));
        }
        let plain = text.replace(['#', '＃'], " ");
        if let Err(wrong) = check_plain(&plain) {
            return Err(format!("{field}: {wrong}"));
        }
    }
    Ok(())
}
