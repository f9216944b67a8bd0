//! The pages that people see: what they look like and what they say, as plain HTML from plain values.
//!
//! Nothing here reads a request, a file or a clock, and nothing decides: a page shows what it is given. Pages work
//! without scripts, ask nobody else for anything, and escape whatever comes from outside.

mod layout;
pub mod link;
pub mod mandate;
pub mod private;
pub mod sandbox;

pub use layout::{Page, STYLE, error_page, message};
