"""Every message on the wire, HTTP and Socket.IO: the one source that the web interface's types follow."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Words = Annotated[str, Meta(max_length=2000)]
LongText = Annotated[str, Meta(max_length=20000)]
Language = Literal["zh", "en"]
RoleName = Literal["patient", "specialist", "referrer", "interpreter"]
UrgencyName = Literal["routine", "soon", "urgent"]
SexName = Literal["male", "female", "other", "unknown"]
ReferralStateName = Literal["sent", "accepted", "declined", "in_call", "answered"]
PhaseName = Literal["scheduled", "in_call", "ended"]
AdmissionName = Literal["invited", "waiting", "admitted", "sent_back", "refused", "left"]
SourceName = Literal["camera", "microphone", "screen"]
MethodName = Literal["take_photo", "canvas", "file", "relay_frame"]
GamutName = Literal["rec2020", "p3", "srgb", "less"]
VariantName = Literal["original", "display", "corrected", "thumbnail"]
GradeName = Literal["good", "usable", "refuse"]
OutdatedName = Literal["camera", "color", "exposure"]
StillVerdictName = Literal["accept", "retake", "not_measurable"]
StillReasonName = Literal[
    "blurred", "dark", "overexposed", "glare", "tilted", "no_chart", "no_scale", "too_far"
]
DecoderName = Literal["unmeasured", "agrees", "corrected", "unexplained"]
Share = Annotated[float, Meta(ge=0, le=1)]
EmphasisVersion = Annotated[int, Meta(ge=0, le=1000)]
PurposeName = Literal["diagnostic", "conversation"]
FidelityReasonName = Literal["no_picture", "small", "coarse", "lossy", "unmeasured"]
AdaptationName = Literal["full", "own_picture_smaller", "fewer_frames", "still_prompt", "audio_only"]
CaptureStateName = Literal["requested", "taking", "uploading", "storing", "stored", "failed"]


LateralityName = Literal["left", "right", "none"]
MapViewName = Literal["front", "back"]
LesionStateName = Literal["active", "resolved", "excised"]
FormName = Literal["polygon", "ellipse", "arrow", "text"]
ClinicalStatusName = Literal["active", "recurrence", "remission", "resolved"]
MedicationStatusName = Literal["active", "completed", "stopped"]
SectionName = Literal["history", "examination", "assessment", "plan", "advice"]
DocumentKindName = Literal["pathology", "dermoscopy", "laboratory", "other"]
EntryKindName = Literal["lesion", "annotation", "measurement", "condition", "medication", "note", "document"]
HistoryKindName = Literal["referral", "consultation", "snapshot", "entry", "satisfaction"]
SubjectKindName = Literal["patient", "referral", "consultation", "entry"]
VerdictName = Literal["increased", "decreased", "no_measurable_change", "not_comparable"]


class Request(Struct, forbid_unknown_fields=True):
    """A message from a client: unknown fields are refused."""


class View(Struct):
    """A message to a client."""


# --- errors ---------------------------------------------------------------------------------------------


class ErrorView(View):
    """A refusal: a stable id for programs, words for a person, and what is safe."""

    id: str
    message: str


class ErrorReply(View):
    """Body of every HTTP response of 400 and above, and of every refused Socket.IO acknowledgement."""

    error: ErrorView


# --- staff accounts -------------------------------------------------------------------------------------


class LoginRequest(Request):
    """POST /api/login"""

    email: Annotated[str, Meta(min_length=3, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class SignInLinkRequest(Request):
    """POST /api/login/link: sign in with a link that was printed at the server's own console; works once."""

    token: Annotated[str, Meta(min_length=16, max_length=128)]


class StaffView(View):
    """Who is signed in (GET /api/me)."""

    staff_id: str
    name: str
    role: RoleName
    site_name: str
    language: Language


# --- referrals ------------------------------------------------------------------------------------------


class PatientRequest(Request):
    """A patient as a referrer describes one."""

    name: Name
    birth_date: date | None
    sex: SexName
    language: Language
    email: Annotated[str, Meta(max_length=254)] | None = None


class ReferralRequest(Request):
    """POST /api/referrals"""

    patient: PatientRequest
    question: Annotated[str, Meta(min_length=1, max_length=4000)]
    urgency: UrgencyName


