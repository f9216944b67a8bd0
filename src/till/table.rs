//! The tables and their keys: few, and ordered by time wherever that can be.

use super::id::{
    AccountId, CreditId, DeliveryId, DisputeId, EndpointId, EnrolmentId, EntryId, LinkId, MerchantId,
    NoticeId, OfferId, OrderId, PurchaseId, RefundId, ReplyId, TokenId,
};
use super::record::{
    AccountRecord, BalanceRecord, BuyerRecord, CaptureRecord, CreditRecord, CursorRecord, DealRecord,
    DeliveryRecord, DisputeRecord, EarlyRepostRecord, EndpointRecord, EnrolmentRecord, EntryRecord,
    EventRecord, HashtagRecord, IdempotencyRecord, IdentityRecord, LimitsRecord, LinkRecord, MerchantRecord,
    NetworkRecord, NoticeRecord, OfferRecord, OptOutRecord, OrderRecord, PostRecord, PurchaseRecord,
    RateRecord, RefundRecord, ReplyRecord, SettingsRecord, StockRecord, TokenRecord, TransactionRecord,
    WaiterRecord, WaitingRecord, WorkKind, WorkRecord,
};
use super::state::{Key, Table};
use super::time::Time;

macro_rules! tables {
    ($(#[$doc:meta] $table:ident $name:literal $key:ty => $record:ty),* $(,)?) => {
        $(
            #[$doc]
            pub enum $table {}
            impl Table for $table {
                const NAME: &'static str = $name;
                const PLACE: u8 = Place::$table as u8;
                const VERSION: u8 = 1;
                type Key = $key;
                type Record = $record;
            }
        )*
        #[repr(u8)]
        enum Place { $($table),* }

        /// The names of all tables, by place.
        pub const TABLE_NAMES: &[&str] = &[$($name),*];
    };
}

tables! {
    /// One record for the file as a whole.
    Settings "settings" Only => SettingsRecord,
    /// Numbers that go up: the event sequence, the last committed time.
    Counters "counters" Counter => u64,
    /// Networks by slug.
    Networks "networks" Text => NetworkRecord,
    /// Merchants.
    Merchants "merchants" MerchantId => MerchantRecord,
    /// Accounts.
    Accounts "accounts" AccountId => AccountRecord,
    /// Linked identities.
    Identities "identities" OnNetwork => IdentityRecord,
    /// Offers.
    Offers "offers" OfferId => OfferRecord,
    /// Each offer's stock.
    Stocks "stocks" OfferId => StockRecord,
    /// Taken hashtags, folded.
    Hashtags "hashtags" Text => HashtagRecord,
    /// Taken hashtags by what they look like; the record is the folded tag.
    Lookalikes "lookalikes" Text => String,
    /// Posts that the till acted on.
    Posts "posts" OnNetwork => PostRecord,
    /// Purchases.
    Purchases "purchases" PurchaseId => PurchaseRecord,
    /// An account's purchases of one offer.
    Buyers "buyers" (AccountId, OfferId) => BuyerRecord,
    /// Pending purchases by the moment that the scan may free them.
    Deadlines "deadlines" (Time, PurchaseId) => (),
    /// What is in flight at the gateway.
    Work "work" (WorkKind, u128) => WorkRecord,
    /// Orders.
    Orders "orders" OrderId => OrderRecord,
    /// Refunds.
    Refunds "refunds" RefundId => RefundRecord,
    /// Replies.
    Replies "replies" ReplyId => ReplyRecord,
    /// Queued replies, what matters most first.
    Outbox "outbox" OutboxKey => (),
    /// Our replies that a repost may confirm, by the network's id of them.
    ReplyPosts "reply_posts" OnNetwork => ReplyId,
    /// Reposts of posts that may yet turn out to be our replies, by (network, reposted post) and account.
    EarlyReposts "early_reposts" (OnNetwork, AccountId) => EarlyRepostRecord,
    /// Identities that were told today that they are not linked.
    Told "told" (u32, OnNetwork) => (),
    /// The log, in commit order.
    Events "events" u64 => EventRecord,
    /// API tokens.
    Tokens "tokens" TokenId => TokenRecord,
    /// Kept answers, by hash of token, method, path and key.
    Idempotency "idempotency" Hash => IdempotencyRecord,
    /// Kept answers by age.
    IdempotencyAges "idempotency_ages" (Time, Hash) => (),
    /// Every version of an offer, as it was then.
    OfferVersions "offer_versions" (OfferId, u32) => OfferRecord,
    /// Waiting lists, each line in the order of joining.
    Waiting "waiting" WaitingKey => WaitingRecord,
    /// Who waits for what.
    Waiters "waiters" (AccountId, OfferId) => WaiterRecord,
    /// Waiting lists that have to be looked at, and when.
    WaitingDue "waiting_due" (Time, OfferId) => (),
    /// What each deal has cost.
    Deals "deals" OfferId => DealRecord,
    /// Who takes part in which deal.
    Enrolments "enrolments" EnrolmentId => EnrolmentRecord,
    /// An account's enrolment in a deal.
    Enrolled "enrolled" (AccountId, OfferId) => EnrolmentId,
    /// A card's enrolment in a deal, by what the card is.
    EnrolledCards "enrolled_cards" (OfferId, Hash) => EnrolmentId,
    /// Transactions of linked cards, by their processor's ids.
    Transactions "transactions" Text => TransactionRecord,
    /// Credits.
    Credits "credits" CreditId => CreditRecord,
    /// An account's credits.
    AccountCredits "account_credits" (AccountId, CreditId) => (),
    /// Who was asked already whether they meant an offer, by a hash of the identity.
    Hints "hints" (u64, OfferId) => (),
    /// What of each network's budget of replies was spent.
    Rates "rates" Text => RateRecord,
    /// The limits that keep the shop safe, where somebody changed them.
    Limits "limits" Only => LimitsRecord,
    /// How fast each network's captures go.
    Captures "captures" Text => CaptureRecord,
    /// The accounts that are linked with a card, by what the card is.
    Cards "cards" (Hash, AccountId) => (),
    /// The journal, in the order of its commits.
    Journal "journal" EntryId => EntryRecord,
    /// What each merchant's entries come to, by currency.
    Balances "balances" (MerchantId, Text) => BalanceRecord,
    /// Disputes.
    Disputes "disputes" DisputeId => DisputeRecord,
    /// What gateways told by themselves.
    Notices "notices" NoticeId => NoticeRecord,
    /// The same by gateway and the gateway's id.
    NoticesSeen "notices_seen" Text => NoticeId,
    /// Webhook endpoints.
    Endpoints "endpoints" EndpointId => EndpointRecord,
    /// Events that endpoints are to be sent again; 0: a test.
    Resends "resends" (EndpointId, u64) => (),
    /// What came of deliveries.
    Deliveries "deliveries" DeliveryId => DeliveryRecord,
    /// Sessions of linking; each lives for the same time.
    LinkSessions "link_sessions" LinkId => LinkRecord,
    /// Their codes that nobody has posted yet, by what the hashtag hashes to.
    LinkCodes "link_codes" Hash => LinkId,
    /// Private pages, by what their secret hashes to.
    Pages "pages" Hash => AccountId,
    /// How far bridges have read, by network and stream.
    Cursors "cursors" OnNetwork => CursorRecord,
    /// Who wants no replies.
    OptOuts "opt_outs" OnNetwork => OptOutRecord,
}

/// The key of a table with one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only;

/// Which number of [`Counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// The sequence of the last event.
    LastEvent = 1,
    /// The time of the last committed command, in milliseconds.
    LastTime = 2,
}

