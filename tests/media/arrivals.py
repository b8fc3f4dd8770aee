"""Uploads as they lie there when the worker comes: the row, the bytes, and what became of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config import settings
from models import Track, Upload
from party import parts
from party.clock import now_ms
from tasks import uploads
from tests.stage import Cast


class Arrivals:
    """A data folder of its own, and people who send files."""

    def __init__(self, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cast, self.folder = cast, folder / "house"
        wanted = replace(settings, data_dir=self.folder)
        monkeypatch.setattr(uploads, "settings", wanted)
        monkeypatch.setattr(parts, "settings", wanted)

    def send(self, name: str, data: bytes) -> int:
        """A file that is here whole and waits to be looked at; its upload's id."""
        token = parts.fresh_name()
        path = parts.path_of(token)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made = Upload.create(
            token=token,
            user=self.cast.ada.user_id,
            room=self.cast.room(),
            name=name,
            size_bytes=max(1, len(data)),
            received_bytes=max(1, len(data)),
            state="checking",
            began_at=now_ms(),
            touched_at=now_ms(),
        )
        return int(made.id)

    def check(self, name: str, data: bytes) -> Upload:
        """Send a file and let the worker look at it; its row then."""
        upload_id = self.send(name, data)
        uploads.check_upload.call_local(upload_id)
        return Upload.get_by_id(upload_id)

    def track(self, name: str, data: bytes) -> Track:
        """The track a good file becomes."""
        row = self.check(name, data)
        assert row.state == "ready", row.reason
        return row.track

    def files(self) -> set[str]:
        """Every file of the data folder, by its name below it."""
        return {
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir()
        }

    def stored(self, name: str) -> Path:
        """Where the store has a file."""
        return self.folder / "media" / name
