"""The picture beside a link: its size, what it holds, and texts that do not fit or cannot be drawn."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from media import cards
from media.cards import Words
from media.covers import draw_cover, hue_of

PLAIN = Words("Friday", "Ada", "Song 1", "Artist 1", 12, "210", None)


def pixels(words: Words) -> Image.Image:
    return Image.open(io.BytesIO(cards.draw(words))).convert("RGB")


@pytest.fixture
def cover(tmp_path: Path) -> Path:
    path = tmp_path / "cover.webp"
    draw_cover("a seed", path)
    return path


def test_the_picture_has_the_size_places_ask_for_and_stays_small(cover: Path) -> None:
    data = cards.draw(replace(PLAIN, cover=cover))
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(data) < 1_000_000


def test_the_ground_is_in_the_covers_hue(tmp_path: Path) -> None:
    for hue in ("0", "90", "210", "345"):
        path = tmp_path / f"{hue}.png"
        pixels(replace(PLAIN, hue=hue)).save(path)
        assert abs((int(hue_of(path)) - int(hue) + 180) % 360 - 180) <= 15
    red, green, blue = pixels(replace(PLAIN, hue="none")).getpixel((5, 5))
    assert red == green == blue


def test_the_same_words_make_the_same_picture_and_others_another(cover: Path) -> None:
    one = cards.draw(PLAIN)
    assert one == cards.draw(PLAIN)
    for other in (
        {"room": "Monday"},
        {"title": "Song 2"},
        {"artist": "Nobody"},
        {"people": 13},
        {"cover": cover},
    ):
        assert cards.draw(replace(PLAIN, **other)) != one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "真夜中シティポップ",
        "x" * 300,
        "word " * 100,
        "Žižkov – “fête”",
        "\x00\n\t",
        "🎉",
        "e\u0301" * 40,
        "\u202eabc",
    ],
)
def test_any_text_makes_a_picture_that_stays_inside_its_margin(text: str) -> None:
    picture = pixels(replace(PLAIN, room=text, title=text, artist=text))
    right = picture.crop((cards.WIDTH - cards.MARGIN + 4, 0, cards.WIDTH, cards.HEIGHT))
    assert len(right.getcolors() or ()) == 1


def test_a_name_in_another_script_gives_way_to_plain_words() -> None:
    assert cards.draw(replace(PLAIN, room="真夜中")) == cards.draw(replace(PLAIN, room="A room on Partyline"))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50])
def test_a_cover_that_is_none_is_left_out(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "cover.webp"
    broken.write_bytes(content)
    assert cards.draw(replace(PLAIN, cover=broken)) == cards.draw(PLAIN)
    assert cards.draw(replace(PLAIN, cover=tmp_path / "missing")) == cards.draw(PLAIN)


def test_drawing_happens_where_the_process_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(cards, "run", lambda act: asked.append(act) or b"drawn elsewhere")
    assert cards.draw(PLAIN) == b"drawn elsewhere" and len(asked) == 1
