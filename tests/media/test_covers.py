"""Generated covers are small, repeatable and flat; hues agree with the look's own pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from media.covers import draw_cover, hue_of
from media.designs import DESIGNS, PALETTES


@pytest.mark.parametrize(
    ("look", "hue"),
    [
        ("arcs-pink", "345"),
        ("waves-sea", "210"),
        ("moon-night", "270"),
        ("target-ochre", "75"),
        ("hills-lilac", "300"),
        ("petals-teal", "180"),
        ("petals-iris", "285"),
        ("stripes-mono", "none"),
    ],
)
def test_the_looks_own_covers_have_the_looks_own_hues(tmp_path: Path, look: str, hue: str):
    draw_cover("any", tmp_path / "cover.webp", look)
    assert hue_of(tmp_path / "cover.webp") == hue


@pytest.mark.parametrize(
    ("color", "hue"), [("#ff0000", "30"), ("#00c000", "135"), ("#2040ff", "255"), ("#808080", "none")]
)
def test_a_plain_colour_has_its_own_hue(tmp_path: Path, color: str, hue: str):
    Image.new("RGB", (50, 50), color).save(tmp_path / "plain.png")
    assert hue_of(tmp_path / "plain.png") == hue


def test_what_is_no_picture_has_no_hue(tmp_path: Path):
    (tmp_path / "broken.webp").write_bytes(b"RIFF not a picture at all")
    assert hue_of(tmp_path / "broken.webp") == "none"
    assert hue_of(tmp_path / "missing.webp") == "none"


def test_a_cover_is_square_small_and_the_same_each_time(tmp_path: Path):
    for seed in ("one", "two", "夜のバス停", ""):
        first, second = tmp_path / "first.webp", tmp_path / "second.webp"
        draw_cover(seed, first)
        draw_cover(seed, second)
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_size < 40_000
        with Image.open(first) as picture:
            assert picture.size == (640, 640)
    assert not list(tmp_path.glob(".*"))


def test_different_seeds_give_different_covers(tmp_path: Path):
    made = set()
    for number in range(30):
        draw_cover(f"track {number}", tmp_path / "cover.webp")
        made.add((tmp_path / "cover.webp").read_bytes())
    assert len(made) >= 28


def test_every_design_shows_three_colours_or_more(tmp_path: Path):
    for number, (design, palette) in enumerate(
        zip(DESIGNS, [name for name in PALETTES if name != "mono"], strict=False)
    ):
        draw_cover(str(number), tmp_path / "cover.webp", f"{design}-{palette}")
        with Image.open(tmp_path / "cover.webp") as picture:
            counts = picture.convert("RGB").getcolors(100_000)
        assert sum(count > 640 * 3 for count, _ in counts) >= 3, design
