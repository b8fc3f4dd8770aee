"""Files of media in a bucket that speaks S3, by boto3.

What its calls take and raise is in the boto3 documentation, "S3" under "Available services". What lies in the media
folder of this machine (the demo library, and what was there before the bucket) stays good.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3  # type: ignore[import-untyped]
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # type: ignore[import-untyped]

from media.provider import Trouble
from media.storage import LocalStore, Stored, checked, small, trouble_of

PART_BYTES = 16 * 2**20
URLS_KEPT = 4_000
NO_BUCKET = "The bucket for media is not there. The operator has to make it, or mend MEDIA_URL."
NO_KEY = "The store for media did not take our key. The operator has to mend MEDIA_URL."
NO_SPACE = "There is no room left in the store for media. What is there stays as it is."
NO_ANSWER = "The store for media does not answer just now. Please try again in a moment."
NOT_THERE = "That file is not here any more."

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what others than Amazon say.
_SENTENCES = {
    "NoSuchBucket": NO_BUCKET,
    "NoSuchKey": NOT_THERE,
    "404": NOT_THERE,
    "InvalidAccessKeyId": NO_KEY,
    "SignatureDoesNotMatch": NO_KEY,
    "AccessDenied": NO_KEY,
    "InvalidToken": NO_KEY,
    "403": NO_KEY,
    "QuotaExceeded": NO_SPACE,
    "XMinioStorageFull": NO_SPACE,
    "XMinioAdminBucketQuotaExceeded": NO_SPACE,
    "InsufficientStorage": NO_SPACE,
    "507": NO_SPACE,
    "EntityTooLarge": "That file is larger than the store for media takes.",
}
_FOR_NOW = (NO_SPACE, NO_ANSWER)


class S3Store:
    """A bucket, reached by s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=…&insecure=1]."""

    def __init__(self, address: str, here: LocalStore) -> None:
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
        self.here = here
        self.bucket, _, prefix = parts.path.strip("/").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self._key, self._secret = unquote(parts.username or ""), unquote(parts.password or "")
        self._region = asked.get("region", ["us-east-1"])[0]
        scheme = "http" if asked.get("insecure") == ["1"] else "https"
        # Without what stands before the @.
        self._endpoint = f"{scheme}://{parts.netloc.rpartition('@')[2].lower()}"
        self._made: Any = None
        self._making = threading.Lock()
        self._signed: dict[tuple[object, ...], tuple[str, float]] = {}

    def put(self, path: Path, name: str) -> None:
        key = self._object(name)
        try:
            with path.open("rb") as file, _asking():
                self._client.upload_fileobj(file, self.bucket, key, Config=_TRANSFER)
        except OSError as error:
            raise trouble_of(error) from error
        self.here.delete(name)

    def delete(self, name: str) -> None:
        with _asking():
            self._client.delete_object(Bucket=self.bucket, Key=self._object(name))
        self.here.delete(name)

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except Trouble as trouble:
            if trouble.sentence == NOT_THERE:
                return False
            raise
        return True

    def size(self, name: str) -> int:
        if self.here.exists(name):
            return self.here.size(name)
        with _asking():
            return int(self._client.head_object(Bucket=self.bucket, Key=self._object(name))["ContentLength"])

    def read(self, name: str, most_bytes: int) -> bytes:
        if self.here.exists(name):
            return self.here.read(name, most_bytes)
        with _asking():
            body = self._client.get_object(Bucket=self.bucket, Key=self._object(name))["Body"]
            try:
                data = body.read(most_bytes + 1)
            finally:
                body.close()
        return small(data, most_bytes)

    def names(self, prefix: str = "") -> Iterator[Stored]:
        yield from self.here.names(prefix)
        with _asking():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            for page in pages:
                for each in page.get("Contents", ()):
                    name = each["Key"].removeprefix(self.prefix)
                    yield Stored(name, int(each["Size"]), int(each["LastModified"].timestamp() * 1000))

    def path(self, name: str) -> Path | None:
        return self.here.path(name) if self.here.exists(name) else None

    def url(
        self,
        name: str,
        *,
        mime: str,
        seconds: int,
        download_name: str | None = None,
        method: str = "GET",
    ) -> str | None:
        # The same address for a while, so that a browser asking for range after range stays with one.
        wanted, now = (name, mime, seconds, download_name, method), time.monotonic()
        known = self._signed.get(wanted)
        if known is not None and now < known[1]:
            return known[0]
        said = f'attachment; filename="{checked(download_name)}"' if download_name else "inline"
        with _asking():
            address = self._client.generate_presigned_url(
                "head_object" if method == "HEAD" else "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": self._object(name),
                    "ResponseContentType": mime,
                    "ResponseContentDisposition": said,
                },
                ExpiresIn=seconds,
            )
        if len(self._signed) > URLS_KEPT:
            self._signed.clear()
        self._signed[wanted] = (str(address), now + seconds / 2)
        return str(address)

    def origin(self) -> str:
        return self._endpoint

    def free_bytes(self) -> int | None:
        return None

    def refuse_full(self, size_bytes: int) -> None:
        """Nobody says how much a bucket still takes; but on its way there a file lies here."""
        self.here.refuse_full(size_bytes)

    def tidy(self, older_than_ms: int) -> int:
        count = self.here.tidy(older_than_ms)
        with _asking():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            for each in [each for page in pages for each in page.get("Uploads", ())]:
                if each["Initiated"].timestamp() < time.time() - older_than_ms / 1000:
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=each["Key"], UploadId=each["UploadId"]
                    )
                    count += 1
        return count

    def says(self) -> str:
        where = f"The bucket {self.bucket} at {urlsplit(self._endpoint).netloc}"
        try:
            with _asking():
                self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
        except Trouble as trouble:
            return f"{where}: {trouble.sentence}"
        return f"{where} answers."

    def _object(self, name: str) -> str:
        return self.prefix + checked(name)

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                session = boto3.session.Session(self._key, self._secret, region_name=self._region)
                self._made = session.client("s3", endpoint_url=self._endpoint, config=_CONFIG)
        return self._made


# https://botocore.amazonaws.com/v1/documentation/api/latest/reference/config.html
_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=20,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=20,
    proxies={},
    # Amazon's own extra checksums are refused by several others that speak S3.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_TRANSFER = TransferConfig(
    multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2, use_threads=True
)


@contextmanager
def _asking() -> Iterator[None]:
    """Turn what the library raises into Trouble."""
    try:
        yield
    except ClientError as error:
        facts = error.response
        code, status = (
            facts.get("Error", {}).get("Code", ""),
            facts.get("ResponseMetadata", {}).get("HTTPStatusCode"),
        )
        sentence = _SENTENCES.get(code) or _SENTENCES.get(str(status)) or NO_ANSWER
        raise Trouble(sentence, again=sentence in _FOR_NOW) from error
    except (HTTPClientError, BotoCoreError, Boto3Error) as error:
        raise Trouble(NO_ANSWER, again=True) from error
