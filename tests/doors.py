"""A browser for tests: cookies, the headers browsers send, and answers as trees."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

import app as house
from config import settings
from models import Session, database
from party.change import Person
from party.clock import now_ms
from tests.screen import Node, parse

COOKIE = "partyline_session"


def make_app(**wanted: Any) -> Flask:
    """The application, with some settings of its own."""
    made = house.create_app(replace(settings, **wanted))
    made.testing = False
    return made


def session_for(person: Person) -> str:
    """A session's token for somebody who is there already."""
    token, now = secrets.token_urlsafe(16), now_ms()
    Session.insert(
        token_hash=hashlib.sha256(token.encode()).hexdigest(),
        user=person.user_id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + 86_400_000,
    ).execute()
    return token


class Browser:
    """One person's browser. `htmx` says whether our scripts ask, or plain links and forms do."""

    def __init__(self, app: Flask, person: Person | None = None, *, htmx: bool = False) -> None:
        self.client, self.htmx = app.test_client(), htmx
        if person is not None:
            self.client.set_cookie(COOKIE, session_for(person), domain="localhost")

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self.ask("GET", path, headers, **({"query_string": query} if query else {}))

    def post(self, path: str, headers: dict[str, str] | None = None, **form: Any) -> TestResponse:
        return self.ask("POST", path, headers, data=form)

    def delete(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        return self.ask("DELETE", path, headers)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> TestResponse:
        sent = (
            {"Sec-Fetch-Site": "same-origin"}
            | ({"HX-Request": "true"} if self.htmx else {})
            | (headers or {})
        )
        # As in the house, a request opens its own connection and gives it back; then the test goes on with one.
        database.obj.close()
        response = self.client.open(path, method=method, headers=sent, **rest)
        database.obj.connect(reuse_if_open=True)
        return response


def tree(response: TestResponse) -> Node:
    """The answer as a tree; whatever is not well-formed fails here."""
    html = response.get_data(as_text=True)
    return parse(html.removeprefix("<!doctype html>"))


def words(response: TestResponse) -> str:
    """The answer's text without its tags."""
    return " ".join(_texts(tree(response)))


def _texts(node: Node) -> list[str]:
    found: list[str] = []
    for child in node.children:
        found += [child] if isinstance(child, str) else _texts(child)
    return found
