"""The real bin/, config and gunicorn settings around a stand-in app, in a folder of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
REAL = ("bin", "config.py", "gunicorn.conf.py")
PATIENCE_SECONDS = 90.0


class Terminal:
    """Runs commands of one project folder as a person would, and knows which processes came of them."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.port = free_port()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PARTYLINE_VENV": sys.prefix,
            "TERMINAL_MARK": self.mark,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(home / "data"),
            "DEMO": "0",
        }

    def run(self, command: str = "run", **environ: str) -> subprocess.CompletedProcess[str]:
        """For commands that end by themselves."""
        return subprocess.run(
            [self.folder / "bin" / command],
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def start(self, **environ: str) -> subprocess.Popen[str]:
        """bin/run, once it has shown the way in."""
        process = subprocess.Popen(
            [self.folder / "bin" / "run"],
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever runs the tests may have had this signal ignored, as nohup does; a person's terminal has not.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        assert process.stdout is not None
        self.seen = ""
        while "Ctrl-C" not in self.seen:
            line = process.stdout.readline()
            assert line, f"bin/run ended: {process.stderr.read() if process.stderr else ''}"
            self.seen += line
        return process

    def processes(self) -> dict[int, str]:
        """Every living process that came of this terminal, with its command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except (OSError, ValueError):
                continue
        return found

    def pid_of(self, words: str) -> int:
        """The process with these words that is the parent of any other."""
        pids = self.pids_of(words)
        return next(pid for pid in pids if parent_of(pid) not in pids)

    def pids_of(self, words: str) -> list[int]:
        """Every process with these words."""
        return [pid for pid, command in self.processes().items() if words in command]


def parent_of(pid: int) -> int:
    # After the name in brackets come the state and the parent.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def eventually(claim: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _ending(terminal: Terminal) -> Iterator[Terminal]:
    yield terminal
    for pid in terminal.processes():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in the stand-in's folder."""
    folder = tmp_path / "project"
    shutil.copytree(Path(__file__).parent / "standin", folder)
    for name in REAL:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "requirements.txt").write_text("")
    yield from _ending(Terminal(folder, tmp_path))


@pytest.fixture
def real_terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in the project itself, with data of its own."""
    yield from _ending(Terminal(ROOT, tmp_path))
