"""What an environment shares with this one."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

from spacediff.environments.shared import installed_here, needed_by, share_torch


def test_torch_is_shared_with_all_that_it_needs_here() -> None:
    found = needed_by("torch")
    assert {"torch", "sympy", "filelock"} <= found
    assert "diffusers" not in found


def test_a_package_that_is_not_installed_needs_nothing() -> None:
    assert needed_by("no-such-package-of-spacediff") == set()


def test_only_what_is_shared_can_be_imported_and_own_packages_come_first(tmp_path: Path) -> None:
    own = tmp_path / "site-packages"
    own.mkdir()
    (own / "filelock.py").write_text("own = True\n")
    shared = share_torch(tmp_path, own, {"filelock"})
    assert "filelock" not in shared
    code = (
        "import site, sys, importlib.util as u, importlib.metadata as m\n"
        f"sys.path.insert(0, {str(own)!r}); site.addsitedir({str(own)!r})\n"
        "import filelock\n"
        "print(filelock.own, u.find_spec('diffusers'), m.version('torch'), u.find_spec('torch').origin)"
    )
    said = subprocess.run([sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    version = importlib.metadata.version("torch")
    assert said.split() == ["True", "None", version, str(tmp_path / "here" / "torch" / "__init__.py")]


def test_installed_packages_have_normal_names() -> None:
    here = installed_here()
    assert here["huggingface-hub"] == importlib.metadata.version("huggingface_hub")
