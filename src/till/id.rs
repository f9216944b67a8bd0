//! Typed, time-ordered ids and the source that makes them.
//!
//! An id is 48 bits of milliseconds and 80 random bits (the layout of a ULID), written as its prefix and 26
//! characters of Crockford's base 32. The source takes time and seed from outside: no clock and no chance in here.

use super::time::Time;

/// Makes ids that only ever grow, and other random bits for the rules.
#[derive(Clone, Debug)]
pub struct IdSource {
    last: u128,
    state: [u64; 2],
}

const RANDOM_BITS: u32 = 80;

impl IdSource {
    /// A source from a seed: random bytes in the till, a fixed number in a simulation.
    pub fn new(seed: [u64; 2]) -> Self {
        Self { last: 0, state: seed }
    }

    /// The next id at `now`; greater than every id that this source gave before.
    pub fn next(&mut self, now: Time) -> u128 {
        let random =
            (u128::from(self.random_u64()) << 64 | u128::from(self.random_u64())) >> (128 - RANDOM_BITS);
        let fresh = u128::from(now.key_ms()) << RANDOM_BITS | random;
        // Within one millisecond, step by a random amount: order is kept and ids stay hard to guess.
        let step = u128::from(self.random_u64() >> 24) + 1;
        self.last = if fresh > self.last { fresh } else { self.last.saturating_add(step) };
        self.last
    }

    /// 64 random bits: `SplitMix64` over two independent lanes.
    fn random_u64(&mut self) -> u64 {
        let mut mixed = 0;
        for lane in &mut self.state {
            *lane = lane.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *lane;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= (z ^ (z >> 31)).rotate_left(17);
        }
        mixed
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 128 bits as 26 characters of Crockford's base 32, lower case.
pub fn encode_base32(value: u128) -> String {
    (0..26)
        .rev()
        .map(|digit| {
            let five = usize::try_from(value >> (digit * 5) & 31).unwrap_or(0);
            char::from(ALPHABET.get(five).copied().unwrap_or(b'0'))
        })
        .collect()
}

/// Reads what [`encode_base32`] wrote; `None` for anything else.
pub fn decode_base32(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (i, byte) in text.bytes().enumerate() {
        let five = ALPHABET.iter().position(|&letter| letter == byte)?;
        if i == 0 && five > 7 {
            return None;
        }
        value = value << 5 | u128::try_from(five).ok()?;
    }
    Some(value)
}

macro_rules! typed_id {
    ($(#[$doc:meta] $name:ident $prefix:literal),* $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The smallest id of a moment.
            pub fn first_at(time: Time) -> Self {
                Self(u128::from(time.key_ms()) << RANDOM_BITS)
            }

            /// Reads an id as the API writes it; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                text.strip_prefix(concat!($prefix, "_")).and_then(decode_base32).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), encode_base32(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_u128(self.0)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                    Self::parse(&text).ok_or_else(|| serde::de::Error::custom(
                        concat!("must be an id that begins with ", $prefix, "_")))
                } else {
                    u128::deserialize(deserializer).map(Self)
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{26}$")
                })
            }
        }
    )*};
}

typed_id! {
    /// A buyer's account.
    AccountId "acc",
    /// Who sells and ships.
    MerchantId "mer",
    /// Something for sale.
    OfferId "off",
    /// One buyer's way through one offer.
    PurchaseId "pur",
    /// A paid purchase that the merchant has to ship.
    OrderId "ord",
    /// A text for a network to post.
    ReplyId "rep",
    /// Money given back for a purchase.
    RefundId "ref",
    /// An account that takes part in a deal.
    EnrolmentId "enr",
    /// Money that a deal gives.
    CreditId "cre",
    /// An API token (its record, not its secret).
    TokenId "tkn",
    /// An entry of the journal.
    EntryId "jrn",
    /// A dispute.
    DisputeId "dis",
    /// A notice of a gateway.
    NoticeId "ntc",
    /// A webhook endpoint.
    EndpointId "whe",
    /// A try to deliver a webhook.
    DeliveryId "whd",
    /// A session of linking.
    LinkId "lnk",
}

/// An event's id: the epoch of the file (a restore begins a new one) and the place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    /// Counts the restores of this till.
    pub epoch: u32,
    /// Commit order, from 1.
    pub sequence: u64,
}

impl EventId {
    /// Reads an id as the API writes it; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let value = decode_base32(text.strip_prefix("evt_")?)?;
        Some(Self {
            epoch: u32::try_from(value >> 64).ok()?,
            sequence: u64::try_from(value & u128::from(u64::MAX)).ok()?,
        })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "evt_{}", encode_base32(u128::from(self.epoch) << 64 | u128::from(self.sequence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_read_back() {
        let mut ids = IdSource::new([1, 2]);
        let mut last = 0;
        for i in 0..10_000 {
            let id = ids.next(Time::from_ms(1_360_677_600_000 + i / 100));
            assert!(id > last);
            last = id;
            let typed = PurchaseId(id);
            assert_eq!(PurchaseId::parse(&typed.to_string()), Some(typed));
        }
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in [
            "",
            "pur_",
            "acc_00000000000000000000000001",
            "pur_0000000000000000000000000u",
            "pur_80000000000000000000000000",
            "pur_000000000000000000000000001",
            "pur_é",
        ] {
            assert_eq!(PurchaseId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn event_ids_sort_by_epoch_then_sequence() {
        let a = EventId { epoch: 1, sequence: u64::MAX }.to_string();
        let b = EventId { epoch: 2, sequence: 1 }.to_string();
        assert!(a < b);
        assert_eq!(EventId::parse(&b), Some(EventId { epoch: 2, sequence: 1 }));
    }
}
