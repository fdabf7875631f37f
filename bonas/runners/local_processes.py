"""Several trials at once, in processes of this machine."""

from __future__ import annotations

import atexit
import logging
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import connection
from typing import Self

from bonas.runners.device_memory import Usage, fitting
from bonas.runners.messages import Payload, read_answer, request
from bonas.runners.retry import Attempt
from bonas.runners.runner import no_free_worker, nothing_running
from bonas.runners.trial_limits import TrialLimits
from bonas.runners.worker import Worker
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective

MEMORY_POLL_SECONDS = 0.1
"""The interval between two checks of the memory of the workers."""

ALIVE_POLL_SECONDS = 1.0
"""The interval between two checks that workers are alive: a process that a trial has forked can
hide the death of its worker from `connection.wait`."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Task:
    payload: bytes
    attempt: Attempt
    alone: bool = False  # on its device


class LocalProcesses:
    """Worker processes with one trial at a time each, and a device of their own or shared.

    A worker keeps the objective between trials, and so the data set on its device. When a worker
    dies, its trial is retried from the last checkpoint that it left. A trial that ran out of
    memory on a shared device is retried alone. Workers start when there is work for them, and end
    with `close`, with the runner or with Python.

    A script that uses this starts its work under `if __name__ == "__main__":`.

    Args:
        workers: the number of trials at once; by default one per device.
        devices: as torch names them, assigned to the workers in turn: with four workers and two
            GPUs, two trials share each GPU. None leaves the choice to the objective. A name such as
            "cuda:0,cuda:1" gives each trial of a `Distributed` training several.
        max_per_device: lets the number of trials per GPU follow from memory: one at first, then as
            many as fit if each needs as much as the largest so far, and at most this number.
        limits: of each trial.
        retries: the number of retries of a trial whose worker dies.
        threads: that torch uses in each worker.

    Raises:
        ValueError: there are no workers or no devices, a number is negative, or both `workers` and
            `max_per_device` are given.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        devices: Sequence[str | None] = (None,),
        max_per_device: int | None = None,
        limits: TrialLimits | None = None,
        retries: int = 1,
        threads: int = 1,
    ) -> None:
        if not devices:
            raise ValueError("devices is empty: name one or more, or leave it out")
        if retries < 0 or threads < 1:
            raise ValueError(f"retries is 0 or more and threads 1 or more: {retries}, {threads}")
        if max_per_device is not None and (workers is not None or max_per_device < 1):
            raise ValueError(
                f"max_per_device is {max_per_device} and workers {workers}: give one of them, 1 or "
                "more"
            )
        self._devices = tuple(devices)
        self._max_per_device = max_per_device
        self._room: dict[str | None, int] = {}  # trials that fit on a device
        self._peak = 0  # of the memory of a trial
        self._limits = limits or TrialLimits()
        self._retries = retries
        self._threads = threads
        self._began = time.monotonic()
        self._tasks: dict[Worker, _Task | None] = {}  # None for an idle worker
        self._queue: deque[_Task] = deque()  # tasks without a worker
        self._payload: Payload | None = None
        self.resize(len(self._devices) if workers is None else workers)
        self._finish = weakref.finalize(self, _end_workers, self._tasks)
        # Runs before multiprocessing waits for its processes, which would take forever.
        atexit.register(self._finish)

    @property
    def workers(self) -> int:
        """The number of trials that may run at once."""
        return self._workers

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the worker processes."""
        return tuple(worker.pid for worker in self._tasks)

    def resize(self, workers: int) -> None:
        """Change the number of workers; a surplus one ends after its trial.

        Raises:
            ValueError: `workers` is below 1.
        """
        if workers < 1:
            raise ValueError(f"there is at least 1 worker, not {workers}")
        self._workers = workers
        self._end_surplus()

    def now(self) -> float:
        """See `Runner.now`."""
        return time.monotonic() - self._began

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`.

        Raises:
            RuntimeError: no worker is free.
            ObjectiveError: the objective cannot be sent to another process.
        """
        if len(self._busy) + len(self._queue) >= self._workers:
            raise no_free_worker(self._workers)
        if self._payload is None or not self._payload.serves(objective, trial):
            self._payload = Payload.of(objective, trial)
        attempt = Attempt.first(objective, trial, context, self.now())
        self._queue.append(_Task(self._payload.packed, attempt))
        self._assign()

    def wait(self) -> Evaluation:
        """See `Runner.wait`."""
        while (evaluation := self.poll(ALIVE_POLL_SECONDS)) is None:
            pass
        return evaluation

    def poll(self, seconds: float) -> Evaluation | None:
        """See `Pollable.poll`."""
        end = time.monotonic() + seconds
        while True:
            self._assign()
            busy = self._busy
            if not busy:
                raise nothing_running()
            for worker in busy:
                if (evaluation := self._result(worker)) is not None:
                    return evaluation
            left = end - time.monotonic()
            if left <= 0:
                return None
            waitables = [item for worker in busy for item in worker.waitables if worker.alive]
            connection.wait(waitables, min(left, self._poll_seconds()))

    def cancel(self) -> None:
        """See `Runner.cancel`; busy workers are killed."""
        self._queue.clear()
        for worker in self._busy:
            self._remove(worker)

    def close(self) -> None:
        """End all workers and their trials."""
        self.cancel()
        self._finish()
        atexit.unregister(self._finish)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Assignment -----------------------------------------------------------------------------

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker, task in self._tasks.items() if task is not None]

    def _assign(self) -> None:
        """Assign queued tasks to free workers, in order."""
        while self._queue:
            task = self._queue[0]
            worker = self._free_worker(task)
            if worker is None:
                return
            context = task.attempt.context
            context = replace(context, device=worker.device or context.device)
            started = worker.start(task.payload, request(task.attempt.trial, context))
            if started or not worker.ready:  # `_result` reports a new worker that has died
                self._tasks[worker] = self._queue.popleft()
            else:  # it died while it was idle
                self._remove(worker)

    def _free_worker(self, task: _Task) -> Worker | None:
        for worker, current in self._tasks.items():
            if current is None and self._fits(task, worker.device):
                return worker
        counts = [sum(w.device == device for w in self._tasks) for device in self._devices]
        device = self._devices[counts.index(min(counts))]
        if len(self._tasks) >= self._workers or not self._fits(task, device):
            return None
        worker = Worker(device, self._threads, self._limits.device_memory)
        self._tasks[worker] = None
        return worker

    def _fits(self, task: _Task, device: str | None) -> bool:
        """Return whether a task may run next to the running ones on a device."""
        others = [t for w, t in self._tasks.items() if t is not None and w.device == device]
        return not others or not (task.alone or any(other.alone for other in others))

    # Results --------------------------------------------------------------------------------

    def _result(self, worker: Worker) -> Evaluation | None:
        """Return the result of a busy worker that answered, died or exceeded a limit."""
        task = self._tasks[worker]
        assert task is not None
        alive = worker.alive  # checked first: it may answer and then die
        answer = worker.answer()
        if answer is not None:
            return self._answered(worker, task, answer)
        if not alive or not worker.alive:
            return self._died(worker, task)
        memory = worker.memory() if self._limits.memory is not None else 0
        failure = task.attempt.over_limit(self._limits, worker.seconds, memory)
        if failure is None:
            return None
        self._remove(worker)
        return self._timed(worker, task, failure)

    def _answered(self, worker: Worker, task: _Task, answer: str) -> Evaluation | None:
        self._tasks[worker] = None
        if self._max_per_device is not None and worker.usage is not None:
            self._fill(worker.device, worker.usage, self._max_per_device)
        trial = task.attempt.trial
        evaluation = read_answer(answer, trial)
        shared = worker.device is not None and any(
            other.device == worker.device for other in self._busy
        )
        if evaluation.status is Status.MEMORY and shared and not task.alone:
            log.warning(
                f"trial {trial.number} ran out of memory on {worker.device}, which it shared: "
                "retrying it alone"
            )
            self._queue.append(replace(task, alone=True, attempt=task.attempt.again()))
            return None
        outcome = task.attempt.after_answer(evaluation, self._retries)
        if not isinstance(outcome, Evaluation):
            self._queue.appendleft(replace(task, attempt=outcome))
            return None
        self._end_surplus()
        return self._timed(worker, task, outcome)

    def _fill(self, device: str | None, usage: Usage, most: int) -> None:
        """Change the number of workers to what the device with the least room has room for."""
        self._peak = max(self._peak, usage.peak)
        present = [worker.usage for worker in self._tasks if worker.device == device]
        self._room[device] = min(most, fitting(usage, present, self._peak))
        self.resize(len(self._devices) * min(self._room.get(d, 1) for d in self._devices))

    def _died(self, worker: Worker, task: _Task) -> Evaluation | None:
        seconds = worker.seconds
        outcome = task.attempt.after_loss(self._remove(worker), seconds, self._retries)
        if isinstance(outcome, Evaluation):
            return self._timed(worker, task, outcome)
        self._queue.appendleft(replace(task, attempt=outcome))
        return None

    def _timed(self, worker: Worker, task: _Task, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation with its start on this runner's clock."""
        latest = self.now() - evaluation.seconds
        began = latest if worker.began is None else worker.began - self._began
        return replace(evaluation, started=max(task.attempt.submitted, min(began, latest)))

    def _poll_seconds(self) -> float:
        """Return the interval until the next check of what no waitable reports."""
        limits = self._limits
        seconds = MEMORY_POLL_SECONDS if limits.memory is not None else ALIVE_POLL_SECONDS
        return seconds if limits.seconds is None else min(seconds, max(0.01, limits.seconds / 10))

    # Ends of workers ------------------------------------------------------------------------

    def _remove(self, worker: Worker) -> str:
        del self._tasks[worker]
        return worker.end()

    def _end_surplus(self) -> None:
        """End idle workers while there are too many."""
        for worker in [worker for worker, task in self._tasks.items() if task is None]:
            if len(self._tasks) > self._workers:
                self._remove(worker)


def _end_workers(tasks: dict[Worker, _Task | None]) -> None:
    for worker in tasks:
        worker.end()
    tasks.clear()
