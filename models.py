"""The tables: columns, keys, constraints and facts about one row. Rules live in party/.

Instants are integer milliseconds since the Unix epoch (`*_at`); durations say their unit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    DatabaseProxy,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    Value,
)

database = DatabaseProxy()

ROOM_STATES = ("CREATED", "LIVE", "GRACE", "EXPIRED")
ROLES = ("host", "cohost", "guest")
MODES = ("charts", "hand")
ITEM_STATES = ("waiting", "playing", "played", "removed")
PLAYBACK_STATES = ("idle", "playing", "paused")
END_REASONS = ("finished", "skipped")
VISIBILITIES = ("public", "unlisted", "private")
ENTRIES = ("open", "password", "approval")
KNOCK_STATES = ("waiting", "approved", "declined", "withdrawn", "expired")
SUGGESTION_STATES = ("waiting", "approved", "declined", "withdrawn")
LINK_PURPOSES = ("confirm", "email", "reset")
PLAYERS = ("file", "hls", "youtube", "vimeo", "embed", "spotify")
TRACK_STATES = ("ready", "looking_up", "failed")
UPLOAD_STATES = ("receiving", "checking", "ready", "refused", "cancelled")
SOURCE_KINDS = ("subsonic", "jellyfin", "spotify")
SOURCE_STATES = ("connecting", "ready", "failed")
ANSWER_STATES = ("waiting", "ready", "failed")


def one_of(column: str, values: tuple[str, ...]) -> SQL:
    """A CHECK that the column holds one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Check(f"{column} IN ({listed})")


class JsonField(TextField):  # type: ignore[misc]
    """Small facts as JSON text, the same on both databases."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class Table(Model):  # type: ignore[misc]
    class Meta:
        database = database
        legacy_table_names = False


class User(Table):
    """A person. A guest has a name and nothing else; an account has an e-mail address (folded) and a password.

    `totp_secret` is sealed with a key made from SECRET_KEY; it counts once `totp_since` is set.
    """

    id = AutoField()
    display_name = CharField(max_length=50)
    created_at = BigIntegerField()
    email = CharField(max_length=254, null=True, unique=True)
    password_hash = CharField(max_length=200, null=True)
    totp_secret = CharField(max_length=300, null=True)
    totp_since = BigIntegerField(null=True)
    totp_last_step = BigIntegerField(null=True)
    is_admin = BooleanField(default=False)
    banned_at = BigIntegerField(null=True)
    banned_until = BigIntegerField(null=True)
    ban_reason = CharField(max_length=200, default="")

    class Meta:
        table_name = "person"


class Session(Table):
    """A signed-in browser. Only the token's hash is kept, so a stolen database opens no session."""

    token_hash = CharField(max_length=64, primary_key=True)
    user = ForeignKeyField(User, backref="sessions", on_delete="CASCADE")
    user_id: int
    created_at = BigIntegerField()
    last_seen_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)
    device = CharField(max_length=200, default="")


class RecoveryCode(Table):
    """Opens an account once when its second factor is lost. Only the hash is kept."""

    id = AutoField()
    user = ForeignKeyField(User, backref="recovery_codes", on_delete="CASCADE")
    user_id: int
    code_hash = CharField(max_length=64)
    used_at = BigIntegerField(null=True)


class Link(Table):
    """A one-use link sent by mail or made by the operator. Only its token's hash is kept."""

    token_hash = CharField(max_length=64, primary_key=True)
    user = ForeignKeyField(User, null=True, backref="links", on_delete="CASCADE")
    user_id: int | None
    purpose = CharField(max_length=8, constraints=[one_of("purpose", LINK_PURPOSES)])
    email = CharField(max_length=254)
    password_hash = CharField(max_length=200, null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)
    used_at = BigIntegerField(null=True)


class Attempt(Table):
    """Something counted against a limit that all processes share. `subject` is a hash: no address is kept."""

    id = AutoField()
    kind = CharField(max_length=24)
    subject = CharField(max_length=64)
    at = BigIntegerField(index=True)

    class Meta:
        indexes = ((("kind", "subject", "at"), False),)