class AcceptRequest(Request):
    """POST /api/referrals/{referral_id}/accept"""

    scheduled_at: datetime


class DeclineRequest(Request):
    """POST /api/referrals/{referral_id}/decline"""

    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class PatientView(View):
    """A patient as staff with a relationship of care see one."""

    patient_id: str
    name: str
    birth_date: date | None
    sex: SexName
    language: Language
    has_email: bool


class CalibrationReportView(View):
    """A CalibrationReport; see colorcal. All color differences are CIEDE2000."""

    grade: GradeName
    layout: str
    residual_de00: float
    raw_de00: float
    expected_de00: float
    expected_de00_low: float
    expected_de00_high: float
    clipped_patches: list[int]
    dropped_patches: list[int]
    illuminant_xy: tuple[float, float]
    illuminant_cct_k: float | None
    scale_mm_per_px: float | None
    words_en: str
    words_zh: str
    scale_low_mm_per_px: float | None = None
    scale_high_mm_per_px: float | None = None
    reference: str = ""


class StillQualityView(View):
    """A StillQuality; see colorcal. Lengths of blur are from 10 to 90 % of an edge's rise."""

    verdict: StillVerdictName
    reason: StillReasonName | None
    """The most serious reason why it is not simply accepted."""
    blur_px: float | None
    blur_mm: float | None
    brightness: float
    overexposed_share: float
    glare_share: float
    px_per_mm: float | None
    tilt_deg: float | None
    chart_visible: bool
    words_en: str
    words_zh: str
    correctable: bool = False
    """A corrected picture is there or will be: the chart can be trusted."""


class SnapshotView(View):
    """A snapshot of the record. Pictures are at /api/snapshots/{snapshot_id}/{variant}."""

    snapshot_id: str
    consultation_id: str | None
    referral_id: str | None
    method: MethodName
    taken_at: datetime
    stored_at: datetime
    media_type: str
    size_bytes: int
    sha256: str
    width_px: int
    height_px: int
    device: str
    has_location: bool
    variants: list[VariantName]
    calibration: CalibrationReportView | None
    quality: StillQualityView | None
    """None until it has been judged."""


class ReferralView(View):
    """A referral in a list or opened."""

    referral_id: str
    patient: PatientView
    question: str
    urgency: UrgencyName
    state: ReferralStateName
    site_name: str
    referrer_name: str
    created_at: datetime
    consultation_id: str | None
    scheduled_at: datetime | None
    decline_reason: str | None
    photos: list[SnapshotView]
    answer: str | None
    """The specialist's note, once the consultation has ended."""


class ReferralList(View):
    """GET /api/referrals"""

    referrals: list[ReferralView]


# --- consultations --------------------------------------------------------------------------------------


class LinkRequest(Request):
    """POST /api/consultations/{consultation_id}/links: make a personal link; an old one stops working."""

    role: Literal["patient", "interpreter"]
    name: Name | None = None
    """Needed for an interpreter; a patient has the name of the record."""
    send_mail: bool = False


class LinkView(View):
    """A personal link, shown once: the server keeps only its hash."""

    url: str
    qr_svg: str
    expires_at: datetime
    mailed: bool


class NoteRequest(Request):
    """PUT /api/consultations/{consultation_id}/note; version is the one that was read."""

    text: LongText
    version: Annotated[int, Meta(ge=0)]


class NoteView(View):
    """A consultation's note."""

    text: str
    version: int


class DisplayCheckRequest(Request):
    """PUT /api/consultations/{consultation_id}/display-check: what the specialist found of their display."""

    gamut: GamutName
    steps_apart: bool
    """Every step of the grey ramp could be told from its neighbors."""
    age_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """How long ago, in seconds: a check before the consultation holds for it."""


class DisplayCheckView(View):
    """The display that a consultation was judged on, as the specialist found it."""

    gamut: GamutName
    steps_apart: bool
    checked_at: datetime


class ChromaEmphasisView(Request):
    """How a Publication's chroma is stretched before its encoder; every viewer undoes it (docs/fidelity.md).

    center_u, center_v: the codes of Cb and Cr around which it is steepest; softness: in codes.
    """

    version: Annotated[int, Meta(ge=1, le=1000)]
    center_u: Annotated[int, Meta(ge=0, le=255)]
    center_v: Annotated[int, Meta(ge=0, le=255)]
    softness: Annotated[int, Meta(ge=1, le=255)]


