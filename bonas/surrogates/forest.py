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
        trees: the number of trees.
        leaf: the minimal number of observations in a leaf.
        share: of the features that each split chooses from (5/6 as in SMAC).
        seed: of bootstrap samples and splits.
    """

    trees: int = 50
    leaf: int = 1
    share: float = 5 / 6
    seed: int = 0

    @property
    def reads_paths(self) -> bool:
        """See `Surrogate.reads_paths`: it does, like all other features."""
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
        layout: of the inputs' columns.
        inputs: the observed rows.
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
        """See `Members.predictions`: one row per tree."""
        # scikit-learn's trees hold float32: converted once here instead of once per tree.
        values = rows.cpu().numpy().astype(np.float32)
        predictions = np.stack(
            [tree.tree_.predict(values)[:, 0] for tree in self.forest.estimators_]
        )
        return torch.from_numpy(predictions).to(rows)

    def refitted(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"]
    ) -> RandomForestModel:
        """See `Members.refitted`."""
        return self.surrogate.fit(inputs, targets, self.layout)
