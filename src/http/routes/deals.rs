//! `/v1/card-transactions`, `/v1/enrolments`, `/v1/credits`: what deals are made of.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page, page_among};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::till::command::{Command, NewTransaction, Outcome};
use crate::till::deal::credit;
use crate::till::deal::transaction::enrolments;
use crate::till::id::{AccountId, CreditId, EnrolmentId, MerchantId, OfferId};
use crate::till::money::Money;
use crate::till::record::{
    AttemptState, CreditRecord, CreditStatus, EnrolmentRecord, RefundStatus, TransactionKind,
    TransactionRecord,
};
use crate::till::state::{Read, Span, StateError};
use crate::till::table::{Credits, Enrolments, Text, Transactions};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const ACCOUNT: Param = Param::new::<AccountId>("account", "Only this account's.");
const OFFER: Param = Param::new::<OfferId>("offer", "Only of this deal.");

pub const ROUTES: &[Route] = &[
    Route::post(
        "/v1/card-transactions",
        "takeCardTransaction",
        "Tell what happened with a linked card: it earns the credits of deals, or takes them back.",
        take,
    )
    .also(&[Kind::Processor])
    .takes::<TransactionBody>()
    .gives::<TransactionView>(),
    Route::get("/v1/enrolments", "listEnrolments", "Who takes part in which deal.", list_enrolments)
        .query(&[LIMIT, CURSOR, ACCOUNT, OFFER])
        .gives::<Page<EnrolmentView>>(),
    Route::get("/v1/credits", "listCredits", "What deals have given.", list_credits)
        .query(&[LIMIT, CURSOR, ACCOUNT, OFFER, Param::new::<CreditStatus>("status", "Only these.")])
        .gives::<Page<CreditView>>(),
];

/// A transaction of a linked card.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CardTransactionBody")]
struct TransactionBody {
    /// The processor's id of it: the same id is the same transaction, however often it comes.
    id: String,
    /// What it is.
    #[serde(rename = "type")]
    kind: TransactionKind,
    /// The id of the purchase that a refund or a reversal is about.
    original: Option<String>,
    /// Whose card.
    account: AccountId,
    /// At which merchant.
    merchant: MerchantId,
    /// How much.
    amount: Money,
    /// When.
    occurred_at: Time,
}

/// A transaction and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CardTransaction")]
struct TransactionView {
    id: String,
    #[serde(rename = "type")]
    kind: TransactionKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<String>,
    account: AccountId,
    merchant: MerchantId,
    amount: Money,
    occurred_at: Time,
    /// Whether it was told before: then this is where its credits stand now.
    repeated: bool,
    /// The credits that it earned, or that it took back.
    credits: Vec<CreditView>,
}

/// An account that takes part in a deal.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Enrolment")]
struct EnrolmentView {
    id: EnrolmentId,
    offer: OfferId,
    /// The version of the deal whose terms hold for it.
    offer_version: u32,
    account: AccountId,
    /// The network of the post that enrolled.
    network: String,
    /// The post that enrolled.
    post: String,
    /// Since when spending counts.
    enrolled_at: Time,
    /// How many credits it has.
    credits: u32,
}

/// Money that a deal gives.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Credit")]
struct CreditView {
    id: CreditId,
    status: CreditStatus,
    account: AccountId,
    offer: OfferId,
    enrolment: EnrolmentId,
    /// The card transaction that earned it.
    transaction: String,
    /// What was earned.
    amount: Money,
    /// What of it stays: less once some of the transaction was given back.
    due: Money,
    /// What was taken back so far.
    reversed: Money,
    /// Why it was not credited, or not taken back, in the gateway's word.
    code: Option<String>,
    created_at: Time,
    /// When it was credited, or has failed.
    settled_at: Option<Time>,
}

fn enrolment_view(id: EnrolmentId, enrolment: &EnrolmentRecord) -> EnrolmentView {
    let EnrolmentRecord { offer, offer_version, account, network, post, enrolled_at, credits } =
        enrolment.clone();
    EnrolmentView { id, offer, offer_version, account, network, post, enrolled_at, credits }
}