class Source(Table):
    """Somebody's own media server or account elsewhere. `secret` is sealed with a key made from SECRET_KEY."""

    id = AutoField()
    user = ForeignKeyField(User, backref="sources", on_delete="CASCADE")
    user_id: int
    kind = CharField(max_length=10, constraints=[one_of("kind", SOURCE_KINDS)])
    name = CharField(max_length=100)
    address = CharField(max_length=300, default="")
    username = CharField(max_length=100, default="")
    secret = TextField(default="")
    options = JsonField(default=dict)
    state = CharField(max_length=10, default="connecting", constraints=[one_of("state", SOURCE_STATES)])
    failure = CharField(max_length=200, default="")
    created_at = BigIntegerField()
    checked_at = BigIntegerField(null=True)


class Track(Table):
    """A piece of media. `search` is title, artist and album folded for searching.

    `provider` and `reference` say where it comes from (media.registry), `player` how it is played. `duration_ms` 0 is
    not known (yet, or live). One that `is_listed` is in everybody's library; others are found where a Holding says so.
    `content` names the work for progress where several tracks may be it (movie:603, tv:1399:1:2); empty is the track
    itself. `peaks` is the waveform, one digit of base 36 a bar. `sha256` is of the file as it was uploaded.
    """

    id = AutoField()
    slug = CharField(max_length=120, unique=True)
    title = CharField(max_length=200)
    artist = CharField(max_length=200)
    album = CharField(max_length=200, default="")
    genre = CharField(max_length=60, default="", index=True)
    duration_ms = IntegerField(default=0, constraints=[Check("duration_ms >= 0")])
    media_file = CharField(max_length=200)
    cover_file = CharField(max_length=200)
    hue = CharField(max_length=4, default="none")
    search = TextField()
    added_at = BigIntegerField()
    is_explicit = BooleanField(default=False)
    is_hidden = BooleanField(default=False)
    is_listed = BooleanField(default=False, index=True)
    provider = CharField(max_length=16, default="house")
    reference = TextField(default="")
    player = CharField(max_length=8, default="file", constraints=[one_of("player", PLAYERS)])
    is_video = BooleanField(default=False)
    state = CharField(max_length=10, default="ready", constraints=[one_of("state", TRACK_STATES)], index=True)
    failure = CharField(max_length=200, default="")
    looked_up_at = BigIntegerField(null=True)
    tries = IntegerField(default=0)
    content = CharField(max_length=120, default="")
    mime = CharField(max_length=60, default="")
    size_bytes = BigIntegerField(default=0)
    sha256 = CharField(max_length=64, null=True, unique=True)
    opus_file = CharField(max_length=200, default="")
    opus_gain_db = FloatField(default=0.0)
    loudness_lufs = FloatField(null=True)
    peaks = TextField(default="")
    source = ForeignKeyField(Source, null=True, backref="tracks", on_delete="SET NULL")
    source_id: int | None


class Job(Table):
    """Long work with visible progress, and the worker's sign of life (`seen_at`)."""

    name = CharField(max_length=40, primary_key=True)
    done = IntegerField(default=0)
    total = IntegerField(default=0)
    seen_at = BigIntegerField()


class Room(Table):
    """A room. `seq` counts its log, `advance` its started songs; `fence` grows with each change of authority.

    `code` is its name among ourselves and never changes; `door_code`, once set, is what people say and links carry.
    `settings` holds what differs from party.settings.RoomSettings. `continues` is the ended room it was made from.
    """

    id = AutoField()
    code = CharField(max_length=8, unique=True)
    name = CharField(max_length=60)
    state = CharField(max_length=8, default="CREATED", constraints=[one_of("state", ROOM_STATES)])
    mode = CharField(max_length=8, default="charts", constraints=[one_of("mode", MODES)])
    epoch = CharField(max_length=16)
    seq = IntegerField(default=0)
    advance = IntegerField(default=0)
    fence = IntegerField(default=1)
    grace_seconds = IntegerField(default=300)
    host_gone_at = BigIntegerField(null=True, index=True)
    host_grace_until = BigIntegerField(null=True, index=True)
    created_at = BigIntegerField()
    expired_at = BigIntegerField(null=True)
    owner = ForeignKeyField(User, null=True, backref="rooms", on_delete="SET NULL")
    owner_id: int | None
    visibility = CharField(
        max_length=8, default="unlisted", constraints=[one_of("visibility", VISIBILITIES)], index=True
    )
    entry = CharField(max_length=8, default="open", constraints=[one_of("entry", ENTRIES)])
    password_hash = CharField(max_length=200, null=True)
    is_locked = BooleanField(default=False)
    door_code = CharField(max_length=8, null=True, unique=True)
    settings = JsonField(default=dict)
    continues = ForeignKeyField("self", null=True, unique=True, backref="continuations", on_delete="SET NULL")
    continues_id: int | None

    @property
    def spoken_code(self) -> str:
        """The code that opens the door today."""
        return str(self.door_code or self.code)


