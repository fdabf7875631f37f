from .format import Format, difference, write, write_possible
from .onnx_file import OnnxFile, OnnxNetwork
from .program import Program
from .python_file import PythonFile
from .state_dict import StateDict
from .subject import ExportError, Subject

__all__ = [
    "ExportError",
    "Format",
    "OnnxFile",
    "OnnxNetwork",
    "Program",
    "PythonFile",
    "StateDict",
    "Subject",
    "difference",
    "write",
    "write_possible",
]
