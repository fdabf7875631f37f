"""Discovery of all choices that a constructor can reach, and of when it reaches each.

First each choice is given its other values, one at a time, where it was first reached; what turns
up with a value is taken to depend on that choice alone. Then random configurations are run. Where
one of them reaches other choices than the rules say, the rules are mended: a choice that was
reached gets one more term, made by changing each earlier choice of that run; a choice that was
not reached has its term narrowed. The rules are in disjunctive normal form, which can say anything
about lists; a constructor that needs more than `MAX_TERMS` terms for a choice is refused.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from spaces.define_by_run.conditions import Rule, Term, active, configuration_space, satisfied
from spaces.define_by_run.domains import Domain
from spaces.define_by_run.runs import Run, Runs
from spaces.space import SpaceError, sample

CHECKED = 100
"""Random configurations in a row that have to reach what the rules say."""

REPEATED = 10
"""The number of these that are run twice, to notice a constructor that is random."""

MAX_TERMS = 16
"""Ways to reach one choice; a constructor that needs more is refused as indescribable."""


def discovered(runs: Runs) -> ConfigurationSpace:
    """Return the space of all choices of a constructor, and when each of them is active.

    Args:
        runs: of the constructor; it always tries the same values.

    Raises:
        SpaceError: the constructor raises an error, picks one name from two lists, makes its
            choices at random, or lets them depend on real numbers.
    """
    return _Discovery(runs).space()


def values_of(configuration: Configuration, domains: Mapping[str, Domain]) -> dict[str, Any]:
    """Return the values of the active choices, as they were given to `pick`.

    Args:
        configuration: of the space that was discovered.
        domains: of all choices.
    """
    space, vector = configuration.config_space, configuration.get_array()
    return {
        name: domain.value(space[name], vector[space.index_of[name]])
        for name, domain in domains.items()
        if not np.isnan(vector[space.index_of[name]])
    }


class _Discovery:
    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._rules: dict[str, list[_Path]] = {}

    def space(self) -> ConfigurationSpace:
        first = self._runs.run({})
        _compare_repeated(first, self._runs.run({}))
        self._rules = {name: [_Path({}, first)] for name in first.domains}
        self._vary(first, list(first.domains))
        rng, space = np.random.default_rng(0), self._space()
        while self._runs.domains and (differing := self._differing(space, rng)) is not None:
            self._mend(differing)
            space = self._space()
        return space

    def _differing(self, space: ConfigurationSpace, rng: np.random.Generator) -> Run | None:
        """Return a run of a random configuration that reaches other choices than it has."""
        few = (sample(space, REPEATED, rng) for _ in range(CHECKED // REPEATED))
        for number, drawn in enumerate(itertools.chain.from_iterable(few)):
            run = self._runs.run(values_of(drawn, self._runs.domains))
            if number < REPEATED:
                _compare_repeated(run, self._runs.run(run.values))
            if set(run.domains) != set(drawn):
                return run
        return None

    def _space(self) -> ConfigurationSpace:
        try:
            return configuration_space(self._runs.domains, self._plain())
        except ValueError as error:  # ConfigSpace: the conditions close a cycle
            raise SpaceError(
                f"no conditions describe when the choices are reached: {error}. Pick a choice "
                "that decides about others before them"
            ) from error

    def _plain(self) -> dict[str, Rule]:
        return {name: [path.term for path in rule] for name, rule in self._rules.items()}

    def _vary(self, run: Run, names: list[str]) -> None:
        """Give each of the names its other values, and what turns up with them too."""
        waiting = deque([(run, names)])
        while waiting:
            context, varied = waiting.popleft()
            for name in varied:
                trials = self._trials(context, name)
                for trial in trials.values():
                    new = [reached for reached in trial.domains if reached not in self._rules]
                    for child in new:
                        self._decides(name, child, context, trial)
                        allowed = tuple(v for v, other in trials.items() if child in other)
                        term = {} if len(allowed) == len(trials) else {name: allowed}
                        self._rules[child] = [_Path(term, trial)]
                    if new:
                        waiting.append((trial, new))

    def _trials(self, context: Run, name: str) -> dict[Any, Run]:
        """Return the run of each value of a name, where all else is as in a run."""
        return {
            value: self._runs.run({**context.values, name: value})
            for value in self._runs.domains[name].tried
        }

    def _decides(self, name: str, child: str, one: Run, other: Run) -> None:
        """Refuse a choice that a real number decides about."""
        if not self._runs.domains[name].decides:
            raise SpaceError(
                f"whether {child!r} is reached depends on {name!r}, {self._runs.domains[name]}, "
                f"of which only some values can be tried: with {one} it is not, with {other} it "
                "is. Pick what decides about other choices from a list or a short range"
            )

    def _mend(self, run: Run) -> None:
        """Change the rules until they say what a run reached."""
        while True:
            expected = active(self._plain(), run.values)
            missing = [name for name in run.domains if name not in expected]
            wrong = [name for name in self._rules if name in expected and name not in run]
            if not missing and not wrong:
                return
            if missing:
                self._widen(missing[0], run)
            else:
                self._narrow(wrong[0], run)

    def _widen(self, name: str, run: Run) -> None:
        """Add the term by which a run reached a name."""
        known = name in self._rules
        self._rules.setdefault(name, []).append(_Path(self._term(name, run), run, exact=True))
        self._check_count(name, run)
        if not known:
            self._vary(run, [name])

    def _narrow(self, name: str, run: Run) -> None:
        """Replace the terms by which a run should have reached a name."""
        paths: list[_Path] = []
        for path in self._rules[name]:
            if not satisfied(path.term, run.values, run.domains):
                paths.append(path)
                continue
            if not path.exact:
                paths.append(_Path(self._term(name, path.run), path.run, exact=True))
            else:
                paths += self._without(name, path, run)
        self._rules[name] = paths
        self._check_count(name, run)

    def _term(self, name: str, run: Run) -> Term:
        """Return the values of each earlier choice with which a run still reaches a name."""
        term: dict[str, tuple[Any, ...]] = {}
        for earlier in run.domains:
            if earlier == name:
                break
            trials = self._trials(run, earlier)
            allowed = tuple(value for value, trial in trials.items() if name in trial)
            if len(allowed) < len(trials):
                missing = next(trial for trial in trials.values() if name not in trial)
                self._decides(earlier, name, missing, run)
                term[earlier] = allowed
        return term

    def _without(self, name: str, path: _Path, run: Run) -> list[_Path]:
        """Return terms that together say what one says, without the values of a run.

        The fewest values are looked for that keep the name from being reached; each term forbids
        one of them.
        """
        differing = [n for n in path.run.values if path.run.values[n] != run.values.get(n)]
        values = {**path.run.values, **run.values}
        for other in list(differing):
            closer = {**values, other: path.run.values[other]}
            if name not in self._runs.run(closer):
                values, differing = closer, [n for n in differing if n != other]
        if not differing:
            raise _indescribable(name, path.run, run)
        return [
            _Path({**path.term, other: allowed}, path.run, exact=True)
            for other in differing
            if (allowed := self._others(path.term, other, values[other]))
        ]

    def _others(self, term: Term, name: str, value: Any) -> tuple[Any, ...]:
        allowed = term.get(name, self._runs.domains[name].tried)
        return tuple(other for other in allowed if other != value)

    def _check_count(self, name: str, run: Run) -> None:
        if len(self._rules[name]) > MAX_TERMS:
            runs = [path.run for path in self._rules[name]]
            reached = next((one for one in runs if name in one), run)
            other = self._runs.run({**reached.values, **self._changed(name, reached)})
            raise _indescribable(name, reached, other)

    def _changed(self, name: str, run: Run) -> dict[str, Any]:
        """Return a value of an earlier choice with which a run no longer reaches a name."""
        return next(
            {earlier: value}
            for earlier in run.domains
            for value, trial in self._trials(run, earlier).items()
            if name not in trial
        )


class _Path:
    """A term, the run in which it was found, and whether all earlier choices were varied there."""

    def __init__(self, term: Term, run: Run, *, exact: bool = False) -> None:
        self.term = term
        self.run = run
        self.exact = exact


def _compare_repeated(one: Run, other: Run) -> None:
    if list(one.domains) != list(other.domains):
        raise SpaceError(
            f"the constructor is random: with the same values it reached {list(one.domains)} and "
            f"then {list(other.domains)}. Which choices there are may only depend on earlier "
            "choices"
        )
    if one.shapes != other.shapes:
        differing = next(
            name
            for name in [*one.shapes, *other.shapes]
            if one.shapes.get(name) != other.shapes.get(name)
        )
        shapes = [run.shapes.get(differing, "missing") for run in (one, other)]
        raise SpaceError(
            f"the constructor is random: with {one} the parameter {differing!r} had the shape "
            f"{shapes[0]} and then {shapes[1]}. Decide by pick(name, choices) whatever may change"
        )


def _indescribable(name: str, one: Run, other: Run) -> SpaceError:
    return SpaceError(
        f"no conditions describe when {name!r} is reached: with {one} it is, with {other} it is "
        "not. Which choices there are may depend on the values of earlier choices from lists and "
        "short ranges, on nothing else"
    )
