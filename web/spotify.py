"""A Spotify account by URL: connected, told how it stands, forgotten; lists brought in and kept.

The worker alone talks to Spotify. The one thing of an account that ever reaches a browser is its access token, for an
hour at most, on GET /spotify/token: for its owner's own session, asked by our own page, never kept by a cache or a log.
Spotify's player needs it there (developer.spotify.com/documentation/web-playback-sdk/reference, getOAuthToken).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, make_response, redirect, render_template, request

from config import Settings
from media import registry
from media import spotify as links
from media.provider import Trouble
from media.spotify_login import ACCOUNTS, sign_in_address
from party import spotify, spotify_lists
from party.errors import Conflict, Invalid, NotAllowed, NotKnown
from party.people import SignedIn
from web.addresses import HIGHEST_ID
from web.answers import room_code
from web.guard import refuse_foreign_pages, theme
from web.viewer import actor, viewer

spotify_pages = Blueprint("spotify", __name__)
Answer = Any
CALLBACK = "/spotify/callback"
LITERAL_LOOPBACK = ("127.0.0.1", "::1")
ANSWERED = re.compile(r"[!-~]{1,2000}")
SAID = {
    "declined": "Nothing was connected: Spotify’s page was answered with no.",
    "refused": "Spotify did not let us in. Nothing was connected.",
}
NOT_SET_UP = "Spotify is not set up in this house."
BAD_ADDRESS = (
    "Spotify only comes back to a page by https, or to http://127.0.0.1. "
    "Open Partyline at such an address and connect it there."
)


@spotify_pages.get("/spotify")
def show_spotify() -> Answer:
    """How one's account stands, what can be done with it, and what Spotify's limits are."""
    known, is_on = viewer(), _is_on()
    is_own = known is not None and known.has_account
    page = make_response(
        render_template(
            "pages/spotify.html",
            theme=theme(),
            me=known,
            is_set_up=is_on,
            callback=_callback(),
            account=spotify.connection(actor()) if is_own else None,
            imports=spotify_lists.imports(actor()) if is_own else [],
            lists=spotify_lists.lists(actor()) if is_own else [],
            list_link=links.list_link,
            apps=links.APPS,
            said=SAID.get(request.args.get("said", ""), ""),
        )
    )
    if is_on:
        # A form's target counts to the end of its redirects, and connecting ends at Spotify's door.
        policy = current_app.config["CONTENT_POLICY"]
        page.headers["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {ACCOUNTS}"
        )
    return page


@spotify_pages.post("/spotify/connect")
def connect() -> Answer:
    """To Spotify's own page, which asks the person."""
    known, back = _known(), _callback()
    if not back:
        raise Invalid(BAD_ADDRESS)
    wishes = [wish for wish in spotify.WISHES if request.form.get(wish) == "yes"]
    begun = spotify.begin(actor(), known.session, back, wishes)
    return redirect(sign_in_address(_settings(), back, begun.state, begun.verifier, wishes), 303)


@spotify_pages.get(CALLBACK)
def come_back() -> Answer:
    """What Spotify answered; the page that follows says “connecting” until the worker has exchanged it."""
    known, state, code = _known(), request.args.get("state", ""), request.args.get("code", "")
    if not request.args.get("error"):
        spotify.finish(actor(), known.session, state, code if ANSWERED.fullmatch(code) else "")
        return redirect("/spotify", 303)
    spotify.decline(actor(), known.session, state)
    return redirect(
        f"/spotify?said={'declined' if request.args['error'] == 'access_denied' else 'refused'}", 303
    )


@spotify_pages.post("/spotify/disconnection")
def disconnect() -> Answer:
    """Forget the account."""
    spotify.disconnect(actor())
    return redirect("/spotify", 303)


@spotify_pages.get("/spotify/token")
def show_token() -> Answer:
    """The access token for the player in this person's own page; 202 while the worker renews it."""
    _need_own_page()
    _known()
    access = spotify.access_for_page(actor())
    body = {"token": access.token, "ends_at": access.ends_at} if access else {"again_ms": 1_000}
    answer = make_response(body, 200 if access else 202)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@spotify_pages.post("/spotify/imports")
def bring_in() -> Answer:
    """Bring a playlist or an album in."""
    _known()
    try:
        what = links.list_of(request.form.get("link", ""))
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
    spotify_lists.begin_import(actor(), what)
    return redirect("/spotify#lists", 303)


@spotify_pages.post("/spotify/kept")
def keep_list() -> Answer:
    """Keep a list of what a room plays."""
    _known()
    spotify_lists.keep_list(actor(), room_code(request.form.get("room", "")))
    return redirect("/spotify#kept", 303)


@spotify_pages.post(f"/spotify/kept/<int(max={HIGHEST_ID}):room_id>/removal")
def stop_list(room_id: int) -> Answer:
    """Keep it no longer."""
    spotify_lists.stop_list(actor(), room_id)
    return redirect("/spotify#kept", 303)


def _settings() -> Settings:
    wanted: Settings = current_app.config["SETTINGS"]
    return wanted


def _is_on() -> bool:
    return registry.is_on(links.PROVIDER, _settings())


def _known() -> SignedIn:
    """Who asks, where Spotify is set up. Raises NotKnown, Conflict."""
    known = viewer()
    if known is None:
        raise NotKnown("Tell us your name first, then try again.")
    if not _is_on():
        raise Conflict(NOT_SET_UP)
    return known


def _callback() -> str:
    """Where Spotify is to send people back to: the public address, or this one; nothing where it would refuse both."""
    asked, public = urlsplit(request.host_url), _settings().public_url
    if asked.hostname in LITERAL_LOOPBACK:
        return f"{asked.scheme}://{asked.netloc}{CALLBACK}"
    return f"{public}{CALLBACK}" if public.startswith("https://") else ""


def _need_own_page() -> None:
    """A token is for scripts of our own pages: not for a link, a frame, or anybody else's page."""
    refuse_foreign_pages()
    if request.headers.get("X-Partyline-Player") != "spotify":
        raise NotAllowed("This is for the player of the room’s own page.")
