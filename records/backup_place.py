"""The place of backups: which whole ones lie there, and what of it nobody needs any more. Blocking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from records import backup_format as fmt
from records.blobs import FOLDER as BLOBS
from records.blobs import object_name
from records.interface import BackupBroken, NotFound, RecordError
from records.objects import Objects

KEEP_AT_LEAST = 3
"""Backups of a record that stay however old they are."""
LEFT_ALONE_FOR = timedelta(days=1)
"""Younger than this, what no manifest names may belong to a backup that another server writes."""

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


class BackupPlace:
    """Backups among objects."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    @staticmethod
    def name(backup_id: str, part: str) -> str:
        """The object of one part of a backup."""
        return f"{fmt.FOLDER}/{backup_id}/{part}"

    def read(self, name: str) -> bytes:
        """The bytes of an object; raises NotFound."""
        with self.objects.get(name) as source:
            return source.read()

    def write(self, name: str, data: bytes) -> None:
        """Keep an object, and read it again; raises BackupBroken where it comes back otherwise."""
        self.objects.put(name, [data], replace=True)
        if fmt.sha256(self.read(name)) != fmt.sha256(data):
            raise BackupBroken("the place of the backup does not give back what it was given")

    def ids(self) -> list[str]:
        """Backups whose manifest is there, oldest first."""
        found = set()
        for one in self.objects.list(fmt.FOLDER):
            parts = one.name.split("/")
            if len(parts) == 3 and parts[2] == "manifest" and _ID.fullmatch(parts[1]):
                found.add(parts[1])
        return sorted(found)

    def manifest(self, backup_id: str) -> tuple[fmt.Header, bytes]:
        """Header and bytes of a manifest; raises NotFound, BackupBroken."""
        data = self.read(self.name(backup_id, "manifest"))
        header = fmt.read_header(data)
        if header.backup_id != backup_id:
            raise BackupBroken("a backup's manifest belongs to another backup")
        return header, data

    def headers(self) -> Iterator[fmt.Header]:
        """Headers of the backups that can be read, oldest first."""
        for backup_id in self.ids():
            try:
                yield self.manifest(backup_id)[0]
            except (NotFound, BackupBroken):
                continue

    def blob_sizes(self) -> dict[str, int]:
        """Size of every blob at the place."""
        return {one.name.rpartition("/")[2]: one.size_bytes for one in self.objects.list(BLOBS)}

    def prune(self, record: str, now: datetime, keep_days: int) -> int:
        """Remove the record's backups older than `keep_days`, then what no manifest names; returns how many.

        What another record keeps at the same place stays. Raises RecordError.
        """
        own = [one for one in self.headers() if one.record == record]
        expired = [
            one
            for one in own[: max(0, len(own) - KEEP_AT_LEAST)]
            if one.created_at < now - timedelta(days=keep_days)
        ]
        for header in expired:
            # Its manifest first: what is left of a backup without one is never taken for a backup.
            self.objects.remove(self.name(header.backup_id, "manifest"))
        torn = self._remove_torn(now)
        if expired or torn:
            self._remove_unnamed(now)
        return len(expired)

    def _remove_torn(self, now: datetime) -> bool:
        """Remove what lies under no manifest, and did not change lately."""
        whole = set(self.ids())
        torn: dict[str, list[tuple[str, float]]] = {}
        for one in self.objects.list(fmt.FOLDER):
            backup_id = one.name.split("/")[1]
            if backup_id not in whole:
                torn.setdefault(backup_id, []).append((one.name, one.modified_s))
        removed = [self._remove_old(parts, now) for parts in torn.values()]
        return any(removed)

    def _remove_old(self, parts: list[tuple[str, float]], now: datetime) -> bool:
        if max(modified_s for _, modified_s in parts) >= (now - LEFT_ALONE_FOR).timestamp():
            return False
        for name, _ in parts:
            self.objects.remove(name)
        return True

    def _remove_unnamed(self, now: datetime) -> None:
        """Remove blobs that no backup lists. A list that cannot be read keeps all of them."""
        named: set[str] = set()
        for one in self.objects.list(fmt.FOLDER):
            if one.name.rpartition("/")[2].startswith("blobs-"):
                try:
                    named.update(blob.name for blob in fmt.unpack_blobs(self.read(one.name)))
                except RecordError:
                    return
        for one in self.objects.list(BLOBS):
            name = one.name.rpartition("/")[2]
            if name not in named and one.modified_s < (now - LEFT_ALONE_FOR).timestamp():
                self.objects.remove(object_name(name))
