from .nasbench201 import NASBench201
from .nasbench_macro import NASBenchMacro
from .nats_bench import NATSBench
from .table import Table, TableError

__all__ = ["NASBench201", "NASBenchMacro", "NATSBench", "Table", "TableError"]
