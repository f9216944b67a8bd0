//! Everything that can change the till, as values: a command comes in with its time, an outcome goes out.

use super::endpoint::{Again, EndpointChange, Tried};
pub use super::link::{LinkStep, NewLink};

use super::id::{
    AccountId, CreditId, EndpointId, LinkId, MerchantId, NoticeId, OfferId, OrderId, PurchaseId, RefundId,
    ReplyId, TokenId,
};
use super::money::Money;
use super::notice::NoticeAnswer;
use super::record::{
    AccountStatus, Address, DealTerms, Identity, Limit, OfferStatus, OwnIdentity, OwnTexts, PaymentMethod,
    Recipient, Reward, Shortage, TransactionKind,
};
use super::role::Role;
use super::text::Counting;
use super::time::Time;
use super::verdict::Verdict;

/// A change to what the till knows of a network; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of NetworkRecord")]
pub struct NetworkChange {
    pub own: Option<Option<OwnIdentity>>,
    pub text_limit: Option<u32>,
    pub counting: Option<Counting>,
    pub max_post_age_seconds: Option<u32>,
    pub grace_seconds: Option<u32>,
    pub reply_wait_seconds: Option<u32>,
    pub one_reply_per_post: Option<bool>,
    pub links_in_replies: Option<bool>,
    pub mention_needed: Option<bool>,
    pub replies_per_15_minutes: Option<Option<u32>>,
    pub replies_per_day: Option<Option<u32>>,
}

/// A change to what one buyer may have; `None` leaves a limit as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of BuyerLimits")]
pub struct BuyerLimitsChange {
    pub open_holds: Option<Option<u32>>,
    pub purchases_per_day: Option<Option<u32>>,
    pub spending_per_day: Option<Vec<Money>>,
}

/// A change to the limits of the till; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of LimitsRecord")]
pub struct LimitsChange {
    pub per_account: BuyerLimitsChange,
    pub per_card: BuyerLimitsChange,
    pub pause_after_expired_holds: Option<Option<u32>>,
    pub pause_seconds: Option<u32>,
    pub new_account_wait_seconds: Option<u32>,
    pub captures_per_hour: Option<Option<u32>>,
}

/// A new account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of AccountRecord")]
pub struct NewAccount {
    pub identities: Vec<Identity>,
    pub email: Option<String>,
    pub billing_address: Address,
    pub payment_method: PaymentMethod,
}

/// A change to an account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of AccountRecord")]
pub struct AccountChange {
    pub identities: Option<Vec<Identity>>,
    pub email: Option<Option<String>>,
    pub billing_address: Option<Address>,
    pub payment_method: Option<PaymentMethod>,
    pub status: Option<AccountStatus>,
}

/// A new offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of OfferRecord")]
pub struct NewOffer {
    pub merchant: MerchantId,
    pub hashtag: String,
    pub confirm_hashtag: Option<String>,
    pub title: String,
    pub price: Money,
    pub list_price: Option<Money>,
    pub quantity: Option<u64>,
    pub per_account_limit: u32,
    pub confirm_window_seconds: u32,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub terms_url: Option<String>,
    pub ships_to: Option<Vec<String>>,
    pub cancel_hashtag: Option<String>,
    pub variants: Vec<Variant>,
    pub max_per_purchase: u32,
    pub shortage: Shortage,
    pub waitlist: bool,
    pub deal: Option<DealTerms>,
    pub language: Option<String>,
    pub texts: OwnTexts,
}

/// A transaction of a linked card, as its processor tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of TransactionRecord")]
pub struct NewTransaction {
    pub id: String,
    pub kind: TransactionKind,
    pub original: Option<String>,
    pub account: AccountId,
    pub merchant: MerchantId,
    pub amount: Money,
    pub occurred_at: Time,
}

impl NewOffer {
    /// One unit a buyer, 15 minutes to confirm, no limit to the stock, nothing special.
    pub fn new(merchant: MerchantId, hashtag: &str, title: &str, price: Money) -> Self {
        Self {
            merchant,
            hashtag: hashtag.to_owned(),
            confirm_hashtag: None,
            title: title.to_owned(),
            price,
            list_price: None,
            quantity: None,
            per_account_limit: 1,
            confirm_window_seconds: 900,
            starts_at: None,
            ends_at: None,
            terms_url: None,
            ships_to: None,
            cancel_hashtag: None,
            variants: Vec::new(),
            max_per_purchase: 1,
            shortage: Shortage::default(),
            waitlist: false,
            deal: None,
            language: None,
            texts: OwnTexts::new(),
        }
    }
}

