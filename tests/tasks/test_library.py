"""Making the demo library: progress that is seen, and going on after a fall. The renderer is a stub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models import Track
from party import library as shelf
from tasks import library

RENDERER = """
import json, sys
from pathlib import Path

folder, part, of, known = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), set(sys.argv[4:])
assert (folder / "audio").is_dir() and (folder / "covers").is_dir()
orders = json.loads(Path(__file__).with_name("orders.json").read_text())
with Path(__file__).with_name(f"seen-{part}.txt").open("a") as seen:
    seen.write(json.dumps(sorted(known)) + "\\n")
slugs = [f"piece-{number}" for number in range(orders["total"])]
missing = [slug for slug in slugs if slug not in known]
print(json.dumps({"total": len(slugs), "missing": len(missing)}), flush=True)
for number, slug in enumerate(missing[part::of]):
    if number == orders.get("falls_after"):
        sys.exit(3)
    if number == orders.get("babbles_after"):
        print("not json", flush=True)
    print(json.dumps({"slug": slug, "title": slug, "artist": "Band", "album": "", "genre": "dub",
        "duration_ms": 60000, "media_file": f"audio/{slug}.mp3", "cover_file": f"covers/{slug}.webp",
        "hue": "30"}), flush=True)
"""


class Workshop:
    """A folder with a renderer that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "demo"
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()
        (self.folder / "__main__.py").write_text(RENDERER)
        self.reports: list[tuple[int, int]] = []

    def order(self, **orders: int) -> None:
        (self.folder / "orders.json").write_text(json.dumps(orders))

    def known(self, part: int) -> list[list[str]]:
        """What each run of a renderer was told to leave out."""
        return [json.loads(line) for line in (self.folder / f"seen-{part}.txt").read_text().splitlines()]


@pytest.fixture
def workshop(database: Path, time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(tmp_path)
    monkeypatch.setattr(library, "ROOT", tmp_path)
    report = shelf.report_demo

    def noted(done: int, total: int) -> None:
        made.reports.append((done, total))
        report(done, total)

    monkeypatch.setattr(shelf, "report_demo", noted)
    return made


def test_every_piece_comes_into_the_library_and_progress_only_grows(workshop: Workshop) -> None:
    workshop.order(total=5)
    library.make_demo_library.call_local()
    assert {track.slug for track in Track.select()} == {f"demo-piece-{number}" for number in range(5)}
    done = [each for each, _ in workshop.reports]
    assert done == sorted(done)
    assert (workshop.reports[0], workshop.reports[-1]) == ((0, 5), (5, 5))
    assert shelf.making() is None


def test_a_piece_can_be_found_as_soon_as_it_is_ready(workshop: Workshop) -> None:
    workshop.order(total=6, falls_after=1)
    with pytest.raises(RuntimeError, match="code 3"):
        library.make_demo_library.call_local()
    view = shelf.browse("", "", "title", 1, None)
    assert [row.track.title for row in view.rows] == ["piece-0", "piece-1"]
    assert view.making == (2, 6)


def test_the_next_start_makes_only_what_is_missing(workshop: Workshop) -> None:
    workshop.order(total=6, falls_after=1)
    with pytest.raises(RuntimeError):
        library.make_demo_library.call_local()
    workshop.reports.clear()
    workshop.order(total=6)
    library.make_demo_library.call_local()
    assert workshop.known(0) == workshop.known(1) == [[], ["piece-0", "piece-1"]]
    assert (workshop.reports[0], workshop.reports[-1]) == ((2, 6), (6, 6))
    assert Track.select().count() == 6


def test_a_whole_library_is_left_as_it_is(workshop: Workshop) -> None:
    workshop.order(total=3)
    library.make_demo_library.call_local()
    before = list(Track.select().order_by(Track.id).tuples())
    workshop.reports.clear()
    library.make_demo_library.call_local()
    assert list(Track.select().order_by(Track.id).tuples()) == before
    assert set(workshop.reports) == {(3, 3)}
    assert shelf.making() is None


def test_other_tracks_are_nobodys_business(workshop: Workshop) -> None:
    shelf.add_track(
        slug="mine",
        title="Mine",
        artist="Me",
        album="",
        genre="",
        duration_ms=1_000,
        media_file="a.mp3",
        cover_file="a.webp",
        hue="none",
    )
    workshop.order(total=1)
    library.make_demo_library.call_local()
    assert workshop.known(0) == [[]]
    assert shelf.known_slugs() == {"mine", "demo-piece-0"}


def test_a_renderer_that_babbles_is_stopped_and_what_was_made_is_kept(workshop: Workshop) -> None:
    workshop.order(total=4, babbles_after=1)
    with pytest.raises(ValueError):
        library.make_demo_library.call_local()
    assert Track.select().count() >= 1


def test_without_the_wish_for_a_demo_nothing_is_made(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(library, "make_demo_library", lambda: asked.append(1))
    library.start_demo()
    assert asked == []
