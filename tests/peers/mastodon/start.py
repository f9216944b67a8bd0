#!/usr/bin/env python3
"""mastodon_mock, a server with Mastodon's API, on this machine only.

    start.py DATA [PORT [DOMAIN]]

A port that is 0 or left out is chosen. DOMAIN is the host and port that the server says are its own, a proxy in front of
it. Once it answers, it prints

    READY {"url": "http://127.0.0.1:..."}

Everything is in DATA: started again on it and on the same port, it has lost nothing. It ends when its standard input
does, so that it does not outlive a test that was killed.

Accounts: the bot `shop`, and `ada`, `ben`, `cyd` and `dee`. `eve@far.example` stands for somebody on another server. The
token of each is `token-of-` and the name.

mastodon_mock is no Mastodon. What it lacked and gets here:

- A post that was edited has the tags of its new text.
- Nobody but its author reposts what is for followers or for those mentioned only.
- An account that blocks, or is blocked by, another is not told of it.
- The websocket's word for an edit is `status.update`.

What remains: hashtags and mentions in a post's HTML are not links, `#1` and the fragments of URLs are tags, blocking
forbids nothing, nothing says that a repost was undone, and there are no limits of rate.
"""
import json
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn
from fastapi import HTTPException
from mastodon_mock import services, streaming
from mastodon_mock.app import create_app
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.db.models import Status, StatusMention, StatusTag
from mastodon_mock.routers import statuses
from mastodon_mock.routers import streaming as streaming_routes
from sqlalchemy import delete, event

HERE = "127.0.0.1"
PEOPLE = ["ada", "ben", "cyd", "dee"]


def account(name: str, domain: str | None = None, bot: bool = False) -> SeedAccount:
    return SeedAccount(username=name, domain=domain, bot=bot, access_token=f"token-of-{name}")


def tag_again(session, _context, _instances) -> None:
    """Before an edit is written: its tags and mentions are those of the new text."""
    for status in session.dirty:
        if isinstance(status, Status) and session.is_modified(status) and status.edited_at is not None:
            session.execute(delete(StatusTag).where(StatusTag.status_id == status.id))
            session.execute(delete(StatusMention).where(StatusMention.status_id == status.id))
            services.attach_mentions_and_tags(session, status.id, status.account_id, status.text)
