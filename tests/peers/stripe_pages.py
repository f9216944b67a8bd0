"""Pages of Stripe's shape, and what leads to them: an intent whose card's owner is asked for, and Checkout in setup mode.

A part of stripe_front.py. Every form has plain names, so that a test or a browser can send it:
/_3ds/INTENT takes `answer` (approve, refuse), /_checkout/SESSION takes `number`.
"""
import html
import itertools
import threading
import urllib.parse

LOCK = threading.Lock()
# Intents whose owners are asked for: None while nobody is there, or where their browser goes afterwards.
OWNERS = {}
SESSIONS = {}
MADE = itertools.count(1)
CARDS = {
    "4242424242424242": "pays",
    "4000002500003155": "asks its owner",
    "4000000000000341": "is declined when it is charged",
    "4000000000000002": "cannot be stored",
}


def problem(status, **error):
    return status, {"error": dict(type="invalid_request_error", **error)}


def show_owner(intent):
    """An intent as Stripe shows it while its card's owner is asked for."""
    if intent.get("status") != "requires_action" or intent["id"] not in OWNERS:
        return intent
    if OWNERS[intent["id"]] is None:
        code = "authentication_required"
        error = {"type": "card_error", "code": code, "decline_code": code}
        intent.update(status="requires_payment_method", payment_method=None, next_action=None,
                      last_payment_error=error)
    else:
        redirect = OWNERS[intent["id"]]
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
    return intent


def ask_owner(intent, return_url, here):
    """Confirmed on-session: there is a page to go to."""
    OWNERS[intent["id"]] = {"url": f"{here}/_3ds/{intent['id']}", "return_url": return_url}
    intent.update(status="requires_action", last_payment_error=None)
    return show_owner(intent)


def page(command, path, form, upstream):
    """(status, text, where to go)"""
    kind, name = path.strip("/").split("/", 1)
    if kind == "_3ds":
        return three_ds(command, name, form, upstream)
    return checkout_page(command, name, form, upstream)


def document(title, body):
    return f"<!doctype html><title>{title}</title><h1>{title}</h1>{body}"


def three_ds(command, name, form, upstream):
    owner = OWNERS.get(name)
    status, intent = upstream("GET", f"/v1/payment_intents/{name}")
    if owner is None or status != 200:
        return 404, document("Nothing to do here", "")
    if intent["status"] != "requires_action":
        return back(owner["return_url"], name, "failed" if intent["status"] != "succeeded" else "succeeded")
    if command == "GET":
        button = "<button name=answer value={0}>{0}</button>"
        amount = html.escape(f"{intent['amount']} {intent['currency']}")
        form = f"<form method=post>{button.format('approve')} {button.format('refuse')}</form>"
        return 200, document("Your bank asks: is this you?", f"<p>{amount}</p>{form}")
    approved = form.get("answer") == "approve"
    answer = {"client_secret": intent["client_secret"], "success": "true" if approved else "false"}
    status, _ = upstream("POST", f"/v1/payment_intents/{name}/_authenticate", answer)
    return back(owner["return_url"], name, "succeeded" if approved and status == 200 else "failed")


def back(return_url, intent, status):
    joint = "&" if "?" in return_url else "?"
    more = urllib.parse.urlencode({"payment_intent": intent, "redirect_status": status})
    return 303, "", return_url + joint + more


def checkout(command, path, query, form, here, upstream):
    """The calls about sessions."""
    name, _, action = path.removeprefix("/v1/checkout/sessions").strip("/").partition("/")
    if not name and command == "POST":
        return begin(form, here, upstream)
    session = SESSIONS.get(name)
    if session is None:
        return problem(404, code="resource_missing")
    with LOCK:
        if action == "expire" and command == "POST":
            if session["status"] != "open":
                return problem(400, message="only open sessions can be expired")
            session.update(status="expired", url=None)
    shown = dict(session)
    if "setup_intent" not in query.get("expand[]", []):
        shown["setup_intent"] = session["setup_intent"]["id"]
    return 200, shown


def begin(form, here, upstream):
    for must in ("mode", "success_url", "customer"):
        if not form.get(must):
            return problem(400, code="parameter_missing", param=must)
    if form["mode"] != "setup" or not (form.get("payment_method_types[]") or form.get("currency")):
        return problem(400, code="parameter_missing", param="currency")
    if len(form.get("client_reference_id", "")) > 200:
        return problem(400, param="client_reference_id")
    if upstream("GET", f"/v1/customers/{form['customer']}")[0] != 200:
        return problem(400, code="resource_missing", param="customer")
    number = next(MADE)
    metadata = {key[9:-1]: value for key, value in form.items() if key.startswith("metadata[")}
    intent = {"id": f"seti_test_{number}", "object": "setup_intent", "status": "requires_payment_method",
              "payment_method": None, "customer": form["customer"], "livemode": False}
    session = {"id": f"cs_test_{number}", "object": "checkout.session", "mode": "setup", "status": "open",
               "livemode": False, "customer": form["customer"], "setup_intent": intent, "metadata": metadata,
               "client_reference_id": form.get("client_reference_id"), "success_url": form["success_url"],
               "cancel_url": form.get("cancel_url"), "url": f"{here}/_checkout/cs_test_{number}"}
    SESSIONS[session["id"]] = session
    return 200, dict(session, setup_intent=intent["id"])


def checkout_page(command, name, form, upstream):
    session = SESSIONS.get(name)
    if session is None or session["status"] != "open":
        return 410, document("This page has been used, or is over", "")
    if command == "GET":
        return 200, checkout_form(session, "")
    with LOCK:
        if session["status"] != "open":
            return 410, document("This page has been used, or is over", "")
        card = {"type": "card", "card[number]": form.get("number", ""), "card[exp_month]": "12",
                "card[exp_year]": "2040", "card[cvc]": "123"}
        status, method = upstream("POST", "/v1/payment_methods", card)
        if status == 200:
            attach = {"customer": session["customer"]}
            status, method = upstream("POST", f"/v1/payment_methods/{method['id']}/attach", attach)
        if status != 200:
            return 200, checkout_form(session, "Your card was declined.")
        session["setup_intent"].update(status="succeeded", payment_method=method["id"])
        session.update(status="complete", url=None)
    return 303, "", session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def checkout_form(session, trouble):
    options = "".join(f"<option value={number}>{number}: {what}</option>" for number, what in CARDS.items())
    cancel = session["cancel_url"]
    leave = f"<a href=\"{html.escape(cancel)}\">Back</a>" if cancel else ""
    form = f"<form method=post><select name=number>{options}</select> <button>Store this card</button></form>"
    return document("Store a card", f"<p role=alert>{html.escape(trouble)}</p>{form}{leave}")
