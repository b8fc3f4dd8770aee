"""Every address of the house with something real in it, for tests that walk through all of them."""

from __future__ import annotations

import re

from flask import Flask
from werkzeug.routing import Rule

from models import Event, Item, Knock, Member, Message, Room, Suggestion
from party import chat, configuring, invites, moderation, people, queue
from tests.stage import Cast

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
FORM = {
    "name": "Mallory",
    "display_name": "Mallory",
    "theme": "dark",
    "email": "mallory@example.org",
    "password": "a long pass phrase",
    "text": "hello",
    "value": "1",
    "after": "",
    "action": "skip",
    "mode": "hand",
    "decision": "approve",
    "role": "cohost",
    "grant": "while",
    "answer": "accept",
    "preset": "radio",
    "locked": "yes",
    "visibility": "private",
    "entry": "open",
    "emoji": "🎉",
    "mark": "hidden",
    "quota": "3",
    "hours": "3",
    "days": "3",
}


def furnish(cast: Cast) -> dict[str, str]:
    """A room in which every kind of thing is there; what stands for each name in an address."""
    items = cast.add(4)
    queue.remove_item(cast.ada, cast.code, items[3])
    message = chat.say(cast.cleo, cast.code, "hello")
    dan = people.join(cast.dan, cast.code)
    ban = moderation.ban(cast.ada, cast.code, dan)
    token = invites.make_invite(cast.ada, cast.code)
    room = cast.room()
    knock = Knock.create(room=room, user=cast.dan.user_id, asked_at=1, deadline_at=2**45)
    wish = Suggestion.create(room=room, member=cast.members["cleo"], track=cast.tracks[9], asked_at=1)
    configuring.change_settings(cast.ada, cast.code, {"vote": "cohosts"})
    seq = Event.select(Event.seq).where(Event.kind == "item_removed").scalar()
    assert Item.get_by_id(items[2]) and Member.get_by_id(dan) and Message.get_by_id(message) and Room.get()
    return {
        "code": cast.code,
        "item_id": str(items[2]),
        "member_id": str(cast.members["cleo"]),
        "message_id": str(message),
        "ban_id": str(ban),
        "knock_id": str(knock.id),
        "invite_id": "1",
        "suggestion_id": str(wish.id),
        "track_id": str(cast.tracks[0]),
        "user_id": str(cast.cleo.user_id),
        "seq": str(seq),
        "token": str(token),
        "handle": "0" * 16,
        "filename": "css/base.css",
    }


def address(rule: Rule, values: dict[str, str]) -> str:
    """The rule's address with real things in it; a name nobody furnished fails here."""
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: values[found[1]], rule.rule)


def changing(app: Flask, values: dict[str, str]) -> list[tuple[str, str]]:
    """Method and address of everything that may change something."""
    return [
        (method, address(rule, values))
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods & CHANGING)
    ]


def reading(app: Flask, values: dict[str, str]) -> list[str]:
    """Every address that can be looked at."""
    return sorted({address(rule, values) for rule in app.url_map.iter_rules() if "GET" in rule.methods})
