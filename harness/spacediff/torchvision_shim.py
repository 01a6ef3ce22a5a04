"""Make a torchvision that was built for another torch importable.

The registry's torchvision cannot load its compiled extension with a CPU-only torch. Its import then fails with
"operator torchvision::nms does not exist", because two of its Python files describe operators that were never declared.
lpips, transformers and diffusers fail with it, although none of them calls these operators.

The key insight is that a declaration is enough: once the two schemas exist, the import succeeds, and only a call of the
missing operators fails, as it should. Where that does not help, the package is hidden from this process, so that
transformers and diffusers behave as if it were not installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from enum import StrEnum
from typing import Any

# Schemas of torchvision/csrc/ops/nms.cpp and torchvision/csrc/ops/quantized/cpu/qnms_kernel.cpp: the two operators
# that torchvision/_meta_registrations.py describes without checking that the compiled extension was loaded.
_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


class ShimOutcome(StrEnum):
    """The state of torchvision in this process."""

    HEALTHY = "healthy"  # imports without help
    FIXED = "fixed"  # imports because its operators were declared here
    ABSENT = "absent"  # not installed
    UNUSABLE = "unusable"  # cannot be imported; hidden from transformers and diffusers


class _Shim:
    """The state of this process: the shim runs once, and the declarations live as long as their Library object."""

    outcome: ShimOutcome | None = None
    declarations: Any = None


def shim_torchvision() -> ShimOutcome:
    """Make `import torchvision` work, or hide torchvision.

    Call it before the first import of lpips, transformers or diffusers. It imports torch and torchvision; a second
    call returns the first one's outcome.
    """
    if _Shim.outcome is None:
        _Shim.outcome = _shim()
    return _Shim.outcome


def _shim() -> ShimOutcome:
    if not _is_installed():
        return ShimOutcome.ABSENT
    if _imports():
        return ShimOutcome.HEALTHY
    if _declare_operators() and _imports():
        return ShimOutcome.FIXED
    _hide()
    return ShimOutcome.UNUSABLE


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("torchvision") is not None
    except ValueError:  # a module in sys.modules without a __spec__: use it
        return True


def _imports() -> bool:
    """Whether torchvision can be imported; a failed import leaves no submodules behind."""
    try:
        importlib.import_module("torchvision")
    except Exception:  # noqa: BLE001 - a mismatched binary fails in many ways: ImportError, OSError, RuntimeError ...
        _purge()
        return False
    return True


def _purge() -> None:
    """Remove every torchvision module: a failed import leaves submodules that the next import would not run again."""
    for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
        del sys.modules[name]


def _declare_operators() -> bool:
    """Declare the missing operators; False where this torch refuses."""
    try:
        import torch

        # A FRAGMENT may extend a namespace that the compiled extension opened before it failed.
        declarations = torch.library.Library("torchvision", "FRAGMENT")
        for name, schema in _SCHEMAS.items():
            if not hasattr(torch.ops.torchvision, name):
                declarations.define(schema)
    except (ImportError, AttributeError, RuntimeError):
        return False
    _Shim.declarations = declarations
    return True


def _hide() -> None:
    """Make every later look-up of torchvision in this process find nothing.

    `None` in sys.modules makes find_spec return None and an import raise ModuleNotFoundError; transformers
    (utils/import_utils.py) and diffusers (the same file) call find_spec and cache its answer.
    """
    sys.modules["torchvision"] = None  # type: ignore[assignment]
    transformers_imports = sys.modules.get("transformers.utils.import_utils")
    for function in ("_is_package_available", "is_torchvision_available", "is_torchvision_v2_available"):
        clear = getattr(getattr(transformers_imports, function, None), "cache_clear", None)
        if clear is not None:
            clear()
    for module in (transformers_imports, sys.modules.get("diffusers.utils.import_utils")):
        if hasattr(module, "_torchvision_available"):
            module._torchvision_available = False  # type: ignore[union-attr]  # noqa: SLF001
