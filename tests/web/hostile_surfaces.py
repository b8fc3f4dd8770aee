"""Where people's words are shown: pages, pieces, frames and answers of the house that hostile_world furnishes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask

import fragments
from models import Item, Message, User
from party import discovery, queue
from party.presence import StepView
from party.views import Audience
from tests.doors import Browser, make_app
from tests.web.hostile_world import World

Surface = Callable[[], str]
SCRIPTED = {"HX-Request": "true"}
LEADING = ("title", "banner", "now_playing", "playback", "requests", "settings", "mini")


def forget() -> None:
    """What is kept in memory is of the texts before."""
    fragments._recent.clear()
    discovery._kept = None
    discovery._moods.clear()


def surfaces(app: Flask, world: World) -> tuple[dict[str, Surface], dict[str, Surface]]:
    """What shows people's words: in every turn where a text has one place, in some where it has many."""
    code, codes, who = world.codes["open"], world.codes, world.persons
    ada, cleo, dan, gus = (Browser(app, who[name]) for name in ("ada", "cleo", "dan", "gus"))
    ben, nobody = Browser(app, who["ben"]), Browser(app)
    first = Item.select().where(Item.room == world.cast.room(), Item.state == "waiting").get().id
    last = Message.select().order_by(Message.id.desc()).get().id

    def get(browser: Browser, path: str, **headers: str) -> Surface:
        return lambda: browser.get(path, headers).text

    def name_of(person: str) -> str:
        return str(User.get_by_id(who[person].user_id).display_name)

    def taken(browser: Browser, headers: dict[str, str]) -> str:
        return browser.post("/guest", headers, display_name=name_of("ada")).text

    def removed() -> str:
        item = Item.select().where(Item.room == world.cast.room(), Item.state == "waiting").get()
        return fragments.notice(f"Removed {queue.title_of(code, item.id)}.", "/", "Undo")

    narrow = {
        "room (stranger), link preview": get(nobody, f"/rooms/{code}"),
        "banner (host away)": lambda: pieces(codes["away"], "cohost", "banner"),
        "pieces (host)": lambda: pieces(code, "host", *LEADING),
        "frame (host)": partial(frame, world, "host"),
        "share of a guest": lambda: fragments.mine(code, who["cleo"].user_id),
        "earlier messages": get(cleo, f"/rooms/{code}/messages?before={last}", **SCRIPTED),
        "bans": get(ada, f"/rooms/{code}/bans"),
        "invites": get(ada, f"/rooms/{code}/invites"),
        "invite page": get(nobody, f"/invites/{world.invite}"),
        "door (banned)": get(dan, f"/rooms/{code}"),
        "door (password)": get(nobody, f"/rooms/{codes['password']}"),
        "door (approval)": get(nobody, f"/rooms/{codes['approval']}"),
        "door (locked)": get(nobody, f"/rooms/{codes['locked']}"),
        "knock page": get(gus, f"/rooms/{code}/knock"),
        "memory": get(ada, f"/rooms/{codes['over']}"),
        "home, cards": get(nobody, "/"),
        "error page": partial(taken, cleo, {}),
        "notice (name taken)": partial(taken, cleo, SCRIPTED),
        "notice (removed)": removed,
        "players out of step": lambda: fragments.steps(
            (StepView("muted", 1, "still muted by their browser", (name_of("cleo"),)),)
        ),
        "playlists": get(ada, "/playlists"),
        "playlist": get(ada, f"/playlists/{world.ids['playlist']}"),
        "playlist, matches": get(ada, f"/playlists/{world.ids['playlist']}/matches"),
        "playlist, shared": get(nobody, f"/playlists/shared/{world.share}"),
        "playlists in a room": get(ada, f"/rooms/{code}/playlists", **SCRIPTED),
        "playlists for a track": get(ada, f"/rooms/{code}/playlists?for=track&item={first}"),
        "what plays on": get(ada, f"/rooms/{code}/playlists?for=empty"),
        "servers": get(ada, "/sources"),
        "servers in a room": get(ada, f"/rooms/{code}/shelf"),
        "a server": get(ada, f"/rooms/{code}/shelf/{world.ids['shelf']}"),
        "Spotify": get(Browser(make_app(spotify_client_id="x"), who["ada"]), "/spotify"),
        "found in a catalogue": get(ada, f"/searches/{world.ids['search']}/archive", **SCRIPTED),
        "found elsewhere": get(ada, f"/rooms/{code}/search?search=nothing&asked={world.ids['search']}"),
        "upload.json": get(ada, "/uploads/upload0"),
        "refused upload.json": get(ada, "/uploads/upload1"),
        "providers": get(ada, "/admin/providers"),
        "library of a room": get(ada, f"/library?room={code}&genre=none"),
        "log (nothing)": get(ada, f"/rooms/{code}/log?kind=votes&person={world.cast.members['ben']}"),
    }
    wide = {
        "share target": lambda: ada.post("/share", text="https://example.org/").text,
        "frame (guest)": partial(frame, world, "guest"),
        "room (host)": get(ada, f"/rooms/{code}"),
        "room (guest)": get(cleo, f"/rooms/{code}"),
        "room (co-host)": get(ben, f"/rooms/{code}?tab=people"),
        "room without a host": get(ben, f"/rooms/{codes['away']}"),
        "changes": get(cleo, f"/rooms/{code}/changes"),
        "discover": get(nobody, "/discover", **SCRIPTED),
        "cards anew": get(nobody, f"/discover?shown={','.join(codes.values())}", **SCRIPTED),
        "home (own rooms)": get(ada, "/"),
        "my rooms": get(ada, "/my-rooms"),
        "account": get(ada, "/account"),
        "account/export.json": get(ada, "/account/export.json"),
        "log": get(ada, f"/rooms/{code}/log"),
        "log (door)": get(ada, f"/rooms/{code}/log?kind=door"),
        "log (line)": get(ben, f"/rooms/{code}/log?kind=line"),
        "library": get(nobody, "/library"),
        "admin rooms": get(ada, "/admin/rooms"),
        "admin people": get(ada, "/admin/people"),
        "admin library": get(ada, "/admin/library"),
        "admin audit": get(ada, "/admin/audit"),
    }
    return narrow, wide


def pieces(code: str, role: str, *names: str) -> str:
    return fragments.pieces(fragments.current(code), Audience(role), frozenset(names))


def frame(world: World, role: str) -> str:
    """What a screen gets that stopped listening a while ago: rows gone, new, moved and changed, and what was said."""
    now = fragments.current(world.codes["open"])
    first, *others, last = now.items
    before = replace(
        now, seq=world.since, items=(*reversed(others), replace(first, net=-1), replace(last, id=9_999))
    )
    fragments._recent[now.code] = OrderedDict({before.seq: before, now.seq: now})
    html = fragments.lacking(now, Audience(role), world.since, now.epoch).html
    assert 'id="chat-new"' in html
    return html
