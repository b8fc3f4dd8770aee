"""Spotify's links, its accounts service and its Web API, against a fake that speaks what is documented."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from config import settings
from media import registry, spotify, spotify_api, spotify_login
from media.oembed import Busy
from media.provider import Trouble
from media.spotify_api import Expired, Forbidden
from media.spotify_login import Ended
from tests.media.fake_spotify import CLIENT, FakeSpotify, Listed, fake, key, track

__all__ = ["fake"]
ON = replace(settings, spotify_client_id=CLIENT)
ID = "11dFghVXANMlKmJXsNCbNl"
BACK = "https://party.example/spotify/callback"


@pytest.mark.parametrize(
    "text",
    [
        f"https://open.spotify.com/track/{ID}",
        f"https://open.spotify.com/track/{ID}?si=abc&context=x",
        f"http://open.spotify.com/intl-de/track/{ID}",
        f"open.spotify.com/track/{ID}/",
        f"https://open.spotify.com/embed/track/{ID}",
        f"https://play.spotify.com/track/{ID}",
        f"spotify:track:{ID}",
        f" Spotify:{ID} ",
    ],
)
def test_every_form_of_a_link_is_one_track(text: str) -> None:
    found = registry.recognise(text, ON)
    assert (found.provider, found.key, found.reference, found.player) == ("spotify", ID, ID, "spotify")
    assert not found.is_video


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://spotify.link/abc", spotify.SHORT),
        ("https://spotify.app.link/abc", spotify.SHORT),
        (f"https://open.spotify.com/playlist/{ID}", spotify.WHOLE.format(kind="playlist")),
        (f"spotify:user:ada:playlist:{ID}", spotify.WHOLE.format(kind="playlist")),
        (f"https://open.spotify.com/intl-fr/album/{ID}", spotify.WHOLE.format(kind="album")),
        (f"https://open.spotify.com/episode/{ID}", spotify.OTHER),
        (f"spotify:artist:{ID}", spotify.OTHER),
        ("https://open.spotify.com/", spotify.OTHER),
        (f"https://open.spotify.com/track/{ID}x", "There is no track in that Spotify link."),
        ("spotify:track:../../me/player/0000000", "There is no track in that Spotify link."),
    ],
)
def test_what_is_no_track_is_refused_with_what_to_do(text: str, sentence: str) -> None:
    with pytest.raises(Trouble) as trouble:
        registry.recognise(text, ON)
    assert trouble.value.sentence == sentence


@pytest.mark.parametrize(
    "text",
    [
        f"https://open.spotify.com.evil.example/track/{ID}",
        f"https://u@open.spotify.com/track/{ID}",
        "spotify",
    ],
)
def test_what_only_looks_like_it_is_not_ours(text: str) -> None:
    assert spotify.recognise(text, ON) is None


def test_it_is_off_without_a_client_id_and_the_policy_then_allows_nothing_of_it() -> None:
    from web.guard import content_policy

    assert not registry.is_on(spotify.PROVIDER, settings) and "scdn" not in content_policy(settings)
    policy = content_policy(ON)
    assert "script-src 'self' https://sdk.scdn.co/spotify-player.js" in policy.replace(
        " https://www.youtube.com/iframe_api https://www.youtube.com/s/player/", ""
    )
    assert "https://sdk.scdn.co" in policy.partition("frame-src")[2].partition(";")[0]
    assert "https://api.spotify.com" in policy.partition("connect-src")[2].partition(";")[0].split()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"https://open.spotify.com/playlist/{ID}?si=1", f"playlist:{ID}"),
        (f"spotify:album:{ID}", f"album:{ID}"),
    ],
)
def test_a_list_is_known_by_its_link(text: str, what: str) -> None:
    assert spotify.list_of(text) == what


@pytest.mark.parametrize("text", ["", "x", f"spotify:track:{ID}", "https://open.spotify.com/playlist/short"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match="playlist or an album"):
        spotify.list_of(text)


def test_without_an_account_oembed_tells_the_title(fake: FakeSpotify) -> None:
    fake.tracks[key(1)] = track(1)
    facts = spotify.fetch(spotify.recognise(f"spotify:{key(1)}", ON), fake.settings())  # type: ignore[arg-type]
    assert (facts.title, facts.duration_ms, facts.is_video) == ("Song 1", None, False)
    with pytest.raises(Trouble, match="no such track"):
        spotify.fetch(spotify.recognise(f"spotify:{key(2)}", ON), fake.settings())  # type: ignore[arg-type]


# --- signing in ------------------------------------------------------------------------------------------------------


def test_the_address_of_the_sign_in_asks_for_no_more_than_was_wished() -> None:
    address = spotify_login.sign_in_address(ON, BACK, "the-state", "v" * 64, ["play"])
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith("https://accounts.spotify.com/authorize?")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 64).digest()).decode().rstrip("=")
    assert asked.pop("code_challenge") == digest
    assert asked == {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": BACK, "state": "the-state",
        "scope": "streaming user-read-email user-read-private user-modify-playback-state",
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert "v" * 64 not in address
    assert "scope=" not in spotify_login.sign_in_address(ON, BACK, "s", "v" * 64, [])


def test_a_code_is_exchanged_with_its_verifier_once(fake: FakeSpotify) -> None:
    wanted = fake.settings()
    code = fake.sign_in(spotify_login.sign_in_address(wanted, BACK, "s", "v" * 64, ["play", "keep"]))
    tokens = spotify_login.exchange(code, "v" * 64, BACK, wanted)
    assert tokens.access in fake.access and tokens.refresh in fake.refresh
    assert (tokens.lasts_seconds, tokens.wishes) == (3600, ("play", "keep"))
    assert tokens.access not in repr(tokens) and tokens.refresh not in repr(tokens)
    with pytest.raises(Ended, match="did not accept"):
        spotify_login.exchange(code, "v" * 64, BACK, wanted)


@pytest.mark.parametrize(("verifier", "back"), [("w" * 64, BACK), ("v" * 64, "https://evil.example/")])
def test_another_verifier_or_address_gets_nothing(fake: FakeSpotify, verifier: str, back: str) -> None:
    code = fake.sign_in(spotify_login.sign_in_address(fake.settings(), BACK, "s", "v" * 64, []))
    with pytest.raises(Ended) as ended:
        spotify_login.exchange(code, verifier, back, fake.settings())
    assert "verifier" not in ended.value.sentence and ended.value.__cause__ is None


def test_tokens_rotate_and_the_old_one_is_worth_nothing(fake: FakeSpotify) -> None:
    first = fake.let_in()
    tokens = spotify_login.renew(first["refresh_token"], fake.settings())
    assert tokens.refresh != first["refresh_token"] and tokens.access in fake.access
    with pytest.raises(Ended, match="Connect it again"):
        spotify_login.renew(first["refresh_token"], fake.settings())


def test_a_renewal_that_brings_no_refresh_token_keeps_the_old_one(fake: FakeSpotify) -> None:
    answer = {"access_token": "another", "token_type": "Bearer", "expires_in": 10}
    fake.trouble("/accounts/api/token", 200, answer)
    assert spotify_login.renew("the old one", fake.settings()).refresh == "the old one"


@pytest.mark.parametrize(
    ("status", "body", "wait"),
    [(429, {}, 7), (503, {}, 0), (500, {}, 0), (400, {"error": "temporarily_unavailable"}, 0)],
)
def test_an_accounts_service_in_trouble_is_tried_again(
    fake: FakeSpotify, status: int, body: dict, wait: int
) -> None:
    fake.trouble("/accounts", status, body, **({"retry_after": "7"} if wait else {}))
    with pytest.raises(Busy) as busy:
        spotify_login.renew("whatever", fake.settings())
    assert busy.value.again and busy.value.after_seconds == wait


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_token": "a"},
        {"access_token": 5, "refresh_token": "r", "token_type": "Bearer"},
        {"access_token": "a", "refresh_token": "r", "token_type": "mac"},
        {"access_token": "a" * 5_000, "refresh_token": "r", "token_type": "Bearer"},
    ],
)
def test_an_answer_that_holds_no_tokens_is_none(fake: FakeSpotify, body: dict) -> None:
    fake.trouble("/accounts", 200, body)
    with pytest.raises(Trouble, match="cannot read"):
        spotify_login.exchange("c", "v" * 64, BACK, fake.settings())


# --- the Web API -----------------------------------------------------------------------------------------------------


@pytest.fixture
def token(fake: FakeSpotify) -> str:
    return str(fake.let_in()["access_token"])


def test_a_track_tells_everything_that_is_asked(fake: FakeSpotify, token: str) -> None:
    fake.tracks[key(1)] = track(1, explicit=True)
    song = spotify_api.track(key(1), token, fake.settings())
    facts = song.facts()
    assert (facts.title, facts.artist, facts.album) == ("Song 1", "Ada, Ben", "An album")
    assert (facts.duration_ms, facts.cover_url, song.is_explicit) == (
        180_001,
        "https://i.scdn.co/image/1",
        True,
    )
    with pytest.raises(Trouble, match="no") as gone:
        spotify_api.track(key(2), token, fake.settings())
    assert not gone.value.again


def test_a_search_stays_within_what_development_mode_gives(fake: FakeSpotify, token: str) -> None:
    fake.tracks = {key(number): track(number) for number in range(30)}
    found = spotify_api.search("song & more?", token, fake.settings())
    assert found == [] and fake.asked[-1][1] == "/v1/search?q=song+%26+more%3F&type=track&limit=10"
    rows = spotify_api.search("song", token, fake.settings())
    assert [row.key for row in rows] == [key(number) for number in range(10)]
    assert rows[0].provider == "spotify" and rows[0].preview_url == ""


@pytest.mark.parametrize("inner", ["item", "track"])
def test_a_list_is_read_page_by_page_without_what_has_vanished(
    fake: FakeSpotify, token: str, inner: str
) -> None:
    fake.inner = inner
    rows = [track(number) for number in range(60)]
    rows[3], rows[4] = None, {"type": "episode", "id": key(4), "name": "Talk"}
    rows[5] = track(5, id=None, is_local=True)
    fake.lists[key(1)] = Listed("Tonight", rows=rows)
    what, wanted = f"playlist:{key(1)}", fake.settings()
    assert spotify_api.list_title(what, token, wanted) == "Tonight"
    first = spotify_api.list_page(what, 0, token, wanted)
    assert (len(first.songs), first.lost, first.total, first.has_more) == (48, 2, 60, True)
    assert [song.key for song in first.songs[2:5]] == [key(2), "", key(6)]
    rest = spotify_api.list_page(what, 50, token, wanted)
    assert (len(rest.songs), rest.has_more) == (10, False)
    assert all("evil" not in target for _, target in fake.asked)


def test_an_album_is_read_too(fake: FakeSpotify, token: str) -> None:
    fake.albums[key(1)] = [{"id": key(7), "type": "track", "name": "One", "artists": [], "duration_ms": 5}]
    page = spotify_api.list_page(f"album:{key(1)}", 0, token, fake.settings())
    assert [(song.key, song.title, song.album) for song in page.songs] == [(key(7), "One", "")]


def test_whose_list_it_is_not_is_told_nothing(fake: FakeSpotify, token: str) -> None:
    fake.lists[key(1)] = Listed("Theirs", owner="somebody")
    with pytest.raises(Forbidden, match="only to its owner"):
        spotify_api.list_page(f"playlist:{key(1)}", 0, token, fake.settings())


def test_a_list_is_made_private_and_grows_at_its_end(fake: FakeSpotify, token: str) -> None:
    wanted = fake.settings()
    made, mark = spotify_api.make_list("Friday", "words", token, wanted)
    assert mark == "0" and fake.lists[made].name == "Friday"
    assert spotify_api.append(made, [key(1), key(2)], token, wanted) == "1"
    assert spotify_api.list_mark(made, token, wanted) == "1"
    assert spotify_api.list_end(made, 1, token, wanted) == [key(2)]
    assert spotify_api.list_end(made, 9, token, wanted) == [key(1), key(2)]


def test_refusals_and_limits_are_told_apart(fake: FakeSpotify, token: str) -> None:
    wanted = fake.settings()
    with pytest.raises(Expired):
        spotify_api.profile("an old token", wanted)
    fake.trouble("/v1/me", 429, retry_after="30")
    with pytest.raises(Busy) as busy:
        spotify_api.profile(token, wanted)
    assert (busy.value.after_seconds, busy.value.sentence) == (30, spotify_api.BUSY)
    fake.trouble("/v1/me", 429, {"error": {"status": 429, "reason": "QUOTA_EXCEEDED"}}, retry_after="86400")
    with pytest.raises(Busy) as busy:
        spotify_api.profile(token, wanted)
    assert (busy.value.after_seconds, busy.value.sentence) == (3600, spotify_api.QUOTA)
    fake.trouble("/v1/me", 502)
    with pytest.raises(Busy):
        spotify_api.profile(token, wanted)
    fake.trouble("/v1/me", 200, {"display_name": "no id"})
    with pytest.raises(Trouble, match="cannot read"):
        spotify_api.profile(token, wanted)


def test_a_token_never_follows_a_redirect_to_another_host(fake: FakeSpotify, token: str) -> None:
    fake.trouble("/v1/me", 302, location="https://evil.example/steal")
    with pytest.raises(Trouble) as trouble:
        spotify_api.profile(token, fake.settings())
    assert token not in trouble.value.sentence
