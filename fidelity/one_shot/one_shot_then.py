"""A cheap estimate as the lowest rung of any schedule, below the budgets of an objective."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ConfigSpace import Configuration

from fidelity.checkpoint import Checkpoint
from fidelity.history.trial import Trial
from fidelity.objective import Context, Objective, Result, arguments_for, resumes
from fidelity.tasks.task import Measure


@dataclass(frozen=True)
class OneShotThen:
    """An objective that estimates cheaply at budgets below `first` and trains at the others.

    For instance `OneShotThen(OneShot(...), Training(...), first=1)` under `Hyperband(1 / 3, 27)`:
    all networks of the first bracket are compared by inherited weights, the best third is trained
    for 1 epoch, and so on. The schedule charges an estimate its budget, here a third of an epoch;
    costs at different budgets are never compared.

    Attributes:
        one_shot: the estimate: `OneShot`, or any objective without budgets.
        training: the objective at budgets of `first` and above.
        first: the lowest budget that is trained, above 0.

    Raises:
        ValueError: `first` is not above 0, or above the largest budget of `training`.
    """

    one_shot: Objective
    training: Objective
    first: float = 1.0

    def __post_init__(self) -> None:
        largest = math.inf if self.max_budget is None else self.max_budget
        if not 0 < self.first <= largest:
            raise ValueError(
                f"first is {self.first}: the lowest budget that is trained is above 0 and at most "
                f"the largest one, {largest:g}"
            )

    @property
    def max_budget(self) -> float | None:
        """The largest budget of `training`; None if it has none."""
        budget: float | None = getattr(self.training, "max_budget", None)
        return budget

    @property
    def measure(self) -> Measure | None:
        """The meaning of the cost of `training`; None if it does not say so."""
        measure: Measure | None = getattr(self.training, "measure", None)
        return measure

    @property
    def resumes(self) -> bool:
        """Whether training runs resume from checkpoints."""
        return resumes(self.training)

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> Result:
        """Return the result of the estimate or of the training.

        Args:
            configuration: the network.
            budget: below `first` nothing is trained.
            seed: of the training.
            context: of the trial. One that continues an estimate is trained from scratch.
        """
        context = context or Context()
        trial = Trial(0, configuration, "", budget, seed)
        if budget < self.first * (1 - 1e-9):  # budgets of schedules are quotients
            context = replace(context, checkpoint=Checkpoint(notices=context.checkpoint.notices))
            return self.one_shot(**arguments_for(self.one_shot, trial, context))
        if 0 < context.resumed < self.first * (1 - 1e-9):
            # The estimate left no checkpoint, so this training is counted in full.
            context.checkpoint.restart()
            context = replace(context, resumed=0.0)
        return self.training(**arguments_for(self.training, trial, context))