/// A key that is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

/// Something that a network names: a person or a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnNetwork {
    /// The network's slug.
    pub network: String,
    /// The network's id.
    pub id: String,
}

impl OnNetwork {
    /// The key of `id` on `network`.
    pub fn new(network: &str, id: &str) -> Self {
        Self { network: network.to_owned(), id: id.to_owned() }
    }

    /// Where all that a network names lies.
    pub fn prefix(network: &str) -> Vec<u8> {
        ended(network)
    }
}

/// A queued reply's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxKey {
    /// The network's slug.
    pub network: String,
    /// Small first.
    pub rank: u8,
    /// Old first.
    pub reply: ReplyId,
}

/// A place on an offer's waiting list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingKey {
    /// Whose list.
    pub offer: OfferId,
    /// The line of which variant; empty: the offer has none.
    pub variant: String,
    /// Small first.
    pub number: u64,
}

impl WaitingKey {
    /// Where one line lies.
    pub fn line(offer: OfferId, variant: &str) -> Vec<u8> {
        let mut bytes = offer.encode();
        bytes.extend(ended(variant));
        bytes
    }
}

/// A text that another part of the key may follow: ends with a zero byte, which no id or slug holds.
fn ended(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    bytes
}

fn split_ended(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?.to_owned();
    Some((text, bytes.get(end + 1..)?))
}

impl Key for Only {
    fn encode(&self) -> Vec<u8> {
        vec![0]
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes == [0]).then_some(Self)
    }
}

