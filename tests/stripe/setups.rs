//! Storing a card on Checkout's page, as the connector does it.

use super::{PAYS, Provider};
use serde_json::json;
use tagtill::payments::{Gateway as _, Setup, SetupBegun, SetupStanding};

fn setup(key: &str) -> Setup {
    Setup {
        key: key.to_owned(),
        return_url: "http://127.0.0.1:9/link/done?session={CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: "http://127.0.0.1:9/link".to_owned(),
    }
}

#[track_caller]
fn begun(answer: SetupBegun) -> (String, String) {
    match answer {
        SetupBegun::At { reference, url } => (reference, url),
        other => panic!("not begun: {other:?}"),
    }
}

#[test]
fn a_card_is_stored_on_the_providers_page_once() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe();
    let (reference, url) = begun(stripe.begin_setup(&setup("link_1")));
    assert_eq!(begun(stripe.begin_setup(&setup("link_1"))), (reference.clone(), url.clone()), "the same key");
    assert_eq!(stripe.setup(&reference, "link_1"), SetupStanding::Open);
    assert!(provider.page(&url).1.contains("<select name=number>"));
    assert_eq!(provider.submit(&url, "number=4000000000000002").0, 200, "a card that cannot be stored");
    assert_eq!(stripe.setup(&reference, "link_1"), SetupStanding::Open);
    let (status, place) = provider.submit(&url, &format!("number={PAYS}"));
    assert_eq!((status, place), (303, format!("http://127.0.0.1:9/link/done?session={reference}")));
    let SetupStanding::Stored(method) = stripe.setup(&reference, "link_1") else { panic!("not stored") };
    assert_eq!((method.gateway.as_str(), method.last4.as_str()), ("stripe", "4242"));
    assert_eq!(stripe.resolve(&method.token).unwrap(), method);
    let customer = provider.call("GET", &format!("/v1/customers/{}", method.customer), "").unwrap();
    assert_eq!(customer["metadata"]["tagtill_key"], "link_1", "{customer}");
    assert_eq!(provider.submit(&url, &format!("number={PAYS}")).0, 410, "its page is used up");
    assert_eq!(stripe.setup(&reference, "link_2"), SetupStanding::Ended, "somebody else's");
    for other in ["cs_test_99", "cs_test_1/expire", "pi_1", ""] {
        assert_eq!(stripe.setup(other, "link_1"), SetupStanding::Ended, "{other}");
    }
}

#[test]
fn a_session_that_is_over_has_stored_nothing() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe();
    let (reference, url) = begun(stripe.begin_setup(&setup("link_1")));
    provider.post(&format!("/v1/checkout/sessions/{reference}/expire"), "");
    assert_eq!(stripe.setup(&reference, "link_1"), SetupStanding::Ended);
    assert_eq!(provider.submit(&url, &format!("number={PAYS}")).0, 410);
}

#[test]
fn a_lost_answer_begins_nothing_twice() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe();
    for (n, path) in ["/v1/customers", "/v1/checkout/sessions"].into_iter().enumerate() {
        for kind in ["drop_request", "drop_response", "503", "429"] {
            let key = format!("link_{n}{kind}");
            provider.fault(&json!({"kind": kind, "method": "POST", "path": path}));
            assert_eq!(stripe.begin_setup(&setup(&key)), SetupBegun::Unknown, "{kind} {path}");
            let first = begun(stripe.begin_setup(&setup(&key)));
            assert_eq!(begun(stripe.begin_setup(&setup(&key))), first);
        }
    }
    let customers = provider.call("GET", "/v1/customers?limit=99", "").unwrap();
    assert_eq!(customers["data"].as_array().unwrap().len(), 8, "one for each key");
    let (reference, _) = begun(stripe.begin_setup(&setup("link_x")));
    provider.fault(&json!({"kind": "503", "path": "/v1/checkout/sessions"}));
    assert_eq!(stripe.setup(&reference, "link_x"), SetupStanding::Unknown);
    assert_eq!(stripe.setup(&reference, "link_x"), SetupStanding::Open);
}
