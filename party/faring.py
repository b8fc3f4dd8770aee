"""How what lies elsewhere fares, for the operator's page: people's own servers by kind, and searches by source.

Counts and sentences of ours alone: neither whose a server is, nor its address or name, nor what anybody looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from peewee import SQL, fn

from models import SearchAnswer, Source, rows
from party.clock import now_ms
from party.searching import KEPT_MS


@dataclass(frozen=True, slots=True)
class Servers:
    """How many servers of a kind are connected, by how they stand, and what went wrong last with one that fails."""

    ready: int = 0
    connecting: int = 0
    failed: int = 0
    failure: str = ""
    failed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Searches:
    """How a source's answers of the last hour went, and what went wrong last."""

    answered: int = 0
    failed: int = 0
    failure: str = ""
    failed_at: int | None = None


def servers() -> dict[str, Servers]:
    """How people's servers and accounts fare, by their kind."""
    fare: dict[str, Servers] = {}
    counted = Source.select(Source.kind, Source.state, fn.COUNT(SQL("*"))).group_by(Source.kind, Source.state)
    for kind, state, count in rows(counted):
        fare[kind] = replace(fare.get(kind, Servers()), **{state: count})
    last = Source.select(Source.kind, Source.failure, Source.checked_at).where(Source.state == "failed")
    for kind, failure, failed_at in rows(last.order_by(Source.checked_at, Source.id)):
        fare[kind] = replace(fare[kind], failure=failure, failed_at=failed_at)
    return fare


def searches() -> dict[str, Searches]:
    """How searches went, by source; by kind where the source is somebody's own server."""
    kinds = {f"source:{source_id}": kind for source_id, kind in rows(Source.select(Source.id, Source.kind))}
    lately = SearchAnswer.answered_at > now_ms() - KEPT_MS
    # An answer that is told to several people is told to all of them at one moment.
    told = fn.COUNT(SearchAnswer.answered_at.distinct())
    counted = SearchAnswer.select(SearchAnswer.source, SearchAnswer.state, told).where(lately)
    fare: dict[str, Searches] = {}
    for source, state, count in rows(counted.group_by(SearchAnswer.source, SearchAnswer.state)):
        name = kinds.get(source, source)
        known, failed = fare.get(name, Searches()), count if state == "failed" else 0
        fare[name] = replace(known, answered=known.answered + count, failed=known.failed + failed)
    last = SearchAnswer.select(SearchAnswer.source, SearchAnswer.failure, SearchAnswer.answered_at)
    failures = last.where(lately, SearchAnswer.state == "failed")
    for source, failure, failed_at in rows(failures.order_by(SearchAnswer.answered_at, SearchAnswer.id)):
        name = kinds.get(source, source)
        fare[name] = replace(fare[name], failure=failure, failed_at=failed_at)
    return fare