impl Key for Counter {
    fn encode(&self) -> Vec<u8> {
        vec![*self as u8]
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1] => Some(Self::LastEvent),
            [2] => Some(Self::LastTime),
            _ => None,
        }
    }
}

impl Key for Text {
    fn encode(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(|text| Self(text.to_owned()))
    }
}

impl Key for Hash {
    fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl Key for OnNetwork {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = ended(&self.network);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (network, id) = split_ended(bytes)?;
        Some(Self { network, id: std::str::from_utf8(id).ok()?.to_owned() })
    }
}

impl Key for (OnNetwork, AccountId) {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.0.encode();
        bytes.push(0);
        bytes.extend(self.1.encode());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (network, rest) = split_ended(bytes)?;
        let (id, account) = split_ended(rest)?;
        Some((OnNetwork { network, id }, AccountId::decode(account)?))
    }
}

impl Key for OutboxKey {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = ended(&self.network);
        bytes.push(self.rank);
        bytes.extend(self.reply.encode());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (network, rest) = split_ended(bytes)?;
        let (&rank, reply) = rest.split_first()?;
        Some(Self { network, rank, reply: ReplyId::decode(reply)? })
    }
}

impl Key for WaitingKey {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Self::line(self.offer, &self.variant);
        bytes.extend(self.number.encode());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (offer, rest) = bytes.split_at_checked(16)?;
        let (variant, number) = split_ended(rest)?;
        Some(Self { offer: OfferId::decode(offer)?, variant, number: u64::decode(number)? })
    }
}

impl OutboxKey {
    /// Where the queue of one network lies.
    pub fn prefix(network: &str) -> Vec<u8> {
        ended(network)
    }
}

impl Key for u32 {
    fn encode(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Key for u64 {
    fn encode(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

macro_rules! id_keys {
    ($($id:ident),*) => {$(
        impl Key for $id {
            fn encode(&self) -> Vec<u8> {
                self.0.to_be_bytes().to_vec()
            }
            fn decode(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(|bytes| Self(u128::from_be_bytes(bytes)))
            }
        }
    )*};
}

id_keys!(
    AccountId,
    MerchantId,
    OfferId,
    PurchaseId,
    OrderId,
    RefundId,
    ReplyId,
    TokenId,
    EnrolmentId,
    CreditId,
    EntryId,
    DisputeId,
    NoticeId,
    EndpointId,
    DeliveryId,
    LinkId
);

impl Key for Time {
    fn encode(&self) -> Vec<u8> {
        self.key_ms().to_be_bytes().to_vec()
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let ms = i64::try_from(u64::decode(bytes)?).ok()?;
        // What no time can be is no key: it would read as another one.
        Some(Self::from_ms(ms)).filter(|time| time.ms() == ms)
    }
}

impl Key for (WorkKind, u128) {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![match self.0 {
            WorkKind::Capture => 1,
            WorkKind::Refund => 2,
            WorkKind::Credit => 3,
            WorkKind::Reversal => 4,
            WorkKind::Notice => 5,
        }];
        bytes.extend(self.1.to_be_bytes());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, id) = bytes.split_first()?;
        let kind = match kind {
            1 => WorkKind::Capture,
            2 => WorkKind::Refund,
            3 => WorkKind::Credit,
            4 => WorkKind::Reversal,
            5 => WorkKind::Notice,
            _ => return None,
        };
        Some((kind, u128::from_be_bytes(id.try_into().ok()?)))
    }
}

macro_rules! pair_keys {
    ($($first:ty, $second:ty, $split:literal);* $(;)?) => {$(
        impl Key for ($first, $second) {
            fn encode(&self) -> Vec<u8> {
                let mut bytes = self.0.encode();
                bytes.extend(self.1.encode());
                bytes
            }
            fn decode(bytes: &[u8]) -> Option<Self> {
                let (first, second) = bytes.split_at_checked($split)?;
                Some((<$first>::decode(first)?, <$second>::decode(second)?))
            }
        }
    )*};
}

pair_keys! {
    AccountId, OfferId, 16;
    Time, PurchaseId, 8;
    Time, OfferId, 8;
    OfferId, u32, 16;
    OfferId, Hash, 16;
    AccountId, CreditId, 16;
    u64, OfferId, 8;
    Time, Hash, 8;
    Hash, AccountId, 32;
    MerchantId, Text, 16;
    EndpointId, u64, 16;
}

impl Key for (u32, OnNetwork) {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.0.to_be_bytes().to_vec();
        bytes.extend(self.1.encode());
        bytes
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (day, rest) = bytes.split_at_checked(4)?;
        Some((u32::from_be_bytes(day.try_into().ok()?), OnNetwork::decode(rest)?))
    }
}
