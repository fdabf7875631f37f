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

from bonas.runners import process_tree
from bonas.runners.messages import Payload, answer, crash_answer, read_answer, request
from bonas.runners.retry import Attempt
from bonas.runners.runner import no_free_worker, nothing_running
from bonas.runners.trial_limits import TrialLimits, restrict_device
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective, ObjectiveError

try:
    import dask.config
    from dask.utils import parse_timedelta
    from distributed import Client, Future, Nanny, Status, Worker, WorkerPlugin, get_worker
except ImportError as error:
    raise ImportError("the runner Dask needs the extra 'dask': pip install bonas[dask]") from error

POLL_SECONDS = 0.5
"""The interval between two queries of the workers in the cluster."""

SETUP_ATTEMPTS = 20
"""Attempts at sending the objective to all workers while some of them come and go."""

RESTART_SECONDS = 600.0
"""The time that a nanny gets to restart its worker before a cluster of this process closes it.

Dask's 15 seconds are not enough on a busy machine, and a cluster does not replace a closed nanny.
"""

RESULT_SECONDS = 60.0
"""The time to fetch the result of a trial that has ended from its worker, which may be busy or may
just have died."""

NO_WORKER_WARNING_SECONDS = 60.0
"""The time without any worker after which a warning is logged."""

log = logging.getLogger(__name__)


class SchedulerLost(RuntimeError):
    """The Dask scheduler is gone; the history holds all results until then."""


class _PayloadPlugin(WorkerPlugin):
    """Sends the payload to each worker, including those that join later, and keeps it there."""

    def __init__(self, name: str, packed: bytes) -> None:
        self.name = name
        self._packed = packed

    def setup(self, worker: Worker) -> None:
        self.payload = Payload.unpacked(self._packed)


def _evaluate(name: str, requested: dict[str, Any], device_memory: int | None) -> str:
    """Evaluate on the worker."""
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, _PayloadPlugin)
    try:
        restrict_device(requested["device"], device_memory)
        return answer(plugin.payload, requested)
    except Exception as error:  # raised before the objective was called
        return crash_answer(error)


def _kill_worker(address: str, dask_worker: Nanny) -> None:
    """Kill the worker at `address` from its nanny, which then starts another.

    The process of a nanny that is starting another already is left alone.
    """
    process = dask_worker.process
    if process is None or process.status != Status.running or process.pid is None:
        return
    if process.worker_address == address:
        started = process_tree.descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process_tree.kill(started)


def _be_patient() -> None:
    """Give nannies time to restart their workers, see `RESTART_SECONDS`."""
    timeout = "distributed.deploy.lost-worker-timeout"
    if parse_timedelta(dask.config.get(timeout)) < RESTART_SECONDS:
        dask.config.set({timeout: RESTART_SECONDS})


@dataclass(frozen=True)
class _Task:
    payload_name: str
    attempt: Attempt


@dataclass(frozen=True)
class _Running:
    task: _Task
    address: str
    began: float
    future: Future[str]


