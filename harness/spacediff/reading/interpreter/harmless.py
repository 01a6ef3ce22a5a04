"""Functions and decorators that leave what they are given as it is, so that nothing has to count as unknown."""

from __future__ import annotations

KEEP_ARGUMENTS = frozenset({
    "PIL", "abc", "accelerate", "argparse", "collections", "copy", "csv", "cv2", "dataclasses", "diffusers", "gradio",
    "gr", "huggingface_hub", "imageio", "itertools", "json", "logging", "loguru", "math", "matplotlib", "moviepy",
    "np", "numpy", "omegaconf", "os", "pandas", "pathlib", "pickle", "pprint", "re", "rich", "safetensors", "shutil",
    "spaces", "st", "streamlit", "subprocess", "textwrap", "time", "torch", "torchvision", "tqdm", "transformers",
    "types", "typing", "wandb", "warnings", "yaml",
    # builtins
    "all", "any", "bool", "dict", "enumerate", "filter", "float", "format", "frozenset", "hash", "id", "int",
    "isinstance", "iter", "len", "list", "map", "max", "min", "next", "print", "range", "repr", "reversed", "set",
    "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
"""Packages and builtins whose functions do not change the lists and dicts that they are given."""

CHANGE_NOTHING = frozenset({
    "critical", "debug", "dump", "dumps", "error", "exception", "format", "info", "join", "log", "pprint", "print",
    "warn", "warning", "write", "writelines", "writerow", "writerows",
})  # fmt: skip
"""Methods, of any object, that do not change what they are given."""

KEEP_FUNCTIONS = frozenset({
    "abc", "absl", "abstractmethod", "argument", "beartype", "bentoml", "cache", "cached_property", "classmethod",
    "click", "cog", "command", "contextlib", "contextmanager", "dataclasses", "fastapi", "flask", "flask_cors",
    "functools", "gr", "gradio", "group", "hydra", "inference_mode", "jaxtyping", "litserve", "loguru", "lru_cache",
    "modal", "no_grad", "numba", "option", "overload", "override", "potassium", "property", "pytest", "quart", "ray",
    "replace_example_docstring", "retry", "sanic", "spaces", "st", "starlette", "staticmethod", "streamlit",
    "tenacity", "torch", "typer", "typing", "wandb", "wraps",
})  # fmt: skip
"""Packages and decorators that pass the arguments of a function on unchanged."""
