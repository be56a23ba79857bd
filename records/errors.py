"""Every error of the record; `error_id` is stable and goes over the wire."""

from __future__ import annotations


class RecordError(Exception):
    """A refused request to the record; `error_id` is stable and goes over the wire."""

    error_id = "record.error"


class NotFound(RecordError):
    """No such thing in the record."""

    error_id = "record.not_found"


class Conflict(RecordError):
    """Somebody else changed it first: read again."""

    error_id = "record.conflict"


class UploadOffsetMismatch(RecordError):
    """The chunk does not continue where the stored bytes end; `offset_bytes` says where that is."""

    error_id = "upload.offset_mismatch"

    def __init__(self, offset_bytes: int) -> None:
        super().__init__(f"upload continues at byte {offset_bytes}")
        self.offset_bytes = offset_bytes


class UploadTooLarge(RecordError):
    """More bytes than announced, or more than allowed."""

    error_id = "upload.too_large"


class HashMismatch(RecordError):
    """The bytes that arrived are not the bytes that were announced."""

    error_id = "upload.hash_mismatch"


class NotAnImage(RecordError):
    """The bytes are no picture that this record keeps (JPEG, PNG, WebP, HEIC), or are hostile."""

    error_id = "upload.not_an_image"


class StorageFull(RecordError):
    """The disk is full; what was acknowledged before is safe."""

    error_id = "upload.storage_full"


class StorageUnavailable(RecordError):
    """The server that keeps the bytes of the record does not answer, or refuses; try again later."""

    error_id = "record.storage_unavailable"


class BackupBroken(RecordError):
    """A backup lacks something, or was changed from outside: nothing of it is restored."""

    error_id = "backup.broken"


class BackupRunning(RecordError):
    """Another backup of the same record is under way."""

    error_id = "backup.running"


class NotEmpty(RecordError):
    """A backup is restored into an empty record only."""

    error_id = "backup.not_empty"


class SealBroken(RecordError):
    """Sealed bytes are damaged, cut short, or moved from where they were sealed."""

    error_id = "record.seal_broken"


class WrongMasterKey(RecordError):
    """The master key given is not the one this record was sealed under."""

    error_id = "record.wrong_master_key"


class InvalidEntry(RecordError):
    """What should be written makes no sense in itself."""

    error_id = "record.invalid"


class NoScale(RecordError):
    """Nothing in the picture says how large it is: there are no millimetres."""

    error_id = "measurement.no_scale"


class NotADocument(RecordError):
    """The bytes are no document that this record keeps (PDF, or a picture), or are hostile."""

    error_id = "document.refused"
