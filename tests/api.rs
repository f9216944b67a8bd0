//! The API as a client sees it: the real binary on a free port.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[path = "api/bad_input.rs"]
mod bad_input;
#[path = "api/books.rs"]
mod books;
#[path = "api/bridges.rs"]
mod bridges;
#[path = "api/choices.rs"]
mod choices;
#[path = "api/deals.rs"]
mod deals;
#[path = "api/desk.rs"]
mod desk;
#[path = "api/keys.rs"]
mod keys;
#[path = "api/limits.rs"]
mod limits;
#[path = "api/operation.rs"]
mod operation;
#[path = "api/overview.rs"]
mod overview;
#[path = "api/pages.rs"]
mod pages;
#[path = "api/posts.rs"]
mod posts;
#[path = "api/roles.rs"]
mod roles;
#[path = "api/search.rs"]
mod search;
mod support;
#[path = "api/till.rs"]
mod till;
#[path = "api/waits.rs"]
mod waits;
