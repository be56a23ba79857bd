// Every message on the wire. Written by `python -m signaling.typescript`; do not edit.

export type Language = "en" | "zh";

export type RoleName = "interpreter" | "patient" | "referrer" | "specialist";

export type UrgencyName = "routine" | "soon" | "urgent";

export type SexName = "female" | "male" | "other" | "unknown";

export type ReferralStateName = "accepted" | "answered" | "declined" | "in_call" | "sent";

export type PhaseName = "ended" | "in_call" | "scheduled";

export type AdmissionName = "admitted" | "invited" | "left" | "refused" | "sent_back" | "waiting";

export type SourceName = "camera" | "microphone" | "screen";

export type MethodName = "canvas" | "file" | "relay_frame" | "take_photo";

export type GamutName = "less" | "p3" | "rec2020" | "srgb";

export type VariantName = "corrected" | "display" | "original" | "thumbnail";

export type GradeName = "good" | "refuse" | "usable";

export type OutdatedName = "camera" | "color" | "exposure";

export type StillVerdictName = "accept" | "not_measurable" | "retake";

export type StillReasonName = "blurred" | "dark" | "glare" | "no_chart" | "no_scale" | "overexposed" | "tilted" | "too_far";

export type DecoderName = "agrees" | "corrected" | "unexplained" | "unmeasured";

export type PurposeName = "conversation" | "diagnostic";

export type FidelityReasonName = "coarse" | "lossy" | "no_picture" | "small" | "unmeasured";

export type AdaptationName = "audio_only" | "fewer_frames" | "full" | "own_picture_smaller" | "still_prompt";

export type CaptureStateName = "failed" | "requested" | "stored" | "storing" | "taking" | "uploading";

export type LateralityName = "left" | "none" | "right";

export type MapViewName = "back" | "front";

export type LesionStateName = "active" | "excised" | "resolved";

export type FormName = "arrow" | "ellipse" | "polygon" | "text";

export type ClinicalStatusName = "active" | "recurrence" | "remission" | "resolved";

export type MedicationStatusName = "active" | "completed" | "stopped";

export type SectionName = "advice" | "assessment" | "examination" | "history" | "plan";

export type DocumentKindName = "dermoscopy" | "laboratory" | "other" | "pathology";

export type EntryKindName = "annotation" | "condition" | "document" | "lesion" | "measurement" | "medication" | "note";

export type HistoryKindName = "consultation" | "entry" | "referral" | "satisfaction" | "snapshot";

export type SubjectKindName = "consultation" | "entry" | "patient" | "referral";

export type VerdictName = "decreased" | "increased" | "no_measurable_change" | "not_comparable";

/** A refusal: a stable id for programs, words for a person, and what is safe. */
export interface ErrorView {
  id: string;
  message: string;
}

/** Body of every HTTP response of 400 and above, and of every refused Socket.IO acknowledgement. */
export interface ErrorReply {
  error: ErrorView;
}

/** POST /api/login */
export interface LoginRequest {
  email: string;
  password: string;
}

/** POST /api/login/link: sign in with a link that was printed at the server's own console; works once. */
export interface SignInLinkRequest {
  token: string;
}

/** Who is signed in (GET /api/me). */
export interface StaffView {
  staff_id: string;
  name: string;
  role: RoleName;
  site_name: string;
  language: Language;
}

/** A patient as a referrer describes one. */
export interface PatientRequest {
  name: string;
  birth_date: string | null;
  sex: SexName;
  language: Language;
  email?: string | null;
}

/** POST /api/referrals */
export interface ReferralRequest {
  patient: PatientRequest;
  question: string;
  urgency: UrgencyName;
}

/** POST /api/referrals/{referral_id}/accept */
export interface AcceptRequest {
  scheduled_at: string;
}

/** POST /api/referrals/{referral_id}/decline */
export interface DeclineRequest {
  reason: string;
}

/** A patient as staff with a relationship of care see one. */
export interface PatientView {
  patient_id: string;
  name: string;
  birth_date: string | null;
  sex: SexName;
  language: Language;
  has_email: boolean;
}

