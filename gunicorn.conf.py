"""How gunicorn runs the web process: one gevent process, many sockets, and a stop that tells every screen."""

import resource
import signal
import sys
from types import FrameType
from typing import Any

try:
    from config import settings
except ValueError as error:
    sys.exit(str(error))

SOCKETS_WITHOUT_LIMIT = 100_000
PAGES_BESIDE_SOCKETS = 500
WATCHERS_OF_THE_LIST = 1_000

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
worker_class = "gevent"
# One process shares one set of rendered frames; more of them is a decision of the installation.
workers = settings.web_concurrency
# gunicorn accepts this many at once; pages must still get in when every socket is taken.
worker_connections = (
    (settings.max_sockets or SOCKETS_WITHOUT_LIMIT) + WATCHERS_OF_THE_LIST + PAGES_BESIDE_SOCKETS
)
# Short, because a stop waits for idle connections too.
keepalive = 2
# gunicorn adds up to two seconds of its own, and everything must be over in ten.
graceful_timeout = 8
control_socket_disable = True
loglevel = "warning"

_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))


def post_worker_init(worker: Any) -> None:
    # gunicorn waits for requests to end, and a socket never ends by itself: its screens would see 1006.
    def stop(number: int, frame: FrameType | None) -> None:
        import gevent

        worker.alive = False
        gevent.spawn(_drain, worker)

    signal.signal(signal.SIGTERM, stop)
    signal.siginterrupt(signal.SIGTERM, False)


def worker_int(worker: Any) -> None:
    """Ctrl-C on gunicorn itself: the screens are told here too, before it leaves at once."""
    _tell_screens()


def _drain(worker: Any) -> None:
    import gevent

    # First the door, then the guests: a screen that comes back too early must find the next process.
    while any(listener.fileno() >= 0 for listener in worker.sockets):
        gevent.sleep(0.05)
    _tell_screens()


def _tell_screens() -> None:
    # Not at the top: the master must not load the sockets before gevent has patched the worker.
    from live import socket

    socket.drain()
