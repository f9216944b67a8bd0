//! `/v1/reports` and `/v1/journal`: the books, as an accountant wants them.

use crate::http::answer::{Answer, json};
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::csv::Csv;
use crate::http::message::Response;
use crate::http::paging::{CURSOR, LIMIT, Page, page_in, times};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::store::Snapshot;
use crate::till::id::{CreditId, DisputeId, EntryId, MerchantId, PurchaseId, RefundId};
use crate::till::journal::balance_key;
use crate::till::money::{Currency, Money};
use crate::till::record::{BalanceRecord, EntryKind, EntryRecord, Posting};
use crate::till::state::{Direction, Key as _, Read as _, Span, StateError};
use crate::till::table::{Balances, Journal, Merchants};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

const FROM: Param = Param::new::<Time>("from", "Only what was committed then or later; RFC 3339.");
const TO: Param = Param::new::<Time>("to", "Only what was committed before that; RFC 3339.");

pub const ROUTES: &[Route] = &[
    Route::get(
        "/v1/reports/settlement",
        "getSettlement",
        "What a merchant sold in a time, what of it was given back, disputed and credited, and what it is due.",
        settlement,
    )
    .also(&[Kind::Merchant])
    .query(&[
        Param::new::<MerchantId>("merchant", "Whose; a merchant's own token may leave it out."),
        FROM,
        TO,
        Param::new::<Format>("format", "json, the sums; or csv, a line for each entry. json unless given."),
    ])
    .gives::<Settlement>(),
    Route::get("/v1/journal", "listJournal", "The entries of the books, oldest first.", journal)
        .query(&[LIMIT, CURSOR, Param::new::<MerchantId>("merchant", "Only this merchant's."), FROM, TO])
        .gives::<Page<EntryView>>(),
];

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Json,
    Csv,
}

/// What a merchant is due.
#[derive(Serialize, JsonSchema)]
struct Settlement {
    merchant: MerchantId,
    /// Null: from the beginning.
    from: Option<Time>,
    /// Null: until now.
    to: Option<Time>,
    /// By currency.
    currencies: Vec<CurrencySettlement>,
}

/// The same in one currency; amounts in minor units.
#[derive(Serialize, JsonSchema)]
struct CurrencySettlement {
    currency: Currency,
    /// What was due at the beginning; below zero: what the merchant owed.
    opening: i64,
    sales: Sum,
    refunds: Sum,
    /// Refunds that banks sent back.
    refunds_returned: Sum,
    disputes: Sum,
    disputes_won: Sum,
    /// What deals gave to buyers.
    credits: Sum,
    credits_reversed: Sum,
    /// Sales and what came back, without what went.
    net: i64,
    /// What was due at the end.
    closing: i64,
}

/// So many, that come to so much.
#[derive(Clone, Copy, Default, Serialize, JsonSchema)]
struct Sum {
    count: u64,
    /// In minor units.
    amount: i64,
}

/// An entry of the journal.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JournalEntry")]
struct EntryView {
    id: EntryId,
    #[serde(rename = "type")]
    kind: EntryKind,
    created_at: Time,
    merchant: MerchantId,
    amount: Money,
    /// They add up to nothing.
    postings: Vec<Posting>,
    gateway: String,
    /// The gateway's name for it.
    reference: String,
    purchase: Option<PurchaseId>,
    refund: Option<RefundId>,
    dispute: Option<DisputeId>,
    credit: Option<CreditId>,
}

fn view(id: EntryId, entry: &EntryRecord) -> EntryView {
    EntryView {
        id,
        kind: entry.kind,
        created_at: entry.at,
        merchant: entry.merchant,
        amount: Money { amount: entry.amount(), currency: entry.currency },
        postings: entry.postings.clone(),
        gateway: entry.gateway.clone(),
        reference: entry.reference.clone(),
        purchase: entry.purchase,
        refund: entry.refund,
        dispute: entry.dispute,
        credit: entry.credit,
    }
}

