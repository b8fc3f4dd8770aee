"""The Internet Archive, spoken to as its documents say: search, items and their files, links."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from config import settings
from media import archive, registry
from media.provider import Facts, Found, Reference, Trouble, Unreachable
from tests.media.catalogues import FAILURES, HOSTILE, ITEM, Catalogues, catalogues, doc, said

__all__ = ["catalogues"]

FORMS = {
    "https://archive.org/details/gd77-05-08": ("gd77-05-08", "gd77-05-08"),
    "http://www.archive.org/details/gd77-05-08/": ("gd77-05-08", "gd77-05-08"),
    "archive.org/details/gd77-05-08?sort=x#y": ("gd77-05-08", "gd77-05-08"),
    "https://archive.org/embed/gd77-05-08": ("gd77-05-08", "gd77-05-08"),
    "archive:gd77-05-08": ("gd77-05-08", "gd77-05-08"),
    "https://archive.org/details/escales/01.I.Palermo.mp3": (None, "escales/01.I.Palermo.mp3"),
    "https://archive.org/details/escales/disc%201/02%20Tunis.flac": (None, "escales/disc 1/02 Tunis.flac"),
}


def looked_up(catalogues: Catalogues, where: str = "escales") -> Facts:
    return archive.fetch(Reference("archive", "k", where, "file", "T"), catalogues.settings)


def test_an_item_becomes_a_row(catalogues: Catalogues) -> None:
    [first, *_] = archive.search("tape", catalogues.settings)
    cover = f"{archive.BASE}/services/img/item-0"
    assert first == Found("archive", "item-0", "Tape 0", artist="The Band", cover_url=cover)
    catalogues.docs = [doc(0, licenseurl="https://creativecommons.org/licenses/by-sa/4.0/")]
    assert [row.licence for row in archive.search("tape", catalogues.settings)] == ["CC BY-SA"]
    asked = catalogues.asked[0].args
    assert asked["q"] == "tape AND mediatype:(audio OR etree OR movies) AND NOT access-restricted-item:true"
    assert asked["sort[]"] == "downloads desc"


def test_no_sign_of_the_query_language_gets_through(catalogues: Catalogues) -> None:
    archive.search('x) OR mediatype:(texts "', catalogues.settings)
    assert catalogues.asked[0].args["q"].startswith("x AND or AND mediatype AND texts AND mediatype:(audio")
    assert archive.search("()", catalogues.settings) == []
    assert len(catalogues.asked) == 1


def test_pages_are_asked_for_until_there_is_enough(catalogues: Catalogues) -> None:
    catalogues.docs = [doc(number, mediatype="texts") for number in range(20)]
    catalogues.docs += [doc(number) for number in range(20, 45)]
    found = archive.search("tape", catalogues.settings)
    assert [request.args["page"] for request in catalogues.asked] == ["1", "2"]
    assert [row.key for row in found] == [f"item-{number}" for number in range(20, 40)]


@pytest.mark.parametrize("name", FAILURES)
def test_what_goes_wrong_is_a_sentence(catalogues: Catalogues, name: str) -> None:
    catalogues.instead, sentence = FAILURES[name]
    with pytest.raises(Trouble, match=sentence):
        archive.search("tape", catalogues.settings)
    with pytest.raises(Trouble, match=sentence):
        looked_up(catalogues)


def test_a_catalogue_that_does_not_answer_is_named(
    catalogues: Catalogues, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise Unreachable("Nobody answers at that address.")

    monkeypatch.setattr("media.catalogues.fetch", nobody)
    with pytest.raises(Trouble, match="^The Internet Archive cannot be reached just now.$"):
        archive.search("tape", catalogues.settings)


def test_a_search_that_answers_something_else_is_a_sentence(catalogues: Catalogues) -> None:
    catalogues.instead = lambda _: said({"error": "Query parsing failed"})
    with pytest.raises(Trouble, match="cannot read"):
        archive.search("tape", catalogues.settings)


def test_the_first_song_is_played_in_the_form_that_every_browser_plays(catalogues: Catalogues) -> None:
    assert looked_up(catalogues) == Facts(
        title="01. I. Palermo",
        artist="Artur Rodzinski",
        album="IBERT: Escales",
        genre="classical",
        duration_ms=351_420,
        cover_url=f"{archive.BASE}/services/img/escales",
        is_video=False,
        mime="audio/mpeg",
        reference=f"{archive.BASE}/download/escales/01.I.Palermo.mp3",
        player="file",
    )


def test_the_file_that_was_named_is_the_one_that_plays(catalogues: Catalogues) -> None:
    facts = looked_up(catalogues, "escales/02 Tunis.mp3")
    assert facts.reference == f"{archive.BASE}/download/escales/02%20Tunis.mp3"
    assert (facts.title, facts.duration_ms, facts.mime) == ("Tunis - Nefta", 171_000, "audio/mpeg")
    facts = looked_up(catalogues, "escales/02 Tunis.flac")
    assert (facts.reference[-14:], facts.duration_ms, facts.mime) == (
        "02%20Tunis.flac"[-14:],
        171_500,
        "audio/flac",
    )


def test_an_item_of_one_song_is_called_as_it_is(catalogues: Catalogues) -> None:
    film = {
        "name": "Night Bus.mp4",
        "source": "original",
        "format": "h.264",
        "length": "01:02:03",
        "title": "x",
    }
    small = {**film, "name": "Night Bus_512kb.mp4", "original": "Night Bus.mp4", "format": "512Kb MPEG4"}
    catalogues.items["item-1"] = {
        "metadata": {"title": "Night Bus", "creator": "Ada"},
        "files": [small, film],
    }
    facts = looked_up(catalogues, "item-1")
    assert (facts.title, facts.artist, facts.album, facts.is_video) == ("Night Bus", "Ada", "", True)
    assert (facts.duration_ms, facts.mime) == (3_723_000, "video/mp4")
    assert facts.reference == f"{archive.BASE}/download/item-1/Night%20Bus.mp4"


NOTHING: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown": ("gone", {}, archive.GONE),
    "taken down": ("dark", {**ITEM, "is_dark": True}, archive.GONE),
    "no sound": ("item-1", {**ITEM, "files": ITEM["files"][:2]}, archive.NO_SOUND),
    "closed": ("item-1", {**ITEM, "files": ITEM["files"][-1:]}, archive.NO_SOUND),
    "strange": ("item-1", {**ITEM, "files": {"a": 1}}, archive.NO_SOUND),
    "another file": ("escales/nothing.mp3", {}, archive.NO_SOUND),
}


@pytest.mark.parametrize("name", NOTHING)
def test_where_nothing_plays_it_says_why(catalogues: Catalogues, name: str) -> None:
    where, item, sentence = NOTHING[name]
    if item:
        catalogues.items[where] = item
    with pytest.raises(Trouble) as trouble:
        looked_up(catalogues, where)
    assert (trouble.value.sentence, trouble.value.again) == (sentence, False)


def test_hostile_words_do_not_get_through(catalogues: Catalogues) -> None:
    catalogues.docs = [
        doc(1, title=HOSTILE, creator=[HOSTILE, 7, None]),
        doc(2, identifier="../../etc"),
        doc(3, identifier=["a"]),
        doc(4, title=None),
        doc(5, title=["Two", "Titles"]),
    ]
    found = archive.search("x", catalogues.settings)
    assert [row.key for row in found] == ["item-1", "item-5"]
    assert len(found[0].title) <= 200 and len(found[0].artist) <= 200
    assert "\u202e" not in found[0].title + found[0].artist and "\n" not in found[0].title
    item = copy.deepcopy(ITEM)
    item["metadata"]["title"] = {"a": HOSTILE}
    item["files"] = [
        {"name": "a\n?b#c.mp3", "length": "1e9999", "title": HOSTILE, "track": "９"},
        {"name": 7},
        {"name": "../../a.mp3"},
    ]
    catalogues.items["item-1"] = item
    facts = looked_up(catalogues, "item-1")
    assert facts.reference == f"{archive.BASE}/download/item-1/a%0A%3Fb%23c.mp3"
    assert facts.duration_ms is None and facts.title == "item-1"


@pytest.mark.parametrize("link", FORMS)
def test_a_form_of_link_is_read(link: str) -> None:
    key, where = FORMS[link]
    found = archive.recognise(link, settings)
    assert found is not None and (found.provider, found.reference, found.player) == ("archive", where, "file")
    assert found.key == key if key else found.key.startswith("_") and len(found.key) == 33


def test_two_files_of_an_item_have_keys_of_their_own_that_no_item_has() -> None:
    one, two = (archive.recognise(f"https://archive.org/details/escales/{n}.mp3", settings) for n in (1, 2))
    assert one is not None and two is not None and one.key != two.key
    with pytest.raises(Trouble):
        registry.by_key("archive", one.key, settings)


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("https://archive.org/details/", "names nothing"),
        ("archive:../../etc", "names nothing"),
        ("archive:" + "a" * 101, "names nothing"),
        ("https://archive.org/details/escales/notes.pdf", archive.NO_SOUND),
        ("https://archive.org/details/escales/..%2f..%2fa.mp3", archive.NO_SOUND),
    ],
)
def test_a_link_that_names_nothing_says_so(link: str, sentence: str) -> None:
    with pytest.raises(Trouble, match=sentence):
        archive.recognise(link, settings)


@pytest.mark.parametrize(
    "text",
    [
        "https://archive.org.evil.example/details/x",
        "https://archive.org/web/x",
        "gd77-05-08",
        "https://archive.org@evil.example/details/x",
    ],
)
def test_what_is_not_theirs_is_left_to_others(text: str) -> None:
    assert archive.recognise(text, settings) is None


def test_by_its_key_a_row_is_what_it_was_found_as(catalogues: Catalogues) -> None:
    found = registry.by_key("archive", "item-0", catalogues.settings)
    assert (found.provider, found.key, found.reference) == ("archive", "item-0", "item-0")
    for provider, key in (("link", "https://evil.example/a.mp3"), ("nobody", "x"), ("archive", ""), ("", "")):
        with pytest.raises(Trouble):
            registry.by_key(provider, key, catalogues.settings)