/// A variant of an offer and how many there are of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of VariantRecord and Units")]
pub struct Variant {
    pub name: String,
    pub synonyms: Vec<String>,
    pub quantity: Option<u64>,
    pub price: Option<Money>,
}

/// A change to an offer; `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of OfferRecord")]
pub struct OfferChange {
    pub title: Option<String>,
    pub price: Option<Money>,
    pub list_price: Option<Option<Money>>,
    pub quantity: Option<Option<u64>>,
    pub per_account_limit: Option<u32>,
    pub confirm_window_seconds: Option<u32>,
    pub starts_at: Option<Option<Time>>,
    pub ends_at: Option<Option<Time>>,
    pub terms_url: Option<Option<String>>,
    pub ships_to: Option<Option<Vec<String>>>,
    pub status: Option<OfferStatus>,
    pub variants: Option<Vec<Variant>>,
    pub max_per_purchase: Option<u32>,
    pub shortage: Option<Shortage>,
    pub waitlist: Option<bool>,
    pub min_spend: Option<Money>,
    pub reward: Option<Reward>,
    pub budget: Option<Option<Money>>,
    pub language: Option<Option<String>>,
    pub texts: Option<OwnTexts>,
}

/// A message that a network delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The network's slug.
    pub network: String,
    /// The network's id of it.
    pub id: String,
    /// Who made it.
    pub author: Recipient,
    /// Its hashtags in order, folded.
    pub hashtags: Vec<String>,
    /// Its text, to read a size or an amount from. Never stored, never logged.
    pub text: String,
    /// When it was made, by the network's word.
    pub created_at: Option<Time>,
    /// Which post it natively reposts.
    pub repost_of: Option<String>,
    /// Which post it quotes: what counts is its own text, but a quote proves nothing.
    pub quote_of: Option<String>,
    /// Whether it mentions or quotes the shop, by the network's word; `None`: its text decides.
    pub to_us: Option<bool>,
    /// Its language, by the network's word: two or three small letters.
    pub language: Option<String>,
}

/// What the gateway said about an attempt to charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// It is created under this reference.
    Created(String),
    /// It is charged.
    Paid,
    /// It is refused for good, with the gateway's code.
    Declined(String),
    /// Nobody knows: ask again later.
    Unknown,
    /// It never reached the gateway: a new attempt may be made.
    Lost,
    /// Its card's owner has a step left at the provider; nothing is charged yet.
    NeedsOwner,
}

/// What the gateway said about a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// Given back, under this reference.
    Succeeded(String),
    /// Refused for good.
    Failed(String),
    /// Nobody knows: ask again later.
    Unknown,
}

