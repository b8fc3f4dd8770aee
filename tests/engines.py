"""Real PostgreSQL and Redis servers on free ports, for as long as a test needs them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.rawsocket import eventually
from tests.live.servers import free_port


def answers(port: int) -> bool:
    """True when somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgres_programs() -> Path:
    """Where this machine keeps PostgreSQL's programs: Debian's newest, else wherever the path leads."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if debian:
        return debian[-1]
    found = shutil.which("initdb")
    assert found is not None, "bin/test installs PostgreSQL"
    return Path(found).resolve().parent


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster of its own; yields the address of an empty database."""
    programs = postgres_programs()
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    data, port = folder / "cluster", free_port()
    data.mkdir()
    if user:
        for path in (data, *data.parents):
            if path.owner() == "root" and path.is_relative_to("/tmp") and path != Path("/tmp"):
                path.chmod(0o755)
        shutil.chown(data, user)
    quiet = {"user": user, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": "/"}
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "partyline", "-N", "--locale=C.UTF-8"],
        check=True,
        **quiet,
    )
    words = ["-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1", "-c", "fsync=off"]
    server = subprocess.Popen([programs / "postgres", *words], **quiet)
    try:
        address = f"postgresql://partyline@127.0.0.1:{port}/"
        wait_for(lambda: ready(programs, port))
        subprocess.run(
            [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "partyline", "party"],
            check=True,
            **quiet,
        )
        yield address + "party"
    finally:
        # At once: asked politely it waits for everybody who is still connected.
        server.send_signal(signal.SIGINT)
        server.wait(60)


def ready(programs: Path, port: int) -> bool:
    """True when the server takes connections."""
    words = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(words).returncode == 0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of its own; yields its address."""
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(60)


def wait_for(is_there: Callable[[], bool]) -> None:
    """Wait until it is true, longer than a loaded machine needs."""
    eventually(is_there, 60)
