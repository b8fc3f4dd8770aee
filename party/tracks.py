"""Tracks as screens see them: their addresses, which nobody can guess, and how loud they are played."""

from __future__ import annotations

import hmac
from typing import Any

from models import Track
from party import reads, sealing
from party.views import TrackView

PROXIED = ("subsonic", "jellyfin")
"""Providers whose media comes by way of us, since only we have the key to it."""
TARGET_LUFS = -18.0
"""How loud everything is played: the reference of ReplayGain 2.0, low enough that most music is only turned down."""
LEAST_LIFT_DB, MOST_LIFT_DB = 1.0, 12.0
"""Less is not heard; more would raise the hiss, and a limiter would be heard."""
VIEWS_KEPT = 20_000

_NAMES = tuple(column.name for column in reads.TRACK_COLUMNS)
_AS_THEY_ARE = (
    "id", "title", "artist", "album", "genre", "duration_ms", "hue", "provider", "reference", "player", "state",
    "failure", "mime",
)  # fmt: skip
_views: dict[tuple[Any, ...], TrackView] = {}
"""Views already made: a library is small, a line is read for every change."""


def view(*columns: Any) -> TrackView:
    """A track from its reads.TRACK_COLUMNS."""
    known = _views.get(columns)
    if known is None:
        if len(_views) > VIEWS_KEPT:
            _views.clear()
        known = _views[columns] = _made(dict(zip(_NAMES, columns, strict=True)))
    return known


def view_of(track: Track) -> TrackView:
    """A track from its row."""
    return view(*(getattr(track, name) for name in _NAMES))


def gain(loudness_lufs: float | None) -> float:
    """The volume, 0 to 1, that brings a track down to TARGET_LUFS; what is quieter, or not measured, stays."""
    if loudness_lufs is None:
        return 1.0
    return float(round(min(1.0, 10 ** ((TARGET_LUFS - loudness_lufs) / 20)), 3))


def lift(loudness_lufs: float) -> float:
    """How many dB a quiet track's rendition is raised: up to TARGET_LUFS, within bounds. Volume alone cannot."""
    wanted = TARGET_LUFS - loudness_lufs
    return round(min(MOST_LIFT_DB, wanted), 2) if wanted > LEAST_LIFT_DB else 0.0


def mark(*facts: object) -> str:
    """What makes an address of media its own, and not to be guessed: browsers keep it a year and send no cookie.

    So it outlives a kick or a ban, by choice: whoever was given one may go on using it, as they may keep the file.
    The facts are a track's id, files and time, or a subtitle's; a cover's are told apart, since covers are shown to
    people who have not come in yet, and lead to no file.
    """
    return sealing.mark(" ".join(str(fact) for fact in facts), "media")


def is_marked(marked: str, *facts: object) -> bool:
    """True when an address carries the mark that belongs to these facts."""
    return hmac.compare_digest(marked.encode(), mark(*facts).encode())


def _made(facts: dict[str, Any]) -> TrackView:
    track_id, loudness = facts["id"], facts["loudness_lufs"]
    marked = (track_id, facts["media_file"], facts["cover_file"], facts["added_at"])
    address = f"/media/{track_id}/{mark(*marked)}"
    if facts["media_file"] or facts["provider"] in PROXIED:
        media_url = f"{address}/file"
    else:
        media_url = facts["reference"] if facts["player"] in ("file", "hls") else ""
    return TrackView(
        **{name: facts[name] for name in _AS_THEY_ARE},
        media_url=media_url,
        cover_url=f"/media/{track_id}/{mark(*marked, 'cover')}/cover",
        is_video=bool(facts["is_video"]),
        opus_url=f"{address}/opus" if facts["opus_file"] else "",
        gain=gain(loudness),
        opus_gain=gain(None if loudness is None else loudness + facts["opus_gain_db"]),
        is_lifted=bool(facts["opus_file"]) and facts["opus_gain_db"] > 0,
    )
