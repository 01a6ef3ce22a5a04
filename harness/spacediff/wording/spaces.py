"""A Space under test: whether it repeats itself, what it makes of its inputs, what a call costs."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, duration, listed, moment, plain
from spacediff.wording.vocabulary import says


@says(FactKind.SPACE_REPEATS)
def _repeats(*, uncached: bool) -> str:
    known = (
        "the server says that neither answer came from its cache"
        if uncached
        else "whether an answer came from a cache, the server does not say"
    )
    return f"The same call gave the same {nouns().frames}, bit for bit; {known}."


@says(FactKind.SPACE_REPEATS_PAST_CACHE)
def _repeats_past_cache() -> str:
    return (
        f"The same call with a blank after the prompt, which no cache answered, gave the same {nouns().frames}, bit "
        "for bit."
    )


@says(FactKind.SPACE_VARIES)
def _varies(*, differing: int, of: int) -> str:
    return (
        f"The same call gave other {nouns().frames}: {differing} of {of} differ. No setting can reproduce such a "
        f"{nouns().clip}."
    )


@says(FactKind.SPACE_REPEAT_CACHED)
def _repeat_cached(*, differs: bool) -> str:
    tried = (
        f" With a blank after the prompt no cache answered, and the {nouns().frames} differ: by the blank or by chance."
        if differs
        else ""
    )
    return f"Not known: the same call was answered from a cache, which says nothing of a second generation.{tried}"


@says(FactKind.SPACE_REPEAT_QUICK)
def _repeat_quick(*, work: float, first: float | None) -> str:
    before = f", {duration(first)} the first" if first is not None else ""
    took = f"{duration(work)} the second time{before}"
    return f"Not known: the answer may be cached inside the app, which took {took}; other inputs took four times that."


@says(FactKind.SPACE_CACHE_USED)
def _cache_used(*, answers: int, partly: bool) -> str:
    whole = "partly " if partly else ""
    return f"{counted(answers, 'answer')} came {whole}from the server's cache."


@says(FactKind.SPACE_CACHE_UNUSED)
def _cache_unused() -> str:
    return "No answer came from the server's cache; one of the app's own would not be seen."


@says(FactKind.SPACE_CACHE_IN_SOURCE)
def _cache_in_source(*, where: str) -> str:
    return f"In the source, answers are kept: {where}; the same call once more may generate nothing."


@says(FactKind.SPACE_CACHE_UNTRIED)
def _cache_untried() -> str:
    return "Not known: no call was repeated."


@says(FactKind.SPACE_CACHE_UNSAID)
def _cache_unsaid(*, gradio: str) -> str:
    return f"Not known: the server does not say it{f' (Gradio {gradio})' if gradio else ''}."


@says(FactKind.SPACE_SEED_MATTERS)
def _seed_matters() -> str:
    return f"Another seed gave other {nouns().frames}."


@says(FactKind.SPACE_SEED_BLIND)
def _seed_blind() -> str:
    return f"Another seed gave the same {nouns().frames}: the seed has no effect."


@says(FactKind.SPACE_SEED_VARIES)
def _seed_varies() -> str:
    return f"The seed does not fix the {nouns().clip}: the same seed gave other {nouns().frames}."


@says(FactKind.SPACE_SEED_ABSENT)
def _seed_absent() -> str:
    return "No input gets the seed."


@says(FactKind.SPACE_SEED_ECHOED)
def _seed_echoed(*, sent: int, used: int) -> str:
    return f"The Space reports that it used seed {used}, not {sent}."


@says(FactKind.SPACE_SEED_KEPT)
def _seed_kept() -> str:
    return "The Space reports the seeds that it was sent."


@says(FactKind.SPACE_SWITCH_OFF)
def _switch_off(*, inputs: Sequence[str], usually_on: Sequence[str]) -> str:
    off = f"Off: {listed(inputs)}."
    if not usually_on:
        return off
    return f"{off} The Space has {listed(usually_on)} on by default, and then draws a seed of its own."


@says(FactKind.SPACE_SWITCH_NONE)
def _switch_none() -> str:
    return "No input is called so."


@says(FactKind.SPACE_INPUT_MATTERS)
def _input_matters(*, input: str, before: float, after: float) -> str:  # noqa: A002 - as the value is called
    return f"{input} = {plain(after)} in place of {plain(before)} gave other {nouns().frames}."


@says(FactKind.SPACE_INPUT_BLIND)
def _input_blind(*, input: str, before: float, after: float) -> str:  # noqa: A002 - as the value is called
    return f"{input} = {plain(after)} in place of {plain(before)} gave the same {nouns().frames}: it has no effect."


@says(FactKind.SPACE_EFFECT_HIDDEN)
def _effect_hidden() -> str:
    return f"Not known: other {nouns().frames} may come by chance while it is not known that a call repeats itself."


@says(FactKind.SPACE_NOT_ASKED)
def _not_asked() -> str:
    return "Not known: no call was made for it."


@says(FactKind.SPACE_CALL_FAILED)
def _call_failed(*, reason: str) -> str:
    return f"Not known, the call failed: {reason}"


@says(FactKind.SPACE_PROMPT_REWRITTEN)
def _prompt_rewritten(*, text: str) -> str:
    return f"The Space reports another prompt than it was sent{f': {text}' if text else ''}."


@says(FactKind.SPACE_PROMPT_KEPT)
def _prompt_kept() -> str:
    return "The Space reports the prompt that it was sent."


@says(FactKind.SPACE_PROMPT_SWITCH)
def _prompt_switch(*, input: str) -> str:  # noqa: A002 - as the value is called
    return f"The input {input} is on, which by its name lets the prompt be rewritten."


@says(FactKind.SPACE_PROMPT_SOURCE)
def _prompt_source(*, text: str, how: str, sure: bool) -> str:
    done = {"prompt template": "put into a template", "prompt translation": "translated"}.get(how, "rewritten")
    return f"In the source, the prompt {'is' if sure else 'may be'} {done}: {text}."


@says(FactKind.SPACE_PROMPT_AS_READ)
def _prompt_as_read() -> str:
    return "In the source, the prompt reaches the pipeline as it is sent."


@says(FactKind.SPACE_PROMPT_SILENT)
def _prompt_silent() -> str:
    return "Not known: no output reports a prompt."


@says(FactKind.SPACE_OUTPUTS)
def _outputs(*, outputs: Sequence[str], result: int, described: str) -> str:
    return f"{'; '.join(outputs)}. In {result}: {described}."


@says(FactKind.SPACE_COST)
def _cost(*, work: float | None, whole: float, hardware: str) -> str:
    worked = f"{duration(work)} of work, " if work is not None else ""
    where = f" on {hardware}" if hardware else ""
    return f"A call takes {worked}{duration(whole)} in all{where}."


@says(FactKind.SPACE_GPU_REQUEST)
def _gpu_request(*, seconds: float | None, where: str, calls: int | None) -> str:
    if seconds is None:
        return f"How many seconds of a GPU a call asks for is not known: the source computes them ({where})."
    left = f"; your quota suffices for {counted(calls, 'such call')}" if calls is not None else ""
    asked = f"a call asks for {duration(seconds)} of a GPU ({where})"
    return f"In the source, {asked}, which must be left of your quota{left}."


@says(FactKind.SPACE_QUOTA_USED)
def _quota_used(*, each: float, left: float, of: float) -> str:
    return f"It takes {duration(each)} of your GPU quota, of which {duration(left)} of {duration(of)} are left."


@says(FactKind.SPACE_NOT_READY)
def _not_ready(*, reason: str, hint: str, waited_for: bool) -> str:
    if waited_for:
        return f"{reason}; it is waited for until the deadline."
    return f"The reference may be unavailable: {reason}{f' ({hint})' if hint else ''}."


@says(FactKind.SPACE_ON_QUOTA)
def _on_quota(*, space: str, hardware: str, left: float | None, of: float | None, resets_at: str) -> str:
    costs = f"The Space {space} runs on {hardware}: each {nouns().clip} takes some of your GPU quota"
    if left is None or of is None:
        return f"{costs}; how much is left, the Hub does not say."
    renewed = f", renewed {moment(resets_at)}" if resets_at else ""
    return f"{costs}, of which {duration(left)} of {duration(of)} are left{renewed}."
