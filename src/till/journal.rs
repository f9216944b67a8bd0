//! The journal: every charge, refund, dispute and credit as a double entry, and what the entries come to.
//!
//! An entry is written by the command that moves the money's record, so that the books balance at every commit. It is
//! never changed; what is undone gets an entry of its own.

use super::context::Context;
use super::id::{CreditId, DisputeId, EntryId, MerchantId, OfferId, PurchaseId, RefundId};
use super::money::{Currency, Money};
use super::record::{BalanceRecord, Book, EntryKind, EntryRecord, Posting};
use super::refusal::Result;
use super::state::{StateError, Write};
use super::table::{Balances, Journal, Offers};

/// What an entry is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Of which offer: its merchant's books.
    pub offer: OfferId,
    /// How much, positive.
    pub money: Money,
    /// The gateway's slug.
    pub gateway: &'a str,
    /// The gateway's name for it.
    pub reference: &'a str,
    /// The purchase.
    pub purchase: Option<PurchaseId>,
    /// The refund.
    pub refund: Option<RefundId>,
    /// The dispute.
    pub dispute: Option<DisputeId>,
    /// The credit.
    pub credit: Option<CreditId>,
}

impl<'a> Subject<'a> {
    /// An entry about `money` of an offer, at a gateway.
    pub fn new(offer: OfferId, money: Money, gateway: &'a str, reference: &'a str) -> Self {
        let none = (None, None, None, None);
        let (purchase, refund, dispute, credit) = none;
        Self { offer, money, gateway, reference, purchase, refund, dispute, credit }
    }
}

impl EntryKind {
    /// Which account is debited, which credited.
    pub fn sides(self) -> (Book, Book) {
        use Book::{BuyerReceivable, Credits, GatewayClearing, MerchantPayable};
        match self {
            Self::Charge | Self::RefundReturned | Self::DisputeWon => (GatewayClearing, MerchantPayable),
            Self::Refund | Self::Dispute => (MerchantPayable, GatewayClearing),
            Self::LateCharge | Self::LateRefundReturned => (GatewayClearing, BuyerReceivable),
            Self::LateRefund => (BuyerReceivable, GatewayClearing),
            Self::Credit => (Credits, GatewayClearing),
            Self::CreditReversal => (GatewayClearing, Credits),
        }
    }

    /// The name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::LateCharge => "late_charge",
            Self::Refund => "refund",
            Self::RefundReturned => "refund_returned",
            Self::LateRefund => "late_refund",
            Self::LateRefundReturned => "late_refund_returned",
            Self::Dispute => "dispute",
            Self::DisputeWon => "dispute_won",
            Self::Credit => "credit",
            Self::CreditReversal => "credit_reversal",
        }
    }
}

impl EntryRecord {
    /// What is debited, in minor units.
    pub fn amount(&self) -> i64 {
        self.postings.iter().map(|posting| posting.amount.max(0)).fold(0, i64::saturating_add)
    }

    /// Whether its debits are its credits.
    pub fn balances(&self) -> bool {
        let sum = self.postings.iter().try_fold(0_i64, |sum, posting| sum.checked_add(posting.amount));
        sum == Some(0)
    }
}

impl BalanceRecord {
    /// What one account of the books comes to.
    pub fn of(&mut self, book: Book) -> &mut i64 {
        match book {
            Book::BuyerReceivable => &mut self.buyer_receivable,
            Book::MerchantPayable => &mut self.merchant_payable,
            Book::GatewayClearing => &mut self.gateway_clearing,
            Book::Credits => &mut self.credits,
        }
    }

    /// Adds an entry, or with −1 takes it off; `None` where the sums would not fit.
    pub fn add(&mut self, entry: &EntryRecord, times: i64) -> Option<()> {
        for posting in &entry.postings {
            let sum = self.of(posting.book);
            *sum = sum.checked_add(posting.amount.checked_mul(times)?)?;
        }
        Some(())
    }

    /// With an entry added, as far as it fits.
    #[must_use]
    pub fn plus(mut self, entry: &EntryRecord) -> Self {
        let _ = self.add(entry, 1);
        self
    }

    /// What the merchant is due: its sales without what was given back, disputed and credited.
    pub fn due(&self) -> i64 {
        0_i64.saturating_sub(self.merchant_payable).saturating_sub(self.credits)
    }
}

/// Writes an entry and adds it to the balances.
pub fn write<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    kind: EntryKind,
    about: Subject<'_>,
) -> Result<()> {
    let merchant = state.must::<Offers>(&about.offer)?.merchant;
    let (debit, credit) = kind.sides();
    let amount = about.money.amount;
    let entry = EntryRecord {
        kind,
        at: cx.now,
        merchant,
        currency: about.money.currency,
        postings: vec![Posting { book: debit, amount }, Posting { book: credit, amount: -amount }],
        gateway: about.gateway.to_owned(),
        reference: about.reference.to_owned(),
        purchase: about.purchase,
        refund: about.refund,
        dispute: about.dispute,
        credit: about.credit,
    };
    let key = balance_key(merchant, entry.currency);
    let mut balance = state.get::<Balances>(&key)?.unwrap_or_default();
    balance.add(&entry, 1).ok_or_else(|| StateError(format!("the books of {merchant} are full")))?;
    state.put::<Balances>(&key, &balance)?;
    state.put::<Journal>(&EntryId(cx.id()), &entry)?;
    Ok(())
}

/// Where a merchant's balance in a currency is kept.
pub fn balance_key(merchant: MerchantId, currency: Currency) -> (MerchantId, super::table::Text) {
    (merchant, super::table::Text(currency.code().to_owned()))
}
