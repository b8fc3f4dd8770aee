"""The operator's page of providers: which are on, what they need, how asking them goes, and what keeps the files."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, current_app, render_template

from config import Settings
from media import registry, storage, tools
from media.provider import Provider, Trouble
from media.servers import Server
from party import faring, lookups
from party.faring import Searches, Servers
from party.lookups import Tally
from web.admin import refuse_others
from web.guard import theme
from web.listing import machine_time, when
from web.viewer import viewer

provider_pages = Blueprint("providers", __name__, url_prefix="/admin/providers")
provider_pages.before_request(refuse_others)


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider and how its tracks fare. `state` is on, off (by PROVIDERS_OFF) or unset (a setting is missing)."""

    provider: Provider
    state: str
    tally: Tally
    searches: Searches


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A kind of people's own media servers, and how those that are connected fare."""

    server: Server
    state: str
    fare: Servers
    searches: Searches


@provider_pages.get("")
def show_providers() -> str:
    """Every provider, the tools beside and the storage."""
    wanted: Settings = current_app.config["SETTINGS"]
    tallies, fare, searches = lookups.by_provider(), faring.servers(), faring.searches()
    rows = [
        ProviderRow(
            each, _state(each, wanted), tallies.get(each.name, Tally()), searches.get(each.name, Searches())
        )
        for each in registry.PROVIDERS
    ]
    servers = [
        ServerRow(
            each,
            "off" if each.name in wanted.providers_off else "on",
            fare.get(each.name, Servers()),
            searches.get(each.name, Searches()),
        )
        for each in registry.SERVERS.values()
    ]
    return render_template(
        "pages/admin_providers.html",
        theme=theme(),
        me=viewer(),
        shown="providers",
        rows=sorted(rows, key=lambda row: row.provider.title.casefold()),
        servers=sorted(servers, key=lambda row: row.server.title.casefold()),
        has_ffmpeg=tools.has_ffmpeg(),
        storage=_storage(wanted),
        when=when,
        machine_time=machine_time,
    )


def _state(provider: Provider, wanted: Settings) -> str:
    if provider.name in wanted.providers_off:
        return "off"
    return "on" if provider.is_set_up(wanted) else "unset"


def _storage(wanted: Settings) -> str:
    """What keeps the files, and how it does."""
    try:
        return storage.open_store(wanted).says()
    except Trouble as trouble:
        return trouble.sentence