/** A CalibrationReport; see colorcal. All color differences are CIEDE2000. */
export interface CalibrationReportView {
  grade: GradeName;
  layout: string;
  residual_de00: number;
  raw_de00: number;
  expected_de00: number;
  expected_de00_low: number;
  expected_de00_high: number;
  clipped_patches: number[];
  dropped_patches: number[];
  illuminant_xy: [number, number];
  illuminant_cct_k: number | null;
  scale_mm_per_px: number | null;
  words_en: string;
  words_zh: string;
  scale_low_mm_per_px: number | null;
  scale_high_mm_per_px: number | null;
  reference: string;
}

/** A StillQuality; see colorcal. Lengths of blur are from 10 to 90 % of an edge's rise. */
export interface StillQualityView {
  verdict: StillVerdictName;
  /** The most serious reason why it is not simply accepted. */
  reason: StillReasonName | null;
  blur_px: number | null;
  blur_mm: number | null;
  brightness: number;
  overexposed_share: number;
  glare_share: number;
  px_per_mm: number | null;
  tilt_deg: number | null;
  chart_visible: boolean;
  words_en: string;
  words_zh: string;
  /** A corrected picture is there or will be: the chart can be trusted. */
  correctable: boolean;
}

/** A snapshot of the record. Pictures are at /api/snapshots/{snapshot_id}/{variant}. */
export interface SnapshotView {
  snapshot_id: string;
  consultation_id: string | null;
  referral_id: string | null;
  method: MethodName;
  taken_at: string;
  stored_at: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
  width_px: number;
  height_px: number;
  device: string;
  has_location: boolean;
  variants: VariantName[];
  calibration: CalibrationReportView | null;
  /** None until it has been judged. */
  quality: StillQualityView | null;
}

/** A referral in a list or opened. */
export interface ReferralView {
  referral_id: string;
  patient: PatientView;
  question: string;
  urgency: UrgencyName;
  state: ReferralStateName;
  site_name: string;
  referrer_name: string;
  created_at: string;
  consultation_id: string | null;
  scheduled_at: string | null;
  decline_reason: string | null;
  photos: SnapshotView[];
  /** The specialist's note, once the consultation has ended. */
  answer: string | null;
}

/** GET /api/referrals */
export interface ReferralList {
  referrals: ReferralView[];
}

/** POST /api/consultations/{consultation_id}/links: make a personal link; an old one stops working. */
export interface LinkRequest {
  role: "interpreter" | "patient";
  /** Needed for an interpreter; a patient has the name of the record. */
  name?: string | null;
  send_mail?: boolean;
}

/** A personal link, shown once: the server keeps only its hash. */
export interface LinkView {
  url: string;
  qr_svg: string;
  expires_at: string;
  mailed: boolean;
}

/** PUT /api/consultations/{consultation_id}/note; version is the one that was read. */
export interface NoteRequest {
  text: string;
  version: number;
}

/** A consultation's note. */
export interface NoteView {
  text: string;
  version: number;
}

/** PUT /api/consultations/{consultation_id}/display-check: what the specialist found of their display. */
export interface DisplayCheckRequest {
  gamut: GamutName;
  /** Every step of the grey ramp could be told from its neighbors. */
  steps_apart: boolean;
  /** How long ago, in seconds: a check before the consultation holds for it. */
  age_s?: number;
}

/** The display that a consultation was judged on, as the specialist found it. */
export interface DisplayCheckView {
  gamut: GamutName;
  steps_apart: boolean;
  checked_at: string;
}

/**
 * How a Publication's chroma is stretched before its encoder; every viewer undoes it (docs/fidelity.md).
 *
 * center_u, center_v: the codes of Cb and Cr around which it is steepest; softness: in codes.
 */
export interface ChromaEmphasisView {
  version: number;
  center_u: number;
  center_v: number;
  softness: number;
}

/** A participant as the others in the room, or the specialist, see one. */
export interface ParticipantView {
  participant_id: string;
  role: RoleName;
  name: string;
  admission: AdmissionName;
  waiting_since: string | null;
  /** A live signaling connection exists. */
  present: boolean;
  media: "connected" | "connecting" | "none" | "silent";
}

