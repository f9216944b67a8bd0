//! `/v1/networks/{slug}/bridge`: a network's bridge says who it is and how it stands, and is told what to look for.

use super::networks::slug;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::bridges::Counts;
use crate::http::call::Call;
use crate::http::paging::Page;
use crate::http::problem::{Code, Problem};
use crate::http::route::{Kind, Route};
use crate::till::command::Command;
use crate::till::record::OwnIdentity;
use crate::till::state::{Read, StateError};
use crate::till::table::{Only, Settings};
use crate::till::text::Counting;
use crate::till::time::Time;
use crate::till::{bridge, network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];
/// Kinds of errors that a bridge may tell.
const KINDS_MAX: usize = 32;

pub const ROUTES: &[Route] = &[
    Route::put(
        "/v1/networks/{slug}/bridge",
        "announceBridge",
        "A bridge says who it is and how it stands, and is told what to look for.",
        put,
    )
    .also(NETWORK)
    .takes::<BridgePut>()
    .gives::<Orders>(),
    Route::get("/v1/networks/{slug}/bridge", "getBridge", "How a network's bridge stands.", get)
        .also(NETWORK)
        .gives::<BridgeView>(),
    Route::get(
        "/v1/networks/{slug}/held",
        "listHeldPosts",
        "Posts whose deletion would let something go: a hold that nobody has confirmed, or a place in line.",
        held,
    )
    .also(NETWORK)
    .gives::<Page<String>>(),
];

/// What a bridge says of itself. What is left out stays as it was.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BridgePut")]
struct BridgePut {
    /// Who it posts as.
    own: Option<OwnIdentity>,
    /// The longest text that its server takes: it lowers the network's limit, and never raises it.
    text_limit: Option<u32>,
    /// How far it is behind its network.
    lag_seconds: Option<u64>,
    /// Posts that it delivered since it started.
    posts: Option<u64>,
    /// Replies that it posted since it started.
    replies: Option<u64>,
    /// What went wrong since it started, by kind: at most 32 kinds, each 1 to 32 of a-z and _.
    errors: Option<BTreeMap<String, u64>>,
}

/// What a bridge has to know.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BridgeOrders")]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
struct Orders {
    slug: String,
    own: Option<OwnIdentity>,
    text_limit: u32,
    counting: Counting,
    links_in_replies: bool,
    mention_needed: bool,
    max_post_age_seconds: u32,
    /// The till's clock.
    now: Time,
    /// Whether that clock is a sandbox's, which can be moved.
    sandbox: bool,
    /// Whether nothing goes out until an operator says so.
    paused: bool,
    /// What posts are judged by, folded, in order: at most 10,000.
    hashtags: Vec<String>,
}

/// How a bridge stands, by its own word; null where it has not said since the till started.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Bridge")]
struct BridgeView {
    network: String,
    own: Option<OwnIdentity>,
    seen_at: Option<Time>,
    lag_seconds: Option<u64>,
    posts: Option<u64>,
    replies: Option<u64>,
    errors: BTreeMap<String, u64>,
}

fn orders<S: Read>(state: &S, now: Time, slug: &str) -> Result<Orders, StateError> {
    let settings = network::find(state, slug)?;
    let settings = settings.ok_or_else(|| StateError(format!("the network {slug} is gone")))?;
    let hashtags = bridge::hashtags(state, now, &settings)?;
    let whole = state.must::<Settings>(&Only)?;
    Ok(Orders {
        slug: slug.to_owned(),
        own: settings.own,
        text_limit: settings.text_limit,
        counting: settings.counting,
        links_in_replies: settings.links_in_replies,
        mention_needed: settings.mention_needed,
        max_post_age_seconds: settings.max_post_age_seconds,
        now,
        sandbox: whole.sandbox,
        paused: whole.paused,
        hashtags,
    })
}

fn check_errors(errors: &BTreeMap<String, u64>) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::on(Code::Invalid, "errors", detail));
    if errors.len() > KINDS_MAX {
        return refuse("must have at most 32 kinds");
    }
    let fine = |kind: &String| {
        (1..=32).contains(&kind.len()) && kind.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    if errors.keys().all(fine) { Ok(()) } else { refuse("must have kinds of 1 to 32 of a-z and _") }
}

fn put(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    let put: BridgePut = call.body()?;
    check_errors(put.errors.as_ref().unwrap_or(&BTreeMap::new()))?;
    let (snapshot, now) = (shared.handle.snapshot()?, shared.handle.now());
    let changed = bridge::announced(&snapshot, slug, put.own.as_ref(), put.text_limit)?;
    let BridgePut { own, text_limit, lag_seconds, posts, replies, errors } = put;
    shared.bridges.heard(slug, now, Counts { lag_seconds, posts, replies, errors });
    if changed.is_none() {
        return Answer::ok(&orders(&snapshot, now, slug)?);
    }
    let slug = slug.to_owned();
    let command = Command::AnnounceBridge { slug: slug.clone(), own, text_limit };
    call.change(command, None, move |tx, now, _| orders(tx, now, &slug)).answer()
}

fn held(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    let snapshot = shared.handle.snapshot()?;
    network::must_find(&snapshot, slug)?;
    Answer::ok(&Page { data: bridge::held(&snapshot, slug)?, next_cursor: None })
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    let settings = network::must_find(&shared.handle.snapshot()?, slug)?;
    let last = shared.bridges.find(slug);
    let last = last.as_ref();
    Answer::ok(&BridgeView {
        network: slug.to_owned(),
        own: settings.own,
        seen_at: last.map(|last| last.seen_at),
        lag_seconds: last.and_then(|last| last.lag_seconds),
        posts: last.and_then(|last| last.posts),
        replies: last.and_then(|last| last.replies),
        errors: last.map(|last| last.errors.clone()).unwrap_or_default(),
    })
}
