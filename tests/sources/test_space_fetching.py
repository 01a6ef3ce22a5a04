from __future__ import annotations

import socket
from pathlib import Path

import pytest

from spacediff.errors import SpaceOutputUnusable, SpaceUnreachable
from spacediff.sources.space import asking
from support.gradio_servers import SpaceApp, canary
from support.space_requests import TOKEN, Ask, eventually, refused


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("broken.mp4", "the file from the Space cannot be decoded: hosted.mp4 "),
        ("page.mp4", "the file from the Space is neither a video nor a picture"),
        ("empty.mp4", "the file from the Space is neither a video nor a picture"),
        ("missing.mp4", "the Space refused the download of its file (HTTP 4"),
    ],
)
def test_a_broken_or_missing_video_is_an_error(ask: Ask, file: str, message: str, tmp_path: Path) -> None:
    assert message in refused(ask, "file_named", SpaceOutputUnusable, prompt=file).message
    assert not (tmp_path / "hosted.part").exists()


@pytest.mark.parametrize(
    ("file", "kept_as"), [("odd name %2e%2e;`x`#?.mp4", "hosted.mp4"), ("mkv in truth.webm", "hosted.mkv")]
)
def test_the_downloaded_file_gets_a_safe_name(app: SpaceApp, ask: Ask, tmp_path: Path, file: str, kept_as: str) -> None:
    ask("file_named", prompt=file)
    assert [path.name for path in tmp_path.iterdir()] == [kept_as]
    assert (tmp_path / kept_as).read_bytes() == (app.folder / file).read_bytes()


def test_a_path_on_the_server_is_never_read_locally(ask: Ask) -> None:
    error = refused(ask, "not_given_out", SpaceOutputUnusable)
    assert "the Space refused the download of its file (HTTP 403)" in error.message


def test_a_file_that_is_too_large_is_refused(
    app: SpaceApp, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (app.folder / "clip.mp4").stat().st_size
    monkeypatch.setattr(asking, "MAX_BYTES", size - 1)
    assert (
        refused(ask, "plain", SpaceOutputUnusable).message
        == f"the Space's file is larger than the limit of {size - 1:,} bytes"
    )
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(asking, "MAX_BYTES", size)
    ask("plain")


def test_an_incomplete_download_leaves_no_file(ask: Ask, tmp_path: Path) -> None:
    assert "closed the connection before its answer was complete" in refused(ask, "half", SpaceUnreachable).message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["elsewhere", "stream_elsewhere", "leave"])
def test_a_space_cannot_redirect_the_download_to_another_server(
    ask: Ask, requests_elsewhere: tuple[str, list[bytes]], name: str
) -> None:
    error = refused(ask, name, SpaceOutputUnusable)
    assert ("HTTP 307" if name == "leave" else "the Space's file is on another server (127.0.0.1)") in error.message
    assert requests_elsewhere[1] == []


def test_the_canary_receives_requests() -> None:
    with canary() as (address, received):
        port = int(address.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(b"hello")
        assert eventually(lambda: received == [b"hello"])


def test_an_address_never_gets_the_token(app: SpaceApp, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    ask("plain")
    assert [token for token in app.seen()["tokens"] if TOKEN in token] == []
