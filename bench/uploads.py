"""A large video and 40 audio files sent by pieces through a connection that is cut half-way, beside people who read.

A real web and worker on loopback, a proxy between them and the sender. Prints whether every file arrived with the same
SHA-256, how fast, how long other pages took before and meanwhile, and how large web and worker grew.

    bin/bench uploads                 700 MB and 40 files of 3 MB, sent by a script that follows the same protocol
    bin/bench uploads --chromium      the same from the room's page in Chromium
    bin/bench uploads --mb 60 --files 4
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np
import soundfile

from bench.proxy import Proxy
from tests.browser import player_stage
from tests.live.servers import Guest, House, request, running

PIECE = 8 * 2**20
AT_ONCE = 2
SECONDS_OF_AUDIO, SAMPLE_RATE = 34, 44_100
PAGES_BEFORE_SECONDS = 8.0


@dataclass
class Sender:
    """One person's script: HEAD, then PATCH from there, again after whatever breaks."""

    who: Guest
    code: str
    port: int
    cuts: int = 0
    tokens: dict[str, Path] = field(default_factory=dict)

    def send(self, path: Path) -> None:
        """A file, all of it."""
        form = {"name": path.name, "size": path.stat().st_size, "line": "no"}
        token = (
            self.who.ask("POST", f"/rooms/{self.code}/uploads", form).headers["location"].rsplit("/", 1)[1]
        )
        self.tokens[token] = path
        size, offset = path.stat().st_size, 0
        with path.open("rb") as file:
            while offset < size:
                file.seek(offset)
                try:
                    offset = self._ask("PATCH", token, offset, file.read(PIECE))
                except (OSError, HTTPException):
                    self.cuts += 1
                    offset = self._where(token)

    def _where(self, token: str) -> int:
        while True:
            with suppress(OSError, HTTPException):
                return self._ask("HEAD", token)
            time.sleep(0.1)

    def _ask(self, method: str, token: str, offset: int = 0, data: bytes | None = None) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": self.who.cookie}
        if data is not None:
            headers |= {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            connection.request(method, f"/uploads/{token}", data, headers)
            answer = connection.getresponse()
            answer.read()
            said = answer.getheader("Upload-Offset")
        finally:
            connection.close()
        if said is None:
            # Somebody else's request still has the file: the one that was cut, until the server notices.
            time.sleep(0.1)
            return self._where(token)
        return int(said)


def main() -> int:
    """Send, cut, go on, compare; the exit code says whether anything differs."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--mb", type=int, default=700)
    asked.add_argument("--files", type=int, default=40)
    asked.add_argument("--chromium", action="store_true")
    sizes = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        (Path(folder) / "house").mkdir()
        video, songs = make_files(Path(folder), sizes.mb, sizes.files)
        print(
            f"load before: {os.getloadavg()[0]:.1f}; {sizes.mb} MB video, {sizes.files} audio files",
            flush=True,
        )
        with running(Path(folder) / "house", worker=True) as house, Proxy(house.port) as proxy:
            return measure(house, proxy, video, songs, by_browser=sizes.chromium)


def measure(house: House, proxy: Proxy, video: Path, songs: list[Path], *, by_browser: bool) -> int:
    """Everything that is printed."""
    host, reader = house.person("Ada"), house.person("Ben")
    code = host.open_room()
    reader.join(code)
    over, asks = house.folder / "over", (house.port, reader.cookie, code)
    # Whoever reads is a process of their own, or the sender's work would be measured too.
    with ThreadPoolExecutor(AT_ONCE) as pool, ProcessPoolExecutor(1) as elsewhere:
        before = elsewhere.submit(pages, *asks, over, PAGES_BEFORE_SECONDS).result()
        sender, began = Sender(host, code, proxy.port), time.monotonic()
        reading = elsewhere.submit(pages, *asks, over, 3_600.0)
        files = (video, *songs)
        sending = (
            [pool.submit(send_by_browser, sender, house, list(files))]
            if by_browser
            else [pool.submit(sender.send, path) for path in files]
        )
        cutting = threading.Thread(target=cut_half_way, args=(house, proxy, video), daemon=True)
        cutting.start()
        for each in sending:
            each.result()
        spent = time.monotonic() - began
        over.touch()
        meanwhile = reading.result()
    total = sum(path.stat().st_size for path in (video, *songs))
    arrived = {token: digest for token, digest in digests(house, sender.tokens).items() if digest}
    same = sum(arrived.get(token) == hash_of(path) for token, path in sender.tokens.items())
    print(
        f"{total / 2**20:.0f} MB in {spent:.1f} s, {total / 2**20 / spent:.0f} MB/s, {sender.cuts} requests cut"
    )
    print(f"identical SHA-256: {same} of {len(sender.tokens)}")
    for name, times in (("before", before), ("meanwhile", meanwhile)):
        print(
            f"a room's page {name}: p50 {at(times, 0.5):.0f} ms, p99 {at(times, 0.99):.0f} ms ({len(times)} asked)"
        )
    assert house.worker is not None
    print(f"peak memory: web {peak_mb(house.web_pid()):.0f} MB, worker {peak_mb(house.worker.pid):.0f} MB")
    return 0 if same == len(sender.tokens) else 1


def send_by_browser(sender: Sender, house: House, files: list[Path]) -> None:
    """Somebody picks all files at once on the room's page, and keeps the page open until all are here."""
    with player_stage.launcher() as launch:
        context = launch().new_context()
        name, value = sender.who.cookie.split("=", 1)
        address = f"http://127.0.0.1:{sender.port}"
        context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        page.on(
            "requestfailed", lambda asked: setattr(sender, "cuts", sender.cuts + ("/uploads/" in asked.url))
        )
        page.goto(f"{address}/rooms/{sender.code}")
        page.wait_for_selector('#status[data-connection="live"]')
        page.set_input_files(".add__upload input", [str(path) for path in files])
        query = "SELECT COUNT(*) FROM upload WHERE state <> 'receiving'"
        while house.value(query) < len(files):
            page.wait_for_timeout(200)
    by_name = {path.name: path for path in files}
    sender.tokens |= {token: by_name[name] for token, name in house.rows("SELECT token, name FROM upload")}


def make_files(folder: Path, megabytes: int, count: int) -> tuple[Path, list[Path]]:
    """A short film with a box of noise behind it that players pass over (`free`, ISO 14496-12), and audio."""
    chance = random.Random(4)
    video, songs = folder / "film.mp4", [folder / f"song-{number}.wav" for number in range(count)]
    picture = ("-f", "lavfi", "-i", "testsrc=duration=10:size=320x180:rate=15", "-pix_fmt", "yuv420p")
    subprocess.run(["ffmpeg", "-v", "error", *picture, str(video)], check=True)
    with video.open("ab") as file:
        file.write((1).to_bytes(4, "big") + b"free" + (16 + megabytes * 2**20).to_bytes(8, "big"))
        for _ in range(megabytes):
            file.write(chance.randbytes(2**20))
    noise = np.random.default_rng(4)
    for path in songs:
        soundfile.write(path, noise.uniform(-0.1, 0.1, SECONDS_OF_AUDIO * SAMPLE_RATE), SAMPLE_RATE)
    return video, songs


def cut_half_way(house: House, proxy: Proxy, video: Path) -> None:
    """Break every connection once half of the video is here."""
    half = video.stat().st_size // 2
    while (house.value("SELECT received_bytes FROM upload WHERE name = 'film.mp4'") or 0) < half:
        time.sleep(0.01)
    # In the middle of a piece, not between two.
    time.sleep(0.02)
    proxy.cut()


def digests(house: House, tokens: dict[str, Path]) -> dict[str, str]:
    """What each upload came to, once the worker has looked: the hash it found, or of what lies there if it refused."""
    deadline = time.monotonic() + 600
    query = "SELECT upload.token, upload.state, track.sha256 FROM upload LEFT JOIN track ON track.id = upload.track_id"
    while any(state in ("receiving", "checking") for _, state, _ in house.rows(query)):
        assert time.monotonic() < deadline, house.rows(query)
        time.sleep(0.2)
    return {token: digest for token, _, digest in house.rows(query)}


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pages(port: int, cookie: str, code: str, over: Path, most_seconds: float) -> list[float]:
    """How long a room's page takes one reader, again and again, until a file says it is over; milliseconds."""
    began, times = time.monotonic(), []
    while not over.exists() and time.monotonic() - began < most_seconds:
        asked = time.monotonic()
        assert request(port, "GET", f"/rooms/{code}", headers={"Cookie": cookie}).status == 200
        times.append((time.monotonic() - asked) * 1000)
        time.sleep(0.02)
    return sorted(times)


def at(times: list[float], share: float) -> float:
    """The time below which this share of them lies."""
    return times[min(len(times) - 1, int(len(times) * share))]


def peak_mb(pid: int) -> float:
    """The most memory a process ever held (VmHWM, proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
