"""Somebody's own media servers: connected, checked by the worker, disconnected; and the keys, for those who may ask.

Keys are sealed in the row and leave this module as `Keys` alone, which the worker and the proxy need and nobody prints.
What a server has, and putting it on a line, is party/source_shelf.py.
"""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from peewee import SQL

from config import settings
from models import Item, Room, SearchAnswer, Source, Suggestion, Track, User, locking, rows
from party import attempts, lookups, playback, sealing, tracks, work
from party.attempts import Limit
from party.change import CLOCK, Person, change, hold_with_rooms, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, Over, Refusal
from party.names import one_line

KINDS = {"subsonic": "Navidrome or another Subsonic server", "jellyfin": "Jellyfin"}
MOST = 5
LIMIT = Limit(20, 600_000)
PURPOSE = "media source"
ADDRESS_LONGEST, NAME_LONGEST, SECRET_LONGEST, FAILURE_LONGEST = 300, 100, 500, 200
CHECK_AGAIN_MS = 60_000
COVER_AGAIN_MS = 60_000
MOST_COVER_TRIES = 3
COVERS_AT_ONCE = 20
GONE = "Its library was disconnected."
LOST = "Its keys cannot be read any more. Sign in again."
NO_SOURCE = "That library is not connected."
NO_TRACK = "That track is not in the library."
NO_FILE = "That track has no such file."
ACCOUNT_FIRST = "Libraries are kept with an account. Make one first, then connect yours."
BAD_ADDRESS = "A server’s address is like https://music.example.org."
NO_SECRET = "We need a password, or an API key."

_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?")


class Elsewhere(Refusal):
    """Somebody else's server did not do its part."""

    code, status = "elsewhere", 502


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens a server, as media.servers.Login takes it, and the row it belongs to. `sealed` tells keys apart."""

    source_id: int
    kind: str
    address: str
    username: str
    password: str = field(repr=False)
    key: str = field(repr=False)
    user: str = ""
    device: str = ""
    sealed: str = field(default="", repr=False)

    @property
    def login(self) -> dict[str, str]:
        """The fields of media.servers.Login."""
        names = ("address", "username", "password", "key", "user", "device")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class SourceView:
    """A library as its owner sees it; nothing that opens it."""

    id: int
    kind: str
    title: str
    name: str
    username: str
    state: str
    failure: str


@dataclass(frozen=True, slots=True)
class Streamed:
    """A track whose bytes come by way of us: whom to ask, and for what."""

    keys: Keys = field(repr=False)
    item: str
    way: str
    is_video: bool
    mime: str


@dataclass(frozen=True, slots=True)
class Coverless:
    """A track whose cover is still to be had. Without keys there is nobody to ask (any more)."""

    slug: str
    added_at: int
    item: str
    keys: Keys | None = field(repr=False)


def connect(
    actor: Person,
    *,
    kind: str,
    address: str,
    username: str,
    secret: str,
    private_hosts: tuple[str, ...] = settings.private_hosts,
) -> int:
    """Keep a server of somebody who has an account, and have it looked at. Without a name the secret is an API key."""
    address, username, secret = address.strip().rstrip("/"), one_line(username), secret.strip()
    _refuse_shape(kind, address, username, secret, private_hosts)
    with write():
        # Of two presses at once the second has to find what the first one made.
        user = locking(User.select().where(User.id == actor.user_id)).first()
        if user is None:
            raise NotKnown("Sign in first, then try again.")
        if user.email is None:
            raise NotAllowed(ACCOUNT_FIRST)
        own = Source.select().where(Source.user == user, Source.kind.in_(list(KINDS)))
        if own.count() >= MOST:
            raise Conflict(f"{MOST} libraries are connected already. Disconnect one first.")
        if own.where(Source.kind == kind, Source.address == address, Source.username == username).exists():
            raise Conflict("That library is connected already.")
        attempts.spend("source", {f"person {user.id}": LIMIT})
        made = Source.create(
            user=user,
            kind=kind,
            name=one_line(urlsplit(address).netloc)[:NAME_LONGEST],
            address=address,
            username=username,
            secret=_sealed("" if not username else secret, secret if not username else ""),
            options={"device": secrets.token_hex(8)},
            created_at=now_ms(),
            checked_at=now_ms(),
        )
        work.hand_over("check_source", made.id)
    return int(made.id)


def sign_in_again(actor: Person, source_id: int, secret: str) -> None:
    """Have a server looked at again, with another password or key, or with the one we have when none is given."""
    secret = secret.strip()
    if len(secret) > SECRET_LONGEST:
        raise Invalid("That is longer than a password may be.")
    with write():
        source = own(actor, source_id, held=True)
        attempts.spend("source", {f"person {actor.user_id}": LIMIT})
        if secret:
            is_key = not source.username
            source.secret = _sealed("" if is_key else secret, secret if is_key else "")
        source.state, source.failure, source.checked_at = "connecting", "", now_ms()
        source.save()
        work.hand_over("check_source", source.id)


def disconnect(actor: Person, source_id: int) -> None:
    """Forget a server and its keys. Tracks of it wait on as what cannot be played, and what plays goes on."""
    with write():
        give_up(own(actor, source_id))


def give_up(source: Source) -> None:
    """The same, in the open transaction."""
    hold_with_rooms(lambda: Room.code.in_(list(_lines_with(source))), lambda: hold_of(Source.id == source.id))
    lines = _lines_with(source)
    Track.update(
        # A server connected later may get this one's number.
        slug=SQL("'gone-' || id"),
        state="failed",
        failure=GONE,
        # Nothing is left that could be looked up again.
        reference="",
    ).where(Track.source == source.id).execute()
    SearchAnswer.delete().where(SearchAnswer.source == f"source:{source.id}").execute()
    Source.delete().where(Source.id == source.id).execute()
    for code, item_ids in sorted(lines.items()):
        # One whose time ran out this moment needs to hear nothing.
        with suppress(Over), change(CLOCK, code, may="describe_item") as c:
            for item_id in item_ids:
                c.log("item_described", item_id=item_id)
            if c.playback.item_id is not None and c.playback.item_id in item_ids:
                playback.end_item(c, "skipped")
                playback.start_next(c)


def give_up_all(user_id: int) -> None:
    """Forget all servers of somebody who goes, in the open transaction."""
    for each in _all_of(user_id):
        give_up(each)


def hold_of(which: Any) -> None:
    """Lock the servers of this condition and their tracks, in the open transaction; rooms come first (`codes_with`).

    Who puts one of the tracks on a line at this moment is waited for, and told.
    """
    held = list(locking(Source.select().where(which).order_by(Source.id), to_delete=True))
    list(locking(Track.select(Track.id).where(Track.source.in_(held)).order_by(Track.id), to_delete=True))


def codes_with(user_id: int) -> set[str]:
    """The rooms that `give_up_all` changes."""
    return {code for source in _all_of(user_id) for code in _lines_with(source)}


def mine(user_id: int) -> tuple[SourceView, ...]:
    """Somebody's servers, the oldest first."""
    return tuple(
        SourceView(each.id, each.kind, KINDS[each.kind], each.name, each.username, each.state, each.failure)
        for each in _all_of(user_id)
    )