/// The entries of a time.
fn span(from: Option<Time>, to: Option<Time>) -> Span {
    let start = from.map_or_else(Vec::new, |from| EntryId::first_at(from).encode());
    Span { start, end: to.map(|to| EntryId::first_at(to).encode()) }
}

fn journal(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (from, to) = times(call)?;
    let named = call.query.read("merchant", MerchantId::parse, "an id that begins with mer_")?;
    let matches = |entry: &EntryRecord| named.is_none_or(|named| named == entry.merchant);
    let snapshot = shared.handle.snapshot()?;
    let order = (span(from, to), Direction::Up);
    Answer::ok(&page_in::<Journal, _>(&snapshot, call, order, matches, |_, id, entry| Ok(view(id, entry)))?)
}

/// Whoever reads all entries of a time does not keep a worker from others.
fn settlement(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (from, to) = times(call)?;
    let format = call.query.word::<Format>("format")?.unwrap_or_default();
    let named = call.query.read("merchant", MerchantId::parse, "an id that begins with mer_")?;
    let admin = call.is_admin();
    let merchant = match (call.merchant(), named) {
        (Some(own), Some(named)) if own != named => return Err(Problem::not_found("merchant")),
        (Some(own), _) => own,
        (None, Some(named)) => named,
        (None, None) => return Err(Problem::unreadable("merchant", "is missing: whose settlement?")),
    };
    if shared.handle.snapshot()?.get::<Merchants>(&merchant)?.is_none() {
        return Err(Problem::not_found("merchant"));
    }
    Answer::later(move |shared, out| {
        let shared = Arc::clone(shared);
        let reading = std::thread::Builder::new().name("report".to_owned()).spawn(move || {
            let report = shared.handle.snapshot().map_err(Problem::from);
            let report = report.map(|snapshot| Report { snapshot, merchant, from, to });
            out.finish(report.and_then(|report| match format {
                Format::Json => report.sums().and_then(|sums| json(200, &sums)),
                Format::Csv => report.lines(admin),
            }));
        });
        if let Err(error) = reading {
            log::error!("no thread to write a report with: {error}");
        }
    })
}

struct Report {
    snapshot: Snapshot,
    merchant: MerchantId,
    from: Option<Time>,
    to: Option<Time>,
}

impl Report {
    fn each(&self, span: &Span, mut visit: impl FnMut(EntryId, EntryRecord)) -> Result<(), StateError> {
        self.snapshot.scan::<Journal>(span, Direction::Up, |id, entry| {
            if entry.merchant == self.merchant {
                visit(id, entry);
            }
            ControlFlow::Continue(())
        })
    }

    /// The balances now, without all that came since `time`.
    fn due_at(&self, time: Option<Time>) -> Result<BTreeMap<String, i64>, Problem> {
        let mut balances: BTreeMap<String, BalanceRecord> = BTreeMap::new();
        let span_of = Span::prefix(self.merchant.encode());
        self.snapshot.scan::<Balances>(&span_of, Direction::Up, |(_, currency), balance| {
            balances.insert(currency.0, balance);
            ControlFlow::Continue(())
        })?;
        if time.is_some() {
            let mut fits = Some(());
            self.each(&span(time, None), |_, entry| {
                let key = balance_key(entry.merchant, entry.currency).1.0;
                fits = fits.and(balances.entry(key).or_default().add(&entry, -1));
            })?;
            fits.ok_or_else(|| Problem::internal("the books are full"))?;
        }
        Ok(balances.into_iter().map(|(currency, balance)| (currency, balance.due())).collect())
    }

    fn sums(&self) -> Result<Settlement, Problem> {
        let closing = self.due_at(self.to)?;
        let mut sums: BTreeMap<String, BTreeMap<EntryKind, Sum>> = BTreeMap::new();
        self.each(&span(self.from, self.to), |_, entry| {
            let of = sums.entry(entry.currency.code().to_owned()).or_default().entry(entry.kind).or_default();
            of.count += 1;
            of.amount = of.amount.saturating_add(entry.amount());
        })?;
        let currencies = closing.iter().filter_map(|(code, closing)| {
            let sums = sums.get(code).cloned().unwrap_or_default();
            Currency::parse(code).map(|currency| of_currency(currency, *closing, &sums))
        });
        let currencies = currencies.collect();
        Ok(Settlement { merchant: self.merchant, from: self.from, to: self.to, currencies })
    }

