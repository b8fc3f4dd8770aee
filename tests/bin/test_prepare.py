"""The virtual environment is made once and follows its list."""

import subprocess
from pathlib import Path

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


def test_a_library_without_its_hash_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    (terminal.folder / "requirements.txt").write_text("flask==3.1.3\n")
    # From a folder, so that no registry has to answer just now.
    (tmp_path / "flask-3.1.3-py3-none-any.whl").write_bytes(b"a library")
    done = terminal.run("prepare", PARTYLINE_VENV="", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "The libraries could not be installed" in done.stderr
    assert "hash" in done.stderr.splitlines()[-1].lower()
