from fidelity import (
    AsynchronousHalving,
    Constraint,
    Context,
    Dataset,
    Diverged,
    Evaluation,
    FullFidelity,
    History,
    Hyperband,
    InvalidArchitecture,
    Maximize,
    Status,
    SuccessiveHalving,
    Training,
    Trial,
    datasets,
    retrain,
    tables,
)
from fidelity.axes.axis import AxisError
from fidelity.checkpoint import CheckpointWarning
from fidelity.datasets.dataset import DataError
from fidelity.export.subject import ExportError
from fidelity.history.goal import GoalError
from fidelity.history.journal import JournalError
from fidelity.objective import MissingValue, ObjectiveError
from fidelity.proxies.proxy import ProxyError
from fidelity.schedules.schedule import ScheduleError
from fidelity.tables.table import TableError
from spaces import (
    ArchitectureError,
    CellSpace,
    HierarchicalSpace,
    JointSpace,
    MacroSpace,
    Perceptrons,
    SpaceError,
    zoo,
)

from . import callbacks, interop, plot, runners, strategies, surrogates
from .analysis.importance import Importance, hyperparameter_importance, operation_importance
from .callbacks.callback import Callback, StopRun
from .comparison import Comparison, Setup, compare
from .comparison.setup import ComparisonError
from .reports.report import report
from .search.best import Best, NoResult
from .search.failures import NothingFeasible, NothingWorks
from .search.search import Search
from .sklearn import NetworkClassifier, NetworkRegressor
from .strategies import (
    BayesianOptimization,
    Exhausted,
    FreezeThaw,
    MultiFidelityBayesianOptimization,
    RandomSearch,
    RegularizedEvolution,
)
from .strategies.gradient.search_trace import CollapseWarning
from .strategies.reinforcement.walk import PolicyError

__version__: str

__all__ = [
    "ArchitectureError",
    "AsynchronousHalving",
    "AxisError",
    "BayesianOptimization",
    "Best",
    "Callback",
    "CellSpace",
    "CheckpointWarning",
    "CollapseWarning",
    "Comparison",
    "ComparisonError",
    "Constraint",
    "Context",
    "DataError",
    "Dataset",
    "Diverged",
    "Evaluation",
    "Exhausted",
    "ExportError",
    "FreezeThaw",
    "FullFidelity",
    "GoalError",
    "HierarchicalSpace",
    "History",
    "Hyperband",
    "Importance",
    "InvalidArchitecture",
    "JointSpace",
    "JournalError",
    "MacroSpace",
    "Maximize",
    "MissingValue",
    "MultiFidelityBayesianOptimization",
    "NetworkClassifier",
    "NetworkRegressor",
    "NoResult",
    "NothingFeasible",
    "NothingWorks",
    "ObjectiveError",
    "Perceptrons",
    "PolicyError",
    "ProxyError",
    "RandomSearch",
    "RegularizedEvolution",
    "ScheduleError",
    "Search",
    "Setup",
    "SpaceError",
    "Status",
    "StopRun",
    "SuccessiveHalving",
    "TableError",
    "Training",
    "Trial",
    "callbacks",
    "compare",
    "datasets",
    "hyperparameter_importance",
    "interop",
    "operation_importance",
    "plot",
    "report",
    "retrain",
    "runners",
    "strategies",
    "surrogates",
    "tables",
    "zoo",
]