class ParticipantView(View):
    """A participant as the others in the room, or the specialist, see one."""

    participant_id: str
    role: RoleName
    name: str
    admission: AdmissionName
    waiting_since: datetime | None
    present: bool
    """A live signaling connection exists."""
    media: Literal["none", "connecting", "connected", "silent"]


class PublicationView(View):
    """A Publication that an admitted participant may subscribe to."""

    publication_id: str
    participant_id: str
    source: SourceName
    kind: Literal["audio", "video"]
    codec: str
    muted: bool
    emphasis: ChromaEmphasisView | None
    """Undone by whoever shows it. A participant whose page cannot is not told of this Publication."""


class CaptureView(View):
    """A capture under way, or the last one."""

    capture_id: str
    state: CaptureStateName
    sent_bytes: int
    size_bytes: int | None
    error: ErrorView | None
    snapshot_id: str | None
    held_by_device: bool
    """The device still holds the still that could not be sent, and may send it."""


class CalibrationView(View):
    """What is known of a Publication's color, without the LUT."""

    publication_id: str
    report: CalibrationReportView
    measured_at: datetime
    in_view: bool
    """The chart was in the last frame looked at."""
    decoder: DecoderName
    """What your own page measured of the chart: nothing yet, the server's colors, others that your LUT
    undoes, or others that nothing explains."""
    outdated: OutdatedName | None
    """What has changed since it was measured, as far as can be told without a chart: it no longer holds."""


class FidelityView(View):
    """How far the live picture of a Publication may be trusted, its color apart."""

    publication_id: str
    purpose: PurposeName
    reasons: list[FidelityReasonName]
    """Why it is for conversation only, the most serious first."""
    contrast_kept: float | None
    """Expected share of a small lesion's contrast that encoding has left, in steps of 0.05."""


class ConsultationView(View):
    """Everything one participant may know about a consultation: pushed whole as `state` at every change.

    Whoever is not admitted sees only themselves: no Publications, calibration, fidelity or capture.
    """

    consultation_id: str
    phase: PhaseName
    scheduled_at: datetime
    server_time: datetime
    specialist_name: str
    you: ParticipantView
    position: int | None
    """Place in the specialist's waiting room, 1 is next; None when not waiting."""
    estimated_wait_s: int | None
    words: str | None
    """What the specialist said to you when refusing or sending back."""
    consent_given: bool
    satisfaction_given: bool
    participants: list[ParticipantView]
    publications: list[PublicationView]
    capture: CaptureView | None
    calibration: CalibrationView | None
    emphasis_version: int
    """Chroma emphasis that everybody who sees your camera can undo; 0: send it as it is."""
    fidelity: FidelityView | None
    """Of the camera that is on the skin, while somebody looks."""
    adaptation: AdaptationName
    """How far your own path made the pictures that you get give way."""


class ConsultationSummary(View):
    """A consultation in a specialist's worklist."""

    consultation_id: str
    referral_id: str
    patient: PatientView
    question: str
    urgency: UrgencyName
    scheduled_at: datetime
    phase: PhaseName
    waiting: list[ParticipantView]


class WorklistView(View):
    """GET /api/worklist, and the `worklist` event at every change."""

    server_time: datetime
    consultations: list[ConsultationSummary]
    referrals: list[ReferralView]


class ConsultationDetail(View):
    """GET /api/consultations/{consultation_id}: what the specialist or referring site sees around a call.

    Until it has ended, the referring site gets no note and, of the chat, what its person was inside for.
    """

    consultation_id: str
    phase: PhaseName
    scheduled_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    referral: ReferralView
    note: NoteView
    snapshots: list[SnapshotView]
    chat: list[ChatView]
    display_check: DisplayCheckView | None


class SatisfactionView(View):
    """The patient's answer after a consultation."""

    consultation_id: str
    score: int
    words: str
    given_at: datetime


class TimelineConsultation(View):
    """A consultation in a patient's timeline."""

    consultation_id: str
    scheduled_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    phase: PhaseName
    note: str
    display_check: DisplayCheckView | None


class TimelineView(View):
    """GET /api/patients/{patient_id}/timeline, each list newest first."""

    patient: PatientView
    referrals: list[ReferralView]
    consultations: list[TimelineConsultation]
    snapshots: list[SnapshotView]
    satisfactions: list[SatisfactionView]


