"""The library: what the commands do, for other programs, tests and notebooks.

Each function is a command without its output. It takes paths and options, returns a typed result and raises an error
of `spacediff.errors`. Nothing here prints, exits, or installs a signal handler; an audit reports its progress to a
`ProgressListener`, by default to nobody. Heavy libraries are imported when a function needs them.
"""

from spacediff.api.audits import accept_audit, compare_videos, load_scenario, plan_audit, run_audit, run_audits
from spacediff.api.checks import CheckInterrupted, check_space
from spacediff.api.environments import space_environment
from spacediff.api.given import StrPath
from spacediff.api.parity import assert_reproduces
from spacediff.api.records import read_record, render_report, write_report
from spacediff.api.scripts import record_script, write_probe
from spacediff.api.sources import check_machine, read_source
from spacediff.api.versions import compare_versions

__all__ = [
    "CheckInterrupted",
    "StrPath",
    "accept_audit",
    "assert_reproduces",
    "check_machine",
    "check_space",
    "compare_versions",
    "compare_videos",
    "load_scenario",
    "plan_audit",
    "read_record",
    "read_source",
    "record_script",
    "render_report",
    "run_audit",
    "run_audits",
    "space_environment",
    "write_probe",
    "write_report",
]
