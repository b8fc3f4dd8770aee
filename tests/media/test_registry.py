"""The table of providers: what a pasted text is, who is on, and that a provider that is off reads nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import create_app
from config import BadSetting, settings
from media import registry
from media.provider import Provider, Reference, Trouble

FILMS = {"films": ("https://films.example/movie/{id}", "https://films.example/tv/{id}/{season}/{episode}")}
SET_UP = replace(settings, embed_providers=FILMS)


def names(wanted=settings) -> list[str]:
    return [each.name for each in registry.enabled(wanted)]


def test_names_are_short_and_nobody_has_two() -> None:
    known = [each.name for each in registry.PROVIDERS]
    assert len(known) == len(set(known)) and {"youtube", "vimeo", "embed"} <= set(known)
    assert all(0 < len(name) <= 16 and name.isalpha() and name.islower() for name in known)


def test_a_provider_that_lacks_its_setting_or_was_switched_off_is_not_on() -> None:
    assert "embed" not in names() and "embed" in names(SET_UP)
    assert "youtube" in names() and "youtube" not in names(replace(settings, providers_off=("youtube",)))


@pytest.mark.parametrize("word", ["yuotube", "all", "films"])
def test_a_house_does_not_start_with_a_switch_for_what_there_is_not(word: str) -> None:
    with pytest.raises(
        BadSetting, match=f"^PROVIDERS_OFF holds '{word}'; it may hold youtube, .* and no other"
    ):
        create_app(replace(SET_UP, providers_off=("vimeo", "jellyfin", word)))


def test_one_that_is_off_reads_no_links_and_fetches_nothing() -> None:
    link = "https://youtu.be/dQw4w9WgXcQ"
    found = registry.recognise(link, settings)
    assert (found.provider, found.player) == ("youtube", "youtube")
    off = replace(settings, providers_off=tuple(each.name for each in registry.PROVIDERS))
    with pytest.raises(Trouble, match="won’t play here"):
        registry.recognise(link, off)
    with pytest.raises(Trouble, match="switched off"):
        registry.fetch(found, off)


@pytest.mark.parametrize(
    "text", ["", "hello", "dQw4w9WgXcQ", "slow dance for the radiator", "youtube", ":", "a:b"]
)
def test_what_is_no_link_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(Trouble) as refused:
        registry.recognise(text, settings)
    assert refused.value.sentence == "That link won’t play here." and not refused.value.again


def test_a_row_of_a_search_is_named_by_provider_and_key() -> None:
    known = registry.by_key("youtube", "dQw4w9WgXcQ", settings)
    assert known == registry.recognise("https://youtu.be/dQw4w9WgXcQ", settings)
    for provider, key in (("nobody", "x"), ("youtube", "x"), ("vimeo", "dQw4w9WgXcQ")):
        with pytest.raises(Trouble):
            registry.by_key(provider, key, settings)


def test_every_reference_fits_its_columns() -> None:
    for link in (
        "https://youtu.be/dQw4w9WgXcQ",
        "https://vimeo.com/999999999999/0123456789abcdef0123456789abcdef01234567",
        f"films:tv:{'x' * 64}:9999:9999",
    ):
        found: Reference = registry.recognise(link, SET_UP)
        assert len(f"{found.provider}-{found.key}") <= 120 and len(found.key) <= 100
        assert all(sign.isascii() and (sign.isalnum() or sign in "._-") for sign in found.key)
        assert len(found.player) <= 8 and len(found.content) <= 120 and 0 < len(found.title) <= 200


def test_the_table_of_providers_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The operator's page in words: which links each reads, what its player obeys, what the policy lets in for it."""
    with capsys.disabled():
        for each in registry.PROVIDERS:
            print(f"\n{printed(each)}", end="")
    assert all(
        each.tries or each.search or not each.recognise("https://x.example/", settings)
        for each in registry.PROVIDERS
    )


def printed(each: Provider) -> str:
    obeys = ", ".join(sorted(each.controls)) or "nothing"
    frames = ", ".join(each.frames(SET_UP)) or "none"
    return f"{each.name:12} reads {', '.join(each.tries) or '-':90} obeys {obeys}; frames {frames}"
