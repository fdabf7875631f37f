from .axis import Axis, AxisError
from .combined import Combined
from .epochs import Epochs
from .images import Images
from .resolution import Resolution
from .single_axis import AlongAxis
from .size import Depth, Width

__all__ = [
    "AlongAxis",
    "Axis",
    "AxisError",
    "Combined",
    "Depth",
    "Epochs",
    "Images",
    "Resolution",
    "Width",
]
