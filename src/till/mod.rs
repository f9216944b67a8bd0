//! The rules of the till: what it decides, case by case.
//!
//! No I/O, no threads, no clock, no chance: time and seeds come in with every command, and what the rules remember
//! they reach through [`state`]. They know no network, no gateway and no store in particular, and never HTTP.

pub mod account;
pub mod announce;
pub mod apply;
pub mod bridge;
pub mod buy;
pub mod charge;
pub mod check;
pub mod command;
pub mod confirm;
pub mod context;
pub mod country;
pub mod deal;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod explain;
pub mod follow_up;
pub mod hashtag;
pub mod id;
pub mod journal;
pub mod limit;
pub mod link;
pub mod money;
pub mod near;
pub mod network;
pub mod notice;
pub mod offer;
pub mod offer_words;
pub mod opt_out;
pub mod order;
pub mod owner;
pub mod pace;
pub mod pass;
pub mod post;
pub mod preview;
pub mod purchase;
pub mod rate;
pub mod record;
pub mod refund;
pub mod refusal;
pub mod reply;
pub mod repost;
pub mod role;
#[cfg(test)]
pub mod samples;
pub mod state;
pub mod stock;
pub mod table;
pub mod text;
pub mod tick;
pub mod time;
pub mod variant;
pub mod verdict;
pub mod verify;
pub mod waiting;
pub mod wording;
pub mod words;
