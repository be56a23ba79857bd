"""Why the media part refuses a request."""

from __future__ import annotations


class MediaError(Exception):
    """A refused request to the media part; `error_id` is stable and goes over the wire."""

    error_id = "media.error"


class SdpRefused(MediaError):
    """The offer is malformed, or asks for what this relay does not do (remote's fault)."""

    error_id = "media.sdp_refused"


class EmphasisRefused(MediaError):
    """Chroma is announced as stretched in a way that this relay cannot undo (remote's fault)."""

    error_id = "media.emphasis_refused"


class UnknownPublication(MediaError):
    """A subscription names a Publication that is not in this room (remote's fault)."""

    error_id = "media.unknown_publication"
