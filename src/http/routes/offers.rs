//! `/v1/offers`: what is for sale.

use super::offer_parts::{
    DealView, OfferVersionView, RewardBody, VariantBody, VariantView, deal_view, variant_view, version_view,
};
use super::patch::given;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page};
use crate::http::problem::{Code, Problem};
use crate::http::route::{Kind, Param, Route};
use crate::till::command::{Command, NewOffer, OfferChange, Outcome};
use crate::till::id::{MerchantId, OfferId};
use crate::till::money::Money;
use crate::till::offer;
use crate::till::record::{DealTerms, OfferKind, OfferRecord, OfferStatus, OwnTexts, Shortage};
use crate::till::state::{Read, StateError};
use crate::till::table::{Deals, OfferVersions, Offers, Stocks};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const MERCHANT: &[Kind] = &[Kind::Merchant];

pub const ROUTES: &[Route] = &[
    Route::post("/v1/offers", "createOffer", "Put something up for sale.", create)
        .also(MERCHANT)
        .takes::<OfferCreate>()
        .gives::<OfferView>()
        .creates(),
    Route::get("/v1/offers", "listOffers", "All offers, or a merchant's own.", list)
        .also(MERCHANT)
        .query(&[
            LIMIT,
            CURSOR,
            Param::new::<OfferStatus>("status", "Only these."),
            Param::new::<MerchantId>("merchant", "Only this merchant's."),
        ])
        .gives::<Page<OfferView>>(),
    Route::get("/v1/offers/{id}", "getOffer", "An offer.", get).also(MERCHANT).gives::<OfferView>(),
    Route::get(
        "/v1/offers/{id}/versions/{version}",
        "getOfferVersion",
        "An offer as it was in an earlier version: what purchases of that time were made on.",
        version,
    )
    .also(MERCHANT)
    .gives::<OfferVersionView>(),
    Route::patch("/v1/offers/{id}", "updateOffer", "Change, pause or end an offer.", update)
        .also(MERCHANT)
        .takes::<OfferPatch>()
        .gives::<OfferView>(),
];

/// A new offer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferCreate {
    /// Who sells; a merchant's token may leave it out.
    merchant: Option<MerchantId>,
    /// `purchase` unless given.
    kind: Option<OfferKind>,
    /// The purchase hashtag, with or without `#`.
    pub hashtag: String,
    /// The confirmation hashtag; by default the purchase hashtag with a leading `Buy` replaced by `Confirm`.
    pub confirm_hashtag: Option<String>,
    /// What is sold, in a few words.
    title: String,
    /// Tax and shipping included; a deal has none.
    price: Option<Money>,
    /// What it costs elsewhere.
    list_price: Option<Money>,
    /// How many there are, of a deal how many places; null: no limit.
    quantity: Option<u64>,
    /// How many one account may buy, of a deal how many credits it may earn; 1 unless given.
    per_account_limit: Option<u32>,
    /// From the reply to the end of the hold; 900 unless given.
    confirm_window_seconds: Option<u32>,
    /// Not before.
    starts_at: Option<Time>,
    /// Not from then on.
    ends_at: Option<Time>,
    /// The terms.
    terms_url: Option<String>,
    /// ISO 3166-1 alpha-2 codes; null: anywhere.
    ships_to: Option<Vec<String>>,
    /// The hashtag that lets a purchase go before it is confirmed; by default the purchase hashtag with a leading `Buy`
    /// replaced by `Pass`.
    pub cancel_hashtag: Option<String>,
    /// Sizes, colours: what buyers choose from with a word beside the hashtag.
    #[serde(default)]
    variants: Vec<VariantBody>,
    /// How many units one purchase may have (`x2`); 1 unless given.
    max_per_purchase: Option<u32>,
    /// What becomes of a wish for more than there is; `partial` unless given.
    shortage: Option<Shortage>,
    /// Whether buyers may wait in line when it is sold out.
    #[serde(default)]
    waitlist: bool,
    /// The language of its replies where a post does not say one that the till speaks: `en`, `de`, `es`, `fr`, `ja`, …
    lang: Option<String>,
    /// Texts that take the place of the till's, by language and name; `tagtill words` shows the names.
    #[serde(default)]
    texts: OwnTexts,
    /// Of a deal: less earns nothing.
    min_spend: Option<Money>,
    /// Of a deal: what is credited, money or `{"percent": 10, "cap": money}`.
    credit: Option<RewardBody>,
    /// Of a deal: what may be credited in all; null: no limit.
    budget: Option<Money>,
}

