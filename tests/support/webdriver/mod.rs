//! Chromium, driven through Debian's `chromedriver`: what a person sees of a page, and what the page did on the way.
//!
//! `TAGTILL_CHROMEDRIVER` names the driver, `TAGTILL_CHROMIUM` the browser, `TAGTILL_AXE` the script of axe-core.
//! `tests/run` sets them. Without the first one a driver on the `PATH` does; without any, nothing is tested here.
#![allow(dead_code, reason = "each test file uses a part of it")]

mod check;
mod driver;
mod log;
mod tab;

pub use driver::Chromium;
pub use tab::Keys;

/// A browser for this test. Gives up the test, saying so, where there is no browser on this machine.
#[macro_export]
macro_rules! chromium {
    () => {
        match $crate::webdriver::Chromium::take() {
            Some(chromium) => chromium,
            None => return,
        }
    };
}
