//! The playground: the whole story by keyboard alone, what a phone shows, and two who look at once.

use crate::chromium;
use crate::support::Site;
use crate::webdriver::Keys;

#[test]
fn one_buys_by_keyboard_alone() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    browser.open(&format!("{}/playground", till.client.url));
    browser.says("You are Mara Lindholm");
    browser.says("Nothing was posted yet");
    browser.check_page("playground");
    browser.tab_to("#BuyHoney");
    browser.keys(Keys::ENTER);
    assert_eq!(browser.focused(), "What do you post?", "one can go on typing");
    browser.keys(" for my breakfast");
    browser.tab_to("Post");
    browser.keys(Keys::ENTER);
    browser.says("A unit is held; the buyer has to confirm.");
    browser.says("Mara · Wildflower honey, 500 g");
    // What one does next comes next.
    browser.keys(Keys::TAB);
    assert_eq!(browser.focused(), "Post #ConfirmHoney");
    browser.keys(Keys::ENTER);
    browser.says("The card was charged; the shop has the order.");
    browser.says("12 Harbor Street");
    browser.says("That was a sale.");
    browser.check_look("playground-sold");
    browser.tab_to("Ship it: Wildflower honey, 500 g");
    browser.keys(Keys::ENTER);
    browser.says("Shipped");
    let steps = browser.run("return document.querySelectorAll('.steps .done').length", &[]);
    assert_eq!(steps, 3, "every step is lit");
}

#[test]
fn what_goes_another_way_is_said_in_words() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    browser.open(&format!("{}/playground", till.client.url));
    let be = |name: &str| {
        let script = "[...document.querySelectorAll('.person')].find((one) => one.textContent.includes(arguments[0])).click()";
        browser.run(script, &[name.into()]);
        browser.says(&format!("You are {name}"));
    };
    let post = |text: &str| {
        browser.fill("What do you post?", text);
        browser.press("Post");
    };
    browser.says("Who are you?");
    be("Kit");
    post("Me too please #BuyMug");
    browser.says("No account is linked to this identity.");
    be("Ines");
    post("#BuyMug");
    browser.press("Post #ConfirmMug");
    browser.says("The bank declined the card.");
    be("Jonas");
    post("#BuyPrint");
    browser.press("Post #ConfirmPrint");
    browser.says("Jonas's bank asks: allow $45.00?");
    browser.press("Allow");
    browser.says("Lindenweg 3");
    be("Mara");
    post("<img src=x onerror=alert(1)> #BuyPrint");
    browser.says("<img src=x onerror=alert(1)>");
    browser.says("No unit is free");
    post("Then this #BuyMug");
    browser.says("Post #ConfirmMug");
    browser.press("Delete this post of yours");
    browser.says("deleted this post");
    post("Once more #BuyMug");
    browser.says("Mara · Stoneware mug");
    browser.press("+15 min");
    browser.press("+1 min");
    browser.says("Nobody confirmed in time.");
    browser.check_look("playground-busy");
    browser.press("Start over");
    browser.says("Start over?");
    browser.named("button", "Cancel");
    browser.keys(Keys::TAB);
    browser.keys(Keys::ENTER);
    browser.says("Nothing was posted yet");
}

#[test]
fn on_a_phone_the_feed_comes_first_and_the_shop_is_a_tap_away() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    browser.width(390);
    browser.open(&format!("{}/playground", till.client.url));
    browser.says("Who are you?");
    assert!(!browser.text().contains("On the shelf"));
    browser.press("#BuyMug");
    browser.press("Post");
    browser.says("Post #ConfirmMug");
    browser.fits("the feed");
    browser.press("Shop");
    browser.says("On the shelf");
    browser.says("Mara · Stoneware mug");
    browser.fits("the shop");
    assert!(!browser.text().contains("Who are you?"));
}

#[test]
fn two_who_look_see_the_same_and_a_till_that_is_away_is_said() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let url = format!("{}/playground", till.client.url);
    browser.open(&url);
    browser.says("Who are you?");
    browser.new_tab();
    browser.open(&url);
    browser.says("Who are you?");
    browser.fill("What do you post?", "Seen by both #BuyHoney");
    browser.press("Post");
    browser.says("A unit is held");
    browser.tab(0);
    browser.says("Seen by both #BuyHoney");
    browser.says("Mara · Wildflower honey");
    browser.expect_error("ERR_INTERNET_DISCONNECTED");
    browser.offline(true);
    browser.says("The till does not answer. Trying again");
    browser.offline(false);
    browser.says_no_more("Trying again");
}

#[test]
fn without_a_sandbox_it_says_how_to_start_one() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start_with(&[], &[]);
    browser.expect_error("404");
    browser.open(&format!("{}/playground", till.client.url));
    browser.says("The playground is closed");
    browser.says("tagtill demo");
    browser.check_look("playground-closed");
}