# --- what clinicians write ---------------------------------------------------------------------------------


Label = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(max_length=32)]
SiteCode = Annotated[str, Meta(max_length=32, pattern=r"^[a-z_]*$")]
Coordinate = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
CursorText = Annotated[str, Meta(max_length=120)]


class LesionContent(Request):
    """A lesion: its label, where it is, and what became of it. map_point: shares of the drawing's size."""

    label: Label
    site: SiteCode
    laterality: LateralityName
    state: LesionStateName = "active"
    map_view: MapViewName | None = None
    map_point: tuple[float, float] | None = None


class AnnotationContent(Request):
    """Something drawn on a snapshot, in px of the upright original.

    A polygon has its corners; an ellipse its center and the ends of two conjugate half-axes; an arrow its
    tail and its head; a text its place.
    """

    form: FormName
    points: Annotated[list[tuple[Coordinate, Coordinate]], Meta(min_length=1, max_length=2000)]
    words: Annotated[str, Meta(max_length=500)] = ""


class ConditionContent(Request):
    """A condition in a clinician's words, with a code if there is one."""

    words: Label
    system: Annotated[str, Meta(max_length=100)] = ""
    code: Code = ""
    status: ClinicalStatusName = "active"
    onset: date | None = None


class MedicationContent(Request):
    """A medication as stated; not a prescription."""

    words: Label
    dosage: Annotated[str, Meta(max_length=500)] = ""
    status: MedicationStatusName = "active"
    started: date | None = None
    ended: date | None = None


class NoteContent(Request):
    """A note: free text, sections, or both."""

    text: LongText = ""
    sections: dict[SectionName, LongText] = {}


class DocumentContent(View):
    """An attached document."""

    document_kind: DocumentKindName
    title: str
    media_type: str
    size_bytes: int
    sha256: str
    issued_on: date | None


class QuantityView(View):
    """A measured value and its standard uncertainty, in the same unit."""

    value: float
    uncertainty: float


class SizeView(View):
    """Size of an outline in the plane of the skin."""

    longest_mm: QuantityView
    perpendicular_mm: QuantityView
    area_mm2: QuantityView


class RegionColorView(View):
    """Color of a region of a corrected picture: CIE Lab under D65, spread, and indices of skin."""

    lightness: QuantityView
    a: QuantityView
    b: QuantityView
    spread_de00: QuantityView
    erythema_index: QuantityView
    melanin_index: QuantityView
    ita_deg: QuantityView | None


class LesionColorView(View):
    """Color inside an outline, and around it."""

    inside: RegionColorView
    surrounding: RegionColorView
    contrast_de00: QuantityView


class BasisView(View):
    """What a measurement derives from."""

    annotation_id: str
    annotation_version: int
    mm_per_px: QuantityView | None
    scale_source: str
    calibration_grade: str | None
    calibration_de00: float | None
    software: str


class MeasurementContent(View):
    """What was measured of one version of an outline. size None: no scale; color None: uncalibrated."""

    basis: BasisView
    size: SizeView | None
    color: LesionColorView | None


class EntryRequest(Request):
    """POST /api/patients/{patient_id}/entries: exactly one content, and what it is about."""

    lesion: LesionContent | None = None
    annotation: AnnotationContent | None = None
    condition: ConditionContent | None = None
    medication: MedicationContent | None = None
    note: NoteContent | None = None
    lesion_id: Id | None = None
    snapshot_id: Id | None = None
    consultation_id: Id | None = None


class EntryChangeRequest(Request):
    """PUT /api/entries/{entry_id}: a new version over the one that was read; exactly one content."""

    version: Version
    lesion: LesionContent | None = None
    annotation: AnnotationContent | None = None
    condition: ConditionContent | None = None
    medication: MedicationContent | None = None
    note: NoteContent | None = None


class EntryView(View):
    """One version of something that was written about a patient; one of the contents is there."""

    entry_id: str
    kind: EntryKindName
    patient_id: str
    lesion_id: str | None
    snapshot_id: str | None
    consultation_id: str | None
    annotation_id: str | None
    at: datetime
    version: int
    latest_version: int
    author_name: str
    written_at: datetime
    deleted: bool
    lesion: LesionContent | None = None
    annotation: AnnotationContent | None = None
    measurement: MeasurementContent | None = None
    condition: ConditionContent | None = None
    medication: MedicationContent | None = None
    note: NoteContent | None = None
    document: DocumentContent | None = None


