from . import zoo

__all__ = ["zoo"]
