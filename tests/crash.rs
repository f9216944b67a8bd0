//! Kill -9 in the middle of everything at once, many times over, against a client that remembers every answer.
//!
//! After each crash the file is checked as it lies there; then the till is started on it and asked about all that it had
//! said, and what it had not answered is sent again. `TAGTILL_CRASH_ROUNDS` sets the number of rounds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "crash/check.rs"]
mod check;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/memory.rs"]
mod memory;
mod support;

use check::Books;
use load::{BUYERS, Load, Offers};
use support::{Site, buyer, wait_for};

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let rounds: usize =
        std::env::var("TAGTILL_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let site = Site::new();
    let mut till = site.start(&[]);
    for who in 0..BUYERS {
        buyer(&till.client, &load::user(who), load::card(who));
    }
    let mut books = Books::default();
    let (mut answers, mut last_event) = (0, None);
    for round in 0..rounds {
        let offers = Offers::make(&till.client, round, last_event);
        let load = Load::start(&till.client, &offers, round);
        // A different moment in each round.
        let enough = 100 + round * 67 % 500;
        wait_for("a load under way", || (load.answers() >= enough).then_some(()));
        till.kill_9();
        let memory = load.end();
        assert!(memory.answers() >= enough);
        answers += memory.answers();
        // As the crash left it, nothing mended: looking does not change it.
        site.ok(&["verify"]);
        till = site.start(&[]);
        check::round(&till.client, &site, &offers, &memory, &mut books);
        last_event = offers.event;
    }
    till.stop();
    let said = site.ok(&["verify"]);
    assert!(said.starts_with("verify holds"), "{said}");
    println!("{rounds} rounds, {answers} answers remembered, {} charges: {said}", books.charges());
}
