//! Money: whole minor units of an ISO 4217 currency. Never a float.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use std::fmt;

/// The largest amount the till handles, in minor units: 999,999.99 of a currency with cents.
pub const AMOUNT_MAX: i64 = 99_999_999;

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

/// ISO 4217 codes in use (amendment 176), by their number of minor digits.
const DIGITS_2: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD \
CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR \
MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
const DIGITS_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const DIGITS_3: &str = "BHD IQD JOD KWD LYD OMR TND";

impl Currency {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");

    /// Reads a code of three capital letters; `None` for what ISO 4217 does not list.
    pub fn parse(code: &str) -> Option<Self> {
        let currency = Self(code.as_bytes().try_into().ok()?);
        [DIGITS_2, DIGITS_0, DIGITS_3].iter().any(|list| currency.is_in(list)).then_some(currency)
    }

    /// Whether it is in a list of codes with a space between them.
    fn is_in(self, list: &str) -> bool {
        list.as_bytes().chunks(4).any(|one| one.starts_with(&self.0))
    }

    /// The code, three capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits its minor unit takes: 2 for USD, 0 for JPY.
    pub fn minor_digits(self) -> u32 {
        if self.is_in(DIGITS_0) {
            0
        } else if self.is_in(DIGITS_3) {
            3
        } else {
            2
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.code())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = || D::Error::custom("must be a currency of ISO 4217 in capitals, for example USD");
        if deserializer.is_human_readable() {
            Self::parse(&Cow::<str>::deserialize(deserializer)?).ok_or_else(unknown)
        } else {
            let bytes = <[u8; 3]>::deserialize(deserializer)?;
            if bytes.iter().all(u8::is_ascii_uppercase) { Ok(Self(bytes)) } else { Err(unknown()) }
        }
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217", "examples": ["USD"]})
    }
}

/// An amount of money in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units, 1 to 99,999,999: 14999 is 149.99 in USD.
    #[schemars(range(min = 0, max = 99_999_999))]
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// As much for each of `units`; `None` where that is no amount that can be charged.
    pub fn times(self, units: u32) -> Option<Self> {
        let amount = self.amount.checked_mul(i64::from(units))?;
        Some(Self { amount, ..self }).filter(|money| money.check().is_ok())
    }

    /// Whether the amount is one that can be charged.
    ///
    /// # Errors
    /// A sentence for people when it is not within 1 to 99,999,999.
    pub fn check(self) -> Result<(), String> {
        if (1..=AMOUNT_MAX).contains(&self.amount) {
            Ok(())
        } else {
            Err(format!("must be from 1 to {AMOUNT_MAX} in minor units (1999 is 19.99 in USD)"))
        }
    }
}

impl fmt::Display for Money {
    /// As a reply writes it: `$149.99`, `¥1500`, `149.99 CHF`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let unit = 10_u64.pow(digits);
        let (whole, rest) = (self.amount.unsigned_abs() / unit, self.amount.unsigned_abs() % unit);
        let sign = if self.amount < 0 { "-" } else { "" };
        let number = if digits == 0 {
            whole.to_string()
        } else {
            format!("{whole}.{rest:0width$}", width = usize::try_from(digits).unwrap_or(2))
        };
        match self.currency.code() {
            "USD" => write!(f, "{sign}${number}"),
            "EUR" => write!(f, "{sign}€{number}"),
            "GBP" => write!(f, "{sign}£{number}"),
            "JPY" => write!(f, "{sign}¥{number}"),
            code => write!(f, "{sign}{number} {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_money_for_people() {
        let show =
            |amount, code: &str| Money { amount, currency: Currency::parse(code).unwrap() }.to_string();
        assert_eq!(show(14_999, "USD"), "$149.99");
        assert_eq!(show(5, "EUR"), "€0.05");
        assert_eq!(show(1500, "JPY"), "¥1500");
        assert_eq!(show(1500, "KWD"), "1.500 KWD");
    }

    #[test]
    fn knows_the_currencies() {
        assert!(Currency::parse("usd").is_none());
        assert!(Currency::parse("XXX").is_none());
        assert!(Currency::parse("").is_none());
        assert!(Currency::parse("ED ").is_none() && Currency::parse("USDX").is_none());
        for code in [DIGITS_2, DIGITS_0, DIGITS_3].iter().flat_map(|list| list.split(' ')) {
            assert_eq!(Currency::parse(code).unwrap().code(), code);
        }
        assert_eq!(Currency::parse("TND").unwrap().minor_digits(), 3);
        assert_eq!(Currency::parse("ZWG").unwrap().minor_digits(), 2);
        assert_eq!(Currency::parse("JPY").unwrap().minor_digits(), 0);
    }

    #[test]
    fn amounts_have_bounds() {
        for (amount, fine) in
            [(0, false), (-1, false), (1, true), (AMOUNT_MAX, true), (AMOUNT_MAX + 1, false)]
        {
            assert_eq!(Money { amount, currency: Currency::USD }.check().is_ok(), fine, "{amount}");
        }
    }
}
