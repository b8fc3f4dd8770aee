"""Real media: what a track is and how it is played, uploads, subtitles, sources, searches, playlists, progress."""

from __future__ import annotations

import json
from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

database = DatabaseProxy()

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
    """There already; named here so that others may point at it."""

    id = AutoField()

    class Meta:
        table_name = "person"


class Room(Table):
    """There already."""

    id = AutoField()


class Track(Table):
    """There already."""

    id = AutoField()


class Source(Table):
    """Somebody's own media server or account elsewhere. `secret` is sealed with a key made from SECRET_KEY."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
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


class Holding(Table):
    """Who brought a track that is not listed, and into which room: there, and by them, it is found again."""

    id = AutoField()
    track = ForeignKeyField(Track, on_delete="CASCADE")
    room = ForeignKeyField(Room, null=True, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    added_at = BigIntegerField()

    class Meta:
        indexes = ((("track", "room", "user"), True),)


class Upload(Table):
    """A file on its way here, in pieces. `token` is its address; bytes lie in a file of the same name."""

    id = AutoField()
    token = CharField(max_length=32, unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE")
    room = ForeignKeyField(Room, null=True, on_delete="CASCADE")
    name = CharField(max_length=200)
    size_bytes = BigIntegerField(constraints=[Check("size_bytes > 0")])
    received_bytes = BigIntegerField(default=0, constraints=[Check("received_bytes >= 0")])
    state = CharField(
        max_length=9, default="receiving", constraints=[one_of("state", UPLOAD_STATES)], index=True
    )
    reason = CharField(max_length=200, default="")
    track = ForeignKeyField(Track, null=True, on_delete="SET NULL")
    goes_on_line = BooleanField(default=True)
    began_at = BigIntegerField()
    touched_at = BigIntegerField(index=True)


class Subtitle(Table):
    """Words to a video, kept as WebVTT."""

    id = AutoField()
    track = ForeignKeyField(Track, on_delete="CASCADE")
    label = CharField(max_length=60)
    language = CharField(max_length=12, default="")
    file = CharField(max_length=200)
    added_by = ForeignKeyField(User, null=True, on_delete="SET NULL")
    added_at = BigIntegerField()


class SubtitleChoice(Table):
    """Which subtitles one person reads with a track; none chosen is off."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    track = ForeignKeyField(Track, on_delete="CASCADE")
    subtitle = ForeignKeyField(Subtitle, null=True, on_delete="CASCADE")

    class Meta:
        indexes = ((("user", "track"), True),)