class Member(Table):
    """A seat: one person in one room. Kept when its person leaves, since items and votes name it."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="members", on_delete="CASCADE")
    room_id: int
    user = ForeignKeyField(User, backref="members", on_delete="CASCADE")
    user_id: int
    role = CharField(max_length=8, default="guest", constraints=[one_of("role", ROLES)])
    color = IntegerField(default=1, constraints=[Check("color BETWEEN 1 AND 10")])
    is_ringed = BooleanField(default=False)
    joined_at = BigIntegerField()
    left_at = BigIntegerField(null=True)
    network_hash = CharField(max_length=64, null=True)
    muted_until = BigIntegerField(null=True)
    asked_control_at = BigIntegerField(null=True)
    controls_until = BigIntegerField(null=True)
    controls_once = BooleanField(default=False)
    offered_host_at = BigIntegerField(null=True)

    class Meta:
        indexes = ((("room", "user"), True),)


class Presence(Table):
    """A seat that has a screen open in one web process; true while `seen_at` is young.

    `since_at` is when it began, `is_idle` that nobody touched it for a while, `step` how its player keeps up.
    """

    id = AutoField()
    member = ForeignKeyField(Member, backref="presences", on_delete="CASCADE")
    member_id: int
    process = CharField(max_length=32, index=True)
    seen_at = BigIntegerField()
    since_at = BigIntegerField(default=0)
    is_idle = BooleanField(default=False)
    step = CharField(max_length=12, default="")

    class Meta:
        indexes = ((("member", "process"), True),)


class Ban(Table):
    """Somebody who may not come in: by person and, where `network_hash` is set, by where they come from."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="bans", on_delete="CASCADE")
    room_id: int
    user = ForeignKeyField(User, backref="bans", on_delete="CASCADE")
    user_id: int
    network_hash = CharField(max_length=64, null=True)
    reason = CharField(max_length=200, default="")
    banned_by = ForeignKeyField(Member, null=True, backref="bans_made", on_delete="SET NULL")
    banned_by_id: int | None
    banned_at = BigIntegerField()
    until = BigIntegerField(null=True)
    lifted_at = BigIntegerField(null=True)


class Knock(Table):
    """Somebody asks to come in; decided once, before its deadline."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="knocks", on_delete="CASCADE")
    room_id: int
    user = ForeignKeyField(User, backref="knocks", on_delete="CASCADE")
    user_id: int
    state = CharField(max_length=9, default="waiting", constraints=[one_of("state", KNOCK_STATES)])
    asked_at = BigIntegerField()
    deadline_at = BigIntegerField(index=True)
    decided_at = BigIntegerField(null=True)
    decided_by = ForeignKeyField(Member, null=True, backref="knocks_decided", on_delete="SET NULL")
    decided_by_id: int | None


class Invite(Table):
    """A link that lets so many people in until it ends. Only its token's hash is kept."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="invites", on_delete="CASCADE")
    room_id: int
    token_hash = CharField(max_length=64, unique=True)
    quota = IntegerField(constraints=[Check("quota > 0")])
    used = IntegerField(default=0, constraints=[Check("used >= 0")])
    made_by = ForeignKeyField(Member, null=True, backref="invites_made", on_delete="SET NULL")
    made_by_id: int | None
    made_at = BigIntegerField()
    expires_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)


