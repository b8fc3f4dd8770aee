"""Sessions: what device, which are gone, and ending one or all."""

from __future__ import annotations

import pytest

from models import Session, User
from party import people, sessions
from party.errors import NotFound
from tests.accounts import seen_as
from tests.stage import Cast

M, W = "Mozilla/5.0", "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{M} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"{M} (Windows NT 10.0; Win64; x64) {W} Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        (f"{M} (Windows NT 10.0) {W} Chrome/141.0 Safari/537.36", "Chrome on Windows"),
        (f"{M} (iPhone; CPU iPhone OS 19_0 like Mac OS X) {W} Version/19.0 Safari/604.1", "Safari on iPhone"),
        (f"{M} (Macintosh; Intel Mac OS X 10_15_7) {W} Version/19.0 Safari/605.1", "Safari on a Mac"),
        (f"{M} (Linux; Android 15) {W} SamsungBrowser/28.0 Chrome/130.0", "Samsung Internet on Android"),
        ("curl/8.5.0", "A browser"),
        ("", "A browser"),
        ("<script>alert(1)</script>" * 100, "A browser"),
    ],
)
def test_a_device_is_named_in_a_few_words(user_agent: str, words: str) -> None:
    assert sessions.device_words(user_agent) == words


def test_ones_own_sessions_are_listed_without_what_opens_them(cast: Cast, time) -> None:
    time.move(60)
    first = seen_as(cast.cleo, "Firefox on Linux")
    time.move(60)
    second = seen_as(cast.cleo, "Safari on iPhone")
    listed = sessions.devices(cast.cleo, first.session)
    assert [(each.device, each.is_this) for each in listed][:2] == [
        ("Safari on iPhone", False),
        ("Firefox on Linux", True),
    ]
    assert all(each.handle not in (first.session, second.session) for each in listed)


def test_one_session_is_ended_by_its_owner_alone(cast: Cast) -> None:
    token = sessions.begin(cast.cleo.user_id)
    handle = sessions.hashed(token)[: sessions.HANDLE_LENGTH]
    with pytest.raises(NotFound):
        sessions.end_one(cast.dan, handle)
    assert people.signed_in(token)
    sessions.end_one(cast.cleo, handle)
    assert people.signed_in(token) is None
    with pytest.raises(NotFound):
        sessions.end_one(cast.cleo, handle)


def test_signing_out_everywhere_ends_all_of_ones_own(cast: Cast) -> None:
    token, other = sessions.begin(cast.cleo.user_id), sessions.begin(cast.dan.user_id)
    sessions.sign_out_everywhere(cast.cleo)
    assert people.signed_in(token) is None and people.signed_in(other)
    assert not Session.select().where(Session.user == cast.cleo.user_id).exists()


def test_what_is_gone_is_told_for_hundreds_at_once_in_a_few_queries(cast: Cast, time) -> None:
    alive = [seen_as(cast.cleo).session for _ in range(5)]
    ended, banned = seen_as(cast.cleo).session, seen_as(cast.dan).session
    sessions.end(ended)
    User.update(banned_at=time.now_ms).where(User.id == cast.dan.user_id).execute()
    unknown = [f"{number:064x}" for number in range(700)]
    assert sessions.gone([*alive, ended, banned, *unknown]) == {ended, banned, *unknown}
    assert sessions.gone([]) == set()
    time.move(91 * 86_400)
    assert sessions.gone(alive) == set(alive)


@pytest.mark.parametrize(
    ("hours", "words"), [(0, "within the hour"), (1, "1 hour ago"), (47, "47 hours ago"), (49, "2 days ago")]
)
def test_a_last_use_is_told_as_people_say_it(time, hours: int, words: str) -> None:
    assert sessions.ago(time.now_ms - hours * 3_600_000) == words
