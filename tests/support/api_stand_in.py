"""An API on loopback: what an inference endpoint answers, and the Hub and the router in front of a provider."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class ApiStandIn:
    """A server whose answers a test chooses.

    Attributes:
        url: Its address.
        answer: Status, headers and body of the answer to a path and a body.
        asked: Path, Authorization header and body of every request.
        endless: Whether the body of an answer has no end.
        stalls: Seconds that a body stops for after its first byte.
    """

    url: str
    answer: Callable[[str, bytes], Answer] = lambda _path, _body: (200, {}, b"")
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    endless: bool = False
    stalls: float = 0.0

    def gives(self, status: int, body: bytes | dict[str, Any], **headers: str) -> None:
        """Answer everything in one way."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _path, _body: (status, named, content)


@contextmanager
def api_stand_in() -> Iterator[ApiStandIn]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.answered(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self) -> None:
            self.answered(b"")

        def answered(self, body: bytes) -> None:
            api.asked.append((self.path, self.headers.get("Authorization", ""), body))
            status, headers, content = api.answer(self.path, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not api.endless:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content[:1])
                self.wfile.flush()
                stopped.wait(api.stalls)
                self.wfile.write(content[1:])
                while api.endless and not stopped.is_set():
                    self.wfile.write(b"\0" * 2**20)
                    time.sleep(0.002)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    stopped = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = ApiStandIn(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


ROUTED = """
import os
from huggingface_hub import constants
constants.INFERENCE_PROXY_TEMPLATE = os.environ["ROUTER"] + "/router/{provider}"
"""
"""A `sitecustomize` that moves the router of providers to the stand-in: huggingface_hub has no variable for it."""


def routed_through(api: ApiStandIn, folder: Path) -> dict[str, str]:
    """Return the variables with which a process of ours asks the stand-in in place of the Hub and its router."""
    (folder / "sitecustomize.py").write_text(ROUTED)
    return {"HF_ENDPOINT": api.url, "ROUTER": api.url, "PYTHONPATH": str(folder)}
