"""The virtual environment is made once and follows its list."""

import subprocess

from .conftest import Terminal


def test_an_environment_is_made_once_and_filled_again_when_its_list_changes(terminal: Terminal) -> None:
    def prepare() -> subprocess.CompletedProcess[str]:
        return terminal.run("prepare", PARTYLINE_VENV="")

    first = prepare()
    assert first.returncode == 0, first.stderr
    assert first.stdout.strip() == str(terminal.folder / ".venv" / "bin" / "python")
    assert "Making a virtual environment" in first.stderr
    assert prepare().stderr == ""
    (terminal.folder / "requirements.txt").write_text("# changed\n")
    third = prepare()
    assert "Installing the libraries" in third.stderr
    assert "Making" not in third.stderr


def test_a_library_without_its_hash_is_refused(terminal: Terminal) -> None:
    (terminal.folder / "requirements.txt").write_text("flask==3.1.3\n")
    done = terminal.run("prepare", PARTYLINE_VENV="")
    assert done.returncode == 1
    assert "The libraries could not be installed" in done.stderr
    assert "hash" in done.stderr.splitlines()[-1].lower()
