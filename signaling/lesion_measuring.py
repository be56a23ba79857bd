"""Measure an outline that was drawn on a snapshot: size where its still has a scale, color where it has a
calibration; with what it derives from. Composes the record's geometry with colorcal's color."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from colorcal.interface import ColorMeasure, Grade, NotEnoughSkin
from records.interface import (
    Actor,
    Annotation,
    Basis,
    Entry,
    InvalidEntry,
    LesionColor,
    Measurement,
    Plane,
    Quantity,
    Records,
    Snapshot,
    Tied,
    Variant,
    measure,
    outline_of,
)
from signaling.color_jobs import ToSrgb
from signaling.errors import Refusal
from signaling.messages import CalibrationReportView
from signaling.stills import SOFTWARE
from signaling.views import report_view

SCALE_UNCERTAINTY = 0.02
"""Relative standard uncertainty of a chart's scale at the lesion: skin lies a few millimetres nearer or
farther than the chart, and dz / Z of 5 mm at 250 mm is 2 %."""
DRAWING_UNCERTAINTY = 0.01
"""How well a border is drawn by hand: standard uncertainty as a share of the outline's longest side, and at
least one pixel."""


class LesionMeasuring:
    """Measures as the actor given, and keeps what was measured."""

    def __init__(self, records: Records, to_srgb: ToSrgb, measure_color: ColorMeasure) -> None:
        self._records = records
        self._to_srgb = to_srgb
        self._measure_color = measure_color

    async def measure(self, actor: Actor, annotation_id: str, now: datetime) -> Entry:
        """Measure the latest version of an outline. Raises NoScale where there is neither scale nor color."""
        drawn = await self._records.entry(actor, annotation_id, now)
        if not isinstance(drawn.content, Annotation) or drawn.deleted_at is not None:
            raise Refusal("request.not_found")
        assert drawn.tied.snapshot_id is not None
        snapshot = await self._records.snapshot(actor, drawn.tied.snapshot_id, now)
        outline_px = outline_of(drawn.content)
        report = None if snapshot.calibration is None else report_view(snapshot.calibration)
        mm_per_px = scale_of(report)
        color = None
        if report is not None and report.grade != Grade.REFUSE.value:
            color = await self._color(actor, snapshot, outline_px, report, now)
        size = None
        if mm_per_px is not None or color is None:
            plane = None if mm_per_px is None else Plane.of_scale(mm_per_px)
            size = measure(outline_px, plane, drawing_uncertainty_px(outline_px))
        basis = Basis(
            annotation_id=annotation_id,
            annotation_version=drawn.version,
            mm_per_px=mm_per_px,
            scale_source="" if mm_per_px is None else "chart",
            calibration_grade=None if report is None else report.grade,
            calibration_de00=None if report is None else report.expected_de00,
            software=SOFTWARE,
        )
        tied = Tied(drawn.tied.lesion_id, snapshot.snapshot_id, drawn.tied.consultation_id, annotation_id)
        return await self._records.add_entry(
            actor, drawn.patient_id, Measurement(basis, size, color), tied, now
        )

    async def _color(
        self,
        actor: Actor,
        snapshot: Snapshot,
        outline_px: NDArray[np.float64],
        report: CalibrationReportView,
        now: datetime,
    ) -> LesionColor | None:
        """Read from the corrected picture, which may be smaller than the original; None in too few pixels."""
        data, _ = await self._records.snapshot_bytes(actor, snapshot.snapshot_id, Variant.CORRECTED, now)
        corrected = await asyncio.to_thread(self._to_srgb, data)
        height, width = corrected.shape[:2]
        there = outline_px * (width / snapshot.width_px, height / snapshot.height_px)
        try:
            color = await asyncio.to_thread(self._measure_color, corrected, there, report.expected_de00)
        except NotEnoughSkin:
            return None
        return msgspec.convert(msgspec.to_builtins(color), LesionColor)


def scale_of(report: CalibrationReportView | None) -> Quantity | None:
    """The scale of a still by its chart, if it has one."""
    if report is None or report.scale_mm_per_px is None or report.scale_mm_per_px <= 0:
        return None
    return Quantity(report.scale_mm_per_px, report.scale_mm_per_px * SCALE_UNCERTAINTY)


def drawing_uncertainty_px(outline_px: NDArray[np.float64]) -> float:
    """How well a border is drawn; raises InvalidEntry for one that is nowhere."""
    if not len(outline_px):
        raise InvalidEntry("an outline has at least three corners")
    return max(1.0, DRAWING_UNCERTAINTY * float(np.ptp(outline_px, axis=0).max()))
