"""A Spotify account by URL: connecting and its mix-ups, the token for the own page alone, what pages never show."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from models import Source, User
from party import spotify, spotify_lists, work
from tests.doors import COOKIE, Browser, make_app, session_for, tree, words
from tests.ledger import every_row
from tests.media.fake_spotify import CLIENT, key
from tests.stage import Cast

HERE = "http://127.0.0.1:5000"
OURS = {"X-Partyline-Player": "spotify"}
CANARIES = ("canary-access", "canary-refresh", "canary-code")


@pytest.fixture(autouse=True)
def handed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Ada has an account; what is handed to the worker is kept and not done."""
    found: list[tuple[Any, ...]] = []
    names = ("spotify_connect", "spotify_renew", "spotify_import", "spotify_keep")
    carriers = {name: lambda *given, name=name: found.append((name, *given)) for name in names}
    monkeypatch.setattr(work, "carriers", carriers)
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    return found


@pytest.fixture
def house(cast: Cast) -> Flask:
    """The application where Spotify is set up."""
    return make_app(spotify_client_id=CLIENT)


class Here(Browser):
    """A browser at the literal loopback address, which is the one that Spotify comes back to."""

    def __init__(self, app: Flask, person: Any) -> None:
        super().__init__(app)
        self.client.set_cookie(COOKIE, session_for(person), domain="127.0.0.1")

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> Any:
        return super().ask(method, path, headers, base_url=HERE, **rest)


@pytest.fixture
def ada(house: Flask, cast: Cast) -> Here:
    return Here(house, cast.ada)