/// What to change of an offer; what is left out stays, null clears.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct OfferPatch {
    #[serde(deserialize_with = "given")]
    #[schemars(with = "String")]
    title: Option<String>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Money")]
    price: Option<Money>,
    #[serde(deserialize_with = "given")]
    list_price: Option<Option<Money>>,
    #[serde(deserialize_with = "given")]
    quantity: Option<Option<u64>>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    per_account_limit: Option<u32>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    confirm_window_seconds: Option<u32>,
    #[serde(deserialize_with = "given")]
    starts_at: Option<Option<Time>>,
    #[serde(deserialize_with = "given")]
    ends_at: Option<Option<Time>>,
    #[serde(deserialize_with = "given")]
    terms_url: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    ships_to: Option<Option<Vec<String>>>,
    /// `ended` is for good.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "OfferStatus")]
    status: Option<OfferStatus>,
    /// All of them anew. One that is held, sold or waited for has to stay.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<VariantBody>")]
    variants: Option<Vec<VariantBody>>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "u32")]
    max_per_purchase: Option<u32>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Shortage")]
    shortage: Option<Shortage>,
    /// False: nobody joins any more; who waits already is still served.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "bool")]
    waitlist: Option<bool>,
    /// The language of its replies where a post does not say one that the till speaks.
    #[serde(deserialize_with = "given")]
    lang: Option<Option<String>>,
    /// Texts that take the place of the till's; all of them at once.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "OwnTexts")]
    texts: Option<OwnTexts>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Money")]
    min_spend: Option<Money>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "RewardBody")]
    credit: Option<RewardBody>,
    #[serde(deserialize_with = "given")]
    budget: Option<Option<Money>>,
}

/// An offer and its stock.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Offer")]
struct OfferView {
    id: OfferId,
    /// Its dates included.
    status: OfferStatus,
    merchant: MerchantId,
    kind: OfferKind,
    hashtag: String,
    /// Null: a deal needs no confirmation.
    confirm_hashtag: Option<String>,
    title: String,
    /// Null for a deal.
    price: Option<Money>,
    list_price: Option<Money>,
    /// All there ever was, of a deal all its places; null: no limit.
    quantity: Option<u64>,
    /// Can be sold now; null: no limit.
    available: Option<u64>,
    /// Kept by purchases that are pending or being charged.
    held: u64,
    /// Paid.
    sold: u64,
    per_account_limit: u32,
    confirm_window_seconds: u32,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
    terms_url: Option<String>,
    ships_to: Option<Vec<String>>,
    /// The hashtag that lets a purchase go; null: it has none.
    cancel_hashtag: Option<String>,
    /// Empty: there is nothing to choose.
    variants: Vec<VariantView>,
    max_per_purchase: u32,
    shortage: Shortage,
    waitlist: bool,
    /// How many wait in line.
    waiting: u64,
    /// The language of its replies where a post does not say one that the till speaks; null: the till's.
    lang: Option<String>,
    /// Texts that take the place of the till's.
    texts: OwnTexts,
    /// Of a deal: its terms and where it stands.
    #[serde(flatten)]
    deal: Option<DealView>,
    /// Counts its edits, from 1.
    version: u32,
    created_at: Time,
}

