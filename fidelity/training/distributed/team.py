"""The processes of all ranks, as the process of the trial sees them."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import cloudpickle
import psutil
import torch

from fidelity.objective import ProcessLost
from fidelity.training.distributed.messages import Answer, Call, Setup

GRACE_SECONDS = 2.0
"""The time for the other ranks to answer or to be found dead, once one has raised an exception: the
death of a rank makes the collective operations of the others fail at the same moment."""

ALIVE_POLL_SECONDS = 1.0
"""The interval between two checks that ranks are alive: a process that a rank has forked keeps its
standard output open."""

INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
"""The variables by which gloo and NCCL learn which network interface to use."""

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from fidelity.training.distributed.rank import serve; serve()"
)


class Team:
    """A process for each device, which stay from one trial to the next.

    They end with `end`, and by themselves once this process has ended for any reason.

    Args:
        training: is called on all ranks.
        devices: of the ranks, as torch names them.
    """

    def __init__(self, training: Any, devices: tuple[str, ...]) -> None:
        self.devices = devices
        self._folder = tempfile.mkdtemp(prefix="bonas-ranks-")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._finish = weakref.finalize(self, _end, self._processes, self._folder)
        self._answers: queue.SimpleQueue[tuple[int, Answer | None]] = queue.SimpleQueue()
        payload = cloudpickle.dumps(training)
        for rank in range(len(devices)):
            self._start(rank, payload)

    def _start(self, rank: int, payload: bytes) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _environment(rank, len(self.devices)),
        )
        self._processes.append(process)
        reader = threading.Thread(
            target=_read, args=(rank, process.stdout, self._answers), daemon=True
        )
        reader.start()
        store = str(Path(self._folder) / "store")
        threads = max(1, torch.get_num_threads() // len(self.devices))
        memory = _memory_share(self.devices[rank])
        self._send(process, Setup(payload, rank, self.devices, store, threads, memory))

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes, by rank."""
        return tuple(process.pid for process in self._processes)

    @property
    def alive(self) -> bool:
        """Whether all ranks can be called."""
        return self._finish.alive and all(process.poll() is None for process in self._processes)

    def call(self, call: Call) -> Answer:
        """Return the answer of rank 0, or of the first rank that raised an exception.

        Whatever interrupts the call ends the processes: a rank in a collective operation waits for
        the others.

        Raises:
            ProcessLost: a rank has died.
        """
        try:
            for process in self._processes:
                self._send(process, call)
            answers = self._collect()
        except BaseException:
            self.end()
            raise
        if len(answers) < len(self.devices):
            self.end()
        failed = [answer for _, answer in sorted(answers.items()) if answer.error is not None]
        return failed[0] if failed else answers[0]

    def _collect(self) -> Mapping[int, Answer]:
        """Return the answers of all ranks, or of some if one of these has failed."""
        answers: dict[int, Answer] = {}
        deadline: float | None = None
        while len(answers) < len(self.devices):
            left = math.inf if deadline is None else deadline - time.monotonic()
            try:
                rank, answer = self._answers.get(timeout=max(0.0, min(left, ALIVE_POLL_SECONDS)))
            except queue.Empty:
                self._check_alive(answers)
                if left <= 0:
                    break
                continue
            if answer is None:
                raise ProcessLost(self._cause(rank))
            answers[rank] = answer
            if answer.error is not None and deadline is None:
                deadline = time.monotonic() + GRACE_SECONDS
        return answers

    def _check_alive(self, answers: Mapping[int, Answer]) -> None:
        for rank, process in enumerate(self._processes):
            if rank not in answers and process.poll() is not None:
                raise ProcessLost(self._cause(rank))

    def _cause(self, rank: int) -> str:
        code = self._processes[rank].wait()
        how = f"exited with code {code}"
        if code < 0:
            names = {each.value: f", {each.name}" for each in signal.Signals}
            how = f"was killed by signal {-code}{names.get(-code, '')}"
        return f"rank {rank} of {len(self.devices)} {how}"

    def _send(self, process: subprocess.Popen[bytes], message: Setup | Call) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has died, which its reader notices
            cloudpickle.dump(message, process.stdin)
            process.stdin.flush()

    def end(self) -> None:
        """Kill all processes."""
        self._finish()


def _read(
    rank: int, stream: IO[bytes], answers: queue.SimpleQueue[tuple[int, Answer | None]]
) -> None:
    """Queue the answers of a rank, and None once it has died."""
    try:
        while True:
            answers.put((rank, pickle.load(stream)))
    except Exception:  # the stream ends, or in the middle of an answer
        answers.put((rank, None))
    finally:
        stream.close()


def _end(processes: Sequence[subprocess.Popen[bytes]], folder: str) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # what it has not read
            process.stdin.close()
    shutil.rmtree(folder, ignore_errors=True)


def _environment(rank: int, count: int) -> dict[str, str]:
    """Return the variables that programs started by torchrun know, on the loopback interface."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    loopback = _loopback()
    names = {} if loopback is None else dict.fromkeys(INTERFACES, loopback)
    quiet = {"TORCH_CPP_LOG_LEVEL": os.environ.get("TORCH_CPP_LOG_LEVEL", "ERROR")}
    return {**{name: str(number) for name, number in numbers.items()}, **names, **quiet}


def _loopback() -> str | None:
    """Return the name of the network interface with the address 127.0.0.1."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(address.address == "127.0.0.1" for address in addresses):
            return str(name)
    return None


def _memory_share(device: str) -> float:
    """Return the share of a device's memory that this process may allocate, for its rank."""
    if not device.startswith("cuda") or not torch.cuda.is_initialized():
        return 1.0
    return float(torch.cuda.get_per_process_memory_fraction(device))