/// A change to the till. `merchant` limits a call to that merchant's own things, `network` to that network's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is one call of the API or one step of a worker")]
pub enum Command {
    PutNetwork {
        slug: String,
        change: NetworkChange,
    },
    AnnounceBridge {
        slug: String,
        own: Option<OwnIdentity>,
        text_limit: Option<u32>,
    },
    KeepCursor {
        network: String,
        stream: String,
        cursor: String,
        was: Option<Option<String>>,
    },
    OptOut {
        network: String,
        user_id: String,
    },
    OptIn {
        network: String,
        user_id: String,
    },
    PutLimits(Box<LimitsChange>),
    CreateMerchant {
        name: String,
    },
    UpdateMerchant {
        id: MerchantId,
        name: String,
    },
    CreateAccount(Box<NewAccount>),
    UpdateAccount {
        id: AccountId,
        change: Box<AccountChange>,
    },
    EraseAccount {
        id: AccountId,
    },
    CreateOffer(Box<NewOffer>),
    UpdateOffer {
        id: OfferId,
        merchant: Option<MerchantId>,
        change: Box<OfferChange>,
    },
    JudgePost(Post),
    DeletePost {
        network: String,
        id: String,
    },
    CancelPurchase {
        id: PurchaseId,
    },
    LeaveWaiting {
        offer: OfferId,
        account: AccountId,
    },
    RefundPurchase {
        id: PurchaseId,
        amount: Option<i64>,
        restock: bool,
    },
    ShipOrder {
        id: OrderId,
        merchant: Option<MerchantId>,
        units: Option<u32>,
        carrier: Option<String>,
        tracking_number: Option<String>,
    },
    DeliverOrder {
        id: OrderId,
        merchant: Option<MerchantId>,
    },
    CancelOrder {
        id: OrderId,
        merchant: Option<MerchantId>,
        restock: bool,
    },
    ReplySent {
        id: ReplyId,
        network: Option<String>,
        post_id: String,
        sent_at: Option<Time>,
    },
    ReplyFailed {
        id: ReplyId,
        network: Option<String>,
        reason: String,
        retry: bool,
    },
    CreateToken {
        role: Role,
        hash: [u8; 32],
    },
    RevokeToken {
        id: TokenId,
    },
    Charged {
        purchase: PurchaseId,
        attempt: u32,
        answer: ChargeAnswer,
    },
    LookAtCharge {
        purchase: PurchaseId,
    },
    RefundAnswered {
        refund: RefundId,
        answer: RefundAnswer,
    },
    CreateEndpoint {
        merchant: Option<MerchantId>,
        url: String,
        events: Vec<String>,
        secret: String,
    },
    UpdateEndpoint {
        id: EndpointId,
        merchant: Option<MerchantId>,
        change: Box<EndpointChange>,
    },
    DeleteEndpoint {
        id: EndpointId,
        merchant: Option<MerchantId>,
    },
    SendAgain {
        id: EndpointId,
        merchant: Option<MerchantId>,
        what: Again,
    },
    EndpointTried {
        endpoint: EndpointId,
        tried: Tried,
    },
    EndpointPassed {
        endpoint: EndpointId,
        from: u64,
        cursor: u64,
    },
    TakeNotice {
        gateway: String,
        event: String,
        about: String,
    },
    NoticeAnswered {
        notice: NoticeId,
        answer: NoticeAnswer,
    },
    BeginLink(Box<NewLink>),
    OpenLink {
        id: LinkId,
        opening: [u8; 32],
        browser: [u8; 32],
    },
    StepLink {
        id: LinkId,
        browser: [u8; 32],
        step: Box<LinkStep>,
    },
    NewPage {
        account: AccountId,
        page: [u8; 32],
    },
    TakeTransaction(Box<NewTransaction>),
    CreditAnswered {
        credit: CreditId,
        attempt: u32,
        answer: ChargeAnswer,
    },
    ReversalAnswered {
        credit: CreditId,
        number: u32,
        answer: RefundAnswer,
    },
    Tick {
        expire_until: Option<Time>,
        slice: usize,
        keep_seconds: u32,
    },
    AdvanceClock {
        seconds: u32,
    },
    Resume,
}

/// The answer to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostAnswer {
    /// The decision.
    pub verdict: Verdict,
    /// Whether this post was judged before.
    pub repeated: bool,
    /// The offer it is about.
    pub offer: Option<OfferId>,
    /// The purchase it is about.
    pub purchase: Option<PurchaseId>,
    /// The reply to it: id and text.
    pub reply: Option<(ReplyId, String)>,
    /// By how much: late, left, short, in milliseconds or units; `explain` says which.
    pub by: Option<i64>,
    /// Who waits since, and the place in line, from 1.
    pub waits: Option<(AccountId, u64)>,
    /// Which limit of the till it ran into, where the verdict is `limit_reached` and not the offer's own.
    pub limit: Option<Limit>,
}

impl PostAnswer {
    /// A decision about nothing in particular.
    pub fn bare(verdict: Verdict) -> Self {
        Self {
            verdict,
            repeated: false,
            offer: None,
            purchase: None,
            reply: None,
            by: None,
            waits: None,
            limit: None,
        }
    }
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after what was made or changed")]
pub enum Outcome {
    Network(String),
    Merchant(MerchantId),
    Account(AccountId),
    Offer(OfferId),
    Post(PostAnswer),
    /// `passed`: whether that let something go, a purchase or a place on a waiting list.
    PostDeleted {
        purchase: Option<PurchaseId>,
        passed: bool,
    },
    Purchase(PurchaseId),
    Order(OrderId),
    Reply(ReplyId),
    Token(TokenId),
    /// Under its processor's id; `repeated`: it was told before.
    Transaction {
        id: String,
        repeated: bool,
    },
    Credit(CreditId),
    Endpoint(EndpointId),
    Link(LinkId),
    /// `repeated`: it was told before.
    Noticed {
        repeated: bool,
    },
    /// What a tick freed or cleaned, and whether more is due.
    Ticked {
        freed: usize,
        more: bool,
    },
    Clock {
        offset_ms: i64,
    },
    Done,
}