fn view<S: Read>(state: &S, now: Time, id: OfferId, offer: &OfferRecord) -> Result<OfferView, StateError> {
    let stock = state.must::<Stocks>(&id)?;
    Ok(OfferView {
        id,
        status: offer.status_at(now),
        merchant: offer.merchant,
        kind: offer.kind,
        hashtag: offer.hashtag.clone(),
        confirm_hashtag: Some(offer.confirm_hashtag.clone()).filter(|tag| !tag.is_empty()),
        title: offer.title.clone(),
        price: offer.deal.is_none().then_some(offer.price),
        list_price: offer.list_price,
        quantity: stock.all.quantity,
        available: stock.available(),
        held: stock.all.held,
        sold: stock.all.sold,
        per_account_limit: offer.per_account_limit,
        confirm_window_seconds: offer.confirm_window_seconds,
        starts_at: offer.starts_at,
        ends_at: offer.ends_at,
        terms_url: offer.terms_url.clone(),
        ships_to: offer.ships_to.clone(),
        cancel_hashtag: offer.cancel_hashtag.clone(),
        variants: offer.variants.iter().map(|variant| variant_view(offer, variant, &stock)).collect(),
        max_per_purchase: offer.max_per_purchase,
        shortage: offer.shortage,
        waitlist: offer.waitlist,
        waiting: stock.all.waiting,
        lang: offer.language.clone(),
        texts: offer.texts.clone(),
        deal: match &offer.deal {
            None => None,
            Some(terms) => Some(deal_view(terms, &state.must::<Deals>(&id)?, &stock)),
        },
        version: offer.version,
        created_at: offer.created_at,
    })
}

/// One as its call shows it; `None` where there is none.
///
/// # Errors
/// When the file cannot be read.
pub fn shown<S: Read>(state: &S, now: Time, id: OfferId) -> Result<Option<Value>, StateError> {
    let Some(offer) = state.get::<Offers>(&id)? else { return Ok(None) };
    let shown = serde_json::to_value(view(state, now, id, &offer)?);
    shown.map(Some).map_err(|error| StateError(error.to_string()))
}

fn of_outcome<S: Read>(state: &S, now: Time, outcome: &Outcome) -> Result<OfferView, StateError> {
    match outcome {
        Outcome::Offer(id) => view(state, now, *id, &state.must::<Offers>(id)?),
        other => Err(StateError(format!("not an offer: {other:?}"))),
    }
}

/// Whose offer a request makes: a merchant's own, the one that an admin names.
fn seller(call: &Call, named: Option<MerchantId>) -> Result<MerchantId, Problem> {
    match (call.merchant(), named) {
        (Some(own), Some(named)) if own != named => {
            Err(Problem::on(Code::NotFound, "merchant", "is not a merchant of this till"))
        }
        (Some(own), _) => Ok(own),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(Problem::unreadable("merchant", "is missing")),
    }
}

/// The price of something for sale, or the terms of a deal.
fn terms(body: &OfferCreate) -> Result<(Money, Option<DealTerms>), Problem> {
    if body.kind.unwrap_or(OfferKind::Purchase) == OfferKind::Purchase {
        let of_deals = [
            ("min_spend", body.min_spend.is_some()),
            ("credit", body.credit.is_some()),
            ("budget", body.budget.is_some()),
        ];
        if let Some((field, _)) = of_deals.into_iter().find(|(_, given)| *given) {
            return Err(Problem::on(Code::Invalid, field, "has a meaning only for a deal"));
        }
        let price = body.price.ok_or_else(|| Problem::unreadable("price", "is missing"))?;
        return Ok((price, None));
    }
    if body.price.is_some() {
        return Err(Problem::on(Code::Invalid, "price", "has no meaning for a deal; leave it out"));
    }
    let min_spend = body.min_spend.ok_or_else(|| Problem::unreadable("min_spend", "is missing"))?;
    let reward = body.credit.as_ref().ok_or_else(|| Problem::unreadable("credit", "is missing"))?;
    Ok((min_spend, Some(DealTerms { min_spend, reward: reward.read(), budget: body.budget })))
}

/// What a request asks to be made.
pub fn new_of(call: &Call, body: OfferCreate) -> Result<NewOffer, Problem> {
    let (price, deal) = terms(&body)?;
    Ok(NewOffer {
        merchant: seller(call, body.merchant)?,
        hashtag: body.hashtag,
        confirm_hashtag: body.confirm_hashtag,
        title: body.title,
        price,
        list_price: body.list_price,
        quantity: body.quantity,
        per_account_limit: body.per_account_limit.unwrap_or(1),
        confirm_window_seconds: body.confirm_window_seconds.unwrap_or(900),
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        terms_url: body.terms_url,
        ships_to: body.ships_to,
        cancel_hashtag: body.cancel_hashtag,
        variants: body.variants.into_iter().map(VariantBody::read).collect(),
        max_per_purchase: body.max_per_purchase.unwrap_or(1),
        shortage: body.shortage.unwrap_or_default(),
        waitlist: body.waitlist,
        deal,
        language: body.lang,
        texts: body.texts,
    })
}

