"""Who watches a Publication: one Tap, however many listeners, for as long as there is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from media.interface import TappedFrame
from media.publication import Publication
from media.rtp import Packet
from media.tap import Tap

log = logging.getLogger(__name__)

Listener = Callable[[TappedFrame], None]


class Watch:
    """The Tap of one Publication and its listeners. `ended` is called when the last one goes."""

    def __init__(
        self,
        publication: Publication,
        interval_s: float,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[], None],
        now: float,
    ) -> None:
        """It begins with the picture so far where there is one, else it asks for a keyframe."""
        self._codec = publication.codec.name
        self._publication = publication
        self._ended = ended
        self._listeners: list[tuple[object, Listener]] = []
        self._tap = Tap(
            publication.info.publication_id,
            publication.codec.name,
            interval_s,
            loop,
            self._deliver,
            lambda: publication.largest.keyframes.want(),
            publication.info.emphasis,
        )
        past = publication.largest.since_keyframe(now)
        for packet in past:
            self.feed(packet, now)
        if not past:
            publication.largest.keyframes.want()

    def add(self, listener: Listener) -> Callable[[], None]:
        """Call listener with every frame; returns the function that ends this."""
        entry = (object(), listener)
        self._listeners.append(entry)

        def end() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)
                if not self._listeners:
                    self._ended()

        return end

    def feed(self, packet: Packet, arrived_s: float) -> None:
        """Give the Tap a packet of the Publication; of several encodings the largest that there is."""
        if packet.encoding == self._publication.largest.index:
            self._tap.feed(self._codec, packet.data, arrived_s)

    def best(self, now: float) -> TappedFrame | None:
        """The sharpest frame of the last two seconds, or None."""
        return self._tap.best(now)

    def close(self) -> None:
        """Deliver nothing more."""
        self._listeners.clear()
        self._tap.close()

    def _deliver(self, frame: TappedFrame) -> None:
        for _, listener in list(self._listeners):
            try:
                listener(frame)
            except Exception:
                # A listener is another part's code; the others still get their frame.
                log.exception("a watcher failed")
