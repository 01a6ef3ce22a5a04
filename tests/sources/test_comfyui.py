"""The program of docs/comfyui.md, with a stand-in for the routes of ComfyUI's server that it uses."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from spacediff.errors import ProgramFailed
from spacediff.progress import SilentListener
from spacediff.settings import Origin
from spacediff.sources import Produced
from spacediff.sources.command import run_command
from support.paths import ROOT
from support.programs import reference_of, scenario_text
from support.signed_pictures import GRAPH, png

PROMPT = 'a lemon, "sliced"'


class _Comfy(BaseHTTPRequestHandler):
    """Answers as docs.comfy.org/development/comfyui-server/comms_routes says; a prompt is done when asked twice."""

    def do_POST(self) -> None:
        assert self.path == "/prompt"
        graph = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        if "seed" not in graph["3"]["inputs"]:
            self._answer({"error": {"message": "Required input is missing"}, "node_errors": {"3": {}}}, 400)
            return
        self.server.asked.append(graph)  # type: ignore[attr-defined]
        self._answer({"prompt_id": "a-1", "number": 1, "node_errors": {}})

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path == "/history/a-1":
            self.server.looks += 1  # type: ignore[attr-defined]
            saved = [{"filename": "x_1.png", "subfolder": "", "type": "output"}]
            shown = [{"filename": "preview.png", "subfolder": "", "type": "temp"}]
            outputs = self.server.outputs or {"8": {"images": shown}, "9": {"images": saved, "animated": [False]}}  # type: ignore[attr-defined]
            done = {"a-1": {"outputs": outputs, "status": {"status_str": "success", "completed": True}}}
            self._answer(done if self.server.looks > 1 else {})  # type: ignore[attr-defined]
            return
        assert (place.path, parse_qs(place.query)["filename"]) == ("/view", ["x_1.png"])
        self._send(self.server.picture(self.server.asked[-1]))  # type: ignore[attr-defined]

    def _answer(self, content: Any, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), status)

    def _send(self, content: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def comfy(tmp_path: Path) -> Iterator[Any]:
    def picture(graph: Any) -> bytes:
        return png(tmp_path / "saved.png", prompt=json.dumps(graph)).read_bytes()

    with ThreadingHTTPServer(("127.0.0.1", 0), _Comfy) as server:
        server.asked, server.looks, server.outputs, server.picture = [], 0, {}, picture  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def produced(server: Any, folder: Path, graph: Any) -> Produced:
    """Run the program of the documentation, with the address of the stand-in."""
    text = (ROOT / "docs" / "comfyui.md").read_text("utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (table,) = re.findall(r"```toml\n\[reference\.command\]\nrun = (.*?)\nsuffix = (.*?)\n```", text, re.DOTALL)
    own = f"http://127.0.0.1:{server.server_port}"
    (folder / "comfy.py").write_text(source.replace("http://127.0.0.1:8188", own), "utf-8")
    (folder / "workflow_api.json").write_text(json.dumps(graph), "utf-8")
    run = reference_of(
        scenario_text(json.loads(table[0]), prompt=PROMPT, suffix=json.loads(table[1]), python=sys.executable), folder
    )
    (folder / "kept").mkdir()
    return run_command(run, folder / "kept", folder / "audit", SilentListener())


def workflow() -> Any:
    """Return the graph as the user has edited it."""
    graph = json.loads(json.dumps(GRAPH))
    graph["3"]["inputs"]["seed"], graph["6"]["inputs"]["text"] = "{seed}", "{prompt}"
    return graph


def test_the_picture_is_the_reference_with_the_settings_of_its_nodes(comfy: Any, tmp_path: Path) -> None:
    found = produced(comfy, tmp_path, workflow())
    (asked,) = comfy.asked
    assert (asked["3"]["inputs"]["seed"], asked["6"]["inputs"]["text"]) == (42, PROMPT)
    assert asked["3"]["inputs"]["steps"] == GRAPH["3"]["inputs"]["steps"]
    assert found.original is not None
    assert found.original.read_bytes() == (tmp_path / "saved.png").read_bytes()
    assert found.settings.value("rng.seed") == 42
    assert (found.settings.value("call.guidance_scale"), found.settings["call.guidance_scale"].origin) == (
        7.5, Origin.DECLARED
    )  # fmt: skip
    assert found.warnings == ()


@pytest.mark.parametrize("refused", [True, False])
def test_what_comfyui_says_is_in_the_error(comfy: Any, tmp_path: Path, *, refused: bool) -> None:
    graph = workflow()
    if refused:
        del graph["3"]["inputs"]["seed"]
    else:
        comfy.outputs = {"8": {"images": []}}
    with pytest.raises(ProgramFailed) as raised:
        produced(comfy, tmp_path, graph)
    assert ("Required input is missing" if refused else "ComfyUI saved nothing") in raised.value.hint
