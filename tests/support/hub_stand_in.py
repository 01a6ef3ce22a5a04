"""A stand-in for the Hub on loopback: answers what `huggingface_hub` and `gradio_client` ask of Spaces and models."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Space:
    host: str
    stage: str = "RUNNING"
    error: str = ""
    private: bool = False
    requirements: str = ""
    files: dict[str, str] = field(default_factory=dict)
    app_file: str = "app.py"
    changed: str = "2024-12-24T18:00:00.000Z"

    def runtime(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "hardware": {"current": "zero-a10g", "requested": "zero-a10g"},
            "gcTimeout": None,
            "sha": "1f" * 20,
            **({"errorMessage": self.error} if self.error else {}),
        }

    def info(self, name: str) -> dict[str, Any]:
        return {
            "_id": "0" * 24,
            "id": name,
            "author": name.split("/", maxsplit=1)[0],
            "sha": "2e" * 20,
            "createdAt": "2024-08-06T00:00:00.000Z",
            "lastModified": self.changed,
            "private": self.private,
            "disabled": False,
            "host": self.host,
            "subdomain": name.replace("/", "-"),
            "likes": 1,
            "sdk": "gradio",
            "tags": ["gradio"],
            "cardData": {
                "title": "CogVideoX",
                "sdk": "gradio",
                "sdk_version": "4.44.1",
                "python_version": "3.10",
                "app_file": self.app_file,
            },
            "siblings": [{"rfilename": name} for name in self.files or ["app.py"]],
            "runtime": self.runtime(),
        }


@dataclass
class Model:
    files: dict[str, bytes] = field(default_factory=dict)
    moved_to: str = ""
    sha: str = "2e" * 20
    """The newest commit; the files are those of the first one."""
    sizes: dict[str, Any] = field(default_factory=dict)
    """Sizes that are said in place of those that files have."""
    hashes: bool = False
    """Whether files are kept by their hash, as the Hub keeps large ones."""

    def listed(self, path: str, content: bytes) -> dict[str, Any]:
        size = self.sizes.get(path, len(content))
        lfs = {"size": size, "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 130}
        return {"rfilename": path, "size": size, **({"lfs": lfs} if self.hashes else {})}

    def answer(self, name: str, path: str, rest: list[str]) -> tuple[int, dict[str, str], Any]:
        if self.moved_to:
            return 307, {"Location": path.replace(name, self.moved_to)}, {}
        if not rest or rest in (["revision", "main"], ["revision", "2e" * 20]):
            siblings = [self.listed(path, content) for path, content in self.files.items()]
            return 200, {}, {"_id": "0" * 24, "id": name, "sha": self.sha, "tags": [], "siblings": siblings,
                             "private": False, "disabled": False, "downloads": 1, "likes": 1}  # fmt: skip
        if rest == ["tree", "2e" * 20]:
            kept = self.files.items()
            return 200, {}, [{"type": "file", "oid": "0", "size": len(one), "path": each} for each, one in kept]
        content = self.files.get("/".join(rest[2:])) if rest[0] == "resolve" else None
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, {"error": "Not Found"}
        return 200, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": "2e" * 20}, content


@dataclass
class HubStandIn:
    url: str
    spaces: dict[str, Space]
    token: str
    models: dict[str, Model] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Authorization header of every request."""

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], Any]:
        self.asked.append((path, authorization))
        parts = path.split("?", maxsplit=1)[0].strip("/").split("/")
        named = parts[2:] if parts[:2] == ["api", "models"] else parts
        if (name := "/".join(named[:2])) in self.models:
            return self.models[name].answer(name, path, named[2:])
        return self.of_space(parts, authorization)

    def of_space(self, parts: list[str], authorization: str) -> tuple[int, dict[str, str], Any]:
        parts = ["api", *parts] if parts[0] == "spaces" else parts  # files lie under /spaces, facts under /api/spaces
        name, rest = "/".join(parts[2:4]), parts[4:]
        space = self.spaces.get(name) if parts[:2] == ["api", "spaces"] else None
        if authorization not in ("", f"Bearer {self.token}"):
            refusal = "Invalid credentials in Authorization header"
            return 401, {"X-Error-Message": refusal}, {"error": refusal}
        if space is None or (space.private and not authorization):
            # As huggingface.co does: without a token, a private repository looks like a missing one.
            if not authorization:
                refusal = "Invalid username or password."
                return 401, {"X-Error-Message": refusal}, {"error": refusal}
            refusal = "Repository not found"
            return 404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": refusal}, {"error": refusal}
        if rest == ["resolve", "2e" * 20, "requirements.txt"] and space.requirements:
            return 200, {"ETag": '"1"', "X-Repo-Commit": "2e" * 20}, space.requirements.encode()
        if rest[:2] == ["resolve", "2e" * 20] and "/".join(rest[2:]) in space.files:
            content = space.files["/".join(rest[2:])].encode()
            return 200, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": "2e" * 20}, content
        answers: dict[tuple[str, ...], Any] = {
            (): space.info(name),
            ("runtime",): space.runtime(),
            ("host",): {"host": space.host, "subdomain": name.replace("/", "-")},
        }
        return (200, {}, answers[tuple(rest)]) if tuple(rest) in answers else (404, {}, {"error": "Not Found"})


@contextmanager
def hub_stand_in(
    spaces: dict[str, Space], token: str = "", models: dict[str, Model] | None = None
) -> Iterator[HubStandIn]:
    """Serve a Hub that knows these Spaces and models, and one token that may read the private ones."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.wfile.write(self.answered())

        def do_HEAD(self) -> None:  # telemetry is sent so, and files are asked for their size
            self.answered()

        def answered(self) -> bytes:
            status, headers, body = hub.answer(self.path, self.headers.get("Authorization", ""))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            kind = "text/plain" if isinstance(body, bytes) else "application/json"
            self.send_response(status)
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            return content

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub = HubStandIn(f"http://127.0.0.1:{server.server_port}", spaces, token, models or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