class Item(Table):
    """A track on the line. `position` orders mode Hand, `pin_position` what the host put first.

    One that `is_filler` was put there by the room itself while the line was empty; its seat is the host's. `length_ms`
    is what this room's players said of a track without a known length: their word holds here and nowhere else.
    """

    id = AutoField()
    room = ForeignKeyField(Room, backref="items", on_delete="CASCADE")
    room_id: int
    track = ForeignKeyField(Track, backref="items", on_delete="RESTRICT")
    track_id: int
    added_by = ForeignKeyField(Member, backref="items", on_delete="CASCADE")
    added_by_id: int
    state = CharField(max_length=8, default="waiting", constraints=[one_of("state", ITEM_STATES)])
    position = CharField(max_length=64)
    pin_position = CharField(max_length=64, null=True)
    added_seq = IntegerField()
    added_at_advance = IntegerField()
    guard_limit = IntegerField()
    overtakes = IntegerField(default=0)
    added_at = BigIntegerField()
    removed_at = BigIntegerField(null=True)
    removed_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")
    removed_by_id: int | None
    is_filler = BooleanField(default=False)
    length_ms = IntegerField(default=0, constraints=[Check("length_ms >= 0")])

    class Meta:
        indexes = ((("room", "state"), False),)


class Holding(Table):
    """Who brought a track that is not listed, and into which room: there, and by them, it is found again."""

    id = AutoField()
    track = ForeignKeyField(Track, backref="holdings", on_delete="CASCADE")
    track_id: int
    room = ForeignKeyField(Room, null=True, backref="holdings", on_delete="CASCADE")
    room_id: int | None
    user = ForeignKeyField(User, backref="holdings", on_delete="CASCADE")
    user_id: int
    added_at = BigIntegerField()

    class Meta:
        indexes = ((("track", "room", "user"), True),)


class Upload(Table):
    """A file on its way here, in pieces. `token` is its address; bytes lie in a file of the same name."""

    id = AutoField()
    token = CharField(max_length=32, unique=True)
    user = ForeignKeyField(User, backref="uploads", on_delete="CASCADE")
    user_id: int
    room = ForeignKeyField(Room, null=True, backref="uploads", on_delete="CASCADE")
    room_id: int | None
    name = CharField(max_length=200)
    size_bytes = BigIntegerField(constraints=[Check("size_bytes > 0")])
    received_bytes = BigIntegerField(default=0, constraints=[Check("received_bytes >= 0")])
    state = CharField(
        max_length=9, default="receiving", constraints=[one_of("state", UPLOAD_STATES)], index=True
    )
    reason = CharField(max_length=200, default="")
    track = ForeignKeyField(Track, null=True, backref="uploads", on_delete="SET NULL")
    track_id: int | None
    goes_on_line = BooleanField(default=True)
    began_at = BigIntegerField()
    touched_at = BigIntegerField(index=True)


class Subtitle(Table):
    """Words to a video, kept as WebVTT."""

    id = AutoField()
    track = ForeignKeyField(Track, backref="subtitles", on_delete="CASCADE")
    track_id: int
    label = CharField(max_length=60)
    language = CharField(max_length=12, default="")
    file = CharField(max_length=200)
    added_by = ForeignKeyField(User, null=True, backref="subtitles", on_delete="SET NULL")
    added_by_id: int | None
    added_at = BigIntegerField()


class SubtitleChoice(Table):
    """Which subtitles one person reads with a track; none chosen is off."""

    id = AutoField()
    user = ForeignKeyField(User, backref="subtitle_choices", on_delete="CASCADE")
    user_id: int
    track = ForeignKeyField(Track, backref="subtitle_choices", on_delete="CASCADE")
    track_id: int
    subtitle = ForeignKeyField(Subtitle, null=True, backref="chosen", on_delete="CASCADE")
    subtitle_id: int | None

    class Meta:
        indexes = ((("user", "track"), True),)


class Search(Table):
    """Words somebody looks for in catalogues elsewhere; the worker asks, one answer for each source."""

    id = AutoField()
    user = ForeignKeyField(User, backref="searches", on_delete="CASCADE")
    user_id: int
    room = ForeignKeyField(Room, null=True, backref="searches", on_delete="CASCADE")
    room_id: int | None
    words = CharField(max_length=200)
    asked_at = BigIntegerField(index=True)