/// The change that makes an offer what a request for a new one says; its hashtags stay.
pub fn change_of(body: OfferCreate) -> Result<OfferChange, Problem> {
    let (price, deal) = terms(&body)?;
    Ok(OfferChange {
        title: Some(body.title),
        price: Some(price).filter(|_| deal.is_none()),
        list_price: Some(body.list_price),
        quantity: Some(body.quantity),
        per_account_limit: Some(body.per_account_limit.unwrap_or(1)),
        confirm_window_seconds: Some(body.confirm_window_seconds.unwrap_or(900)),
        starts_at: Some(body.starts_at),
        ends_at: Some(body.ends_at),
        terms_url: Some(body.terms_url),
        ships_to: Some(body.ships_to),
        status: None,
        variants: Some(body.variants.into_iter().map(VariantBody::read).collect()),
        max_per_purchase: Some(body.max_per_purchase.unwrap_or(1)),
        shortage: Some(body.shortage.unwrap_or_default()),
        waitlist: Some(body.waitlist),
        min_spend: deal.map(|terms| terms.min_spend),
        reward: deal.map(|terms| terms.reward),
        budget: deal.map(|terms| terms.budget),
        language: Some(body.lang),
        texts: Some(body.texts),
    })
}

fn create(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let new = new_of(call, call.body()?)?;
    call.change(Command::CreateOffer(Box::new(new)), None, |tx, now, outcome| of_outcome(tx, now, outcome))
        .answer()
}

fn update(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OfferId::parse, "offer")?;
    let patch: OfferPatch = call.body()?;
    let change = OfferChange {
        min_spend: patch.min_spend,
        reward: patch.credit.map(|credit| credit.read()),
        budget: patch.budget,
        title: patch.title,
        price: patch.price,
        list_price: patch.list_price,
        quantity: patch.quantity,
        per_account_limit: patch.per_account_limit,
        confirm_window_seconds: patch.confirm_window_seconds,
        starts_at: patch.starts_at,
        ends_at: patch.ends_at,
        terms_url: patch.terms_url,
        ships_to: patch.ships_to,
        status: patch.status,
        variants: patch.variants.map(|variants| variants.into_iter().map(VariantBody::read).collect()),
        max_per_purchase: patch.max_per_purchase,
        shortage: patch.shortage,
        waitlist: patch.waitlist,
        language: patch.lang,
        texts: patch.texts,
    };
    let command = Command::UpdateOffer { id, merchant: call.merchant(), change: Box::new(change) };
    call.change(command, None, |tx, now, outcome| of_outcome(tx, now, outcome)).answer()
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OfferId::parse, "offer")?;
    let snapshot = shared.handle.snapshot()?;
    let found = offer::must_find(&snapshot, id, call.merchant())?;
    Answer::ok(&view(&snapshot, shared.handle.now(), id, &found)?)
}

fn version(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OfferId::parse, "offer")?;
    let snapshot = shared.handle.snapshot()?;
    offer::must_find(&snapshot, id, call.merchant())?;
    let found = match call.param(1).parse::<u32>() {
        Ok(number) => snapshot.get::<OfferVersions>(&(id, number))?,
        Err(_) => None,
    };
    let found =
        found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such version of this offer."))?;
    Answer::ok(&version_view(id, found))
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let now = shared.handle.now();
    let status = call.query.word::<OfferStatus>("status")?;
    let named = call.query.read("merchant", MerchantId::parse, "an id that begins with mer_")?;
    let own = call.merchant();
    let matches = |offer: &OfferRecord| {
        own.is_none_or(|own| own == offer.merchant)
            && named.is_none_or(|named| named == offer.merchant)
            && status.is_none_or(|status| status == offer.status_at(now))
    };
    let snapshot = shared.handle.snapshot()?;
    let show = |state: &_, id, offer: &_| view(state, now, id, offer);
    Answer::ok(&page::<Offers, _>(&snapshot, call, matches, show)?)
}
