from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.objective import Context, Diverged, InvalidArchitecture
from fidelity.one_shot.one_shot import Inherited, OneShot
from fidelity.one_shot.one_shot_then import OneShotThen
from fidelity.one_shot.paths import Uniform
from fidelity.schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    Schedule,
    SuccessiveHalving,
)
from fidelity.training.device_data import copy_to_device
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.joint import JointSpace
from spaces.space import SpaceError, sample
from tests.fidelity.trained import DATASET, TRAINING

SPACE = CellSpace(nodes=3, channels=4, cells=1, stages=1)
SHARED = Training(SPACE, DATASET, max_epochs=12, batch_size=32, device="cpu")
ONE_SHOT = OneShot(SHARED)
CONVOLUTIONS = SPACE.from_string("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|")
NOTHING = SPACE.from_string("|none~0|+|none~0|nor_conv_1x1~1|")
ALONE = dataclasses.replace(SHARED, max_epochs=3)
MACRO = MacroSpace.small(widths=(4, 8), stages=1)
ELASTIC = OneShot(dataclasses.replace(SHARED, space=MACRO, max_epochs=20))


def drawn(count: int) -> list[Configuration]:
    found = sample(SPACE.configuration_space, 3 * count, np.random.default_rng(0))
    return [c for c in found if SPACE.architecture(c).connected][:count]


def elastic_networks(count: int) -> list[Configuration]:
    return sample(MACRO.configuration_space, count, np.random.default_rng(0))


class TestOneShot:
    def test_it_learns_without_training_the_network_itself(self) -> None:
        result = ONE_SHOT(CONVOLUTIONS)
        assert {"cost", "error", "validation_loss", "parameters"} <= set(result)
        assert result["cost"] <= 0.2
        network = SPACE.build(CONVOLUTIONS, DATASET.input_shape, DATASET.outputs)
        assert result["parameters"] == sum(p.numel() for p in network.parameters())

    def test_the_seed_fixes_it_and_estimates_change_nothing(self) -> None:
        first = [ONE_SHOT(chosen) for chosen in drawn(4)]
        again = [OneShot(SHARED)(chosen) for chosen in reversed(drawn(4))]
        assert first == again[::-1]
        assert OneShot(SHARED, seed=1)(CONVOLUTIONS) != ONE_SHOT(CONVOLUTIONS)

    def test_the_averaged_weights_are_inherited(self) -> None:
        averaged = OneShot(dataclasses.replace(SHARED, average=0.9)).weights(CONVOLUTIONS)
        weights = ONE_SHOT.weights(CONVOLUTIONS)
        assert averaged.keys() == weights.keys()
        assert any(not torch.equal(averaged[name], weights[name]) for name in weights)

    def test_random_states_are_left_as_they_were(self) -> None:
        torch.manual_seed(3)
        state = torch.get_rng_state()
        OneShot(dataclasses.replace(SHARED, max_epochs=1))(CONVOLUTIONS)
        assert torch.equal(torch.get_rng_state(), state)

    def test_a_network_without_a_path_is_invalid(self) -> None:
        with pytest.raises(InvalidArchitecture, match="no path"):
            ONE_SHOT(NOTHING)

    def test_under_a_search(self) -> None:
        with Search(SPACE, ONE_SHOT, strategy=RandomSearch()) as search:
            history = search.run(evaluations=8, progress=Silent())
        assert isinstance(search.schedule, FullFidelity)
        assert search.incumbent is not None
        costs = {e.trial.key: e.cost for e in history.evaluations if e.succeeded}
        assert search.incumbent.cost == min(costs.values())


class TestFile:
    def test_the_second_one_reads_what_the_first_has_trained(self, tmp_path: Path) -> None:
        path = tmp_path / "supernet.pt"
        short = dataclasses.replace(SHARED, max_epochs=2)
        first = OneShot(short, file=path)(CONVOLUTIONS)
        modified = path.stat().st_mtime_ns
        assert OneShot(short, file=path)(CONVOLUTIONS) == first
        assert path.stat().st_mtime_ns == modified
        torch.load(path, weights_only=True)

    def test_that_of_another_supernet_is_refused_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "supernet.pt"
        short = dataclasses.replace(SHARED, max_epochs=1)
        OneShot(short, file=path).supernet()
        before = path.read_bytes()
        for other in (OneShot(short, seed=1, file=path), OneShot(SHARED, file=path)):
            with pytest.raises(SpaceError, match="holds another supernet"):
                other.supernet()
        assert path.read_bytes() == before


