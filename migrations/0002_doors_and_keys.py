"""Doors and keys: accounts, ways in, roles, suggestions, skipping together, chat, what operators did."""

from __future__ import annotations

import json
from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
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

KNOCK_STATES = ("waiting", "approved", "declined", "withdrawn", "expired")
SUGGESTION_STATES = ("waiting", "approved", "declined", "withdrawn")
LINK_PURPOSES = ("confirm", "email", "reset")


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


class Member(Table):
    """There already."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")


class Track(Table):
    """There already."""

    id = AutoField()


class Item(Table):
    """There already."""

    id = AutoField()


class Play(Table):
    """There already."""

    id = AutoField()


class RecoveryCode(Table):
    """Opens an account once when its second factor is lost. Only the hash is kept."""

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    code_hash = CharField(max_length=64)
    used_at = BigIntegerField(null=True)


class Link(Table):
    """A one-use link sent by mail or made by the operator. Only its token's hash is kept."""

    token_hash = CharField(max_length=64, primary_key=True)
    user = ForeignKeyField(User, null=True, on_delete="CASCADE")
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


class Ban(Table):
    """Somebody who may not come in: by person and, where `network_hash` is set, by where they come from."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    network_hash = CharField(max_length=64, null=True)
    reason = CharField(max_length=200, default="")
    banned_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")
    banned_at = BigIntegerField()
    until = BigIntegerField(null=True)
    lifted_at = BigIntegerField(null=True)


class Knock(Table):
    """Somebody asks to come in; decided once, before its deadline."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    state = CharField(max_length=9, default="waiting", constraints=[one_of("state", KNOCK_STATES)])
    asked_at = BigIntegerField()
    deadline_at = BigIntegerField(index=True)
    decided_at = BigIntegerField(null=True)
    decided_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")


class Invite(Table):
    """A link that lets so many people in until it ends. Only its token's hash is kept."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")
    token_hash = CharField(max_length=64, unique=True)
    quota = IntegerField(constraints=[Check("quota > 0")])
    used = IntegerField(default=0, constraints=[Check("used >= 0")])
    made_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")
    made_at = BigIntegerField()
    expires_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)


class Suggestion(Table):
    """A track somebody would like on the line, in a room where adding needs approval."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")
    member = ForeignKeyField(Member, on_delete="CASCADE")
    track = ForeignKeyField(Track, on_delete="CASCADE")
    state = CharField(max_length=9, default="waiting", constraints=[one_of("state", SUGGESTION_STATES)])
    reason = CharField(max_length=200, default="")
    item = ForeignKeyField(Item, null=True, on_delete="SET NULL")
    asked_at = BigIntegerField()
    decided_at = BigIntegerField(null=True)
    decided_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")


class SkipVote(Table):
    """One seat's wish to hear the next track; single-use, since it names the play."""

    id = AutoField()
    play = ForeignKeyField(Play, on_delete="CASCADE")
    member = ForeignKeyField(Member, on_delete="CASCADE")
    cast_at = BigIntegerField()

    class Meta:
        indexes = ((("play", "member"), True),)


class Message(Table):
    """Something said in a room. A deleted one keeps its place and loses its words."""

    id = AutoField()
    room = ForeignKeyField(Room, on_delete="CASCADE")
    member = ForeignKeyField(Member, on_delete="CASCADE")
    text = TextField()
    reply_to = ForeignKeyField("self", null=True, on_delete="SET NULL")
    mentions = JsonField(default=list)
    said_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)
    deleted_by = ForeignKeyField(Member, null=True, on_delete="SET NULL")

    class Meta:
        indexes = ((("room", "id"), False),)


class Reaction(Table):
    """One person's sign under a message."""

    id = AutoField()
    message = ForeignKeyField(Message, on_delete="CASCADE")
    member = ForeignKeyField(Member, on_delete="CASCADE")
    emoji = CharField(max_length=16)

    class Meta:
        indexes = ((("message", "member", "emoji"), True),)


