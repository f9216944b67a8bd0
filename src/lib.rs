//! tagtill: sell with a post, buy with a reply.

#![forbid(unsafe_code)]

pub mod store;
pub mod till;