class TestInherited:
    def test_training_starts_from_the_inherited_weights(self) -> None:
        training = dataclasses.replace(ALONE, space=Inherited(ONE_SHOT), optimizer=SGD(1e-8))
        warm = training(CONVOLUTIONS, 1)
        assert warm["cost"] == pytest.approx(ONE_SHOT(CONVOLUTIONS)["cost"], abs=1e-9)

    def test_it_is_a_space_like_the_other(self) -> None:
        warm = Inherited(ONE_SHOT)
        assert warm.configuration_space is SPACE.configuration_space
        assert warm.architecture(CONVOLUTIONS) == SPACE.architecture(CONVOLUTIONS)

    def test_of_images_of_another_shape_it_knows_nothing(self) -> None:
        with pytest.raises(SpaceError, match="inherits nothing"):
            Inherited(ONE_SHOT).build(CONVOLUTIONS, (3, 6, 6), DATASET.outputs)


class TestOneShotThen:
    def test_budgets_below_the_first_are_estimates(self) -> None:
        both = OneShotThen(ONE_SHOT, ALONE, first=1)
        for budget in (0, 1 / 3, 0.99):
            assert both(CONVOLUTIONS, budget) == ONE_SHOT(CONVOLUTIONS)
        assert both(CONVOLUTIONS, 1) == ALONE(CONVOLUTIONS, 1)
        assert both(CONVOLUTIONS, 3, seed=2) == ALONE(CONVOLUTIONS, 3, 2)
        assert (both.max_budget, both.resumes) == (3, True)

    @pytest.mark.parametrize(
        "schedule",
        [
            Hyperband(1 / 3, 3),
            SuccessiveHalving(1 / 3, 3),
            AsynchronousHalving(1 / 3, 3),
            AsynchronousHyperband(1 / 3, 3),
            AsynchronousStopping(1 / 3, 3),
            ProgressiveHalving(1 / 3, 3),
        ],
        ids=lambda schedule: type(schedule).__name__,
    )
    def test_it_is_the_lowest_rung_of_every_schedule(self, schedule: Schedule) -> None:
        both = OneShotThen(ONE_SHOT, ALONE, first=1)
        with Search(SPACE, both, strategy=RandomSearch(), schedule=schedule) as search:
            history = search.run(evaluations=14, progress=Silent())
        assert {1 / 3, 1.0} <= set(history.budgets)
        trained = [e for e in history.evaluations if e.trial.budget >= 1 and e.reused is None]
        for evaluation in (e for e in trained if e.succeeded):
            # Nothing is left by an estimate to go on from; a training is continued.
            trial = evaluation.trial
            expected = 0 if trial.budget == 1 or trial.parent is None else trial.budget / 3
            assert evaluation.metrics["resumed_from"] == pytest.approx(expected)
            assert history.spent(evaluation) == pytest.approx(
                evaluation.metrics["epochs"] - expected
            )
        assert any(e.trial.parent is not None for e in trained)

    def test_a_trial_records_a_checkpoint_without_room(self, tmp_path: Path) -> None:
        (tmp_path / "folder").write_text("in the way", encoding="utf-8")
        context = Context(Checkpoint(target=tmp_path / "folder" / "trial.pt"), resumed=1 / 3)
        with pytest.warns(CheckpointWarning, match="cannot be written"):
            OneShotThen(ONE_SHOT, ALONE)(CONVOLUTIONS, 1, 0, context)
        assert context.checkpoint.unsaved is not None
        assert context.checkpoint.refused

    def test_a_context_without_checkpoints_says_that_it_started_from_scratch(self) -> None:
        context = Context(resumed=1 / 3)
        OneShotThen(ONE_SHOT, ALONE)(CONVOLUTIONS, 1, 0, context)
        assert context.checkpoint.refused
        assert [step for step, _ in context.curve] == [1]

    @pytest.mark.parametrize("first", [0, -1, 3.5, float("nan")])
    def test_an_impossible_first_budget_is_refused(self, first: float) -> None:
        with pytest.raises(ValueError, match=r"first is .* above 0 and at most the largest one, 3"):
            OneShotThen(ONE_SHOT, ALONE, first)