class Dask:
    """One trial at a time on each worker process of a Dask cluster.

    Workers may join and leave: the trial of a worker that left is retried on another one, from its
    last checkpoint, so all machines must share the directory of the search. A worker keeps the
    objective, and so the data set on its device. On workers that declare the resource `GPU` (`dask
    worker --resources GPU=1`, one process per GPU) each trial takes one, and its `context.device`
    is "cuda"; a trial of a `Distributed` training uses the first GPUs that its worker sees. While
    there is no worker the search waits for one.

    A trial is ended by killing the worker process, which its nanny then restarts; Dask's setting
    `distributed.deploy.lost-worker-timeout` is raised to `RESTART_SECONDS` for that. On workers
    without a nanny a trial that exceeds a limit is abandoned, and its worker gets no more trials.

    Args:
        client: of the cluster: `Client(n_workers=2, threads_per_worker=1)` makes one of processes
            of this machine.
        limits: of each trial. Dask samples the memory of workers about once a second.
        retries: the number of retries of a trial whose worker dies.

    Raises:
        ValueError: `retries` is negative.
    """

    def __init__(
        self, client: Client, *, limits: TrialLimits | None = None, retries: int = 1
    ) -> None:
        if retries < 0:
            raise ValueError(f"retries is 0 or more, not {retries}")
        _be_patient()
        self._client = client
        self._limits = limits or TrialLimits()
        self._retries = retries
        self._began = time.monotonic()
        self._payload: tuple[str, Payload] | None = None
        self._queue: deque[_Task] = deque()  # tasks without a worker
        self._running: dict[str, _Running] = {}  # by the address of the worker
        self._done: Queue[Future[str]] = Queue()
        self._info: dict[str, dict[str, Any]] = {}  # of the workers, by address
        self._excluded: set[str] = set()  # addresses of workers that get no more trials
        self._last_query = -POLL_SECONDS
        self._last_worker = time.monotonic()  # when the cluster last had a worker

    @property
    def workers(self) -> int:
        """The number of worker processes now; 1 while the runner waits for the first."""
        self._query()
        return max(1, len(self._usable()))

    def now(self) -> float:
        """See `Runner.now`."""
        return time.monotonic() - self._began

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`.

        Raises:
            RuntimeError: no worker is free.
            ObjectiveError: the objective cannot be sent to the workers.
            SchedulerLost: the scheduler is gone.
        """
        if len(self._running) + len(self._queue) >= self.workers:
            raise no_free_worker(self.workers)
        if self._payload is None or not self._payload[1].serves(objective, trial):
            self._set_up(Payload.of(objective, trial))
        assert self._payload is not None
        attempt = Attempt.first(objective, trial, context, self.now())
        self._queue.append(_Task(self._payload[0], attempt))
        self._assign()

    def wait(self) -> Evaluation:
        """See `Runner.wait`.

        Raises:
            SchedulerLost: the scheduler is gone.
        """
        while (evaluation := self.poll(POLL_SECONDS)) is None:
            pass
        return evaluation

    def poll(self, seconds: float) -> Evaluation | None:
        """See `Pollable.poll`.

        Raises:
            SchedulerLost: the scheduler is gone.
        """
        end = time.monotonic() + seconds
        while self._running or self._queue:
            self._query()
            self._assign()
            left = end - time.monotonic()
            evaluation = self._lost_or_over_limit() or self._next(max(0.0, left))
            if evaluation is not None or left <= 0:
                return evaluation
        raise nothing_running()

    def cancel(self) -> None:
        """See `Runner.cancel`; busy workers are killed."""
        self._queue.clear()
        for running in list(self._running.values()):
            with contextlib.suppress(SchedulerLost):
                self._end(running)

    def close(self) -> None:
        """End what is running; the client and its cluster stay open."""
        self.cancel()
        if self._payload is not None:
            self._unregister(self._payload[0])
        self._payload = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # The cluster ----------------------------------------------------------------------------

    def _check_scheduler(self) -> None:
        if self._client.status != "running":
            address = getattr(self._client.scheduler, "address", "unknown address")
            raise SchedulerLost(
                f"the scheduler of Dask ({address}) is gone: the history holds all results until "
                f"then; {len(self._running) + len(self._queue)} running trials have to be "
                "evaluated again. Start a scheduler, and the search in the same directory"
            )

    def _query(self) -> None:
        """Query the workers in the cluster if the last query is long enough ago."""
        if time.monotonic() - self._last_query < POLL_SECONDS:
            return
        self._check_scheduler()
        try:
            self._info = dict(self._client.scheduler_info(n_workers=-1)["workers"])
        except OSError:
            self._check_scheduler()
            raise
        self._last_query = time.monotonic()
        self._excluded &= set(self._info)
        if self._info:
            self._last_worker = time.monotonic()
        elif time.monotonic() - self._last_worker > NO_WORKER_WARNING_SECONDS:
            log.warning(
                f"there has been no Dask worker for {NO_WORKER_WARNING_SECONDS:g} seconds: waiting "
                "for one"
            )
            self._last_worker = time.monotonic()

    def _usable(self) -> list[str]:
        return [
            address
            for address, info in self._info.items()
            if address not in self._excluded and info.get("status", "running") == "running"
        ]

    def _set_up(self, payload: Payload) -> None:
        name = f"bonas-{uuid4().hex}"
        for attempt in range(1, SETUP_ATTEMPTS + 1):
            self._check_scheduler()
            try:
                self._client.register_plugin(_PayloadPlugin(name, payload.packed), name=name)
                break
            except OSError:  # a worker has just died
                if attempt == SETUP_ATTEMPTS:
                    raise
                time.sleep(POLL_SECONDS)
            except Exception as error:  # the objective needs something that a worker lacks
                self._unregister(name)
                raise ObjectiveError(
                    f"the objective cannot be set up on the Dask workers ({error!r}): they need "
                    "the same packages as this process"
                ) from error
        if self._payload is not None:
            self._unregister(self._payload[0])
        self._payload = name, payload

    def _unregister(self, name: str) -> None:
        """Remove a payload from the workers; one that dies meanwhile has lost it anyway."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.unregister_worker_plugin(name)

    # Assignment -----------------------------------------------------------------------------

    def _assign(self) -> None:
        """Assign queued tasks to free workers, in order."""
        for address in self._usable():
            if self._queue and address not in self._running:
                self._start(self._queue.popleft(), address)

    def _start(self, task: _Task, address: str) -> None:
        trial, context = task.attempt.trial, task.attempt.context
        has_gpu = self._info[address].get("resources", {}).get("GPU", 0) >= 1
        device = "cuda" if has_gpu else context.device
        began = self.now()
        # The runner assigns trials itself, one per process, because torch's random state belongs
        # to a process.
        future = self._client.submit(
            _evaluate,
            task.payload_name,
            request(trial, replace(context, device=device)),
            self._limits.device_memory,
            key=f"{task.payload_name}-{trial.number}-{uuid4().hex}",
            workers=[address],
            resources={"GPU": 1} if has_gpu else None,
            pure=False,
            retries=0,
        )
        self._running[address] = _Running(task, address, began, future)
        future.add_done_callback(self._done.put)

    # Results --------------------------------------------------------------------------------

    def _next(self, seconds: float) -> Evaluation | None:
        """Return the result of the next task that ends; None if none does for a while."""
        limit = self._limits.seconds
        interval = POLL_SECONDS if limit is None else min(POLL_SECONDS, max(0.01, limit / 10))
        try:
            future = self._done.get(timeout=min(interval, seconds))
        except Empty:
            return None
        running = next((r for r in self._running.values() if r.future is future), None)
        if running is None:  # of a trial that was abandoned
            return None
        try:
            text = future.result(timeout=RESULT_SECONDS)
        except Exception as error:  # of Dask; the objective's own errors are in answers
            self._check_scheduler()
            return self._lost(running, repr(error))
        del self._running[running.address]
        attempt = running.task.attempt
        evaluation = read_answer(text, attempt.trial)
        return self._retried(running, attempt.after_answer(evaluation, self._retries))

    def _lost_or_over_limit(self) -> Evaluation | None:
        """Return the failure of a trial whose worker is gone or that exceeds a limit, if any."""
        for running in list(self._running.values()):
            info = self._info.get(running.address)
            if info is None:
                if (failure := self._lost(running, "it has left the cluster")) is not None:
                    return failure
                continue
            memory = info.get("metrics", {}).get("memory", 0)
            seconds = self.now() - running.began
            failure = running.task.attempt.over_limit(self._limits, seconds, memory)
            if failure is not None:
                self._end(running)
                return self._timed(running, failure)
        return None

    def _lost(self, running: _Running, cause: str) -> Evaluation | None:
        self._end(running)
        seconds = self.now() - running.began
        outcome = running.task.attempt.after_loss(cause, seconds, self._retries)
        return self._retried(running, outcome)

    def _retried(self, running: _Running, outcome: Attempt | Evaluation) -> Evaluation | None:
        """Return an evaluation with its start; queue the next attempt if there is one."""
        if isinstance(outcome, Evaluation):
            return self._timed(running, outcome)
        self._queue.appendleft(replace(running.task, attempt=outcome))
        return None

    def _timed(self, running: _Running, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation with its start on this runner's clock."""
        latest = self.now() - evaluation.seconds
        return replace(evaluation, started=max(running.task.attempt.submitted, latest))

    def _end(self, running: _Running) -> None:
        """End a trial, or exclude its worker where it cannot be killed."""
        address = running.address
        del self._running[address]
        running.future.cancel(force=True)
        self._excluded.add(address)
        info = self._info.pop(address, {})
        self._last_query = -POLL_SECONDS
        if info.get("nanny") and self._client.status == "running":
            with contextlib.suppress(Exception):  # the worker may have gone by itself
                self._client.run(
                    _kill_worker, address, workers=[address], nanny=True, on_error="ignore"
                )
