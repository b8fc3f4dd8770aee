"""Opens the house: settings, a database connection per request, the doors, the commit listeners."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import Flask, g, request
from gevent import get_hub, monkey
from jinja2 import StrictUndefined
from peewee import OperationalError
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.middleware.proxy_fix import ProxyFix

import fragments
import logs
import tasks
from config import Settings, settings
from live import lobby, socket, tail
from live.errands import Errands
from media import cards, registry, storage
from models import database
from party import events, health, letters, matching, parts, passwords, work
from party.errors import Busy
from party.storage import open_storage
from web import assets, guard, tracing, viewer
from web.doors import DOORS
from web.receiving import STREAMED

LARGEST_FORM = 64 * 1024
YEAR_SECONDS = 31_536_000
WITHOUT_DATABASE = ("static", "health.alive", "health.ready")


def create_app(wanted: Settings = settings) -> Flask:
    """The Flask application of one process, without its loops: `start` begins those. Raises BadSetting."""
    registry.refuse_unknown(wanted)
    app = Flask(__name__)
    app.config.update(
        SETTINGS=wanted,
        SECRET_KEY=wanted.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR_SECONDS,
        HAS_BUS=tail.has_bus(wanted.redis_url),
        QUEUE_SIZES=tasks.sizes,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(fragments.environment.filters)
    app.jinja_env.globals["oob"] = ""
    app.url_defaults(assets.name_version(Path(app.root_path) / "static"))
    open_storage(wanted)
    if wanted.public_url:
        # A public address means one proxy in front; without it nobody's word about addresses is taken.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.before_request(connect)
    app.teardown_request(disconnect)
    viewer.init(app)
    guard.init(app)
    tracing.init(app)
    app.register_error_handler(OperationalError, show_outage)
    app.register_error_handler(MaxConnectionsExceeded, show_outage)
    for door in DOORS:
        app.register_blueprint(door)
    socket.init(app, wanted)
    lobby.init(app, wanted)
    return app


def connect() -> None:
    """A connection for this request. A socket lives for hours and borrows one for moments instead."""
    if not guard.is_upgrade() and request.endpoint not in WITHOUT_DATABASE:
        if request.method not in guard.SAFE_METHODS and request.endpoint not in STREAMED:
            # Read first: somebody who sends slowly must not hold a connection meanwhile.
            _ = request.form
        database.obj.connect(reuse_if_open=True)
        g.is_connected = True


def disconnect(_error: BaseException | None = None) -> None:
    """Give the request's connection back."""
    if g.pop("is_connected", False) and not database.obj.is_closed():
        database.obj.close()


def show_outage(error: Exception) -> Any:
    """The database is away: said as such (503), since it comes back and trying again helps. Else a failure of ours."""
    if health.is_full(error):
        return guard.show_refusal(
            Busy("There is no space left on this server just now. What is here is kept.")
        )
    if health.has_database() and "locked" not in str(error):
        return guard.show_failure(error)
    logging.getLogger(__name__).error("the database cannot be had", exc_info=error)
    return guard.show_refusal(Busy("The line cannot be reached just now. Please try again in a moment."))


def start(wanted: Settings = settings) -> None:
    """Wire the commit listeners and begin the loops beside the sockets."""
    work.carriers.update(tasks.CARRIERS)
    if wanted.smtp_url:
        letters.carrier = tasks.mail.carry
    if monkey.is_module_patched("threading"):
        # Hashing and files must not stop the hub: native threads, not greenlets that look like them.
        passwords.run = cards.run = parts.run = storage.run = matching.run = lambda act: (
            get_hub().threadpool.apply(act)
        )
    publish = [tail.publisher(wanted.redis_url)] if wanted.redis_url else []
    errands = Errands([*publish, tasks.keeping.plan])
    events.on_commit += [tail.committed, errands.take]
    socket.start(wanted, errands)


def __getattr__(name: str) -> Any:
    # `app:app` for gunicorn; importing this module for a test starts nothing.
    if name != "app":
        raise AttributeError(name)
    logs.configure()
    globals()["app"] = create_app()
    start()
    return globals()["app"]
