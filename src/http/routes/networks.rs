//! `/v1/networks`: what the till knows of each network.

use super::patch::given;
use super::post::foreign;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::Page;
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::command::{Command, NetworkChange};
use crate::till::network;
use crate::till::record::{NetworkRecord, OwnIdentity};
use crate::till::state::{Read, StateError};
use crate::till::text::Counting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];

pub const ROUTES: &[Route] = &[
    Route::get("/v1/networks", "listNetworks", "Every network that the till knows, by slug.", list)
        .gives::<Page<NetworkView>>(),
    Route::put("/v1/networks/{slug}", "putNetwork", "Add a network or change its settings.", put)
        .takes::<NetworkPut>()
        .gives::<NetworkView>(),
    Route::get("/v1/networks/{slug}", "getNetwork", "A network's settings.", get)
        .also(NETWORK)
        .gives::<NetworkView>(),
];

/// A network's settings. What is left out stays as it is, or takes its default.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NetworkPut")]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct NetworkPut {
    /// Who the till is there; null: nobody.
    #[serde(default, deserialize_with = "given")]
    own: Option<Option<OwnIdentity>>,
    /// The longest reply, counted as `counting` says.
    text_limit: Option<u32>,
    /// How the network counts a text.
    counting: Option<Counting>,
    /// Posts older than this at arrival are never acted on.
    max_post_age_seconds: Option<u32>,
    /// How long after its deadline a hold is left alone.
    grace_seconds: Option<u32>,
    /// How long a hold waits for its reply to go out, before its window.
    reply_wait_seconds: Option<u32>,
    /// Whether a post may be answered only once.
    one_reply_per_post: Option<bool>,
    /// Whether replies may carry links.
    links_in_replies: Option<bool>,
    /// Whether the network lets only those be answered who mention or quote the shop: others hold nothing. Means
    /// something where `own` is set.
    mention_needed: Option<bool>,
    /// How many replies the network takes in a quarter of an hour; null: no limit. What matters most goes first, what is
    /// stale when its turn comes is dropped.
    #[serde(default, deserialize_with = "given")]
    replies_per_15_minutes: Option<Option<u32>>,
    /// How many replies the network takes in a day; null: no limit.
    #[serde(default, deserialize_with = "given")]
    replies_per_day: Option<Option<u32>>,
}

/// A network's settings.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Network")]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
struct NetworkView {
    slug: String,
    own: Option<OwnIdentity>,
    text_limit: u32,
    counting: Counting,
    max_post_age_seconds: u32,
    grace_seconds: u32,
    reply_wait_seconds: u32,
    one_reply_per_post: bool,
    links_in_replies: bool,
    mention_needed: bool,
    replies_per_15_minutes: Option<u32>,
    replies_per_day: Option<u32>,
}

fn view(slug: &str, network: NetworkRecord) -> NetworkView {
    NetworkView {
        slug: slug.to_owned(),
        own: network.own,
        text_limit: network.text_limit,
        counting: network.counting,
        max_post_age_seconds: network.max_post_age_seconds,
        grace_seconds: network.grace_seconds,
        reply_wait_seconds: network.reply_wait_seconds,
        one_reply_per_post: network.one_reply_per_post,
        links_in_replies: network.links_in_replies,
        mention_needed: network.mention_needed,
        replies_per_15_minutes: network.replies_per_15_minutes,
        replies_per_day: network.replies_per_day,
    }
}

/// One as its call shows it; `None` where the till does not know it.
///
/// # Errors
/// When the file cannot be read.
pub fn shown<S: Read>(state: &S, slug: &str) -> Result<Option<Value>, StateError> {
    let Some(found) = network::find(state, slug)? else { return Ok(None) };
    serde_json::to_value(view(slug, found)).map(Some).map_err(|error| StateError(error.to_string()))
}

fn put(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let put: NetworkPut = call.body()?;
    let change = NetworkChange {
        own: put.own,
        text_limit: put.text_limit,
        counting: put.counting,
        max_post_age_seconds: put.max_post_age_seconds,
        grace_seconds: put.grace_seconds,
        reply_wait_seconds: put.reply_wait_seconds,
        one_reply_per_post: put.one_reply_per_post,
        links_in_replies: put.links_in_replies,
        mention_needed: put.mention_needed,
        replies_per_15_minutes: put.replies_per_15_minutes,
        replies_per_day: put.replies_per_day,
    };
    let slug = call.param(0).to_owned();
    let command = Command::PutNetwork { slug: slug.clone(), change };
    let show =
        move |tx: &crate::store::Tx<'_>, _, _: &_| Ok(network::find(tx, &slug)?.map(|it| view(&slug, it)));
    call.change(command, None, show).answer()
}

/// The network in the path; a network's token names its own.
pub fn slug(call: &Call) -> Result<&str, Problem> {
    let slug = call.param(0);
    if call.network().is_some_and(|own| own != slug) { Err(foreign()) } else { Ok(slug) }
}

fn list(shared: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    let all = network::all(&shared.handle.snapshot()?)?;
    let data: Vec<_> = all.into_iter().map(|(slug, settings)| view(&slug, settings)).collect();
    Answer::ok(&Page { data, next_cursor: None })
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    Answer::ok(&view(slug, network::must_find(&shared.handle.snapshot()?, slug)?))
}