def test_a_supernet_that_cannot_be_written_is_trained_once_and_used(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way", encoding="utf-8")
    one_shot, context = OneShot(SHARED, file=tmp_path / "folder" / "supernet.pt"), Context()
    with pytest.warns(CheckpointWarning, match="supernet.pt cannot be written") as said:
        assert one_shot(CONVOLUTIONS, context) == ONE_SHOT(CONVOLUTIONS)
    assert len(said) == 1
    assert context.checkpoint.notices == [str(said[0].message)]
    assert one_shot(CONVOLUTIONS, context) == ONE_SHOT(CONVOLUTIONS)


class TestElastic:
    """Supernets of networks whose depths, widths and kernels differ."""

    def test_it_learns_and_ranks_by_inherited_weights(self) -> None:
        for one in elastic_networks(4):
            result = ELASTIC(one)
            assert result["cost"] <= 0.25
            network = MACRO.build(one, DATASET.input_shape, DATASET.outputs)
            assert result["parameters"] == sum(p.numel() for p in network.parameters())

    def test_an_extracted_network_is_that_of_the_supernet(self) -> None:
        inputs, shared = DATASET.validation.inputs[:16].float(), ELASTIC.supernet()
        for one in elastic_networks(6):
            network = ELASTIC.extract(one)
            assert type(network) is type(MACRO.build(one, DATASET.input_shape, DATASET.outputs))
            assert not network.training
            with torch.no_grad():
                expected = shared.train().path(inputs, one)
                shared.eval()
                torch.testing.assert_close(network.train()(inputs), expected, rtol=0, atol=1e-5)

    def test_an_extracted_network_has_the_estimated_cost(self) -> None:
        validation = DATASET.validation
        data = copy_to_device(DATASET, torch.device("cpu"))
        for one in elastic_networks(3):
            with torch.no_grad():
                outputs = ELASTIC.extract(one)(data.normalise(validation.inputs.float()))
            error = (outputs.argmax(1) != validation.targets).float().mean().item()
            assert error == pytest.approx(ELASTIC(one)["cost"])

    def test_an_extracted_network_can_be_changed_and_trained(self) -> None:
        one = elastic_networks(1)[0]
        network = ELASTIC.extract(one)
        network(DATASET.validation.inputs[:4].float()).sum().backward()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.zero_()
        assert any(weight.abs().sum() > 0 for weight in ELASTIC.weights(one).values())

    def test_an_extracted_network_can_be_exported(self, tmp_path: Path) -> None:
        one = elastic_networks(1)[0]
        network = ELASTIC.extract(one)
        torch.save(network.state_dict(), tmp_path / "network.pt")
        other = MACRO.build(one, DATASET.input_shape, DATASET.outputs).eval()
        other.load_state_dict(torch.load(tmp_path / "network.pt", weights_only=True))
        inputs = DATASET.validation.inputs[:4].float()
        torch.testing.assert_close(other(inputs), network(inputs))

    def test_a_trial_starts_from_its_weights(self) -> None:
        training = dataclasses.replace(
            SHARED, space=Inherited(ELASTIC), optimizer=SGD(1e-8), max_epochs=1
        )
        for one in elastic_networks(2):
            assert training(one, 1)["cost"] == pytest.approx(ELASTIC(one)["cost"], abs=1e-9)

    def test_the_seed_fixes_it_and_estimates_change_nothing(self) -> None:
        short = dataclasses.replace(ELASTIC.training, max_epochs=2)
        first = [OneShot(short)(one) for one in elastic_networks(3)]
        again = OneShot(short)
        assert [again(one) for one in reversed(elastic_networks(3))] == first[::-1]
        assert OneShot(short, paths=Uniform())(elastic_networks(1)[0]) != first[0]

    def test_averaged_weights_and_a_file(self, tmp_path: Path) -> None:
        path, one = tmp_path / "supernet.pt", elastic_networks(1)[0]
        short = dataclasses.replace(ELASTIC.training, max_epochs=2, average=0.9)
        first = OneShot(short, file=path)(one)
        modified = path.stat().st_mtime_ns
        assert OneShot(short, file=path)(one) == first
        assert path.stat().st_mtime_ns == modified

    def test_under_a_search(self) -> None:
        with Search(MACRO, ELASTIC, strategy=RandomSearch()) as search:
            search.run(evaluations=4, progress=Silent())
        assert search.incumbent is not None


class TestBadInput:
    def test_a_space_without_weight_sharing(self) -> None:
        space = JointSpace(MACRO, ConfigurationSpace({"learning_rate": (0.01, 0.1)}))
        chosen = space.configuration_space.get_default_configuration()
        with pytest.raises(SpaceError, match="JointSpace has no weight sharing"):
            OneShot(dataclasses.replace(TRAINING, space=space))(chosen)

    @pytest.mark.filterwarnings("ignore")
    def test_a_loss_that_is_no_number(self) -> None:
        wild = OneShot(dataclasses.replace(SHARED, optimizer=SGD(1e30)))
        with pytest.raises(Diverged, match=r"training loss is (nan|inf)"):
            wild(CONVOLUTIONS)
