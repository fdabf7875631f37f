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

from bonas.runners.messages import Work, order, read
from bonas.runners.trial_limits import TrialLimits
from bonas.runners.worker import Worker
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective, resumes

POLL = 0.1
"""Seconds between two looks at the memory of the workers."""

LOOK = 1.0
"""Seconds between two looks at whether workers live: a process that a trial has forked can hide the
death of its worker from whoever waits for it."""

log = logging.getLogger(__name__)


@dataclass
class _Task:
    work: bytes
    trial: Trial
    context: Context
    continues: bool  # another attempt goes on from the checkpoint of the last
    submitted: float
    attempts: int = 0
    alone: bool = False  # on its device


class LocalProcesses:
    """Worker processes, each with one trial at a time and a device of its own or shared.

    A worker keeps the objective between trials, and so the data set on its device. One that
    dies gives its trial back, which is then tried again, from the last checkpoint it left. A
    trial that ran out of memory on a device that it shared is tried again alone. Workers are
    started when there is work for them, and end with `close`, with the runner or with Python.

    A script that uses this begins its work under `if __name__ == "__main__":`.

    Args:
        workers: how many trials at once; by default one a device.
        devices: as torch names them, given to the workers in turn: with four workers and two
            GPUs, two trials share each GPU. None leaves the choice to the objective.
        limits: of each trial.
        retries: how often a trial is tried again when its worker dies.
        threads: that torch uses in each worker.

    Raises:
        ValueError: there are no workers or no devices, or a number is negative.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        devices: Sequence[str | None] = (None,),
        limits: TrialLimits | None = None,
        retries: int = 1,
        threads: int = 1,
    ) -> None:
        if not devices:
            raise ValueError("devices is empty: name one or more, or leave it out")
        if retries < 0 or threads < 1:
            raise ValueError(f"retries is 0 or more and threads 1 or more: {retries}, {threads}")
        self._devices = tuple(devices)
        self._limits = limits or TrialLimits()
        self._retries = retries
        self._threads = threads
        self._began = time.monotonic()
        self._crew: dict[Worker, _Task | None] = {}
        self._queue: deque[_Task] = deque()  # of what has no worker yet
        self._work: Work | None = None
        self.resize(len(self._devices) if workers is None else workers)
        self._finish = weakref.finalize(self, _end, self._crew)
        # Before multiprocessing waits for its processes, which would be for ever.
        atexit.register(self._finish)

    @property
    def workers(self) -> int:
        """How many trials may run at once."""
        return self._workers

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the worker processes."""
        return tuple(worker.pid for worker in self._crew)

    def resize(self, workers: int) -> None:
        """Changes the number of workers; one that is too many leaves when its trial has ended.

        Raises:
            ValueError: there would be none.
        """
        if workers < 1:
            raise ValueError(f"there is at least 1 worker, not {workers}")
        self._workers = workers
        self._dismiss()

    def now(self) -> float:
        """Seconds since the runner was made, on the monotonic clock."""
        return time.monotonic() - self._began

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`.

        Raises:
            RuntimeError: no worker is free.
            ObjectiveError: the objective cannot be sent to another process.
        """
        running = sum(task is not None for task in self._crew.values()) + len(self._queue)
        if running >= self._workers:
            raise RuntimeError(
                f"all {self._workers} workers are busy: wait before the next trial is submitted"
            )
        if self._work is None or not self._work.serves(objective, trial):
            self._work = Work.of(objective, trial)
        context = replace(context, curve=[])
        self._queue.append(_Task(self._work.packed, trial, context, resumes(objective), self.now()))
        self._assign()

    def wait(self) -> Evaluation:
        """See `Runner.wait`."""
        while (evaluation := self.poll(LOOK)) is None:
            pass
        return evaluation

    def poll(self, seconds: float) -> Evaluation | None:
        """See `Attended.poll`."""
        end = time.monotonic() + seconds
        while True:
            self._assign()
            busy = [worker for worker, task in self._crew.items() if task is not None]
            if not busy:
                raise RuntimeError("nothing is running: submit a trial before you wait")
            for worker in busy:
                if (evaluation := self._look(worker)) is not None:
                    return evaluation
            left = end - time.monotonic()
            if left <= 0:
                return None
            waitables = [thing for worker in busy for thing in worker.waitables if worker.alive]
            connection.wait(waitables, min(left, self._patience()))

    def cancel(self) -> None:
        """See `Runner.cancel`; the workers that were busy are killed."""
        self._queue.clear()
        for worker in [worker for worker, task in self._crew.items() if task is not None]:
            self._remove(worker)

    def close(self) -> None:
        """Ends all workers, and what they do."""
        self.cancel()
        self._finish()
        atexit.unregister(self._finish)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Giving work out ------------------------------------------------------------------------

    def _assign(self) -> None:
        """Gives what waits to free workers, in order."""
        while self._queue:
            task = self._queue[0]
            worker = self._free(task)
            if worker is None:
                return
            context = replace(task.context, device=worker.device or task.context.device)
            if worker.give(task.work, order(task.trial, context)):
                self._crew[worker] = self._queue.popleft()
            else:  # it died while it had nothing to do
                self._remove(worker)

    def _free(self, task: _Task) -> Worker | None:
        for worker, other in self._crew.items():
            if other is None and self._fits(task, worker.device):
                return worker
        counts = [sum(w.device == device for w in self._crew) for device in self._devices]
        device = self._devices[counts.index(min(counts))]
        if len(self._crew) >= self._workers or not self._fits(task, device):
            return None
        worker = Worker(device, self._threads, self._limits.device_memory)
        self._crew[worker] = None
        return worker

    def _fits(self, task: _Task, device: str | None) -> bool:
        """Whether it may run beside what is running on this device."""
        beside = [t for w, t in self._crew.items() if t is not None and w.device == device]
        return not beside or not (task.alone or any(other.alone for other in beside))

    # Taking results -------------------------------------------------------------------------

    def _look(self, worker: Worker) -> Evaluation | None:
        """What has come of the trial of a worker, if it has ended by itself or is to be ended."""
        task = self._crew[worker]
        assert task is not None
        alive = worker.alive  # asked first: it may answer and then die
        answer = worker.answer()
        if answer is not None:
            return self._answered(worker, task, answer)
        if not alive or not worker.alive:
            return self._died(worker, task)
        seconds = 0.0 if worker.began is None else time.monotonic() - worker.began
        memory = worker.memory() if self._limits.memory is not None else 0
        exceeded = self._limits.exceeded(seconds, memory)
        if exceeded is None:
            return None
        status, reason = exceeded
        evaluation = Evaluation(task.trial, status=Status(status), error=reason, seconds=seconds)
        return self._ended(worker, task, evaluation)

    def _answered(self, worker: Worker, task: _Task, answer: str) -> Evaluation | None:
        self._crew[worker] = None
        evaluation = read(answer, task.trial)
        shared = worker.device is not None and any(
            other is not None and other_worker.device == worker.device
            for other_worker, other in self._crew.items()
        )
        if evaluation.status is Status.MEMORY and shared and not task.alone:
            log.warning(
                f"trial {task.trial.number} ran out of memory on {worker.device}, which it shared: "
                "it is tried again alone"
            )
            self._queue.append(replace(task, alone=True, context=_again(task)))
            return None
        self._dismiss()
        return self._timed(worker, task, evaluation)

    def _died(self, worker: Worker, task: _Task) -> Evaluation | None:
        seconds = 0.0 if worker.began is None else time.monotonic() - worker.began
        self._crew[worker] = None
        how = self._remove(worker)
        task.attempts += 1
        times = f"{task.attempts} time{'s' if task.attempts > 1 else ''}"
        reason = f"the worker of trial {task.trial.number} died ({times}): {how}"
        if task.attempts <= self._retries:
            log.warning(f"{reason}; it is tried again")
            self._queue.appendleft(replace(task, context=_again(task)))
            return None
        lost = Evaluation(task.trial, status=Status.LOST, error=reason, seconds=seconds)
        return self._timed(worker, task, lost)

    def _ended(self, worker: Worker, task: _Task, evaluation: Evaluation) -> Evaluation:
        self._remove(worker)
        return self._timed(worker, task, evaluation)

    def _timed(self, worker: Worker, task: _Task, evaluation: Evaluation) -> Evaluation:
        """With its beginning on this runner's clock."""
        latest = self.now() - evaluation.seconds
        began = latest if worker.began is None else worker.began - self._began
        return replace(evaluation, started=max(task.submitted, min(began, latest)))

    def _patience(self) -> float:
        """Seconds until the next look at what does not make itself heard."""
        patience = POLL if self._limits.memory is not None else LOOK
        if self._limits.seconds is not None:
            patience = min(patience, max(0.01, self._limits.seconds / 10))
        return patience

    # Coming and going -----------------------------------------------------------------------

    def _remove(self, worker: Worker) -> str:
        del self._crew[worker]
        return worker.end()

    def _dismiss(self) -> None:
        """Ends workers that are too many and have nothing to do."""
        for worker in [worker for worker, task in self._crew.items() if task is None]:
            if len(self._crew) > self._workers:
                self._remove(worker)


def _again(task: _Task) -> Context:
    return task.context.again() if task.continues else replace(task.context, curve=[])


def _end(crew: dict[Worker, _Task | None]) -> None:
    for worker in crew:
        worker.end()
    crew.clear()
