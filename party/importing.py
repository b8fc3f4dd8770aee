"""Lines of a playlist file become a playlist: each with the track it surely means, the others as the words they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from models import Playlist, Track, rows
from party import matching, playlists, reads, tracks
from party.change import Person
from party.library import fold
from party.playlists import Line, clean_name, cleaned, keep_lines, need_account, refuse_too_long, usable
from party.views import TrackView

SHELF_MOST = 50_000
OFFERS_AT_ONCE = 50
OURS = re.compile(r"/media/(\d{1,9})/([A-Za-z0-9_-]{20})/")
"""Addresses of our own media, by their marks."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A line of words, and the tracks it may mean, the likeliest first."""

    entry_id: int
    title: str
    artist: str
    link: str
    tracks: tuple[tuple[TrackView, int], ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """A page of lines that still wait for their track. `left` counts all of them."""

    rows: tuple[Offer, ...]
    left: int


def import_lines(
    actor: Person, name: str, lines: Sequence[Line], slugs: Mapping[str, str] | None = None
) -> tuple[int, int]:
    """A new playlist from a file. `slugs` says which links are known tracks' (provider-key), by link.

    Returns its id and how many lines found their track. What was not found stays as words, and with its link.
    """
    need_account(actor)
    name, lines = clean_name(name), [cleaned(line) for line in lines]
    refuse_too_long(len(lines))
    known = shelf_of(actor.user_id)
    by_link = _by_reference(lines, actor.user_id) | _by_address(lines) | _by_slug(slugs or {})
    mine = {track.track_id for track in known.tracks}
    wanted = [matching.Wanted(line.title, line.artist, line.duration_ms) for line in lines]
    found = []
    rated = matching.run(lambda: matching.rated(wanted, known))
    for line, match in zip(lines, rated, strict=True):
        track_id = by_link.get(line.link)
        if track_id is None and (not line.link or not slugs or line.link not in slugs):
            # What has a link of its own means that, and not a track that is called alike.
            track_id = match.track_id if match else None
        found.append(replace(line, track_id=track_id if track_id in mine else None))
    return keep_lines(actor, name, found), sum(line.track_id is not None for line in found)


def offers(actor: Person, playlist_id: int) -> Offers:
    """The lines of a playlist that have no track yet, with what they may mean. Raises NotFound."""
    playlist: Playlist = playlists.own(actor, playlist_id)
    without = [entry for entry in playlists.entries_of(playlist.id) if entry.track_id is None]
    shown, known = without[:OFFERS_AT_ONCE], shelf_of(actor.user_id) if without else None
    best = {}
    for entry in shown if known else ():
        best[entry.id] = known.best(matching.Wanted(entry.title, entry.artist, entry.duration_ms))  # type: ignore[union-attr]
    views = track_views(match.track_id for matches in best.values() for match in matches)
    return Offers(
        tuple(
            Offer(
                entry.id,
                entry.title,
                entry.artist,
                entry.link,
                tuple(
                    (views[match.track_id], match.score)
                    for match in best[entry.id]
                    if match.track_id in views
                ),
            )
            for entry in shown
        ),
        len(without),
    )


def search(actor: Person, words: str, most: int = 8) -> list[TrackView]:
    """Tracks that this person may use and that hold all of the words."""
    query = Track.select(*reads.TRACK_COLUMNS).where(usable(actor.user_id), Track.state != "failed")
    folded = fold(words[:200]).split()[:12]
    for word in folded:
        query = query.where(Track.search.contains(word))
    found = (
        rows(
            query.order_by(Track.search.startswith(" ".join(folded)).desc(), Track.search, Track.id).limit(
                most
            )
        )
        if folded
        else []
    )
    return [tracks.view(*row) for row in found]


def shelf_of(user_id: int) -> matching.Shelf:
    """Every track this person may use, ready for matching."""
    query = Track.select(Track.id, Track.title, Track.artist, Track.duration_ms)
    found = query.where(usable(user_id), Track.state != "failed").order_by(Track.id).limit(SHELF_MOST)
    return matching.Shelf(matching.Known(*row) for row in rows(found))


def track_views(track_ids: Iterable[int | None]) -> dict[int, TrackView]:
    """Tracks as screens see them, by their ids."""
    wanted = sorted({track_id for track_id in track_ids if track_id})
    found: dict[int, TrackView] = {}
    for start in range(0, len(wanted), 500):
        query = Track.select(*reads.TRACK_COLUMNS).where(Track.id.in_(wanted[start : start + 500]))
        found |= {row[0]: tracks.view(*row) for row in rows(query)}
    return found


def _by_address(lines: Iterable[Line]) -> dict[str, int]:
    """Tracks by addresses of our own, whose marks nobody can guess."""
    found: dict[str, int] = {}
    for link in {line.link for line in lines}:
        ours = OURS.search(link)
        track = Track.get_or_none(Track.id == int(ours[1])) if ours else None
        if ours and track:
            facts = track.id, track.media_file, track.cover_file, track.added_at
            if tracks.is_marked(ours[2], *facts):
                found[link] = track.id
    return found


def _by_reference(lines: Iterable[Line], user_id: int) -> dict[str, int]:
    """Tracks of this person's by the address that is played: a catalogue's file says nothing of the catalogue."""
    wanted = sorted({line.link for line in lines if line.link.startswith(("https://", "http://"))})
    found: dict[str, int] = {}
    for start in range(0, len(wanted), 500):
        played = Track.player.in_(("file", "hls")), Track.reference.in_(wanted[start : start + 500])
        query = Track.select(Track.reference, Track.id).where(usable(user_id), *played)
        found |= dict(rows(query.order_by(Track.id.desc())))
    return found


def _by_slug(slugs: Mapping[str, str]) -> dict[str, int]:
    wanted = sorted(set(slugs.values()))
    ids: dict[str, int] = {}
    for start in range(0, len(wanted), 500):
        query = Track.select(Track.slug, Track.id).where(Track.slug.in_(wanted[start : start + 500]))
        ids |= dict(rows(query))
    return {link: ids[slug] for link, slug in slugs.items() if slug in ids}
