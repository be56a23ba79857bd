"""TrueHue's media worker alone in a process, on the event loop that the product uses: what the bench
measures."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Any

import uvloop

from bench.relays.control import serve
from bench.relays.held import held
from media.interface import MediaConfig, Source
from media.worker import MediaWorker


async def run(host: str) -> None:
    """Serve on a free port of an address."""
    native = os.environ.get("TRUEHUE_NATIVE") != "0"
    worker = await MediaWorker.start(MediaConfig(bind_host=host, announced_addresses=(host,), native=native))

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "negotiate":
            negotiation = await worker.negotiate(
                request["room"],
                request["participant"],
                request["sdp"],
                {mid: Source(source) for mid, source in request["publications"].items()},
                request["subscriptions"],
            )
            identities = [info.publication_id for info in negotiation.publications]
            return {"sdp": negotiation.sdp, "publications": identities}
        if request["do"] == "leave":
            await worker.leave(request["room"], request["participant"])
            return {}
        if request["do"] == "stats":
            stats = worker.stats()
            return {
                "transports": stats.transports,
                "received": stats.packets_received,
                "sent": stats.packets_sent,
                "dropped": dict(stats.packets_dropped),
            }
        if request["do"] == "tables":
            return {"tables": {**held(worker, "media"), "tasks": len(asyncio.all_tasks())}}
        raise ValueError("unknown request")

    gc.collect()
    gc.freeze()  # as signaling/run.py does
    await serve({"native": worker.native}, handle)
    await worker.stop()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
