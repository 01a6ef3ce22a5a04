from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from spacediff.sources.space.retrying import seconds_of


def test_a_server_names_its_wait_in_seconds_or_as_a_date() -> None:
    assert seconds_of(" 7 ") == 7.0
    found = seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True))
    assert found is not None
    assert 300 < found <= 600
    assert seconds_of("Mon, 01 Jan 2001 00:00:00 GMT") == 0.0


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "٣", f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"])
def test_anything_else_names_no_wait(text: str) -> None:
    assert seconds_of(text) is None
