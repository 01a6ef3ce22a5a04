"""A Gradio app on loopback that fails in one way at one place: what a Space may send, and how slowly.

It speaks as much of Gradio's protocol as gradio_client needs, so that each answer can be replaced by a fault.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLACES = {
    "/config": "config",
    "/gradio_api/info": "info",
    "/gradio_api/queue/join": "join",
    "/gradio_api/queue/data": "stream",
    "/gradio_api/file=clip.mp4": "file",
    "/api/spaces/org/faulty": "hub",
    "/api/spaces/zero-gpu/quota": "quota",
}
"""Path to place."""
_PAUSE = 0.1
_BLOCK = b" " * 2**16

Way = Callable[["Handler", bytes], None]
"""Sends something in place of an honest answer, which it is given."""


@dataclass
class FaultySpace:
    """The app.

    Attributes:
        url: Its address.
        clip: The content of its clip.
        place: Where it fails; empty for nowhere.
        way: How it fails there.
        messages: What the event stream says in place of a finished job; None for the finished job.
        stages: The stages that the Hub names, one a look-up; the last one stays.
        hardware: The hardware that the Hub names.
        quota: What the Hub says of the user's quota.
        asked: How often each place was asked.
    """

    url: str
    clip: bytes
    place: str = ""
    way: Way | None = None
    messages: list[dict[str, Any]] | None = None
    stages: list[str] = field(default_factory=lambda: ["RUNNING"])
    hardware: str = "cpu-basic"
    quota: Any = None
    asked: Counter[str] = field(default_factory=Counter)

    def fails(self, place: str = "", way: Way | None = None) -> None:
        """Fail in one way at one place from now on, and count anew."""
        self.place, self.way, self.messages = place, way, None
        self.stages = ["RUNNING"]
        self.asked.clear()

    def honest(self, place: str) -> bytes:
        """Return the honest answer."""
        return self.clip if place == "file" else _events(self.said()) if place == "stream" else self._json(place)

    def said(self) -> list[dict[str, Any]]:
        """Return what the event stream says."""
        if self.messages is not None:
            return self.messages
        output = {"data": [{"path": "clip.mp4", "url": f"{self.url}/gradio_api/file=clip.mp4"}, 42]}
        return [completed(output)]

    def _json(self, place: str) -> bytes:
        answers: dict[str, Any] = {"quota": self.quota, "config": _CONFIG, "info": _INFO, "join": {"event_id": "e"}}
        if place == "hub":
            stage = self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]
            return json.dumps(_hub(self.url, stage, self.hardware)).encode()
        return json.dumps(answers.get(place, {})).encode()


def completed(output: dict[str, Any], *, success: bool = True) -> dict[str, Any]:
    """Return the message that ends a job."""
    return {"msg": "process_completed", "event_id": "e", "success": success, "output": output}


def refusing(text: str) -> list[dict[str, Any]]:
    """Return the messages of a job that the app refuses with a text, as `gradio.Error` does."""
    return [completed({"error": text}, success=False)]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        space: FaultySpace = self.server.space  # type: ignore[attr-defined]
        place = PLACES.get(self.path.split("?")[0], "other")
        space.asked[place] += 1
        with suppress(OSError):
            if place == space.place and space.way is not None:
                space.way(self, space.honest(place))
                self.close_connection = True
            else:
                self.answer(space.honest(place), kind="text/event-stream" if place == "stream" else "application/json")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def answer(self, content: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Send an answer with its length."""
        self.begin(status, **{"Content-Type": kind, "Content-Length": str(len(content))}, **headers)
        self.wfile.write(content)

    def begin(self, status: int = 200, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def faulty_space(clip: bytes) -> Iterator[FaultySpace]:
    """Serve an app that is honest until it is told to fail."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        space = FaultySpace(f"http://127.0.0.1:{server.server_port}", clip)
        server.daemon_threads, server.block_on_close = True, False
        server.space = space  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield space
        finally:
            server.shutdown()


def dripped(handler: Handler, content: bytes) -> None:
    """Send the body byte by byte."""
    handler.begin(Content_Length=str(len(content)))
    _drip(handler, content)


def dripped_headers(handler: Handler, _: bytes) -> None:
    """Send a header that has no end, byte by byte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler, b"x" * 10_000)


def endless(handler: Handler, _: bytes) -> None:
    """Send a body that has no end."""
    handler.begin()
    while True:
        handler.wfile.write(_BLOCK)


