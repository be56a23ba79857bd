"""Values: uploads, snapshots and derived pictures, and the Images Protocol over their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class CaptureMethod(StrEnum):
    """How a still came about; RELAY_FRAME is a video frame, not a still of the device."""

    TAKE_PHOTO = "take_photo"
    CANVAS = "canvas"
    FILE = "file"
    RELAY_FRAME = "relay_frame"


class Variant(StrEnum):
    """Which picture of a snapshot: the unaltered bytes, or one derived from them."""

    ORIGINAL = "original"
    DISPLAY = "display"
    CORRECTED = "corrected"
    THUMBNAIL = "thumbnail"


class UploadPurpose(StrEnum):
    """What an upload becomes when it is whole."""

    SNAPSHOT = "snapshot"
    REFERRAL_PHOTO = "referral_photo"


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An announced upload. sha256 is lower-case hex, or None where the device cannot hash."""

    purpose: UploadPurpose
    owner_id: str
    """consultation_id for a snapshot, referral_id for a referral photo."""
    uploader_id: str
    capture_id: str | None
    size_bytes: int
    sha256: str | None
    media_type: str
    method: CaptureMethod
    taken_at: datetime | None
    device: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way; its bytes lie encrypted and survive a restart."""

    upload_id: str
    new: NewUpload
    offset_bytes: int
    created_at: datetime
    snapshot_id: str | None
    """Set once the whole became a snapshot."""


@dataclass(frozen=True, slots=True)
class DerivedImage:
    """A picture made from an original, with what made it."""

    variant: Variant
    media_type: str
    width_px: int
    height_px: int
    sha256: str
    report: Mapping[str, Any] | None
    """The CalibrationReport behind a corrected picture, as JSON values."""
    software: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A still or frame in the patient's record: its original is unaltered and addressed by hash."""

    snapshot_id: str
    patient_id: str
    consultation_id: str | None
    referral_id: str | None
    method: CaptureMethod
    taken_at: datetime
    stored_at: datetime
    media_type: str
    size_bytes: int
    sha256: str
    width_px: int
    height_px: int
    device: str
    settings: Mapping[str, Any]
    has_location: bool
    """The original carries a GPS position; no derived picture does."""
    derived: tuple[DerivedImage, ...]
    calibration: Mapping[str, Any] | None
    """CalibrationReport as JSON values, or None: uncalibrated."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the bytes of a picture say about themselves."""

    media_type: str
    width_px: int
    height_px: int
    has_location: bool
    has_icc_profile: bool


class Images(Protocol):
    """Pure functions over picture bytes (records.images); CPU-bound: call in a thread."""

    def inspect(self, data: bytes) -> ImageFacts:
        """Facts about a picture; raises NotAnImage."""

    def to_srgb(self, data: bytes) -> NDArray[np.uint8]:
        """Decode to sRGB, upright, uint8 [H, W, 3], the embedded ICC profile honoured."""

    def encode_derived(self, rgb: NDArray[np.uint8], longest_side_px: int | None = None) -> bytes:
        """A JPEG 4:4:4 of rgb with an sRGB profile and no other metadata."""