class EntryConflictReply(View):
    """Body of 409 record.conflict where somebody else changed an entry first: what is there now."""

    error: ErrorView
    current: EntryView


class EntryList(View):
    """GET /api/patients/{patient_id}/entries and /api/entries/{entry_id}/versions, newest first."""

    entries: list[EntryView]


class DifferenceView(View):
    """Later minus earlier, and the least difference that would be told; None where not comparable."""

    verdict: VerdictName
    difference: float | None
    least: float | None


class ChangeView(View):
    """What changed of a lesion from one measurement to the next."""

    earlier_id: str
    later_id: str
    longest_mm: DifferenceView
    area_mm2: DifferenceView
    lightness: DifferenceView
    a: DifferenceView
    b: DifferenceView
    erythema_index: DifferenceView
    melanin_index: DifferenceView


class LesionView(View):
    """GET /api/lesions/{lesion_id}: pictures by when they were taken, and their measurements, oldest first.

    changes: of each measurement to the next.
    """

    lesion: EntryView
    snapshots: list[SnapshotView]
    measurements: list[EntryView]
    changes: list[ChangeView]


class HistoryItemView(View):
    """One line of a patient's history; one of the values is there."""

    kind: HistoryKindName
    item_id: str
    at: datetime
    referral: ReferralView | None = None
    consultation: TimelineConsultation | None = None
    snapshot: SnapshotView | None = None
    entry: EntryView | None = None
    satisfaction: SatisfactionView | None = None


class HistoryView(View):
    """GET /api/patients/{patient_id}/history?cursor=&most=: a page, newest first."""

    items: list[HistoryItemView]
    cursor: str | None
    """Where the next page begins; None on the last one."""


class SearchRequest(Request):
    """POST /api/search: everything given has to fit, among one's own patients. A page, newest first."""

    words: Annotated[str, Meta(max_length=200)] = ""
    code: Code = ""
    site: SiteCode = ""
    patient_id: Id | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: CursorText | None = None
    most: Annotated[int, Meta(ge=1, le=200)] = 50


class SearchHitView(View):
    """Something that fits. patient alone: the patient's name does."""

    kind: SubjectKindName
    subject_id: str
    at: datetime
    patient: PatientView
    question: str | None = None
    note: str | None = None
    entry: EntryView | None = None


class SearchView(View):
    """What a search found."""

    hits: list[SearchHitView]
    cursor: str | None


class BodySiteView(View):
    """A site of the body map."""

    code: str
    parent: str | None
    paired: bool
    words_en: str
    words_zh: str


class BodySiteList(View):
    """GET /api/body-sites"""

    sites: list[BodySiteView]


# --- joining by a personal link (Authorization: Bearer <token>) -------------------------------------------


class JoinView(View):
    """GET /api/join: what a personal link opens."""

    participant_id: str
    consultation_id: str
    role: RoleName
    name: str
    specialist_name: str
    site_name: str
    scheduled_at: datetime
    phase: PhaseName
    language: Language
    consent_version: str
    consent_given: bool
    satisfaction_given: bool


class AccessView(View):
    """Somebody who saw or changed the patient's record: when, who, and what they did (the audit's action)."""

    at: datetime
    role: RoleName
    name: str
    site_name: str
    action: str


class AccessList(View):
    """GET /api/join/accesses: who saw the patient's record, newest first."""

    accesses: list[AccessView]


class ConsentTextView(View):
    """GET /api/consent/{language}: the text that is agreed to."""

    version: str
    language: Language
    title: str
    paragraphs: list[str]
    sha256: str


class ConsentRequest(Request):
    """POST /api/join/consent"""

    version: Annotated[str, Meta(max_length=32)]
    language: Language
    text_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    purposes: list[Literal["care", "teaching"]]


class SatisfactionRequest(Request):
    """POST /api/join/satisfaction"""

    score: Annotated[int, Meta(ge=1, le=5)]
    words: Words = ""


