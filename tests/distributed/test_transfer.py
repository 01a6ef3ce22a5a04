"""Files between a worker and the audit folder: what arrives is what was sent, or it is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from spacediff.distributed import transfer
from spacediff.distributed.transfer import (
    PIECE,
    SMALL_PIECE,
    NoRoomError,
    Sent,
    SharedFolder,
    arrived,
    lacking,
    listed,
    pieces,
    read_piece,
    write_piece,
)
from spacediff.errors import TransferFailed

NAMES = ("runs/ab/clip.mkv", "runs/ab/empty", "denoised/c.target")


@pytest.fixture
def sent(tmp_path: Path) -> tuple[Sent, ...]:
    for name, content in zip(NAMES, (bytes(range(256)) * 20_000, b"", b"c.safetensors"), strict=True):
        path = tmp_path / "worker" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return listed(tmp_path / "worker", NAMES)


def transferred(files: tuple[Sent, ...], source: Path, target: Path) -> list[int]:
    sizes = []
    for each in files:
        for offset, piece in pieces(each, partial(read_piece, source)):
            sizes.append(len(piece))
            write_piece(target, each.name, offset, piece)
        arrived(target, each)
    return sizes


def test_files_arrive_in_pieces_and_under_their_names(sent: tuple[Sent, ...], tmp_path: Path) -> None:
    source, target = tmp_path / "worker", tmp_path / "audit"
    assert lacking(target, sent) == sent
    sizes = transferred(sent, source, target)
    assert sizes == [PIECE, 5_120_000 - PIECE, 13]
    assert all((target / name).read_bytes() == (source / name).read_bytes() for name in NAMES)
    assert lacking(target, sent) == ()
    (target / NAMES[0]).write_bytes(b"another")
    assert lacking(target, sent) == sent[:1]


def test_a_full_object_store_makes_the_pieces_small(sent: tuple[Sent, ...], tmp_path: Path) -> None:
    asked: list[int] = []

    def read(name: str, offset: int, size: int) -> bytes:
        asked.append(size)
        if size > SMALL_PIECE:
            raise NoRoomError
        return read_piece(tmp_path / "worker", name, offset, size)

    assert b"".join(piece for _, piece in pieces(sent[0], read)) == (tmp_path / "worker" / NAMES[0]).read_bytes()
    assert asked == [PIECE, *[SMALL_PIECE] * -(-sent[0].size // SMALL_PIECE)]


def test_what_was_changed_on_the_way_is_refused_and_leaves_nothing(sent: tuple[Sent, ...], tmp_path: Path) -> None:
    write_piece(tmp_path / "audit", NAMES[2], 0, b"c.safetensorz")
    with pytest.raises(TransferFailed, match=r"denoised/c\.target was damaged"):
        arrived(tmp_path / "audit", sent[2])
    assert not [path for path in (tmp_path / "audit").rglob("*") if path.is_file()]


def test_a_file_that_became_shorter_is_refused(sent: tuple[Sent, ...], tmp_path: Path) -> None:
    (tmp_path / "worker" / NAMES[0]).write_bytes(b"short")
    with pytest.raises(TransferFailed, match="shorter"):
        list(pieces(sent[0], partial(read_piece, tmp_path / "worker")))


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "runs/../../outside"])
def test_a_worker_cannot_name_a_file_outside_the_audit_folder(name: str, tmp_path: Path) -> None:
    for act in (
        partial(write_piece, tmp_path / "audit", name, 0, b"x"),
        partial(read_piece, tmp_path / "audit", name, 0, 1),
        partial(arrived, tmp_path / "audit", Sent(name, 1, "")),
    ):
        with pytest.raises(TransferFailed, match="outside the audit folder"):
            act()


def test_files_pass_through_a_shared_folder(sent: tuple[Sent, ...], tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    shared, target = SharedFolder(f"file://{tmp_path}/shared"), tmp_path / "audit"
    shared.put(tmp_path / "worker", sent)
    shared.take(target, sent, remove=True)
    assert lacking(target, sent) == ()
    assert not list((tmp_path / "shared").iterdir())
    shared.put(tmp_path / "worker", sent)
    (tmp_path / "shared" / sent[2].digest).write_bytes(b"another file.")
    with pytest.raises(TransferFailed):
        shared.take(tmp_path / "other", sent, remove=False)
    assert transfer.SMALL_PIECE < 100 * 2**10, "Ray sends it within a message"
