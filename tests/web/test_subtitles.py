"""Subtitles by URL: files that are cleaned and kept, refusals that keep nothing, choices that are one's own."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from config import settings
from media import storage, words
from models import Subtitle, SubtitleChoice
from party import queue
from party import subtitles as rules
from party.change import Person
from tests.doors import Browser, make_app
from tests.party.test_subtitles import video
from tests.stage import Cast
from web import subtitles

SRT = b"1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> <script>x</script>\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(subtitles, "settings", replace(settings, data_dir=tmp_path / "house"))
    return tmp_path / "house/media/subtitles"


@pytest.fixture
def app():
    return make_app()


def send(browser: Browser, code: str, item: int, data: bytes | None = SRT, **form: str):
    """Send a file as a form does."""
    fields: dict[str, object] = {"label": "English", "language": "en", **form}
    if data is not None:
        fields["file"] = (io.BytesIO(data), "../../evil.vtt")
    return browser.post(f"/rooms/{code}/queue/{item}/subtitles", **fields)


def kept(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def test_a_file_is_cleaned_and_kept_under_a_name_of_ours(app, cast: Cast, folder: Path) -> None:
    item = video(cast, cast.cleo)
    response = send(Browser(app, cast.cleo, htmx=True), cast.code, item)
    assert response.status_code == 200
    body = response.get_data(as_text=True)
    assert "Subtitles added." in body and 'id="playback"' in body
    [row], [path] = list(Subtitle.select()), kept(folder)
    assert (row.label, row.language, row.file) == ("English", "en", f"subtitles/{path.name}")
    assert path.read_text() == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<i>Hello</i> x\n"


def test_a_file_is_read_in_the_signs_of_its_language(app, cast: Cast, folder: Path) -> None:
    item = video(cast, cast.cleo)
    data = "1\n00:00:01,000 --> 00:00:02,000\nCześć, żółwiu\n".encode("cp1250")
    send(Browser(app, cast.cleo, htmx=True), cast.code, item, data, language="pl")
    [path] = kept(folder)
    assert path.read_text(encoding="utf-8").endswith("\nCześć, żółwiu\n")


def test_a_plain_form_comes_back_to_the_room(app, cast: Cast, folder: Path) -> None:
    item = video(cast, cast.cleo)
    response = send(Browser(app, cast.cleo), cast.code, item)
    assert (response.status_code, response.location.partition("?")[0]) == (303, f"/rooms/{cast.code}")
    assert "Subtitles added." in Browser(app, cast.cleo).get(response.location).get_data(as_text=True)
    made = Subtitle.get()
    response = Browser(app, cast.cleo).post(f"/rooms/{cast.code}/queue/{item}/subtitles/{made.id}/removal")
    assert response.status_code == 303 and not Subtitle.select().exists()


@pytest.mark.parametrize(
    ("who", "data", "status"),
    [
        ("ada", None, 422),
        ("ada", b"", 422),
        ("ada", b"hello", 422),
        ("ada", b"a" * (words.MOST_BYTES + 1), 422),
        ("ada", b"a" * (subtitles.MOST_FORM + 1), 413),
        ("ben", SRT, 200),
        ("dan", SRT, 403),
        ("nobody", SRT, 401),
    ],
)
def test_what_is_refused_keeps_nothing(
    app, cast: Cast, folder: Path, who: str, data: bytes | None, status: int
) -> None:
    item = video(cast, cast.ada)
    person: Person | None = None if who == "nobody" else getattr(cast, who)
    response = send(Browser(app, person, htmx=True), cast.code, item, data)
    assert response.status_code == status
    assert len(kept(folder)) == Subtitle.select().count() == (status == 200)


def test_another_guest_is_refused_before_anything_is_kept(app, cast: Cast, folder: Path) -> None:
    item = video(cast, cast.ada)
    response = send(Browser(app, cast.cleo, htmx=True), cast.code, item)
    assert response.status_code == 403 and kept(folder) == []
    assert "whoever put the video on" in response.get_data(as_text=True)


def test_one_too_many_is_refused_before_anything_is_kept(
    app, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = video(cast, cast.ada)
    monkeypatch.setattr(rules, "MOST", 1)
    ada = Browser(app, cast.ada, htmx=True)
    assert send(ada, cast.code, item).status_code == 200
    monkeypatch.setattr(subtitles, "_keep", lambda *_words: pytest.fail("it was kept"))
    response = send(ada, cast.code, item)
    assert response.status_code == 429 and len(kept(folder)) == Subtitle.select().count() == 1


def test_what_is_refused_only_once_it_is_kept_goes_again(
    app, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was faster: what was free when it was sent is taken, or gone."""
    item, keep, seen = video(cast, cast.ada), subtitles._keep, []
    other = video(cast, cast.ada)

    def meanwhile(data: bytes, name: str, language: str) -> None:
        keep(data, name, language)
        seen.extend(kept(folder))
        queue.remove_item(cast.ada, cast.code, other)

    monkeypatch.setattr(subtitles, "_keep", meanwhile)
    response = send(Browser(app, cast.ada, htmx=True), cast.code, other)
    assert response.status_code == 409 and len(seen) == 1 and kept(folder) == []
    monkeypatch.setattr(subtitles, "_keep", keep)
    assert send(Browser(app, cast.ada, htmx=True), cast.code, item).status_code == 200
    assert len(kept(folder)) == 1


def test_the_same_file_sent_again_is_kept_once(app, cast: Cast, folder: Path) -> None:
    item, ada = video(cast, cast.ada), Browser(app, cast.ada, htmx=True)
    for _ in range(2):
        form = {"label": "English", "file": (io.BytesIO(SRT), "a.srt")}
        address = f"/rooms/{cast.code}/queue/{item}/subtitles"
        assert ada.post(address, {"Idempotency-Key": "k"}, **form).status_code == 200
    assert len(kept(folder)) == Subtitle.select().count() == 1
    assert Subtitle.get().file == f"subtitles/{kept(folder)[0].name}"


def test_f7_where_the_disk_is_full_nothing_is_kept(
    app, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = video(cast, cast.ada)
    usage = type("Usage", (), {"free": storage.RESERVE_BYTES})()
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _path: usage)
    response = send(Browser(app, cast.ada, htmx=True), cast.code, item)
    assert response.status_code == 503 and storage.NO_SPACE in response.get_data(as_text=True)
    assert kept(folder) == [] and not Subtitle.select().exists()


def test_other_forms_stay_small(app, cast: Cast) -> None:
    response = Browser(app, cast.ada).post(f"/rooms/{cast.code}/subtitles/choice", item="1", x="a" * 70_000)
    assert response.status_code == 413


def test_a_choice_is_kept_and_read_again(app, cast: Cast, folder: Path) -> None:
    item = video(cast, cast.cleo)
    send(Browser(app, cast.cleo, htmx=True), cast.code, item)
    ben, made = Browser(app, cast.ben, htmx=True), Subtitle.get()
    address = f"/rooms/{cast.code}/subtitles/choice"
    assert ben.get(address, item=item).get_json() == {"is_chosen": False, "subtitle": None}
    assert ben.post(address, item=str(item), subtitle=str(made.id)).status_code == 200
    answer = ben.get(address, item=item)
    assert answer.get_json() == {"is_chosen": True, "subtitle": made.id}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ben.post(address, item=str(item), subtitle="").status_code == 200
    assert ben.get(address, item=item).get_json() == {"is_chosen": True, "subtitle": None}
    assert ben.post(address, item=str(item), subtitle="99999").status_code == 404
    assert ben.post(address, item="x").status_code == 422
    assert SubtitleChoice.select().count() == 1
