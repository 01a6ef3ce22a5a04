"""A real index of small wheels on this machine: any package, in three releases.

`source…` has a source alone, and `missing…` is not there.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

UPLOADED = {"1.0": "2025-01-01T00:00:00Z", "1.5": "2025-06-01T00:00:00Z", "2.0": "2026-01-01T00:00:00Z"}
"""Every package has these releases."""


def wheel(name: str, version: str) -> bytes:
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{module}.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 1, 1, 0, 0, 0)), text)
    return content.getvalue()


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, name = self.path.strip("/").split("/")[:2]
        if kind == "files":
            package, version = name.split("-")[:2]
            self.answer(wheel(package.replace("_", "-"), version), "application/octet-stream")
            return
        if name.startswith("missing"):
            self.send_error(404)
            return
        files: list[dict[str, object]] = []
        if name.startswith("source"):
            files = [{"filename": f"{name}-1.0.tar.gz", "url": f"/files/{name}-1.0.tar.gz", "hashes": {}}]
        for version, uploaded in ({} if files else UPLOADED).items():
            filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            digest = hashlib.sha256(wheel(name, version)).hexdigest()
            entry: dict[str, object] = {"filename": filename, "url": f"/files/{filename}", "hashes": {"sha256": digest}}
            files.append(entry | {"upload-time": uploaded})
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        self.answer(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")

    def answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def wheel_index(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Serve the index to uv, whose cache and ours lie in a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        patch.setenv("UV_HTTP_RETRIES", "0")
        patch.setenv("UV_CACHE_DIR", str(folder / "uv"))
        patch.setenv("SPACEDIFF_CACHE", str(folder / "cache"))
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
