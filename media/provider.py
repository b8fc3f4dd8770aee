"""What every provider of media is to the house: which links it reads, what it knows of them, how they are played.

A provider is one module with a `Provider` named PROVIDER, and one line in media/registry.py. No provider knows another,
the database or a page; plain values go in and come out. What it fetches goes through media.fetch, in the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from config import Settings

CONTROLS = frozenset({"play", "pause", "seek", "rate", "volume"})


class Trouble(Exception):
    """Why something elsewhere cannot be had: one sentence to the person. `again` says that trying later may help."""

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.again = sentence, again


class Unreachable(Trouble):
    """No machine answers at an address."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, again=True)


@contextmanager
def reaching(where: str) -> Iterator[None]:
    """Has a sentence speak of the place asked, by its name, where nobody typed an address. Raises Trouble."""
    try:
        yield
    except Unreachable as unreachable:
        raise Trouble(f"{where} cannot be reached just now.", again=True) from unreachable


@dataclass(frozen=True, slots=True)
class Reference:
    """A piece of media as a provider names it.

    `key` is canonical and short (at most 100 letters of a-z A-Z 0-9 . _ -): two links to one thing have one key.
    `reference` is what a player needs (an id or an https address), `title` what to call it until more is known,
    `content` the work it is for progress where several providers may have it (movie:603, tv:1399:1:2).
    """

    provider: str
    key: str
    reference: str
    player: str
    title: str
    is_video: bool = False
    content: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a piece of media; None and empty where it is not. `duration_ms` None: not known, or endless.

    `reference` and `player` are set where looking it up found a better one than the link had.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    duration_ms: int | None = None
    cover_url: str = ""
    is_video: bool | None = None
    mime: str = ""
    reference: str = ""
    player: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a search elsewhere. `preview_url` is a short or whole sound to listen to beforehand, if there is one.

    `is_playable` False marks metadata only (a catalogue that knows the work and has no sound of it). `licence` is the
    short name of what its makers allow, where they say so.
    """

    provider: str
    key: str
    title: str
    artist: str = ""
    album: str = ""
    duration_ms: int = 0
    cover_url: str = ""
    preview_url: str = ""
    is_playable: bool = True
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """One source of media.

    `recognise` reads a link or id that somebody pasted, without any network; None is not ours, Trouble is ours but no
    good. `fetch` asks for its facts, in the worker. `search` looks for words. `controls` is which of CONTROLS its
    player obeys. `frames`, `scripts`, `media` and `connects` are sources that the page's CSP has to allow (as CSP
    writes them). `is_set_up` is False while a setting that it needs is empty.
    """

    name: str
    title: str
    recognise: Callable[[str, Settings], Reference | None] = lambda text, settings: None
    fetch: Callable[[Reference, Settings], Facts] = lambda reference, settings: Facts()
    search: Callable[[str, Settings], list[Found]] | None = None
    controls: frozenset[str] = CONTROLS
    frames: Callable[[Settings], tuple[str, ...]] = lambda settings: ()
    scripts: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    connects: tuple[str, ...] = ()
    is_set_up: Callable[[Settings], bool] = lambda settings: True
    needs: str = ""
    tries: tuple[str, ...] = field(default=())
    """Links that the operator's page shows as examples."""
