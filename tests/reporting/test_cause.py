from __future__ import annotations

from pathlib import Path

from markupsafe import escape

from spacediff.record import (
    ActingRecord,
    AuditRecord,
    CostRecord,
    FactKind,
    ProbeRecord,
    ProofRecord,
    Standing,
    SuspectRecord,
    fact,
    quoted,
    with_derived,
)
from spacediff.reporting.html import render_html
from spacediff.reporting.markdown import render_summary
from spacediff.wording import cause_text, cost_text, sentence
from support.html_page import with_cause


def test_the_cause_is_shown_with_its_proof(record: AuditRecord, folder: Path) -> None:
    page = render_html(with_cause(record), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "The baseline differs from as-hosted because of one setting: dynamic CFG." in section
    assert 'variant=as-hosted"><bdi>as-hosted</bdi></a>' in section
    assert "changes all the others and differs visibly from" in section
    assert all(number in section for number in ("0.900", "0.400", "0.700"))
    assert "makes no difference" in section
    assert "<b>" not in section
    assert "<i>" not in section
    assert 'id="cause"' not in render_html(record, folder)


def test_the_first_screen_has_the_cause_and_the_fix(record: AuditRecord, folder: Path) -> None:
    page = render_html(with_cause(record), folder)
    line = page.split('class="cause-line"')[1].split("</div>")[0]
    cause = with_cause(record).cause
    assert cause
    assert cause_text(with_cause(record)) in line
    guilty = [suspect for suspect in cause.suspects if suspect.standing is Standing.CAUSE]
    innocent = [suspect for suspect in cause.suspects if suspect.standing is Standing.NO_EFFECT]
    assert guilty
    assert innocent
    assert [suspect.path for suspect in guilty] == ["call.use_dynamic_cfg"]
    assert 'class="fix"' in line
    assert "<code>pipe(<wbr>..., use_dynamic_cfg=True)</code>" in line, "a long line breaks where it reads well"
    assert not any(escape(suspect.path) in line for suspect in innocent)
    cleared = page.split('id="no-effect"')[1].split("</section>")[0]
    assert all(escape(suspect.path) in cleared for suspect in innocent)
    assert not any(suspect.path in cleared for suspect in guilty)
    assert "cause-line" not in render_html(record, folder).split("<main>")[1]


def test_values_are_those_that_the_runs_had_and_a_negative_weight_is_explained(
    record: AuditRecord, folder: Path
) -> None:
    default = SuspectRecord(path="scheduler.class", start=None, target="CogVideoXDPMScheduler", standing=Standing.CAUSE)
    negative = SuspectRecord(
        path="call.guidance_scale", start=6.0, target=7.0, standing=Standing.CAUSE, left_out=0.153, weight=-0.03
    )
    equal = SuspectRecord(path="model.dtype", start=None, target="bfloat16", standing=Standing.NO_EFFECT)
    found = with_derived(with_cause(record, suspects=[default, negative, equal]))
    page = render_html(found, folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "not set" not in section
    assert "CogVideoXDDIMScheduler" in section, "the default of the checkpoint"
    assert "Its weight is negative" in section
    assert "increases the drift by 0.030" in section
    assert "the drift without it is 0.153" in section
    assert section.index("only one of them declares it") < section.index("model.dtype")
    assert 'id="no-effect"' not in page
    assert "makes no difference" not in cause_text(found)
    assert "Its weight" not in render_html(with_cause(record), folder)


def test_what_is_left_unexplained_is_listed(record: AuditRecord, folder: Path) -> None:
    page = render_html(
        with_cause(record, residual=0.4, residual_suspects=[quoted("torch: <other>")], counter_reproduced=True), folder
    )
    assert "torch: &lt;other&gt;" in page
    assert "so there is more than one cause" in page


def test_a_counter_proof_without_a_clip_is_shown_as_no_proof(record: AuditRecord, folder: Path) -> None:
    kept = ProofRecord(
        prompt="lemon", proof="as-hosted", reproduced=True, counter_proof="dpm", counter_reproduced=False
    )
    lost = kept.model_copy(update={"counter_reproduced": None, "reason": quoted("dpm was not measured: out of memory")})
    page = render_html(with_cause(record, counter_reproduced=None, proofs=[lost, kept]), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "has no clip, so it does not show that the cause is needed" in section
    first, second = section.split('class="proofs"')[1].split("</table>")[0].split("<tr>")[2:]
    assert "not proved: <bdi>dpm was not measured: out of memory.</bdi>" in first
    assert "<td>yes</td>" in second


def test_what_the_standing_rests_on_and_what_is_known_is_reported(record: AuditRecord, folder: Path) -> None:
    cause = with_cause(record).cause
    assert cause
    innocent = SuspectRecord(
        path="placement", start="cuda", target="group_offload", standing=Standing.NO_EFFECT, why=quoted("<why>")
    )
    page = render_html(with_cause(record, suspects=[cause.suspects[0], innocent]), folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    assert "&lt;why&gt;" in section
    assert "known as offloading; typical size: none" in section
    known = section.split('class="known"')[1].split("</dl>")[0]
    assert "objects appear or are missing" in known
    assert "use_dynamic_cfg=True to the call" in known
    assert "offloading" not in known, "of an innocent one, a few words do"
    assert 'class="known"' not in render_html(with_cause(record, suspects=[innocent]), folder)


def test_sources_of_the_catalogue_are_linked_where_they_have_an_address(record: AuditRecord, folder: Path) -> None:
    paths = {
        "call.guidance_scale": 'href="https://arxiv.org/abs/2207.12598"',
        "scheduler.class": 'href="https://huggingface.co/docs/diffusers/api/schedulers/overview"',
        "rng.stream": '<span class="none">docs/noise-streams.md</span>',
        "call.use_dynamic_cfg": '<span class="none">diffusers, CogVideoXPipeline.__call__</span>',
    }
    for path, link in paths.items():
        suspect = SuspectRecord(path=path, start=1, target=2, standing=Standing.CAUSE)
        assert link in render_html(with_cause(record, suspects=[suspect]), folder)


def test_the_proof_on_each_prompt_is_shown(record: AuditRecord, folder: Path) -> None:
    first = ProofRecord(prompt="lemon", proof="as-hosted", reproduced=True, drift=0.0, counter_proof="dpm",
                        counter_reproduced=False, counter_drift=0.321)  # fmt: skip
    fails = first.model_copy(update={"prompt": "str<eet", "reproduced": False, "drift": 0.123})
    missing = ProofRecord(prompt="third", reason=quoted("the budget was spent"))
    one = render_html(with_cause(record, proofs=[first]), folder)
    assert "(drift 0.321)" in one
    assert 'class="proofs"' not in one, "one prompt needs no table"
    page = render_html(with_cause(record, proofs=[first, fails, missing]), folder)
    rows = page.split('class="proofs"')[1].split("</table>")[0].split("<tr>")[2:]
    assert [("yes" in row, "<strong>no</strong>" in row) for row in rows] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "a visible difference from" in rows[1]
    assert "0.123" in rows[1]
    assert "str&lt;eet" in rows[1]
    assert "not proved: <bdi>the budget was spent.</bdi>" in rows[2]


def test_what_is_seen_leads_and_what_only_changes_numbers_has_its_place(record: AuditRecord, folder: Path) -> None:
    acting = ActingRecord(run="probe-2", step=1, steps=50, distance=0.012)
    numeric = SuspectRecord(path="numerics.<b>", start=1, target=2, standing=Standing.NUMERIC, acting=acting,
                            why=fact(FactKind.ACTS_AT_STEP, **acting.model_dump()))  # fmt: skip
    cost = CostRecord(probes=12, steps=58, steps_each=50, generations=1.16, whole=9)
    cause = with_cause(record).cause
    assert cause
    explained = with_cause(record, suspects=[*cause.suspects, numeric], cost=cost)
    page = render_html(explained, folder)
    section = page.split('id="cause"')[1].split("</section>")[0]
    titles = ["What makes the visible difference", "What else changes the numbers", "What makes no difference"]
    assert [section.index(title) for title in titles] == sorted(section.index(title) for title in titles)
    assert "the latents at step 1 of 50, 0.012 of the distance between seeds" in section
    assert "The search: 12 probes, 58 steps, 1.2 generations; without early stops 9" in section
    assert "One other setting changes the numbers, but nothing that can be seen: numerics.<b>." in cause_text(explained)
    fix = page.split('class="fix"')[1].split("</pre>")[0]
    assert "numerics" not in fix


def test_the_cost_of_a_search_is_written_with_one_and_without_what_an_older_record_lacks() -> None:
    cost = CostRecord(probes=1, steps=50, steps_each=50, generations=1.0)
    assert cost_text(cost) == "1 probe, 50 steps, 1 generation"
    assert cost_text(cost.model_copy(update={"whole": 1})) == "1 probe, 50 steps, 1 generation; without early stops 1"


def test_markdown_has_the_cost_of_the_search(record: AuditRecord) -> None:
    cost = CostRecord(probes=3, steps=58, steps_each=50, generations=1.16, whole=2)
    line = "- **Search**: 3 probes, 58 steps, 1.2 generations; without early stops 2"
    assert line in render_summary(with_cause(record, cost=cost)).splitlines()
    assert "**Search**" not in render_summary(with_cause(record))


def test_a_probe_that_ended_early_is_said_to_show_no_picture(record: AuditRecord, folder: Path) -> None:
    early = ProbeRecord(run="probe-1", changed=["call.a"], reproduced=False, early=True, step=1, distance=0.4)
    unknown = early.model_copy(update={"run": "probe-2", "reproduced": None})
    failed = ProbeRecord(run="probe-3", changed=["call.a"], reproduced=None, failed=True)
    page = render_html(with_cause(record, probes=[early, unknown, failed]), folder)
    first, second, third = page.split("<details><summary>The search:")[1].split("</details>")[0].split("<li>")[1:]
    assert "ended early, too far from <bdi" in first
    assert "a visible difference" not in first
    assert "ended early: whether a difference is visible is unknown" in second
    assert "it has no clip, so it shows nothing" in third
    needed = fact(FactKind.NEEDED, run="probe-1", early=True)
    assert "the latents are too far from the target's for the difference to stay unseen" in sentence(needed)
    assert "(probe-1, which ended early)" in sentence(needed)


def test_what_is_unseen_beside_another_cause_is_so_once_the_cause_is_changed(record: AuditRecord) -> None:
    suspects = [
        SuspectRecord(path="call.a", start=1, target=2, standing=Standing.CAUSE),
        SuspectRecord(path="call.b", start=1, target=2, standing=Standing.NUMERIC),
        SuspectRecord(path="call.c", start=1, target=2, standing=Standing.UNSEEN),
    ]
    two = cause_text(with_cause(record, suspects=suspects, counter_reproduced=True))
    assert "nothing that can be seen once the cause is changed: " in two
    assert "no difference can be seen once the cause is changed: " in two
    assert "once" not in cause_text(with_cause(record, suspects=suspects, counter_reproduced=False))


def test_members_that_act_together_are_reported(record: AuditRecord, folder: Path) -> None:
    found = fact(FactKind.MASKS_OTHERS, member="<b>", reduction=0.1, total=0.9)
    assert "&lt;b&gt; masks the others" in render_html(with_cause(record, interactions=[found]), folder)
    assert "act together" not in render_html(with_cause(record), folder)


def test_an_older_audit_without_these_is_read(record: AuditRecord) -> None:
    data = with_cause(record).model_dump(mode="json")
    for name in ("proofs", "interactions", "closest", "closest_drift"):
        del data["cause"][name]
    for suspect in data["cause"]["suspects"]:
        del suspect["why"]
    cause = AuditRecord.model_validate(data).cause
    assert cause
    assert (cause.proofs, cause.suspects[0].why) == ([], None)


def test_a_cause_on_another_type_of_device_is_not_explained_as_offloading(record: AuditRecord, folder: Path) -> None:
    def known_of(target: str) -> str:
        suspect = SuspectRecord(path="placement", start="cpu", target=target, standing=Standing.CAUSE)
        page = render_html(with_cause(record, suspects=[suspect]), folder)
        return page.split('<dl class="known">')[1].split("</dl>")[0]

    assert "kind of device" in known_of("cuda")
    assert "it changes no number" not in known_of("cuda")
