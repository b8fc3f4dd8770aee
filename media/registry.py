"""The providers there are, in the order in which a pasted link is offered to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from config import BadSetting, Settings
from media import (
    archive,
    direct,
    embeds,
    hls,
    jamendo,
    jellyfin,
    musicbrainz,
    spotify,
    subsonic,
    vimeo,
    youtube,
)
from media.provider import Facts, Found, Provider, Reference, Trouble
from media.servers import Server

PROVIDERS: tuple[Provider, ...] = (
    youtube.PROVIDER,
    vimeo.PROVIDER,
    spotify.PROVIDER,
    embeds.PROVIDER,
    archive.PROVIDER,
    jamendo.PROVIDER,
    musicbrainz.PROVIDER,
    # Any address may be a file: after those that know theirs.
    hls.PROVIDER,
    direct.PROVIDER,
)
"""Adding a provider: one module, one test file, one line here."""

SWITCHED_OFF = "Where that comes from is switched off here."


def refuse_unknown(settings: Settings) -> None:
    """Raise BadSetting when PROVIDERS_OFF names what there is not."""
    known = [each.name for each in PROVIDERS] + list(SERVERS)
    for name in settings.providers_off:
        if name not in known:
            raise BadSetting(f"PROVIDERS_OFF holds {name!r}; it may hold {', '.join(known)} and no other.")


def enabled(settings: Settings) -> tuple[Provider, ...]:
    """Those that are set up and not switched off by PROVIDERS_OFF."""
    return tuple(each for each in PROVIDERS if is_on(each, settings))


def is_on(provider: Provider, settings: Settings) -> bool:
    """True when a provider may be used here."""
    return provider.name not in settings.providers_off and provider.is_set_up(settings)


def recognise(text: str, settings: Settings) -> Reference:
    """The piece of media that a pasted link or id names. Raises Trouble with a sentence to the person."""
    for provider in enabled(settings):
        known = provider.recognise(text, settings)
        if known is not None:
            return known
    raise Trouble("That link won’t play here.")


def recognise_all(links: Iterable[str], settings: Settings) -> Iterator[tuple[str, Reference]]:
    """Those of some links that a provider here reads, each once, and what they are."""
    for link in dict.fromkeys(links):
        try:
            if link.startswith(("https://", "http://")):
                yield link, recognise(link, settings)
        except Trouble:
            continue


def fetch(reference: Reference, settings: Settings) -> Facts:
    """What its provider knows of it; network, so in the worker only. Raises Trouble."""
    for provider in enabled(settings):
        if provider.name == reference.provider:
            return provider.fetch(reference, settings)
    raise Trouble(SWITCHED_OFF)


def searched(settings: Settings) -> tuple[Provider, ...]:
    """Those that can be asked for words, in the order in which their answers are shown."""
    return tuple(each for each in enabled(settings) if each.search is not None)


def search(source: str, words: str, settings: Settings) -> list[Found]:
    """What one of them finds; network, so in the worker only. Raises Trouble."""
    for provider in searched(settings):
        if provider.name == source and provider.search is not None:
            return provider.search(words, settings)
    raise Trouble(SWITCHED_OFF)


def by_key(provider: str, key: str, settings: Settings) -> Reference:
    """The piece of media that a row of a search names: its provider and key. Raises Trouble."""
    for each in enabled(settings):
        known = each.recognise(f"{provider}:{key}", settings) if each.name == provider else None
        if known is not None:
            return known
    raise Trouble(SWITCHED_OFF)


SERVERS = {each.name: each for each in (subsonic.SERVER, jellyfin.SERVER)}
"""Kinds of people's own media servers, by name. They read no links, so they are no providers."""


def server(kind: str, settings: Settings) -> Server:
    """The client for a kind of server. Raises Trouble for one that is switched off."""
    if kind in settings.providers_off or kind not in SERVERS:
        raise Trouble(SWITCHED_OFF)
    return SERVERS[kind]
