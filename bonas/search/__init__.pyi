from .search import Search

__all__ = [
    "Search",
]
