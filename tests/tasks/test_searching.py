"""The worker asks the sources of a search: what they say, and why they say nothing, is kept for who waits."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

import tasks
from config import Settings
from models import SearchAnswer, database
from party import searching, work
from tasks.searching import ask_source_here
from tests.ledger import every_row
from tests.media.catalogues import HOSTILE, Catalogues, catalogues, doc, said
from tests.stage import Cast

__all__ = ["catalogues"]


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    given: list[int] = []
    monkeypatch.setattr(work, "carriers", {"ask_source": given.append})
    return given


def ask(cast: Cast, *sources: str) -> int:
    return searching.ask(cast.cleo, cast.code, "some tape", sources)


def run(handed: list[int], wanted: Settings) -> None:
    """The worker does what it was handed, with a connection of its own."""
    database.obj.close()
    for answer_id in handed:
        ask_source_here(answer_id, wanted)
    database.obj.connect()


def test_every_source_answers_into_the_search(cast: Cast, catalogues: Catalogues, handed: list[int]) -> None:
    search_id = ask(cast, "archive", "jamendo", "musicbrainz")
    run(handed, catalogues.settings)
    answers = searching.look(cast.cleo.user_id, search_id, cast.seen()).answers
    assert [(each.source, each.state, len(each.rows)) for each in answers] == [
        ("archive", "ready", 3),
        ("jamendo", "ready", 3),
        ("musicbrainz", "ready", 3),
    ]
    assert [each.rows[0].is_playable for each in answers] == [True, True, False]
    assert answers[1].rows[0].preview_url.startswith("https://prod-1.storage.jamendo.com/")


def test_one_that_fails_says_why_and_the_others_answer(
    cast: Cast, catalogues: Catalogues, handed: list[int]
) -> None:
    search_id = ask(cast, "archive", "jamendo", "nobody")
    catalogues.instead = lambda request: said({}, 503)
    run(handed[:1], catalogues.settings)
    catalogues.instead = None
    run(handed[1:], replace(catalogues.settings, providers_off=("archive",)))
    answers = searching.look(cast.cleo.user_id, search_id, cast.seen()).answers
    assert [each.state for each in answers] == ["failed", "ready", "failed"]
    assert answers[0].failure == "The Internet Archive is too busy just now. Try again in a moment."
    assert answers[2].failure == "Where that comes from is switched off here."


def test_a_second_time_asks_nobody(cast: Cast, catalogues: Catalogues, handed: list[int]) -> None:
    ask(cast, "archive")
    run(handed, catalogues.settings)
    before = every_row()
    run([*handed, 10_000], catalogues.settings)
    assert (len(catalogues.asked), every_row()) == (1, before)


def test_hostile_words_are_kept_as_short_plain_text(
    cast: Cast, catalogues: Catalogues, handed: list[int]
) -> None:
    catalogues.docs = [doc(1, title=HOSTILE, creator=HOSTILE)]
    ask(cast, "archive")
    run(handed, catalogues.settings)
    [row] = SearchAnswer.get().results
    assert len(row["title"]) <= 200 and not set("\u202e\u0000\n") & set(row["title"] + row["artist"])
    assert "cover_url" not in row and row["cover"] == "", (
        "pictures of others are not loaded by people's browsers"
    )


def test_a_picture_is_kept_in_the_row_and_its_address_is_not(
    cast: Cast, catalogues: Catalogues, handed: list[int]
) -> None:
    made = io.BytesIO()
    Image.new("RGB", (50, 50), "#2667ff").save(made, "PNG")
    catalogues.server.expect_request("/services/img/item-1").respond_with_data(
        made.getvalue(), content_type="image/png"
    )
    search_id = ask(cast, "archive")
    run(handed, catalogues.settings)
    [answer] = searching.look(cast.cleo.user_id, search_id, cast.seen()).answers
    assert [row.cover[:23] for row in answer.rows] == ["", "data:image/webp;base64,", ""]
    assert "services/img" not in str(SearchAnswer.get().results)


def test_the_worker_knows_the_task_by_its_name() -> None:
    assert tasks.CARRIERS["ask_source"] is tasks.searching.ask_source


def test_the_sweep_gives_up_on_what_was_lost(cast: Cast, time, handed: list[int]) -> None:
    search_id = ask(cast, "archive")
    time.move(61)
    tasks.keeping.sweep.call_local()
    [answer] = searching.look(cast.cleo.user_id, search_id, cast.seen()).answers
    assert (answer.state, answer.failure) == ("failed", searching.NOTHING_SAID)