class Search(Table):
    """Words somebody looks for in catalogues elsewhere; the worker asks, one answer for each source."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    room = ForeignKeyField(Room, null=True, on_delete="CASCADE")
    words = CharField(max_length=200)
    asked_at = BigIntegerField(index=True)


class SearchAnswer(Table):
    """What one source said to a search. `results` are rows as media.provider.Found has them."""

    id = AutoField()
    search = ForeignKeyField(Search, on_delete="CASCADE")
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
    user = ForeignKeyField(User, on_delete="CASCADE")
    name = CharField(max_length=100)
    share_token = CharField(max_length=32, null=True, unique=True)
    created_at = BigIntegerField()
    changed_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)


class PlaylistEntry(Table):
    """One line of a playlist; without a track only its words are known, until somebody says which track is meant."""

    id = AutoField()
    playlist = ForeignKeyField(Playlist, on_delete="CASCADE")
    track = ForeignKeyField(Track, null=True, on_delete="SET NULL")
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
    user = ForeignKeyField(User, on_delete="CASCADE")
    room = ForeignKeyField(Room, on_delete="CASCADE")
    content = CharField(max_length=120)
    track = ForeignKeyField(Track, on_delete="CASCADE")
    position_ms = IntegerField(constraints=[Check("position_ms >= 0")])
    duration_ms = IntegerField(constraints=[Check("duration_ms >= 0")])
    is_done = BooleanField(default=False)
    saved_at = BigIntegerField(index=True)

    class Meta:
        indexes = ((("user", "room", "content"), True),)
        constraints = [Check("duration_ms = 0 OR position_ms <= duration_ms")]


NEW_TABLES = [
    Source,
    Holding,
    Upload,
    Subtitle,
    SubtitleChoice,
    Search,
    SearchAnswer,
    Playlist,
    PlaylistEntry,
    Progress,
]

PlaylistEntry.add_index(
    PlaylistEntry.index(
        PlaylistEntry.playlist,
        PlaylistEntry.position,
        unique=True,
        where=SQL("removed_at IS NULL"),
        name="playlist_entry_position",
    )
)

FLAG = "{boolean} NOT NULL DEFAULT {false}"
WORDS = "NOT NULL DEFAULT ''"
NEW_COLUMNS: dict[str, dict[str, str]] = {
    "track": {
        "length_ms": "INTEGER NOT NULL DEFAULT 0 CHECK (length_ms >= 0)",
        "is_listed": FLAG,
        "provider": "VARCHAR(16) NOT NULL DEFAULT 'house'",
        "reference": f"TEXT {WORDS}",
        "player": "VARCHAR(8) NOT NULL DEFAULT 'file' "
        "CHECK (player IN ('file', 'hls', 'youtube', 'vimeo', 'embed', 'spotify'))",
        "is_video": FLAG,
        "state": "VARCHAR(10) NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'looking_up', 'failed'))",
        "failure": f"VARCHAR(200) {WORDS}",
        "looked_up_at": "{big}",
        "tries": "INTEGER NOT NULL DEFAULT 0",
        "content": f"VARCHAR(120) {WORDS}",
        "mime": f"VARCHAR(60) {WORDS}",
        "size_bytes": "{big} NOT NULL DEFAULT 0",
        "sha256": "VARCHAR(64)",
        "opus_file": f"VARCHAR(200) {WORDS}",
        "opus_gain_db": "REAL NOT NULL DEFAULT 0",
        "loudness_lufs": "REAL",
        "peaks": f"TEXT {WORDS}",
        "source_id": "INTEGER REFERENCES source (id) ON DELETE SET NULL",
    },
    "item": {"is_filler": FLAG, "length_ms": "INTEGER NOT NULL DEFAULT 0 CHECK (length_ms >= 0)"},
}
# A length of nothing is one that is not known; SQLite changes no CHECK in place.
CHANGES = (
    'UPDATE "track" SET length_ms = duration_ms',
    'ALTER TABLE "track" DROP COLUMN "duration_ms"',
    'ALTER TABLE "track" RENAME COLUMN "length_ms" TO "duration_ms"',
    'ALTER TABLE "track" RENAME COLUMN "audio_file" TO "media_file"',
    'UPDATE "track" SET is_listed = {true}',
    'CREATE INDEX "track_is_listed" ON "track" ("is_listed")',
    'CREATE INDEX "track_state" ON "track" ("state")',
    'CREATE UNIQUE INDEX "track_sha256" ON "track" ("sha256")',
    'CREATE INDEX "track_source_id" ON "track" ("source_id")',
)


def up(migrator: Any, db: Any) -> None:
    """New tables, new columns on the old ones; every track that is there already is in everybody's library."""
    database.initialize(db)
    is_sqlite = isinstance(db, SqliteDatabase)
    words = {
        "big": "INTEGER" if is_sqlite else "BIGINT",
        "boolean": "INTEGER" if is_sqlite else "BOOLEAN",
        "false": "0" if is_sqlite else "FALSE",
        "true": "1" if is_sqlite else "TRUE",
    }
    db.create_tables(NEW_TABLES)
    for table, columns in NEW_COLUMNS.items():
        for name, kind in columns.items():
            db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {kind.format(**words)}')
    for statement in CHANGES:
        db.execute_sql(statement.format(**words))
