"""What holds for every request: nobody acts from a foreign page, strict headers, no haste, errors as sentences."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

import fragments
from config import Settings
from media import registry, storage
from party.errors import Conflict, NotAllowed, Refusal, TooMany
from party.limits import Minute
from web.viewer import viewer

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LONGEST_HOST = 255
POLICY = {
    "default-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "media-src": ("'self'", "blob:"),
    "style-src": ("'self'",),
    "script-src": ("'self'",),
    "connect-src": ("'self'",),
    "frame-src": (),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "form-action": ("'self'",),
    "frame-ancestors": ("'none'",),
}
"""What pages may load where no provider is on. Without a source of its own a frame is refused altogether."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

logger = logging.getLogger(__name__)


def init(app: Flask) -> None:
    """Put the guards before and after every request."""
    minute = Minute(app.config["SETTINGS"].max_actions_per_minute)
    app.config["CONTENT_POLICY"] = content_policy(app.config["SETTINGS"])

    def before() -> None:
        if len(request.host) > LONGEST_HOST:
            abort(400)
        if request.method not in SAFE_METHODS:
            refuse_foreign_pages()
            known = viewer()
            # Pieces of a file have limits of their own (web/receiving.py).
            if known is None or request.endpoint != "uploads.receive_piece":
                minute.spend(f"person {known.user_id}" if known else f"network {request.remote_addr}")

    app.before_request(before)
    app.after_request(add_headers)
    app.register_error_handler(Refusal, show_refusal)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(Exception, show_failure)


def content_policy(wanted: Settings) -> str:
    """The Content-Security-Policy of every page: the strict one, and what each provider that is on has to load."""
    on, files = registry.enabled(wanted), storage.open_store(wanted).origin()
    more = {
        "frame-src": [source for each in on for source in each.frames(wanted)],
        "script-src": [source for each in on for source in each.scripts],
        "media-src": [*(source for each in on for source in each.media), files],
        "connect-src": [source for each in on for source in each.connects],
        "img-src": [files],
    }
    sources = {name: [*own, *filter(None, more.get(name, ()))] or ["'none'"] for name, own in POLICY.items()}
    return "; ".join(f"{name} {' '.join(dict.fromkeys(listed))}" for name, listed in sources.items())


def refuse_foreign_pages() -> None:
    """CSRF: a browser says where a request comes from, by Sec-Fetch-Site (https, localhost) or else by Origin."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise NotAllowed("That came from another page. Open the room itself and try again.")
    elif origin is not None and not is_own_origin(origin):
        raise NotAllowed("That came from another page. Open the room itself and try again.")


def is_own_origin(origin: str) -> bool:
    """True for a page of the host that was asked, or of the public address."""
    public = current_app.config["SETTINGS"].public_url
    own = {request.host, urlsplit(public).netloc} if public else {request.host}
    try:
        return urlsplit(origin).netloc in own
    except ValueError:
        return False


def add_headers(response: Response) -> Response:
    """The same strict headers on everything; pages of people are never kept by caches."""
    response.headers.setdefault("Content-Security-Policy", current_app.config["CONTENT_POLICY"])
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def is_htmx() -> bool:
    """True when a script of ours asks and wants pieces, not a page."""
    return request.headers.get("HX-Request") == "true"


def theme() -> str:
    """light, dark or system."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in ("light", "dark") else "system"


def show_refusal(refusal: Refusal) -> tuple[str, int, dict[str, str]]:
    """A sentence to the person: a notice for our scripts, else a page."""
    headers = {"Retry-After": "5"} if isinstance(refusal, TooMany) or refusal.status == 503 else {}
    is_behind = isinstance(refusal, Conflict) and "X-Partyline-After" in request.headers and "fresh" in g
    fresh = g.fresh() if is_behind and is_htmx() else ""
    return fresh + _sentence(refusal.message, refusal.status, None), refusal.status, headers


def show_http_error(error: HTTPException) -> tuple[str, int, dict[str, str]] | HTTPException:
    """Werkzeug's own refusals, in our words."""
    if error.code is None or error.code < 400:
        return error
    words = {
        400: "That did not come through in one piece. Please try again.",
        404: "There is nothing at this address.",
        405: "That cannot be done with this address.",
        413: "That is too much at once.",
        416: "There is nothing in that range.",
    }
    # What is allowed here, how long the file is: the answer's words are ours, its facts are not.
    facts = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range")}
    return _sentence(words.get(error.code, "That did not work."), error.code, None), error.code, facts


def show_failure(error: Exception) -> tuple[str, int]:
    """Something of ours broke: logged with a number, and the number is on the screen."""
    reference, sentence = secrets.token_hex(4), "Something on our side broke. It has been written down."
    # The address itself may hold a code or a token.
    rule = request.url_rule.rule if request.url_rule else "no address of ours"
    logger.error("failure %s at %s %s", reference, request.method, rule, exc_info=error)
    return _sentence(sentence, 500, reference), 500


def is_upgrade() -> bool:
    """True when a browser asks for a socket, which has no page and no database connection."""
    # Anybody can send the header anywhere; what is no socket needs its connection.
    is_socket = request.method == "GET" and request.path.endswith(("/live", "/live/lobby"))
    return is_socket and request.headers.get("Upgrade", "").lower() == "websocket"


def _sentence(sentence: str, status: int, reference: str | None) -> str:
    bare = f"{sentence} ({reference})" if reference else sentence
    if is_upgrade():
        return bare
    try:
        if is_htmx():
            return fragments.notice(bare)
        return render_template(
            "errors/error.html", theme=theme(), status=status, sentence=sentence, reference=reference
        )
    except Exception:
        # What is broken may be what pages are made with; a host nobody could have leaves Flask without addresses.
        logger.exception("no page could be made to say: %s", bare)
        return bare
