//! tagtill: sell with a post, buy with a reply.

pub mod http;
pub mod till;
