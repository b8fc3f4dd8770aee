"""Names people give themselves: how they are kept, and when two of them look alike."""

from __future__ import annotations

import functools
import unicodedata

from party.errors import Invalid

NAME_SHORTEST, NAME_LONGEST = 3, 50
MARKS_MOST = 3
"""More combining marks than this on one letter are a flood, not a language."""

LOOKS_LIKE = {
    **dict(zip("аеорсухіјѕһԁɡԛѡьӏ", "aeopcyxijshdgqwbl", strict=True)),
    **dict(zip("αονρτυικχγηωβε", "aovptuikxynwbe", strict=True)),
    **dict(zip("вкмнтзгп", "bkmht3rn", strict=True)),
    # Small capitals, Lisu, Cherokee and Armenian, by which whole Latin names can be written.
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghljklmnoprstuvwyz", strict=True)),
    **dict(zip("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghljklmnoprstuvwxyz", strict=True)),
    **dict(zip("ᎪᏴᏟᎠᎬᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ", "abcdehljklmprstvwyz", strict=True)),
    **dict(zip("օոսհցզ", "onuhgq", strict=True)),
    **{"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "$": "s", "@": "a"},
    **{"ı": "l", "ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ŋ": "n", "ʼ": "'", "’": "'"},
}
"""Letters of other scripts, and digits, that pass for a Latin one. After Unicode's confusables (UTS 39), the part that
people type."""

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and signs that show nothing at all, though Unicode does not count them among the format characters."""


def clean_name(text: str) -> str:
    """A display name as kept: 3 to 50 columns wide (a Chinese or Japanese sign is two). Raises Invalid."""
    name = one_line(text)
    if not name:
        raise Invalid("Please tell us a name, so that the others know who you are.")
    if _width(name) < NAME_SHORTEST:
        raise Invalid(f"That name is a little short. {NAME_SHORTEST} letters at least.")
    if len(name) > NAME_LONGEST:
        raise Invalid(f"That name is too long. Up to {NAME_LONGEST} letters fit.")
    if not any(ch.isalnum() for ch in name):
        raise Invalid("A name needs a letter or a number in it.")
    return name


def clean_title(text: str, thing: str, longest: int) -> str:
    """What somebody calls a thing of theirs ("room"), as kept. Raises Invalid."""
    name = one_line(text)
    if not name:
        raise Invalid(f"Give the {thing} a name first.")
    if len(name) > longest:
        raise Invalid(f"That name is too long. Up to {longest} letters fit.")
    return name


def one_line(text: str) -> str:
    """What somebody typed, on one line with single spaces, in NFC, without signs that nobody sees or heaps of marks."""
    kinds = ((ch, unicodedata.category(ch)) for ch in text)
    # What is invisible goes first, or it would hold apart what NFC joins and hide spaces from the split.
    seen = "".join(
        " " if kind == "Cc" else ch
        for ch, kind in kinds
        if kind not in ("Cf", "Cs", "Co", "Cn") and ch not in INVISIBLE
    )
    return " ".join(_with_few_marks(unicodedata.normalize("NFC", seen)).split())


@functools.lru_cache(maxsize=20_000)
def skeleton(name: str) -> str:
    """What a name looks like from across the room; two names with one skeleton could be taken for each other."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = (LOOKS_LIKE.get(ch, ch) for ch in plain if not unicodedata.combining(ch))
    looks = "".join(ch for ch in "".join(letters).replace("rn", "m").replace("vv", "w") if ch.isalnum())
    return looks or plain


def _with_few_marks(text: str) -> str:
    # A mark without a letter before it would sit on whatever the page shows there.
    kept: list[str] = []
    marks, has_letter = 0, False
    for ch in text:
        is_mark = unicodedata.category(ch) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        has_letter = has_letter if is_mark else not ch.isspace()
        if not is_mark or (has_letter and marks <= MARKS_MOST):
            kept.append(ch)
    return "".join(kept)


def _width(name: str) -> int:
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in name if not _rides_along(ch))


def _rides_along(ch: str) -> bool:
    # An accent takes no place of its own; the vowels of Thai and its neighbours are letters to their readers.
    is_selector = "\ufe00" <= ch <= "\ufe0f"
    return unicodedata.combining(ch) != 0 or unicodedata.category(ch) == "Me" or is_selector
