"""A low-rate look into one Publication: decode it off the forwarding path, hand over RGB now and then."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import av
import cv2
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from media.depacketize import CodedPicture, Depacketizer
from media.fragments import MalformedPacket, UnsupportedCodec
from media.interface import ChromaEmphasis, TappedFrame
from media.yuv import plane_of, stated_matrix, to_rgb

QUEUE_PICTURES = 30
"""Coded pictures that may wait for the decoder: a second of video."""

MAX_PIXELS = 4096 * 2304
"""A larger picture is refused by the decoder before it allocates anything."""

BEST_WITHIN_S = 2.0
KEYFRAME_RETRY_S = 0.5

_DECODERS = {"VP8": "vp8", "VP9": "vp9", "H264": "h264", "AV1": "libdav1d"}


class Tap:
    """Decodes one Publication in a thread of its own and delivers a frame every interval_s.

    Not thread-safe: feed, best and close are called on the loop's thread, and deliver and request_keyframe
    are called there. A codec that cannot be looked into is ignored and counted in `ignored_packets`.
    """

    def __init__(
        self,
        publication_id: str,
        codec: str,
        interval_s: float,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[[TappedFrame], None],
        request_keyframe: Callable[[], None],
        emphasis: ChromaEmphasis | None = None,
    ) -> None:
        """codec: RTP encoding name. request_keyframe: asked again every 0.5 s while one is wanted.

        emphasis: how the publisher stretched chroma; every frame is handed over without it."""
        self._emphasis = emphasis
        self._publication_id = publication_id
        self._interval_s = interval_s
        self._loop = loop
        self._deliver = deliver
        self._request_keyframe = request_keyframe
        self._depacketizer = _depacketizer(codec)
        self._codec = codec
        self._keyframe_asked_s = -KEYFRAME_RETRY_S
        self._recent: deque[TappedFrame] = deque()
        self.ignored_packets = 0
        """Packets that could not be read, since the start."""
        self._queue = PictureQueue(QUEUE_PICTURES)
        self._closed = False
        self._thread = threading.Thread(target=self._decode_all, name="tap", daemon=True)
        self._thread.start()

    def feed(self, codec: str, packet: bytes | memoryview, arrived_s: float) -> None:
        """Take one decrypted RTP packet: microseconds, whatever it holds. arrived_s: the worker's clock."""
        if self._closed:
            return
        if codec != self._codec:
            self._codec, self._depacketizer = codec, _depacketizer(codec)
        if self._depacketizer is None:
            self.ignored_packets += 1
            return
        try:
            pictures = self._depacketizer.push(packet, arrived_s)
        except MalformedPacket:
            self.ignored_packets += 1
            return
        for picture in pictures:
            if not self._queue.put(picture):
                self._depacketizer.restart()
        if self._depacketizer.wants_keyframe and arrived_s - self._keyframe_asked_s >= KEYFRAME_RETRY_S:
            self._keyframe_asked_s = arrived_s
            self._request_keyframe()

    def best(self, now_s: float) -> TappedFrame | None:
        """The sharpest frame of the last two seconds, or None."""
        self._forget(now_s)
        return max(self._recent, key=lambda frame: frame.sharpness, default=None)

    def close(self) -> None:
        """Deliver nothing more, and let the thread end. Does not wait for it."""
        self._closed = True
        self._recent.clear()
        self._queue.close()

    def _forget(self, now_s: float) -> None:
        while self._recent and self._recent[0].received_at_s < now_s - BEST_WITHIN_S:
            self._recent.popleft()

    def _arrive(self, frame: TappedFrame) -> None:
        if self._closed:
            return
        self._forget(frame.received_at_s)
        self._recent.append(frame)
        self._deliver(frame)

    def _fail(self) -> None:
        if self._depacketizer is not None:
            self._depacketizer.restart()

    def _on_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            self._queue.close()  # the loop has ended, and with it whoever wanted frames

    def _decode_all(self) -> None:
        """The thread's life: decode every picture, since each refers to the last; convert few."""
        decoder: VideoCodecContext | None = None
        codec = ""
        converted_s: float | None = None
        while (picture := self._queue.get()) is not None:
            if decoder is None or picture.codec != codec:
                if not picture.keyframe:
                    continue
                codec, decoder = picture.codec, open_decoder(picture.codec)
            try:
                frame = decode_picture(decoder, picture)
            except av.FFmpegError:
                decoder = None
                self._on_loop(self._fail)
                continue
            if frame is None:
                continue
            if converted_s is not None and picture.arrived_s - converted_s < self._interval_s:
                continue
            converted_s = picture.arrived_s
            tapped = TappedFrame(
                publication_id=self._publication_id,
                rgb=to_rgb(frame, self._emphasis),
                rtp_timestamp=picture.rtp_timestamp,
                received_at_s=picture.arrived_s,
                sharpness=sharpness(frame),
                stated=stated_matrix(frame),
            )
            self._on_loop(partial(self._arrive, tapped))


class PictureQueue:
    """Coded pictures between the loop and the decoder: bounded, and never with a gap inside."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pictures: deque[CodedPicture] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, picture: CodedPicture) -> bool:
        """Add a picture; when full, drop the oldest down to a keyframe. False: a keyframe is needed now."""
        with self._changed:
            if len(self._pictures) >= self._limit:
                self._pictures.append(picture)
                newest = max((i for i, one in enumerate(self._pictures) if one.keyframe), default=None)
                if not newest:
                    self._pictures.clear()
                    return False
                for _ in range(newest):
                    self._pictures.popleft()
            else:
                self._pictures.append(picture)
            self._changed.notify()
            return True

    def get(self) -> CodedPicture | None:
        """Wait for the next picture; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._pictures))
            return None if self._closed else self._pictures.popleft()

    def close(self) -> None:
        """Drop what waits, and let whoever waits go."""
        with self._changed:
            self._closed = True
            self._pictures.clear()
            self._changed.notify_all()


def open_decoder(codec: str) -> VideoCodecContext:
    """A decoder that gives each picture at once, in its caller's thread. codec: RTP encoding name."""
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.flags |= av.codec.context.Flags.low_delay
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    return decoder


def decode_picture(decoder: VideoCodecContext, picture: CodedPicture) -> VideoFrame | None:
    """Decode one picture; of several spatial layers the highest. Raises av.FFmpegError."""
    last: VideoFrame | None = None
    for part in picture.parts:
        for frame in decoder.decode(av.Packet(part)):
            last = frame
    return last


def sharpness(frame: VideoFrame) -> float:
    """Variance of the Laplacian of luma: falls with defocus and motion blur (Pech-Pacheco et al., 2000)."""
    _, deviation = cv2.meanStdDev(cv2.Laplacian(plane_of(frame, 0), cv2.CV_16S))
    return float(deviation[0, 0] ** 2)


def _depacketizer(codec: str) -> Depacketizer | None:
    try:
        return Depacketizer(codec)
    except UnsupportedCodec:
        return None
