from __future__ import annotations

import sys

from support.fresh_process import spacediff


def test_a_forked_process_is_fresh_and_has_the_heavy_libraries() -> None:
    sys.modules["left_by_a_test"] = sys
    done = spacediff(
        program="""
import sys, threading
assert "left_by_a_test" not in sys.modules
assert {"torch", "diffusers", "gradio"} <= set(sys.modules), "what is preloaded failed to import"
assert threading.active_count() == 1, "the server had threads when it forked"
sys.exit(7)
"""
    )
    del sys.modules["left_by_a_test"]
    assert (done.returncode, done.stderr) == (7, "")


def test_a_forked_command_prints_and_exits_as_a_started_one() -> None:
    done = spacediff("audit", "nowhere.toml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nowhere.toml" in done.stderr
