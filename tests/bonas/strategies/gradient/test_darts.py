from __future__ import annotations

import dataclasses
import warnings
from functools import cache

import numpy as np
import pytest
import torch
from ConfigSpace import ConfigurationSpace

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.darts import DARTS
from bonas.strategies.gradient.early_stop import SkipConnections, StableCell, ValidationLoss
from bonas.strategies.gradient.gradient_search import TrainedSupernet
from bonas.strategies.gradient.hypergradient import SecondOrder
from bonas.strategies.gradient.relaxation import Softmax
from bonas.strategies.gradient.search_trace import CollapseWarning, Trace
from bonas.strategies.strategy import Exhausted, Strategy
from fidelity.history.history import History
from fidelity.objective import Diverged
from fidelity.schedules import Hyperband
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces import operations
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.joint import JointSpace
from spaces.space import Space, SpaceError
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, record
from tests.fidelity.trained import DATASET

SPACE = CellSpace(nodes=3, channels=4, cells=1, stages=1)
BILEVEL = Bilevel(DATASET, epochs=2, batch_size=16, architecture_rate=0.05, device="cpu")
SHORT = dataclasses.replace(BILEVEL, epochs=1, batch_size=32)
pytestmark = pytest.mark.filterwarnings(
    "ignore::bonas.strategies.gradient.search_trace.CollapseWarning"
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def propose(strategy: Strategy, history: History, seed: int = 0) -> str:
    chosen = strategy.propose(SPACE, history, np.random.default_rng(seed))
    return SPACE.to_string(chosen)


class TestDARTS(StrategyContract):
    def strategy(self) -> DARTS:
        return Pretrained(SHORT)


class Pretrained(DARTS):
    """Trained once, to save time: that a fresh object finds the same has its own test below."""

    def train(self, space: Space) -> TrainedSupernet:
        return _trained()


@cache
def _trained() -> TrainedSupernet:
    return DARTS(SHORT).train(MEDIUM)


class TestProposals:
    def test_the_discretised_cell_comes_first_and_then_others(self) -> None:
        strategy, history = DARTS(BILEVEL).start(SPACE), History(SPACE.configuration_space)
        trace = strategy.trained.trace
        totals = []
        for number in range(6):
            chosen = strategy.propose(SPACE, history, np.random.default_rng(number))
            if number == 0:
                assert chosen == trace.configurations[-1]
            places = [trace.operations.index(chosen[edge]) for edge in trace.edges]
            totals.append(np.log(trace.probabilities()[-1][range(3), places]).sum())
            record(history, SPACE, chosen)
        assert totals == sorted(totals, reverse=True)
        assert len(history.keys()) == 6
        assert not any("none" in dict(t.configuration).values() for t in history.trials)

    def test_the_seed_is_the_only_randomness(self) -> None:
        history = History(SPACE.configuration_space)
        one, same = DARTS(BILEVEL), DARTS(BILEVEL)
        other = DARTS(dataclasses.replace(BILEVEL, seed=1))
        assert propose(one, history, 0) == propose(same, history, 1)
        courses = [strategy.trace(SPACE).parameters for strategy in (one, same, other)]
        assert np.array_equal(courses[0], courses[1])
        assert not np.array_equal(courses[0], courses[2])

    def test_random_states_are_left_as_they_were(self) -> None:
        torch.manual_seed(1)
        state = torch.get_rng_state()
        DARTS(BILEVEL).train(SPACE)
        assert torch.equal(torch.get_rng_state(), state)

    def test_the_supernet_is_trained_once_for_a_space(self) -> None:
        settings, history = DARTS(BILEVEL), History(SPACE.configuration_space)
        strategy, other = (settings.start(SPACE) for _ in range(2))
        trained = strategy.trained
        strategy.propose(SPACE, history, np.random.default_rng(0))
        assert strategy.trained is trained
        assert strategy.trained is not other.trained

    def test_when_all_were_asked_for_it_says_so(self) -> None:
        space = CellSpace(SPACE.operations, nodes=2, channels=4, cells=1, stages=1)
        strategy, history = DARTS(BILEVEL).start(space), History(space.configuration_space)
        for _ in range(4):
            record(history, space, strategy.propose(space, history, np.random.default_rng(0)))
        with pytest.raises(Exhausted, match="every configuration without 'none'"):
            strategy.propose(space, history, np.random.default_rng(0))

    @pytest.mark.parametrize("hypergradient", [None, SecondOrder()])
    def test_what_it_finds_is_trained_under_a_schedule(
        self, hypergradient: SecondOrder | None
    ) -> None:
        strategy = DARTS(BILEVEL) if hypergradient is None else DARTS(BILEVEL, hypergradient)
        training = Training(SPACE, DATASET, max_epochs=3, batch_size=32, device="cpu")
        with Search(SPACE, training, strategy=strategy, schedule=Hyperband(1, 3)) as search:
            history = search.run(evaluations=6, progress=Silent())
        assert history.budgets == (1, 3)
        assert all(evaluation.succeeded for evaluation in history.evaluations)
        assert history.trials[0].configuration == strategy.trace(SPACE).configurations[-1]


class TestLearning:
    def test_an_operation_that_helps_is_preferred_to_one_that_disturbs(self) -> None:
        def noise(channels_in: int, channels_out: int, stride: int) -> torch.nn.Module:
            return torch.nn.Dropout(0.9)

        space = CellSpace(
            {"noise": noise, "conv": operations.relu_conv_bn(3)}, 2, channels=4, cells=1, stages=1
        )
        strategies = [DARTS(dataclasses.replace(BILEVEL, epochs=12)) for _ in range(2)]
        one, same = [strategy.trace(space) for strategy in strategies]
        probabilities = one.probabilities()[:, 0, one.operations.index("conv")]
        assert abs(probabilities[0] - 0.5) < 0.01
        assert probabilities[-1] > 0.6
        assert one.train_loss[-1] < one.train_loss[1]
        # The random numbers of dropout come from the seed as well.
        assert np.array_equal(one.parameters, same.parameters)

    def test_in_the_warm_up_only_the_weights_move(self) -> None:
        trace = DARTS(dataclasses.replace(BILEVEL, warm_up=1)).trace(SPACE)
        assert np.array_equal(trace.parameters[0], trace.parameters[1])
        assert not np.array_equal(trace.parameters[1], trace.parameters[2])

    def test_the_mixture_is_a_softmax(self) -> None:
        parameters = torch.tensor([[0.0, 0.0], [1.0, -1.0]])
        weights, active = Softmax()(parameters, 0.5, torch.Generator())
        assert active is None
        torch.testing.assert_close(weights.sum(-1), torch.ones(2))


class TestTrace:
    def test_it_holds_every_epoch(self) -> None:
        trace = DARTS(BILEVEL).trace(SPACE)
        assert trace.parameters.shape == (3, 3, 5)
        assert (trace.epochs, trace.cell_edges, trace.stopped) == (2, 3, None)
        assert trace.probabilities().sum(-1) == pytest.approx(np.ones((3, 3)))
        assert np.isnan(trace.train_loss[0])
        assert trace.until(1).epochs == 1
        assert np.array_equal(trace.until(1).parameters, trace.parameters[:2])
        frame = trace.frame()
        assert len(frame) == 3 * 3 * 5
        assert frame["probability"].between(0, 1).all()
        assert set(frame["operation"]) == set(SPACE.operations)

    def test_a_collapse_is_told_and_written_down(self) -> None:
        only = {"none": operations.zero, "skip": operations.identity}
        space = CellSpace(only, nodes=3, channels=4, cells=1, stages=1)
        with pytest.warns(CollapseWarning, match="3 of 3 edges of its cell are skip connections"):
            trace = DARTS(BILEVEL).trace(space)
        assert (trace.collapsed, trace.skips[-1]) == (0, 3)

    def test_a_cell_without_weights_is_told_too(self) -> None:
        pools = {"none": operations.zero, "pool": operations.average_pool(3)}
        space = CellSpace(pools, nodes=3, channels=4, cells=1, stages=1)
        with pytest.warns(CollapseWarning, match="no operation of its cell has weights"):
            trace = DARTS(BILEVEL).trace(space)
        assert (trace.collapsed, trace.skips[-1], trace.weightless[-1]) == (None, 0, 3)

    @pytest.mark.parametrize(
        ("skips", "expected"),
        [((0, 1, 1), None), ((0, 2, 3), 1), ((2, 0, 2), 2), ((3, 3, 3), 0), ((3, 3, 0), None)],
    )
    def test_since_when_skip_connections_prevail(
        self, skips: tuple[int, ...], expected: int | None
    ) -> None:
        assert course(skips=skips).collapsed == expected

    def test_no_warning_without_a_collapse(self) -> None:
        space = CellSpace({"conv": operations.relu_conv_bn(3)}, nodes=3, channels=4, cells=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert DARTS(BILEVEL).trace(space).failure is None


def course(
    skips: tuple[int, ...] = (0, 0, 0),
    validation_loss: tuple[float, ...] = (float("nan"), 1.0, 1.0),
    cells: str = "aaa",
) -> Trace:
    texts = {
        "a": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|",
        "b": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|",
    }
    configurations = tuple(SPACE.from_string(texts[cell]) for cell in cells)
    parameters = np.zeros((len(skips), 3, 5))
    losses, names = validation_loss, (("e",) * 3, ("o",) * 5)
    return Trace(*names, parameters, configurations, skips, skips, 3, losses, losses)


class TestStopping:
    def test_at_skip_connections(self) -> None:
        assert SkipConnections(2)(course(skips=(0, 1))) is None
        assert SkipConnections(2)(course(skips=(0, 2))) == "2 of 3 edges are skip connections"
        assert SkipConnections(2, after=1)(course(skips=(0, 2))) is None

    def test_when_the_cell_stays_the_same(self) -> None:
        assert StableCell(2)(course(cells="baa")) is None
        assert StableCell(2)(course(cells="bbaa")) is None
        reason = StableCell(2)(course(cells="baaa"))
        assert reason == "the cell has been the same for 2 epochs"

    def test_when_the_held_out_loss_does_not_fall(self) -> None:
        nan = float("nan")
        assert ValidationLoss(2)(course(validation_loss=(nan, 3.0, 2.0, 2.5))) is None
        reason = ValidationLoss(2)(course(validation_loss=(nan, 3.0, 2.0, 2.5, 2.0)))
        assert reason == "the held-out loss has not fallen for 2 epochs"
        assert ValidationLoss(2)(course(validation_loss=(nan,))) is None

    def test_it_ends_the_search_and_is_written_down(self) -> None:
        trace = DARTS(dataclasses.replace(BILEVEL, stop=SkipConnections(0))).trace(SPACE)
        assert trace.epochs == 1
        assert trace.stopped is not None
        assert trace.stopped.endswith("of 3 edges are skip connections")


class TestBadInput:
    def test_a_space_without_weight_sharing(self) -> None:
        with pytest.raises(SpaceError, match="MacroSpace has no weight sharing"):
            DARTS(BILEVEL).train(MacroSpace.nasbench_macro())

    def test_continuous_hyperparameters(self) -> None:
        space = JointSpace(SPACE, ConfigurationSpace({"learning_rate": (0.01, 0.1)}))
        with pytest.raises(SpaceError, match="the numbers training:learning_rate"):
            DARTS(BILEVEL).train(space)

    def test_a_loss_that_is_no_number(self) -> None:
        wild = SGD(1e30, 0.9, 0.0)
        with pytest.raises(Diverged, match="after epoch 1: lower the learning rate"):
            DARTS(dataclasses.replace(BILEVEL, optimizer=wild, batch_size=8)).train(SPACE)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("epochs", 0, "epochs is 0: it must be above 0"),
            ("batch_size", 0, "batch_size is 0"),
            ("architecture_rate", -1.0, "architecture_rate is -1"),
            ("clip", float("nan"), "clip is nan"),
            ("held_out", 1.0, "held_out is 1.0: it lies between 0 and 1"),
            ("warm_up", 2, "warm_up is 2: it lies between 0 and the 2 epochs"),
        ],
    )
    def test_numbers_out_of_range(self, name: str, value: float, message: str) -> None:
        changes: dict[str, float] = {name: value}
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(BILEVEL, **changes)  # type: ignore[arg-type]

    def test_what_is_no_data_set_is_named(self) -> None:
        with pytest.raises(TypeError, match="the data set is a ndarray: expected"):
            Bilevel(np.ones((20, 1, 4, 4)))  # type: ignore[arg-type]
