//! tagtill: sell with a post, buy with a reply.
//!
//! The rooms, from the bottom up; a room knows only those below it:
//!
//! - [`till`]: the rules. Time and ids come in; it must never know I/O, threads, clocks, HTTP or redb.
//! - [`store`]: the data file. The only room that knows redb and bincode; it must never know a rule.
//! - [`engine`]: the one writer, the tick, the long polls. It must never know HTTP or a gateway.
//! - [`payments`]: gateways and the worker that asks them. It must never know HTTP or a network.
//! - [`webhooks`]: events sent to merchants' own addresses. It must never know a route or a gateway.
//! - [`web`]: what pages look like. It must never know a request or a file.
//! - [`http`]: the front gate and the API. The only room that knows `tiny_http`; it must never know a gateway.
//! - [`client`]: the API as a caller sees it. It must never know a room below.
//! - [`bridges`]: networks' posts and replies, over that client. They must never know a rule or the data file.
//! - [`playground`]: a little social network in memory, over that client, to try the till out. It must never know a rule, the
//!   data file or HTTP.
//! - [`rehearsal`]: a drop with simulated buyers and a simulated network, over that client. It must never know a rule.
//! - [`cli`]: one file a subcommand; the only room that ties the others together.

#![forbid(unsafe_code)]

pub mod bridges;
pub mod cli;
pub mod client;
pub mod engine;
pub mod http;
pub mod payments;
pub mod playground;
pub mod rehearsal;
pub mod store;
pub mod till;
pub mod web;
pub mod webhooks;
