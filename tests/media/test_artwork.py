"""Covers: any picture becomes three squares of our own, and without a good one something is drawn."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from media import artwork
from media.artwork import keep_cover, read_square
from tests.media import making

SIZES = (640, 320, 96)


class Folder:
    """A store that is a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "covers").mkdir()

    def put(self, path: Path, name: str) -> None:
        shutil.copy(path, self.path / name)

    def images(self, key: str) -> list[Image.Image]:
        return [Image.open(self.path / f"covers/{key}-{size}.webp") for size in SIZES]


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def halves(form: str, size: tuple[int, int]) -> bytes:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, "#ff0000")
    picture.paste("#0000ff", (size[0] // 2, 0, *size))
    file = io.BytesIO()
    picture.save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_kept_as_three_squares(form: str, store: Folder) -> None:
    cover = keep_cover(making.image(form, (1_400, 1_000)), "seed", "a1", store)
    assert cover.file == "covers/a1-640.webp"
    assert 0 <= int(cover.hue) < 360
    assert [(each.format, each.size) for each in store.images("a1")] == [
        ("WEBP", (size, size)) for size in SIZES
    ]


def test_the_middle_is_kept(store: Folder) -> None:
    keep_cover(halves("PNG", (1_200, 400)), "seed", "a1", store)
    left, right = (store.images("a1")[0].convert("RGB").getpixel(place) for place in ((40, 200), (360, 200)))
    assert left[0] > 200 > 60 > left[2] and right[2] > 200 > 60 > right[0]


def test_a_small_picture_is_not_blown_up(store: Folder) -> None:
    keep_cover(making.image("PNG", (200, 150)), "seed", "a1", store)
    assert [each.width for each in store.images("a1")] == [150, 150, 96]


def test_a_turned_picture_stands_upright(store: Folder) -> None:
    turn = Image.Exif()
    turn[0x0112] = 3
    file = io.BytesIO()
    Image.open(io.BytesIO(halves("PNG", (400, 400)))).save(file, "JPEG", exif=turn)
    keep_cover(file.getvalue(), "seed", "a1", store)
    assert store.images("a1")[0].convert("RGB").getpixel((40, 200))[2] > 200


def test_what_is_clear_is_white_and_nothing_else_comes_along(store: Folder) -> None:
    file = io.BytesIO()
    notes = Image.Exif()
    notes[0x010E] = "where I live"
    Image.new("RGBA", (100, 100), (10, 10, 10, 0)).save(file, "PNG", exif=notes)
    assert keep_cover(file.getvalue(), "seed", "a1", store).hue == "none"
    kept = store.images("a1")[0]
    assert kept.convert("RGB").getpixel((50, 50)) == (255, 255, 255)
    assert not kept.getexif() and b"where" not in (store.path / "covers/a1-640.webp").read_bytes()


@pytest.mark.parametrize(
    "picture",
    [
        None,
        b"",
        b"<svg/>",
        making.image("JPEG")[:400],
        making.image("TIFF"),
        making.image("BMP"),
        making.png(50_000, 50_000),
        making.webp_claim(16_383, 16_383),
        making.gif_claim(65_535, 65_535),
    ],
    ids=["none", "empty", "svg", "half", "tiff", "bmp", "png bomb", "webp bomb", "gif bomb"],
)
def test_without_a_good_picture_the_same_art_is_drawn_for_the_same_seed(
    picture: bytes | None, store: Folder
) -> None:
    first = keep_cover(picture, "a song", "a1", store)
    again = keep_cover(None, "a song", "b2", store)
    assert [each.width for each in store.images("a1")] == [640, 320, 96]
    assert store.images("a1")[0].tobytes() == store.images("b2")[0].tobytes()
    assert (first.hue, first.file) == (again.hue, "covers/a1-640.webp")


def test_a_picture_may_be_only_so_large(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = making.image("PNG", (300, 200))
    monkeypatch.setattr(artwork, "MOST_PIXELS", 60_000)
    assert read_square(picture) is not None
    monkeypatch.setattr(artwork, "MOST_PIXELS", 59_999)
    assert read_square(picture) is None
    monkeypatch.setattr(artwork, "MOST_PIXELS", 60_000)
    monkeypatch.setattr(artwork, "MOST_BYTES", len(picture) - 1)
    assert read_square(picture) is None
