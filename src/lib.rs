//! tagtill: sell with a post, buy with a reply.

#![forbid(unsafe_code)]

pub mod engine;
pub mod http;
pub mod payments;
pub mod store;
pub mod till;
