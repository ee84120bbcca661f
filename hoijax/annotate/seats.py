"""Who sits at which item: one page at a time may change it."""

from collections.abc import Callable
from typing import NamedTuple


class Seated(NamedTuple):
    """The page (`client`) that has an item, its annotator, and what tells that page when it loses the item."""

    client: str
    annotator: str
    lost: Callable[[], None]


class Seats:
    """Items that somebody has open in a tool. They live as long as the server: a killed one leaves no lock behind."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], Seated] = {}

    def take(self, tool: str, item: str, seated: Seated) -> Seated:
        """Gives the item to this page, unless another annotator has it: who has it now.

        A second page of the same annotator takes it over from the first, which is told.
        """
        before = self._taken.get((tool, item))
        if before is not None and before.annotator != seated.annotator:
            return before
        self._taken[tool, item] = seated
        if before is not None and before.client != seated.client:
            before.lost()
        return seated

    def leave(self, client: str) -> None:
        """Frees whatever this page has."""
        self._taken = {place: seated for place, seated in self._taken.items() if seated.client != client}

    def holder(self, tool: str, item: str) -> str:
        """The annotator who has the item; empty where nobody has."""
        seated = self._taken.get((tool, item))
        return seated.annotator if seated else ""
