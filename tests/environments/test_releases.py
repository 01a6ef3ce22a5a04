"""The releases that an index lists, from a real server that answers as one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spacediff.environments import releases
from spacediff.environments.releases import Release, listed, releases_of
from spacediff.errors import EnvironmentUnavailable


def file(name: str, uploaded: str | None = "2025-12-08T10:11:12.131415Z", **more: object) -> dict[str, object]:
    return {"filename": name, "upload-time": uploaded, **more}


@contextmanager
def index(answer: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_versions_are_sorted_as_versions_and_have_their_first_upload() -> None:
    files = [
        file("diffusers-0.10.0-py3-none-any.whl", "2025-02-01T00:00:00Z"),
        file("diffusers-0.9.0-py3-none-any.whl", "2025-01-01T02:00:00+02:00"),
        file("diffusers-0.10.0-cp311-cp311-win_amd64.whl", "2025-01-31T00:00:00.5Z"),
    ]
    found = listed({"files": files})
    assert found == (Release("0.9.0", "2025-01-01T00:00:00Z"), Release("0.10.0", "2025-01-31T00:00:00Z"))


def test_what_cannot_be_installed_from_a_wheel_is_no_release() -> None:
    files = [
        file("diffusers-0.37.0rc1-py3-none-any.whl"),
        file("diffusers-0.37.0.dev0-py3-none-any.whl"),
        file("diffusers-0.37.0-py3-none-any.whl", yanked="broken"),
        file("diffusers-0.38.0.tar.gz"),
        file("../../x.whl"),
        file("diffusers-0.39.0-py3-none-any.whl", None),
    ]
    assert listed({"files": files}) == (Release("0.39.0", ""),)


def test_an_index_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(json.dumps({"files": [file("a_b-1.0-py3-none-any.whl")]}).encode()) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        assert [each.version for each in releases_of("A.b")] == ["1.0"]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"files": [1]}', b'{"files": [{}]}', b""])
def test_an_answer_that_is_no_list_of_files_is_an_error(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with index(answer) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match=r"127\.0\.0\.1 does not list the releases of diffusers"):
            releases_of("diffusers")


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_MOST_BYTES", 1000)
    with index(b" " * 100_000) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match="more than 1,000 bytes"):
            releases_of("diffusers")


def test_no_file_is_read_as_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///etc")
    with pytest.raises(EnvironmentUnavailable, match="no http address"):
        releases_of("passwd")
