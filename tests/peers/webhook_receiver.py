#!/usr/bin/env python3
"""A merchant's receiver of webhooks, which believes nothing that the official library does not verify.

    webhook_receiver.py PORT

Every path is an endpoint of its own. PUT /plan/PATH {"secret": "whsec_…", "answers": [500, 429, …], "slow": seconds,
"retry_after": seconds, "dated": true} says how it answers: each of `answers` once, then 200; with `dated` it names
the time until which to wait. GET /seen/PATH lists what came, whether it was verified, and with what it was answered.
"""
import email.utils
import http.server
import json
import sys
import threading
import time

from standardwebhooks import Webhook

LOCK = threading.Lock()
PLANS = {}
SEEN = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_PUT(self):
        with LOCK:
            PLANS[self.path.removeprefix("/plan")] = json.loads(self.body())
        self.answer(200)

    def do_GET(self):
        with LOCK:
            seen = list(SEEN.get(self.path.removeprefix("/seen"), []))
        self.answer(200, json.dumps(seen).encode())

    def do_POST(self):
        body = self.body().decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with LOCK:
            plan = PLANS.get(self.path, {})
            status = plan["answers"].pop(0) if plan.get("answers") else 200
        try:
            Webhook(plan["secret"]).verify(body, headers)
            verified = True
        except Exception as error:  # whatever the library says against it
            verified = repr(error)
        if plan.get("slow"):
            time.sleep(plan["slow"])
        one = {"verified": verified, "secret": plan.get("secret"), "status": status, "headers": headers, "body": body}
        with LOCK:
            SEEN.setdefault(self.path, []).append(one)
        if status in (301, 302, 307, 308):
            return self.answer(status, Location="/elsewhere")
        if status in (429, 503) and plan.get("retry_after"):
            pause = plan["retry_after"]
            if plan.get("dated"):
                pause = email.utils.formatdate(time.time() + pause, usegmt=True)
            return self.answer(status, Retry_After=pause)
        self.answer(status)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


SERVER = Server(("127.0.0.1", int(sys.argv[1])), Handler)
SERVER.serve_forever()
