"""The `prompt` of ComfyUI: a graph of nodes, `{"3": {"class_type": "KSampler", "inputs": {"steps": 20, …}}, …}`.

An input is a value, or `[node, output]`. What a graph computes is only known where it has one sampler, and what this
one gets comes from nodes that are known; of any other graph the samplers, loaders and guiders are quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spacediff.embedded.found import Found

_MOST_NODES = 2000
_SAMPLERS = {"KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"}
_QUOTED = ("Loader", "Sampler", "Scheduler", "Guider", "Guidance", "ModelSampling", "RandomNoise", "KSamplerSelect")
"""Parts of the names of nodes whose values are quoted."""
_TEXT_NODES = {"CLIPTextEncode"}
_NUMBER_NODES = {"PrimitiveInt", "PrimitiveFloat", "INTConstant", "FloatConstant", "Int", "Float", "Seed (rgthree)"}
_EMBEDDED_GUIDANCE = "guidance"
"""The input of `FluxGuidance`, `CLIPTextEncodeFlux` and others for a model that embeds its guidance."""
_ADDS_NOISE = ("enable", True)
"""Values of `add_noise`, of the advanced and of the custom sampler."""
_WHOLE = 1.0
_LINK = 2

Graph = Mapping[str, Mapping[str, Any]]


def read_comfy(record: Mapping[str, Any]) -> Found | None:
    """Return what a graph declares; None if the record is none."""
    graph = {str(key): node for key, node in record.items() if _is_node(node)}
    if not graph or len(graph) > _MOST_NODES or len(graph) < len(record):
        return None
    found = Found("ComfyUI")
    samplers = [node for node in graph.values() if "Sampler" in _kind(node) and _kind(node) != "KSamplerSelect"]
    if len(samplers) == 1 and _kind(samplers[0]) in _SAMPLERS:
        _read_sampler(graph, samplers[0], found)
    for name, node in graph.items():
        if any(part in _kind(node) for part in _QUOTED):
            _quote(name, node, found)
        elif _EMBEDDED_GUIDANCE in _inputs(node):
            _quote(name, node, found, only=_EMBEDDED_GUIDANCE)
    return found


def _read_sampler(graph: Graph, sampler: Mapping[str, Any], found: Found) -> None:
    """Say what is known of the only sampler of a graph."""
    noise, sigmas, guider = (_linked(graph, sampler, key) or sampler for key in ("noise", "sigmas", "guider"))
    if "add_noise" not in _inputs(sampler) or _value(graph, sampler, "add_noise") in _ADDS_NOISE:
        for key in ("seed", "noise_seed"):
            _say(graph, noise, key, "rng.seed", found)
    if _makes_all_steps(graph, sampler, sigmas):
        _say(graph, sigmas, "steps", "call.num_inference_steps", found)
    if not any(_EMBEDDED_GUIDANCE in _inputs(node) for node in graph.values()):
        _say(graph, guider, "cfg", "call.guidance_scale", found)
    for key, path in (("positive", "call.prompt"), ("negative", "call.negative_prompt")):
        text = _linked(graph, guider, key)
        if text is not None and _kind(text) in _TEXT_NODES:
            _say(graph, text, "text", path, found)
    latents = _linked(graph, sampler, "latent_image")
    if latents is not None and _kind(latents).startswith("Empty") and "Latent" in _kind(latents):
        for key, path in (("width", "call.width"), ("height", "call.height"), ("length", "call.num_frames")):
            _say(graph, latents, key, path, found)


def _makes_all_steps(graph: Graph, sampler: Mapping[str, Any], sigmas: Mapping[str, Any]) -> bool:
    """Whether a sampler begins with noise alone and makes all of its steps."""
    if "denoise" in _inputs(sigmas) and _value(graph, sigmas, "denoise") != _WHOLE:
        return False
    if _inputs(sampler).keys().isdisjoint({"start_at_step", "end_at_step"}):
        return True
    first, last = _value(graph, sampler, "start_at_step"), _value(graph, sampler, "end_at_step")
    steps = _value(graph, sampler, "steps")
    return first == 0 and isinstance(last, int) and isinstance(steps, int) and last >= steps


def _say(graph: Graph, node: Mapping[str, Any], key: str, path: str, found: Found) -> None:
    value = _value(graph, node, key)
    if isinstance(value, str | int | float) and (path.endswith("prompt") or not isinstance(value, str)):
        found.say(path, value, f"{_kind(node)}_{key}")
        found.said.add((id(node), key))


def _quote(name: str, node: Mapping[str, Any], found: Found, only: str = "") -> None:
    for key, value in _inputs(node).items():
        if key.startswith(only) and isinstance(value, str | int | float) and (id(node), key) not in found.said:
            found.quote(f"{_kind(node)}_{name}_{key}", value)


def _value(graph: Graph, node: Mapping[str, Any], key: str) -> Any:
    """Return an input of a node; that of a node that is nothing but a number is this number."""
    value = _inputs(node).get(key)
    source = _linked(graph, node, key)
    if source is None:
        return value
    numbers = list(_numbers(source)) if _kind(source) in _NUMBER_NODES else []
    return numbers[0] if len(numbers) == 1 else None


def _numbers(node: Mapping[str, Any]) -> Iterator[int | float]:
    for value in _inputs(node).values():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield value


def _linked(graph: Graph, node: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the node that an input comes from; None if it is a value, or the node is not there."""
    value = _inputs(node).get(key)
    if not isinstance(value, list) or len(value) != _LINK or not isinstance(value[0], str | int):
        return None
    return graph.get(str(value[0]))


def _is_node(node: Any) -> bool:
    return (
        isinstance(node, Mapping)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), Mapping)
    )


def _kind(node: Mapping[str, Any]) -> str:
    return str(node["class_type"])[:80]


def _inputs(node: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs: Mapping[str, Any] = node["inputs"]
    return inputs
