"""The bytes of files on their way here: DATA_DIR/uploads/<token>.part. Their rows are party.uploads' business.

Disks take their time: everything here runs by way of `run`, and never inside a transaction.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from config import settings
from party.errors import Conflict, Refusal

KEPT_FREE_BYTES = 256 * 2**20
"""So much of the disk stays free: the database has to go on writing."""
FORGOTTEN_SECONDS = 3600.0
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(Refusal):
    """There is no space for these bytes just now; what is here already is kept."""

    code, status = "disk_full", 507

    def __init__(self) -> None:
        super().__init__(
            "There is no space left for files here just now. Try again later, it goes on from there."
        )


def run_here(act: Callable[[], Any]) -> Any:
    """Do the disk's work in the thread that asks."""
    return act()


run: Callable[[Callable[[], Any]], Any] = run_here
"""Where the disk's work is done. A process that serves by gevent puts its hub's thread pool here (app.start)."""


def folder() -> Path:
    """Where pieces lie until their file is whole and checked."""
    return settings.data_dir / "uploads"


def path_of(token: str) -> Path:
    """The file of an upload."""
    return folder() / f"{token}.part"


def size_of(token: str) -> int:
    """How many bytes lie there; none when there is no file."""
    try:
        return path_of(token).stat().st_size
    except FileNotFoundError:
        return 0


def refuse_full_disk(size_bytes: int) -> None:
    """Raise DiskFull when so many bytes more would leave too little."""
    folder().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder()).free - size_bytes < KEPT_FREE_BYTES:
        raise DiskFull


def remove(token: str) -> None:
    """Let go of the bytes; gone already is fine."""
    path_of(token).unlink(missing_ok=True)


def remove_strays(wanted: Container[str]) -> int:
    """Remove files an hour old that belong to no upload in this list. Returns how many."""
    late, count = time.time() - FORGOTTEN_SECONDS, 0
    for path in folder().glob("*.part"):
        if path.stem not in wanted and path.stat().st_mtime < late:
            path.unlink(missing_ok=True)
            count += 1
    return count


def fresh_name() -> str:
    """A token nobody can guess."""
    return secrets.token_hex(16)


class Part:
    """A file on its way, open for one request: nobody else, in no process, appends to it meanwhile."""

    def __init__(self, token: str) -> None:
        """Raises Conflict when another piece of it is just being received."""
        self.token = token
        folder().mkdir(parents=True, exist_ok=True)
        self._file = os.open(path_of(token), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise Conflict("Another piece of this file is on its way already.") from error
        self.size = os.fstat(self._file).st_size

    def cut(self, size: int) -> None:
        """Go on from here: what lies behind was never acknowledged."""
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size

    def write(self, data: bytes) -> None:
        """Append. Raises DiskFull."""
        rest = memoryview(data)
        try:
            while rest:
                done = os.write(self._file, rest)
                self.size += done
                rest = rest[done:]
        except OSError as error:
            raise _refused(error) from error

    def keep(self) -> int:
        """See that everything is on the disk, the file's name too. Returns how much that is. Raises DiskFull."""
        try:
            os.fsync(self._file)
            directory = os.open(folder(), os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise _refused(error) from error
        return self.size

    def rename(self, token: str) -> None:
        """These bytes are this upload's."""
        path_of(self.token).rename(path_of(token))
        self.token = token

    def close(self) -> None:
        """Let others append. Closed already is fine."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _refused(error: OSError) -> Exception:
    return DiskFull() if error.errno in NO_SPACE else error
