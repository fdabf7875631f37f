"""What a search remembers; defined in `fidelity`, where schedules need it, and public here."""

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial

__all__ = ["Evaluation", "History", "Status", "Trial"]
