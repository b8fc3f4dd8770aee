"""What bin/run cannot work with, it says in one sentence and leaves nothing behind."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Terminal


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr


def test_a_taken_port_is_named(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", terminal.port))
        taken.listen()
        assert_one_sentence(terminal.run(), f"Port {terminal.port} is taken")


def test_a_host_that_is_not_ours_is_named(terminal: Terminal) -> None:
    assert_one_sentence(terminal.run(HOST="192.0.2.7"), "HOST is '192.0.2.7'")


def test_a_file_where_the_data_folder_should_be_is_named(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a folder")
    done = terminal.run(DATA_DIR=str(tmp_path / "notes.txt"))
    assert_one_sentence(done, "DATA_DIR is", "notes.txt", "cannot write")


def test_a_folder_below_a_file_is_named(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a folder")
    assert_one_sentence(terminal.run(DATA_DIR=str(tmp_path / "notes.txt" / "data")), "DATA_DIR is")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("DEMO", "maybe"),
        ("GRACE_SECONDS", "-1"),
        ("PUBLIC_URL", "party.example.org"),
        ("WEB_CONCURRENCY", "many"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(terminal: Terminal, name: str, value: str) -> None:
    assert_one_sentence(terminal.run(**{name: value}), f"{name} is {value!r}")


def test_a_bad_setting_starts_nothing_and_writes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(PORT="eighty")
    assert not (tmp_path / "data").exists()
    assert terminal.processes() == {}


def test_a_line_of_the_settings_file_that_says_nothing_is_shown(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text("# settings\n\nDEMO 0\n")
    assert_one_sentence(terminal.run(), "Line 3 of .env is 'DEMO 0'")


def test_the_settings_file_counts(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text('export GRACE_SECONDS="soon"\n')
    assert_one_sentence(terminal.run(), "GRACE_SECONDS is 'soon'")


def test_the_environment_wins_over_the_settings_file(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text("PORT=eighty\n")
    assert_one_sentence(terminal.run(GRACE_SECONDS="soon"), "GRACE_SECONDS is 'soon'")


def test_a_database_out_of_reach_is_told_in_its_own_last_words(terminal: Terminal) -> None:
    done = terminal.run(MIGRATIONS_FAIL="1")
    assert_one_sentence(done, "The database could not be prepared", "no database at the other end")


def test_an_environment_that_is_not_there_is_named(terminal: Terminal, tmp_path: Path) -> None:
    assert_one_sentence(terminal.run(PARTYLINE_VENV=str(tmp_path)), "PARTYLINE_VENV is")


def test_a_python_without_venv_is_answered_with_what_to_install(terminal: Terminal, tmp_path: Path) -> None:
    # As Debian ships it: Python is there, ensurepip is not, and here apt-get cannot help either.
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "ensurepip.py").write_text("raise ImportError('No module named ensurepip')\n")
    shims = tmp_path / "shims"
    shims.mkdir()
    lacking = f'#!/bin/sh\nPYTHONPATH={tmp_path}/lacking exec {sys.executable} "$@"\n'
    for name, text in {"python3": lacking, "apt-get": "#!/bin/sh\nexit 100\n"}.items():
        (shims / name).write_text(text)
        (shims / name).chmod(0o755)
    done = terminal.run(PARTYLINE_VENV="", PATH=f"{shims}:{terminal.environ['PATH']}")
    assert_one_sentence(done, "python3-venv is missing", "apt-get install python3.")
