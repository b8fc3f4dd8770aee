"""What the worker does with connected Spotify accounts: connecting, renewing, looking up, searching, lists.

Nobody else talks to Spotify's Web API for the house. An access token that is too old is renewed and the question asked
once more; a refresh token that is refused ends the access, and the person reads so on their page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from config import Settings, settings
from media import registry, spotify_api, spotify_login
from media import spotify as links
from media.oembed import Busy
from media.provider import Facts, Found, Reference, Trouble
from media.spotify_api import Expired, Song
from media.spotify_login import Ended
from party import spotify, spotify_finding, spotify_lists
from party.change import connected
from party.clock import now_ms
from party.errors import Conflict, Refusal
from party.spotify import Renewal
from party.spotify_lists import Batch, Step
from tasks.outside import Work, goes_outside

Answer = TypeVar("Answer")
NO_ACCOUNT = "Nobody here has Spotify connected."
DESCRIPTION = "What a room of Partyline played."
STEPS_AT_ONCE = 50
"""So many pages of an import or batches of a kept list at a time; then others have their turn."""

_renewing: dict[int, threading.Lock] = {}


@goes_outside("spotify_connect")
def connect(source_id: int) -> None:
    """Exchange what Spotify answered to a sign-in for tokens. Exchanged already: nothing."""
    connect_here(source_id, settings)


@goes_outside("spotify_renew")
def renew(source_id: int) -> None:
    """Renew an access token that ends soon: a page waits for it."""
    renew_here(source_id, settings)


@goes_outside("spotify_import")
def bring_in(source_id: int, number: int) -> None:
    """Go on with bringing a list in."""
    bring_in_here(source_id, number, settings)


@goes_outside("spotify_keep")
def keep(source_id: int, room_id: int) -> None:
    """Put what a room played meanwhile into the list that is kept of it."""
    keep_here(source_id, room_id, settings)


def left() -> list[Work]:
    """What is to be done by now, and may have been lost on the way."""
    begun: list[Work] = [("spotify_connect", (source_id,)) for source_id in spotify.unfinished()]
    return begun + [(name, (source_id, number)) for name, source_id, number in spotify_lists.due()]


def connect_here(source_id: int, wanted: Settings) -> None:
    """`connect` with these settings. No connection is held while Spotify is asked."""
    with connected():
        grant = spotify.claim_code(source_id)
    if grant is None:
        return
    try:
        tokens = spotify_login.exchange(grant.code, grant.verifier, grant.redirect, wanted)
        # From here on the code is used up.
        grant = None
        username, name = spotify_api.profile(tokens.access, wanted)
    except Trouble as trouble:
        with connected():
            if grant is not None and trouble.again:
                spotify.give_code_back(source_id, grant, trouble.sentence)
            else:
                spotify.fail_connecting(source_id, trouble.sentence)
        return
    with connected():
        spotify.keep_connected(
            source_id,
            access=tokens.access,
            refresh=tokens.refresh,
            lasts_seconds=tokens.lasts_seconds,
            may=tokens.wishes,
            username=username,
            name=name,
        )


def renew_here(source_id: int, wanted: Settings) -> None:
    """`renew` with these settings. One that lasts long enough stays."""
    with connected():
        access = spotify.access(source_id)
    if access is None or access.ends_at - now_ms() >= spotify.EARLY_MS:
        return
    try:
        _renewed(source_id, access.token, wanted)
    except Trouble:
        # The page asks again; what ended is written down.
        return


def asked(source_id: int, ask: Callable[[str], Answer], wanted: Settings) -> Answer:
    """What Spotify answers to an account, whose token is renewed where it has to be. Raises Trouble."""
    with connected():
        access = spotify.access(source_id)
    if access is None:
        raise Ended(spotify_api.ENDED)
    token = access.token
    if access.ends_at - now_ms() < spotify.EARLY_MS:
        token = _renewed(source_id, token, wanted)
    try:
        return ask(token)
    except Expired:
        return ask(_renewed(source_id, token, wanted))


def look_up(track_id: int, reference: Reference, wanted: Settings) -> Facts:
    """What is known of a track: by an account of who brought it or of a host, else what oEmbed says. Raises Trouble."""
    with connected():
        source_id = spotify_finding.account_for_track(track_id)
    if source_id is None or not registry.is_on(links.PROVIDER, wanted):
        return registry.fetch(reference, wanted)
    try:
        song: Song = asked(source_id, lambda token: spotify_api.track(reference.key, token, wanted), wanted)
    except (Ended, Expired, spotify_api.Forbidden):
        return registry.fetch(reference, wanted)
    if song.is_explicit:
        with connected():
            spotify_finding.mark_explicit(track_id)
    return song.facts()


def search(answer_id: int, words: str, wanted: Settings) -> list[Found]:
    """Tracks by words, by the account of who asks or of the room's host. Raises Trouble."""
    with connected():
        source_id = spotify_finding.account_for_answer(answer_id)
    if source_id is None or not registry.is_on(links.PROVIDER, wanted):
        raise Trouble(NO_ACCOUNT)
    return asked(source_id, lambda token: spotify_api.search(words, token, wanted), wanted)