def own(actor: Person, source_id: int, *, held: bool = False) -> Source:
    """One's own server, locked where it is `held`. Raises NotFound, for those of others too."""
    is_own = (Source.id == source_id) & (Source.user == actor.user_id) & Source.kind.in_(list(KINDS))
    query = Source.select().where(is_own)
    source: Source | None = (locking(query) if held else query).first()
    if source is None:
        raise NotFound(NO_SOURCE)
    return source


def claim(source_id: int) -> Keys | None:
    """Begin to look at a server: its keys. None when it was looked at."""
    with write():
        is_waiting = (Source.id == source_id) & (Source.state == "connecting")
        # It is being looked at from now on: the sweep need not find it.
        if not Source.update(checked_at=now_ms()).where(is_waiting).execute():
            return None
        return keys_of(Source.get_by_id(source_id))


def keys_of(source: Source) -> Keys | None:
    """What opens a server; None, and said in its row, when that cannot be read any more."""
    opened = sealing.unseal(source.secret, PURPOSE)
    if opened is None:
        _fail(source.id, source.secret, LOST)
        return None
    known, options = json.loads(opened), source.options
    return Keys(
        source.id, source.kind, source.address, source.username, known["password"], known["key"],
        options.get("user", ""), options.get("device", ""), source.secret,
    )  # fmt: skip


def found_good(keys: Keys, *, password: str, key: str, user: str) -> None:
    """A server took its keys; those to keep may be others. Too late, for it has others by now: nothing."""
    with write():
        Source.update(
            state="ready",
            failure="",
            secret=_sealed(password, key),
            options={"device": keys.device, "user": user},
            checked_at=now_ms(),
        ).where(
            Source.id == keys.source_id, Source.secret == keys.sealed, Source.state == "connecting"
        ).execute()


def found_bad(keys: Keys, sentence: str) -> None:
    """A server did not take its keys, or not any more. Of other keys this says nothing."""
    _fail(keys.source_id, keys.sealed, sentence)


def due() -> list[int]:
    """Servers that were never looked at: the task was lost."""
    is_old = Source.checked_at.is_null() | (Source.checked_at <= now_ms() - CHECK_AGAIN_MS)
    is_waiting = (Source.state == "connecting") & Source.kind.in_(list(KINDS))
    waiting = Source.select(Source.id).where(is_waiting, is_old)
    return [source_id for (source_id,) in rows(waiting.order_by(Source.id).limit(COVERS_AT_ONCE))]


