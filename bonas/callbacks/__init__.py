"""What is told how a run goes: a base for one's own, TensorBoard and MLflow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
