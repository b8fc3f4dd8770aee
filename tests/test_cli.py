"""The operator's command line: what each command does, says and answers with, and that it is written down."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from config import ROOT
from models import Attempt, Link, Room, Session, SiteEvent, User, Vote, database
from party import audit, health, passwords, rooms
from tests.doors import session_for
from tests.ledger import every_row
from tests.stage import Cast

GOOD = "a long pass phrase"
DAY_MS = 86_400_000


class Terminal:
    """Runs commands; keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self.out, self.err = capsys, "", ""

    def run(self, *arguments: object) -> int:
        # A command opens its own connection and gives it back; then the test goes on with one.
        database.obj.close()
        code = cli.main([str(each) for each in arguments])
        database.obj.connect(reuse_if_open=True)
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture
def terminal(cast: Cast, capsys: pytest.CaptureFixture[str], monkeypatch) -> Terminal:
    """A terminal somebody sits at."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    return Terminal(capsys)


def kinds() -> list[str]:
    return [row.kind for row in SiteEvent.select().order_by(SiteEvent.id)]


def typed(monkeypatch, *words: str) -> None:
    answers = iter(words)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(answers))


def test_a_new_admin_is_asked_for_a_password_twice(terminal: Terminal, monkeypatch) -> None:
    typed(monkeypatch, GOOD, GOOD)
    assert terminal.run("create-admin", "Boss@Example.org", "--name", "The Boss") == 0
    made = User.get(User.email == "boss@example.org")
    assert made.is_admin and made.display_name == "The Boss"
    assert passwords.is_right(made.password_hash, GOOD) and GOOD not in str(every_row())
    assert kinds() == ["admin_made"] and SiteEvent.get().actor_id is None


def test_two_passwords_that_differ_make_nothing(terminal: Terminal, monkeypatch) -> None:
    typed(monkeypatch, GOOD, "another pass phrase")
    before = every_row()
    assert terminal.run("create-admin", "boss@example.org") == 1
    assert "not the same" in terminal.err and every_row() == before


@pytest.mark.parametrize("password", ["short", "password123", "x" * 129, "boss@example.org"])
def test_a_weak_password_makes_nothing(terminal: Terminal, tmp_path: Path, password: str) -> None:
    (tmp_path / "word").write_text(password)
    before = every_row()
    assert terminal.run("create-admin", "boss@example.org", "--password-file", tmp_path / "word") == 1
    assert len(terminal.err.splitlines()) == 1 and every_row() == before


def test_a_password_comes_from_a_file(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "word").write_text(f"{GOOD}\nnot this\n")
    assert terminal.run("create-admin", "boss@example.org", "--password-file", tmp_path / "word") == 0
    assert passwords.is_right(User.get(User.email == "boss@example.org").password_hash, GOOD)


def test_a_file_that_is_not_there_is_a_sentence(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("create-admin", "boss@example.org", "--password-file", tmp_path / "none") == 1
    assert "No password could be read" in terminal.err


def test_without_a_terminal_nobody_is_asked(terminal: Terminal, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert terminal.run("create-admin", "boss@example.org") == 1
    assert "--password-file" in terminal.err


def test_an_account_that_is_there_is_made_an_admin_without_a_password(terminal: Terminal, cast: Cast) -> None:
    User.update(email="ada@example.org", password_hash="kept").where(User.id == cast.ada.user_id).execute()
    assert terminal.run("create-admin", "ada@example.org") == 0
    ada = User.get_by_id(cast.ada.user_id)
    assert ada.is_admin and ada.password_hash == "kept"
    before = every_row()
    assert terminal.run("create-admin", "ada@example.org") == 0
    assert every_row() == before


def test_rooms_are_listed_and_found(terminal: Terminal, cast: Cast) -> None:
    other = rooms.open_room(cast.ben, "Späti \u202e\x1b", 300)
    assert terminal.run("rooms") == 0
    assert (
        cast.code in terminal.out and "Friday, hosted by Ada" in terminal.out and "2 rooms." in terminal.out
    )
    Room.update(name="Späti \u202e\x1b[2J").where(Room.code == other).execute()
    assert terminal.run("rooms", "späti") == 0
    assert other in terminal.out and cast.code not in terminal.out
    assert "\x1b" not in terminal.out and "\u202e" not in terminal.out
    assert terminal.run("rooms", "--state", "ended") == 0
    assert terminal.out == "No rooms.\n"


def test_a_long_list_is_whole(terminal: Terminal) -> None:
    for number in range(120):
        Room.create(code=f"CODE{number:04}", name=f"Room {number}", epoch="x", created_at=1)
    terminal.run("rooms")
    assert "121 rooms." in terminal.out and len(terminal.out.splitlines()) == 122


def test_a_room_is_ended_by_the_code_people_say(terminal: Terminal, cast: Cast) -> None:
    said = f"{cast.code[:4].lower()} {cast.code[4:].lower()}"
    assert terminal.run("end-room", said) == 0
    assert "Friday has ended" in terminal.out and cast.room().state == "EXPIRED"
    assert kinds() == ["room_ended"]
    before = every_row()
    assert terminal.run("end-room", said) == 1
    assert terminal.run("end-room", "ABCD EFGH") == 1
    assert "No room answers" in terminal.err and every_row() == before


def test_a_ban_by_number_and_its_end(terminal: Terminal, cast: Cast, time) -> None:
    session_for(cast.cleo)
    assert terminal.run("ban", cast.cleo.user_id, "--until", "2w", "--reason", "spam") == 0
    cleo = User.get_by_id(cast.cleo.user_id)
    assert cleo.banned_until == time.now_ms + 14 * DAY_MS and cleo.ban_reason == "spam"
    assert not Session.select().where(Session.user == cleo).exists()
    assert terminal.run("unban", cast.cleo.user_id) == 0
    assert User.get_by_id(cast.cleo.user_id).banned_at is None
    assert kinds() == ["person_banned", "person_unbanned"]


def test_the_operator_may_ban_an_admin_by_address(terminal: Terminal, cast: Cast) -> None:
    User.update(email="ada@example.org", is_admin=True).where(User.id == cast.ada.user_id).execute()
    assert terminal.run("ban", "Ada@Example.org") == 0
    assert "for good" in terminal.out and User.get_by_id(cast.ada.user_id).banned_until is None


@pytest.mark.parametrize(
    "until", ["3x", "0d", "-1d", "2020-01-01", "2030-13-01", "tomorrow", "d", "9" * 9 + "d"]
)
def test_an_end_that_makes_no_sense_bans_nobody(terminal: Terminal, cast: Cast, until: str) -> None:
    before = every_row()
    assert terminal.run("ban", cast.cleo.user_id, f"--until={until}") == 1
    assert len(terminal.err.splitlines()) == 1 and every_row() == before


def test_a_day_ends_with_its_last_second() -> None:
    assert cli.parse_until("2030-12-31", 0) == 1_924_991_999_000
    assert cli.parse_until("", 5) is None and cli.parse_until("12h", 5) == 43_200_005


def test_nobody_of_that_name_is_a_sentence(terminal: Terminal) -> None:
    before = every_row()
    for words in (
        ("ban", "nobody@example.org"),
        ("unban", "999"),
        ("ban", "x"),
        ("reset-link", "no@example.org"),
    ):
        assert terminal.run(*words) == 1
        assert len(terminal.err.splitlines()) == 1, words
    assert every_row() == before


def test_a_reset_link_is_an_address_alone_on_its_line(terminal: Terminal, cast: Cast) -> None:
    User.update(email="ada@example.org", password_hash="x").where(User.id == cast.ada.user_id).execute()
    assert terminal.run("reset-link", "ada@example.org") == 0
    assert terminal.out.startswith("http://localhost:") and "/reset/" in terminal.out
    assert terminal.out.count("\n") == 1
    token = terminal.out.strip().rpartition("/")[2]
    assert kinds() == ["link_made"] and token not in str(every_row())


def test_check_finds_nothing_and_then_something(terminal: Terminal, cast: Cast) -> None:
    cast.add(3)
    User.select().count()
    assert terminal.run("check") == 0
    assert terminal.run("check", cast.code) == 0
    Vote.insert(item=cast.line()[0], member=cast.members["ben"], value=1, cast_at=1).execute()
    assert terminal.run("check") == 1
    assert f"I2   {cast.code}" in terminal.out and "1 violations." in terminal.out
    assert terminal.run("check", cast.code) == 1
    assert terminal.run("check", "ABCDEFGH") == 1


def test_prune_lets_go_of_what_is_old_and_of_nothing_else(terminal: Terminal, cast: Cast, time) -> None:
    now = time.now_ms
    Attempt.insert_many(
        [("x", "old", now - 2 * DAY_MS), ("x", "new", now)], ["kind", "subject", "at"]
    ).execute()
    for number, (expires, used) in enumerate(
        [(now - 1, None), (now + DAY_MS, None), (now + DAY_MS, now - 2 * DAY_MS), (now + DAY_MS, now - 5)]
    ):
        Link.insert(
            token_hash=f"{number}",
            purpose="reset",
            email="x",
            created_at=1,
            expires_at=expires,
            used_at=used,
        ).execute()
    SiteEvent.insert(kind="signed_in", data={}, at=now - 400 * DAY_MS).execute()
    ended = rooms.open_room(cast.ben, "Long ago", 300)
    Room.update(state="EXPIRED", expired_at=now - 40 * DAY_MS).where(Room.code == ended).execute()
    assert terminal.run("prune") == 0
    assert [row.subject for row in Attempt.select()] == ["new"]
    assert sorted(row.token_hash for row in Link.select()) == ["1", "3"]
    assert kinds() == ["rows_pruned"] and SiteEvent.get().data == {"rows": 4}
    assert Room.select().where(Room.code == ended).exists()
    assert terminal.run("prune", "--ended-rooms", "41") == 0
    assert Room.select().where(Room.code == ended).exists()
    assert terminal.run("prune", "--ended-rooms", "30") == 0
    assert not Room.select().where(Room.code == ended).exists() and cast.room().state == "CREATED"
    before = every_row()
    assert terminal.run("prune", "--ended-rooms", "0") == 1
    assert every_row() == before


def test_tidying_twice_finds_nothing_the_second_time(cast: Cast) -> None:
    health.tidy()
    assert health.tidy() == 0


def test_the_demo_library_is_made_here_and_now(terminal: Terminal, monkeypatch) -> None:
    from tasks import library

    made: list[bool] = []
    monkeypatch.setattr(library.make_demo_library, "call_local", lambda: made.append(True))
    assert terminal.run("seed-demo") == 0
    assert made == [True] and "was there" in terminal.out and kinds() == ["library_seeded"]


@pytest.mark.parametrize("arguments", [[], ["frob"], ["end-room"], ["ban"], ["rooms", "--state", "x"]])
def test_what_is_not_understood_is_answered_with_how_to_say_it(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2 and "usage: partyline" in capsys.readouterr().err


def test_every_command_has_its_help(capsys) -> None:
    for command in (
        "create-admin",
        "rooms",
        "end-room",
        "ban",
        "unban",
        "reset-link",
        "seed-demo",
        "prune",
        "check",
    ):
        with pytest.raises(SystemExit) as end:
            cli.main([command, "--help"])
        assert end.value.code == 0 and len(capsys.readouterr().out) > 100


def test_it_runs_from_anywhere_on_an_installation_that_never_ran(tmp_path: Path) -> None:
    (tmp_path / "word").write_text(GOOD)
    environ = {
        **os.environ,
        "PARTYLINE_VENV": sys.prefix,
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": "",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "bin/partyline"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100)

    assert "create-admin" in run("--help").stdout
    made = run("create-admin", "boss@example.org", "--password-file", "word")
    assert (made.returncode, made.stderr) == (0, "")
    assert run("check").returncode == 0
    environ["PORT"] = "x"
    wrong = run("rooms")
    assert wrong.returncode == 1 and wrong.stderr.startswith("PORT is 'x'") and wrong.stderr.count("\n") == 1


def test_the_operator_is_named_in_the_sites_log(terminal: Terminal, cast: Cast) -> None:
    terminal.run("end-room", cast.code)
    [entry] = audit.entries("", None, 1)[0]
    assert (entry.who, entry.about) == (audit.OPERATOR, "Friday")
