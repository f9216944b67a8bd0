#!/usr/bin/env python3
"""A server of Stripe's shape: localstripe behind a proxy that adds what it lacks, as Stripe's documents describe it.

    stripe_front.py PORT http://127.0.0.1:UPSTREAM

It proves nothing about Stripe itself. Standard library only. What it adds:

- Idempotency-Key: what was executed under a key, 402 and 500 included, is said again (`Idempotent-Replayed: true`);
  other parameters under the same key are 400, a request in flight is 409. POST /_forget forgets all keys, as a day does.
- Card errors with their decline codes; a card that asks for its owner is 402 authentication_required off-session, and
  its intent wants a payment method again. Confirmed on-session it is requires_action, with a page to go to.
- Checkout in setup mode, and the pages of both: see stripe_pages.py.
- Intents can be listed by customer and time. Nothing more is given back than was charged.
- Faults, POST /_fault {"kind": ..., "path": prefix, "times": n, "method": "POST"}:
  drop_request (never executed), drop_response (executed, not answered), 500 (executed and saved), 500_undone (saved,
  not executed), 503 (not executed),
  409, 429, 401 (not executed), slow (executed late), slow_answer (executed at once, answered late).
- POST /_settings {"key_seconds": n}: keys are forgotten after so long; {"lag_seconds": n}: what is younger is in no list;
  {"slow_seconds": n}: how slow slow is.
- Disputes, POST /_dispute; refunds that come back, POST /_refund_fails {"id": ...}; POST /_calm ends all faults;
  GET /_intents lists all intents.
- GET /_calls: every call that was begun and that was executed, as "METHOD path", and that was answered, as
  [method, path, status].
"""
import hashlib
import http.server
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import stripe_pages

UPSTREAM = sys.argv[2]
LOCK = threading.Lock()
SAVED = {}
FAULTS = []
CALLS = []
BEGUN = []
EXECUTED = []
SETTINGS = {"key_seconds": 86_400, "lag_seconds": 0, "slow_seconds": 3}
MADE_AT = {}
DISPUTES = {}
FAILED_REFUNDS = set()


def upstream(method, path, body, headers):
    request = urllib.request.Request(UPSTREAM + path, method=method, data=body)
    for name in ("Authorization", "Content-Type"):
        if headers.get(name):
            request.add_header(name, headers[name])
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        try:
            answer = json.loads(error.read())
            if error.code == 404 and isinstance(answer.get("error"), dict):
                answer["error"].setdefault("code", "resource_missing")
            return error.code, answer
        except ValueError:
            return error.code, {"error": {"type": "invalid_request_error", "message": "unrecognized request"}}


def problem(status, **error):
    return status, {"error": error}


def flat(thing):
    """Ids in the place of objects, as newer versions of the API have it."""
    if isinstance(thing, dict) and thing.get("object") == "list":
        thing["data"] = [flat(one) for one in thing["data"]]
    if isinstance(thing, dict) and thing.get("object") == "payment_intent":
        charge = thing.get("latest_charge")
        if isinstance(charge, dict):
            if charge.get("status") == "failed":
                code = charge.get("failure_code") or "card_declined"
                thing["last_payment_error"] = {"code": code, "decline_code": "generic_decline"}
            thing["latest_charge"] = charge["id"]
        thing["amount_received"] = thing["amount"] if thing.get("status") == "succeeded" else 0
        thing.pop("charges", None)
        stripe_pages.show_owner(thing)
    return thing


