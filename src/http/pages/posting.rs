//! What a buyer has to post on a network, word for word, and where a post is prepared with it.

use crate::till::network;
use crate::till::state::{Read, StateError};
use crate::web::prepared;

/// A hashtag, given without its `#`, as it has to be posted there: with the till's own handle where a network lets only
/// those be answered who mention it. `handles`: the buyer's, there.
pub fn on<'a, S: Read>(
    state: &S,
    slug: &str,
    handles: impl IntoIterator<Item = &'a str>,
    tag: &str,
) -> Result<(String, Option<String>), StateError> {
    let network = network::find(state, slug)?;
    let mention_needed = network.as_ref().is_some_and(|network| network.mention_needed);
    let own = network.and_then(|network| network.own).map_or_else(String::new, |own| own.handle);
    let text = if mention_needed && !own.is_empty() {
        format!("@{} #{tag}", own.trim_start_matches('@'))
    } else {
        format!("#{tag}")
    };
    // Where people have accounts on many servers: theirs, or else the till's own.
    let server = handles.into_iter().find_map(prepared::server_of).or_else(|| prepared::server_of(&own));
    let href = prepared::at(slug, server, &text);
    Ok((text, href))
}
