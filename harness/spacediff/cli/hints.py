"""Which option of the command line resolves an error; the library, whose callers have no options, does not say it."""

from __future__ import annotations

from spacediff.cli.options import (
    ApproveOptions,
    AuditOptions,
    CompareOptions,
    Options,
    ReadOptions,
    ReportOptions,
    VersionsOptions,
    WhyOptions,
)
from spacediff.errors import (
    BlockNotChosen,
    FileExists,
    FolderInUse,
    FolderOfAnotherAudit,
    InvalidArgument,
    MachineTooSmall,
    NotAcceptable,
    ScenarioApproximate,
    SpacediffError,
    UnknownName,
)

_OTHER_FOLDER = "--out DIR names another folder"
_FEWER = "--only VARIANT generates fewer runs, --out DIR names another disk, --anyway begins all the same"
_OPTIONS: dict[tuple[type[Options], type[SpacediffError]], str] = {
    (AuditOptions, FolderInUse): _OTHER_FOLDER,
    (AuditOptions, FolderOfAnotherAudit): _OTHER_FOLDER,
    (AuditOptions, MachineTooSmall): _FEWER,
    (AuditOptions, ScenarioApproximate): "--approximate",
    (VersionsOptions, FolderInUse): _OTHER_FOLDER,
    (VersionsOptions, FolderOfAnotherAudit): _OTHER_FOLDER,
    (ReadOptions, BlockNotChosen): "--block N",
    (WhyOptions, BlockNotChosen): "--block N",
    (WhyOptions, MachineTooSmall): "--write SCENARIO.toml, and then `spacediff audit SCENARIO.toml --anyway`",
    (WhyOptions, ScenarioApproximate): "--approximate",
    (CompareOptions, FolderInUse): _OTHER_FOLDER,
    (CompareOptions, FolderOfAnotherAudit): _OTHER_FOLDER,
    (CompareOptions, InvalidArgument): "--semantics MODEL --part hand",
    (ReportOptions, FileExists): "--out names the file or folder",
    (ReportOptions, InvalidArgument): "--format zip",
    (ReportOptions, UnknownName): "--variant NAME",
    (ApproveOptions, NotAcceptable): "--out DIR names the audit folder",
    (WhyOptions, FileExists): "--write names the scenario, --patch the patch",
    (WhyOptions, InvalidArgument): "--write FILE, --patch FILE or --plan-only",
}


def with_option(error: SpacediffError, options: Options) -> SpacediffError:
    """Add the option that resolves an error to its hint, and return the error."""
    if option := _OPTIONS.get((type(options), type(error))):
        error.hint = f"{error.hint} ({option})" if error.hint else option
    return error
