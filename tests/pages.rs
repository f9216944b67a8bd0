//! The pages in a real browser: with a mouse, with a keyboard alone, in a narrow window, in the dark, without scripts,
//! without a network; and axe-core looks at each.
//!
//! It needs Chromium with its driver, and axe-core; see `support/webdriver`. Pictures are kept in `target/screenshots`,
//! weights and first paints in `target/pages.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "pages/buyer.rs"]
mod buyer;
#[path = "pages/console.rs"]
mod console;
#[path = "pages/desk.rs"]
mod desk;
#[path = "pages/link.rs"]
mod link;
#[path = "pages/now.rs"]
mod now;
#[path = "pages/offers.rs"]
mod offers;
#[path = "pages/orders.rs"]
mod orders;
#[path = "pages/playground.rs"]
mod playground;
#[path = "pages/private.rs"]
mod private;
#[path = "pages/rehearsal.rs"]
mod rehearsal;
mod support;
#[path = "support/webdriver/mod.rs"]
mod webdriver;
