"""Signs of life for whoever runs this: alive, and ready to serve."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from party import health

health_pages = Blueprint("health", __name__)


@health_pages.get("/healthz")
def alive() -> Response:
    """This process answers."""
    return jsonify(ok=True)


@health_pages.get("/readyz")
def ready() -> tuple[Response, int]:
    """Database, wake-ups, and a worker seen in the last minute; 503 while one is missing."""
    signs = {
        "database": health.has_database(),
        "bus": current_app.config["HAS_BUS"](),
        "worker": health.has_worker(),
    }
    is_ready = all(signs.values())
    return jsonify(ok=is_ready, **signs), 200 if is_ready else 503
