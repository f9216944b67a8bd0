//! Reading and measuring text: hashtags, folding, lengths, card numbers. Pure functions over `&str`.
//!
//! Everything here takes what strangers typed, so nothing here may panic, keep state, or take more than linear time.
//! What a tag or a number *means* is decided elsewhere.

mod cards;
mod class;
mod count;
mod domain;
mod emoji;
mod fold;
mod hashtag;
mod mention;
mod plain;
mod punycode;
#[rustfmt::skip]
mod tables;
#[rustfmt::skip]
mod tlds;
mod units;
mod url;

pub use cards::{contains_card_number, mask_card_numbers};
pub use count::{Counting, length};
pub use fold::{MixedScripts, fold, single_script, skeleton};
pub use hashtag::hashtags;
pub use mention::mentions;
pub use plain::{NotPlain, check_plain};
