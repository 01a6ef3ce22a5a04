"""The runs of an audit that a pool was asked for, from the question until what came of it is handed out."""

from __future__ import annotations

import hashlib

from spacediff.distributed.actor import Outcome, files_of_target
from spacediff.distributed.fetching import Events
from spacediff.distributed.pool import Begun, Event, Finished, Going, Order, Pool
from spacediff.distributed.schedule import Job
from spacediff.distributed.transfer import Sent, listed
from spacediff.environments.resolved import resolved
from spacediff.environments.wanted import TABLE
from spacediff.errors import GenerationFailed, NotMeasuredError, failure, raise_if_disk_full
from spacediff.files import remove_folder
from spacediff.privacy.private_prompts import private_texts
from spacediff.progress import ProgressListener, SilentListener, WorkerProgress
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources.local.numerics.switches import environment_for
from spacediff.stages import Stage, of_loading, up_to
from spacediff.store.store import Store
from spacediff.worker.messages import PlainRun
from spacediff.worker.records import unmeasured


class Asked:
    """The runs that the pool was asked for.

    Args:
        pool: The workers.
        events: Receives what becomes of the runs.

    Attributes:
        done: What came of those that are finished and were not handed out yet, by their key.
    """

    def __init__(self, pool: Pool, events: Events) -> None:
        self.done: dict[str, RunRecord] = {}
        self._pool, self._events = pool, events
        self._open: dict[int, tuple[Run, Order]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.done or any(order.key == key for _, order in self._open.values())

    def ask(self, run: Run, key: str, store: Store) -> None:
        """Ask for a run, unless it was asked for.

        What its environment comes to is found here and sent along, so that no two nodes install anything different;
        where it cannot be found, that is what comes of the run.
        """
        if key in self:
            return
        try:
            environment = resolved(run.settings, SilentListener())
        except NotMeasuredError as error:
            self.done[key] = unmeasured(run, key, error, 0.0)
            return
        needs = _needs(run, store)
        elsewhere = run.settings.table(TABLE)  # another version loads it once more
        loaded = (sorted(environment_for(run.settings).items()), of_loading(run.settings), elsewhere)
        checkpoint = _short(repr(loaded))
        shares = _short(up_to(run.settings, Stage.DENOISING).digest(), run.prompt.name, checkpoint)
        if run.repeat or run.fed_by is not None:  # shares nothing
            shares = f"{shares}-{key}"
        draft, words = store.new_draft(key), private_texts()
        job = Job(self._pool.next_number(), checkpoint, shares, urgent=run.stop is not None)
        order = Order(job, PlainRun.of(run), key, store.folder, needs, draft, words, environment)
        self._open[job.number] = run, order
        self._pool.submit(order, self._events.put)

    def follow(self, event: Event, store: Store, listener: ProgressListener) -> None:
        """Pass an event on to the listener; take what is finished into the store.

        Raises:
            DiskFull: There is no room for the files of a run.
        """
        if event.number not in self._open:
            return  # of a run that was abandoned
        run, order = self._open[event.number]
        match event:
            case Begun(worker=worker):
                listener.on_run_started(run)
                listener.on_worker(WorkerProgress(worker, run))
            case Going(worker=worker, working=working):
                listener.on_worker(WorkerProgress(worker, run, working.text, working.done, working.total))
            case Finished(outcome=outcome):
                del self._open[event.number]
                self.done[order.key] = _record(run, order, outcome, store)

    def abandon(self, *, but: frozenset[str] = frozenset()) -> None:
        """Give up what is not finished, but for some keys."""
        given_up = {number for number, (_, order) in self._open.items() if order.key not in but}
        self._pool.abandon(frozenset(given_up))
        for number in given_up:
            _, order = self._open.pop(number)
            remove_folder(order.draft)


def _record(run: Run, order: Order, outcome: Outcome | Exception, store: Store) -> RunRecord:
    """Move the files of a run to their place, and return its record; a failure becomes one too.

    Raises:
        DiskFull: There is no room for the files.
    """
    try:
        return _adopted(order, outcome, store)
    except NotMeasuredError as error:
        raise_if_disk_full(error)
        return unmeasured(run, order.key, error, 0.0)
    except Exception as error:  # noqa: BLE001 - the failure of one run must not end the others
        raise_if_disk_full(error)
        return unmeasured(run, order.key, GenerationFailed(failure(error)), 0.0)
    finally:
        remove_folder(order.draft)


def _adopted(order: Order, outcome: Outcome | Exception, store: Store) -> RunRecord:
    if isinstance(outcome, Exception):
        raise outcome
    if outcome.files:
        store.adopt(order.key, order.draft)
    return RunRecord.model_validate_json(outcome.record)


def _needs(run: Run, store: Store) -> tuple[Sent, ...]:
    """Describe the files of the audit folder that a run is compared with while it is made."""
    if run.stop is None:
        return ()
    keys = [key for key in (run.stop.target, *run.stop.seeds) if store.has(key)]
    folders = [store.folder_of(key) for key in keys]
    # of seeds, only the record and the latents are read; but a store has a run only with all of its files
    paths = [path for folder in folders for path in folder.iterdir()]
    paths += files_of_target(store.folder, run.stop.target)
    return listed(store.folder, sorted(path.relative_to(store.folder).as_posix() for path in paths))


def _short(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
