"""Values: what clinicians write about a patient: lesions, annotations, measurements, conditions, medication,
notes, documents. Each is the content of an Entry, which has versions; a content never changes in place."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from records.body_map import SITES, Laterality, MapView, side_fits
from records.errors import Conflict, InvalidEntry
from records.pictures import Snapshot

MOST_POINTS = 2000
LONGEST_LABEL = 200
LONGEST_TEXT = 20_000


class EntryKind(StrEnum):
    """What an entry is about; readable in the database, so it says nothing about the patient."""

    LESION = "lesion"
    ANNOTATION = "annotation"
    MEASUREMENT = "measurement"
    CONDITION = "condition"
    MEDICATION = "medication"
    NOTE = "note"
    DOCUMENT = "document"


class RetentionClass(StrEnum):
    """For how long something is kept at least: how many years each class means is a setting."""

    CLINICAL = "clinical"
    DOCUMENT = "document"
    WORKING = "working"
    """Aids of work without weight of their own, such as an arrow on a picture."""


class LesionState(StrEnum):
    """What became of a lesion."""

    ACTIVE = "active"
    RESOLVED = "resolved"
    EXCISED = "excised"


class Form(StrEnum):
    """Form of an annotation."""

    POLYGON = "polygon"
    ELLIPSE = "ellipse"
    ARROW = "arrow"
    TEXT = "text"


class ClinicalStatus(StrEnum):
    """FHIR condition-clinical, as far as dermatology uses it."""

    ACTIVE = "active"
    RECURRENCE = "recurrence"
    REMISSION = "remission"
    RESOLVED = "resolved"


class MedicationStatus(StrEnum):
    """FHIR medication-statement-status, as far as this record uses it."""

    ACTIVE = "active"
    COMPLETED = "completed"
    STOPPED = "stopped"


class Section(StrEnum):
    """A part of a structured note."""

    HISTORY = "history"
    EXAMINATION = "examination"
    ASSESSMENT = "assessment"
    PLAN = "plan"
    ADVICE = "advice"


class DocumentKind(StrEnum):
    """What an attached document is."""

    PATHOLOGY = "pathology"
    DERMOSCOPY = "dermoscopy"
    LABORATORY = "laboratory"
    OTHER = "other"


def _check(fits: bool, words: str) -> None:
    if not fits:
        raise InvalidEntry(words)


def _check_words(text: str, most: int, what: str, *, least: int = 1) -> None:
    _check(least <= len(text.strip()) and len(text) <= most, f"{what} has {least} to {most} characters")


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion, one id for life. The point on the body map is a share of the drawing's width and height."""

    label: str
    site: str
    """A code of records.body_map."""
    laterality: Laterality
    state: LesionState = LesionState.ACTIVE
    map_view: MapView | None = None
    map_point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        _check_words(self.label, LONGEST_LABEL, "a lesion's label")
        _check(self.site in SITES, "no such body site")
        _check(side_fits(self.site, self.laterality), "this site and this side do not go together")
        _check((self.map_view is None) == (self.map_point is None), "a point needs its drawing")
        if self.map_point is not None:
            _check(all(0 <= share <= 1 for share in self.map_point), "a point lies on the drawing")


