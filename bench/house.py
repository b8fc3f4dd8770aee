"""A whole Partyline for a measurement: real web and worker processes in a fresh folder, with the demo library."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS, LIBRARY_SECONDS, QUIET_SECONDS = 30.0, 180.0, 4.0
UNLIMITED = ("MAX_SOCKETS", "MAX_SOCKETS_PER_PERSON", "MAX_SOCKETS_PER_NETWORK", "MAX_ACTIONS_PER_MINUTE")


@contextmanager
def running_house() -> Iterator[str]:
    """The address of a house whose library is complete; both processes end with the block."""
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        port = free_port()
        environment = {**os.environ, "DATA_DIR": folder, "HOST": "127.0.0.1", "PORT": str(port), "DEMO": "1"}
        environment |= dict.fromkeys(UNLIMITED, "0")
        bin_folder = Path(sys.executable).parent
        commands = (
            [str(bin_folder / "gunicorn"), "-c", "gunicorn.conf.py", "app:app"],
            [sys.executable, "-m", "huey.bin.huey_consumer", "tasks.huey", "-w", "4", "-k", "thread", "-m", "0.5"],
        )
        subprocess.run([sys.executable, "-m", "migrations"], cwd=ROOT, env=environment, check=True, capture_output=True)
        children = [subprocess.Popen(command, cwd=ROOT, env=environment) for command in commands]
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), START_SECONDS)
            wait_for_library(Path(folder) / "media" / "audio")
            yield f"http://127.0.0.1:{port}"
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(15)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def wait_until(is_so: Callable[[], bool], seconds: float) -> None:
    """Look again and again; give up loudly."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("the house did not open in time")
        time.sleep(0.1)


def wait_for_library(folder: Path) -> None:
    """The worker is done when nothing new has appeared for a while, so that it does not disturb the measurement."""
    changed_at, count = time.monotonic(), 0

    def is_quiet() -> bool:
        nonlocal changed_at, count
        now_there = len(list(folder.glob("*.mp3"))) if folder.is_dir() else 0
        if now_there != count:
            changed_at, count = time.monotonic(), now_there
        return count > 0 and time.monotonic() - changed_at > QUIET_SECONDS

    wait_until(is_quiet, LIBRARY_SECONDS)