def served(track_id: int, marked: str) -> Streamed | tuple[str, str]:
    """What is at the address of a track's file: whom to ask for it, or its name and type where it lies here.

    Raises NotFound, Elsewhere.
    """
    track = Track.get_or_none(Track.id == track_id)
    is_proxied = track is not None and track.provider in tracks.PROXIED
    # What began to play before its cover was found plays on by the address it had then.
    covers = (track.cover_file, "") if is_proxied else (track.cover_file,) if track else ()
    if not any(tracks.is_marked(marked, track.id, track.media_file, each, track.added_at) for each in covers):
        raise NotFound(NO_TRACK)
    if not is_proxied and track.media_file:
        return track.media_file, track.mime
    if not is_proxied or track.state == "failed" or track.source is None:
        raise NotFound(track.failure or GONE if is_proxied else NO_FILE)
    keys = keys_of(track.source) if track.source.state != "failed" else None
    if keys is None:
        raise Elsewhere(track.source.failure or LOST)
    way, _, item = track.reference.partition("/")
    return Streamed(keys, item, way, bool(track.is_video), track.mime)


def coverless() -> list[int]:
    """Tracks whose cover was to be fetched and is not here: the task was lost, or may be tried again."""
    found = Track.select(Track.id).where(
        Track.provider.in_(tracks.PROXIED),
        Track.cover_file == "",
        Track.state == "ready",
        Track.looked_up_at <= now_ms() - COVER_AGAIN_MS,
    )
    return [track_id for (track_id,) in rows(found.order_by(Track.id).limit(COVERS_AT_ONCE))]


def claim_cover(track_id: int) -> Coverless | None:
    """Begin to fetch a track's cover. None when it is here, or the track is gone."""
    with write():
        track = Track.get_or_none(_lacks_cover(track_id), Track.provider.in_(tracks.PROXIED))
        if track is None:
            return None
        is_open = track.source is not None and track.source.state == "ready"
        # Which may write the server's row: that comes before its tracks.
        keys = keys_of(track.source) if is_open and track.tries < MOST_COVER_TRIES else None
        Track.update(tries=Track.tries + 1, looked_up_at=now_ms()).where(Track.id == track_id).execute()
        return Coverless(track.slug, track.added_at, track.reference.partition("/")[2], keys)


def cover_found(track_id: int, cover_file: str, hue: str) -> bool:
    """A track's cover is here; every room that shows it is told. True when it was new."""
    with write():
        if lookups.hold(_lacks_cover(track_id)) is None:
            return False
        Track.update(cover_file=cover_file, hue=hue).where(Track.id == track_id).execute()
        for code, item_id in lookups.places(track_id):
            with suppress(Over), change(CLOCK, code, may="describe_item") as c:
                c.log("item_described", item_id=item_id)
        return True


def _lacks_cover(track_id: int) -> Any:
    return (Track.id == track_id) & (Track.cover_file == "") & (Track.state == "ready")


def _refuse_shape(kind: str, address: str, username: str, secret: str, hosts: tuple[str, ...]) -> None:
    if kind not in KINDS:
        raise Invalid("Libraries here are Navidrome and its like, or Jellyfin.")
    if not _ADDRESS.fullmatch(address) or len(address) > ADDRESS_LONGEST:
        raise Invalid(BAD_ADDRESS)
    listed = {each.lower().removesuffix(":80") for each in hosts}
    if address.startswith("http://") and urlsplit(address).netloc not in listed:
        raise Invalid("A server’s address has to begin with https://.")
    if not secret:
        raise Invalid(NO_SECRET)
    if len(username) > NAME_LONGEST or len(secret) > SECRET_LONGEST:
        raise Invalid("That is longer than a name or a password may be.")


def _sealed(password: str, key: str) -> str:
    return sealing.seal(json.dumps({"password": password, "key": key}), PURPOSE)


def _fail(source_id: int, sealed: str, sentence: str) -> None:
    with write():
        Source.update(
            state="failed", failure=one_line(sentence)[:FAILURE_LONGEST], checked_at=now_ms()
        ).where(Source.id == source_id, Source.secret == sealed).execute()


def _all_of(user_id: int) -> list[Source]:
    own = Source.select().where(Source.user == user_id, Source.kind.in_(list(KINDS)))
    return list(own.order_by(Source.id))


def _lines_with(source: Source) -> dict[str, list[int | None]]:
    """The open rooms where tracks of a server wait or play, each with their items; None where one is suggested."""
    items = (
        Item.select(Room.code, Item.id)
        .join(Room)
        .switch(Item)
        .join(Track)
        .where(Track.source == source.id, Item.state.in_(("waiting", "playing")), Room.state != "EXPIRED")
        .order_by(Item.id)
    )
    wishes = (
        Suggestion.select(Room.code)
        .join(Room)
        .switch(Suggestion)
        .join(Track)
        .where(Track.source == source.id, Suggestion.state == "waiting", Room.state != "EXPIRED")
        .distinct()
    )
    lines: dict[str, list[int | None]] = {}
    for code, item_id in rows(items):
        lines.setdefault(code, []).append(item_id)
    for (code,) in rows(wishes):
        lines.setdefault(code, []).append(None)
    return lines
