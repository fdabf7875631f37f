from .hardware import HardwareNASBench201
from .mnist1d_cells import MNIST1DCells
from .nasbench201 import NASBench201
from .nasbench_macro import NASBenchMacro
from .nats_bench import NATSBench
from .table import Table, TableError

__all__ = [
    "HardwareNASBench201",
    "MNIST1DCells",
    "NASBench201",
    "NASBenchMacro",
    "NATSBench",
    "Table",
    "TableError",
]
