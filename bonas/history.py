"""What a search remembers; defined in `fidelity`, where schedules need it, and public here."""

from fidelity.history import History
from fidelity.trial import Evaluation, Status, Trial

__all__ = ["Evaluation", "History", "Status", "Trial"]
