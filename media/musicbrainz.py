"""MusicBrainz: who recorded what, and on which record. It plays nothing; what it knows is looked for elsewhere.

By musicbrainz.org/doc/MusicBrainz_API/Search (recordings, as JSON) and …/MusicBrainz_API/Rate_Limiting: at most one
request a second, a User-Agent with a contact, 503 when that was too fast. Covers are addresses of
musicbrainz.org/doc/Cover_Art_Archive/API.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from config import Settings
from media import catalogues, pasted
from media.oembed import Busy
from media.provider import Found, Provider, Reference, Trouble

NAME = "musicbrainz"
BASE = "https://musicbrainz.org"
COVER = "https://coverartarchive.org/release/{id}/front-250"
WHERE = "MusicBrainz"
ONLY_KNOWS = "MusicBrainz knows that song and has no sound of it. Look for its title here."
PAGE = 50
"""One song is there many times over, as it was recorded and as it was taken onto records."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOSTS = ("musicbrainz.org", "www.musicbrainz.org", "beta.musicbrainz.org")


class Pace:
    """One act after another with so many seconds between, however many threads ask; who would wait too long may not."""

    def __init__(
        self,
        seconds: float = 1.0,
        longest_wait: float = 10.0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds, self._longest, self._now, self._sleep = seconds, longest_wait, now, sleep
        self._next = float("-inf")
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for a turn. Raises Busy."""
        with self._lock:
            now = self._now()
            turn = max(now, self._next)
            if turn - now > self._longest:
                raise Busy(f"{WHERE} is too busy just now. Try again in a moment.", int(turn - now))
            self._next = turn + self._seconds
        if turn > now:
            self._sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Let nobody have a turn for so long."""
        with self._lock:
            self._next = max(self._next, self._now() + seconds)


pace = Pace()


def recognise(text: str, settings: Settings) -> Reference | None:
    """Links to recordings are known and lead nowhere that plays."""
    typed = pasted.named(text, NAME)
    link = None if typed is not None else pasted.address(text)
    if typed is None and (link is None or link.host not in _HOSTS):
        return None
    raise Trouble(ONLY_KNOWS)


def search(words: str, settings: Settings) -> list[Found]:
    """Recordings that hold every word in their title, artist or record. Raises Trouble."""
    query = catalogues.lucene(words, ("recording", "artist", "release"))

    def page(number: int) -> tuple[list[Found], bool]:
        known = _ask(query, number * PAGE, settings)
        rows = [row for row in map(_row, catalogues.listed(known.get("recordings"))) if row]
        count = known.get("count")
        return rows, isinstance(count, int) and count > (number + 1) * PAGE

    return catalogues.gather(page) if query else []


def _ask(query: str, offset: int, settings: Settings) -> dict[str, Any]:
    pace.wait()
    asked = urlencode({"query": query, "fmt": "json", "limit": PAGE, "offset": offset})
    try:
        return catalogues.ask(
            f"{BASE}/ws/2/recording?{asked}", WHERE, settings, {"user-agent": _agent(settings)}
        )
    except Busy as busy:
        pace.hold(busy.after_seconds)
        raise


def _agent(settings: Settings) -> str:
    """Who asks, and where whoever is asked can find us, in the form that they want it in."""
    return f"Partyline/1.0 ( {settings.public_url} )"


def _row(recording: dict[str, Any]) -> Found | None:
    key, title = recording.get("id"), catalogues.text(recording.get("title"))
    if not isinstance(key, str) or not _ID.fullmatch(key) or not title:
        return None
    releases = catalogues.listed(recording.get("releases"))
    first = releases[0] if releases else {}
    release, length = first.get("id"), recording.get("length")
    has_cover = isinstance(release, str) and _ID.fullmatch(release)
    return Found(
        NAME,
        key,
        title,
        artist=_credited(recording.get("artist-credit")),
        album=catalogues.text(first.get("title")),
        duration_ms=catalogues.milliseconds(length / 1000 if type(length) is int else None),
        cover_url=COVER.format(id=release) if has_cover else "",
        is_playable=False,
    )


def _credited(credit: object) -> str:
    """The artists as a record's sleeve names them, with what stands between the names."""
    parts = [f"{part.get('name', '')}{part.get('joinphrase', '')}" for part in catalogues.listed(credit)[:10]]
    return pasted.plain("".join(parts))


PROVIDER = Provider(
    name=NAME,
    title=WHERE,
    recognise=recognise,
    search=search,
    controls=frozenset(),
    is_set_up=lambda settings: bool(settings.public_url),
    needs="PUBLIC_URL",
    tries=("https://musicbrainz.org/recording/ID",),
)
