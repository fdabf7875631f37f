from . import operations
from .architecture.architecture import Architecture, ArchitectureError, Node
from .cells.cell import CellSpace
from .cells.darts import DartsSpace, darts
from .cells.node_cell import NodeCellSpace, nasbench101
from .configurations.mutation import crossover, mutate, neighbours
from .define_by_run.pick import Pick
from .define_by_run.space import DefineByRun, choices_of
from .hierarchical import zoo
from .hierarchical.encoder_decoder import EncoderDecoderSpace
from .hierarchical.liu2018 import Level, Library, Stacked, liu2018
from .hierarchical.macro_space import MacroSpace, family_of
from .hierarchical.space import HierarchicalSpace
from .hierarchical.stage_space import StageSpace
from .hyperparameter_space import HyperparameterSpace
from .joint import JointSpace
from .keys import Keyed, trial_key
from .motifs import families, layers
from .motifs.families import Family
from .motifs.motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Single, Stage
from .perceptrons import Perceptrons
from .pruning.importance import Norm
from .pruning.pruned_from import PrunedFrom
from .resources.example_input import example_input
from .resources.resource_features import CostFeatures, ResourceFeatures
from .resources.resources import Cost, Resources, cost, count_resources
from .sequences.sequence_space import NextTokenSpace, SequenceSpace
from .serialisation import (
    architecture_from_json,
    architecture_to_json,
    check_space,
    configuration_space_from_json,
    space_to_json,
)
from .space import InputShape, Space, SpaceError
from .tabular.residual_perceptrons import ResidualPerceptrons
from .transformers.inputs import Patches, Tokens
from .transformers.transformer_space import TransformerSpace
from .weight_sharing import ElasticSupernet, SharedWeights, Sharing, Supernet, supernet

__all__ = [
    "Architecture",
    "ArchitectureError",
    "CellSpace",
    "Chain",
    "Choice",
    "Cost",
    "CostFeatures",
    "DartsSpace",
    "DefineByRun",
    "ElasticSupernet",
    "EncoderDecoderSpace",
    "Family",
    "Fixed",
    "Graph",
    "HierarchicalSpace",
    "HyperparameterSpace",
    "InputShape",
    "JointSpace",
    "Keyed",
    "Level",
    "Library",
    "MacroSpace",
    "Motif",
    "NextTokenSpace",
    "Node",
    "NodeCellSpace",
    "Norm",
    "Patches",
    "Perceptrons",
    "Pick",
    "PrunedFrom",
    "Repeat",
    "ResidualPerceptrons",
    "ResourceFeatures",
    "Resources",
    "SequenceSpace",
    "SharedWeights",
    "Sharing",
    "Single",
    "Space",
    "SpaceError",
    "Stacked",
    "Stage",
    "StageSpace",
    "Supernet",
    "Tokens",
    "TransformerSpace",
    "architecture_from_json",
    "architecture_to_json",
    "check_space",
    "choices_of",
    "configuration_space_from_json",
    "cost",
    "count_resources",
    "crossover",
    "darts",
    "example_input",
    "families",
    "family_of",
    "layers",
    "liu2018",
    "mutate",
    "nasbench101",
    "neighbours",
    "operations",
    "space_to_json",
    "supernet",
    "trial_key",
    "zoo",
]
