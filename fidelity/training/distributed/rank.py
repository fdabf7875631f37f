"""The process of one rank: it waits for calls on its standard input."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
import warnings
from dataclasses import replace
from typing import Any, BinaryIO

import cloudpickle
import torch
from torch import distributed

from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.training.distributed.group import Group
from fidelity.training.distributed.messages import Answer, Call, Setup


def serve() -> None:
    """Answer calls until the standard input closes, which ends this process at any moment."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the training prints must not end up among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process of the trial too
    warnings.filterwarnings("ignore", category=CheckpointWarning)  # repeated by `Checkpoint.adopt`
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, messages), daemon=True).start()
    rank = _Rank(messages.get())
    while True:
        cloudpickle.dump(rank.answer(messages.get()), answers)
        answers.flush()


def _read(stream: BinaryIO, messages: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            messages.put(pickle.load(stream))
    except EOFError:  # the process of the trial has ended, or ends this one
        os._exit(1)


class _Rank:
    """One rank, which joins the others at its first call."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.device = torch.device(setup.devices[setup.rank])
        self.training: Any = None

    def answer(self, call: Call) -> Answer:
        """Call the method; an exception becomes part of the answer."""
        first = self.setup.rank == 0
        checkpoint = (
            call.context.checkpoint if first else Checkpoint(call.context.checkpoint.source)
        )
        context = replace(
            call.context,
            checkpoint=checkpoint,
            device=str(self.device),
            curve=[],
            ranks=Group(self.device),
        )
        result, error = None, None
        try:
            if self.training is None:
                self._join()
            result = getattr(self.training, call.method)(**call.arguments, context=context)
        except BaseException as raised:  # of the user's space, too, which may call `sys.exit()`
            error = _sendable(raised)
        return Answer(result if first else None, error, context.curve, checkpoint)

    def _join(self) -> None:
        """Join the process group of all ranks, then unpack the training."""
        setup, cuda = self.setup, self.device.type == "cuda"
        torch.set_num_threads(setup.threads)
        if cuda:
            torch.cuda.set_device(self.device)
            torch.cuda.set_per_process_memory_fraction(setup.memory, self.device)
        distributed.init_process_group(
            "nccl" if cuda else "gloo",
            init_method=f"file://{setup.store}",
            rank=setup.rank,
            world_size=len(setup.devices),
            device_id=self.device if cuda else None,
        )
        self.training = cloudpickle.loads(setup.payload)


def _sendable(error: BaseException) -> BaseException:
    """Return an exception that can be sent, with the traceback in this process as a note."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:  # an exception of the user's may hold anything
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In rank {os.environ['RANK']}:\n{text}")
    return error
