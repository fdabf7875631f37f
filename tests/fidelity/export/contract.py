"""What every file format must do. A test class of a format inherits from `FormatContract`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fidelity.export.format import TOLERANCE, Format, difference, write
from fidelity.export.subject import ExportError, Subject
from spaces.resources.example_input import random_input
from spaces.space import Space
from tests.fidelity.export.networks import NAMED, SPACES, named, subject


class Untraceable(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) if x.sum() > 0 else -x.mean((2, 3))


class FormatContract:
    traced = True  # whether it reads the graph of the network

    @staticmethod
    def make_format(name: str) -> Format:
        """For the network of this name in `SPACES`."""
        raise NotImplementedError("the format of this contract")

    @staticmethod
    def of_space(space: Space, name: str) -> Format:
        """For a hand-made network."""
        raise NotImplementedError("the format of this contract")

    def check(self, kind: Format, subject: Subject, directory: Path) -> None:
        kind.save(subject, directory)
        assert sorted(path.name for path in directory.iterdir()) == sorted(kind.files)
        back = kind.load(directory / kind.files[0])
        assert difference(subject.network, back, subject.input_shape) <= TOLERANCE
        generator = torch.Generator().manual_seed(1)
        inputs = random_input(subject.network, subject.input_shape, 7, generator)
        with torch.no_grad():
            # In evaluation mode: an example's outputs are the same whatever is in its batch.
            torch.testing.assert_close(back(inputs)[2:5], back(inputs[2:5]), atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("name", SPACES)
    def test_round_trip(self, name: str, tmp_path: Path) -> None:
        self.check(self.make_format(name), subject(name), tmp_path)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", NAMED)
    def test_round_trip_of_named_networks(self, name: str, tmp_path: Path) -> None:
        from spaces import zoo

        self.check(self.of_space(zoo.space(), name), named(name), tmp_path)

    def test_never_overwrites(self, tmp_path: Path) -> None:
        kind = self.make_format("hierarchical")
        for name in kind.files:
            (tmp_path / name).write_text("mine", encoding="utf-8")
            with pytest.raises(FileExistsError, match=r"exists and is not overwritten: choose"):
                write(subject("hierarchical").network, (1, 8, 8), tmp_path, [kind])
            assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
            assert len(list(tmp_path.iterdir())) == 1
            (tmp_path / name).unlink()

    def test_a_damaged_file_is_refused(self, tmp_path: Path) -> None:
        kind = self.make_format("hierarchical")
        kind.save(subject("hierarchical"), tmp_path)
        for name in kind.files:
            whole = (tmp_path / name).read_bytes()
            (tmp_path / name).write_bytes(whole[: len(whole) // 2])
            with pytest.raises(ExportError, match=kind.files[0].split(".")[0]):
                kind.load(tmp_path / kind.files[0])
            (tmp_path / name).write_bytes(whole)

    def test_what_cannot_be_traced_leaves_no_file(self, tmp_path: Path) -> None:
        if not self.traced:
            pytest.skip("it needs no graph")
        with pytest.raises(ExportError, match=r"cannot be traced for inputs of \(1, 4, 4\)"):
            write(Untraceable(), (1, 4, 4), tmp_path, [self.make_format("hierarchical")])
        assert not list(tmp_path.iterdir())

    def test_a_format_that_loses_something_leaves_no_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kind = self.make_format("hierarchical")
        loaded = nn.Sequential(nn.Flatten(), nn.Linear(64, 5)).eval()
        monkeypatch.setattr(type(kind), "load", lambda self, path: loaded)
        with pytest.raises(ExportError, match=r"differ by .* does not keep"):
            write(subject("hierarchical").network, (1, 8, 8), tmp_path, [kind])
        assert not list(tmp_path.iterdir())
