"""What a backup is made of: rows as values of any database, sealed parts, a manifest that vouches for all.

    backups/<id>/manifest     a line that anybody may read, then the sealed manifest; written last
    backups/<id>/rows-...     rows of one table, packed and sealed
    backups/<id>/blobs-...    names, sizes and SHA-256 of blobs: names tell nothing, and the manifest vouches
    backups/<id>/upload-...   what has arrived of an upload, sealed as it was
    blobs/ab/<name>           blobs, sealed as in the record, shared by all backups of the place

Each part is sealed under a key of its backup alone, and bound to its name. Pure.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnClause,
    Float,
    LargeBinary,
    Numeric,
    String,
    TableClause,
    Text,
    table,
)
from sqlalchemy import types as sql

from records.columns import UtcDateTime, Word
from records.interface import BackupBroken, BackupFacts, SealBroken
from records.keys import decrypt, encrypt, place

FOLDER = "backups"
FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_BYTES = 1 << 30
"""Of one part, unpacked: a part that says more is no part of ours."""

_KINDS: Mapping[str, sql.TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "real": Float(),
    "boolean": Boolean(),
    "bytes": LargeBinary(),
    "time": UtcDateTime(),
    "json": JSON(),
}


class TableShape(Struct, frozen=True):
    """A table as it was when it was backed up; kinds are the keys of _KINDS."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Name and kind of each."""

    def clause(self) -> TableClause:
        """The table for statements, whatever this version knows of it: values are the database's own."""
        return table(self.name, *(ColumnClause(name, _KINDS[kind]) for name, kind in self.columns))


class PartFacts(Struct, frozen=True):
    """One part: its object's name in the backup, how many rows or blobs it holds, SHA-256 of its bytes."""

    name: str
    count: int
    sha256: str


class BlobFacts(Struct, frozen=True, array_like=True):
    """One blob: its name, and size and SHA-256 of its sealed bytes."""

    name: str
    size_bytes: int
    sha256: str


class UploadFacts(Struct, frozen=True):
    """What has arrived of an upload: SHA-256 of its sealed bytes."""

    upload_id: str
    name: str
    sha256: str


class Manifest(Struct, frozen=True):
    """Everything that makes one backup whole."""

    revision: str
    """Of the schema (Alembic)."""
    tables: tuple[TableShape, ...]
    rows: tuple[tuple[str, PartFacts], ...]
    """Table and part."""
    blobs: tuple[PartFacts, ...]
    uploads: tuple[UploadFacts, ...]
    missing_blobs: tuple[str, ...]


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """What anybody may read of a backup, and what its manifest is bound to."""

    format: int
    backup_id: str
    created_at: datetime
    master_key_id: str
    record: str
    """Tells records apart: the hash of the first audit line, or nothing before there is one."""

    def facts(self) -> BackupFacts:
        """For a list."""
        return BackupFacts(self.backup_id, self.created_at, self.master_key_id)


def kind_of(of: sql.TypeEngine[Any]) -> str:
    """How values of a column's type are kept in a backup."""
    for types, kind in (
        ((UtcDateTime,), "time"),
        ((JSON,), "json"),
        ((LargeBinary,), "bytes"),
        ((Boolean,), "boolean"),
        ((sql.Integer,), "integer"),
        ((Float,), "real"),
        ((String, Word), "text"),
    ):
        if isinstance(of, types) and not (kind == "real" and isinstance(of, Numeric) and of.asdecimal):
            return kind
    raise TypeError(f"a backup knows no values of {of!r}")


def sha256(data: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def pack_rows(shape: TableShape, rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows, in the order of the shape's columns, as bytes. Times count microseconds since 1970."""
    times = [at for at, (_, kind) in enumerate(shape.columns) if kind == "time"]
    packed = []
    for row in rows:
        cells = list(row)
        for at in times:
            if cells[at] is not None:
                cells[at] = (cells[at] - _EPOCH) // timedelta(microseconds=1)
        packed.append(cells)
    return _squeeze(msgspec.msgpack.encode(packed))


def unpack_rows(shape: TableShape, data: bytes) -> list[dict[str, Any]]:
    """Undo `pack_rows`; raises BackupBroken."""
    try:
        rows = msgspec.msgpack.decode(_unsqueeze(data), type=list[list[Any]])
    except msgspec.DecodeError as error:
        raise BackupBroken("a part of the backup is damaged") from error
    found = []
    for row in rows:
        if len(row) != len(shape.columns):
            raise BackupBroken("a part of the backup is damaged")
        found.append(
            {
                name: _EPOCH + timedelta(microseconds=cell) if kind == "time" and cell is not None else cell
                for (name, kind), cell in zip(shape.columns, row, strict=True)
            }
        )
    return found


def pack_blobs(blobs: Sequence[BlobFacts]) -> bytes:
    """A list of blobs, for anybody to read: what may be removed must be told without the key."""
    return _squeeze(msgspec.json.encode(blobs))


def unpack_blobs(data: bytes) -> list[BlobFacts]:
    """Undo `pack_blobs`; raises BackupBroken."""
    try:
        return msgspec.json.decode(_unsqueeze(data), type=list[BlobFacts])
    except msgspec.MsgspecError as error:
        raise BackupBroken("a part of the backup is damaged") from error


def seal_part(cipher: AESGCM, backup_id: str, name: str, data: bytes) -> bytes:
    """Seal a part under the backup's key, bound to its name."""
    return encrypt(cipher, data, place("backup part", backup_id, name))


def open_part(cipher: AESGCM, backup_id: str, name: str, sealed: bytes) -> bytes:
    """Undo `seal_part`; raises BackupBroken."""
    try:
        return decrypt(cipher, sealed, place("backup part", backup_id, name))
    except SealBroken as error:
        raise BackupBroken("a part of the backup is damaged, or lies in the wrong place") from error


def seal_manifest(cipher: AESGCM, header: Header, manifest: Manifest) -> bytes:
    """The manifest's object: the header in one line of JSON, and the seal that is bound to it."""
    line = msgspec.json.encode(header)
    packed = _squeeze(msgspec.msgpack.encode(manifest))
    return line + b"\n" + encrypt(cipher, packed, place("backup manifest", line.decode()))


def read_header(data: bytes) -> Header:
    """What anybody may read; raises BackupBroken."""
    try:
        header = msgspec.json.decode(data.partition(b"\n")[0], type=Header)
    except msgspec.MsgspecError as error:
        raise BackupBroken("a backup's manifest is damaged") from error
    if header.format != FORMAT:
        raise BackupBroken("the backup was written by another version of this program")
    return header


def open_manifest(cipher: AESGCM, data: bytes) -> Manifest:
    """The manifest of an object whose header was read; raises BackupBroken."""
    line, _, sealed = data.partition(b"\n")
    try:
        packed = decrypt(cipher, sealed, place("backup manifest", line.decode()))
        return msgspec.msgpack.decode(_unsqueeze(packed), type=Manifest)
    except (SealBroken, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupBroken("a backup's manifest is damaged") from error


def _squeeze(data: bytes) -> bytes:
    return zlib.compress(data, 1)


def _unsqueeze(data: bytes) -> bytes:
    try:
        inflating = zlib.decompressobj()
        found = inflating.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise BackupBroken("a part of the backup is damaged") from error
    if not inflating.eof or inflating.unused_data:
        raise BackupBroken("a part of the backup is damaged")
    return found


def shape_of(name: str, columns: Sequence[tuple[str, sql.TypeEngine[Any]]]) -> TableShape:
    """The shape of a table of this version."""
    return TableShape(str(name), tuple((str(column_name), kind_of(of)) for column_name, of in columns))
