"""Objects and blobs behave alike as files and on S3 servers: whole, written once, listed, typed when away."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.blobs import Blobs, object_name
from records.interface import NotFound, RecordError, SealBroken, StorageUnavailable
from records.objects import Objects, open_objects
from records.s3_objects import parse_place
from tests.support.ports import free_port
from tests.support.s3 import KEY_ID, SECRET, S3Server

NAME = "ab" * 32
CIPHER = AESGCM(bytes(32))


@pytest.fixture
def objects(blob_place: str) -> Objects:
    return open_objects(blob_place)


def _read(objects: Objects, name: str) -> bytes:
    with objects.get(name) as source:
        return source.read()


def test_what_was_put_is_read_and_listed(objects: Objects) -> None:
    objects.put("blobs/ab/x", [b"one ", b"two"])
    objects.put("blobs/cd/y", [])
    objects.put("blobsandmore/z", [b"elsewhere"])
    assert _read(objects, "blobs/ab/x") == b"one two"
    assert objects.exists("blobs/cd/y")
    assert sorted((one.name, one.size_bytes) for one in objects.list("blobs")) == [
        ("blobs/ab/x", 7),
        ("blobs/cd/y", 0),
    ]
    assert list(objects.list("nothing")) == []
    assert objects.clear_temporary(1e12) == 0


def test_an_object_is_written_once_unless_replaced(objects: Objects, request: pytest.FixtureRequest) -> None:
    objects.put("a/b", [b"first"])
    objects.put("a/b", [b"first"])
    if request.node.callspec.params["blob_place"] != "nanio":  # which does not know `If-None-Match`
        objects.put("a/b", [b"other"])
        assert _read(objects, "a/b") == b"first"
    objects.put("a/b", [b"second"], replace=True)
    assert _read(objects, "a/b") == b"second"


def test_what_is_not_there_is_not_found_and_removed_twice(objects: Objects) -> None:
    assert not objects.exists("a/b")
    with pytest.raises(NotFound):
        objects.get("a/b")
    objects.remove("a/b")
    objects.put("a/b", [b"x"])
    objects.remove("a/b")
    objects.remove("a/b")
    assert not objects.exists("a/b")


def test_listings_of_many_pages_are_whole(objects: Objects) -> None:
    names = {f"blobs/{n % 7:02}/{n:04}" for n in range(1100)}
    for name in names:
        objects.put(name, [b"x"])
    assert {one.name for one in objects.list("blobs")} == names


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (6 << 20) + 5])
def test_blobs_come_back_whole(objects: Objects, size: int) -> None:
    blobs = Blobs(objects)
    data = bytes(range(251)) * (size // 251 + 1)
    blobs.put(CIPHER, NAME, data[:size])
    assert b"".join(blobs.stream(CIPHER, NAME)) == data[:size]
    assert blobs.exists(NAME)
    assert list(blobs.names_older_than(1e12)) == [NAME]
    assert list(blobs.names_older_than(0)) == []
    blobs.remove(NAME)
    assert not blobs.exists(NAME)


def test_a_damaged_or_moved_blob_does_not_open(objects: Objects) -> None:
    blobs = Blobs(objects)
    blobs.put(CIPHER, NAME, b"skin" * 1000)
    sealed = _read(objects, object_name(NAME))
    other = "cd" * 32
    for name, stored in (
        (NAME, sealed[:200] + bytes([sealed[200] ^ 1]) + sealed[201:]),
        (NAME, sealed[:-1]),
        (NAME, b""),
        (other, sealed),
    ):
        objects.put(object_name(name), [stored], replace=True)
        with pytest.raises(SealBroken):
            b"".join(blobs.stream(CIPHER, name))


def test_a_missing_bucket_or_server_is_typed(moto: S3Server) -> None:
    for place in (
        moto.url("no-such-bucket"),
        f"s3://k:s@bucket/x?endpoint=http://127.0.0.1:{free_port()}&region=us-east-1",
    ):
        objects = open_objects(place)
        with pytest.raises(StorageUnavailable):
            objects.put("a", [b"1"])
        with pytest.raises(StorageUnavailable):
            list(objects.list("a"))


def test_a_wrong_secret_is_typed_and_not_repeated(nanio: S3Server) -> None:
    objects = open_objects(nanio.url(secret="not the secret"))
    for call in (lambda: objects.put("a", [b"1"]), lambda: objects.get("a"), lambda: objects.exists("a")):
        with pytest.raises(StorageUnavailable) as refused:
            call()
        assert "not the secret" not in str(refused.value)


def test_what_the_url_leaves_out_comes_from_the_environment(
    nanio: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{nanio.port}",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = nanio.bucket()
    open_objects(f"s3://{bucket}/clinic/one").put("a/b", [b"x"])
    monkeypatch.undo()
    assert open_objects(nanio.url(bucket)).exists("a/b")


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///folder",
        "s3://KEY@bucket",
        "s3://bucket?endpoint=ftp://x",
        "s3://bucket?region=x&color=red",
        "s3://bucket/x#y",
    ],
)
def test_a_place_that_is_written_wrongly_is_refused(url: str) -> None:
    with pytest.raises(RecordError) as refused:
        open_objects(url)
    assert "KEY" not in str(refused.value)


def test_a_place_is_read_from_its_url() -> None:
    place = parse_place(
        "s3://id:a%2Fb%2B@Clinic.bucket/one/two/?endpoint=https://s3.example:9000&region=eu-1"
    )
    assert (place.bucket, place.prefix, place.endpoint) == (
        "Clinic.bucket",
        "one/two",
        "https://s3.example:9000",
    )
    assert (place.region, place.key_id, place.secret) == ("eu-1", "id", "a/b+")
    assert "a/b+" not in repr(place)
    plain = parse_place("s3://bucket")
    assert (plain.prefix, plain.endpoint, plain.key_id, plain.secret) == (None, None, None, None)


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path / "new" / "place"))
    objects.put("a/b", [b"x"])
    for path in (tmp_path / "new").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
