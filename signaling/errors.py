"""Every error id on the wire: its HTTP status and its sentence; python -m signaling.errors --markdown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from signaling.messages import ErrorReply, ErrorView

DOCS = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

# id -> (HTTP status, what a person reads). Ids are stable: programs and translations hang on them.
ERRORS: Mapping[str, tuple[int, str]] = {
    "request.malformed": (400, "The request is not understood. Nothing was changed."),
    "request.not_found": (404, "There is nothing at this address."),
    "request.method": (405, "This address does not take that kind of request."),
    "request.too_large": (413, "The request is larger than is allowed. Nothing was changed."),
    "request.media_type": (415, "The request has the wrong content type. Nothing was changed."),
    "request.foreign_origin": (403, "The request came from another site and was refused."),
    "request.unknown_event": (400, "There is no such event. Nothing was changed."),
    "request.rate_limited": (429, "Too many requests. Wait a moment and try again."),
    "server.error": (500, "Something failed on the server. What was saved before is safe."),
    "server.no_interface": (503, "The web interface is not built. Run ./dev run, or build consult_ui."),
    "access.sign_in": (401, "Please sign in."),
    "access.link_invalid": (401, "This link does not work any more. Ask the clinic for a new one."),
    "access.denied": (403, "You may not do this."),
    "login.failed": (401, "The e-mail address or the password is wrong."),
    "login.rate_limited": (429, "Too many attempts to sign in. Wait five minutes and try again."),
    "login.link_used": (
        401,
        "This sign-in link was used already or is too old. Start the server again for a new one.",
    ),
    "referral.state": (409, "The referral was already decided."),
    "referral.date": (422, "The date is not possible."),
    "link.name_needed": (422, "An interpreter needs a name."),
    "consent.needed": (403, "Consent to the consultation has to be given first."),
    "consent.text_changed": (409, "The consent text has changed. Please read it again."),
    "consent.care_needed": (422, "Without consent to care there can be no consultation."),
    "consultation.ended": (409, "The consultation is over."),
    "consultation.not_ended": (409, "The consultation is not over yet."),
    "consultation.on_another_node": (409, "This consultation is served by another node."),
    "consultation.replaced": (409, "The consultation was opened somewhere else with the same link."),
    "admission.refused": (403, "The specialist has ended your visit to this consultation."),
    "admission.not_waiting": (409, "This participant is not waiting."),
    "admission.not_admitted": (409, "This participant is not in the consultation."),
    "admission.unknown_participant": (404, "There is no such participant in this consultation."),
    "capture.busy": (409, "Another picture is being taken. Wait until it is stored."),
    "capture.unknown": (404, "There is no such capture under way."),
    "capture.not_present": (409, "This participant is not connected, so no picture can be taken."),
    "capture.no_camera": (409, "The device has no camera. The best frame of the video is kept instead."),
    "capture.refused": (409, "The device's camera was refused. The best frame of the video is kept instead."),
    "capture.not_supported": (
        409,
        "The device cannot take stills. The best frame of the video is kept instead.",
    ),
    "capture.upload_failed": (
        409,
        "The still could not be sent. The best frame of the video is kept instead.",
    ),
    "capture.silent": (409, "The device did not answer. The best frame of the video is kept instead."),
    "capture.no_frame": (409, "No still came from the device and there is no video frame to keep."),
    "color.not_asked": (409, "These colors were not asked for, or came too late. Nothing was changed."),
    "upload.incomplete_headers": (400, "The upload request lacks a header that tus 1.0.0 needs."),
    "upload.offset_mismatch": (409, "The upload continues at another place. Ask for its offset and go on."),
    "upload.too_large": (413, "The picture is larger than announced or allowed."),
    "upload.hash_mismatch": (460, "The picture was damaged on its way. Please send it again."),
    "upload.not_an_image": (422, "This file is no picture that can be kept (JPEG, PNG, WebP or HEIC)."),
    "upload.storage_full": (507, "The disk is full. What was stored before is safe."),
    "record.storage_unavailable": (
        503,
        "The pictures of the record cannot be reached at the moment. What was saved before is safe.",
    ),
    "backup.broken": (500, "The backup lacks something, or was changed from outside. Nothing was restored."),
    "backup.running": (409, "Another backup is under way."),
    "backup.not_empty": (409, "A backup is restored into an empty installation only. Nothing was changed."),
    "record.error": (500, "The record could not do this. What was saved before is safe."),
    "record.not_found": (404, "There is no such thing in the record."),
    "record.conflict": (409, "Somebody else changed this first. Read it again."),
    "record.invalid": (422, "This makes no sense as it stands. Nothing was changed."),
    "record.seal_broken": (500, "A part of the record was changed from outside and is not shown."),
    "record.wrong_master_key": (500, "The master key is not the one this record was sealed under."),
    "measurement.no_scale": (422, "Nothing in the picture tells its scale, so there are no millimetres."),
    "document.refused": (422, "This file is no document that can be kept (PDF, or a picture)."),
    "media.error": (409, "The call could not be set up."),
    "media.emphasis_refused": (422, "The picture is prepared in a way that this server cannot undo."),
    "media.sdp_refused": (422, "The browser's offer could not be used."),
    "media.unknown_publication": (409, "This picture or sound is gone. Try again."),
}


class Refusal(Exception):
    """A request is refused; `error_id` is one of ERRORS."""

    def __init__(self, error_id: str) -> None:
        super().__init__(error_id)
        self.error_id = error_id


def reply(error_id: str) -> ErrorReply:
    """The body that goes over the wire; an id that is not in the table becomes server.error."""
    known = error_id if error_id in ERRORS else "server.error"
    return ErrorReply(ErrorView(known, ERRORS[known][1]))


def status(error_id: str) -> int:
    """HTTP status of an error."""
    return ERRORS.get(error_id, ERRORS["server.error"])[0]


def markdown() -> str:
    """docs/errors.md: a table of every error."""
    lines = [
        "# Errors",
        "",
        "Every refused HTTP request and Socket.IO event is answered with",
        '`{"error": {"id": ..., "message": ...}}`.',
        "The id is stable; the message is for a person and never holds what somebody sent.",
        "",
        "| id | HTTP status | message |",
        "|---|---|---|",
    ]
    lines += [f"| `{error_id}` | {code} | {words} |" for error_id, (code, words) in ERRORS.items()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """`--markdown` writes docs/errors.md."""
    if arguments != ["--markdown"]:
        print("usage: python -m signaling.errors --markdown", file=sys.stderr)
        return 2
    DOCS.write_text(markdown(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
