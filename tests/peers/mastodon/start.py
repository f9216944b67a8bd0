#!/usr/bin/env python3
"""mastodon_mock, a server with Mastodon's API, on this machine only.

    start.py DATA [PORT [DOMAIN]]

A port that is 0 or left out is chosen. DOMAIN is the host and port that the server says are its own: those of a proxy in
front of it. Once it answers, it prints

    READY {"url": "http://127.0.0.1:..."}

Everything is in the folder DATA: started again on it, it has lost nothing, however it ended. It ends when its standard
input does, so that it does not outlive a test that was killed.

Accounts: the bot `shop`, and `ada`, `ben`, `cyd` and `dee`; `eve@far.example` stands for somebody on another server. The
token of each is `token-of-` and the name.

mastodon_mock is no Mastodon. What it gets wrong and what is put right here:

- A post that was edited has the tags and mentions of its new text, and streams say `status.update` of it.
- Nobody reposts what is for those mentioned, and only its author what is for followers.
- Who blocks an account, or is blocked by it, is not told of what it does.
- A websocket takes its token from the header `Authorization` too.

What stays wrong: hashtags and mentions in a post's HTML are not links, `#1` and the fragments of URLs are tags, who is
blocked may still reply, and nothing is said of a repost that was undone. What is told of a post that was deleted remains,
without the post. A post can answer one that is gone. Everybody can read everything. `eve` mentions the bot as `@shop`.
"""
import json
import os
import re
import socket
import sys
import threading
from pathlib import Path

import uvicorn
from fastapi.responses import JSONResponse
from mastodon_mock import services
from mastodon_mock.app import create_app
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.db.models import Account, OAuthToken, Status, StatusMention, StatusTag
from mastodon_mock.routers import statuses, streaming
from sqlalchemy import delete, select

HERE = "127.0.0.1"
PEOPLE = ["ada", "ben", "cyd", "dee"]
REPOST = re.compile(r"/api/v1/statuses/(\d+)/reblog")

emit_status_event = statuses.emit_status_event
notification_disposition = services._notification_disposition
account_from_query_token = streaming._account_from_query_token


def emit_edited(app, session, status, config, *, name: str) -> None:
    """Tells the streams of a post; one that was edited gets its tags and mentions anew."""
    if name == "status_update":
        name = "status.update"
        for edge in (StatusTag, StatusMention):
            session.execute(delete(edge).where(edge.status_id == status.id))
        services.attach_mentions_and_tags(session, status.id, status.account_id, status.text)
        session.commit()
    emit_status_event(app, session, status, config, name=name)


def disposition(session, *, recipient_id: int, from_account_id: int, **rest) -> str:
    """Whether an account is told of something: not across a block."""
    relationship = services.find_relationship(session, recipient_id, from_account_id)
    if relationship is not None and (relationship.blocking or relationship.blocked_by):
        return "drop"
    return notification_disposition(session, recipient_id=recipient_id, from_account_id=from_account_id, **rest)


def bearer(request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def account_of_stream(session, request):
    """Who opens a stream."""
    token = session.scalar(select(OAuthToken).where(OAuthToken.access_token == bearer(request)))
    return session.get(Account, token.account_id) if token else account_from_query_token(session, request)


async def refuse_reposts(request, call_next):
    """Refuses to repost what was not for everybody."""
    found = REPOST.fullmatch(request.url.path)
    if request.method == "POST" and found:
        with request.app.state.session_factory() as session:
            reader = session.scalar(select(OAuthToken.account_id).where(OAuthToken.access_token == bearer(request)))
            post = session.get(Status, int(found[1]))
        if post and (post.visibility == "direct" or post.visibility == "private" and post.account_id != reader):
            return JSONResponse({"error": "This action is not allowed"}, status_code=403)
    return await call_next(request)


class Server(uvicorn.Server):
    """Says when it answers."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        port = sockets[0].getsockname()[1]
        print("READY", json.dumps({"url": f"http://{HERE}:{port}"}), flush=True)


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def account(name: str, domain: str | None = None, bot: bool = False) -> SeedAccount:
    return SeedAccount(username=name, domain=domain, bot=bot, access_token=f"token-of-{name}")


def main() -> None:
    data = Path(sys.argv[1])
    data.mkdir(parents=True, exist_ok=True)
    door = socket.create_server((HERE, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    domain = sys.argv[3] if len(sys.argv) > 3 else f"{HERE}:{door.getsockname()[1]}"
    statuses.emit_status_event = emit_edited
    services._notification_disposition = disposition
    streaming._account_from_query_token = account_of_stream
    people = [account(name) for name in PEOPLE]
    app = create_app(
        MastodonMockConfig(
            domain=domain,
            url_scheme="http",
            media_storage_path=str(data / "media"),
            database=DatabaseConfig(path=str(data / "mastodon.sqlite")),
            seed=SeedConfig(accounts=[account("shop", bot=True), *people, account("eve", domain="far.example")]),
        )
    )
    app.middleware("http")(refuse_reposts)
    threading.Thread(target=end_with_input, daemon=True).start()
    Server(uvicorn.Config(app, server_header=False, log_level="warning", access_log=False)).run([door])


main()
