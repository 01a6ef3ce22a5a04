"""Choose the source that produces a run, and start what it needs, such as the tiny Space."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.fitting.refusal import refuse_what_cannot_fit
from spacediff.progress import Progress
from spacediff.run import Run
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.tiny.space_app import DEVICE

if TYPE_CHECKING:
    from spacediff.sources.local.generate import LocalSource

TINY_SPACES = {
    "builtin:tiny-space": "builtin:tiny-cogvideox",
    "builtin:tiny-space-random": "builtin:tiny-cogvideox-random",
}
"""The checkpoint that each built-in Space serves."""


class Sources:
    """The sources of an audit. Each is opened for its first run and stays open until `close`.

    Args:
        reuse: Whether a local run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether local runs keep the latents of each step.
    """

    def __init__(self, *, reuse: bool = True, keep_latents: bool = True) -> None:
        self._reuse = reuse
        self._keep_latents = keep_latents
        self._open = ExitStack()
        self._local: LocalSource | None = None
        self._served: dict[str, str] = {}

    def close(self) -> None:
        """Stop everything that was started, including the tiny Space."""
        self._open.close()

    def produce(self, run: Run, folder: Path, progress: Progress) -> Produced:
        """Produce a run's clip.

        Args:
            run: The run.
            folder: Folder for the unmodified file that was downloaded or given.
            progress: Receives the progress.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        if run.source == "space":
            return self._fetch(run, folder, progress)
        if run.source == "video":
            from spacediff.sources.video import take

            return take(Path(run.request["file"]), folder)
        self.check(run)
        if self._local is None:
            from spacediff.sources.local.generate import LocalSource

            self._local = LocalSource(reuse=self._reuse, keep_latents=self._keep_latents)
        return self._local.generate(
            run.settings, run.prompt.text, run.prompt.seed, progress, fresh=run.repeat > 0, fed_by=run.fed_by
        )

    def check(self, run: Run) -> None:
        """Check whether this machine has the devices that a run needs, and the memory for its weights.

        Raises:
            NotMeasuredError: A device is missing, or too small.
        """
        if run.source == "diffusers":
            from spacediff.sources.local.placement import refuse_what_cannot_run

            refuse_what_cannot_run(run.settings)
            refuse_what_cannot_fit(run)

    def checkpoint_stamp(self, run: Run) -> str:
        """Return a fingerprint of a local checkpoint's files; empty for one from the Hub, which has an id."""
        from spacediff.sources.local.pipeline import stamp

        checkpoint = TINY_SPACES.get(str(run.request.get("id"))) or run.settings.value("model.id")
        return stamp(checkpoint) if run.made_here else ""

    def _fetch(self, run: Run, folder: Path, progress: Progress) -> Produced:
        from spacediff.sources.space import SpaceRequest, fetch

        request = SpaceRequest(**run.request)
        if request.id not in TINY_SPACES:
            return fetch(request, run.prompt.text, run.prompt.seed, folder, progress)
        address = self._address(request.id, progress)
        produced = fetch(replace(request, id=address), run.prompt.text, run.prompt.seed, folder, progress)
        # its port differs from audit to audit
        named = Settings.of({"space": {"id": request.id}}, Origin.DECLARED)
        hosted = {name: text for name, text in produced.hosted.items() if address not in text}
        hosted["device"] = DEVICE
        described = produced.described.replace(address, request.id)
        return replace(produced, described=described, settings=produced.settings.changed_by(named), hosted=hosted)

    def _address(self, space: str, progress: Progress) -> str:
        if space not in self._served:
            from spacediff.tiny.serving import serve_tiny_space

            progress.on_status("starting the tiny Space")
            self._served[space] = self._open.enter_context(serve_tiny_space(checkpoint=TINY_SPACES[space]))
        return self._served[space]