/** A Publication that an admitted participant may subscribe to. */
export interface PublicationView {
  publication_id: string;
  participant_id: string;
  source: SourceName;
  kind: "audio" | "video";
  codec: string;
  muted: boolean;
  /** Undone by whoever shows it. A participant whose page cannot is not told of this Publication. */
  emphasis: ChromaEmphasisView | null;
}

/** A capture under way, or the last one. */
export interface CaptureView {
  capture_id: string;
  state: CaptureStateName;
  sent_bytes: number;
  size_bytes: number | null;
  error: ErrorView | null;
  snapshot_id: string | null;
  /** The device still holds the still that could not be sent, and may send it. */
  held_by_device: boolean;
}

/** What is known of a Publication's color, without the LUT. */
export interface CalibrationView {
  publication_id: string;
  report: CalibrationReportView;
  measured_at: string;
  /** The chart was in the last frame looked at. */
  in_view: boolean;
  /**
   * What your own page measured of the chart: nothing yet, the server's colors, others that your LUT
   * undoes, or others that nothing explains.
   */
  decoder: DecoderName;
  /** What has changed since it was measured, as far as can be told without a chart: it no longer holds. */
  outdated: OutdatedName | null;
}

/** How far the live picture of a Publication may be trusted, its color apart. */
export interface FidelityView {
  publication_id: string;
  purpose: PurposeName;
  /** Why it is for conversation only, the most serious first. */
  reasons: FidelityReasonName[];
  /** Expected share of a small lesion's contrast that encoding has left, in steps of 0.05. */
  contrast_kept: number | null;
}

/**
 * Everything one participant may know about a consultation: pushed whole as `state` at every change.
 *
 * Whoever is not admitted sees only themselves: no Publications, calibration, fidelity or capture.
 */
export interface ConsultationView {
  consultation_id: string;
  phase: PhaseName;
  scheduled_at: string;
  server_time: string;
  specialist_name: string;
  you: ParticipantView;
  /** Place in the specialist's waiting room, 1 is next; None when not waiting. */
  position: number | null;
  estimated_wait_s: number | null;
  /** What the specialist said to you when refusing or sending back. */
  words: string | null;
  consent_given: boolean;
  satisfaction_given: boolean;
  participants: ParticipantView[];
  publications: PublicationView[];
  capture: CaptureView | null;
  calibration: CalibrationView | null;
  /** Chroma emphasis that everybody who sees your camera can undo; 0: send it as it is. */
  emphasis_version: number;
  /** Of the camera that is on the skin, while somebody looks. */
  fidelity: FidelityView | null;
  /** How far your own path made the pictures that you get give way. */
  adaptation: AdaptationName;
}

/** A consultation in a specialist's worklist. */
export interface ConsultationSummary {
  consultation_id: string;
  referral_id: string;
  patient: PatientView;
  question: string;
  urgency: UrgencyName;
  scheduled_at: string;
  phase: PhaseName;
  waiting: ParticipantView[];
}

/** GET /api/worklist, and the `worklist` event at every change. */
export interface WorklistView {
  server_time: string;
  consultations: ConsultationSummary[];
  referrals: ReferralView[];
}

/**
 * GET /api/consultations/{consultation_id}: what the specialist or referring site sees around a call.
 *
 * Until it has ended, the referring site gets no note and, of the chat, what its person was inside for.
 */
export interface ConsultationDetail {
  consultation_id: string;
  phase: PhaseName;
  scheduled_at: string;
  started_at: string | null;
  ended_at: string | null;
  referral: ReferralView;
  note: NoteView;
  snapshots: SnapshotView[];
  chat: ChatView[];
  display_check: DisplayCheckView | null;
}

/** The patient's answer after a consultation. */
export interface SatisfactionView {
  consultation_id: string;
  score: number;
  words: string;
  given_at: string;
}

/** A consultation in a patient's timeline. */
export interface TimelineConsultation {
  consultation_id: string;
  scheduled_at: string;
  started_at: string | null;
  ended_at: string | null;
  phase: PhaseName;
  note: string;
  display_check: DisplayCheckView | null;
}

