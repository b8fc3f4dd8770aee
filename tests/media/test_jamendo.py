"""Jamendo, spoken to as its documents ask: tracks, pages, its own codes of refusal, links."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import settings
from media import jamendo
from media.oembed import Busy
from media.provider import Facts, Found, Reference, Trouble
from tests.media.catalogues import (
    CLIENT_ID,
    FAILURES,
    HOSTILE,
    Catalogues,
    catalogues,
    jamendo_said,
    said,
    track,
)

__all__ = ["catalogues"]

SOUND = "https://prod-1.storage.jamendo.com/?trackid=2&format=mp32&from=app-devsite"
COVER = "https://usercontent.jamendo.com/?type=album&id=368084&width=300&trackid=2"
FORMS = {
    "https://www.jamendo.com/track/1848357/manana-sera-tarde": "1848357",
    "https://www.jamendo.com/track/1848357": "1848357",
    "http://jamendo.com/en/track/1848357/manana?x=1#y": "1848357",
    "jamen.do/t/1848357": "1848357",
    "jamendo:1848357": "1848357",
}


def reference(key: str = "2") -> Reference:
    return Reference("jamendo", key, key, "file", "A track on Jamendo")


def test_a_track_becomes_a_row_with_a_sound_to_listen_to(catalogues: Catalogues) -> None:
    assert jamendo.search("mañana", catalogues.settings)[1] == Found(
        "jamendo",
        "2",
        "Mañana 2",
        artist="Fankel",
        album="Será tarde",
        duration_ms=272_000,
        cover_url=COVER,
        preview_url=SOUND,
        licence="CC BY-NC-ND",
    )
    assert catalogues.asked[0].args["search"] == "mañana"


def test_a_track_is_played_from_where_it_is(catalogues: Catalogues) -> None:
    assert jamendo.fetch(reference(), catalogues.settings) == Facts(
        title="Mañana 2",
        artist="Fankel",
        album="Será tarde",
        genre="latin",
        duration_ms=272_000,
        cover_url=COVER,
        is_video=False,
        mime="audio/mpeg",
        reference=SOUND,
        player="file",
    )


@pytest.mark.parametrize(
    ("key", "more", "sentence"), [("9", {}, jamendo.GONE), ("2", {"audio": ""}, jamendo.NO_SOUND)]
)
def test_what_is_gone_or_silent_says_so(
    catalogues: Catalogues, key: str, more: dict[str, str], sentence: str
) -> None:
    catalogues.tracks = [track(2, **more)]
    with pytest.raises(Trouble) as trouble:
        jamendo.fetch(reference(key), catalogues.settings)
    assert trouble.value.sentence == sentence


def test_another_page_is_asked_for_where_the_first_was_of_no_use(catalogues: Catalogues) -> None:
    catalogues.tracks = [track(number, audio="") for number in range(1, 21)]
    catalogues.tracks += [track(number) for number in range(21, 50)]
    found = jamendo.search("mañana", catalogues.settings)
    assert [request.args["offset"] for request in catalogues.asked] == ["0", "20"]
    assert [row.key for row in found] == [str(number) for number in range(21, 41)]


def test_a_full_first_page_is_enough(catalogues: Catalogues) -> None:
    catalogues.tracks = [track(number) for number in range(1, 50)]
    assert len(jamendo.search("mañana", catalogues.settings)) == 20
    assert len(catalogues.asked) == 1


@pytest.mark.parametrize("name", FAILURES)
def test_what_goes_wrong_is_a_sentence(catalogues: Catalogues, name: str) -> None:
    catalogues.instead, sentence = FAILURES[name]
    with pytest.raises(Trouble, match=sentence) as trouble:
        jamendo.fetch(reference(), catalogues.settings)
    assert CLIENT_ID not in trouble.value.sentence


def test_their_own_codes_are_read(catalogues: Catalogues) -> None:
    catalogues.instead = lambda _: jamendo_said([], 6, "Rate limit exceeded")
    with pytest.raises(Busy):
        jamendo.search("mañana", catalogues.settings)
    catalogues.instead = None
    with pytest.raises(Trouble) as trouble:
        jamendo.search("mañana", replace(catalogues.settings, jamendo_client_id="wrong"))
    assert (trouble.value.sentence, trouble.value.again) == (jamendo.NO_KEY, False)
    for strange in (
        {"headers": [], "results": []},
        {"headers": {"code": 0}, "results": "x"},
        {"results": []},
    ):
        catalogues.instead = lambda _, strange=strange: said(strange)  # type: ignore[misc]
        with pytest.raises(Trouble, match="cannot read"):
            jamendo.search("mañana", catalogues.settings)


def test_hostile_words_and_addresses_do_not_get_through(catalogues: Catalogues) -> None:
    catalogues.tracks = [
        track(1, name=HOSTILE, artist_name=HOSTILE),
        track(2, audio="javascript:alert(1)"),
        track(3, audio="http://169.254.169.254/latest"),
        track(4, audio="https://127.0.0.1/a.mp3"),
        track(5, id="5/../6"),
        track(6, name=""),
        track(7, duration="-3", album_image="file:///etc/passwd", musicinfo="x", name={"a": 1}),
        track(8, duration=1e300, album_image="data:text/html,x"),
    ]
    found = jamendo.search("x", catalogues.settings)
    assert [row.key for row in found] == ["1", "8"]
    assert len(found[0].title) <= 200 and "\u202e" not in found[0].title + found[0].artist
    assert (found[1].duration_ms, found[1].cover_url) == (0, "")


@pytest.mark.parametrize("link", FORMS)
def test_a_form_of_link_is_read(link: str) -> None:
    found = jamendo.recognise(link, settings)
    assert found is not None and (found.provider, found.key, found.player) == ("jamendo", FORMS[link], "file")


@pytest.mark.parametrize(
    "link",
    [
        "https://www.jamendo.com/album/1",
        "https://www.jamendo.com/",
        "jamendo:../1",
        "jamendo:",
        "https://jamen.do/a/1",
    ],
)
def test_a_link_without_a_track_says_so(link: str) -> None:
    with pytest.raises(Trouble, match="no track in that Jamendo link"):
        jamendo.recognise(link, settings)


@pytest.mark.parametrize(
    "text",
    ["https://jamendo.com.evil.example/track/1", "1848357", "https://jamendo.com@evil.example/track/1"],
)
def test_what_is_not_theirs_is_left_to_others(text: str) -> None:
    assert jamendo.recognise(text, settings) is None


def test_it_needs_a_key_of_the_operators_own() -> None:
    assert not jamendo.PROVIDER.is_set_up(replace(settings, jamendo_client_id=""))
    assert jamendo.PROVIDER.needs == "JAMENDO_CLIENT_ID"