POINTS = {Form.POLYGON: (3, MOST_POINTS), Form.ELLIPSE: (3, 3), Form.ARROW: (2, 2), Form.TEXT: (1, 1)}
"""Fewest and most points of each form."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something drawn on a snapshot. points: x and y in px of the upright original, whose corner is (0, 0).

    A polygon has its corners; an ellipse its center and the ends of two conjugate half-axes (center + u cos t
    + v sin t), which any affine map keeps an ellipse; an arrow its tail and its head; a text its place.
    """

    form: Form
    points: tuple[tuple[float, float], ...]
    words: str = ""

    def __post_init__(self) -> None:
        least, most = POINTS[self.form]
        _check(least <= len(self.points) <= most, f"a {self.form.value} has {least} to {most} points")
        _check(all(math.isfinite(x) and math.isfinite(y) for x, y in self.points), "points are numbers")
        _check_words(self.words, 500, "words of an annotation", least=1 if self.form is Form.TEXT else 0)
        if self.form is Form.ELLIPSE:
            (cx, cy), (ux, uy), (vx, vy) = self.points
            _check(abs((ux - cx) * (vy - cy) - (uy - cy) * (vx - cx)) > 0, "an ellipse has an area")

    def lies_on(self, width_px: int, height_px: int) -> bool:
        """Whether every point is on a picture of this size, its edge included."""
        return all(0 <= x <= width_px and 0 <= y <= height_px for x, y in self.points)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value and its standard uncertainty (JCGM 100:2008, 2.3.1), in the same unit."""

    value: float
    uncertainty: float

    def __post_init__(self) -> None:
        _check(math.isfinite(self.value), "a quantity is a number")
        _check(0 <= self.uncertainty < math.inf, "an uncertainty is a number from 0 up")


@dataclass(frozen=True, slots=True)
class Size:
    """Size of an outline in the plane of the skin."""

    longest_mm: Quantity
    perpendicular_mm: Quantity
    area_mm2: Quantity


@dataclass(frozen=True, slots=True)
class RegionColor:
    """Color of a region of a corrected picture: CIE Lab under D65, spread, and indices of skin."""

    lightness: Quantity
    a: Quantity
    b: Quantity
    spread_de00: Quantity
    """Mean CIEDE2000 of its pixels against their mean."""
    erythema_index: Quantity
    melanin_index: Quantity
    ita_deg: Quantity | None
    """Individual typology angle; None where it has no meaning (a color without yellow)."""


@dataclass(frozen=True, slots=True)
class LesionColor:
    """Color inside an outline, around it, and the CIEDE2000 between both means."""

    inside: RegionColor
    surrounding: RegionColor
    contrast_de00: Quantity


@dataclass(frozen=True, slots=True)
class Basis:
    """What a measurement derives from. None: there was none, and what would need it is not measured."""

    annotation_id: str
    annotation_version: int
    mm_per_px: Quantity | None
    """Scale in the plane of the skin at the outline."""
    scale_source: str
    """Where the scale comes from, such as "chart"; empty without one."""
    calibration_grade: str | None
    """Grade of the CalibrationReport of the corrected picture that the color was read from."""
    calibration_de00: float | None
    """Its expected error on skin."""
    software: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of one version of one outline; never edited: another outline gets another one."""

    basis: Basis
    size: Size | None
    color: LesionColor | None

    def __post_init__(self) -> None:
        _check(self.size is None or self.basis.mm_per_px is not None, "no millimetres without a scale")
        _check(self.color is None or self.basis.calibration_grade is not None, "no color uncalibrated")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as a clinician names it. code may be empty; with one, system says whose code it is."""

    words: str
    system: str
    code: str
    status: ClinicalStatus = ClinicalStatus.ACTIVE
    onset: date | None = None

    def __post_init__(self) -> None:
        _check_words(self.words, LONGEST_LABEL, "a condition's name")
        _check_words(self.system, 100, "a coding system", least=0)
        _check_words(self.code, 32, "a code", least=0)
        _check(bool(self.code) == bool(self.system), "a code needs its system")


@dataclass(frozen=True, slots=True)
class Medication:
    """A medication that a patient takes or took, as stated; not a prescription."""

    words: str
    dosage: str = ""
    status: MedicationStatus = MedicationStatus.ACTIVE
    started: date | None = None
    ended: date | None = None

    def __post_init__(self) -> None:
        _check_words(self.words, LONGEST_LABEL, "a medication's name")
        _check_words(self.dosage, 500, "a dosage", least=0)
        if self.started is not None and self.ended is not None:
            _check(self.started <= self.ended, "a medication ends after it began")


@dataclass(frozen=True, slots=True)
class Note:
    """A note: free text, sections, or both."""

    text: str = ""
    sections: dict[Section, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = "".join((self.text, *self.sections.values()))
        _check_words(whole, LONGEST_TEXT, "a note")


@dataclass(frozen=True, slots=True)
class Document:
    """An attached document: its bytes are a blob, immutable; media_type was told by its content."""

    document_kind: DocumentKind
    title: str
    media_type: str
    size_bytes: int
    sha256: str
    issued_on: date | None = None

    def __post_init__(self) -> None:
        _check_words(self.title, LONGEST_LABEL, "a document's title")


Content: TypeAlias = Lesion | Annotation | Measurement | Condition | Medication | Note | Document

CONTENTS: dict[EntryKind, type[Content]] = {
    EntryKind.LESION: Lesion,
    EntryKind.ANNOTATION: Annotation,
    EntryKind.MEASUREMENT: Measurement,
    EntryKind.CONDITION: Condition,
    EntryKind.MEDICATION: Medication,
    EntryKind.NOTE: Note,
    EntryKind.DOCUMENT: Document,
}
"""Content of each kind of entry."""

IMMUTABLE = frozenset({EntryKind.MEASUREMENT})
"""What has one version only."""


def kind_of(content: Content) -> EntryKind:
    """Which kind of entry has such a content."""
    return next(kind for kind, made in CONTENTS.items() if type(content) is made)


def retention_of(content: Content) -> RetentionClass:
    """How long such an entry is kept at least; pure policy of classes, their years are settings."""
    if isinstance(content, Document):
        return RetentionClass.DOCUMENT
    if isinstance(content, Annotation) and content.form in (Form.ARROW, Form.TEXT):
        return RetentionClass.WORKING
    return RetentionClass.CLINICAL


@dataclass(frozen=True, slots=True)
class Tied:
    """What an entry is about, beside its patient."""

    lesion_id: str | None = None
    snapshot_id: str | None = None
    consultation_id: str | None = None
    annotation_id: str | None = None
    """The outline that a measurement was made of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of something that was written about a patient; version 1 is the first."""

    entry_id: str
    kind: EntryKind
    patient_id: str
    tied: Tied
    at: datetime
    """Its time in the patient's history: when it was first written, or what it was written about."""
    version: int
    latest_version: int
    author_id: str
    """Who wrote this version."""
    written_at: datetime
    retention: RetentionClass
    deleted_at: datetime | None
    content: Content


class EntryChanged(Conflict):
    """Somebody else changed, or deleted, the entry first: `current` is what is there now."""

    error_id = "record.conflict"

    def __init__(self, current: Entry) -> None:
        super().__init__("the entry was changed meanwhile")
        self.current = current


@dataclass(frozen=True, slots=True)
class LesionRecord:
    """A lesion with the snapshots that show it, oldest first."""

    lesion: Entry
    snapshots: tuple[Snapshot, ...]
