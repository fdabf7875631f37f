"""Search spaces: which architectures exist, and which network is each of them?"""

import lazy_loader

__bonas__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
