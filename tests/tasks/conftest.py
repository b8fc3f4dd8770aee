"""The worker has the patience that those of media have."""

from tests.media.conftest import patient

__all__ = ["patient"]
