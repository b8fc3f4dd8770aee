"""A stand-in for the clock: a Huey without tasks."""

from huey import SqliteHuey

from config import settings

huey = SqliteHuey("standin", filename=str(settings.data_dir / "huey.db"))
