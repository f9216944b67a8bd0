use super::*;

#[test]
fn keys_and_addresses_are_looked_at_before_anything_is_asked() {
    let live = "sk_live_abc";
    for (base, key, fine) in [
        (API_BASE, live, true),
        (API_BASE, "rk_test_abc", true),
        ("http://127.0.0.1:8420", "sk_test_abc", true),
        ("http://localhost", "sk_test_abc", true),
        ("http://127.0.0.1:8420", live, false),
        ("http://127.0.0.1.example.com", "sk_test_abc", false),
        ("http://stripe.example", "sk_test_abc", false),
        (API_BASE, "pk_live_abc", false),
        (API_BASE, "", false),
        (API_BASE, "sk_live_a b", false),
    ] {
        assert_eq!(Stripe::new(base, key).is_ok(), fine, "{base} {key}");
    }
    assert!(Stripe::new(API_BASE, live).unwrap().is_live());
}

#[test]
fn a_payment_method_has_the_form_of_one() {
    let stripe = Stripe::new("http://127.0.0.1:1", "sk_test_abc").unwrap();
    for token in ["", "4242424242424242", "pm_1/../../charges", "tok_visa"] {
        assert!(stripe.resolve(token).unwrap_err().starts_with("must be a payment method"), "{token}");
    }
    assert_eq!(purchase_of("pur_1-2"), "pur_1");
}

fn charge() -> Charge {
    Charge {
        key: "pur_1-1".to_owned(),
        direction: Direction::Charge,
        amount: Money { amount: 1500, currency: crate::till::money::Currency::USD },
        customer: "cus_1".to_owned(),
        method: "pm_1".to_owned(),
        begun_at: crate::till::time::Time::from_ms(0),
        transaction: None,
    }
}

#[test]
fn who_does_not_answer_has_said_nothing() {
    // It takes connections, and that is all.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    let mut stripe = Stripe::new(&base, "sk_test_abc").unwrap();
    stripe.client = Client::patient(&base, "sk_test_abc", Duration::from_millis(200));
    assert_eq!(stripe.create(&charge()), Created::Unknown);
    assert_eq!(stripe.confirm("pi_1", &charge()), Standing::Unknown);
    assert_eq!(stripe.fetch("pi_1", &charge()), Standing::Unknown);
    assert_eq!(stripe.refund("ref_1", "pi_1", charge().amount), Refunded::Unknown);
}

#[test]
fn what_is_of_another_amount_currency_or_mode_is_not_ours() {
    let stripe = Stripe::new(API_BASE, "sk_test_abc").unwrap();
    let intent = |amount: i64, currency: &str, livemode: bool| -> Intent {
        serde_json::from_value(serde_json::json!({
            "id": "pi_1", "amount": amount, "amount_received": amount, "currency": currency,
            "livemode": livemode, "status": "succeeded",
        }))
        .unwrap()
    };
    assert_eq!(stripe.standing(&intent(1500, "usd", false), &charge()), Standing::Paid);
    for other in [intent(1501, "usd", false), intent(1500, "eur", false), intent(1500, "usd", true)] {
        assert_eq!(stripe.standing(&other, &charge()), Standing::Unknown, "{other:?}");
    }
}