class IceServer(View):
    """One entry of RTCConfiguration.iceServers."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceView(View):
    """GET /api/ice: servers for the device check and the call. relay_configured: TURN is set up."""

    ice_servers: list[IceServer]
    relay_configured: bool


# --- uploads: tus 1.0.0 at /api/uploads, creation by a JSON body instead of Upload-Metadata -----------------


class UploadRequest(Request):
    """POST /api/uploads: answers 201 with Location and UploadView. Then HEAD and PATCH as in tus 1.0.0."""

    purpose: Literal["snapshot", "referral_photo"]
    owner_id: Id
    """consultation_id of a snapshot, referral_id of a referral photo."""
    size_bytes: Annotated[int, Meta(ge=1)]
    media_type: Annotated[str, Meta(max_length=100)]
    method: Literal["take_photo", "canvas", "file"]
    capture_id: Id | None = None
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    taken_at: datetime | None = None
    device: Annotated[str, Meta(max_length=300)] = ""
    settings: dict[str, str | int | float | bool | None] = {}


class UploadView(View):
    """An upload; snapshot_id is set once it became one."""

    upload_id: str
    offset_bytes: int
    size_bytes: int
    snapshot_id: str | None


# --- Socket.IO, namespace /consultation ---------------------------------------------------------------------
# connect auth: {"token": <link token>} or, with the staff cookie, {"consultation_id": <id>}.
# Every event below from a client is acknowledged with its reply, OkReply or ErrorReply.
# A connection that a newer one of the same participant replaces gets `replaced` (ErrorReply) and is ended.


class LinkAuth(Request):
    """Socket.IO auth of a participant who came by a personal link."""

    token: Annotated[str, Meta(min_length=16, max_length=128)]
    undoes_emphasis: EmphasisVersion = 0


class StaffAuth(Request):
    """Socket.IO auth of a staff member, beside the session cookie.

    undoes_emphasis: the newest version of chroma emphasis that this page's pictures undo.
    """

    consultation_id: Id
    undoes_emphasis: EmphasisVersion = 0


class OkReply(View):
    """Done."""

    ok: Literal[True] = True


class KnockRequest(Request):
    """`knock`: a participant with consent (or an interpreter) asks to be let in."""


class AdmitRequest(Request):
    """`admit`: the specialist lets a waiting participant in."""

    participant_id: Id


class RefuseRequest(Request):
    """`refuse`: the specialist turns a participant away, with words that the participant reads."""

    participant_id: Id
    words: Words


class SendBackRequest(Request):
    """`send_back`: the specialist returns an admitted participant to the waiting room."""

    participant_id: Id
    words: Words = ""


class LeaveRequest(Request):
    """`leave`: a participant goes, and knocks again to come back."""


class EndRequest(Request):
    """`end`: the specialist ends the consultation for everybody."""


class NegotiateRequest(Request):
    """`negotiate`: an SDP offer. publications: mid -> source; subscriptions: mid -> publication_id.

    emphasis: mid of a camera whose chroma is stretched -> how, for the whole life of the Publication.
    """

    sdp: Annotated[str, Meta(min_length=1, max_length=200_000)]
    publications: dict[str, SourceName]
    subscriptions: dict[str, str]
    emphasis: dict[str, ChromaEmphasisView] = {}


class NegotiateReply(View):
    """The answer. publications: mid -> publication_id that the relay gave it."""

    sdp: str
    publications: dict[str, str]


class MuteRequest(Request):
    """`mute`: tells the room that a Publication of one's own is (un)muted."""

    publication_id: Id
    muted: bool


class CameraChangedRequest(Request):
    """`camera_changed`: another camera is behind a Publication of one's own from now on."""

    publication_id: Id


class ChatRequest(Request):
    """`chat`: a line of text to everybody admitted."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class ChatHistoryRequest(Request):
    """`chat_history`: an admitted participant asks what was said; replies ChatHistoryView."""


class ChatView(View):
    """`chat` event, and the lines of ConsultationDetail."""

    line_id: str
    participant_id: str
    name: str
    role: RoleName
    text: str
    sent_at: datetime


class ChatHistoryView(View):
    """The latest lines said while the participant was inside, oldest first: not those said without them."""

    lines: list[ChatView]


class CaptureRequest(Request):
    """`capture`: the specialist asks a participant's device for a still. Replies CaptureView."""

    participant_id: Id
    """Whose camera; the patient's, or the referring site's beside the patient."""


