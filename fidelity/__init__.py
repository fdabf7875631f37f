"""Performance estimation: how good is a network, and what does it cost to find out?"""

import lazy_loader

__bonas__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
