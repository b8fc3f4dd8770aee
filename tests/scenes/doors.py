"""Ways in and moderation: for every command, what comes before it and the command. Taken over by the stale screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Ban, Invite, Knock
from party import entry, invites, knocks, moderation

Scene = Any
Step = Callable[[Scene], object]
HOME = "a network"


def NOTHING(s: Scene) -> None:  # noqa: N802
    """The scene as it stands."""


def by_approval(s: Scene) -> None:
    """The host opens the door."""
    entry.set_access(s.cast.ada, s.code, "unlisted", "approval")


def knocked(s: Scene) -> None:
    """Dan waits at the door."""
    by_approval(s)
    knocks.knock(s.cast.dan, s.code, HOME)


def invited(s: Scene) -> None:
    """One invitation is out."""
    s.token = invites.make_invite(s.cast.ada, s.code, quota=1)


def banned(s: Scene) -> None:
    """Cleo is banned."""
    moderation.ban(s.cast.ada, s.code, s.cast.members["cleo"], "enough")


def muted(s: Scene) -> None:
    """Cleo may not talk."""
    moderation.mute(s.cast.ada, s.code, s.cast.members["cleo"])


def late_knock(s: Scene) -> None:
    """Nobody answered in time."""
    knocked(s)
    s.time.move(601)


COMMANDS: dict[str, tuple[Step, Step]] = {
    "set_access": (NOTHING, by_approval),
    "set_access that sends the knockers on": (
        knocked,
        lambda s: entry.set_access(s.cast.ada, s.code, "public", "open"),
    ),
    "rotate_code": (NOTHING, lambda s: entry.rotate_code(s.cast.ada, s.code)),
    "lock_room": (NOTHING, lambda s: entry.lock_room(s.cast.ben, s.code, True)),
    "knock": (by_approval, lambda s: knocks.knock(s.cast.dan, s.code, HOME)),
    "withdraw_knock": (knocked, lambda s: knocks.withdraw_knock(s.cast.dan, s.code)),
    "decide_knock: approve": (
        knocked,
        lambda s: knocks.decide_knock(s.cast.ben, s.code, Knock.get().id, "approve"),
    ),
    "decide_knock: decline": (
        knocked,
        lambda s: knocks.decide_knock(s.cast.ada, s.code, Knock.get().id, "decline"),
    ),
    "expire_knocks": (late_knock, lambda s: knocks.expire_knocks(s.code)),
    "make_invite": (NOTHING, invited),
    "revoke_invite": (invited, lambda s: invites.revoke_invite(s.cast.ada, s.code, Invite.get().id)),
    "enter_by_invite": (invited, lambda s: invites.enter_by_invite(s.cast.dan, s.token, HOME)),
    "kick": (NOTHING, lambda s: moderation.kick(s.cast.ada, s.code, s.cast.members["cleo"])),
    "kick a co-host": (NOTHING, lambda s: moderation.kick(s.cast.ada, s.code, s.cast.members["ben"])),
    "readmit": (
        lambda s: moderation.kick(s.cast.ada, s.code, s.cast.members["cleo"]),
        lambda s: moderation.readmit(s.cast.ada, s.code, s.cast.members["cleo"]),
    ),
    "ban": (NOTHING, banned),
    "ban with everything": (
        NOTHING,
        lambda s: moderation.ban(
            s.cast.ada, s.code, s.cast.members["cleo"], minutes=60, with_network=True, remove_items=True
        ),
    ),
    "lift_ban": (banned, lambda s: moderation.lift_ban(s.cast.ada, s.code, Ban.get().id)),
    "mute": (NOTHING, muted),
    "unmute": (muted, lambda s: moderation.unmute(s.cast.ada, s.code, s.cast.members["cleo"])),
}