class CaptureProgressRequest(Request):
    """`capture_progress`: the device says what it does."""

    capture_id: Id
    state: Literal["taking", "uploading"]
    sent_bytes: Annotated[int, Meta(ge=0)] = 0
    size_bytes: Annotated[int, Meta(ge=0)] | None = None


class CaptureFailedRequest(Request):
    """`capture_failed`: the device cannot; the best relayed frame is kept, and says that it is one."""

    capture_id: Id
    reason: Literal["no_camera", "refused", "not_supported", "upload_failed"]
    held: bool = False
    """The device holds a still that it could not send, and may send it later."""


class CaptureTake(View):
    """`capture_take` event to the device that shall take a still."""

    capture_id: str
    consultation_id: str


class LutEvent(View):
    """`lut` event to viewers: the correction of a Publication as a 3D LUT.

    lut is a binary attachment of size^3 * 3 bytes, RGB, red fastest: index = ((b*size + g)*size + r)*3.
    """

    calibration: CalibrationView
    size: int
    lut: bytes


class ChartEvent(View):
    """`chart` event to viewers: where the chart's patches lie in a Publication's picture, so that a page that
    draws it through a LUT measures them there, and answers with `patches`.

    centers: x and y of the 24 patches in shares of the picture's width and height, dark skin first, black
    last. question: to be given back.
    """

    publication_id: str
    question: int
    centers: list[tuple[float, float]]


class PatchReading(Request):
    """A patch as a page's own decoder shows it: encoded RGB, 0 to 1. spread: robust standard deviation in it.
    clipped: a channel is at its upper end; visible: it lies in the picture."""

    mean: tuple[Share, Share, Share]
    spread: tuple[Share, Share, Share]
    clipped: bool
    visible: bool


class PatchesRequest(Request):
    """`patches`: what a page measured for a `chart` event, in the frame that it showed next."""

    publication_id: Id
    question: Annotated[int, Meta(ge=1)]
    patches: Annotated[list[PatchReading], Meta(min_length=24, max_length=24)]


class BudgetEvent(View):
    """`budget` event to a publisher: what the best of a Publication's viewers can take.

    max_framerate: frames per second at which full resolution fits; 0: nobody can take it now.
    """

    publication_id: str
    bitrate_bps: int
    max_framerate: float


class StatisticsRequest(Request):
    """`statistics`: staff inside ask how media flow. Replies StatisticsView."""


class PublicationStatistics(View):
    """A Publication as it reaches the relay. quantiser: on the codec's own scale, where it is read."""

    publication_id: str
    participant_id: str
    source: SourceName
    codec: str
    bitrate_bps: float
    frame_rate: float
    width_px: int
    height_px: int
    quantiser: float | None
    packets_received: int
    packets_lost: int


class SubscriptionStatistics(View):
    """What a participant is given of a Publication. participant_id: who receives it. spatial: rank of the
    encoding by size, 0 the smallest of so many `encodings`; max_temporal: highest temporal layer, null where
    none is left out. loss: share of the packets, 0 to 1; it, packets_lost and jitter_ms are what the
    participant reports. freeze_count, frozen_s: how often and how long a camera's picture stood still."""

    participant_id: str
    publication_id: str
    bitrate_bps: float
    frame_rate: float
    width_px: int
    height_px: int
    spatial: int | None
    encodings: int
    max_temporal: int | None
    paused: bool
    loss: float
    packets_lost: int
    jitter_ms: float
    freeze_count: int
    frozen_s: float


class PathStatistics(View):
    """The way from the relay to a participant. loss: share of the packets, 0 to 1."""

    participant_id: str
    estimate_bps: int
    sent_bps: int
    loss: float
    rtt_ms: float
    queue_delay_ms: float
    packets_dropped: int
    adaptation: AdaptationName


class StatisticsView(View):
    """How media flow in a room just now."""

    publications: list[PublicationStatistics]
    subscriptions: list[SubscriptionStatistics]
    paths: list[PathStatistics]


class SnapshotEvent(View):
    """`snapshot` event to staff in the room: a snapshot is in the record, or got a derived picture."""

    snapshot: SnapshotView


class EndedEvent(View):
    """`ended` event: the consultation is over."""

    consultation_id: str


# --- Socket.IO, namespace /worklist (staff cookie) ----------------------------------------------------------
# Server events: `worklist` WorklistView to specialists; `referrals` ReferralList to a referring site.
