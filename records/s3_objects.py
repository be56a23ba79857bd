"""Objects on an S3 server, by obstore's blocking calls: its others can abort a process that ends.

A PUT is whole or absent by itself. Where the server knows `If-None-Match` an object is never written twice;
one that does not know it writes the same content again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError
from obstore.store import S3Store

from records.interface import NotFound, RecordError, StorageUnavailable
from records.objects import ObjectFacts

if TYPE_CHECKING:  # a type that is there for checkers alone
    from obstore.store import ClientConfig

_CONNECT_WITHIN = timedelta(seconds=5)
_ANSWER_WITHIN = timedelta(seconds=120)
_RETRY_WITHIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, repr=False)
class S3Place:
    """Where objects lie. What is None comes from the AWS_* variables, as other programs read them."""

    bucket: str
    prefix: str | None
    endpoint: str | None
    region: str | None
    key_id: str | None
    secret: str | None


def parse_place(url: str) -> S3Place:
    """`s3://[KEY_ID:SECRET@]BUCKET[/FOLDER][?endpoint=URL&region=NAME]`; raises RecordError."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if parts.scheme != "s3" or not parts.hostname or options or parts.fragment:
        raise RecordError("an S3 place is s3://BUCKET/FOLDER, with ?endpoint= and &region= if need be")
    if (parts.username is None) != (parts.password is None):
        raise RecordError("an S3 place names a key id and its secret, or neither")
    if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
        raise RecordError("the endpoint of an S3 place is an http or https URL")
    bucket = parts.netloc.rpartition("@")[2]
    return S3Place(
        bucket,
        parts.path.strip("/") or None,
        endpoint,
        region,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def _store(place: S3Place) -> S3Store:
    given: dict[str, str] = {}
    if place.endpoint is not None:
        given["endpoint"] = place.endpoint
    if place.region is not None:
        given["region"] = place.region
    if place.key_id is not None and place.secret is not None:
        given |= {"access_key_id": place.key_id, "secret_access_key": place.secret}
    options: ClientConfig = {"connect_timeout": _CONNECT_WITHIN, "timeout": _ANSWER_WITHIN}
    if (place.endpoint or os.environ.get("AWS_ENDPOINT_URL", "")).startswith("http://"):
        options["allow_http"] = True  # whoever writes it means it
    try:
        return S3Store(
            place.bucket,
            prefix=place.prefix,
            client_options=options,
            retry_config={"max_retries": 3, "retry_timeout": _RETRY_WITHIN},
            **given,  # type: ignore[arg-type]
        )
    except (BaseError, ValueError) as error:
        raise RecordError("an S3 place cannot be used as it is written") from error


@contextmanager
def _typed() -> Iterator[None]:
    """An error's own words may hold addresses and names: they go no further than its cause."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("bytes of the record are missing") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable("the S3 server of the record does not answer as it should") from error


class S3Objects:
    """`records.objects.Objects` in a folder of a bucket."""

    def __init__(self, url: str) -> None:
        """url: see parse_place. Nothing is asked of the server yet."""
        self._store = _store(parse_place(url))
        self._knows_create = True

    def put(self, name: str, data: Iterable[bytes], *, replace: bool = False) -> None:
        """See Objects."""
        whole = b"".join(data)
        try:
            with _typed():
                if replace or not self._knows_create:
                    obstore.put(self._store, name, whole, use_multipart=False)
                    return
                try:
                    obstore.put(self._store, name, whole, mode="create", use_multipart=False)
                except AlreadyExistsError:
                    return
                except NotSupportedError:
                    self._knows_create = False
                    obstore.put(self._store, name, whole, use_multipart=False)
        except NotFound as error:
            raise StorageUnavailable("the bucket of the record is not there") from error

    def get(self, name: str) -> BinaryIO:
        """See Objects."""
        with _typed():
            return BytesIO(obstore.get(self._store, name).bytes())

    def exists(self, name: str) -> bool:
        """See Objects."""
        try:
            with _typed():
                obstore.head(self._store, name)
        except NotFound:
            return False
        return True

    def remove(self, name: str) -> None:
        """See Objects."""
        try:
            with _typed():
                obstore.delete(self._store, name)
        except NotFound:
            return

    def list(self, folder: str) -> Iterator[ObjectFacts]:
        """See Objects."""
        pages = iter(obstore.list(self._store, prefix=folder))
        while True:
            with _typed():
                page = next(pages, None)
            if page is None:
                return
            for one in page:
                yield ObjectFacts(one["path"], one["size"], one["last_modified"].timestamp())

    def clear_temporary(self, moment_s: float) -> int:
        """Nothing is ever half-written there."""
        return 0
