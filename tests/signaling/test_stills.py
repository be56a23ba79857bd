"""Pictures that are derived of a still, also where a stop came in between."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime

from PIL import Image

from media.simulated.scene import Scene, SceneOptions
from records.interface import SYSTEM_ACTOR, CaptureMethod, NewUpload, UploadPurpose, Variant
from signaling.color_jobs import derive_shown
from signaling.compose import color_functions
from tests.signaling.clinic import Clinic


async def test_a_correction_that_was_cut_off_is_made_when_the_consultation_is_opened(clinic: Clinic) -> None:
    """The server stopped between the pictures to look at and the corrected one."""
    consulted = await clinic.consultation()
    records, now = clinic.server.records, datetime.now(UTC)
    jpeg = io.BytesIO()
    Image.fromarray(Scene(SceneOptions(width_px=1280, height_px=720)).still(1280, 720)).save(
        jpeg, "JPEG", quality=95
    )
    body = jpeg.getvalue()
    new = NewUpload(
        purpose=UploadPurpose.SNAPSHOT,
        owner_id=consulted.consultation_id,
        uploader_id="system",
        capture_id=None,
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        media_type="image/jpeg",
        method=CaptureMethod.FILE,
        taken_at=now,
        device="",
        settings={},
    )
    snapshot = await records.add_snapshot(SYSTEM_ACTOR, new, body, now)
    shown = derive_shown(color_functions(), body)
    for variant, data, report in (
        (Variant.THUMBNAIL, shown.thumbnail, None),
        (Variant.DISPLAY, shown.display, shown.quality),
    ):
        await records.add_derived(SYSTEM_ACTOR, snapshot.snapshot_id, variant, data, report, "test", now)
    specialist = await clinic.signed_in(clinic.specialist)
    path = f"/api/consultations/{consulted.consultation_id}"
    [before] = (await specialist.get(path)).json["snapshots"]
    assert before["quality"]["correctable"]
    await clinic.server.stills.settle()
    [after] = (await specialist.get(path)).json["snapshots"]
    assert sorted(after["variants"]) == ["corrected", "display", "original", "thumbnail"]
    assert after["calibration"]["grade"] in ("good", "usable")