class SearchAnswer(Table):
    """What one source said to a search. `results` are rows as media.provider.Found has them."""

    id = AutoField()
    search = ForeignKeyField(Search, backref="answers", on_delete="CASCADE")
    search_id: int
    source = CharField(max_length=40)
    state = CharField(max_length=8, default="waiting", constraints=[one_of("state", ANSWER_STATES)])
    results = JsonField(default=list)
    failure = CharField(max_length=200, default="")
    answered_at = BigIntegerField(null=True)

    class Meta:
        indexes = ((("search", "source"), True),)


class Playlist(Table):
    """Tracks somebody keeps in their order. Whoever has its `share_token` may look at it and copy it."""

    id = AutoField()
    user = ForeignKeyField(User, backref="playlists", on_delete="CASCADE")
    user_id: int
    name = CharField(max_length=100)
    share_token = CharField(max_length=32, null=True, unique=True)
    created_at = BigIntegerField()
    changed_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)


class PlaylistEntry(Table):
    """One line of a playlist; without a track only its words are known, until somebody says which track is meant."""

    id = AutoField()
    playlist = ForeignKeyField(Playlist, backref="entries", on_delete="CASCADE")
    playlist_id: int
    track = ForeignKeyField(Track, null=True, backref="playlist_entries", on_delete="SET NULL")
    track_id: int | None
    title = CharField(max_length=200)
    artist = CharField(max_length=200, default="")
    album = CharField(max_length=200, default="")
    duration_ms = IntegerField(default=0, constraints=[Check("duration_ms >= 0")])
    link = TextField(default="")
    position = CharField(max_length=64)
    added_at = BigIntegerField()
    removed_at = BigIntegerField(null=True)


class Progress(Table):
    """How far one person got with one work in one room. `content` is the track's, or track:<id>."""

    id = AutoField()
    user = ForeignKeyField(User, backref="progress", on_delete="CASCADE")
    user_id: int
    room = ForeignKeyField(Room, backref="progress", on_delete="CASCADE")
    room_id: int
    content = CharField(max_length=120)
    track = ForeignKeyField(Track, backref="progress", on_delete="CASCADE")
    track_id: int
    position_ms = IntegerField(constraints=[Check("position_ms >= 0")])
    duration_ms = IntegerField(constraints=[Check("duration_ms >= 0")])
    is_done = BooleanField(default=False)
    saved_at = BigIntegerField(index=True)

    class Meta:
        indexes = ((("user", "room", "content"), True),)
        constraints = [Check("duration_ms = 0 OR position_ms <= duration_ms")]


class Vote(Table):
    """One person's word on one item: +1 or -1. No row is no vote; counts are derived."""

    id = AutoField()
    item = ForeignKeyField(Item, backref="votes", on_delete="CASCADE")
    item_id: int
    member = ForeignKeyField(Member, backref="votes", on_delete="CASCADE")
    member_id: int
    value = IntegerField(constraints=[Check("value IN (-1, 1)")])
    cast_at = BigIntegerField()

    class Meta:
        indexes = ((("item", "member"), True),)


class Suggestion(Table):
    """A track somebody would like on the line, in a room where adding needs approval."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="suggestions", on_delete="CASCADE")
    room_id: int
    member = ForeignKeyField(Member, backref="suggestions", on_delete="CASCADE")
    member_id: int
    track = ForeignKeyField(Track, backref="suggestions", on_delete="CASCADE")
    track_id: int
    state = CharField(max_length=9, default="waiting", constraints=[one_of("state", SUGGESTION_STATES)])
    reason = CharField(max_length=200, default="")
    item = ForeignKeyField(Item, null=True, backref="suggestions", on_delete="SET NULL")
    item_id: int | None
    asked_at = BigIntegerField()
    decided_at = BigIntegerField(null=True)
    decided_by = ForeignKeyField(Member, null=True, backref="suggestions_decided", on_delete="SET NULL")
    decided_by_id: int | None


class Play(Table):
    """An item heard once: it starts once and ends once."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="plays", on_delete="CASCADE")
    room_id: int
    item = ForeignKeyField(Item, backref="plays", on_delete="CASCADE")
    item_id: int
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    end_reason = CharField(max_length=8, null=True, constraints=[one_of("end_reason", END_REASONS)])

    class Meta:
        indexes = ((("room", "started_at"), False),)


