//! One language: its texts, and how it writes money, numbers, days and spans.

use super::key::Key;
use super::template::{Slot, Template};
use crate::till::money::Money;
use crate::till::time::Time;
use icu_calendar::{Date, Gregorian};
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::YMD;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_decimal::options::DecimalFormatterOptions;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use std::collections::BTreeMap;
use std::fmt;

/// How parts are put together.
#[derive(Clone, Debug)]
pub struct Form {
    /// A title and what there is to say.
    pub line: Template,
    /// Between two sentences.
    pub join: String,
    /// Between two choices.
    pub list: String,
    /// A title and a variant.
    pub variant: Template,
    /// A title and a number of units.
    pub units: Template,
}

/// A unit of time, by plural form.
#[derive(Clone, Debug)]
pub struct Span {
    /// The forms that differ, by the names of Unicode's plural rules.
    pub forms: BTreeMap<String, Template>,
    /// The others.
    pub other: Template,
}

/// Units of time.
#[derive(Clone, Debug)]
pub struct Spans {
    /// Seconds.
    pub second: Span,
    /// Minutes.
    pub minute: Span,
    /// Hours.
    pub hour: Span,
}

/// A language that the till speaks.
pub struct Language {
    code: String,
    form: Form,
    money: (BTreeMap<String, Template>, Template),
    spans: Spans,
    replies: BTreeMap<Key, Vec<Template>>,
    decimals: DecimalFormatter,
    days: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
    plurals: PluralRules,
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.code)
    }
}

impl Language {
    /// A language made ready.
    ///
    /// # Errors
    /// When Unicode's tables know no such language.
    pub fn new(
        code: &str,
        form: Form,
        money: (BTreeMap<String, Template>, Template),
        spans: Spans,
        replies: BTreeMap<Key, Vec<Template>>,
    ) -> Result<Self, String> {
        let unknown =
            || format!("language: {code} is no language that the till can write numbers and days in");
        let locale = Locale::try_from_str(code).map_err(|_| unknown())?;
        Ok(Self {
            decimals: DecimalFormatter::try_new((&locale).into(), DecimalFormatterOptions::default())
                .map_err(|_| unknown())?,
            days: FixedCalendarDateTimeFormatter::try_new((&locale).into(), YMD::medium())
                .map_err(|_| unknown())?,
            plurals: PluralRules::try_new_cardinal((&locale).into()).map_err(|_| unknown())?,
            code: code.to_owned(),
            form,
            money,
            spans,
            replies,
        })
    }

    /// Its code: `en`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// How it puts parts together.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Its texts for something to say; at least one.
    pub fn texts(&self, key: Key) -> &[Template] {
        self.replies.get(&key).map_or(&[], Vec::as_slice)
    }

    /// A whole number.
    pub fn number(&self, number: u64) -> String {
        self.decimals.format(&Decimal::from(number)).to_string()
    }

    /// An amount: `$1,149.99`, `1.149,99 €`.
    pub fn money(&self, money: Money) -> String {
        let mut number = Decimal::from(money.amount);
        number.multiply_pow10(-i16::try_from(money.currency.minor_digits()).unwrap_or(2));
        let number = self.decimals.format(&number).to_string();
        let code = money.currency.code();
        let template = self.money.0.get(code).unwrap_or(&self.money.1);
        template.fill(&[(Slot::Number, &number), (Slot::Code, code)])
    }

    /// A UTC day: `Mar 3, 2013`.
    pub fn day(&self, time: Time) -> String {
        let (year, month, day) = time.date();
        match Date::try_new_gregorian(year, month, day) {
            Ok(date) => self.days.format(&date).to_string(),
            Err(_) => format!("{year:04}-{month:02}-{day:02}"),
        }
    }

    /// A span as people say it: `15 minutes`, `90 seconds`, `2 hours`.
    pub fn span(&self, seconds: u32) -> String {
        let (n, unit) = match seconds {
            s if s >= 7200 && s.is_multiple_of(3600) => (s / 3600, &self.spans.hour),
            s if s >= 60 && s.is_multiple_of(60) => (s / 60, &self.spans.minute),
            s => (s, &self.spans.second),
        };
        let category = match self.plurals.category_for(n) {
            PluralCategory::Zero => "zero",
            PluralCategory::One => "one",
            PluralCategory::Two => "two",
            PluralCategory::Few => "few",
            PluralCategory::Many => "many",
            PluralCategory::Other => "other",
        };
        let template = unit.forms.get(category).unwrap_or(&unit.other);
        template.fill(&[(Slot::N, &self.number(n.into()))])
    }
}