/** GET /api/patients/{patient_id}/timeline, each list newest first. */
export interface TimelineView {
  patient: PatientView;
  referrals: ReferralView[];
  consultations: TimelineConsultation[];
  snapshots: SnapshotView[];
  satisfactions: SatisfactionView[];
}

/** A lesion: its label, where it is, and what became of it. map_point: shares of the drawing's size. */
export interface LesionContent {
  label: string;
  site: string;
  laterality: LateralityName;
  state?: LesionStateName;
  map_view?: MapViewName | null;
  map_point?: [number, number] | null;
}

/**
 * Something drawn on a snapshot, in px of the upright original.
 *
 * A polygon has its corners; an ellipse its center and the ends of two conjugate half-axes; an arrow its
 * tail and its head; a text its place.
 */
export interface AnnotationContent {
  form: FormName;
  points: [number, number][];
  words?: string;
}

/** A condition in a clinician's words, with a code if there is one. */
export interface ConditionContent {
  words: string;
  system?: string;
  code?: string;
  status?: ClinicalStatusName;
  onset?: string | null;
}

/** A medication as stated; not a prescription. */
export interface MedicationContent {
  words: string;
  dosage?: string;
  status?: MedicationStatusName;
  started?: string | null;
  ended?: string | null;
}

/** A note: free text, sections, or both. */
export interface NoteContent {
  text?: string;
  sections?: Partial<Record<SectionName, string>>;
}

/** An attached document. */
export interface DocumentContent {
  document_kind: DocumentKindName;
  title: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
  issued_on: string | null;
}

/** A measured value and its standard uncertainty, in the same unit. */
export interface QuantityView {
  value: number;
  uncertainty: number;
}

/** Size of an outline in the plane of the skin. */
export interface SizeView {
  longest_mm: QuantityView;
  perpendicular_mm: QuantityView;
  area_mm2: QuantityView;
}

/** Color of a region of a corrected picture: CIE Lab under D65, spread, and indices of skin. */
export interface RegionColorView {
  lightness: QuantityView;
  a: QuantityView;
  b: QuantityView;
  spread_de00: QuantityView;
  erythema_index: QuantityView;
  melanin_index: QuantityView;
  ita_deg: QuantityView | null;
}

/** Color inside an outline, and around it. */
export interface LesionColorView {
  inside: RegionColorView;
  surrounding: RegionColorView;
  contrast_de00: QuantityView;
}

/** What a measurement derives from. */
export interface BasisView {
  annotation_id: string;
  annotation_version: number;
  mm_per_px: QuantityView | null;
  scale_source: string;
  calibration_grade: string | null;
  calibration_de00: number | null;
  software: string;
}

/** What was measured of one version of an outline. size None: no scale; color None: uncalibrated. */
export interface MeasurementContent {
  basis: BasisView;
  size: SizeView | null;
  color: LesionColorView | null;
}

/** POST /api/patients/{patient_id}/entries: exactly one content, and what it is about. */
export interface EntryRequest {
  lesion?: LesionContent | null;
  annotation?: AnnotationContent | null;
  condition?: ConditionContent | null;
  medication?: MedicationContent | null;
  note?: NoteContent | null;
  lesion_id?: string | null;
  snapshot_id?: string | null;
  consultation_id?: string | null;
}

/** PUT /api/entries/{entry_id}: a new version over the one that was read; exactly one content. */
export interface EntryChangeRequest {
  version: number;
  lesion?: LesionContent | null;
  annotation?: AnnotationContent | null;
  condition?: ConditionContent | null;
  medication?: MedicationContent | null;
  note?: NoteContent | null;
}

/** One version of something that was written about a patient; one of the contents is there. */
export interface EntryView {
  entry_id: string;
  kind: EntryKindName;
  patient_id: string;
  lesion_id: string | null;
  snapshot_id: string | null;
  consultation_id: string | null;
  annotation_id: string | null;
  at: string;
  version: number;
  latest_version: number;
  author_name: string;
  written_at: string;
  deleted: boolean;
  lesion: LesionContent | null;
  annotation: AnnotationContent | null;
  measurement: MeasurementContent | null;
  condition: ConditionContent | null;
  medication: MedicationContent | null;
  note: NoteContent | null;
  document: DocumentContent | null;
}

