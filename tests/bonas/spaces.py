"""Small spaces and objectives for tests of searches."""

from ConfigSpace import Configuration

from spaces.cells.cell import CellSpace

GAIN = {"none": 0.0, "skip_connect": 0.3, "nor_conv_1x1": 0.6, "nor_conv_3x3": 1.0,
        "avg_pool_3x3": 0.1}  # fmt: skip


def cells(nodes: int = 4) -> CellSpace:
    return CellSpace(nodes=nodes, channels=2, cells=1, stages=2)


def cost(configuration: Configuration, budget: float = 1.0) -> float:
    """A cost that depends on the cell's graph alone, and falls with the budget."""
    canonical = cells().architecture(configuration).canonical()
    gain = sum(GAIN.get(str(node.operation), 0.0) for node in canonical.nodes)
    return 10 - gain + 1 / budget