class SkipVote(Table):
    """One seat's wish to hear the next track; single-use, since it names the play."""

    id = AutoField()
    play = ForeignKeyField(Play, backref="skip_votes", on_delete="CASCADE")
    play_id: int
    member = ForeignKeyField(Member, backref="skip_votes", on_delete="CASCADE")
    member_id: int
    cast_at = BigIntegerField()

    class Meta:
        indexes = ((("play", "member"), True),)


class Playback(Table):
    """The room's anchor: at `at_ms` the item stood at `position_ms` and moves at `rate`. Nothing ticks."""

    room = ForeignKeyField(Room, backref="playback", primary_key=True, on_delete="CASCADE")
    room_id: int
    item = ForeignKeyField(Item, null=True, on_delete="SET NULL")
    item_id: int | None
    play = ForeignKeyField(Play, null=True, on_delete="SET NULL")
    play_id: int | None
    locked_item = ForeignKeyField(Item, null=True, backref="locked_in", on_delete="SET NULL")
    locked_item_id: int | None
    state = CharField(max_length=8, default="idle", constraints=[one_of("state", PLAYBACK_STATES)])
    position_ms = IntegerField(default=0, constraints=[Check("position_ms >= 0")])
    at_ms = BigIntegerField()
    rate = FloatField(default=1.0)
    version = IntegerField(default=1)
    ends_at = BigIntegerField(null=True, index=True)
    paused_by = ForeignKeyField(Member, null=True, backref="pauses", on_delete="SET NULL")
    paused_by_id: int | None


class Message(Table):
    """Something said in a room. A deleted one keeps its place and loses its words."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="messages", on_delete="CASCADE")
    room_id: int
    member = ForeignKeyField(Member, backref="messages", on_delete="CASCADE")
    member_id: int
    text = TextField()
    reply_to = ForeignKeyField("self", null=True, backref="replies", on_delete="SET NULL")
    reply_to_id: int | None
    mentions = JsonField(default=list)
    said_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)
    deleted_by = ForeignKeyField(Member, null=True, backref="messages_deleted", on_delete="SET NULL")
    deleted_by_id: int | None

    class Meta:
        indexes = ((("room", "id"), False),)


class Reaction(Table):
    """One person's sign under a message."""

    id = AutoField()
    message = ForeignKeyField(Message, backref="reactions", on_delete="CASCADE")
    message_id: int
    member = ForeignKeyField(Member, backref="reactions", on_delete="CASCADE")
    member_id: int
    emoji = CharField(max_length=16)

    class Meta:
        indexes = ((("message", "member", "emoji"), True),)


class Event(Table):
    """A row of the room's log, numbered without holes. `data` holds ids and small facts, never words of people."""

    id = AutoField()
    room = ForeignKeyField(Room, backref="events", on_delete="CASCADE")
    room_id: int
    seq = IntegerField()
    kind = CharField(max_length=40)
    actor = ForeignKeyField(Member, null=True, on_delete="SET NULL")
    actor_id: int | None
    data = JsonField()
    at = BigIntegerField()

    class Meta:
        indexes = ((("room", "seq"), True),)


