"""The answers that follow from the calls: a pure function. Each says on how many calls it rests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from spacediff.checking.asked import Asked
from spacediff.checking.probes import of, repeats, too_quick
from spacediff.checking.result import Answer, Call, Purpose, Question, Standing
from spacediff.hub.asking import ZeroGpuQuota
from spacediff.hub.space_errors import plain
from spacediff.reading.model import Note, Reading
from spacediff.record import Fact, FactKind, fact
from spacediff.sources.space.own_seeds import draws_a_seed, own_seeds
from spacediff.sources.space.request import Api, sends_seed

_REWRITES = frozenset({"prompt rewriting", "prompt template", "prompt translation"})
_SWITCHES = ("enhanc", "rewrit", "upsampl", "expan")
"""Parts of the names of inputs that make a Space rewrite the prompt."""
_FINE, _CONCERN, _UNKNOWN = Standing.FINE, Standing.CONCERN, Standing.UNKNOWN


@dataclass(frozen=True)
class Known:
    """What is known besides the calls.

    Attributes:
        reading: What was read of the Space's source; None if it was not read.
        gradio: The version of Gradio that the Space runs.
        hardware: Its hardware; empty if it is unknown.
        quota: The quota of ZeroGPU before the first call; None if it is unknown.
        quota_after: The same after the last one.
    """

    reading: Reading | None = None
    gradio: str = ""
    hardware: str = ""
    quota: ZeroGpuQuota | None = None
    quota_after: ZeroGpuQuota | None = None


def answers_of(asked: Asked, calls: Sequence[Call], known: Known) -> tuple[Answer, ...]:
    """Return the answers to all questions, in their order; what was not found out is answered as unknown.

    Args:
        asked: What the Space was asked.
        calls: The calls that were made.
        known: What is known besides.
    """
    first = of(calls, Purpose.FIRST)
    if first is None or not first.measured:
        found = [*_switches(asked, calls), *_prompt(asked, calls, known), *_caches_in_source(known)]
        found += _gpu_requests(known)
        return tuple(each for each in found if not each.calls)
    return (
        _repeats(calls),
        _cache(calls, known),
        *_caches_in_source(known),
        _seed(asked, calls),
        *_switches(asked, calls),
        *_inputs(asked, calls),
        *_prompt(asked, calls, known),
        _outputs(asked, first),
        *_cost(calls, known),
        *_gpu_requests(known),
    )


def _repeats(calls: Sequence[Call]) -> Answer:
    first, again, past = (of(calls, each) for each in (Purpose.FIRST, Purpose.AGAIN, Purpose.PAST_CACHE))
    assert first is not None  # noqa: S101 - checked by `answers_of`
    if again is None or not again.measured:
        return _not_known(Question.REPEATS, again)
    settled = repeats(calls)
    if settled is False:
        differing = sum(one != other for one, other in zip(first.frames, again.frames, strict=False))
        differing += abs(len(first.frames) - len(again.frames))
        most = max(len(first.frames), len(again.frames))
        return Answer(Question.REPEATS, _CONCERN, fact(FactKind.SPACE_VARIES, differing=differing, of=most), 2)
    if settled and again.cached:
        return Answer(Question.REPEATS, _FINE, fact(FactKind.SPACE_REPEATS_PAST_CACHE), 2)
    if settled:
        said = {first.used_cache, again.used_cache} == {"no"}
        return Answer(Question.REPEATS, _FINE, fact(FactKind.SPACE_REPEATS, uncached=said), 2)
    if again.cached:
        tried = past is not None and past.measured and not past.cached
        return Answer(Question.REPEATS, _UNKNOWN, fact(FactKind.SPACE_REPEAT_CACHED, differs=tried), 2 + tried)
    assert too_quick(calls)  # noqa: S101 - nothing else leaves it open
    quick = fact(FactKind.SPACE_REPEAT_QUICK, work=again.work_seconds or 0.0, first=first.work_seconds)
    return Answer(Question.REPEATS, _UNKNOWN, quick, 2)


def _cache(calls: Sequence[Call], known: Known) -> Answer:
    measured = [call for call in calls if call.measured]
    used = [call for call in measured if call.cached]
    if used:
        partly = all(call.used_cache == "partial" for call in used)
        found = fact(FactKind.SPACE_CACHE_USED, answers=len(used), partly=partly)
        return Answer(Question.CACHE, _CONCERN, found, len(measured))
    if any(call.used_cache == "unknown" for call in measured):
        return Answer(Question.CACHE, _UNKNOWN, fact(FactKind.SPACE_CACHE_UNSAID, gradio=known.gradio), len(measured))
    again = of(measured, Purpose.AGAIN)
    if again is None:
        return Answer(Question.CACHE, _UNKNOWN, fact(FactKind.SPACE_CACHE_UNTRIED), len(measured))
    return Answer(Question.CACHE, _FINE, fact(FactKind.SPACE_CACHE_UNUSED), len(measured))


def _caches_in_source(known: Known) -> Iterator[Answer]:
    """Yield what keeps answers in the app itself, which the server does not say."""
    for each in known.reading.answer_caches if known.reading else ():
        yield Answer(Question.CACHE, _CONCERN, fact(FactKind.SPACE_CACHE_IN_SOURCE, where=plain(each, 200)), 0)


def _seed(asked: Asked, calls: Sequence[Call]) -> Answer:
    if not sends_seed(asked.request):
        return Answer(Question.SEED, _CONCERN, fact(FactKind.SPACE_SEED_ABSENT), 0)
    if repeats(calls) is False:
        return Answer(Question.SEED, _CONCERN, fact(FactKind.SPACE_SEED_VARIES), 2)
    return _effect(
        Question.SEED,
        calls,
        of(calls, Purpose.SEED),
        blind=fact(FactKind.SPACE_SEED_BLIND),
        matters=fact(FactKind.SPACE_SEED_MATTERS),
    )


def _inputs(asked: Asked, calls: Sequence[Call]) -> Iterator[Answer]:
    named = {knob.question for knob in asked.knobs}
    for question in (Question.GUIDANCE, Question.STEPS):
        if question not in named:
            yield Answer(question, _UNKNOWN, fact(FactKind.SPACE_SWITCH_NONE), 0)
    for knob in asked.knobs:
        values: dict[str, Any] = {"input": plain(knob.name, 100), "before": float(knob.before)}
        values |= {"after": float(knob.value)}
        if repeats(calls) is False:
            yield Answer(knob.question, _UNKNOWN, fact(FactKind.SPACE_EFFECT_HIDDEN), 2)
            continue
        yield _effect(
            knob.question,
            calls,
            next((call for call in calls if call.changed == knob.name), None),
            blind=fact(FactKind.SPACE_INPUT_BLIND, **values),
            matters=fact(FactKind.SPACE_INPUT_MATTERS, **values),
        )


def _effect(question: Question, calls: Sequence[Call], call: Call | None, *, blind: Fact, matters: Fact) -> Answer:
    """Return whether a change had an effect: equal frames show that it had none, others only if a call repeats."""
    if call is None or not call.measured:
        return _not_known(question, call)
    if call.frames == calls[0].frames:
        return Answer(question, _CONCERN, blind, 2)
    if repeats(calls):
        return Answer(question, _FINE, matters, 3)
    return Answer(question, _UNKNOWN, fact(FactKind.SPACE_EFFECT_HIDDEN), 3)


def _not_known(question: Question, call: Call | None) -> Answer:
    if call is None:
        return Answer(question, _UNKNOWN, fact(FactKind.SPACE_NOT_ASKED), 0)
    return Answer(question, _UNKNOWN, fact(FactKind.SPACE_CALL_FAILED, reason=call.reason), 1)


def _switches(asked: Asked, calls: Sequence[Call]) -> Iterator[Answer]:
    """Yield the switches that are on, and whether the seeds that the Space reports are those that it was sent."""
    on = own_seeds(asked.request, Api(asked.api.inputs, ""))
    yield from (Answer(Question.RANDOMISED, _CONCERN, each, 0) for each in on)
    echoing = [call for call in calls if call.measured and call.seed is not None]
    others = [call for call in echoing if call.seed != _seed_sent(asked, call)]
    if others and sends_seed(asked.request):
        values = {"sent": _seed_sent(asked, others[0]), "used": others[0].seed}
        yield Answer(Question.RANDOMISED, _CONCERN, fact(FactKind.SPACE_SEED_ECHOED, **values), len(echoing))
    elif echoing and sends_seed(asked.request):
        yield Answer(Question.RANDOMISED, _FINE, fact(FactKind.SPACE_SEED_KEPT), len(echoing))
    off, usually_on = _switched_off(asked)
    if usually_on or not (on or echoing):
        settled = _FINE if repeats(calls) is True else _UNKNOWN
        switched = fact(FactKind.SPACE_SWITCH_OFF, inputs=off, usually_on=usually_on)
        yield Answer(Question.RANDOMISED, settled, switched if off else fact(FactKind.SPACE_SWITCH_NONE), 0)


def _switched_off(asked: Asked) -> tuple[list[str], list[str]]:
    """Return the switches that draw a seed and are off in the calls, and those of them that the Space has on."""
    switches = {name: each for name, each in asked.api.inputs.items() if draws_a_seed(name, each)}
    off = [name for name, each in switches.items() if asked.request.value_of(name, each) is False]
    usually_on = [name for name in off if switches[name].get("parameter_default") is True]
    return [plain(name, 100) for name in off], [plain(name, 100) for name in usually_on]


def _seed_sent(asked: Asked, call: Call) -> int:
    return call.value if call.purpose is Purpose.SEED else asked.prompt.seed


def _prompt(asked: Asked, calls: Sequence[Call], known: Known) -> Iterator[Answer]:
    """Yield what becomes of the prompt: what the outputs say, then what the inputs and the source let expect."""
    echoing = [call for call in calls if call.measured and call.prompt is not None]
    if rewritten := [call for call in echoing if call.prompt is False]:
        text = rewritten[0].prompt_text
        yield Answer(Question.PROMPT, _CONCERN, fact(FactKind.SPACE_PROMPT_REWRITTEN, text=text), len(echoing))
    elif echoing:
        yield Answer(Question.PROMPT, _FINE, fact(FactKind.SPACE_PROMPT_KEPT), len(echoing))
    on = [
        name
        for name, each in asked.api.inputs.items()
        if asked.request.value_of(name, each) is True
        and any(part in f"{name} {each.get('label', '')}".lower() for part in _SWITCHES)
    ]
    yield from (
        Answer(Question.PROMPT, _CONCERN, fact(FactKind.SPACE_PROMPT_SWITCH, input=plain(name, 100)), 0) for name in on
    )
    notes = _notes(known.reading)
    for note in notes:
        sure = note.usual and not (note.perhaps or note.only_if)
        text = f"{note.text} ({note.where})" + (f", only if {note.only_if}" if note.only_if else "")
        where = fact(FactKind.SPACE_PROMPT_SOURCE, text=plain(text, 300), how=note.kind, sure=sure)
        yield Answer(Question.PROMPT, _CONCERN if note.usual else _UNKNOWN, where, 0)
    if not (echoing or on or notes):
        unchanged = known.reading is not None and "call.prompt" in known.reading.inputs
        silent = fact(FactKind.SPACE_PROMPT_AS_READ if unchanged else FactKind.SPACE_PROMPT_SILENT)
        yield Answer(Question.PROMPT, _FINE if unchanged else _UNKNOWN, silent, 0)


def _notes(reading: Reading | None) -> list[Note]:
    return [] if reading is None else [note for note in reading.notes if note.kind in _REWRITES]


def _outputs(asked: Asked, first: Call) -> Answer:
    shown = [
        f"{at}: {plain(component, 40)} {plain(label, 80)}" for at, (label, component) in enumerate(asked.api.outputs)
    ]
    found = fact(FactKind.SPACE_OUTPUTS, outputs=shown, result=asked.request.result[1], described=first.described)
    return Answer(Question.OUTPUTS, _FINE, found, 1)


def _cost(calls: Sequence[Call], known: Known) -> Iterator[Answer]:
    generated = [call for call in calls if call.measured and call.used_cache != "full"]
    if generated:
        worked = [call.work_seconds for call in generated if call.work_seconds is not None]
        found = fact(
            FactKind.SPACE_COST,
            work=median(worked) if worked else None,
            whole=median(call.seconds for call in generated),
            hardware=known.hardware,
        )
        yield Answer(Question.COST, _FINE, found, len(generated))
    before, after = known.quota, known.quota_after
    if generated and before and after and before.resets_at == after.resets_at and before.left >= after.left:
        spent = (before.left - after.left) / len(generated)
        used = fact(FactKind.SPACE_QUOTA_USED, each=spent, left=after.left, of=after.of)
        yield Answer(Question.COST, _FINE, used, len(generated))


def _gpu_requests(known: Known) -> Iterator[Answer]:
    """Yield what the source asks of ZeroGPU, and for how many such calls the quota suffices, where both are known."""
    if known.reading is None or "zero" not in known.hardware:
        return
    quota = known.quota_after or known.quota
    for each in known.reading.gpu_requests:
        calls = quota.calls(each.seconds) if quota else None
        found = fact(FactKind.SPACE_GPU_REQUEST, seconds=each.seconds, where=plain(each.where, 100), calls=calls)
        yield Answer(Question.COST, _FINE if each.seconds else _UNKNOWN, found, 0)
