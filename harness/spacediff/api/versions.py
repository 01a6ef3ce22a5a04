"""Releases of a library compared on one scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.audits import load_scenario
from spacediff.api.extra_run import ensure_run
from spacediff.api.given import StrPath
from spacediff.api.running import AuditTerms, ExecutorName, execute, executors
from spacediff.errors import InvalidArgument
from spacediff.file_names import portable_name
from spacediff.results import AuditInterrupted, VersionsResult
from spacediff.shell_command import out_option, shell_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacediff.progress import ProgressListener
    from spacediff.record import AuditRecord, VersionsRecord

FILE = "versions.json"
"""What was found, in the audit folder beside the record of the audit."""


def compare_versions(
    scenario: StrPath,
    *,
    first: str,
    last: str | None = None,
    package: str = "diffusers",
    out: StrPath | None = None,
    executor: ExecutorName = "local",
    shared_folder: str = "",
    listener: ProgressListener | None = None,
) -> VersionsResult:
    """Run a scenario's baseline under every release of a package in a range, and find those that change its output.

    Each release runs in an environment of its own and is compared with the one before it, so that a change that a later
    release takes back is found, too. What was finished is not run again.

    Args:
        scenario: The scenario's file. Its reference, variants and gate are of no account.
        first: The oldest release.
        last: The newest one; by default the newest that the index has.
        package: `diffusers`, `transformers` or `torch`.
        out: The audit folder; by default in `audits/`, named after scenario and package.
        executor: `local` runs the releases on this machine one after the other, `ray` side by side on the workers of a
            Ray cluster.
        shared_folder: With `ray`, a folder that all machines see, through which the files of runs pass, as fsspec names
            it; by default they pass through the cluster.
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; the same call continues.
        InvalidArgument: The package cannot be chosen, the range is reversed or without a release, or the baseline is a
            script.
        EnvironmentUnavailable: The index does not list the releases.
        ScenarioError: The scenario has mistakes.
        MissingPackage: Ray is not installed.
        ClusterUnavailable: There is no cluster at the address, it does not start, or no node has what a run needs.
        FolderOfAnotherAudit: The folder contains a different audit.
    """
    from spacediff.environments.releases import releases_of
    from spacediff.environments.runs import in_range, limits, plan_releases, run_names
    from spacediff.environments.wanted import PACKAGES
    from spacediff.plan import plan_scenario

    ensure_run("a comparison of releases")
    if package not in PACKAGES:
        raise InvalidArgument(f"the version of {package} is no setting", hint=f"choose {', '.join(PACKAGES)}")
    limits(first, last)
    loaded = load_scenario(scenario)
    where = None if out is None else Path(out)
    range_ = ["--from", first, *(["--to", last] if last else [])]
    terms = AuditTerms(executor=executor, shared_folder=shared_folder)
    command = shell_command("versions", loaded.path, "--package", package, *range_, *terms.options, *out_option(where))
    usual = plan_scenario(loaded, command=command)
    names = run_names(package, in_range(releases_of(package), package, first, last))
    plan = plan_releases(usual, package, names)
    folder = where or Path("audits") / portable_name(f"{loaded.path.stem}-{package}")
    try:
        with executors([plan], terms) as executor_for:
            audit = execute(plan, folder, listener, executor=executor_for(plan, folder, 0.0))
    except AuditInterrupted as interrupted:
        _found(interrupted.result.record, package, names, folder)
        raise
    return VersionsResult(_found(audit.record, package, names, folder), audit)


def _found(record: AuditRecord, package: str, names: Mapping[str, str], folder: Path) -> VersionsRecord:
    from spacediff.files import write_atomically
    from spacediff.record.derived.releases import versions_record

    found = versions_record(record, package, names)
    write_atomically(folder / FILE, found.model_dump_json(indent=2) + "\n")
    return found
