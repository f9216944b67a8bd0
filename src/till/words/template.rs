//! A text with places to fill in: `To buy for {price}, post #{confirm}.`

use std::fmt;

macro_rules! slots {
    ($($name:ident $code:literal),* $(,)?) => {
        /// A place to fill in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each is named as it is written in a template")]
        pub enum Slot { $($name),* }

        impl Slot {
            /// Every place there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As a template writes it, without the braces.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

slots! {
    Title "title",
    Text "text",
    Variant "variant",
    Units "units",
    Asked "asked",
    Number "number",
    Code "code",
    N "n",
    Price "price",
    Confirm "confirm",
    Window "window",
    Buy "buy",
    Cancel "cancel",
    Tag "tag",
    Choices "choices",
    Place "place",
    Spend "spend",
    Credit "credit",
    Percent "percent",
    Cap "cap",
    Date "date",
    Link "link",
}

impl Slot {
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|slot| slot.name() == name)
    }

    /// Whether it stands for a hashtag, which has to be recognised where it is put.
    pub fn is_hashtag(self) -> bool {
        matches!(self, Self::Confirm | Self::Buy | Self::Cancel | Self::Tag)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Slot(Slot),
}

/// A text with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads a text; every place must be one of `known`.
    ///
    /// # Errors
    /// A sentence that says which brace or name is wrong, and which there are.
    pub fn parse(text: &str, known: &[Slot]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (words, found) = rest.split_at_checked(open).unwrap_or((rest, ""));
            if !words.is_empty() {
                parts.push(Part::Words(words.to_owned()));
            }
            let inside = found.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let Some((name, after)) = inside else {
                return Err("has a brace that stands alone; a placeholder is written {like_this}".to_owned());
            };
            match Slot::parse(name).filter(|slot| known.contains(slot)) {
                Some(slot) => parts.push(Part::Slot(slot)),
                None => return Err(format!("has {{{name}}}, but takes {}", listed(known))),
            }
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether it has a place for something.
    pub fn has(&self, slot: Slot) -> bool {
        self.0.contains(&Part::Slot(slot))
    }

    /// The text with its places filled in; one without a value stays empty.
    pub fn fill(&self, values: &[(Slot, &str)]) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Slot(slot) => {
                    let value = values.iter().find(|(name, _)| name == slot);
                    text.push_str(value.map_or("", |(_, value)| value));
                }
            }
        }
        text
    }
}

impl fmt::Display for Template {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Words(words) => f.write_str(words),
            Part::Slot(slot) => slot.fmt(f),
        })
    }
}

/// `{price}, {confirm} and {window}`.
pub fn listed(slots: &[Slot]) -> String {
    match slots {
        [] => "no placeholder".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(Slot::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in() {
        let known = [Slot::Price, Slot::Confirm];
        let template = Template::parse("For {price}: #{confirm}!", &known).unwrap();
        assert_eq!(template.fill(&[(Slot::Price, "$1"), (Slot::Confirm, "Yes")]), "For $1: #Yes!");
        assert_eq!(template.to_string(), "For {price}: #{confirm}!");
        assert!(template.has(Slot::Price) && !template.has(Slot::Window));
        assert_eq!(Template::parse("", &known).unwrap().fill(&[]), "");
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused() {
        let known = [Slot::Price, Slot::Confirm];
        for (text, wanted) in [
            ("{prise}", "has {prise}, but takes {price} and {confirm}"),
            ("{window}", "has {window}, but takes {price} and {confirm}"),
            ("{", "has a brace that stands alone"),
            ("a } b", "has a brace that stands alone"),
            ("{price", "has a brace that stands alone"),
            ("{}", "has {}, but"),
        ] {
            let error = Template::parse(text, &known).unwrap_err();
            assert!(error.starts_with(wanted), "{text}: {error}");
        }
        assert!(Template::parse("{x}", &[]).unwrap_err().ends_with("takes no placeholder"));
    }
}
