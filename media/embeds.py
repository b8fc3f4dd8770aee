"""Players of other sites that EMBED_PROVIDERS names: movies and series by their id, each address built here alone.

A `reference` is NAME:movie:ID or NAME:tv:ID:SEASON:EPISODE. Their players obey nobody: people press play together.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from config import Settings
from media import pasted
from media.provider import Facts, Provider, Reference, Trouble

NAME = "embed"
KINDS = ("movie", "tv")
HIGHEST_NUMBER = 9_999
LONGEST_SECONDS = 1_000_000

COLORS = (
    "f982aa", "fe838f", "fe8674", "fa8c58", "f2943c", "e49e22", "d3a813", "bdb224", "a2bb40", "83c35d", "5dc879",
    "26cb96", "00ccb2", "00cacb", "00c6e2", "00c0f5", "3db9ff", "68b0ff", "89a7ff", "a59eff", "bd96fe", "d18fef",
    "e289db", "f084c4",
)  # fmt: skip
"""A cover's hue in steps of 15 degrees as their players take it: OKLCH with lightness 0.75 and chroma 0.15, in sRGB."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COLOR = re.compile(r"[0-9A-Fa-f]{3}(?:[0-9A-Fa-f]{3}(?:[0-9A-Fa-f]{2})?)?")


def build(
    settings: Settings,
    provider: str,
    kind: str,
    id: str,
    season: int | None = None,
    episode: int | None = None,
    *,
    color: str | None = None,
    auto_play: bool | None = None,
    next_episode: bool | None = None,
    episode_selector: bool | None = None,
    progress_seconds: int | None = None,
) -> str:
    """The one address of a movie or an episode at that provider; what is None is left to its player. Raises Trouble."""
    if provider not in settings.embed_providers:
        raise Trouble("Where that comes from is not set up here.")
    if kind not in KINDS:
        raise Trouble("That is neither a movie nor a series.")
    if not _ID.fullmatch(id):
        raise Trouble("A movie or series is named by 1 to 64 letters and digits.")
    if kind == "movie" and (season is not None or episode is not None):
        raise Trouble("A movie has no seasons.")
    if kind == "tv" and not (
        _is_number(season, 1, HIGHEST_NUMBER) and _is_number(episode, 1, HIGHEST_NUMBER)
    ):
        raise Trouble("A series needs its season and episode, from 1 to 9999.")
    if color is not None and not _COLOR.fullmatch(color):
        raise Trouble("A colour has 3, 6 or 8 hex digits, without the #.")
    if progress_seconds is not None and not _is_number(progress_seconds, 0, LONGEST_SECONDS):
        raise Trouble("Where to begin is said in whole seconds.")
    switches = {"autoPlay": auto_play, "nextEpisode": next_episode, "episodeSelector": episode_selector}
    if any(value is not None and not isinstance(value, bool) for value in switches.values()):
        raise Trouble("Those choices are on or off.")
    words = {name: str(value).lower() for name, value in switches.items() if value is not None}
    query = {
        **({"color": color} if color is not None else {}),
        **words,
        **({"progress": str(progress_seconds)} if progress_seconds is not None else {}),
    }
    template = settings.embed_providers[provider][KINDS.index(kind)]
    # No str.format: it would also follow attributes that a template names.
    for name, value in (("id", id), ("season", season), ("episode", episode)):
        template = template.replace(f"{{{name}}}", str(value))
    return f"{template}?{urlencode(query)}" if query else template


def link(settings: Settings, reference: str) -> str:
    """The plain address, as `recognise` reads it again. Raises Trouble."""
    return build(settings, *_parts(reference))


def build_for(settings: Settings, reference: str, *, hue: str, progress_seconds: int) -> str:
    """The address for a room: where it stands now, in the colour of the cover. Raises Trouble."""
    provider, kind, id, season, episode = _parts(reference)
    color = COLORS[int(hue) // 15 % len(COLORS)] if hue.isdigit() else None
    return build(
        settings, provider, kind, id, season, episode, color=color, auto_play=False, next_episode=False,
        episode_selector=False, progress_seconds=progress_seconds,
    )  # fmt: skip


def recognise(text: str, settings: Settings) -> Reference | None:
    """NAME:movie:ID, NAME:tv:ID:SEASON:EPISODE, or an address that one of the templates makes."""
    typed = text.strip()
    name, colon, rest = typed.partition(":")
    if colon and name in settings.embed_providers and not rest.startswith("//"):
        return _reference(typed, settings)
    address = pasted.address(typed)
    for known, templates in settings.embed_providers.items() if address else ():
        for kind, template in zip(KINDS, templates, strict=True):
            found = _pattern(template).fullmatch("/".join((address.host, *address.parts)) if address else "")
            if found:
                numbers = [found[each] for each in ("season", "episode") if kind == "tv"]
                return _reference(":".join((known, kind, found["id"], *numbers)), settings)
    return None


def fetch(reference: Reference, settings: Settings) -> Facts:
    """Nothing can be asked of them; what is not set up any more is refused."""
    link(settings, reference.reference)
    return Facts(title=reference.title, is_video=True)


def sources(settings: Settings) -> tuple[str, ...]:
    """What the page's policy has to allow: our own address that leads there, and where it leads."""
    made = (urlsplit(template) for pair in settings.embed_providers.values() for template in pair)
    return ("'self'", *dict.fromkeys(f"{parts.scheme}://{parts.netloc.lower()}" for parts in made))


def _reference(typed: str, settings: Settings) -> Reference:
    provider, kind, id, season, episode = _parts(typed)
    build(settings, provider, kind, id, season, episode)
    numbers = () if kind == "movie" else (str(season), str(episode))
    title = f"Movie {id}" if kind == "movie" else f"Series {id}, season {season}, episode {episode}"
    return Reference(
        NAME,
        "-".join((provider, kind, id, *numbers)),
        ":".join((provider, kind, id, *numbers)),
        "embed",
        title,
        is_video=True,
        content=":".join((kind, id, *numbers)),
    )


def _parts(reference: str) -> tuple[str, str, str, int | None, int | None]:
    words = reference.split(":")
    if len(words) not in (3, 5):
        raise Trouble("That is like NAME:movie:603, or NAME:tv:1399:1:2 with season and episode.")
    numbers = [int(word) if re.fullmatch(r"[0-9]{1,4}", word) else 0 for word in words[3:]]
    season, episode = numbers or (None, None)
    return words[0], words[1], words[2], season, episode


def _pattern(template: str) -> re.Pattern[str]:
    parts = urlsplit(template)
    path = "/".join((parts.netloc.lower(), *(part for part in parts.path.split("/") if part)))
    pattern = re.escape(path).replace(r"\{id\}", r"(?P<id>[A-Za-z0-9_-]{1,64})")
    return re.compile(re.sub(r"\\\{(season|episode)\\\}", r"(?P<\1>[0-9]{1,4})", pattern))


def _is_number(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


PROVIDER = Provider(
    name=NAME,
    title="Players of other sites",
    recognise=recognise,
    fetch=fetch,
    controls=frozenset(),
    frames=sources,
    is_set_up=lambda settings: bool(settings.embed_providers),
    needs="EMBED_PROVIDERS",
    tries=("NAME:movie:603", "NAME:tv:1399:1:2"),
)
