from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import AuditRecord
from support.synthetic_audit import synthetic_audit


@pytest.fixture(scope="session")
def audit(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Path]:
    folder = tmp_path_factory.mktemp("audit")
    return synthetic_audit(folder, frames=5, size=(32, 48)), folder


@pytest.fixture
def record(audit: tuple[AuditRecord, Path]) -> AuditRecord:
    return audit[0]


@pytest.fixture
def folder(audit: tuple[AuditRecord, Path]) -> Path:
    return audit[1]