def bring_in_here(source_id: int, number: int, wanted: Settings) -> None:
    """`bring_in` with these settings."""
    with connected():
        step = spotify_lists.claim_import(source_id, number)
    for _ in range(STEPS_AT_ONCE):
        if step is None:
            return
        try:
            step = _next_page(source_id, number, step, wanted)
        except Trouble as trouble:
            with connected():
                if _goes_on(trouble):
                    spotify_lists.postpone_import(source_id, number, trouble.sentence, _wait(trouble))
                else:
                    spotify_lists.fail_import(source_id, number, trouble.sentence)
            return
        except Refusal as refusal:
            with connected():
                spotify_lists.fail_import(source_id, number, refusal.message)
            return


def keep_here(source_id: int, room_id: int, wanted: Settings) -> None:
    """`keep` with these settings."""
    for _ in range(STEPS_AT_ONCE):
        with connected():
            batch = spotify_lists.claim_batch(source_id, room_id)
        if batch is None:
            return
        try:
            _put_in(source_id, room_id, batch, wanted)
        except Trouble as trouble:
            with connected():
                if _goes_on(trouble):
                    spotify_lists.postpone_list(source_id, room_id, trouble.sentence, _wait(trouble))
                else:
                    spotify_lists.fail_list(source_id, room_id, trouble.sentence)
            return


def _next_page(source_id: int, number: int, step: Step, wanted: Settings) -> Step | None:
    title = step.title or asked(
        source_id, lambda token: spotify_api.list_title(step.what, token, wanted), wanted
    )
    page = asked(
        source_id, lambda token: spotify_api.list_page(step.what, step.offset, token, wanted), wanted
    )
    songs = [
        spotify_lists.Song(
            song.key,
            song.title,
            song.artist,
            song.album,
            song.duration_ms,
            links.link(song.key) if song.key else "",
        )
        for song in page.songs
    ]
    with connected():
        return spotify_lists.keep_page(
            source_id, number, step, title, songs, page.lost, page.total, page.has_more
        )


def _put_in(source_id: int, room_id: int, batch: Batch, wanted: Settings) -> None:
    key, mark = batch.playlist, batch.mark
    if not key:
        name = f"{batch.name} · Partyline"
        key, mark = asked(
            source_id, lambda token: spotify_api.make_list(name, DESCRIPTION, token, wanted), wanted
        )
        with connected():
            spotify_lists.note_list(source_id, room_id, key, mark)
    elif batch.is_unsure:
        now = asked(source_id, lambda token: spotify_api.list_mark(key, token, wanted), wanted)
        end = (
            asked(source_id, lambda token: spotify_api.list_end(key, len(batch.keys), token, wanted), wanted)
            if now != mark
            else []
        )
        if end == list(batch.keys):
            with connected():
                spotify_lists.keep_batch(source_id, room_id, batch, now)
            return
    mark = asked(source_id, lambda token: spotify_api.append(key, batch.keys, token, wanted), wanted)
    with connected():
        spotify_lists.keep_batch(source_id, room_id, batch, mark)


def _renewed(source_id: int, old: str, wanted: Settings) -> str:
    """Another access token than this one. Raises Trouble, Ended where Spotify lets us in no more."""
    # Two threads with one account wait for each other here; two machines are told apart by the lease.
    with _renewing.setdefault(source_id, threading.Lock()):
        try:
            with connected():
                claim = spotify.claim_renewal(source_id, old)
        except Conflict as conflict:
            raise Busy(conflict.message, 0) from conflict
        if claim is None:
            raise Ended(spotify_api.ENDED)
        if not isinstance(claim, Renewal):
            return claim.token
        used = claim.refresh
        try:
            tokens = spotify_login.renew(used, wanted)
        except Ended as ended:
            with connected():
                spotify.end_access(source_id, used, ended.sentence)
            raise
        except Trouble:
            with connected():
                spotify.drop_renewal(source_id, claim)
            raise
        with connected():
            spotify.keep_renewed(
                source_id,
                used,
                access=tokens.access,
                refresh=tokens.refresh,
                lasts_seconds=tokens.lasts_seconds,
            )
        return tokens.access


def _goes_on(trouble: Trouble) -> bool:
    # What was under way goes on once the account is connected again.
    return trouble.again or isinstance(trouble, Ended)


def _wait(trouble: Trouble) -> int:
    return trouble.after_seconds if isinstance(trouble, Busy) else 0
