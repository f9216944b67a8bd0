//! `/v1/offers/preview`: what an offer would say, before anybody has made it. Nothing of it is kept.

use super::offers::{OfferCreate, change_of, new_of};
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::{Code, Problem};
use crate::http::route::{Kind, Param, Route};
use crate::store::Tx;
use crate::till::command::Outcome;
use crate::till::context::Context;
use crate::till::hashtag::bare;
use crate::till::id::{IdSource, OfferId};
use crate::till::preview::Line;
use crate::till::record::OfferRecord;
use crate::till::state::{Read as _, StateError};
use crate::till::table::{Offers, Stocks};
use crate::till::text::{fold, length};
use crate::till::{announce, network, offer, preview};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const ROUTES: &[Route] = &[Route::post(
    "/v1/offers/preview",
    "previewOffer",
    "What an offer would say: a post to publish, and every reply on every network. Nothing is changed.",
    preview,
)
.also(&[Kind::Merchant])
.query(&[
    Param::new::<OfferId>(
        "offer",
        "The offer that is edited so: its hashtags are its own, and what it has sold counts.",
    ),
    Param::new::<String>("network", "Only this network's replies."),
])
.takes::<OfferCreate>()
.gives::<Preview>()
.unkeyed()];

/// What an offer would say.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OfferPreview")]
struct Preview {
    hashtag: String,
    /// Null: a deal needs no confirmation.
    confirm_hashtag: Option<String>,
    /// Null: it would have none.
    cancel_hashtag: Option<String>,
    /// The language of all this; a reply follows its post's language where the till speaks that.
    lang: String,
    /// A post to publish.
    post: PostView,
    /// By network, what matters most first. Of several wordings, of which the post decides, each is there.
    replies: Vec<ReplyView>,
}

/// A post to publish.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OfferPost")]
struct PostView {
    text: String,
    lengths: Vec<LengthView>,
}

/// How long a text is on a network.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TextLength")]
struct LengthView {
    network: String,
    /// As the network counts.
    length: usize,
    limit: u32,
}

/// A reply that the till may post.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OfferReply")]
struct ReplyView {
    network: String,
    /// When: the code of a verdict, or `your_turn`, `paid`, `refused`.
    kind: &'static str,
    text: String,
    /// As the network counts.
    length: usize,
    limit: u32,
}

impl From<Line> for ReplyView {
    fn from(Line { network, kind, text, length, limit }: Line) -> Self {
        Self { network, kind, text, length, limit }
    }
}

/// The offer as it would be, by the rules themselves; what they write goes nowhere.
fn rehearsed(
    tx: &mut Tx<'_>,
    cx: &mut Context<'_>,
    call: &Call,
    body: OfferCreate,
) -> Result<(OfferId, OfferRecord), Problem> {
    let edited = call.query.read("offer", OfferId::parse, "an id that begins with off_")?;
    let done = match edited {
        None => offer::create(tx, cx, &new_of(call, body)?)?,
        Some(id) => {
            let before = offer::must_find(tx, id, call.merchant())?;
            same_tags(&before, &body)?;
            offer::update(tx, cx, id, call.merchant(), &change_of(body)?)?
        }
    };
    let Outcome::Offer(id) = done else {
        return Err(StateError(format!("not an offer: {done:?}")).into());
    };
    let record = tx.must::<Offers>(&id)?;
    Ok((id, record))
}

/// Hashtags stay as they are: buyers know them.
fn same_tags(before: &OfferRecord, body: &OfferCreate) -> Result<(), Problem> {
    let same = |old: &str, new: &str| fold(bare(old)) == fold(bare(new));
    let given = [
        ("hashtag", Some(before.hashtag.as_str()), Some(&body.hashtag)),
        ("confirm_hashtag", Some(before.confirm_hashtag.as_str()), body.confirm_hashtag.as_ref()),
        ("cancel_hashtag", before.cancel_hashtag.as_deref(), body.cancel_hashtag.as_ref()),
    ];
    for (field, old, new) in given {
        if let Some(new) = new
            && !same(old.unwrap_or_default(), new)
        {
            return Err(Problem::on(
                Code::Invalid,
                field,
                "cannot change; end this offer and make a new one",
            ));
        }
    }
    Ok(())
}

fn preview(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let body: OfferCreate = call.body()?;
    let (now, words) = (shared.handle.now(), shared.handle.words());
    let mut batch = shared.handle.store().batch()?;
    let mut tx = batch.begin();
    let mut ids = IdSource::new([0, 0]);
    let mut context = Context { now, words, ids: &mut ids };
    let (id, record) = rehearsed(&mut tx, &mut context, call, body)?;
    let stock = tx.must::<Stocks>(&id)?;
    let networks = network::all(&tx)?;
    let text = announce::post(words, &networks, &record, &format!("{}/link", shared.base_url()));
    let lengths = networks.iter().map(|(slug, settings)| LengthView {
        network: slug.clone(),
        length: length(&text, settings.counting),
        limit: settings.text_limit,
    });
    let lengths = lengths.collect();
    let networks = match call.query.get("network") {
        None => networks,
        Some(slug) => BTreeMap::from([(slug.to_owned(), network::must_find(&tx, slug)?)]),
    };
    let lines = preview::lines(words, &networks, (id, &record), &stock, now);
    Answer::ok(&Preview {
        hashtag: record.hashtag.clone(),
        confirm_hashtag: Some(record.confirm_hashtag.clone()).filter(|tag| !tag.is_empty()),
        cancel_hashtag: record.cancel_hashtag.clone(),
        lang: words.pick([record.language.as_deref(), None]).code().to_owned(),
        post: PostView { text, lengths },
        replies: lines.into_iter().map(ReplyView::from).collect(),
    })
}
