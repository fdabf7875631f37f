from .acquisition import acquisition
from .anytime import anytime
from .anytime_panels import anytime_panels
from .architecture import architecture
from .brackets import brackets
from .calibration import calibration
from .canziani import Bubble, canziani, named_networks
from .critical_difference import critical_difference
from .embedding import TSNE, Projection, embedding, principal_components
from .hypervolume import hypervolume
from .importance import importance
from .learning_curves import learning_curves
from .mean_rank import mean_rank
from .pareto import pareto
from .predicted import predicted
from .rank_correlation import rank_correlation
from .space_tree import space_tree
from .timeline import timeline

__all__ = [
    "TSNE",
    "Bubble",
    "Projection",
    "acquisition",
    "anytime",
    "anytime_panels",
    "architecture",
    "brackets",
    "calibration",
    "canziani",
    "critical_difference",
    "embedding",
    "hypervolume",
    "importance",
    "learning_curves",
    "mean_rank",
    "named_networks",
    "pareto",
    "predicted",
    "principal_components",
    "rank_correlation",
    "space_tree",
    "timeline",
]
