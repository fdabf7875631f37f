"""Trials on the workers of a Dask cluster, on this machine or on many."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections import deque
from dataclasses import dataclass, replace
from queue import Empty, Queue
from typing import Any, Self
from uuid import uuid4

from bonas.runners import tree
from bonas.runners.messages import Work, carry_out, failed, order, read
from bonas.runners.trial_limits import TrialLimits, restrict_device
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective, ObjectiveError, resumes

try:
    from distributed import Client, Future, Nanny, Worker, WorkerPlugin, get_worker
except ImportError as error:
    raise ImportError("the runner Dask needs the extra 'dask': pip install bonas[dask]") from error

LOOK = 0.5
"""Seconds between two looks at which workers are there."""

TRIES = 20
"""Attempts at bringing the objective to all workers while some of them come and go."""

ALARM = 60.0
"""Seconds without any worker after which a warning says so."""

log = logging.getLogger(__name__)


class SchedulerLost(RuntimeError):
    """The scheduler of Dask is gone; what has ended is in the history."""


class _Equipment(WorkerPlugin):
    """Brings the objective to each worker, those that join later too, and keeps it there."""

    def __init__(self, name: str, packed: bytes) -> None:
        self.name = name
        self._packed = packed

    def setup(self, worker: Worker) -> None:
        self.work = Work.unpacked(self._packed)


def _evaluate(name: str, ordered: dict[str, Any], device_memory: int | None) -> str:
    """On the worker."""
    equipment = get_worker().plugins[name]
    assert isinstance(equipment, _Equipment)
    try:
        restrict_device(ordered["device"], device_memory)
        return carry_out(equipment.work, ordered)
    except Exception as error:  # of what could not even be called
        return failed(error)


def _kill_worker(dask_worker: Nanny) -> None:
    """On the nanny of a worker, which then starts another."""
    if dask_worker.pid is not None:
        started = tree.descendants(dask_worker.pid)
        os.kill(dask_worker.pid, signal.SIGKILL)
        tree.kill(started)


@dataclass
class _Task:
    name: str
    trial: Trial
    context: Context
    continues: bool  # another attempt goes on from the checkpoint of the last
    submitted: float
    attempts: int = 0
    address: str = ""  # of the worker that has it
    began: float = 0.0
    future: Future[str] | None = None


class Dask:
    """One trial at a time on each worker process of a Dask cluster.

    Workers may join and leave: what a worker had when it left is tried again on another one,
    from its last checkpoint, so the directory of the search is one that all machines share. A
    worker keeps the objective, and so the data set on its device. On workers that declare the
    resource `GPU` (`dask worker --resources GPU=1`, one process a GPU) each trial takes one,
    and its `context.device` is "cuda". While there is no worker the search waits for one.

    A trial is ended by killing the worker process, which its nanny then starts anew; on workers
    without a nanny a trial over its limit is given up, and its worker gets nothing more.

    Args:
        client: of the cluster: `Client(n_workers=2, threads_per_worker=1)` makes one of this
            machine's processes.
        limits: of each trial. Dask looks at the memory of workers about once a second.
        retries: how often a trial is tried again when its worker dies.

    Raises:
        ValueError: `retries` is negative.
    """

    def __init__(
        self, client: Client, *, limits: TrialLimits | None = None, retries: int = 1
    ) -> None:
        if retries < 0:
            raise ValueError(f"retries is 0 or more, not {retries}")
        self._client = client
        self._limits = limits or TrialLimits()
        self._retries = retries
        self._began = time.monotonic()
        self._work: tuple[str, Work] | None = None
        self._queue: deque[_Task] = deque()  # of what has no worker yet
        self._running: dict[str, _Task] = {}  # by the address of the worker
        self._done: Queue[Future[str]] = Queue()
        self._known: dict[str, dict[str, Any]] = {}  # workers by address
        self._given_up: set[str] = set()  # addresses that get nothing more
        self._looked = -LOOK
        self._seen = time.monotonic()  # when there was a worker

    @property
    def workers(self) -> int:
        """How many worker processes there are now; 1 while one waits for the first."""
        self._look()
        return max(1, len(self._usable()))

    def now(self) -> float:
        """Seconds since the runner was made, on the monotonic clock."""
        return time.monotonic() - self._began

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`.

        Raises:
            RuntimeError: no worker is free.
            ObjectiveError: the objective cannot be sent to the workers.
            SchedulerLost: the scheduler is gone.
        """
        if len(self._running) + len(self._queue) >= self.workers:
            raise RuntimeError(
                f"all {self.workers} workers are busy: wait before the next trial is submitted"
            )
        if self._work is None or not self._work[1].serves(objective, trial):
            self._equip(Work.of(objective, trial))
        assert self._work is not None
        name = self._work[0]
        context = replace(context, curve=[])
        self._queue.append(_Task(name, trial, context, resumes(objective), self.now()))
        self._assign()

    def wait(self) -> Evaluation:
        """See `Runner.wait`.

        Raises:
            SchedulerLost: the scheduler is gone.
        """
        while (evaluation := self.poll(LOOK)) is None:
            pass
        return evaluation

    def poll(self, seconds: float) -> Evaluation | None:
        """See `Attended.poll`.

        Raises:
            SchedulerLost: the scheduler is gone.
        """
        end = time.monotonic() + seconds
        while self._running or self._queue:
            self._look()
            self._assign()
            left = end - time.monotonic()
            evaluation = self._overdue() or self._next(max(0.0, left))
            if evaluation is not None or left <= 0:
                return evaluation
        raise RuntimeError("nothing is running: submit a trial before you wait")

    def cancel(self) -> None:
        """See `Runner.cancel`; the workers that were busy are killed."""
        self._queue.clear()
        for task in list(self._running.values()):
            with contextlib.suppress(SchedulerLost):
                self._end(task)

    def close(self) -> None:
        """Ends what is running; the client and its cluster stay open."""
        self.cancel()
        if self._work is not None:
            self._clear_away(self._work[0])
        self._work = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # The cluster ----------------------------------------------------------------------------

    def _check(self) -> None:
        if self._client.status != "running":
            address = getattr(self._client.scheduler, "address", "unknown address")
            raise SchedulerLost(
                f"the scheduler of Dask ({address}) is gone: everything that had ended is in the "
                f"history, {len(self._running) + len(self._queue)} running trials are to be "
                "evaluated again; start a scheduler and the search in the same directory"
            )

    def _look(self) -> None:
        """Sees which workers are there, if it is time."""
        if time.monotonic() - self._looked < LOOK:
            return
        self._check()
        try:
            self._known = dict(self._client.scheduler_info(n_workers=-1)["workers"])
        except OSError:
            self._check()
            raise
        self._looked = time.monotonic()
        self._given_up &= set(self._known)
        if self._known:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > ALARM:
            log.warning(f"there has been no Dask worker for {ALARM:g} seconds: waiting for one")
            self._seen = time.monotonic()

    def _usable(self) -> list[str]:
        return [
            address
            for address, info in self._known.items()
            if address not in self._given_up and info.get("status", "running") == "running"
        ]

    def _equip(self, work: Work) -> None:
        name = f"bonas-{uuid4().hex}"
        for attempt in range(1, TRIES + 1):
            self._check()
            try:
                self._client.register_plugin(_Equipment(name, work.packed), name=name)
                break
            except OSError:  # a worker died just now
                if attempt == TRIES:
                    raise
                time.sleep(LOOK)
            except Exception as error:  # whatever the objective needs and a worker does not have
                self._clear_away(name)
                raise ObjectiveError(
                    f"the objective cannot be set up on the Dask workers ({error!r}): they need "
                    "the same packages as this process"
                ) from error
        if self._work is not None:
            self._clear_away(self._work[0])
        self._work = name, work

    def _clear_away(self, name: str) -> None:
        """Takes an objective from the workers; one that dies meanwhile has lost it anyway."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.unregister_worker_plugin(name)

    # Giving work out ------------------------------------------------------------------------

    def _assign(self) -> None:
        """Gives what waits to free workers, in order."""
        for address in self._usable():
            if self._queue and address not in self._running:
                self._send(self._queue.popleft(), address)

    def _send(self, task: _Task, address: str) -> None:
        has_gpu = self._known[address].get("resources", {}).get("GPU", 0) >= 1
        device = "cuda" if has_gpu else task.context.device
        ordered = order(task.trial, replace(task.context, device=device))
        task.address, task.began = address, self.now()
        self._running[address] = task
        # The runner places trials itself, one a process: torch's random state is of a process.
        task.future = self._client.submit(
            _evaluate,
            task.name,
            ordered,
            self._limits.device_memory,
            key=f"{task.name}-{task.trial.number}-{uuid4().hex}",
            workers=[address],
            resources={"GPU": 1} if has_gpu else None,
            pure=False,
            retries=0,
        )
        task.future.add_done_callback(self._done.put)

    # Taking results -------------------------------------------------------------------------

    def _next(self, seconds: float) -> Evaluation | None:
        """What the next task that ends means; None if none does for a while."""
        limit = self._limits.seconds
        patience = LOOK if limit is None else min(LOOK, max(0.01, limit / 10))
        try:
            future = self._done.get(timeout=min(patience, seconds))
        except Empty:
            return None
        task = next((t for t in self._running.values() if t.future is future), None)
        if task is None:  # of a trial that was given up
            return None
        try:
            answer = future.result(timeout=10)
        except Exception as error:  # of Dask, not of the objective, whose errors are answers
            self._check()
            return self._lost(task, repr(error))
        del self._running[task.address]
        return self._timed(task, read(answer, task.trial))

    def _overdue(self) -> Evaluation | None:
        """What has come of a trial whose worker is gone or that is over a limit, if any is."""
        for task in list(self._running.values()):
            info = self._known.get(task.address)
            if info is None:
                if (lost := self._lost(task, "it has left the cluster")) is not None:
                    return lost
                continue
            seconds = self.now() - task.began
            exceeded = self._limits.exceeded(seconds, info.get("metrics", {}).get("memory", 0))
            if exceeded is not None:
                self._end(task)
                status, reason = exceeded
                failure = Evaluation(
                    task.trial, status=Status(status), error=reason, seconds=seconds
                )
                return self._timed(task, failure)
        return None

    def _lost(self, task: _Task, how: str) -> Evaluation | None:
        """A trial whose worker died: tried again, or given up."""
        self._end(task)
        task.attempts += 1
        times = f"{task.attempts} time{'s' if task.attempts > 1 else ''}"
        reason = f"the worker of trial {task.trial.number} was lost ({times}): {how}"
        if task.attempts <= self._retries:
            log.warning(f"{reason}; it is tried again")
            again = task.context.again() if task.continues else replace(task.context, curve=[])
            self._queue.appendleft(replace(task, context=again, future=None))
            return None
        failure = Evaluation(
            task.trial, status=Status.LOST, error=reason, seconds=self.now() - task.began
        )
        return self._timed(task, failure)

    def _timed(self, task: _Task, evaluation: Evaluation) -> Evaluation:
        """With its beginning on this runner's clock."""
        latest = self.now() - evaluation.seconds
        return replace(evaluation, started=max(task.submitted, latest))

    def _end(self, task: _Task) -> None:
        """Makes sure that a trial does not run any more, or gets no worker beside it."""
        del self._running[task.address]
        if task.future is not None:
            task.future.cancel(force=True)
        self._given_up.add(task.address)
        info = self._known.get(task.address, {})
        self._known.pop(task.address, None)
        self._looked = -LOOK
        if info.get("nanny") and self._client.status == "running":
            with contextlib.suppress(Exception):  # it may be gone by itself
                self._client.run(
                    _kill_worker, workers=[task.address], nanny=True, on_error="ignore"
                )
