"""A random forest as a BoTorch model (Hutter et al. 2011, "SMAC"; Breiman 2001)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from sklearn.ensemble import RandomForestRegressor
from torch import Tensor

from bonas.surrogates.members import Members
from spaces.encoding import Layout


@dataclass(frozen=True)
class RandomForest:
    """Regression trees on bootstrap samples, over all features.

    Attributes:
        trees: how many.
        leaf: a leaf holds at least so many observations.
        share: of the features that a split chooses from (5/6 as in SMAC).
        seed: of bootstrap samples and splits.
    """

    trees: int = 50
    leaf: int = 1
    share: float = 5 / 6
    seed: int = 0

    @property
    def reads_paths(self) -> bool:
        """Like everything else."""
        return True

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> RandomForestModel:
        """See `Surrogate.fit`."""
        forest = RandomForestRegressor(  # type: ignore[no-untyped-call]
            self.trees,
            min_samples_leaf=self.leaf,
            max_features=self.share,
            bootstrap=len(targets) > 1,
            random_state=self.seed,
        )
        forest.fit(inputs.cpu().numpy(), targets[:, 0].cpu().numpy())
        return RandomForestModel(self, forest, layout, inputs, targets)


class RandomForestModel(Members):
    """A fitted forest.

    Args:
        surrogate: its settings.
        forest: scikit-learn's.
        layout: what the columns of the inputs are.
        inputs: what was observed.
        targets: the observations.
    """

    def __init__(
        self,
        surrogate: RandomForest,
        forest: RandomForestRegressor,
        layout: Layout,
        inputs: Float[Tensor, "n d"],
        targets: Float[Tensor, "n 1"],
    ) -> None:
        fitted = forest.predict(inputs.cpu().numpy())  # type: ignore[no-untyped-call]
        super().__init__(
            inputs, targets, float(np.mean((fitted - targets[:, 0].cpu().numpy()) ** 2))
        )
        self.surrogate = surrogate
        self.forest = forest
        self.layout = layout

    def predictions(self, rows: Float[Tensor, "m d"]) -> Float[Tensor, "members m"]:
        """What each tree predicts."""
        # scikit-learn's trees hold float32, and convert once here instead of once a tree.
        values = rows.cpu().numpy().astype(np.float32)
        found = np.stack([tree.tree_.predict(values)[:, 0] for tree in self.forest.estimators_])
        return torch.from_numpy(found).to(rows)

    def refitted(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"]
    ) -> RandomForestModel:
        """See `Members.refitted`."""
        return self.surrogate.fit(inputs, targets, self.layout)
