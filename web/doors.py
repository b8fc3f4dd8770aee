"""Door 1: every blueprint of the pages, in the order people meet them."""

from __future__ import annotations

from web.accounts import account_pages
from web.admin import admin_pages
from web.audit import audit_pages
from web.chat import chat_pages
from web.control import control_pages
from web.discovery import discovery_pages
from web.entry import entry_pages
from web.health import health_pages
from web.hosting import hosting_pages
from web.library import library_pages
from web.links import link_pages
from web.media import media_pages
from web.moderation import moderation_pages
from web.pages import pages
from web.playback import playback_pages
from web.playlists import playlist_pages
from web.progress import progress_pages
from web.providers import provider_pages
from web.queue import queue_pages
from web.rooms import room_pages
from web.search import search_pages
from web.settings import settings_pages
from web.skipping import skip_pages
from web.sources import source_pages
from web.spotify import spotify_pages
from web.subtitles import subtitle_pages
from web.suggestions import suggestion_pages
from web.uploads import upload_pages

DOORS = (
    pages,
    account_pages,
    discovery_pages,
    room_pages,
    entry_pages,
    moderation_pages,
    settings_pages,
    hosting_pages,
    queue_pages,
    suggestion_pages,
    skip_pages,
    playback_pages,
    control_pages,
    chat_pages,
    audit_pages,
    library_pages,
    upload_pages,
    link_pages,
    media_pages,
    provider_pages,
    subtitle_pages,
    source_pages,
    search_pages,
    playlist_pages,
    progress_pages,
    spotify_pages,
    admin_pages,
    health_pages,
)
