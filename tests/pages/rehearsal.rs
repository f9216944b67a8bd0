//! The console's rehearsals: asked for, under way, and what one came to.

use super::offers::{merchant, open, tea};
use crate::chromium;
use crate::support::Site;

#[test]
fn a_drop_is_rehearsed_and_its_result_is_read() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    tea(client, &merchant(client, "Tea & Co"));
    open(&browser, &client.url, "rehearsal");
    browser.says("Nothing real is posted, held or charged.");
    browser.says("None yet.");
    browser.check_page("rehearsal");
    browser.fill("Buyers", "0");
    browser.expect_error("422");
    browser.press("Start the rehearsal");
    browser.says("This must be from 1 to");
    assert!(browser.focused().starts_with("Buyers"), "the field at fault is at hand");
    browser.check_look("rehearsal-wrong");
    browser.fill("Buyers", "150");
    browser.fill("Units", "12");
    browser.press("Start the rehearsal");
    browser.says("Oversold: 0.");
    browser.says("of 12 units");
    browser.says("What became of everybody");
    browser.check_page("rehearsal-result");
    browser.follow("Rehearse again");
    browser.says("The last rehearsals");
    browser.says("150 buyers");
    browser.check_look("rehearsal-last");
    let list = client.get("/v1/rehearsals");
    assert_eq!(list["data"][0]["status"], "done");
}
