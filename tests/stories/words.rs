//! Reading the words of a line.

use tagtill::till::money::{Currency, Money};

/// A line, read word by word.
pub struct Words<'a>(pub &'a str);

impl<'a> Words<'a> {
    /// The next word, or what stands in quotes.
    pub fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        if rest.is_empty() {
            self.0 = rest;
            return None;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (inside, after) = quoted.split_once('"')?;
            self.0 = after;
            return Some(inside);
        }
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        self.0 = rest[end..].trim_start_matches(',');
        Some(rest[..end].trim_end_matches(':'))
    }

    /// The next word, which must be there.
    pub fn must(&mut self, what: &str) -> Result<&'a str, String> {
        self.next().ok_or_else(|| format!("{what} is missing"))
    }

    /// Takes `words` where the line goes on with them.
    pub fn take(&mut self, words: &str) -> bool {
        let rest = self.0.trim_start_matches([' ', ',']);
        match rest.strip_prefix(words) {
            Some(after) if after.is_empty() || after.starts_with([' ', ',', ':']) => {
                self.0 = after.trim_start_matches(':');
                true
            }
            _ => false,
        }
    }

    /// A span such as `15 minutes 1 ms`, in milliseconds.
    pub fn span_ms(&mut self) -> Result<i64, String> {
        let mut total = None;
        loop {
            let before = self.0;
            let number = self.next().and_then(|word| word.parse::<i64>().ok());
            let Some(number) = number else {
                self.0 = before;
                return total.ok_or_else(|| format!("a span is missing before {before:?}"));
            };
            let unit = match self.next().unwrap_or_default().trim_end_matches('s') {
                "m" => 1,
                "second" => 1000,
                "minute" => 60_000,
                "hour" => 3_600_000,
                "day" => 86_400_000,
                other => return Err(format!("{other:?} is no unit of time")),
            };
            total = Some(total.unwrap_or(0) + number * unit);
        }
    }

    /// An amount such as `15.00`, in minor units.
    pub fn amount(&mut self) -> Result<i64, String> {
        let word = self.must("an amount")?;
        word.replace('.', "").parse().map_err(|_| format!("{word:?} is no amount"))
    }

    /// An amount with its currency: `15.00 USD`.
    pub fn money(&mut self) -> Result<Money, String> {
        let amount = self.amount()?;
        let code = self.must("a currency")?;
        let currency = Currency::parse(code).ok_or_else(|| format!("{code:?} is no currency"))?;
        Ok(Money { amount, currency })
    }

    /// A whole number.
    pub fn number<N: std::str::FromStr>(&mut self) -> Result<N, String> {
        let word = self.must("a number")?;
        word.parse().map_err(|_| format!("{word:?} is no number"))
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), String> {
        let rest = self.0.trim();
        if rest.is_empty() { Ok(()) } else { Err(format!("cannot read {rest:?}")) }
    }
}
