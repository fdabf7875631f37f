"""Writes the golden histories anew; see `tests.golden`."""

from __future__ import annotations

import warnings

from tests.golden import write
from tests.golden.test_golden import RUNNERS, alone, one_worker
from tests.test_pairs import SCHEDULES, STRATEGIES, pair

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    histories = {f"{a} × {b}": pair(a, b).history for a in STRATEGIES for b in SCHEDULES}
    histories["FreezeThaw"] = alone()
    histories["one worker"] = one_worker(RUNNERS["InProcess"]())
    write(histories)
