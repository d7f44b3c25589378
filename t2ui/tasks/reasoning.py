"""The reasoning families: multiple choice about orderings, sets and kinship, and an unseen sibling."""

from __future__ import annotations

from t2ui.tasks.names import PEOPLE
from t2ui.tasks.reasoning_common import ChoiceTask
from t2ui.tasks.reasoning_kin import Kin
from t2ui.tasks.reasoning_order import SCALES, Order
from t2ui.tasks.reasoning_sets import Sets
from t2ui.tasks.reasoning_unseen import ReasoningUnseen


class Reasoning(ChoiceTask):
    """Orderings, sets and kinship, a third each; three or four options in random order.

    The careless author goes by order of mention: lists the people as they were mentioned, takes the
    first thing of the first group, repeats the first word of kinship. That is right for 35 % of each
    kind. A blind guess is right for :meth:`chance` (a third or a quarter).

    ``size`` is a lower bound from the orderings of three people alone: 224 * 223 * 222 orders of people
    x 12 scales x 5 questions x 8 ways to state the two facts (2 orders, 2 directions each) x 6 orders
    of the options = 31.9 billion.
    """

    name = "reasoning"
    trained = True
    kinds = (Order(), Sets(), Kin())
    size = len(PEOPLE) * (len(PEOPLE) - 1) * (len(PEOPLE) - 2) * len(SCALES) * 5 * 8 * 6


__all__ = ["Reasoning", "ReasoningUnseen"]
