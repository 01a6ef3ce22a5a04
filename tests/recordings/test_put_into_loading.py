"""Arguments that are put in where a script loads and places its pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from spacediff.watch.loading import Loading
from spacediff.watch.put_in import RefusedError


def pipelines(settings: Mapping[str, Any]) -> tuple[Loading, Any]:
    """Return what puts settings in, and a base class of pipelines that notes what its methods are given."""

    class Base:
        def __init__(self) -> None:
            self.calls: list[tuple[Any, ...]] = []

        @classmethod
        def from_pretrained(cls, name: str, **kwargs: Any) -> Any:
            made = cls()
            made.calls.append((name, kwargs))
            if name == "outer":
                made.calls += cls.from_pretrained("inner").calls
            return made

        def to(self, *args: Any, **kwargs: Any) -> Any:
            self.calls.append(("to", *args, *kwargs.items()))
            return self

        def enable_model_cpu_offload(self, gpu_id: int | None = None) -> None:
            self.to("cpu", silence_dtype_warnings=True)
            self.calls.append(("offload", gpu_id))

        def enable_sequential_cpu_offload(self) -> None:
            self.calls.append(("sequential",))

    loading = Loading(settings)
    loading.watch(Base)
    return loading, Base


def test_loading_gets_the_arguments_by_the_name_that_the_script_uses() -> None:
    settings = {"model": {"dtype": "float16", "variant": "fp16"}, "load": {"use_safetensors": True}}
    for name in ("dtype", "torch_dtype"):
        loading, base = pipelines(settings)
        made = base.from_pretrained("outer", **{name: torch.float32})
        expected = {name: torch.float16, "variant": "fp16", "use_safetensors": True}
        assert made.calls == [("outer", expected), ("inner", {})], "what a pipeline loads itself is left alone"
        assert loading.put_in() == ["model.dtype", "model.variant", "load.use_safetensors"]


def test_what_is_loaded_never_or_twice_is_refused() -> None:
    loading, base = pipelines({"load": {"x": 1}})
    with pytest.raises(RefusedError, match=r"load\.x: the script loads no pipeline"):
        loading.put_in()
    base.from_pretrained("one")
    base.from_pretrained("two")
    with pytest.raises(RefusedError, match="loads 2 pipelines"):
        loading.put_in()


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("cpu", [("to", "cpu"), ("to", torch.float16)]),
        ("cuda:1", [("to", "cuda:1"), ("to", torch.float16)]),
        (
            "model_cpu_offload",
            [("to", "cpu", ("silence_dtype_warnings", True)), ("offload", None), ("to", torch.float16)],
        ),
        ("sequential_cpu_offload", [("sequential",), ("to", torch.float16)]),
    ],
)
def test_a_pipeline_is_placed_as_asked_for(placement: str, expected: list[tuple[Any, ...]]) -> None:
    loading, base = pipelines({"placement": placement})
    made = base()
    assert made.to("cuda", torch.float16) is made
    assert made.calls == expected
    assert loading.put_in() == ["placement"]


@pytest.mark.parametrize("placement", ["cpu", "model_cpu_offload", "sequential_cpu_offload"])
def test_to_returns_the_pipeline_and_keeps_the_dtype_by_name(placement: str) -> None:
    ways: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("cuda",), {}),
        ((), {"device": "cuda"}),
        (("cuda",), {"dtype": torch.float16}),
    ]
    for args, kwargs in ways:
        _, base = pipelines({"placement": placement})
        made = base()
        assert made.to(*args, **kwargs) is made, "what the script goes on with"
        changed = [call for call in made.calls if ("dtype", torch.float16) in call]
        assert changed == ([("to", ("dtype", torch.float16))] if "dtype" in kwargs else [])


def test_offloading_is_replaced_and_a_change_of_dtype_alone_is_not() -> None:
    loading, base = pipelines({"placement": "cpu"})
    made = base()
    made.to(torch.float16)
    with pytest.raises(RefusedError, match="moves no pipeline"):
        loading.put_in()
    made.enable_model_cpu_offload(0)
    assert made.calls == [("to", torch.float16), ("to", "cpu")]
    assert loading.put_in() == ["placement"]


def test_of_several_pipelines_that_are_placed_it_is_not_known_which_is_meant() -> None:
    loading, base = pipelines({"placement": "cpu"})
    first, second = base(), base()
    first.to("cuda").to("cuda")
    assert loading.put_in() == ["placement"]
    second.enable_model_cpu_offload()
    with pytest.raises(RefusedError, match="placement: the script moves 2 pipelines"):
        loading.put_in()


def test_without_such_settings_nothing_is_changed() -> None:
    loading, base = pipelines({"call": {"eta": 1.0}})
    base.from_pretrained("one", torch_dtype=torch.float16)
    assert base().to("cuda").calls == [("to", "cuda")]
    assert loading.put_in() == []