class SiteEvent(Table):
    """What an operator or an account did outside any one room. `data` holds ids and small facts."""

    id = AutoField()
    kind = CharField(max_length=40, index=True)
    actor = ForeignKeyField(User, null=True, on_delete="SET NULL")
    data = JsonField()
    at = BigIntegerField(index=True)


NEW_TABLES = [
    RecoveryCode,
    Link,
    Attempt,
    Ban,
    Knock,
    Invite,
    Suggestion,
    SkipVote,
    Message,
    Reaction,
    SiteEvent,
]

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

FLAG = "{boolean} NOT NULL DEFAULT {false}"
NEW_COLUMNS: dict[str, dict[str, str]] = {
    "person": {
        "email": "VARCHAR(254)",
        "password_hash": "VARCHAR(200)",
        "totp_secret": "VARCHAR(300)",
        "totp_since": "{big}",
        "totp_last_step": "{big}",
        "is_admin": FLAG,
        "banned_at": "{big}",
        "banned_until": "{big}",
        "ban_reason": "VARCHAR(200) NOT NULL DEFAULT ''",
    },
    "session": {"device": "VARCHAR(200) NOT NULL DEFAULT ''"},
    "track": {"is_explicit": FLAG, "is_hidden": FLAG},
    "room": {
        "owner_id": "INTEGER REFERENCES person (id) ON DELETE SET NULL",
        "visibility": "VARCHAR(8) NOT NULL DEFAULT 'unlisted' "
        "CHECK (visibility IN ('public', 'unlisted', 'private'))",
        "entry": "VARCHAR(8) NOT NULL DEFAULT 'open' CHECK (entry IN ('open', 'password', 'approval'))",
        "password_hash": "VARCHAR(200)",
        "is_locked": FLAG,
        "door_code": "VARCHAR(8)",
        "settings": "TEXT NOT NULL DEFAULT '{braces}'",
        "continues_id": "INTEGER REFERENCES room (id) ON DELETE SET NULL",
    },
    "member": {
        "network_hash": "VARCHAR(64)",
        "muted_until": "{big}",
        "asked_control_at": "{big}",
        "controls_until": "{big}",
        "controls_once": FLAG,
        "offered_host_at": "{big}",
    },
    "presence": {
        "since_at": "{big} NOT NULL DEFAULT 0",
        "is_idle": FLAG,
        "step": "VARCHAR(12) NOT NULL DEFAULT ''",
    },
    "playback": {"paused_by_id": "INTEGER REFERENCES member (id) ON DELETE SET NULL"},
}
NEW_INDEXES = (
    'CREATE UNIQUE INDEX "person_email" ON "person" ("email")',
    'CREATE UNIQUE INDEX "room_door_code" ON "room" ("door_code")',
    'CREATE INDEX "room_owner_id" ON "room" ("owner_id")',
    'CREATE INDEX "room_visibility" ON "room" ("visibility")',
    'CREATE UNIQUE INDEX "room_continues_id" ON "room" ("continues_id")',
    'CREATE INDEX "playback_paused_by_id" ON "playback" ("paused_by_id")',
    'CREATE UNIQUE INDEX "member_one_host_offered" ON "member" ("room_id") WHERE offered_host_at IS NOT NULL',
)
# Whoever hosts a room that is there already opened it: roles could not change hands before.
OWNERS = "UPDATE room SET owner_id = (SELECT user_id FROM member WHERE room_id = room.id AND role = 'host')"


def up(migrator: Any, db: Any) -> None:
    """New tables, new columns on the old ones, and an owner for every room."""
    database.initialize(db)
    is_sqlite = isinstance(db, SqliteDatabase)
    words = {
        "big": "INTEGER" if is_sqlite else "BIGINT",
        "boolean": "INTEGER" if is_sqlite else "BOOLEAN",
        "false": "0" if is_sqlite else "FALSE",
        "braces": "{}",
    }
    for table, columns in NEW_COLUMNS.items():
        for name, kind in columns.items():
            db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {kind.format(**words)}')
    for statement in NEW_INDEXES:
        db.execute_sql(statement)
    db.execute_sql(OWNERS)
    db.create_tables(NEW_TABLES)
