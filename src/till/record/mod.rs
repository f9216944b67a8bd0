//! What the till remembers, one struct a table. Stored as they stand here: a change is a new version of a record.
//!
//! No `flatten`, `untagged`, `default` or `skip_serializing_if`: the codec is not self-describing.

mod books;
mod deals;
mod endpoints;
mod file;
mod limits;
mod links;
mod messages;
mod offers;
mod people;
mod sales;

pub use books::{
    BalanceRecord, Book, DisputeRecord, DisputeStatus, EntryKind, EntryRecord, NoticeRecord, Posting,
};
pub use deals::{
    CreditRecord, CreditStatus, DealRecord, DealTerms, EnrolmentRecord, ReversalRecord, Reward,
    TransactionKind, TransactionRecord,
};
pub use endpoints::{DeliveryRecord, EndpointRecord, EndpointStatus};
pub use file::{IdempotencyRecord, SettingsRecord, TokenRecord};
pub use limits::{BuyerLimits, CaptureRecord, Limit, LimitsRecord};
pub use links::{CardSetup, LinkCode, LinkProof, LinkPurpose, LinkRecord, LinkStatus, Mandate};
pub use messages::{
    CursorRecord, EarlyRepostRecord, EventKind, EventRecord, OptOutRecord, PostRecord, Recipient, ReplyKind,
    ReplyRecord, ReplyStatus,
};
pub use offers::{
    HashtagRecord, OfferKind, OfferRecord, OfferStatus, OwnTexts, Shortage, StockRecord, TagRole, Units,
    VariantRecord, WaiterRecord, WaitingRecord,
};
pub use people::{
    AccountRecord, AccountStatus, Address, Identity, IdentityRecord, MerchantRecord, NetworkRecord,
    OwnIdentity, PaymentMethod, Person, RateRecord, Spent,
};
pub use sales::{
    Attempt, AttemptState, BuyerRecord, Confirmation, OrderRecord, OrderStatus, PurchaseRecord,
    PurchaseStatus, RefundRecord, RefundStatus, ShipmentRecord, WorkKind, WorkRecord,
};
