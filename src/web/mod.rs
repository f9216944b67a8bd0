//! The pages that people see: what they look like and what they say, as plain HTML from plain values.
//!
//! Nothing here reads a request or a clock, and nothing decides: a page shows what it is given. Buyers' pages work
//! without scripts. The console and the playground are scripts over the API, embedded as they lie in `assets/`. All of
//! them ask nobody else for anything, and escape whatever comes from outside.

pub mod app;
pub mod assets;
mod layout;
pub mod link;
pub mod mandate;
pub mod prepared;
pub mod private;
pub mod sandbox;

pub use layout::{Page, STYLE, error_page, message};
