use super::*;
use crate::till::time::Time;

fn charge(key: &str, method: &str) -> Charge {
    Charge {
        key: key.to_owned(),
        direction: Direction::Charge,
        amount: Money { amount: 1500, currency: Currency::USD },
        customer: "sandbox".to_owned(),
        method: method.to_owned(),
        begun_at: Time::from_ms(0),
        transaction: None,
    }
}

fn created(gateway: &Sandbox, key: &str, method: &str) -> String {
    match gateway.create(&charge(key, method)) {
        Created::Reference(reference) => reference,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_charged_once_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let first = Sandbox::open(&path).unwrap();
    let reference = created(&first, "pur-1", "tok_visa");
    assert_eq!(first.confirm(&reference, &charge("a", "tok_visa")), Standing::Paid);
    drop(first);
    let again = Sandbox::open(&path).unwrap();
    assert_eq!(created(&again, "pur-1", "tok_visa"), reference);
    assert_eq!(again.confirm(&reference, &charge("a", "tok_visa")), Standing::Paid);
    assert_eq!(again.totals().charged, 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("charged").count(), 1);
}

#[test]
fn the_cards_do_what_they_are_named_for() {
    let gateway = Sandbox::default();
    let declined = created(&gateway, "a", "tok_insufficient_funds");
    assert_eq!(
        gateway.confirm(&declined, &charge("a", "tok_visa")),
        Standing::Declined("insufficient_funds".to_owned())
    );
    let slow = created(&gateway, "b", "tok_timeout");
    assert_eq!(gateway.confirm(&slow, &charge("a", "tok_visa")), Standing::Unknown);
    assert_eq!(gateway.fetch(&slow, &charge("a", "tok_visa")), Standing::Paid);
}

#[test]
fn gives_back_once_a_key_and_never_more_than_was_charged() {
    let gateway = Sandbox::default();
    let money = |amount| Money { amount, currency: Currency::USD };
    let reference = created(&gateway, "a", "tok_visa");
    assert!(matches!(gateway.refund("r0", &reference, money(1)), Refunded::Failed(_)));
    gateway.confirm(&reference, &charge("a", "tok_visa"));
    assert!(matches!(gateway.refund("r1", &reference, money(1000)), Refunded::Succeeded(_)));
    assert!(matches!(gateway.refund("r1", &reference, money(1000)), Refunded::Succeeded(_)));
    assert!(matches!(gateway.refund("r2", &reference, money(501)), Refunded::Failed(_)));
    assert_eq!(gateway.totals().refunds, 1);
}

#[test]
fn a_cancelled_charge_is_never_made_and_a_made_one_is_not_cancelled() {
    let gateway = Sandbox::default();
    let first = created(&gateway, "a", "tok_visa");
    assert_eq!(gateway.cancel(&first, &charge("a", "tok_visa")), Standing::Declined(CANCELED.to_owned()));
    assert_eq!(gateway.confirm(&first, &charge("a", "tok_visa")), Standing::Declined(CANCELED.to_owned()));
    let second = created(&gateway, "b", "tok_visa");
    gateway.confirm(&second, &charge("a", "tok_visa"));
    assert_eq!(gateway.cancel(&second, &charge("a", "tok_visa")), Standing::Paid);
}

#[test]
fn a_charge_waits_for_its_owner_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let first = Sandbox::open(&path).unwrap();
    let (card, other) = ("tok_authenticate", charge("a", "tok_authenticate"));
    let (one, two) = (created(&first, "a", card), created(&first, "b", card));
    assert!(!first.answer_authentication(&one, true), "nobody has asked yet");
    assert_eq!(first.confirm(&one, &other), Standing::NeedsOwner);
    assert_eq!(first.confirm(&two, &other), Standing::NeedsOwner);
    drop(first);
    let again = Sandbox::open(&path).unwrap();
    assert_eq!(again.confirm(&one, &other), Standing::NeedsOwner);
    assert_eq!(
        again.authenticate(&one, &other, ""),
        Authentication::Page("/sandbox/authenticate/sbx_a".to_owned())
    );
    assert_eq!(again.waits_for_owner(&one).map(|money| money.amount), Some(1500));
    assert!(again.answer_authentication(&one, true) && !again.answer_authentication(&one, false));
    assert!(again.answer_authentication(&two, false));
    drop(again);
    let last = Sandbox::open(&path).unwrap();
    assert_eq!(last.fetch(&one, &other), Standing::Paid);
    assert_eq!(last.fetch(&two, &other), Standing::Declined("authentication_failed".to_owned()));
    assert_eq!(last.authenticate(&one, &other, ""), Authentication::Standing(Standing::Paid));
    assert_eq!(last.cancel(&one, &other), Standing::Paid);
}

#[test]
fn a_torn_last_line_is_cut_off_and_damage_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    std::fs::write(&path, "{\"entry\":\"charged\",\"reference\":\"x\"}\n{\"entry\":\"cha").unwrap();
    drop(Sandbox::open(&path).unwrap());
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("}\n"));
    // An entry that is whole but for its end does not count, and the next one gets a line of its own.
    std::fs::write(&path, r#"{"entry":"cancelled","reference":"x"}"#).unwrap();
    created(&Sandbox::open(&path).unwrap(), "a", "tok_visa");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\"entry\":\"created\""));
    drop(Sandbox::open(&path).unwrap());
    std::fs::write(&path, "not a ledger\n").unwrap();
    assert!(Sandbox::open(&path).is_err());
}