class Outcome(Table):
    """What a command with an idempotency key came to, kept a day, written in the command's own transaction."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    user_id: int
    key = CharField(max_length=64)
    answer = JsonField(null=True)
    at = BigIntegerField(index=True)

    class Meta:
        indexes = ((("user", "key"), True),)


class SiteEvent(Table):
    """What an operator or an account did outside any one room. `data` holds ids and small facts."""

    id = AutoField()
    kind = CharField(max_length=40, index=True)
    actor = ForeignKeyField(User, null=True, backref="site_events", on_delete="SET NULL")
    actor_id: int | None
    data = JsonField()
    at = BigIntegerField(index=True)


TABLES = [
    User,
    Session,
    RecoveryCode,
    Link,
    Attempt,
    Source,
    Track,
    Job,
    Room,
    Member,
    Presence,
    Ban,
    Knock,
    Invite,
    Item,
    Holding,
    Upload,
    Subtitle,
    SubtitleChoice,
    Search,
    SearchAnswer,
    Playlist,
    PlaylistEntry,
    Progress,
    Vote,
    Suggestion,
    Play,
    SkipVote,
    Playback,
    Message,
    Reaction,
    Event,
    Outcome,
    SiteEvent,
]

# What must be true is a constraint, not only an `if`.
PlaylistEntry.add_index(
    PlaylistEntry.index(
        PlaylistEntry.playlist,
        PlaylistEntry.position,
        unique=True,
        where=SQL("removed_at IS NULL"),
        name="playlist_entry_position",
    )
)
Member.add_index(
    Member.index(
        Member.room, unique=True, where=SQL("offered_host_at IS NOT NULL"), name="member_one_host_offered"
    )
)
Knock.add_index(
    Knock.index(Knock.room, Knock.user, unique=True, where=SQL("state = 'waiting'"), name="knock_one_waiting")
)
Suggestion.add_index(
    Suggestion.index(
        Suggestion.room,
        Suggestion.track,
        unique=True,
        where=SQL("state = 'waiting'"),
        name="suggestion_waiting_once",
    )
)
Member.add_index(Member.index(Member.room, unique=True, where=SQL("role = 'host'"), name="member_one_host"))
Item.add_index(
    Item.index(Item.room, Item.track, unique=True, where=SQL("state = 'waiting'"), name="item_waiting_once")
)
Item.add_index(
    Item.index(Item.room, Item.position, unique=True, where=SQL("state = 'waiting'"), name="item_position")
)
Item.add_index(
    Item.index(
        Item.room,
        Item.pin_position,
        unique=True,
        where=SQL("state = 'waiting' AND pin_position IS NOT NULL"),
        name="item_pin_position",
    )
)
Item.add_index(Item.index(Item.room, unique=True, where=SQL("state = 'playing'"), name="item_one_playing"))
Play.add_index(Play.index(Play.room, unique=True, where=SQL("ended_at IS NULL"), name="play_one_open"))


def locking(query: Any, *, to_delete: bool = False, to_name: bool = False) -> Any:
    """The query, locking the rows it reads until the end of the transaction, in the order it reads them.

    Rows that merely name a locked one are still written, unless it is locked `to_delete`. Locked `to_name` it holds off
    only that, as a row that names it would. One lock does on SQLite.
    """
    if is_sqlite():
        return query
    return query.for_update(
        "FOR UPDATE" if to_delete else "FOR KEY SHARE" if to_name else "FOR NO KEY UPDATE"
    )


def rows(query: Any) -> list[Any]:
    """The query's result as plain tuples."""
    return list(query.tuples())


class Prepared:
    """A query whose SQL is made once and run with new values each time; its rows are plain tuples.

    Making SQL costs more than running it, so what is read for every change of a room is read like this.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._made: dict[type, tuple[str, list[Any]]] = {}

    def __call__(self, *values: Any) -> list[Any]:
        handle = database.obj
        made = self._made.get(type(handle))
        if made is None:
            places = [Value(_Place(number), converter=False) for number in range(len(values))]
            made = self._made[type(handle)] = self._make(*places).sql()
        sql, parameters = made
        filled = [values[each.number] if isinstance(each, _Place) else each for each in parameters]
        return list(handle.execute_sql(sql, filled).fetchall())


@dataclass(frozen=True, slots=True)
class _Place:
    """Stands in a prepared query where a value will be."""

    number: int


def open_database(url: str, path: str, wait_ms: int = 0) -> Any:
    """Bind the tables to PostgreSQL when `url` names it, else to the SQLite file at `path`.

    `wait_ms` is how long SQLite itself waits for a lock: not at all in a process that serves, because under gevent
    a wait in C stops everybody; party.change waits politely instead.
    """
    if url:
        from playhouse.postgres_ext import PooledPsycopg3Database

        handle = PooledPsycopg3Database(
            url, max_connections=20, stale_timeout=300, timeout=5, autoconnect=False
        )
    else:
        from playhouse.pool import PooledSqliteDatabase

        handle = PooledSqliteDatabase(
            path,
            max_connections=64,
            timeout=5,
            autoconnect=False,
            check_same_thread=False,
            pragmas={
                "journal_mode": "wal",
                "foreign_keys": 1,
                "busy_timeout": wait_ms,
                "synchronous": "full",
                "cache_size": -8000,
            },
        )
    database.initialize(handle)
    return handle


def is_sqlite() -> bool:
    """True when the tables live in a SQLite file."""
    from peewee import SqliteDatabase

    return isinstance(database.obj, SqliteDatabase)
