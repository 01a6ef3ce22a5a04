"""Arguments that are put in where a script loads and places its pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from spacediff.watch.loaded import Loaded
from spacediff.watch.loading import Loading
from spacediff.watch.refusing import RefusedError


def pipelines(settings: Mapping[str, Any], *, look: bool = False) -> tuple[Loading, Any]:
    """Return what puts settings in, and a base class of pipelines that notes what its methods are given."""

    class Base:
        def __init__(self, config: Mapping[str, Any] | None = None) -> None:
            self.calls: list[tuple[Any, ...]] = []
            self.config = config or {}

        @classmethod
        def from_pretrained(cls, name: str, **kwargs: Any) -> Any:
            made = cls({each: value for each, value in kwargs.items() if each in {"requires_safety_checker", "vae"}})
            made.vae = kwargs.get("vae", "its own")  # type: ignore[attr-defined]
            made.calls.append((name, kwargs))
            for file in Path(name).glob(f"*.{kwargs.get('variant', 'model')}.safetensors"):
                load_file(file)
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

    loading = Loading(settings, look=look)
    loading.watch(Base)
    return loading, Base


def refused(loading: Loading) -> str:
    with pytest.raises(RefusedError) as caught:
        loading.put_in()
    return str(caught.value)


def test_loading_gets_the_arguments_by_the_name_that_the_script_uses() -> None:
    settings = {"model": {"dtype": "float16"}, "load": {"requires_safety_checker": True}}
    for name in ("dtype", "torch_dtype"):
        loading, base = pipelines(settings)
        made = base.from_pretrained("outer", **{name: torch.float32})
        expected = {name: torch.float16, "requires_safety_checker": True}
        assert made.calls == [("outer", expected), ("inner", {})], "what a pipeline loads itself is left alone"
        assert loading.put_in() == ["model.dtype", "load.requires_safety_checker"]


def test_what_is_loaded_never_or_twice_is_refused() -> None:
    loading, base = pipelines({"load": {"x": 1}})
    assert refused(loading).startswith("load.x: the script loads no pipeline")
    base.from_pretrained("one")
    base.from_pretrained("two")
    assert "loads 2 pipelines" in refused(loading)


def test_an_argument_that_the_loaded_pipeline_would_not_show_is_refused() -> None:
    loading, base = pipelines({"load": {"use_dynamic_cfg": True}})
    base.from_pretrained("one")
    assert refused(loading) == "load.use_dynamic_cfg: the loaded pipeline would not show whether it acts"


def test_a_component_that_is_left_out_shows_in_the_pipeline() -> None:
    loading, base = pipelines({"load": {"vae": None}})
    base.from_pretrained("one", vae="mine").vae = None
    assert loading.put_in() == ["load.vae"]


def weights(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        save_file({"w": torch.zeros(1)}, folder / name)
    return folder


def test_a_variant_shows_in_the_files_that_are_opened(tmp_path: Path) -> None:
    there = weights(tmp_path / "a", "unet.fp16.safetensors", "vae.model.safetensors")
    loading, base = pipelines({"model": {"variant": "fp16"}, "load": {"use_safetensors": True}})
    base.from_pretrained(there.as_posix())
    assert loading.put_in() == ["model.variant", "load.use_safetensors"]
    loading, base = pipelines({"model": {"variant": "fp16"}})
    base.from_pretrained(weights(tmp_path / "b", "vae.model.safetensors").as_posix())
    assert refused(loading).endswith("what was loaded does not show it: no file of weights was seen")
    opened: Any = safetensors.safe_open(there / "unet.fp16.safetensors", "pt")
    assert opened.keys() == ["w"], "it opens files as ever"


def test_a_revision_shows_in_the_folder_of_the_opened_files(tmp_path: Path) -> None:
    cached, commit = tmp_path / "models--org--name", "a" * 40
    weights(cached / "snapshots" / commit, "unet.model.safetensors")
    (cached / "refs").mkdir()
    (cached / "refs" / "v2").write_text(commit)
    (cached / "refs" / "main").write_text("b" * 40)
    for revision, is_there in ((commit, True), ("v2", True), ("main", False), ("none", False)):
        loading, _ = pipelines({"model": {"revision": revision}})
        found = Loaded("org/name", {"revision": revision})
        with found.noting():
            load_file(cached / "snapshots" / commit / "unet.model.safetensors")
        if is_there:
            found.prove()
        else:
            with pytest.raises(RefusedError, match="does not show it: the files that were opened are unet"):
                found.prove()
    loading, base = pipelines({"model": {"revision": "main"}})
    base.from_pretrained(cached.as_posix())
    assert refused(loading) == "model.revision: the script loads a folder, which has no revisions"


def vaes(loading: Loading) -> Any:
    class AutoencoderTiny:
        @classmethod
        def from_pretrained(cls, _: str, **kwargs: Any) -> Any:
            return kwargs

    loading.watch_models(AutoencoderTiny)
    return AutoencoderTiny


def test_the_dtype_of_the_vae_is_put_in_where_the_vae_is_loaded() -> None:
    loading, base = pipelines({"vae": {"dtype": "float32"}})
    assert base.from_pretrained("outer", torch_dtype=torch.float16).calls[0] == (
        "outer", {"torch_dtype": {"default": torch.float16, "vae": torch.float32}},
    )  # fmt: skip
    assert loading.put_in() == ["vae.dtype"]
    loading, base = pipelines({"vae": {"dtype": "float32"}})
    own = vaes(loading).from_pretrained("vae", torch_dtype=torch.float16)
    assert own == {"torch_dtype": torch.float32}
    assert base.from_pretrained("outer", vae=own).calls[0] == ("outer", {"vae": own})
    assert loading.put_in() == ["vae.dtype"]
    base.from_pretrained("outer")
    assert refused(loading) == "vae.dtype: the script loads 2 VAEs before the call"


def test_what_is_only_looked_at_is_counted_and_left_as_it_is() -> None:
    loading, base = pipelines({}, look=True)
    made = base.from_pretrained("one", torch_dtype=torch.float16)
    assert made.to("cuda", torch.float16) is made
    assert made.calls == [("one", {"torch_dtype": torch.float16}), ("to", "cuda", torch.float16)]
    counted = {name: loading.offered[name] for name in ("loaded", "vaes", "placed")}
    assert counted == {"loaded": 1, "vaes": 1, "placed": 1}
    assert loading.put_in() == []


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