def listed(things):
    """What a list shows already."""
    young = time.time() - SETTINGS["lag_seconds"]
    return [one for one in things if MADE_AT.get(one["id"], 0) <= young]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def call_upstream(self, method, path, form=None):
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {"Authorization": "Bearer sk_test_front", "Content-Type": "application/x-www-form-urlencoded"}
        return upstream(method, path, body, headers)

    def page(self, status, text="", location=None):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def send(self, status, body, replayed=False):
        data = json.dumps(body).encode()
        CALLS.append([self.command, self.path, status])
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if replayed:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(data)

    def drop(self):
        CALLS.append([self.command, self.path, 0])
        self.close_connection = True
        self.connection.close()

    def fault(self, path):
        with LOCK:
            for fault in FAULTS:
                fits = path.startswith(fault.get("path", "/")) and fault.get("method", self.command) == self.command
                if fits and path.endswith(fault.get("ends", "")) and fault["times"] > 0:
                    fault["times"] -= 1
                    return fault["kind"]
        return None

    def handle_call(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        path = self.path.split("?")[0]
        if path == "/_fault":
            fault = json.loads(body)
            fault.setdefault("times", 1)
            with LOCK:
                FAULTS.append(fault)
            return self.send(200, {})
        if path == "/_forget":
            with LOCK:
                SAVED.clear()
            return self.send(200, {})
        if path == "/_calm":
            with LOCK:
                FAULTS.clear()
            return self.send(200, {})
        if path == "/_dispute":
            dispute = json.loads(body)
            DISPUTES[dispute["id"]] = dict(dispute, object="dispute")
            return self.send(200, {})
        if path == "/_refund_fails":
            FAILED_REFUNDS.add(json.loads(body)["id"])
            return self.send(200, {})
        if path == "/_settings":
            SETTINGS.update(json.loads(body))
            return self.send(200, SETTINGS)
        if path.startswith(("/_3ds/", "/_checkout/")):
            form = dict(urllib.parse.parse_qsl((body or b"").decode()))
            return self.page(*stripe_pages.page(self.command, path, form, self.call_upstream))
        if path == "/_intents":
            status, answer = upstream("GET", "/v1/payment_intents?limit=99", None, self.headers)
            return self.send(status, flat(answer))
        if path == "/_calls":
            return self.send(200, {"calls": list(CALLS), "begun": list(BEGUN), "executed": list(EXECUTED)})
        BEGUN.append(f"{self.command} {path}")
        fault = self.fault(path)
        if fault == "drop_request":
            return self.drop()
        if fault == "409":
            return self.send(*problem(409, type="idempotency_error", code="idempotency_key_in_use"))
        if fault == "429":
            return self.send(*problem(429, type="invalid_request_error", code="rate_limit"))
        if fault == "503":
            return self.send(*problem(503, type="api_error"))
        if fault == "401":
            return self.send(*problem(401, type="invalid_request_error", code="api_key_expired"))
        key = self.headers.get("Idempotency-Key") if self.command == "POST" else None
        print_of = hashlib.sha256(path.encode() + b"|" + (body or b"")).hexdigest()
        if key:
            with LOCK:
                saved = SAVED.get(key)
                if saved and saved[1] and time.time() - saved[2] > SETTINGS["key_seconds"]:
                    saved = None
                if saved is None:
                    SAVED[key] = [print_of, None, time.time()]
            if saved is not None:
                if saved[0] != print_of:
                    return self.send(*problem(400, type="idempotency_error", message="other parameters"))
                if saved[1] is None:
                    return self.send(*problem(409, type="idempotency_error", code="idempotency_key_in_use"))
                return self.send(*saved[1], replayed=True)
        if fault == "slow":
            time.sleep(SETTINGS["slow_seconds"])
        if fault == "500_undone":
            status, answer = problem(500, type="api_error")
        else:
            status, answer = self.execute(path, body)
            EXECUTED.append(f"{self.command} {path}")
        if status == 200 and self.command == "POST" and answer.get("id"):
            MADE_AT.setdefault(answer["id"], time.time())
        if fault == "500":
            status, answer = problem(500, type="api_error")
        if key:
            with LOCK:
                if status in (400, 401):
                    SAVED.pop(key, None)
                else:
                    SAVED[key][1] = (status, answer)
        if fault == "drop_response":
            return self.drop()
        if fault == "slow_answer":
            time.sleep(SETTINGS["slow_seconds"])
        return self.send(status, answer)

    def execute(self, path, body):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if self.command == "GET" and path == "/v1/disputes":
            intent = query.get("payment_intent", [None])[0]
            found = [one for one in DISPUTES.values() if one["payment_intent"] == intent]
            return 200, {"object": "list", "data": found, "has_more": False}
        if self.command == "GET" and path == "/v1/payment_intents":
            return self.list_intents(query)
        form = dict(urllib.parse.parse_qsl((body or b"").decode(), keep_blank_values=True))
        if path.startswith("/v1/checkout/sessions"):
            here = f"http://{self.headers.get('Host')}"
            return stripe_pages.checkout(self.command, path, query, form, here, self.call_upstream)
        if path.endswith("/refunds") and self.command == "POST":
            refused = self.too_much(form)
            if refused:
                return refused
        if self.command == "GET" and path == "/v1/refunds" and "payment_intent" in query:
            status, intent = upstream("GET", f"/v1/payment_intents/{query['payment_intent'][0]}", None, self.headers)
            if status == 200 and not intent.get("latest_charge"):
                return 200, {"object": "list", "data": [], "has_more": False}
        if path.endswith("/confirm") and path.startswith("/v1/payment_intents/"):
            return self.confirm(path, form)
        if path == "/v1/payment_intents" and self.command == "POST":
            method, customer = form.get("payment_method"), form.get("customer")
            status, found = upstream("GET", f"/v1/payment_methods/{method}", None, self.headers)
            if status == 200 and found.get("customer") != customer:
                return problem(400, type="invalid_request_error", param="payment_method", message="not attached")
        if path.endswith("/refunds") and self.command == "GET":
            status, answer = upstream("GET", self.path.replace("limit=100", "limit=99"), None, self.headers)
        else:
            status, answer = upstream(self.command, self.path, body, self.headers)
        if status == 402 and "error" in answer:
            answer["error"].update(type="card_error", decline_code="generic_decline")
        if path.endswith("/refunds") and "data" in answer:
            answer["data"] = listed(answer["data"])
        for refund in answer.get("data", []) if path.endswith("/refunds") else []:
            if refund["id"] in FAILED_REFUNDS:
                refund.update(status="failed", failure_reason="lost_or_stolen_card")
        return status, flat(answer)

    def confirm(self, path, form):
        off_session = form.pop("off_session", None) == "true"
        method, return_url = form.pop("payment_method", None), form.pop("return_url", None)
        before = upstream("GET", path.removesuffix("/confirm"), None, self.headers)
        unexpected = problem(400, type="invalid_request_error", code="payment_intent_unexpected_state")
        if before[0] == 200 and before[1].get("status") == "requires_action":
            # Its owner is asked for: on-session it goes on, with the card named once more.
            if off_session or method != before[1]["payment_method"] or not return_url:
                return unexpected
            return 200, stripe_pages.ask_owner(flat(before[1]), return_url, f"http://{self.headers.get('Host')}")
        if before[0] == 200 and before[1].get("status") != "requires_confirmation":
            return unexpected
        body = urllib.parse.urlencode(form).encode()
        status, answer = upstream("POST", path, body, self.headers)
        if status == 402:
            answer["error"].update(type="card_error", decline_code="generic_decline")
        if status == 200 and off_session and answer.get("status") == "requires_action":
            stripe_pages.OWNERS[answer["id"]] = None
            return problem(402, type="card_error", code="authentication_required",
                           decline_code="authentication_required")
        return status, flat(answer)

    def too_much(self, form):
        """A problem, where more would be given back than was charged."""
        if "charge" in form:
            charge, among = form["charge"], f"charge={form['charge']}"
        else:
            status, intent = upstream("GET", f"/v1/payment_intents/{form['payment_intent']}", None, self.headers)
            if status != 200 or not intent.get("latest_charge"):
                return None
            charge, among = intent["latest_charge"]["id"], f"payment_intent={form['payment_intent']}"
        status, charge = upstream("GET", f"/v1/charges/{charge}", None, self.headers)
        refunds = upstream("GET", f"/v1/refunds?{among}&limit=99", None, self.headers)[1]
        given = sum(one["amount"] for one in refunds.get("data", []) if one["id"] not in FAILED_REFUNDS)
        if status != 200 or given + int(form.get("amount", charge["amount"])) <= charge["amount"]:
            return None
        code = {"code": "charge_already_refunded"} if given == charge["amount"] else {"param": "amount"}
        return problem(400, type="invalid_request_error", message="greater than what is left", **code)

    def list_intents(self, query):
        status, answer = upstream("GET", "/v1/payment_intents?limit=99", None, self.headers)
        if status != 200:
            return status, answer
        customer = query.get("customer", [None])[0]
        since = int(query.get("created[gte]", ["0"])[0])
        things = listed([flat(one) for one in answer["data"]])
        things = [one for one in things if one["customer"] == customer and one["created"] >= since]
        return 200, {"object": "list", "data": things, "has_more": False}

    do_GET = do_POST = do_DELETE = handle_call


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
SERVER.daemon_threads = True
SERVER.serve_forever()
