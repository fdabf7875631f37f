"""What a history refuses to be continued with, and what may change."""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas import Search
from bonas.search.digests import code
from bonas.search.progress import Silent
from bonas.strategies import RandomSearch, RegularizedEvolution
from fidelity import FullFidelity, Hyperband, Training, datasets
from fidelity.augment import HorizontalFlip
from fidelity.datasets.dataset import Dataset
from fidelity.history import journal
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from spaces import CellSpace

SPACE = CellSpace.nasbench201(4, 1, 1)


def opened(directory: Path, objective: Any, schedule: Any = None, strategy: Any = None) -> Search:
    return Search(
        SPACE,
        objective,
        strategy=strategy or RandomSearch(),
        schedule=schedule or FullFidelity(1),
        directory=directory,
    )


def evaluated(directory: Path, objective: Any, evaluations: int = 1, **settings: Any) -> None:
    """Records a cost, without any training."""
    with opened(directory, objective, **settings) as search:
        while len(search.history) < evaluations:
            trial = search.ask()
            if trial is not None and trial in search._engine.queue.running.values():
                search.tell(trial, 1.0)


def data(seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    images = rng.random((60, 8, 8), dtype=np.float32)
    return datasets.from_arrays(images, np.arange(60) % 3, name="mine")


def cost(configuration: Configuration, scale: float = 1.0) -> float:
    return scale


def other_cost(configuration: Configuration, scale: float = 1.0) -> float:
    return scale + 1


def closing_over(value: object) -> Callable[..., float]:
    def objective(configuration: Configuration) -> float:
        return float(bool(value))

    return objective


FIRST = data(0)

PAIRS: dict[str, tuple[object, object, str]] = {
    "images": (
        Training(SPACE, FIRST, 1),
        Training(SPACE, replace(FIRST, train=data(1).train), 1),
        "objective.dataset.train.inputs is different",
    ),
    "augment": (
        Training(SPACE, FIRST, 1, augment=()),
        Training(SPACE, FIRST, 1, augment=(HorizontalFlip(),)),
        "objective.augment",
    ),
    "partial": (partial(cost, scale=1), partial(cost, scale=2), "objective.scale"),
    "function": (cost, other_cost, "objective has different code"),
    "lambda": (
        lambda configuration: 1.0,
        lambda configuration: 2.0,
        "objective has different code",
    ),
    "closure": (closing_over((1, 2)), closing_over((1, 3)), "objective.value is different"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_another_objective_is_refused_and_named_once(tmp_path: Path, name: str) -> None:
    old, new, message = PAIRS[name]
    evaluated(tmp_path, old)
    before = (tmp_path / journal.NAME).read_bytes()
    with pytest.raises(JournalError) as refused:
        opened(tmp_path, new)
    assert str(refused.value).count(message) == 1
    assert (tmp_path / journal.NAME).read_bytes() == before
    evaluated(tmp_path, old, evaluations=2)


def test_a_schedule_of_numpy_integers_is_compared(tmp_path: Path) -> None:
    whole = np.int64
    evaluated(tmp_path, cost, schedule=Hyperband(whole(1), whole(9), whole(3)))
    evaluated(tmp_path, cost, evaluations=2, schedule=Hyperband(1, 9.0, 3))
    with pytest.raises(JournalError, match=r"schedule.max_budget was 9 and is now 16"):
        opened(tmp_path, cost, schedule=Hyperband(whole(1), whole(16), whole(4)))


def test_a_difference_of_the_space_is_named_once(tmp_path: Path) -> None:
    def training(channels: int) -> tuple[CellSpace, Training]:
        space = CellSpace.nasbench201(channels, 1, 1)
        return space, Training(space, FIRST, 1)

    with Search(*training(4), strategy=RandomSearch(), directory=tmp_path) as search:
        trial = search.ask()
        assert trial is not None
        search.tell(trial, 1.0)
    with pytest.raises(JournalError, match=r"space\.channels was 4 and is now 8") as refused:
        Search(*training(8), strategy=RandomSearch(), directory=tmp_path)
    assert str(refused.value).count("channels") == 1


def test_another_strategy_continues(tmp_path: Path) -> None:
    evaluated(tmp_path, cost)
    evaluated(tmp_path, cost, evaluations=2, strategy=RegularizedEvolution())
    assert len(History.load(tmp_path)) == 2


def test_a_directory_without_evaluations_is_used_again(tmp_path: Path) -> None:
    with opened(tmp_path, cost) as search:
        assert search.ask()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "0.pt").write_bytes(b"of the other search")
    with opened(tmp_path, other_cost) as search:
        assert not search.history.trials
    assert not list((tmp_path / "checkpoints").glob("*"))
    evaluated(tmp_path, other_cost)
    with pytest.raises(JournalError, match="objective has different code"):
        opened(tmp_path, cost)


def test_the_same_search_without_evaluations_keeps_its_trials(tmp_path: Path) -> None:
    with opened(tmp_path, cost) as search:
        trial = search.ask()
    with opened(tmp_path, cost) as search:
        assert list(search.history.trials) == [trial]


@pytest.mark.parametrize("size", [1, 8, 100])
def test_a_torn_header_leaves_the_directory_usable(tmp_path: Path, size: int) -> None:
    opened(tmp_path, cost).close()
    path = tmp_path / journal.NAME
    path.write_bytes(path.read_bytes()[:size])
    with pytest.warns(UserWarning, match="the manifest of .* is torn"):
        evaluated(tmp_path, cost)
    evaluated(tmp_path, cost, evaluations=2)


def test_a_file_that_is_no_history_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / journal.NAME).write_bytes(b"notes of mine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(JournalError, match="is not a history of bonas"):
            opened(tmp_path, cost)
    assert (tmp_path / journal.NAME).read_bytes() == b"notes of mine"


def rewritten(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the manifest of a history."""
    path = directory / journal.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    header = journal.decode(lines[0])
    header.pop("crc", None)
    change(header)
    path.write_bytes(b"".join([journal.encode(header), *lines[1:]]))


def test_a_history_of_version_0_1_continues(tmp_path: Path) -> None:
    evaluated(tmp_path, cost, schedule=Hyperband(1, 9))

    def old(header: dict[str, Any]) -> None:
        del header["digests"], header["schedule"]["eta"]  # a numpy number was not written

    rewritten(tmp_path, old)
    evaluated(tmp_path, cost, evaluations=2, schedule=Hyperband(1, 9))
    with pytest.raises(JournalError, match=r"schedule\.max_budget was 9 and is now 27"):
        opened(tmp_path, cost, schedule=Hyperband(1, 27))


def test_code_is_not_compared_across_versions_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(tmp_path, closing_over(1))
    evaluated(tmp_path, closing_over(1), evaluations=2)
    monkeypatch.setattr("bonas.search.manifest.PYTHON", code.PYTHON + " of another version")

    rewritten(tmp_path, lambda header: _other_code(header["digests"]["objective"]))
    with pytest.warns(UserWarning, match="whether that of the objective has changed"):
        opened(tmp_path, closing_over(1)).close()
    with (
        pytest.warns(UserWarning, match="whether that of the objective has changed"),
        pytest.raises(JournalError, match=r"objective\.value is different"),
    ):
        opened(tmp_path, closing_over(2))


def _other_code(record: list[Any]) -> None:
    record[0] = f"{record[0].split()[0]} 0123456789abcdef"
    record[1][""] = f"{record[1][''].split()[0]} 0123456789abcdef"


HALF = np.float32(0.5)


@dataclass(frozen=True)
class Odd:
    """Its settings are what JSON cannot say."""

    number: Any = HALF
    missing: float = float("nan")
    place: Path = Path("somewhere")

    def __call__(self, configuration: Configuration) -> float:
        return 1.0


def test_settings_that_json_cannot_say_are_written_and_compared(tmp_path: Path) -> None:
    with opened(tmp_path, Odd()) as search:
        search.run(evaluations=1, progress=Silent())
    opened(tmp_path, Odd(number=0.5)).close()
    header = json.loads((tmp_path / journal.NAME).read_bytes().splitlines()[0])
    assert header["objective"]["number"] == 0.5
    with pytest.raises(JournalError, match=r"objective\.place was \"somewhere\" and is now"):
        opened(tmp_path, Odd(place=Path("elsewhere")))
