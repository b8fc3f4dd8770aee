"""A bucket on loopback, fresh for each test: https://docs.getmoto.org/en/latest/docs/server_mode.html"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from media.bucket import S3Store
from media.storage import LocalStore, Store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """HOST:PORT of a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def media_url(s3_endpoint: str) -> str:
    """A MEDIA_URL whose bucket is there and empty."""
    bucket = f"party-{next(_numbers)}"
    boto3.client(
        "s3",
        endpoint_url=f"http://{s3_endpoint}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret/with+signs",
    ).create_bucket(Bucket=bucket)
    return f"s3://key:secret%2Fwith%2Bsigns@{s3_endpoint}/{bucket}/deep/er?insecure=1"


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Both kinds of place, one after the other."""
    here = LocalStore(tmp_path / "media")
    if request.param == "local":
        return here
    return S3Store(request.getfixturevalue("media_url"), here)
