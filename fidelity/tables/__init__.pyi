from .hardware import HardwareNASBench201
from .hw_gpt import HWGPTBench
from .mnist1d_cells import MNIST1DCells
from .nasbench201 import NASBench201
from .nasbench_macro import NASBenchMacro
from .nats_bench import NATSBench
from .table import Table, TableError

__all__ = [
    "HWGPTBench",
    "HardwareNASBench201",
    "MNIST1DCells",
    "NASBench201",
    "NASBenchMacro",
    "NATSBench",
    "Table",
    "TableError",
]
