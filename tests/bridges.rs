//! Bridges against the networks' own servers: people post and repost there, and the shop sells.
//!
//! What stands at the end is always the same: each post that needs a reply has exactly one, and every purchase that was
//! confirmed is paid once. `tests/run` sets the servers up; without them nothing is tested here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

#[path = "support/peers/mod.rs"]
mod peers;
mod support;

#[path = "bridges/bluesky.rs"]
mod bluesky;
#[path = "bridges/mastodon.rs"]
mod mastodon;
#[path = "bridges/play.rs"]
mod play;
#[path = "bridges/stage.rs"]
mod stage;

use bluesky::Bluesky;
use mastodon::Mastodon;

#[test]
fn people_buy_on_bluesky() {
    let Some(network) = Bluesky::start() else { return };
    play::people_buy(network);
}

#[test]
fn nothing_is_lost_on_bluesky_when_the_network_or_the_till_is_down() {
    let Some(network) = Bluesky::start() else { return };
    play::outages(network);
}

#[test]
fn a_bridge_to_bluesky_is_checked_tried_and_run_inside_the_till() {
    let Some(network) = Bluesky::start() else { return };
    play::ways_to_run(network);
}

#[test]
fn a_bridge_to_bluesky_may_be_killed_at_any_moment() {
    let Some(network) = Bluesky::start() else { return };
    play::kills(network);
}

#[test]
fn a_reply_on_bluesky_is_posted_once_when_the_answer_is_lost() {
    let Some(network) = Bluesky::start() else { return };
    play::lost_answers(network);
}

#[test]
fn who_says_stop_on_bluesky_is_left_alone() {
    let Some(network) = Bluesky::start() else { return };
    play::opt_out(network);
}

#[test]
fn a_changed_handle_on_bluesky_is_noticed() {
    let Some(network) = Bluesky::start() else { return };
    bluesky::changed_handle(network);
}

#[test]
fn a_backdated_confirmation_on_bluesky_is_too_late() {
    let Some(network) = Bluesky::start() else { return };
    bluesky::backdated(network);
}

#[test]
fn who_blocks_the_shop_on_bluesky_is_left_alone_for_as_long() {
    let Some(network) = Bluesky::start() else { return };
    bluesky::blocks_end(network);
}

#[test]
fn people_buy_on_all_of_bluesky() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::people_buy(network);
}

#[test]
fn nothing_is_lost_on_all_of_bluesky_when_the_network_or_the_till_is_down() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::outages(network);
}

#[test]
fn a_bridge_to_all_of_bluesky_is_checked_tried_and_run_inside_the_till() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::ways_to_run(network);
}

#[test]
fn a_bridge_to_all_of_bluesky_may_be_killed_at_any_moment() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::kills(network);
}

#[test]
fn a_reply_on_all_of_bluesky_is_posted_once_when_the_answer_is_lost() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::lost_answers(network);
}

#[test]
fn who_says_stop_on_all_of_bluesky_is_left_alone() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::opt_out(network);
}

#[test]
fn a_changed_handle_on_all_of_bluesky_is_noticed() {
    let Some(network) = Bluesky::start_whole() else { return };
    bluesky::changed_handle(network);
}

#[test]
fn a_backdated_confirmation_on_all_of_bluesky_is_too_late() {
    let Some(network) = Bluesky::start_whole() else { return };
    bluesky::backdated(network);
}

#[test]
fn who_blocks_the_shop_on_all_of_bluesky_gets_no_reply() {
    let Some(network) = Bluesky::start_whole() else { return };
    bluesky::blocked(network);
}

#[test]
fn people_buy_on_mastodon() {
    let Some(network) = Mastodon::start() else { return };
    play::people_buy(network);
}

#[test]
fn nothing_is_lost_on_mastodon_when_the_network_or_the_till_is_down() {
    let Some(network) = Mastodon::start() else { return };
    play::outages(network);
}

#[test]
fn a_bridge_to_mastodon_is_checked_tried_and_run_inside_the_till() {
    let Some(network) = Mastodon::start() else { return };
    play::ways_to_run(network);
}

#[test]
fn a_bridge_to_mastodon_may_be_killed_at_any_moment() {
    let Some(network) = Mastodon::start() else { return };
    play::kills(network);
}

#[test]
fn a_reply_on_mastodon_is_posted_once_when_the_answer_is_lost() {
    let Some(network) = Mastodon::start() else { return };
    play::lost_answers(network);
}

#[test]
fn who_says_stop_on_mastodon_is_left_alone() {
    let Some(network) = Mastodon::start() else { return };
    play::opt_out(network);
}

#[test]
fn bridges_to_bluesky_follow_each_other_and_never_run_beside_each_other() {
    let Some(network) = Bluesky::start() else { return };
    play::one_after_the_other(network);
}

#[test]
fn bridges_to_mastodon_follow_each_other_and_never_run_beside_each_other() {
    let Some(network) = Mastodon::start() else { return };
    play::one_after_the_other(network);
}

#[test]
fn bridges_to_all_of_bluesky_follow_each_other_and_never_run_beside_each_other() {
    let Some(network) = Bluesky::start_whole() else { return };
    play::one_after_the_other(network);
}

#[test]
fn one_buyer_buys_on_bluesky_and_on_mastodon() {
    let (Some(bluesky), Some(mastodon)) = (Bluesky::start(), Mastodon::start()) else { return };
    play::one_buyer_on_two(bluesky, &mastodon);
}
