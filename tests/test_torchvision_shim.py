from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.paths import ROOT

pytestmark = pytest.mark.slow  # each test starts a Python that imports torch

HEALTHY = "marker = 'untouched'\n"
HOPELESS = "import torchvision.part\n"
HOPELESS_PART = "raise RuntimeError('built for another world')\n"


def in_fresh_process(code: str, *first_on_path: Path) -> dict[str, Any]:
    """Run code that fills `found`, in a new process, since the shim runs once per process; return `found`."""
    script = f"found = {{}}\n{code}\nimport json\nprint(json.dumps(found))"
    path = os.pathsep.join(map(str, (*first_on_path, ROOT / "harness")))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def hopeless(tmp_path: Path) -> Path:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(HOPELESS)
    (package / "part.py").write_text(HOPELESS_PART)
    return tmp_path


def test_installed_torchvision_imports_afterwards_and_with_it_all_that_need_it() -> None:
    found = in_fresh_process("""
try:
    import torchvision
    found["before"] = True
except Exception as error:
    found["before"] = False
from spacediff.torchvision_shim import shim_torchvision
found["outcome"] = shim_torchvision()
import torchvision, lpips, transformers, diffusers
from torchvision.transforms.functional import resize
from transformers import T5EncoderModel, CLIPImageProcessor
from diffusers import CogVideoXPipeline
found["version"] = torchvision.__version__
""")
    assert found["outcome"] == ("healthy" if found["before"] else "fixed")
    assert found["version"]


def test_second_call_is_free_and_says_the_same() -> None:
    found = in_fresh_process("""
from spacediff.torchvision_shim import shim_torchvision
first = shim_torchvision()
import sys, time
module = sys.modules["torchvision"]
begun = time.perf_counter()
found["same"] = shim_torchvision() is first and sys.modules["torchvision"] is module
found["seconds"] = time.perf_counter() - begun
""")
    assert found["same"]
    assert found["seconds"] < 0.01


def test_importing_the_module_alone_is_light() -> None:
    found = in_fresh_process("""
import spacediff.torchvision_shim, sys
found["heavy"] = sorted({"torch", "torchvision", "numpy"} & set(sys.modules))
""")
    assert found["heavy"] == []


def test_healthy_torchvision_is_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "torchvision.py").write_text(HEALTHY)
    found = in_fresh_process(
        """
import torchvision
from spacediff.torchvision_shim import shim_torchvision
found["outcome"] = shim_torchvision()
import sys, torch
found["same"] = sys.modules["torchvision"] is torchvision and torchvision.marker == "untouched"
found["declared"] = hasattr(torch.ops.torchvision, "nms")
""",
        tmp_path,
    )
    assert found == {"outcome": "healthy", "same": True, "declared": False}


def test_hopeless_torchvision_breaks_diffusers_without_the_shim(hopeless: Path) -> None:
    found = in_fresh_process(
        """
try:
    from diffusers import CogVideoXPipeline
    found["imported"] = True
except Exception:
    found["imported"] = False
""",
        hopeless,
    )
    assert found == {"imported": False}


@pytest.mark.parametrize("earlier", ["", "import transformers.utils, diffusers.utils"], ids=["first", "asked before"])
def test_hopeless_torchvision_is_hidden_from_diffusers(hopeless: Path, earlier: str) -> None:
    found = in_fresh_process(
        f"""
{earlier}
try:
    import torchvision
except RuntimeError:
    pass
from spacediff.torchvision_shim import shim_torchvision
found["outcome"] = shim_torchvision()
from diffusers import CogVideoXPipeline, AutoencoderKLCogVideoX
from transformers import T5EncoderModel
from transformers.utils import is_torchvision_available
from diffusers.utils import is_torchvision_available as diffusers_asks
found["seen"] = is_torchvision_available() or diffusers_asks()
try:
    import torchvision
    found["imported"] = True
except ModuleNotFoundError:
    found["imported"] = False
""",
        hopeless,
    )
    assert found == {"outcome": "unusable", "seen": False, "imported": False}


def test_absent_torchvision_stays_absent() -> None:
    found = in_fresh_process("""
import sys
class Without:
    def __init__(self, finder): self.finder = finder
    def find_spec(self, name, *rest):
        return None if name.split(".")[0] == "torchvision" else self.finder.find_spec(name, *rest)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from spacediff.torchvision_shim import shim_torchvision
found["outcome"] = shim_torchvision()
found["placeholder"] = "torchvision" in sys.modules
found["torch"] = "torch" in sys.modules
""")
    assert found == {"outcome": "absent", "placeholder": False, "torch": False}
