from .mnist1d_cells import MNIST1DCells

__all__ = ["MNIST1DCells"]
