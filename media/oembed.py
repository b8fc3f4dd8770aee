"""Asking an oEmbed endpoint what a link leads to, as https://oembed.com/ describes it: titles and pictures, as text.

The HTML that comes along is never looked at; refusals and outages become sentences.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from config import Settings
from media.fetch import Fetched, fetch
from media.provider import Trouble, reaching

LONGEST_WAIT_SECONDS = 3_600


class Busy(Trouble):
    """It works another time, and not before so many seconds have gone by."""

    def __init__(self, sentence: str, after_seconds: int) -> None:
        super().__init__(sentence, again=True)
        self.after_seconds = after_seconds


def ask(
    endpoint: str, link: str, sentences: dict[int, str], where: str, settings: Settings
) -> dict[str, Any]:
    """The answer to `link` as a dictionary. `sentences` say what a status of the provider means, `where` is its name.

    Raises Trouble.
    """
    address = f"{endpoint}?{urlencode({'url': link, 'format': 'json'})}"
    with reaching(where):
        answer = fetch(address, settings, accept=("application/json", "text/"), most_bytes=200_000)
    if answer.status != 200:
        raise _refusal(answer, sentences, where)
    # YouTube has been seen to say “Forbidden” as plain words under status 200 (ruby-oembed, issue 79).
    if answer.body.strip() in (b"Forbidden", b"Unauthorized", b"Not Found"):
        status = {b"Forbidden": 403, b"Unauthorized": 401, b"Not Found": 404}[answer.body.strip()]
        raise Trouble(sentences[status])
    known = answer.json()
    if not isinstance(known, dict):
        raise Trouble(f"{where} answered with something we cannot read.", again=True)
    return known


def _refusal(answer: Fetched, sentences: dict[int, str], where: str) -> Trouble:
    if answer.status in sentences:
        return Trouble(sentences[answer.status])
    if answer.status == 429 or answer.status >= 500:
        return Busy(f"{where} is too busy to say what that is.", _wait(answer))
    return Trouble(f"{where} would not say what that is.")


def _wait(answer: Fetched) -> int:
    """Retry-After in seconds (RFC 9110, section 10.2.3); its form as a date is left out, ours then decide."""
    text = answer.headers.get("retry-after", "").strip()
    return min(int(text), LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() and len(text) < 8 else 0
