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
