import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import torch

from bonas.search.digests.digest import Digest, digest, digest_differences
from fidelity import Training, datasets
from spaces import CellSpace


def made(source: str, name: str = "objective", file: str = "somewhere.py") -> Any:
    """What `source` defines, as if it stood in a file."""
    scope: dict[str, Any] = {"__name__": "elsewhere", "np": np}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def differences(old: object, new: object) -> list[tuple[str, str]]:
    return list(digest_differences("x", digest(old).record(), digest(new).record(), code=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (9, np.int64(9)),
        (9, 9.0),
        (0.5, np.float64(0.5)),
        ((1, 3), [1, np.int64(3)]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (torch.arange(6).view(2, 3), np.arange(6).reshape(2, 3)),
        (torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)),
        (torch.nn.Linear(2, 2).to("meta").requires_grad_(False).bias.device, torch.device("cpu")),
        (Path("a"), "a"),
    ],
)
def test_equal_values_have_the_same_digest(one: object, other: object) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (9, "9"),
        ((1, 2), (2, 1)),
        ({1: "a"}, {1: "b"}),
        ({"a"}, {"b"}),
        (torch.zeros(2), torch.zeros(1, 2)),
        (torch.zeros(2), torch.tensor([0.0, 1.0])),
        (torch.zeros(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16)),
        (np.array(["a"], dtype=object), np.array(["b"], dtype=object)),
        (np.array(["a"]), np.array(["b"])),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
        (partial(print, 1), partial(print, 2)),
        (partial(print, end="a"), partial(print, end="b")),
        (SimpleNamespace(a=1), SimpleNamespace(a=2)),
        (torch.nn.Dropout(0.1), torch.nn.Dropout(0.2)),
        (b"a", b"b"),
        (None, False),
        (min, max),
    ],
)
def test_other_values_have_another_digest(one: object, other: object) -> None:
    assert digest(one) != digest(other)


CODE = "def objective(c):\n    return c + 1\n"


@pytest.mark.parametrize(
    "changed",
    [
        "def objective(c):\n    return c + 2\n",
        "def objective(c):\n    return c - 1\n",
        "def objective(c, scale=2):\n    return c + 1\n",
        "objective = lambda c: 3 * c",
    ],
)
def test_another_function_has_another_digest(changed: str) -> None:
    assert differences(made(CODE), made(changed))


@pytest.mark.parametrize(
    "same",
    [
        '\n\n\ndef objective(c):\n    """Said."""\n    # and commented\n    return c + 1\n',
        "def other(c: int) -> int:\n    return (c\n        + 1)\nobjective = other\n",
    ],
)
def test_comments_docstrings_and_places_do_not_count(same: str) -> None:
    assert digest(made(CODE)) == digest(made(same, file="/home/other/place.py"))


@pytest.mark.parametrize(
    ("source", "old", "new", "path"),
    [
        ("K = 1\ndef objective(c): return c * K", "K = 1", "K = 2", "x.K"),
        ("K = [1]\ndef objective(c): return c * K", "[1]", "[2]", "x.K"),
        ("def objective(c, *, k=1): return c * k", "k=1", "k=2", "x.k"),
        ("def h(c): return 1\ndef objective(c): return h(c)", "return 1", "return 2", "x.h"),
        (
            "def outer(k):\n  def inner(c): return c * k\n  return inner\nobjective = outer(1)",
            "outer(1)",
            "outer(2)",
            "x.k",
        ),
        ("def objective(c): return [i + 1 for i in c]", "i + 1", "i + 2", "x"),
        ("def objective(c): return c in {1, 2, 3}", "{1,", "{4,", "x"),
        ("class A:\n  k = 1\n  def __call__(s, c): return c\nobjective = A()", "1", "2", "x.k"),
        (
            "class A:\n  def __call__(s, c): return s.f()\n  def f(s): return 1\nobjective = A()",
            "return 1",
            "return 2",
            "x.f",
        ),
        (
            "class A:\n  def __init__(s): s.k = 1\n  def __call__(s, c): return c\nobjective = A()",
            "s.k = 1",
            "s.k = 2",
            "x.k",
        ),
    ],
)
def test_what_differs_is_named_by_its_path(source: str, old: str, new: str, path: str) -> None:
    found = differences(made(source), made(source.replace(old, new)))
    assert path in [where for where, _ in found]
    assert len({where for where, _ in found}) == len(found)


def test_other_images_are_named_by_their_path() -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.random((60, 8, 8), dtype=np.float32), np.arange(60) % 3
    space = CellSpace.nasbench201(4, 1)
    one = Training(space, datasets.from_arrays(images, labels), 1)
    other = Training(space, datasets.from_arrays(1 - images, labels), 1)
    assert [path for path, _ in differences(one, other)] == [
        f"x.dataset.{part}.inputs" for part in ("test", "train", "validation")
    ]
    assert not differences(one, Training(space, datasets.from_arrays(images.copy(), labels), 1))
    assert [path for path, _ in differences(one, Training(space, one.dataset, 1, augment=()))] == [
        "x.augment"
    ]


