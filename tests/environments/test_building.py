"""Locks and environments, by a real uv from a real index of small wheels on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spacediff.environments.building import built
from spacediff.environments.locking import Lock, identity_of, lock_of
from spacediff.environments.uv import uv_program
from spacediff.environments.wanted import Wanted, wanted_of
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings

pytestmark = pytest.mark.skipif(uv_program() is None, reason="uv is not installed")

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
        files = []
        for version, uploaded in UPLOADED.items():
            filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            digest = hashlib.sha256(wheel(name, version)).hexdigest()
            entry = {"filename": filename, "url": f"/files/{filename}", "hashes": {"sha256": digest}}
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


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path / "cache"))
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings(version: str) -> Settings:
    return Settings.of({"env": {"diffusers": version}}, Origin.DECLARED)


def locked(version: str) -> Lock:
    wanted = wanted_of(settings(version))
    assert wanted is not None
    return lock_of(wanted, SilentListener())


def test_a_release_is_locked_with_its_contemporaries_and_installed_with_nothing_else(
    index: ThreadingHTTPServer,
) -> None:
    lock = locked("1.5")
    assert lock.packages["diffusers"] == "1.5"
    assert lock.packages["transformers"] == "1.0", "only this one was there before"
    assert lock.packages["pillow"] == "2.0", "diffusers is not built upon it"
    assert "torch" not in lock.packages
    assert lock.shared
    python = built(lock, SilentListener())
    said = "import diffusers, transformers, torch, importlib.util as u; "
    said += "print(diffusers.__version__, transformers.__version__, torch.__name__, u.find_spec('spacediff'))"
    code = f"import sys; sys.modules['torch'] = type(sys)('torch'); {said}"  # it is found, and takes long to import
    assert subprocess.check_output([python, "-I", "-c", code], text=True).split() == ["1.5", "1.0", "torch", "None"]
    assert (Path(python).parents[1] / "here" / "torch").is_symlink()

    index.shutdown()
    index.server_close()
    assert locked("1.5") == lock, "it is kept, and no index is asked again"
    assert built(lock, SilentListener()) == python
    assert identity_of(settings("1.5")) == lock.digest
    with pytest.raises(EnvironmentUnavailable, match="does not list the releases"):
        locked("1.0")


@pytest.mark.usefixtures("index")
def test_a_release_that_does_not_exist_is_named_with_the_newest() -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"no release 9\.9 of diffusers; the newest is 2\.0"):
        locked("9.9")


@pytest.mark.usefixtures("index")
def test_what_does_not_fit_together_says_what_uv_said() -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"no environment with theirs: uv pip failed: .*numpy"):
        lock_of(Wanted(lines=("numpy==7",), named="theirs"), SilentListener())


@pytest.mark.usefixtures("index")
def test_a_wheel_that_is_not_the_locked_one_is_not_installed(tmp_path: Path) -> None:
    lock = locked("2.0")
    changed = Lock(lock.packages, lock.text.replace("sha256:", "sha256:00", 1), lock.shared, lock.python)
    with pytest.raises(EnvironmentUnavailable, match="uv pip failed"):
        built(changed, SilentListener())
    assert not list((tmp_path / "cache" / "environments").glob("locked-*/complete"))
