"""Scripts that start processes, write files and end in all the ways there are: as without us, and recorded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spacediff.api import record_script
from spacediff.recordings import Recording
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

ENDS = {
    "an error": "print('before', flush=True)\n{}['lemon']",
    "sys.exit(3)": "import sys\nsys.exit(3)",
    "sys.exit of a text": "import sys\nsys.exit('no lemon')",
    "os._exit(4)": "import os\nprint('before', flush=True)\nos._exit(4)",
    "an exit at the exit": "import atexit, os\natexit.register(os._exit, 8)",
    "a syntax error": "print('lemon'",
    "an abort": "import os\nos.abort()",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "children": """
import os, subprocess, sys
ours = "import os, sys; print([n for n in os.environ if 'RECORDING' in n], 'PYTHONPATH' in os.environ, sys.path[1:])"
print(subprocess.run([sys.executable, "-c", ours], capture_output=True, text=True).stdout)
print(subprocess.run([sys.executable, "-c", "raise SystemExit(9)"]).returncode)
if not os.fork():
    os.write(1, b"forked\\n")
    os._exit(0)
os.wait()
""",
}


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Both = Callable[[str], tuple[Ran, Ran, Recording]]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Both:
    """Run a script by Python and under the recorder, in two folders; folders in what they print have one name."""

    def run(script: str) -> tuple[Ran, Ran, Recording]:
        for name in ("plain", "watched"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "run.py").write_text(script)
        monkeypatch.chdir(tmp_path / "plain")
        code = subprocess.run([sys.executable, "run.py"], check=False).returncode
        plain = Ran(code if code >= 0 else 128 - code, *capfd.readouterr())
        monkeypatch.chdir(tmp_path / "watched")
        recording = record_script("run.py", out=tmp_path / "r.zip")
        out, err = (text.replace("/watched/", "/plain/") for text in capfd.readouterr())
        return plain, Ran(recording.exit_code, out, err), recording

    return run


@pytest.mark.parametrize("name", ENDS)
def test_a_script_ends_as_without_us(name: str, both: Both) -> None:
    plain, watched, _ = both(ENDS[name])
    assert watched == plain


WORKERS = """
import multiprocessing, os, sys
from PIL import Image

def size(number):
    Image.new("RGB", (number, number)).save(f"worker-{number}.png")
    return number * 2

class Numbers:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return size(index + 1)

def make(pipe, seed):
    import torch
    return pipe("a lemon", num_inference_steps=1, num_frames=5, generator=torch.Generator().manual_seed(seed)).frames[0]

if __name__ == "__main__":
    from spacediff.torchvision_shim import shim_torchvision
    shim_torchvision()
    import torch
    from diffusers import CogVideoXPipeline
    from torch.utils.data import DataLoader
    pipe = CogVideoXPipeline.from_pretrained(CHECKPOINT, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    print([batch.tolist() for batch in DataLoader(Numbers(), batch_size=2, num_workers=2)])
    make(pipe, 1)[0].save("first.png")
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(1) as pool:
            print(way, pool.map(size, [11, 12]))
    sys.stdout.flush()
    if not os.fork():
        make(pipe, 2)[0].save("forked.png")
        os._exit(0)
    os.wait()
    make(pipe, 3)[0].save("last.png")
    os._exit(6)
"""


@pytest.mark.slow
def test_workers_change_nothing_in_the_recording_and_the_recording_nothing_in_them(both: Both, tmp_path: Path) -> None:
    plain, watched, found = both(WORKERS.replace("CHECKPOINT", repr(str(ensure_checkpoint(RANDOM)))))
    assert plain.code == 6, plain.err
    assert (watched.out, watched.code) == (plain.out, 6)
    files = {each.name: each.read_bytes() for each in (tmp_path / "plain").iterdir()}
    assert {each.name: each.read_bytes() for each in (tmp_path / "watched").iterdir()} == files
    assert {"worker-1.png", "worker-12.png", "forked.png", "last.png"} <= files.keys()
    assert [(call.settings["rng.seed"], call.finished) for call in found.calls] == [(1, True), (3, True)]
    assert [(each.name, each.call) for each in found.written] == [("first.png", 1), ("last.png", 2)]
    assert found.notes == ()