/** Body of 409 record.conflict where somebody else changed an entry first: what is there now. */
export interface EntryConflictReply {
  error: ErrorView;
  current: EntryView;
}

/** GET /api/patients/{patient_id}/entries and /api/entries/{entry_id}/versions, newest first. */
export interface EntryList {
  entries: EntryView[];
}

/** Later minus earlier, and the least difference that would be told; None where not comparable. */
export interface DifferenceView {
  verdict: VerdictName;
  difference: number | null;
  least: number | null;
}

/** What changed of a lesion from one measurement to the next. */
export interface ChangeView {
  earlier_id: string;
  later_id: string;
  longest_mm: DifferenceView;
  area_mm2: DifferenceView;
  lightness: DifferenceView;
  a: DifferenceView;
  b: DifferenceView;
  erythema_index: DifferenceView;
  melanin_index: DifferenceView;
}

/**
 * GET /api/lesions/{lesion_id}: pictures by when they were taken, and their measurements, oldest first.
 *
 * changes: of each measurement to the next.
 */
export interface LesionView {
  lesion: EntryView;
  snapshots: SnapshotView[];
  measurements: EntryView[];
  changes: ChangeView[];
}

/** One line of a patient's history; one of the values is there. */
export interface HistoryItemView {
  kind: HistoryKindName;
  item_id: string;
  at: string;
  referral: ReferralView | null;
  consultation: TimelineConsultation | null;
  snapshot: SnapshotView | null;
  entry: EntryView | null;
  satisfaction: SatisfactionView | null;
}

/** GET /api/patients/{patient_id}/history?cursor=&most=: a page, newest first. */
export interface HistoryView {
  items: HistoryItemView[];
  /** Where the next page begins; None on the last one. */
  cursor: string | null;
}

/** POST /api/search: everything given has to fit, among one's own patients. A page, newest first. */
export interface SearchRequest {
  words?: string;
  code?: string;
  site?: string;
  patient_id?: string | null;
  since?: string | null;
  until?: string | null;
  cursor?: string | null;
  most?: number;
}

/** Something that fits. patient alone: the patient's name does. */
export interface SearchHitView {
  kind: SubjectKindName;
  subject_id: string;
  at: string;
  patient: PatientView;
  question: string | null;
  note: string | null;
  entry: EntryView | null;
}

/** What a search found. */
export interface SearchView {
  hits: SearchHitView[];
  cursor: string | null;
}

/** A site of the body map. */
export interface BodySiteView {
  code: string;
  parent: string | null;
  paired: boolean;
  words_en: string;
  words_zh: string;
}

/** GET /api/body-sites */
export interface BodySiteList {
  sites: BodySiteView[];
}

/** GET /api/join: what a personal link opens. */
export interface JoinView {
  participant_id: string;
  consultation_id: string;
  role: RoleName;
  name: string;
  specialist_name: string;
  site_name: string;
  scheduled_at: string;
  phase: PhaseName;
  language: Language;
  consent_version: string;
  consent_given: boolean;
  satisfaction_given: boolean;
}

/** Somebody who saw or changed the patient's record: when, who, and what they did (the audit's action). */
export interface AccessView {
  at: string;
  role: RoleName;
  name: string;
  site_name: string;
  action: string;
}

/** GET /api/join/accesses: who saw the patient's record, newest first. */
export interface AccessList {
  accesses: AccessView[];
}

/** GET /api/consent/{language}: the text that is agreed to. */
export interface ConsentTextView {
  version: string;
  language: Language;
  title: string;
  paragraphs: string[];
  sha256: string;
}

/** POST /api/join/consent */
export interface ConsentRequest {
  version: string;
  language: Language;
  text_sha256: string;
  purposes: ("care" | "teaching")[];
}

/** POST /api/join/satisfaction */
export interface SatisfactionRequest {
  score: number;
  words?: string;
}

