"""Files that nobody holds any more go from the store: at once when it is told, and by a sweep that finds the rest."""

from __future__ import annotations

import logging

from huey import crontab

from config import settings
from media.provider import Trouble
from media.storage import open_store
from party import files
from party.change import connected
from party.clock import now_ms
from tasks import huey
from tasks.outside import goes_outside

DAY_MS = 86_400_000
SWEPT = ("uploads/", "covers/", "subtitles/")
"""Where people's files lie. The demo library's sound lies elsewhere, and its covers say demo."""
SPARED = "covers/demo-"
UNFINISHED = ".part"

logger = logging.getLogger(__name__)


@goes_outside("delete_files")
def delete_files(names: list[str]) -> None:
    """Delete these from the store. What cannot be deleted now is found by the sweep."""
    _delete(names)


@goes_outside("sweep_files")
def sweep_files() -> None:
    """Give up what nobody holds any more, then delete it."""
    with connected():
        names = files.give_up_orphans()
    # Only now: a row must never name a file that is gone, while a file without a row is found again.
    _delete(names)


@goes_outside("sweep_strays")
def sweep_strays() -> int:
    """Delete files that no row names and that are older than a day, and what was left unfinished. Returns how many."""
    store, before = open_store(settings), now_ms() - DAY_MS
    try:
        # Listed before rows are asked: what is put in meanwhile is not in question.
        old = [
            each.name
            for prefix in SWEPT
            for each in store.names(prefix)
            if each.at_ms < before and not each.name.startswith(SPARED) and not each.name.endswith(UNFINISHED)
        ]
        store.tidy(DAY_MS)
    except Trouble as trouble:
        logger.warning("the store was not swept: %s", trouble)
        return 0
    with connected():
        strays = files.unnamed(old)
    _delete(strays)
    if strays:
        logger.info("%d files that no row names were deleted", len(strays))
    return len(strays)


@huey.periodic_task(crontab(minute="*/10"))
def sweep_files_again() -> None:
    """The first sweep, should a hint of it have been lost."""
    sweep_files.call_local()


@huey.periodic_task(crontab(minute="17"))
def sweep_strays_every_hour() -> None:
    """The second sweep."""
    sweep_strays.call_local()


def _delete(names: list[str]) -> None:
    store = open_store(settings)
    for name in names:
        try:
            store.delete(name)
        except (Trouble, ValueError) as trouble:
            logger.warning("%s was not deleted: %s", name, trouble)
