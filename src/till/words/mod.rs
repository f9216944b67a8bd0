//! What replies say, in every language that the till speaks: templates, one file a language, checked when they are read.
//!
//! Which of them is said when is in `wording`. No file is opened here: whoever starts the till hands the texts in.

mod file;
mod fit;
mod key;
mod language;
mod template;

pub use file::check_texts;
pub use fit::longest;
pub use key::Key;
pub use language::{Form, Language};
pub use template::{Slot, Template, listed};

use file::LanguageFile;
use icu_locale_core::LanguageIdentifier;
use std::sync::LazyLock;

/// The language of a till that was told no other.
pub const DEFAULT_LANGUAGE: &str = "en";

/// The languages that the till brings along, by code, as their files are written.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("en", include_str!("en.toml")),
    ("de", include_str!("de.toml")),
    ("es", include_str!("es.toml")),
    ("fr", include_str!("fr.toml")),
    ("ja", include_str!("ja.toml")),
];

/// The languages of a till.
#[derive(Debug)]
pub struct Words {
    default: Language,
    others: Vec<Language>,
}

#[allow(clippy::expect_used, reason = "the files are part of the program, and a test reads them")]
static BROUGHT_ALONG: LazyLock<Words> =
    LazyLock::new(|| Words::load(&[], DEFAULT_LANGUAGE).expect("the built-in languages can be read"));

impl Words {
    /// The languages that the till brings along.
    pub fn built_in() -> &'static Self {
        &BROUGHT_ALONG
    }

    /// The built-in languages, with what `files` (name and text) say in their place or beside them; `default` is spoken
    /// where neither a post nor its offer says which language.
    ///
    /// # Errors
    /// Which file and field is wrong, and what to do.
    pub fn load(files: &[(String, String)], default: &str) -> Result<Self, String> {
        let mut read: Vec<(String, LanguageFile)> = Vec::new();
        let built_in = BUILT_IN.iter().map(|(code, text)| (format!("{code}.toml"), (*text).to_owned()));
        for (name, text) in built_in.chain(files.iter().cloned()) {
            let file = LanguageFile::parse(&text).map_err(|wrong| format!("{name}: {wrong}"))?;
            match read.iter_mut().find(|(_, known)| known.language() == file.language()) {
                Some((last, known)) => {
                    *last = name;
                    known.overlay(file);
                }
                None => read.push((name, file)),
            }
        }
        let mut languages = Vec::new();
        for (name, file) in &read {
            let language = file.ready().map_err(|wrong| format!("{name}: {wrong}"))?;
            fit::check(&language).map_err(|wrong| format!("{name}: {wrong}"))?;
            languages.push(language);
        }
        let Some(at) = languages.iter().position(|language| language.code() == default) else {
            let codes: Vec<_> = languages.iter().map(Language::code).collect();
            return Err(format!("the till does not speak {default}, only {}", codes.join(", ")));
        };
        Ok(Self { default: languages.remove(at), others: languages })
    }

    /// Every language, the default first.
    pub fn all(&self) -> impl Iterator<Item = &Language> {
        std::iter::once(&self.default).chain(&self.others)
    }

    /// The language with a code.
    pub fn find(&self, code: &str) -> Option<&Language> {
        self.all().find(|language| language.code() == code)
    }

    /// The first of `wanted` that the till speaks, or its default.
    pub fn pick(&self, wanted: [Option<&str>; 2]) -> &Language {
        wanted.into_iter().flatten().find_map(|code| self.find(code)).unwrap_or(&self.default)
    }
}

/// The language of a BCP 47 tag: `pt` for `pt-BR`; `None` for what is no such tag, or says nothing.
pub fn language_of(tag: &str) -> Option<String> {
    let language = LanguageIdentifier::try_from_str(&tag.replace('_', "-")).ok()?.language;
    (!language.is_unknown()).then(|| language.as_str().to_owned())
}

#[cfg(test)]
mod tests;