def begin(browser: Browser, **wishes: str) -> dict[str, str]:
    """Pressing “Connect Spotify”; what Spotify's page is asked."""
    answer = browser.post("/spotify/connect", **wishes)
    assert answer.status_code == 303 and answer.location.startswith("https://accounts.spotify.com/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def connected(browser: Browser, may: tuple[str, ...] = spotify.WISHES, lasts_seconds: int = 3600) -> int:
    asked = begin(browser, play="yes")
    browser.get("/spotify/callback", state=asked["state"], code="canary-code")
    source_id = int(Source.get().id)
    spotify.claim_code(source_id)
    spotify.keep_connected(
        source_id, access="canary-access", refresh="canary-refresh", lasts_seconds=lasts_seconds, may=may,
        username="ada", name="<i>Ada</i>",
    )  # fmt: skip
    return source_id


# --- the page --------------------------------------------------------------------------------------------------------


def test_where_it_is_not_set_up_the_page_says_what_to_do(cast: Cast, app: Flask) -> None:
    browser = Here(app, cast.ada)
    page = browser.get("/spotify")
    assert (
        page.status_code == 200
        and "SPOTIFY_CLIENT_ID" in words(page)
        and f"{HERE}/spotify/callback" in words(page)
    )
    assert "five people" in words(page) and "needs Premium" in words(page)
    assert page.headers["Content-Security-Policy"].count("spotify") == 0
    before = every_row()
    for path in ("/spotify/connect", "/spotify/imports", "/spotify/kept"):
        assert browser.post(path).status_code == 409
    assert browser.get("/spotify/callback", state="s", code="c").status_code == 409
    assert browser.get("/spotify/token", OURS).status_code == 409
    assert every_row() == before


def test_guests_read_how_to_get_an_account_and_can_do_nothing(cast: Cast, house: Flask) -> None:
    for browser in (Here(house, cast.cleo), Browser(house)):
        page = browser.get("/spotify")
        assert "/sign-up?next=/spotify" in page.get_data(as_text=True) and "Connect Spotify" not in words(
            page
        )
    cleo, before = Here(house, cast.cleo), every_row()
    assert cleo.post("/spotify/connect").status_code == 403
    assert Browser(house).post("/spotify/connect").status_code == 401
    assert Browser(house).get("/spotify/callback", state="s", code="c").status_code == 401
    assert Browser(house).get("/spotify/token", OURS).status_code == 401
    assert every_row() == before


def test_the_limits_are_said_in_plain_words(ada: Here) -> None:
    said = words(ada.get("/spotify"))
    for limit in (
        "everybody who listens needs their own",
        "own player does it in their browser",
        "five people may connect",
        "whoever made the app needs Premium",
        "After six months",
    ):
        assert limit in said


def test_only_this_page_may_send_a_form_to_spotify(ada: Here) -> None:
    policy = ada.get("/spotify").headers["Content-Security-Policy"]
    assert "form-action 'self' https://accounts.spotify.com;" in policy
    assert "form-action 'self';" in ada.get("/playlists").headers["Content-Security-Policy"]


def test_how_it_stands_is_told_and_names_stay_text(ada: Here) -> None:
    assert "Connect Spotify" in words(ada.get("/spotify"))
    asked = begin(ada, play="yes")
    ada.get("/spotify/callback", state=asked["state"], code="c")
    page = ada.get("/spotify")
    assert "Connecting…" in words(page) and 'hx-trigger="every 2s"' in page.get_data(as_text=True)
    connected(ada)
    page = ada.get("/spotify")
    assert "Connected as <i>Ada</i>" in words(page) and "<i>Ada" not in page.get_data(as_text=True)
    assert "every 2s" not in page.get_data(as_text=True)
    spotify.end_access(Source.get().id, "canary-refresh", "Gone & over.")
    assert "Gone & over." in words(ada.get("/spotify"))


# --- connecting ------------------------------------------------------------------------------------------------------


def test_connecting_asks_spotify_with_a_digest_and_no_more_than_was_ticked(ada: Here) -> None:
    asked = begin(ada, keep="yes", nonsense="yes")
    assert asked["client_id"] == CLIENT and asked["redirect_uri"] == f"{HERE}/spotify/callback"
    assert asked["scope"] == "playlist-modify-private" and asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43 and len(asked["state"]) >= 32
    assert begin(ada)["state"] != asked["state"]


def test_a_foreign_page_cannot_begin_or_end_it(ada: Here) -> None:
    connected(ada)
    before = every_row()
    for path in ("/spotify/connect", "/spotify/disconnection", "/spotify/imports", "/spotify/kept"):
        assert ada.post(path, {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert every_row() == before


@pytest.mark.parametrize(
    ("public", "base", "back"),
    [
        ("https://party.example", "https://party.example", "https://party.example/spotify/callback"),
        ("https://party.example", "https://party.example:444", "https://party.example/spotify/callback"),
        ("", "http://localhost:5000", None),
        ("", "http://192.168.1.5:5000", None),
        ("http://party.example", "http://party.example", None),
        ("", "http://127.0.0.1.evil.example", None),
        ("", "http://[::1]:5000", "http://[::1]:5000/spotify/callback"),
    ],
)
def test_spotify_is_sent_back_only_where_it_goes(
    cast: Cast, public: str, base: str, back: str | None
) -> None:
    from web.spotify import _callback

    app = make_app(spotify_client_id=CLIENT, public_url=public)
    with app.test_request_context("/spotify", base_url=base):
        assert _callback() == (back or "")


def test_at_an_address_that_spotify_refuses_the_page_says_so(cast: Cast, house: Flask) -> None:
    browser, before = Browser(house, cast.ada), None
    assert "http://127.0.0.1" in words(browser.get("/spotify"))
    before = every_row()
    refusal = browser.post("/spotify/connect", play="yes")
    assert refusal.status_code == 422 and "Open Partyline at such an address" in words(refusal)
    assert every_row() == before


def test_what_spotify_answers_goes_to_the_worker_and_the_way_back_is_fixed(
    ada: Here, handed: list[tuple[Any, ...]]
) -> None:
    asked = begin(ada, play="yes")
    answer = ada.get(
        "/spotify/callback", {"Sec-Fetch-Site": "cross-site"},
        state=asked["state"], code="c", next="//evil.example", redirect_uri="https://evil.example",
    )  # fmt: skip
    assert (answer.status_code, answer.location) == (303, "/spotify")
    assert handed == [("spotify_connect", Source.get().id)]


@pytest.mark.parametrize(
    "mixed", ["forged", "missing", "replayed", "other browser", "other person", "bad code", "late"]
)
def test_answers_that_were_not_asked_for_here_change_nothing(
    ada: Here, house: Flask, cast: Cast, time, mixed: str
) -> None:
    User.update(email="ben@example.org").where(User.id == cast.ben.user_id).execute()
    asked, browser = begin(ada, play="yes"), ada
    query = {"state": asked["state"], "code": "c"}
    if mixed == "forged":
        query["state"] = "x" * 32
    elif mixed == "missing":
        query.pop("state")
    elif mixed == "replayed":
        ada.get("/spotify/callback", **query)
    elif mixed == "other browser":
        browser = Here(house, cast.ada)
    elif mixed == "other person":
        browser = Here(house, cast.ben)
        begin(browser)
    elif mixed == "bad code":
        query["code"] = "c\r\nx"
    else:
        time.move(601)
    browser.get("/spotify")
    before = every_row()
    answer = browser.get("/spotify/callback", **query)
    assert answer.status_code == 422 and spotify.STRANGE in words(answer)
    assert every_row() == before


@pytest.mark.parametrize(
    ("error", "said"), [("access_denied", "answered with no"), ("//evil", "did not let us in")]
)
def test_a_no_is_told_and_nothing_is_connected(ada: Here, error: str, said: str) -> None:
    asked = begin(ada, play="yes")
    answer = ada.get("/spotify/callback", state=asked["state"], error=error)
    assert urlsplit(answer.location).netloc == "" and answer.location.startswith("/spotify?said=")
    page = ada.get(answer.location)
    assert said in words(page) and "Connect Spotify" in words(page)
    assert "unknown" not in words(ada.get("/spotify", said="unknown<b>"))
    assert ada.get("/spotify/callback", state="forged", error=error).status_code == 422


def test_disconnecting_forgets_it(ada: Here) -> None:
    connected(ada)
    assert ada.post("/spotify/disconnection").location == "/spotify"
    assert Source.select().count() == 0 and ada.get("/spotify/token", OURS).status_code == 409


# --- the token, and what is never shown ------------------------------------------------------------------------------


def test_the_own_page_is_given_the_access_token_and_nothing_else(ada: Here, time) -> None:
    connected(ada)
    answer = ada.get("/spotify/token", OURS)
    assert answer.json == {"token": "canary-access", "ends_at": time.now_ms + 3_600_000}
    assert (
        answer.headers["Cache-Control"] == "no-store"
        and answer.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_token_that_ends_is_waited_for(ada: Here, time, handed: list[tuple[Any, ...]]) -> None:
    source_id = connected(ada)
    handed.clear()
    time.move(3_550)
    answer = ada.get("/spotify/token", OURS)
    assert (answer.status_code, answer.json) == (202, {"again_ms": 1_000})
    assert handed == [("spotify_renew", source_id)] and "canary" not in answer.get_data(as_text=True)


def test_keys_that_cannot_be_read_any_more_are_not_called_connected(ada: Here) -> None:
    source_id = connected(ada)
    Source.update(secret="of another key").where(Source.id == source_id).execute()
    page = ada.get("/spotify")
    assert spotify.LOST in words(page) and "Connected as" not in words(page)
    answer = ada.get("/spotify/token", OURS)
    assert answer.status_code == 409 and spotify.LOST in answer.get_data(as_text=True)
    assert Source.get_by_id(source_id).state == "failed"
    assert spotify.LOST in words(ada.get("/spotify")) and "Connect Spotify" in words(ada.get("/spotify"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
        {"X-Partyline-Player": "x"},
    ],
)
def test_no_link_frame_or_foreign_page_is_given_it(ada: Here, headers: dict[str, str]) -> None:
    connected(ada)
    answer = ada.get("/spotify/token", headers)
    assert answer.status_code == 403 and "canary" not in answer.get_data(as_text=True)


def test_nobody_else_is_given_it_and_not_without_the_wish_to_play(
    ada: Here, house: Flask, cast: Cast
) -> None:
    connected(ada)
    for browser in (Here(house, cast.ben), Here(house, cast.cleo), Browser(house)):
        assert browser.get("/spotify/token", OURS).status_code in (401, 409)
    connected(ada, ("lists",))
    assert ada.get("/spotify/token", OURS).status_code == 403


def test_no_page_export_or_log_holds_what_opens_the_account(
    ada: Here, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = begin(ada, play="yes")
    connected(ada)
    spotify_lists.begin_import(cast.ada, f"playlist:{key(1)}")
    said = caplog.text
    for path in (
        "/spotify",
        f"/rooms/{cast.code}",
        "/account",
        "/account/export.json",
        "/playlists",
        "/my-rooms",
    ):
        said += ada.get(path).get_data(as_text=True)
    ada.get("/spotify/token", OURS)
    said += caplog.text
    for canary in (*CANARIES, asked["state"]):
        assert canary not in said, canary


# --- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_is_brought_in_by_its_link_and_shows_how_far_it_is(
    ada: Here, handed: list[tuple[Any, ...]]
) -> None:
    source_id = connected(ada)
    handed.clear()
    answer = ada.post("/spotify/imports", link=f"https://open.spotify.com/playlist/{key(1)}?si=x")
    assert answer.location == "/spotify#lists" and handed == [("spotify_import", source_id, 1)]
    step = spotify_lists.claim_import(source_id, 1)
    assert step is not None
    songs = [spotify_lists.Song(key(1), "A", "", "", 1, "https://open.spotify.com/track/x")]
    spotify_lists.keep_page(source_id, 1, step, "<u>Late</u>", songs, 1, 9, True)
    page = ada.get("/spotify")
    assert "2 of 9 read" in " ".join(words(page).split()) and "<u>Late</u>" in words(page)
    assert [node.attrs["value"] for node in tree(page).all() if node.tag == "progress"] == ["2"]


@pytest.mark.parametrize("link", ["", "https://evil.example/", f"spotify:track:{key(1)}"])
def test_what_is_no_list_is_refused_with_a_sentence(ada: Here, link: str) -> None:
    connected(ada)
    before = every_row()
    answer = ada.post("/spotify/imports", link=link)
    assert answer.status_code == 422 and "playlist or an album" in words(answer) and every_row() == before


def test_a_host_keeps_a_list_of_a_room_and_stops(
    ada: Here, cast: Cast, handed: list[tuple[Any, ...]]
) -> None:
    connected(ada)
    assert "Keep a playlist" in words(ada.get("/spotify"))
    assert ada.post("/spotify/kept", room=cast.code).location == "/spotify#kept"
    assert "kept from its first track on" in words(ada.get("/spotify"))
    assert ada.post(f"/spotify/kept/{cast.room().id}/removal").location == "/spotify#kept"
    assert "Keep a playlist" in words(ada.get("/spotify"))
    assert ada.post("/spotify/kept", room="NOSUCHRM").status_code == 404
