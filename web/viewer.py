"""Who is asking: flask-login over our own session rows, so that models stay free of Flask.

The cookie carries a random token and nothing else; signing out deletes its row, and the cookie opens nothing.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_login import LoginManager, UserMixin, current_user

from party import people, sessions
from party.change import Person
from party.errors import NotKnown

COOKIE = "partyline_session"


class Viewer(UserMixin):  # type: ignore[misc]
    """The person behind a request."""

    def __init__(self, known: people.SignedIn, token: str) -> None:
        self.known, self.token = known, token

    def get_id(self) -> str:
        return str(self.known.user_id)


def init(app: Flask) -> None:
    """Let flask-login find people by our cookie."""
    # Templates are told who somebody is by their routes; asking for it would cost every error page a query.
    manager = LoginManager(app, add_context_processor=False)
    # Its own protection believes the first X-Forwarded-For, and we keep nothing in a signed cookie.
    manager.session_protection = None
    manager.request_loader(_load)
    app.extensions["viewer"] = viewer
    # For headers: asked only by the pages that show one.
    app.jinja_env.globals["viewer"] = viewer


def _load(_request: object) -> Viewer | None:
    token = request.cookies.get(cookie_name(), "")
    known = people.signed_in(token) if token else None
    return Viewer(known, token) if known else None


def viewer() -> people.SignedIn | None:
    """The person of this request, or None."""
    return current_user.known if current_user.is_authenticated else None


def actor() -> Person:
    """The person of this request. Raises NotKnown."""
    known = viewer()
    if known is None:
        raise NotKnown("Tell us your name first, then try again.")
    return Person(known.user_id, request.headers.get("X-Partyline-Fence", type=int))


def remember(response: Response, token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=sessions.SESSION_DAYS * 86_400,
        httponly=True,
        samesite="Lax",
        path="/",
        secure=is_secure(),
    )


def forget(response: Response) -> None:
    """Take the session's cookie away."""
    response.delete_cookie(cookie_name(), path="/", secure=is_secure(), httponly=True, samesite="Lax")


def cookie_name() -> str:
    """The `__Host-` prefix binds the cookie to this host, where https allows it."""
    return f"__Host-{COOKIE}" if is_secure() else COOKIE


def is_secure() -> bool:
    """True when people reach us by https."""
    return bool(current_app.config["SETTINGS"].public_url.startswith("https://"))
