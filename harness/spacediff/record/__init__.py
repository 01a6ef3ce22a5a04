"""The audit record: what `audit.json` holds, and the only thing that a report knows.

Everything here is data: numbers measured, texts to escape, paths relative to the audit folder. A report that needs a
number that is not here needs a new field here, not a computation there.
"""

from __future__ import annotations

from spacediff.metric_info import MetricInfo
from spacediff.record.audit import (
    SCHEMA_VERSION,
    AuditRecord,
    EnvironmentRecord,
    GateRecord,
    GateStatus,
    IgnoredRecord,
    InputRecord,
    PromptRecord,
    WarningRecord,
)
from spacediff.record.base import Number, Record
from spacediff.record.cause import (
    CauseRecord,
    ProbeRecord,
    ProofRecord,
    Standing,
    SuspectRecord,
    TileRecord,
    ToleranceRecord,
)
from spacediff.record.comparison import (
    ComparisonRecord,
    Control,
    ControlRecord,
    FirstDivergenceRecord,
    MapRecord,
    MeasureRecord,
    MetricRecord,
    RankRecord,
    ResolutionRecord,
    Verdict,
)
from spacediff.record.derived import with_derived
from spacediff.record.fact import CONTENT_FAULTS, Fact, FactKind, fact, quoted
from spacediff.record.file import read_record, read_record_file, record_schema, redacted, redacted_fact, write_record
from spacediff.record.history import Change, FactChange, HistoryRecord, Subject, VariantHistory
from spacediff.record.loop import (
    DivergenceRecord,
    GuidanceChangeRecord,
    GuidanceRangeRecord,
    IsolatedStepsRecord,
    LoopRecord,
    LoopReferenceRecord,
    NonfiniteRecord,
    SharingRecord,
)
from spacediff.record.overview import OverviewRecord, RemarkRecord, ScaleRecord
from spacediff.record.run import (
    ASIDE,
    UNPAIRED,
    ClipRecord,
    Ignored,
    Role,
    RunRecord,
    SettingGroupsRecord,
    SettingRecord,
    SmallPreview,
    record_settings,
    recorded_settings,
)
from spacediff.record.samples import SampleMeasureRecord, SamplesRecord
from spacediff.record.semantics import AgreementRecord, SemanticsRecord, TextRecord
from spacediff.record.stopped import StoppedRecord
from spacediff.record.trace import (
    LATENTS,
    NoiseRecord,
    Stage,
    StageRecord,
    StepRecord,
    TraceComparisonRecord,
    TraceRecord,
    TransplantRecord,
)
from spacediff.settings import WITHHELD, Origin

__all__ = [
    "ASIDE",
    "CONTENT_FAULTS",
    "LATENTS",
    "SCHEMA_VERSION",
    "UNPAIRED",
    "WITHHELD",
    "AgreementRecord",
    "AuditRecord",
    "CauseRecord",
    "Change",
    "ClipRecord",
    "ComparisonRecord",
    "Control",
    "ControlRecord",
    "DivergenceRecord",
    "EnvironmentRecord",
    "Fact",
    "FactChange",
    "FactKind",
    "FirstDivergenceRecord",
    "GateRecord",
    "GateStatus",
    "GuidanceChangeRecord",
    "GuidanceRangeRecord",
    "HistoryRecord",
    "Ignored",
    "IgnoredRecord",
    "InputRecord",
    "IsolatedStepsRecord",
    "LoopRecord",
    "LoopReferenceRecord",
    "MapRecord",
    "MeasureRecord",
    "MetricInfo",
    "MetricRecord",
    "NoiseRecord",
    "NonfiniteRecord",
    "Number",
    "Origin",
    "OverviewRecord",
    "ProbeRecord",
    "PromptRecord",
    "ProofRecord",
    "RankRecord",
    "Record",
    "RemarkRecord",
    "ResolutionRecord",
    "Role",
    "RunRecord",
    "SampleMeasureRecord",
    "SamplesRecord",
    "ScaleRecord",
    "SemanticsRecord",
    "SettingGroupsRecord",
    "SettingRecord",
    "SharingRecord",
    "SmallPreview",
    "Stage",
    "StageRecord",
    "Standing",
    "StepRecord",
    "StoppedRecord",
    "Subject",
    "SuspectRecord",
    "TextRecord",
    "TileRecord",
    "ToleranceRecord",
    "TraceComparisonRecord",
    "TraceRecord",
    "TransplantRecord",
    "VariantHistory",
    "Verdict",
    "WarningRecord",
    "fact",
    "quoted",
    "read_record",
    "read_record_file",
    "record_schema",
    "record_settings",
    "recorded_settings",
    "redacted",
    "redacted_fact",
    "with_derived",
    "write_record",
]