    /// A line for each entry that the merchant is concerned by; what is between the till, its gateway and a buyer stays
    /// the operator's.
    fn lines(&self, admin: bool) -> Result<Response, Problem> {
        let mut columns = vec![
            "entry",
            "time",
            "type",
            "credit",
            "debit",
            "currency",
            "purchase",
            "refund",
            "dispute",
            "deal_credit",
        ];
        if admin {
            columns.extend(["gateway", "reference"]);
        }
        let mut csv = Csv::new(&columns)?;
        let mut failed = None;
        self.each(&span(self.from, self.to), |id, entry| {
            let due = BalanceRecord::default().plus(&entry).due();
            if due == 0 && !admin {
                return;
            }
            let amount =
                |amount: i64| if amount > 0 { decimal(amount, entry.currency) } else { String::new() };
            let text = |id: Option<String>| id.unwrap_or_default();
            let mut row = vec![
                id.to_string(),
                entry.at.to_string(),
                entry.kind.word().to_owned(),
                amount(due),
                amount(due.saturating_neg()),
                entry.currency.code().to_owned(),
                text(entry.purchase.map(|id| id.to_string())),
                text(entry.refund.map(|id| id.to_string())),
                text(entry.dispute.map(|id| id.to_string())),
                text(entry.credit.map(|id| id.to_string())),
            ];
            if admin {
                row.extend([entry.gateway.clone(), entry.reference.clone()]);
            }
            if let Err(problem) = csv.row(&row) {
                failed.get_or_insert(problem);
            }
        })?;
        failed.map_or(Ok(()), Err)?;
        csv.answer("settlement.csv")
    }
}

fn of_currency(currency: Currency, closing: i64, sums: &BTreeMap<EntryKind, Sum>) -> CurrencySettlement {
    let of = |kind| sums.get(&kind).copied().unwrap_or_default();
    let (sales, refunds, refunds_returned) =
        (of(EntryKind::Charge), of(EntryKind::Refund), of(EntryKind::RefundReturned));
    let (disputes, disputes_won) = (of(EntryKind::Dispute), of(EntryKind::DisputeWon));
    let (credits, credits_reversed) = (of(EntryKind::Credit), of(EntryKind::CreditReversal));
    let came = [sales, refunds_returned, disputes_won, credits_reversed];
    let went = [refunds, disputes, credits];
    let add = |sums: &[Sum]| sums.iter().fold(0_i64, |all, sum| all.saturating_add(sum.amount));
    let net = add(&came).saturating_sub(add(&went));
    let opening = closing.saturating_sub(net);
    CurrencySettlement {
        currency,
        opening,
        sales,
        refunds,
        refunds_returned,
        disputes,
        disputes_won,
        credits,
        credits_reversed,
        net,
        closing,
    }
}

/// An amount as spreadsheets read it: `14.99`.
pub fn decimal(amount: i64, currency: Currency) -> String {
    let digits = usize::try_from(currency.minor_digits()).unwrap_or(2);
    let sign = if amount < 0 { "-" } else { "" };
    let number = format!("{:0>width$}", amount.unsigned_abs(), width = digits + 1);
    let (whole, rest) = number.split_at(number.len() - digits);
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currencys_digits() {
        let write = |amount, code| decimal(amount, Currency::parse(code).unwrap());
        assert_eq!(write(1499, "USD"), "14.99");
        assert_eq!(write(5, "USD"), "0.05");
        assert_eq!(write(-5, "USD"), "-0.05");
        assert_eq!(write(1499, "JPY"), "1499");
        assert_eq!(write(1499, "KWD"), "1.499");
    }
}
