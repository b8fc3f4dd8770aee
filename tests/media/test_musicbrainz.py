"""MusicBrainz, spoken to as its documents ask: recordings, pages, one request a second, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import settings
from media import musicbrainz
from media.musicbrainz import Pace
from media.oembed import Busy
from media.provider import Found, Trouble
from tests.media.catalogues import FAILURES, HOSTILE, Catalogues, catalogues, recording, said, uuid

__all__ = ["catalogues"]


def test_a_recording_becomes_a_row_that_plays_nothing(catalogues: Catalogues) -> None:
    assert musicbrainz.search("we hear you", catalogues.settings)[0] == Found(
        "musicbrainz",
        uuid(0),
        "We Hear You 0",
        artist="Luke Vibert",
        album="We Hear You",
        duration_ms=272_000,
        cover_url=f"https://coverartarchive.org/release/{uuid(700)}/front-250",
        is_playable=False,
    )


def test_it_says_who_asks_and_where_they_are_found(catalogues: Catalogues) -> None:
    musicbrainz.search("vibert", catalogues.settings)
    [asked] = catalogues.asked
    assert asked.headers["User-Agent"] == "Partyline/1.0 ( https://party.example.org )"
    assert musicbrainz.PROVIDER.is_set_up(catalogues.settings)
    assert not musicbrainz.PROVIDER.is_set_up(replace(settings, public_url="")), (
        "without a contact nobody is asked"
    )


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("Björk", "(recording:björk OR artist:björk OR release:björk)"),
        ('a" OR *:* NOT b', "a or not b"),
        ("we_hear AND you", "we hear and you"),
        ("夜のバス停", "夜のバス停"),
    ],
)
def test_no_sign_or_operator_of_the_query_language_gets_through(
    catalogues: Catalogues, words: str, query: str
) -> None:
    musicbrainz.search(words, catalogues.settings)
    sent = catalogues.asked[0].args["query"]
    if query.startswith("("):
        assert sent == query
    else:
        asked = [part.partition(" OR ")[0].removeprefix("(recording:") for part in sent.split(" AND ")]
        assert asked == query.split()


def test_words_without_a_letter_ask_nobody(catalogues: Catalogues) -> None:
    assert musicbrainz.search("!!! *:*", catalogues.settings) == []
    assert catalogues.asked == []


def test_one_song_many_times_over_is_one_row_and_the_next_page_is_asked_for(catalogues: Catalogues) -> None:
    catalogues.recordings = [recording(number, "Same") for number in range(60)]
    catalogues.recordings += [recording(100 + number) for number in range(60)]
    found = musicbrainz.search("same", catalogues.settings)
    assert [request.args["offset"] for request in catalogues.asked] == ["0", "50"]
    assert [row.title for row in found[:2]] == ["Same", "We Hear You 100"]
    assert len(found) == 20


def test_no_more_than_three_pages_are_asked_for(catalogues: Catalogues) -> None:
    catalogues.recordings = [recording(number, "Same") for number in range(1_000)]
    assert len(musicbrainz.search("same", catalogues.settings)) == 1
    assert len(catalogues.asked) == 3


@pytest.mark.parametrize("name", FAILURES)
def test_what_goes_wrong_is_a_sentence(catalogues: Catalogues, name: str) -> None:
    catalogues.instead, sentence = FAILURES[name]
    with pytest.raises(Trouble, match=sentence) as trouble:
        musicbrainz.search("vibert", catalogues.settings)
    assert (getattr(trouble.value, "after_seconds", 0) == 7) is (name in ("too many", "unavailable"))


def test_who_is_not_there_is_a_sentence(catalogues: Catalogues) -> None:
    gone = replace(catalogues.settings, private_hosts=("127.0.0.1:9",))
    with pytest.raises(Trouble):
        musicbrainz.search("vibert", gone)


def test_hostile_words_are_plain_text_and_short(catalogues: Catalogues) -> None:
    catalogues.recordings = [
        recording(1, HOSTILE, HOSTILE),
        recording(2, id="../../evil"),
        recording(3, title=["a list"], length="long", releases="none"),
        recording(
            4, length=-5, releases=[{"id": "javascript:alert(1)", "title": 7}], **{"artist-credit": {}}
        ),
        recording(5, length=True, releases=[None]),
        "no recording",  # type: ignore[list-item]
    ]
    found = musicbrainz.search("x", catalogues.settings)
    assert [row.key for row in found] == [uuid(1), uuid(3), uuid(4), uuid(5)]
    first = found[0]
    assert len(first.title) <= 200 and first.title.startswith("<img src=x onerror=alert(1)> Bcc: á")
    assert not set("\u202e\u0000\u200b\r\n") & set(first.title + first.artist)
    assert [(row.duration_ms, row.cover_url, row.artist, row.album) for row in found[2:3]] == [
        (0, "", "", "")
    ]
    assert found[3].duration_ms == 0


def test_the_artists_are_named_as_on_the_sleeve(catalogues: Catalogues) -> None:
    credit = [{"name": "Queen", "joinphrase": " & "}, {"name": "David Bowie"}, "nobody"]
    catalogues.recordings = [recording(1, "Under Pressure", **{"artist-credit": credit})]
    assert musicbrainz.search("pressure", catalogues.settings)[0].artist == "Queen & David Bowie"


@pytest.mark.parametrize(
    "link",
    [f"https://musicbrainz.org/recording/{uuid(1)}", "musicbrainz:anything", "https://musicbrainz.org/"],
)
def test_a_link_of_theirs_says_that_nothing_plays_there(link: str) -> None:
    with pytest.raises(Trouble) as trouble:
        musicbrainz.recognise(link, settings)
    assert trouble.value.sentence == musicbrainz.ONLY_KNOWS


@pytest.mark.parametrize(
    "text", ["https://musicbrainz.org.evil.example/recording/x", "vibert", "https://evil.example/"]
)
def test_what_is_not_theirs_is_left_to_others(text: str) -> None:
    assert musicbrainz.recognise(text, settings) is None


class Hand:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))

    def pace(self) -> Pace:
        return Pace(1.0, 3.0, lambda: self.now, self.sleep)


def test_one_request_a_second_and_nobody_waits_for_ever() -> None:
    hand = Hand()
    pace = hand.pace()
    for _ in range(4):
        pace.wait()
    assert hand.slept == [1.0, 2.0, 3.0]
    with pytest.raises(Busy):
        pace.wait()
    assert hand.slept == [1.0, 2.0, 3.0]
    hand.now += 1.5
    pace.wait()
    assert hand.slept[-1] == 2.5
    hand.now += 60
    pace.wait()
    assert len(hand.slept) == 4, "nobody has to wait when nobody asked lately"


def test_being_sent_away_keeps_us_away(catalogues: Catalogues, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand()
    monkeypatch.setattr(musicbrainz, "pace", hand.pace())
    catalogues.instead = lambda _: said({}, 503, Retry_After="60")
    with pytest.raises(Busy):
        musicbrainz.search("vibert", catalogues.settings)
    catalogues.instead = None
    with pytest.raises(Busy) as busy:
        musicbrainz.search("vibert", catalogues.settings)
    assert (busy.value.after_seconds, len(catalogues.asked)) == (60, 1)
    hand.now += 60
    assert musicbrainz.search("vibert", catalogues.settings)