/** One entry of RTCConfiguration.iceServers. */
export interface IceServer {
  urls: string[];
  username: string | null;
  credential: string | null;
}

/** GET /api/ice: servers for the device check and the call. relay_configured: TURN is set up. */
export interface IceView {
  ice_servers: IceServer[];
  relay_configured: boolean;
}

/** POST /api/uploads: answers 201 with Location and UploadView. Then HEAD and PATCH as in tus 1.0.0. */
export interface UploadRequest {
  purpose: "referral_photo" | "snapshot";
  /** consultation_id of a snapshot, referral_id of a referral photo. */
  owner_id: string;
  size_bytes: number;
  media_type: string;
  method: "canvas" | "file" | "take_photo";
  capture_id?: string | null;
  sha256?: string | null;
  taken_at?: string | null;
  device?: string;
  settings?: Record<string, string | number | number | boolean | null>;
}

/** An upload; snapshot_id is set once it became one. */
export interface UploadView {
  upload_id: string;
  offset_bytes: number;
  size_bytes: number;
  snapshot_id: string | null;
}

/** Socket.IO auth of a participant who came by a personal link. */
export interface LinkAuth {
  token: string;
  undoes_emphasis?: number;
}

/**
 * Socket.IO auth of a staff member, beside the session cookie.
 *
 * undoes_emphasis: the newest version of chroma emphasis that this page's pictures undo.
 */
export interface StaffAuth {
  consultation_id: string;
  undoes_emphasis?: number;
}

/** Done. */
export interface OkReply {
  ok: true;
}

/** `knock`: a participant with consent (or an interpreter) asks to be let in. */
export interface KnockRequest {
}

/** `admit`: the specialist lets a waiting participant in. */
export interface AdmitRequest {
  participant_id: string;
}

/** `refuse`: the specialist turns a participant away, with words that the participant reads. */
export interface RefuseRequest {
  participant_id: string;
  words: string;
}

/** `send_back`: the specialist returns an admitted participant to the waiting room. */
export interface SendBackRequest {
  participant_id: string;
  words?: string;
}

/** `leave`: a participant goes, and knocks again to come back. */
export interface LeaveRequest {
}

/** `end`: the specialist ends the consultation for everybody. */
export interface EndRequest {
}

/**
 * `negotiate`: an SDP offer. publications: mid -> source; subscriptions: mid -> publication_id.
 *
 * emphasis: mid of a camera whose chroma is stretched -> how, for the whole life of the Publication.
 */
export interface NegotiateRequest {
  sdp: string;
  publications: Record<string, SourceName>;
  subscriptions: Record<string, string>;
  emphasis?: Record<string, ChromaEmphasisView>;
}

/** The answer. publications: mid -> publication_id that the relay gave it. */
export interface NegotiateReply {
  sdp: string;
  publications: Record<string, string>;
}

/** `mute`: tells the room that a Publication of one's own is (un)muted. */
export interface MuteRequest {
  publication_id: string;
  muted: boolean;
}

/** `camera_changed`: another camera is behind a Publication of one's own from now on. */
export interface CameraChangedRequest {
  publication_id: string;
}

/** `chat`: a line of text to everybody admitted. */
export interface ChatRequest {
  text: string;
}

/** `chat_history`: an admitted participant asks what was said; replies ChatHistoryView. */
export interface ChatHistoryRequest {
}

/** `chat` event, and the lines of ConsultationDetail. */
export interface ChatView {
  line_id: string;
  participant_id: string;
  name: string;
  role: RoleName;
  text: string;
  sent_at: string;
}

/** The latest lines said while the participant was inside, oldest first: not those said without them. */
export interface ChatHistoryView {
  lines: ChatView[];
}

/** `capture`: the specialist asks a participant's device for a still. Replies CaptureView. */
export interface CaptureRequest {
  /** Whose camera; the patient's, or the referring site's beside the patient. */
  participant_id: string;
}

/** `capture_progress`: the device says what it does. */
export interface CaptureProgressRequest {
  capture_id: string;
  state: "taking" | "uploading";
  sent_bytes?: number;
  size_bytes?: number | null;
}

