"""The operator's command line: what can be done without a browser, for whoever runs this installation.

Each command is a few lines; rules live in party/. Exit codes: 0 done, 1 refused or violations found, 2 not understood.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config import Settings

ROOT = Path(__file__).resolve().parent
UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class Stop(Exception):
    """One sentence for the person at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    wanted = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal in another character set gets question marks instead of a traceback.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        return _run(wanted)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("Stopped; nothing was changed.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the answer had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its help."""
    top = argparse.ArgumentParser(
        prog="partyline",
        description="Looks after a Partyline installation. Everything done is kept in its audit.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, act: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(act=act)
        return made

    admin = add("create-admin", create_admin, "Make an account an admin, or make a new account that is one.")
    admin.add_argument("email", help="the account's address")
    admin.add_argument("--name", default="Admin", help="the name of a new account (default: %(default)s)")
    admin.add_argument(
        "--password-file",
        type=Path,
        help="read a new account's password from this file's first line instead of asking",
    )
    rooms = add("rooms", list_rooms, "List rooms, the newest first.")
    rooms.add_argument("search", nargs="?", default="", help="part of the name, or the code")
    rooms.add_argument("--state", choices=("open", "ended"), default="", help="only these")
    end = add("end-room", end_room, "End a room for good: the music stops and everybody is told.")
    end.add_argument("code", help="the room's code, as people say it")
    ban = add("ban", ban_person, "Close the whole site to a person and sign them out.")
    ban.add_argument("person", help="an account's address, or a person's number")
    ban.add_argument(
        "--until", default="", help="when it ends: 12h, 7d, 2w, or a day such as 2030-12-31 (UTC)"
    )
    ban.add_argument("--reason", default="", help="why, for those who run the site")
    unban = add("unban", unban_person, "Open the site to a banned person again.")
    unban.add_argument("person", help="an account's address, or a person's number")
    link = add("reset-link", print_reset_link, "Print a link with which an account sets a new password.")
    link.add_argument("email", help="the account's address")
    add("seed-demo", seed_demo, "Make the demo library's missing tracks here and now; it takes minutes.")
    prune = add("prune", prune_rows, "Let go of rows nobody may ask for any more.")
    prune.add_argument(
        "--ended-rooms", type=int, metavar="DAYS", help="also delete rooms that ended so long ago"
    )
    check = add("check", check_rooms, "Verify the invariants on the database; 1 when something is violated.")
    check.add_argument("code", nargs="?", help="only this room")
    return top


def create_admin(wanted: argparse.Namespace) -> int:
    """Promote an account, or ask for a password and make one."""
    from party import operating

    password = None if operating.has_account(wanted.email) else _new_password(wanted.password_file)
    is_new = operating.make_admin(wanted.email, password, wanted.name)
    print(f"{wanted.email} {'has a new account and is' if is_new else 'is'} an admin.")
    return 0


def list_rooms(wanted: argparse.Namespace) -> int:
    """One line for each room."""
    from party import overview
    from party.clock import now_ms
    from party.people import words_for

    page, now = 0, now_ms()
    while True:
        page += 1
        found = overview.find_rooms(wanted.search, wanted.state, page)
        for row in found.rows:
            facts = f"{row.door_code}  {row.state:8}{row.here:4} here  {words_for(now - row.created_at):>9}"
            print(f"{facts}  {_plain(row.name)}, hosted by {_plain(row.host) or 'nobody'}")
        if not found.has_more:
            print("One room." if found.total == 1 else f"{found.total or 'No'} rooms.")
            return 0


def end_room(wanted: argparse.Namespace) -> int:
    """End one room."""
    from party import operating

    room = _room(wanted.code)
    operating.end_room(None, room.code)
    print(f"{_plain(room.name)} has ended.")
    return 0


def ban_person(wanted: argparse.Namespace) -> int:
    """Ban by address or number."""
    from party import operating
    from party.clock import now_ms

    until = parse_until(wanted.until, now_ms())
    operating.ban(None, operating.find_person(wanted.person), until, wanted.reason)
    print(f"{wanted.person} is banned {'until ' + _when(until) if until else 'for good'}.")
    return 0


def unban_person(wanted: argparse.Namespace) -> int:
    """Lift a ban."""
    from party import operating

    operating.unban(None, operating.find_person(wanted.person))
    print(f"{wanted.person} may come in again.")
    return 0


def print_reset_link(wanted: argparse.Namespace) -> int:
    """The link, alone on its line."""
    from config import settings
    from party import accounts

    path = accounts.make_reset_link(wanted.email)
    print((settings.public_url or f"http://localhost:{settings.port}") + path)
    return 0


def seed_demo(_wanted: argparse.Namespace) -> int:
    """Render what is missing."""
    from party import audit, library
    from tasks.library import make_demo_library

    before = len(library.known_slugs())
    make_demo_library.call_local()
    made = len(library.known_slugs()) - before
    audit.note(None, "library_seeded", tracks=made)
    print(f"{made} tracks were made." if made else "Every track of the demo library was there.")
    return 0


def prune_rows(wanted: argparse.Namespace) -> int:
    """Tidy up, and ended rooms where asked."""
    from party import audit, health

    days = wanted.ended_rooms
    if days is not None and days < 1:
        raise Stop("Ended rooms are kept for a day at least.")
    gone = health.tidy()
    rooms = health.forget_ended_rooms(days) if days else 0
    audit.note(None, "rows_pruned", rows=gone + rooms)
    print(f"{gone} old rows and {rooms} ended rooms are gone.")
    return 0


def check_rooms(wanted: argparse.Namespace) -> int:
    """Violations, one a line."""
    from party import auditor

    found = auditor.audit_room(_room(wanted.code).code) if wanted.code else auditor.audit_all()
    for violation in found:
        print(f"{violation.invariant:5}{violation.room or '-':10}{violation.sentence}")
    print(f"{len(found)} violations." if found else "Everything is as it should be.")
    return 1 if found else 0


def parse_until(text: str, now: int) -> int | None:
    """When a ban ends: a span from now, or the end of a day in UTC; None for an empty text."""
    if not text:
        return None
    span = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if span:
        return now + int(span[1]) * UNITS_MS[span[2]]
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError:
        raise Stop(f"--until is {text!r}; it may be 12h, 7d, 2w, or a day such as 2030-12-31.") from None
    return int(day.timestamp() * 1000)


def _run(wanted: argparse.Namespace) -> int:
    sys.path.append(str(ROOT / "bin"))
    from environment import read_env_file
    from steps import Refusal as BadFile

    try:
        read_env_file(ROOT / ".env")
        from config import settings
    except (BadFile, ValueError) as error:
        raise Stop(str(error)) from error
    from peewee import PeeweeException

    from party.errors import Refusal

    try:
        with _database(settings):
            return int(wanted.act(wanted))
    except Refusal as refusal:
        raise Stop(refusal.message) from refusal
    except PeeweeException as error:
        raise Stop(f"The database gave no answer: {error}") from error


def _database(settings: Settings) -> AbstractContextManager[None]:
    """A connection for the command; the schema is brought up to date first, as bin/run does."""
    from party.change import connected
    from party.storage import migrate, open_storage

    open_storage(settings, wait_ms=5_000)
    migrate()
    return connected()


def _room(text: str):  # type: ignore[no-untyped-def]
    from party import rooms

    room = rooms.find(text)
    if room is None:
        raise Stop("No room answers to that code.")
    return room


def _new_password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").splitlines()[0]
        except (OSError, UnicodeDecodeError, IndexError):
            raise Stop(f"No password could be read from {str(file)!r}.") from None
    if not sys.stdin.isatty():
        raise Stop("There is no terminal to ask for a password; name a file with --password-file.")
    first = getpass.getpass("A password for the new account: ")
    if getpass.getpass("The same again: ") != first:
        raise Stop("The two were not the same. Nothing was changed.")
    return first


def _plain(text: str) -> str:
    """People's words without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _when(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


if __name__ == "__main__":
    sys.exit(main())
