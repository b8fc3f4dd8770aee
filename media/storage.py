"""Where files of media lie: a folder of ours, or a bucket elsewhere (media/bucket.py). Their names tell of neither.

A name is relative and made of small letters, digits, dots, dashes and slashes, such as uploads/4f1c.mp3. What could not
be done is media.provider.Trouble with a sentence to the person.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from config import Settings
from media.provider import Trouble

RESERVE_BYTES = 256 * 2**20
"""What the disk keeps for the database: files are refused while there is still room for everything else."""
COPY_BYTES = 2**20
NO_SPACE = "There is no room left on this server for more files. What is here stays as it is."
UNFINISHED = ".new"
_NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is there, and since when, in milliseconds since the Unix epoch."""

    name: str
    size_bytes: int
    at_ms: int


class Store(Protocol):
    """What both kinds of place can do. Every name is checked; a wrong one is a ValueError."""

    def put(self, path: Path, name: str) -> None:
        """Take a file in, whole or not at all, over what had the name. The file itself stays where it was."""

    def delete(self, name: str) -> None:
        """Let a file go. One that is not there is no trouble."""

    def exists(self, name: str) -> bool:
        """True when there is a file of this name."""

    def size(self, name: str) -> int:
        """Its bytes. Raises Trouble when it is not there."""

    def read(self, name: str, most_bytes: int) -> bytes:
        """A small file whole. Raises Trouble when it is not there or larger."""

    def names(self, prefix: str = "") -> Iterator[Stored]:
        """Every file whose name starts so, unfinished ones left out."""

    def path(self, name: str) -> Path | None:
        """Where it lies on this machine, or None."""

    def url(
        self,
        name: str,
        *,
        mime: str,
        seconds: int,
        download_name: str | None = None,
        method: str = "GET",
    ) -> str | None:
        """An address elsewhere that is good for so long for GET, or for HEAD; None where we send it ourselves."""

    def origin(self) -> str:
        """What a page's policy has to allow for `url`, as CSP writes it, or empty."""

    def free_bytes(self) -> int | None:
        """How much more fits beside the reserve; None where nobody says."""

    def refuse_full(self, size_bytes: int) -> None:
        """Raise Trouble where so much more does not fit."""

    def tidy(self, older_than_ms: int) -> int:
        """Remove what was left unfinished that long ago. Returns how much it was."""

    def says(self) -> str:
        """One line to the operator: where it is and how it does. Asks the bucket, so not for every page."""


def run_here(act: Callable[[], Any]) -> Any:
    """Read in the thread that asks."""
    return act()


run: Callable[[Callable[[], Any]], Any] = run_here
"""Where pieces of files are read for sending. A process that serves by gevent puts its hub's thread pool here."""


def checked(name: str) -> str:
    """The name, if it is one. Raises ValueError for what could lead anywhere else."""
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise ValueError(f"{name!r} is no name of a file of ours")
    return name


class LocalStore:
    """A folder, for one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path, name: str) -> None:
        target = self.folder / checked(name)
        fresh = target.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _place(path, fresh)
                # Its time is when it came here: the sweep spares what is young.
                os.utime(fresh)
                os.replace(fresh, target)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
            _sync(target.parent)
        except OSError as error:
            raise trouble_of(error) from error

    def delete(self, name: str) -> None:
        try:
            (self.folder / checked(name)).unlink(missing_ok=True)
        except OSError as error:
            raise trouble_of(error) from error

    def exists(self, name: str) -> bool:
        return (self.folder / checked(name)).is_file()

    def size(self, name: str) -> int:
        try:
            return (self.folder / checked(name)).stat().st_size
        except OSError as error:
            raise trouble_of(error) from error

    def read(self, name: str, most_bytes: int) -> bytes:
        try:
            with (self.folder / checked(name)).open("rb") as file:
                data = file.read(most_bytes + 1)
        except OSError as error:
            raise trouble_of(error) from error
        return small(data, most_bytes)

    def names(self, prefix: str = "") -> Iterator[Stored]:
        top = self.folder / checked(prefix.strip("/")) if prefix.strip("/") else self.folder
        for folder, _, files in os.walk(top if prefix.endswith("/") else top.parent if prefix else top):
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.folder).as_posix()
                if name.startswith(prefix) and _NAME.fullmatch(name):
                    with suppress(FileNotFoundError):
                        facts = path.stat()
                        yield Stored(name, facts.st_size, int(facts.st_mtime * 1000))

    def path(self, name: str) -> Path | None:
        return self.folder / checked(name)

    def url(
        self,
        name: str,
        *,
        mime: str,
        seconds: int,
        download_name: str | None = None,
        method: str = "GET",
    ) -> str | None:
        checked(name)
        return None

    def origin(self) -> str:
        return ""

    def free_bytes(self) -> int | None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return max(0, shutil.disk_usage(self.folder).free - RESERVE_BYTES)
        except OSError:
            return 0

    def refuse_full(self, size_bytes: int) -> None:
        if (self.free_bytes() or 0) < size_bytes:
            raise Trouble(NO_SPACE, again=True)

    def tidy(self, older_than_ms: int) -> int:
        before, count = time.time() - older_than_ms / 1000, 0
        for path in self.folder.rglob(f".*{UNFINISHED}"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    count += 1
        return count

    def says(self) -> str:
        free = self.free_bytes() or 0
        if not free:
            return "The media folder on this server is full: no more files are taken in."
        return f"The media folder on this server; {free / 10**9:.1f} GB more fit."


def open_store(settings: Settings) -> Store:
    """The store that the settings name; the same one each time."""
    key = (str(settings.data_dir), settings.media_url)
    if key not in _stores:
        here = LocalStore(settings.data_dir / "media")
        if settings.media_url:
            # Its library is large, so it is loaded only where a bucket is named.
            from media.bucket import S3Store

            _stores[key] = S3Store(settings.media_url, here)
        else:
            _stores[key] = here
    return _stores[key]


_stores: dict[tuple[str, str], Store] = {}


def trouble_of(error: OSError) -> Trouble:
    """What an error of this machine's disk means to the person."""
    if error.errno in _FULL:
        return Trouble(NO_SPACE, again=True)
    if error.errno == errno.ENOENT:
        return Trouble("That file is not here any more.")
    return Trouble("The media folder on this server could not be used. The operator has to look.", again=True)


def small(data: bytes, most_bytes: int) -> bytes:
    """The bytes, if they are not more than that. Raises Trouble."""
    if len(data) > most_bytes:
        raise Trouble("That file is too large.")
    return data


def _place(path: Path, fresh: Path) -> None:
    """The file's bytes under a second name, safe on the disk: linked where that can be done, which costs nothing."""
    try:
        os.link(path, fresh)
    except OSError as error:
        if error.errno in _FULL or error.errno == errno.ENOENT:
            raise
        with path.open("rb") as source, fresh.open("xb") as copy:
            shutil.copyfileobj(source, copy, COPY_BYTES)
    _sync(fresh)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