/** `capture_failed`: the device cannot; the best relayed frame is kept, and says that it is one. */
export interface CaptureFailedRequest {
  capture_id: string;
  reason: "no_camera" | "not_supported" | "refused" | "upload_failed";
  /** The device holds a still that it could not send, and may send it later. */
  held?: boolean;
}

/** `capture_take` event to the device that shall take a still. */
export interface CaptureTake {
  capture_id: string;
  consultation_id: string;
}

/**
 * `lut` event to viewers: the correction of a Publication as a 3D LUT.
 *
 * lut is a binary attachment of size^3 * 3 bytes, RGB, red fastest: index = ((b*size + g)*size + r)*3.
 */
export interface LutEvent {
  calibration: CalibrationView;
  size: number;
  lut: ArrayBuffer;
}

/**
 * `chart` event to viewers: where the chart's patches lie in a Publication's picture, so that a page that
 * draws it through a LUT measures them there, and answers with `patches`.
 *
 * centers: x and y of the 24 patches in shares of the picture's width and height, dark skin first, black
 * last. question: to be given back.
 */
export interface ChartEvent {
  publication_id: string;
  question: number;
  centers: [number, number][];
}

/**
 * A patch as a page's own decoder shows it: encoded RGB, 0 to 1. spread: robust standard deviation in it.
 * clipped: a channel is at its upper end; visible: it lies in the picture.
 */
export interface PatchReading {
  mean: [number, number, number];
  spread: [number, number, number];
  clipped: boolean;
  visible: boolean;
}

/** `patches`: what a page measured for a `chart` event, in the frame that it showed next. */
export interface PatchesRequest {
  publication_id: string;
  question: number;
  patches: PatchReading[];
}

/**
 * `budget` event to a publisher: what the best of a Publication's viewers can take.
 *
 * max_framerate: frames per second at which full resolution fits; 0: nobody can take it now.
 */
export interface BudgetEvent {
  publication_id: string;
  bitrate_bps: number;
  max_framerate: number;
}

/** `statistics`: staff inside ask how media flow. Replies StatisticsView. */
export interface StatisticsRequest {
}

/** A Publication as it reaches the relay. quantiser: on the codec's own scale, where it is read. */
export interface PublicationStatistics {
  publication_id: string;
  participant_id: string;
  source: SourceName;
  codec: string;
  bitrate_bps: number;
  frame_rate: number;
  width_px: number;
  height_px: number;
  quantiser: number | null;
  packets_received: number;
  packets_lost: number;
}

/**
 * What a participant is given of a Publication. participant_id: who receives it. spatial: rank of the
 * encoding by size, 0 the smallest of so many `encodings`; max_temporal: highest temporal layer, null where
 * none is left out. loss: share of the packets, 0 to 1; it, packets_lost and jitter_ms are what the
 * participant reports. freeze_count, frozen_s: how often and how long a camera's picture stood still.
 */
export interface SubscriptionStatistics {
  participant_id: string;
  publication_id: string;
  bitrate_bps: number;
  frame_rate: number;
  width_px: number;
  height_px: number;
  spatial: number | null;
  encodings: number;
  max_temporal: number | null;
  paused: boolean;
  loss: number;
  packets_lost: number;
  jitter_ms: number;
  freeze_count: number;
  frozen_s: number;
}

/** The way from the relay to a participant. loss: share of the packets, 0 to 1. */
export interface PathStatistics {
  participant_id: string;
  estimate_bps: number;
  sent_bps: number;
  loss: number;
  rtt_ms: number;
  queue_delay_ms: number;
  packets_dropped: number;
  adaptation: AdaptationName;
}

/** How media flow in a room just now. */
export interface StatisticsView {
  publications: PublicationStatistics[];
  subscriptions: SubscriptionStatistics[];
  paths: PathStatistics[];
}

/** `snapshot` event to staff in the room: a snapshot is in the record, or got a derived picture. */
export interface SnapshotEvent {
  snapshot: SnapshotView;
}

/** `ended` event: the consultation is over. */
export interface EndedEvent {
  consultation_id: string;
}