fn credit_view(id: CreditId, credit: &CreditRecord) -> CreditView {
    let done = credit.reversals.iter().filter(|reversal| reversal.status == RefundStatus::Succeeded);
    let reversed: i64 = done.map(|reversal| reversal.amount).sum();
    let declined = credit.attempts.iter().rev().find_map(|attempt| match &attempt.state {
        AttemptState::Declined(code) if credit.status == CreditStatus::Failed => Some(code.clone()),
        _ => None,
    });
    let kept = credit.reversals.iter().rev().find(|reversal| reversal.status == RefundStatus::Failed);
    CreditView {
        id,
        status: credit.status,
        account: credit.account,
        offer: credit.offer,
        enrolment: credit.enrolment,
        transaction: credit.transaction.clone(),
        amount: credit.amount,
        due: Money { amount: credit.due, ..credit.amount },
        reversed: Money { amount: reversed, ..credit.amount },
        code: declined.or_else(|| kept.and_then(|reversal| reversal.reference.clone())),
        created_at: credit.created_at,
        settled_at: credit.settled_at,
    }
}

fn transaction_view<S: Read>(
    state: &S,
    id: String,
    record: &TransactionRecord,
    repeated: bool,
) -> Result<TransactionView, StateError> {
    let credits = record.credits.iter().map(|id| Ok(credit_view(*id, &state.must::<Credits>(id)?)));
    Ok(TransactionView {
        id,
        kind: record.kind,
        original: record.original.clone(),
        account: record.account,
        merchant: record.merchant,
        amount: record.amount,
        occurred_at: record.occurred_at,
        repeated,
        credits: credits.collect::<Result<_, StateError>>()?,
    })
}

fn take(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let TransactionBody { id, kind, original, account, merchant, amount, occurred_at } = call.body()?;
    let new = NewTransaction { id, kind, original, account, merchant, amount, occurred_at };
    let show = |tx: &crate::store::Tx<'_>, _, outcome: &Outcome| match outcome {
        Outcome::Transaction { id, repeated } => {
            let record = tx.must::<Transactions>(&Text(id.clone()))?;
            transaction_view(tx, id.clone(), &record, *repeated)
        }
        other => Err(StateError(format!("not a transaction: {other:?}"))),
    };
    call.change(Command::TakeTransaction(Box::new(new)), None, show).answer()
}

fn list_enrolments(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let account = call.query.read("account", AccountId::parse, "an id that begins with acc_")?;
    let offer = call.query.read("offer", OfferId::parse, "an id that begins with off_")?;
    let matches = |one: &EnrolmentRecord| {
        account.is_none_or(|account| account == one.account) && offer.is_none_or(|offer| offer == one.offer)
    };
    let show = |_: &_, id, enrolment: &_| Ok(enrolment_view(id, enrolment));
    let snapshot = shared.handle.snapshot()?;
    let Some(account) = account else {
        return Answer::ok(&page::<Enrolments, _>(&snapshot, call, matches, show)?);
    };
    let mut keys: Vec<_> = enrolments(&snapshot, account)?.into_iter().map(|(id, _)| id).collect();
    keys.sort_unstable_by(|one, other| other.cmp(one));
    Answer::ok(&page_among::<Enrolments, _>(&snapshot, call, (Span::all(), keys), matches, show)?)
}

fn list_credits(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let account = call.query.read("account", AccountId::parse, "an id that begins with acc_")?;
    let offer = call.query.read("offer", OfferId::parse, "an id that begins with off_")?;
    let status = call.query.word::<CreditStatus>("status")?;
    let matches = |one: &CreditRecord| {
        account.is_none_or(|account| account == one.account)
            && offer.is_none_or(|offer| offer == one.offer)
            && status.is_none_or(|status| status == one.status)
    };
    let show = |_: &_, id, credit: &_| Ok(credit_view(id, credit));
    let snapshot = shared.handle.snapshot()?;
    let Some(account) = account else {
        return Answer::ok(&page::<Credits, _>(&snapshot, call, matches, show)?);
    };
    let keys = credit::of_account(&snapshot, account)?.into_iter().rev().collect();
    Answer::ok(&page_among::<Credits, _>(&snapshot, call, (Span::all(), keys), matches, show)?)
}
