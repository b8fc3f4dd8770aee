"""A number for every request, answered and written into every line it logs, and one line when the request is done."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time

import structlog
from flask import Flask, Response, current_app, g, request

from web.viewer import cookie_name

FROM_PROXY = re.compile(r"[A-Za-z0-9-]{8,64}")
QUIET = ("static", "health.alive", "health.ready")

logger = logging.getLogger("partyline.requests")


def init(app: Flask) -> None:
    """Number every request, answer with the number, and tell of it when it is done."""
    # Before the guards: what they refuse has a number too.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request(_end)


def session_mark(token: str) -> str | None:
    """What a line shows of a session: enough to tell two apart, too little to find or open one."""
    if not token:
        return None
    kept = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    return hashlib.sha256(kept.encode()).hexdigest()[:12]


def request_number(said: str | None, has_proxy: bool) -> str:
    """The number a proxy in front gave the request, where one is expected; else a fresh one."""
    if has_proxy and said is not None and FROM_PROXY.fullmatch(said):
        return said
    return secrets.token_hex(8)


def _begin() -> None:
    has_proxy = bool(current_app.config["SETTINGS"].public_url)
    g.began, g.request_id = time.monotonic(), request_number(request.headers.get("X-Request-ID"), has_proxy)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    number = g.get("request_id")
    if number is None:
        return response
    response.headers["X-Request-ID"] = number
    if request.endpoint not in QUIET and "Upgrade" not in request.headers:
        logger.info(
            "request",
            extra={
                "method": request.method if len(request.method) <= 10 else "other",
                # The pattern and never the address itself: codes of rooms and tokens of links stand in that.
                "path": request.url_rule.rule if request.url_rule else "none",
                "status": response.status_code,
                "duration_ms": round((time.monotonic() - g.began) * 1000, 1),
                "session": session_mark(request.cookies.get(cookie_name(), "")),
            },
        )
    return response
