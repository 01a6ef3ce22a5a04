"""The releases that an index lists, from a real server that answers as one."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spacediff.environments import releases
from spacediff.environments.conversation import _Redirections
from spacediff.environments.releases import IndexFile, Release, files_of, listed, releases_of
from spacediff.errors import EnvironmentUnavailable
from support.dripping_server import dripping_server

LATER = "2025-12-08T10:11:12.131415Z"
ONE = {"files": [{"filename": "a_b-1.0-py3-none-any.whl"}]}
USER = "Basic bWU6cyNjcmV0"
"""Of the user `me` with the password `s#cret`."""


def file(name: str, uploaded: str = LATER, *, yanked: bool = False) -> IndexFile:
    return IndexFile(name, uploaded, yanked)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    releases._FAILURES.forget()


@contextmanager
def index(
    answer: bytes, status: int = 200, *, user: str = "", moved: bool = False, asked: list[str] | None = None
) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            if self.headers.get("Authorization", "") != user:
                self.send_error(401)
                return
            if moved and "/root/" not in self.path:
                self.send_response(301)
                self.send_header("Location", f"/root{self.path}")
                self.end_headers()
                return
            self.send_response(status)
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
    found = listed(files)
    assert found == (Release("0.9.0", "2025-01-01T00:00:00Z"), Release("0.10.0", "2025-01-31T00:00:00Z"))


def test_what_cannot_be_installed_from_a_wheel_is_no_release() -> None:
    files = [
        file("diffusers-0.37.0rc1-py3-none-any.whl"),
        file("diffusers-0.37.0.dev0-py3-none-any.whl"),
        file("diffusers-0.37.0-py3-none-any.whl", yanked=True),
        file("diffusers-0.38.0.tar.gz"),
        file("../../x.whl"),
        file("diffusers-0.39.0-py3-none-any.whl", ""),
    ]
    assert listed(files) == (Release("0.39.0", ""),)


def test_an_index_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [{"filename": "a_b-1.0-py3-none-any.whl", "upload-time": LATER, "yanked": False, "size": 3}]
    with index(json.dumps({"files": files}).encode()) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        assert releases_of("A.b") == (Release("1.0", "2025-12-08T10:11:12Z"),)


def test_a_file_may_be_withdrawn_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [{"filename": "a_b-1.0-py3-none-any.whl", "yanked": "broken"}]
    with index(json.dumps({"files": files}).encode()) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        assert files_of("a_b") == (IndexFile("a_b-1.0-py3-none-any.whl", yanked=True),)
        assert not releases_of("a_b")


def test_user_and_password_of_an_index_are_sent_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(json.dumps(ONE).encode(), user=USER) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address.replace("//", "//me:s%23cret@"))
        assert [each.version for each in releases_of("a_b")] == ["1.0"]
        monkeypatch.setenv("UV_DEFAULT_INDEX", address.replace("//", "//me:wr0ng@"))
        with pytest.raises(EnvironmentUnavailable, match="Unauthorized") as failed:
            releases_of("a_b")
    assert "wr0ng" not in failed.value.message + failed.value.hint


def test_user_and_password_follow_a_redirection_on_the_same_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(json.dumps(ONE).encode(), user=USER, moved=True) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address.replace("//", "//me:s%23cret@"))
        assert [each.version for each in releases_of("a_b")] == ["1.0"]
    first = urllib.request.Request("http://one/simple/")
    first.add_unredirected_header("Authorization", USER)
    other = _Redirections().redirect_request(first, None, 301, "moved", {}, "http://two/simple/")
    assert other is not None
    assert not other.has_header("Authorization")


def test_a_package_that_the_index_does_not_know_may_have_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(b"", status=404) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        assert files_of("a_b", must_exist=False) == ()
        with pytest.raises(EnvironmentUnavailable, match="does not list the releases of a_b: Not Found"):
            files_of("a_b")


def test_an_index_that_fails_is_no_index_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(b"", status=503) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match="Service Unavailable"):
            files_of("a_b", must_exist=False)


def test_an_index_that_failed_is_asked_again_a_minute_later(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = time.monotonic
    with index(b"", status=503, asked=asked) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        for later, requests in ((0, 1), (0, 1), (61, 2)):
            monkeypatch.setattr("time.monotonic", lambda later=later: real() + later)
            with pytest.raises(EnvironmentUnavailable, match="Service Unavailable"):
                releases_of("a_b")
            assert len(asked) == requests


def test_an_index_that_drips_its_headers_does_not_outlive_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_SECONDS", 1.0)
    with dripping_server() as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        began = time.monotonic()
        with pytest.raises(EnvironmentUnavailable, match=r"127\.0\.0\.1 gave no complete answer within 1 s"):
            releases_of("diffusers")
        with pytest.raises(EnvironmentUnavailable, match="within 1 s"):
            releases_of("diffusers")
    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    "answer",
    [b"<html>", b"[]", b'{"files": [1]}', b'{"files": [{}]}', b'{"files": [{"filename": 1}]}', b"", b"[" * 100_000],
)
def test_an_answer_that_is_no_list_of_files_is_an_error(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with index(answer) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match=r"127\.0\.0\.1 does not list the releases of diffusers"):
            releases_of("diffusers")


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(b" " * (2**25 + 1)) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match="more than 33,554,432 bytes"):
            releases_of("diffusers")


def test_an_answer_that_needs_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(b"[" + b"[]," * 2**23 + b"[]]") as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        with pytest.raises(EnvironmentUnavailable, match="more than 256 MiB of memory"):
            releases_of("diffusers")


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1/simple",
        "http://here:port/simple",
        "http://me:s3cret@[::1/simple",
        "http://me:s3cret\u2100@127.0.0.1/simple",
        "http://me:s3cret#s3cret@127.0.0.1/simple",
        "http://me:s3cret/s3cret@127.0.0.1/simple",
        "http://me:s3cret s3cret@127.0.0.1/simple",
    ],
)
def test_what_is_no_address_is_an_error_of_the_index(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", address)
    with pytest.raises(EnvironmentUnavailable, match="is not the http address of a server") as failed:
        releases_of("diffusers")
    assert "s3cret" not in failed.value.message


def test_no_file_is_read_as_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///etc")
    with pytest.raises(EnvironmentUnavailable, match="is not the http address of a server"):
        releases_of("passwd")