def endless_headers(handler: Handler, _: bytes) -> None:
    """Send headers that have no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def gzip_bomb(handler: Handler, _: bytes) -> None:
    """Send a few megabytes that unpack to gigabytes."""
    handler.begin(Content_Encoding="gzip")
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = pack.compress(b" " * 2**26) + pack.flush(zlib.Z_FULL_FLUSH)
    handler.wfile.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    for _round in range(64):
        handler.wfile.write(block)


def brotli_bomb(handler: Handler, _: bytes) -> None:
    """Send a few kilobytes that unpack to a gigabyte."""
    import brotli

    pack = brotli.Compressor(quality=1)
    handler.begin(Content_Encoding="br")
    handler.wfile.write(b"".join(pack.process(b" " * 2**20) for _round in range(2**10)) + pack.finish())


def silent(_: Handler, __: bytes) -> None:
    """Send nothing."""
    time.sleep(3600)


def stalled(handler: Handler, content: bytes) -> None:
    """Send half of the body, and then nothing."""
    handler.begin(Content_Length=str(len(content)))
    handler.wfile.write(content[: len(content) // 2])
    time.sleep(3600)


def halved(handler: Handler, content: bytes) -> None:
    """Close the connection in the middle of the body."""
    handler.begin(Content_Length=str(len(content)))
    handler.wfile.write(content[: len(content) // 2])


def reset(handler: Handler, _: bytes) -> None:
    """Break the connection in place of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def status(number: int, body: bytes = b"no", **headers: str) -> Way:
    """Send a status of HTTP."""
    return lambda handler, _: handler.answer(body, number, **headers)


def once(way: Way, times: int = 1) -> Way:
    """Fail for the first time only, or for the first times."""

    def first(handler: Handler, content: bytes) -> None:
        space: FaultySpace = handler.server.space  # type: ignore[attr-defined]
        if space.asked[space.place] <= times:
            way(handler, content)
        else:
            handler.answer(content)

    return first


def sending(body: bytes) -> Way:
    """Send something else."""
    return lambda handler, _: handler.answer(body)


def redirected(handler: Handler, _: bytes) -> None:
    """Send the asker to itself, for ever."""
    handler.answer(b"", 302, Location=handler.path)


def heartbeats(handler: Handler, _: bytes) -> None:
    """Keep an event stream alive without an event."""
    _stream(handler, [{"msg": "heartbeat"}])


def estimates(handler: Handler, _: bytes) -> None:
    """Say for ever that the job is next."""
    _stream(handler, [{"msg": "estimation", "event_id": "e", "rank": 0, "queue_size": 1, "rank_eta": 1.0}])


def _stream(handler: Handler, events: list[dict[str, Any]]) -> None:
    handler.begin(Content_Type="text/event-stream")
    while True:
        handler.wfile.write(_events(events))
        time.sleep(_PAUSE)


def _drip(handler: Handler, content: bytes) -> None:
    for byte in content:
        handler.wfile.write(bytes([byte]))
        time.sleep(_PAUSE)


def _events(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in messages)


_COMPONENTS = [{"id": 1, "type": "textbox"}, {"id": 2, "type": "number"}, {"id": 3, "type": "video"}]
_CONFIG = {
    "version": "5.49.1",
    "protocol": "sse_v3",
    "api_prefix": "/gradio_api",
    "connect_heartbeat": False,
    "components": [{**each, "props": {}} for each in _COMPONENTS],
    "dependencies": [
        {"id": 0, "api_name": "generate", "inputs": [1, 2], "outputs": [3, 2], "backend_fn": True, "cancels": []}
    ],
}
_PYTHON_TYPE = {"type": "Any", "description": ""}
_OF_PROMPT = {"label": "prompt", "parameter_name": "prompt", "component": "Textbox"}
_OF_SEED = {"label": "seed", "parameter_name": "seed", "component": "Number"}
_OF_CLIP = {"label": "clip", "component": "Video"}
_INFO = {
    "named_endpoints": {
        "/generate": {
            "parameters": [each | {"type": {}, "python_type": _PYTHON_TYPE} for each in (_OF_PROMPT, _OF_SEED)],
            "returns": [each | {"type": {}, "python_type": _PYTHON_TYPE} for each in (_OF_CLIP, _OF_SEED)],
            "show_api": True,
        }
    },
    "unnamed_endpoints": {},
}


def _hub(url: str, stage: str, hardware: str) -> dict[str, Any]:
    return {
        "_id": "0" * 24,
        "id": "org/faulty",
        "sha": "2e" * 20,
        "private": False,
        "disabled": False,
        "host": url,
        "subdomain": "org-faulty",
        "sdk": "gradio",
        "tags": [],
        "siblings": [],
        "runtime": {"stage": stage, "hardware": {"current": hardware, "requested": hardware}, "sha": "1f" * 20},
    }
