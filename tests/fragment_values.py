"""Everything any fragment may ask for, so that each can be rendered alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from party import chat_log, library, snapshot
from party.chat_log import ReplyView, SaidView, SignView
from party.chat_text import segments
from party.discovery import FoundRooms, RoomCard
from party.invites import InviteView
from party.knocks import Waiting
from party.moderation import BanView
from party.playlist_views import EntryView, PlaylistCard, PlaylistView, Sheet
from party.presence import StepView
from party.searching import AnswerView, FoundRow
from party.source_shelf import ShelfRow, ShelfView
from party.sources import SourceView
from party.views import Snapshot, TrackView

IDS = {
    "queue_item_gone": "queue-item-7",
    "queue_item_new": "queue-new",
    "message": "message-7",
    "room_card": "room-card-K7QM4TXD",
    "room_card_gone": "room-card-K7QM4TXD",
    "room_people": "room-people-K7QM4TXD",
    "search_source": "search-source-archive",
}
"""Roots whose id is more than their file's name."""

SHELF_ROWS = (
    ShelfRow("track", "a", "A song", "Ada", "", "1:01", 0, True),
    ShelfRow("track", "b", "Another", "", "", "", 0, True, 2),
    ShelfRow("track", "c", "A film", "", "", "", 0, False),
    ShelfRow("album", "d", "An album", "Ada", "", "", 9, False),
)


def playlist_of(track: TrackView | None) -> PlaylistView:
    """A page of a playlist: a track, a line of words, and one that plays from its link."""
    known = EntryView(7, 1, "A song", "Ada", 61_000, "", track, None, 8)
    words = EntryView(8, 2, "Words", "", 0, "https://example.org/", None, 0, 9)
    linked = EntryView(9, 3, "A link", "", 0, "https://example.org/a.mp3", None, 7, None, True)
    return PlaylistView(4, "Late", "Ada", "", (known, words, linked), 1, 3, 61_000, 1, 1)


def block_of(track: TrackView | None) -> SimpleNamespace:
    """What a catalogue found: a song of the library, one to add, one that only has a name."""
    own = FoundRow("archive", "a", "A song", "Ada", "", "3:05", "", True, track.id if track else None)
    new = replace(own, key="b", preview_url="https://example.org/a.mp3", track_id=None, licence="CC BY")
    answer = AnswerView("archive", "ready", (own, new, replace(new, key="c", is_playable=False)))
    return SimpleNamespace(search_id=7, title="Internet Archive", answer=answer)


def values_for(room: Snapshot, role: str) -> dict[str, Any]:
    """What templates of this room are given for one class of viewers."""
    someone = room.host
    assert someone is not None
    said = SaidView(
        7,
        someone,
        1_700_000_000_000,
        segments("Hello https://example.org/ Ada", [(1, "Ada")]),
        is_deleted=False,
        is_action=False,
        reply=ReplyView(3, "Ben", "Before"),
        mentions=(1,),
        signs=(SignView("❤", 0, (1,)),),
    )
    track = room.now.track if room.now else None
    card = RoomCard(
        "K7QM4TXD", "Friday", "Ada", "open", False, True, 1, 3, ((1, 2),), track, False, ("jazz",)
    )
    return {
        "room": room,
        "audience": room.audience(role),
        "item": room.items[0] if room.items else None,
        "item_id": 7,
        "after": "",
        "epoch": room.epoch,
        "from": 0,
        "to": room.seq,
        "mine": snapshot.Share(1, role, {7: 1}, [7], {3: 4}, 5, None, None, True, True),
        "message": "A sentence.",
        "undo": {"url": "/", "label": "Undo"},
        "library": library.browse("", "", "title", 1, room),
        "talk": chat_log.Talk((said,), 5),
        "line": said,
        "lines": (said,),
        "steps": (StepView("muted", 1, "still muted by their browser", ("Ben",)),),
        "code": "K7QM4TXD",
        "invites": [InviteView(1, 3, 2, 1_800_000_000_000, "Ada")],
        "bans": [BanView(1, "Dan", "no", None, "Ada", False)],
        "link": "/invites/abc",
        "knock": Waiting("waiting", 1_800_000_000_000, "You knocked."),
        "door": SimpleNamespace(door_code="K7QM4TXD", name="Friday"),
        "card": card,
        "playlist": playlist_of(track),
        "sheet": Sheet("track", room.code, (PlaylistCard(4, "Late", 2, 61_000, True),), True, 7, "A song"),
        "elsewhere": SimpleNamespace(key="abc", blocks=(block_of(track),)),
        "block": block_of(track),
        "found": FoundRooms((card,), "", "people", "", 1, 1, 3, 1),
        "sources": (
            SourceView(3, "jellyfin", "Jellyfin", "films.example", "ada", "failed", "Sign in again."),
        ),
        "shelf": ShelfView(5, 3, "album:a", "Late", "ready", "", SHELF_ROWS, "albums:1"),
        "rooms": 1,
        "people": 3,
    }