RECORDS = [
    "LOG = []\ndef objective(c):\n  LOG.append(c)\n  return 1",
    "LOG = {}\ndef objective(c):\n  LOG[c] = c\n  return 1",
    "LOG = 0\ndef objective(c):\n  global LOG\n  LOG += 1\n  return 1",
    "class A:\n  n = 0\n  def __call__(s, c):\n    s.n += 1\n    return 1\nobjective = A()",
    "class A:\n  def __init__(s): s.log = []\n  def __call__(s, c):\n    s.log.append(c)\n"
    "    return 1\nobjective = A()",
    "class A:\n  def __init__(s): s.log = {}\n  def __call__(s, c): return s.do(c)\n"
    "  def do(s, c):\n    s.log[c] = 1\n    return 1\nobjective = A()",
    "def outer():\n  n = 0\n  log = []\n  def objective(c):\n    nonlocal n\n    n += 1\n"
    "    log.append(c)\n    return 1\n  return objective\nobjective = outer()",
    "def objective(c):\n  objective.calls = c\n  return 1",
]


@pytest.mark.parametrize("source", RECORDS)
def test_what_an_objective_records_does_not_count(source: str) -> None:
    objective = made(source)
    before = digest(objective)
    objective(3)
    assert digest(objective) == before


@dataclass(frozen=True)
class Caching:
    scale: float
    hidden: dict[str, int] = field(default_factory=dict, compare=False)
    own: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def squared(self) -> float:
        return self.scale**2

    def __call__(self, c: float) -> float:
        return c * self.squared


def test_hidden_fields_and_cached_properties_do_not_count() -> None:
    objective = Caching(2.0)
    before = digest(objective)
    objective(1.0)
    objective.hidden["a"] = objective.own["b"] = 1
    assert digest(objective) == before
    assert digest(Caching(3.0)) != before


class Getting:
    def __init__(self, scale: float) -> None:
        self.scale, self.lock, self.started = scale, threading.Lock(), object()

    def __getstate__(self) -> dict[str, float]:
        return {"scale": self.scale}

    def __call__(self, c: float) -> float:
        return c * self.scale


class Hostile:
    __slots__ = ("value",)

    def __getattribute__(self, name: str) -> Any:
        raise OSError("no")


def circular() -> list[object]:
    found: list[object] = [SimpleNamespace()]
    found[0].itself = found  # type: ignore[attr-defined]
    return found


def deep() -> object:
    found: object = ()
    for _ in range(10_000):
        found = [found]
    return found


EXOTIC: list[Callable[[], object]] = [
    circular,
    deep,
    Hostile,
    threading.Lock,
    lambda: iter([1]),
    lambda: (i for i in range(3)),
    threading.Thread,
    lambda: sys.stderr,
    lambda: Path(__file__).open,
    lambda: np.random.default_rng(),
    lambda: torch.zeros(3).to_sparse(),
    lambda: torch.zeros(3, device="meta"),
    lambda: sys.modules,
    lambda: Getting(1.0),
    lambda: cloudpickle,
]


@pytest.mark.parametrize("make", EXOTIC)
def test_no_object_is_too_exotic(make: Callable[[], object]) -> None:
    assert isinstance(digest(make()), Digest)


def test_the_state_that_an_object_pickles_counts() -> None:
    assert digest(Getting(1.0)) == digest(Getting(1.0))
    assert differences(Getting(1.0), Getting(2.0)) == [("x.scale", "is different")]


@pytest.mark.parametrize("source", [CODE, *RECORDS])
def test_another_process_finds_the_same_digest(source: str) -> None:
    objective = made(source)
    assert digest(cloudpickle.loads(cloudpickle.dumps(objective))) == digest(objective)


SCRIPT = """
import numpy as np, torch
from bonas.search.digests.digest import digest
from spaces import CellSpace, MacroSpace
from fidelity import Training, datasets
K = {"a", "b", "c"}
NAMES = frozenset({"conv", "pool", "skip"})
class Objective:
    k = {"x": K, "y": (1, 2)}
    def __call__(self, c):
        return c in {"p", "q", "r", "s"} or c in K or helper(c)
def helper(c):
    return [n for n in NAMES if n != c] + [torch.zeros(3)]
t = Training(CellSpace.nasbench201(4, 1), datasets.digits(), 1)
print(digest(Objective()), digest(t), digest(MacroSpace.mobile()))
"""


def test_digests_do_not_depend_on_process_hash_seed_or_folder(tmp_path: Path) -> None:
    said = set()
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = folder / f"script{number}.py"
        file.write_text("\n" * number + SCRIPT, encoding="utf-8")
        environment = {"PYTHONHASHSEED": str(number), "PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, str(file)]
        said.add(
            subprocess.check_output(
                command, cwd=folder, env=environment, text=True, encoding="utf-8"
            )
        )
    assert len(said) == 1
