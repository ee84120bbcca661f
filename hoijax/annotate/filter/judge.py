"""What an annotator may do to the item before them: each is one event."""

from hoijax.annotate.filter.before import keep_before
from hoijax.annotate.filter.masks import Stroke
from hoijax.annotate.filter.state import LONGEST_NOTE, Assigned, FilterState, decided
from hoijax.annotate.seat import Seat
from hoijax.data.sample import SampleError


class Judge:
    """Decisions about the item of a seat."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat

    def passes(self, *who: str) -> None:
        """Human, object or both are good."""
        self._judge(who, "pass", "")

    def delete(self, who: str, reason: str) -> None:
        """Human or object is no good: the sample is left out."""
        self._judge((who,), "delete", reason)

    def redo(self, note: str) -> None:
        """To be inpainted and reconstructed again."""
        if len(note) > LONGEST_NOTE:
            self.seat.say(f"The note has {len(note)} characters; at most {LONGEST_NOTE} are kept.", bad=True)
        elif queued_so(decided(self.seat.events), note):
            self.seat.say("It is queued already" + (", with this note." if note else "."))
        elif self._kept():
            self.seat.act("redo", {"note": note})

    def assign(self, template: Assigned) -> None:
        """The template stands for the object's mesh; the one that is assigned already no longer does."""
        if decided(self.seat.events).template == template:
            self.seat.act("template", {})
        elif self._kept():
            self.seat.act("template", template._asdict())

    def stroke(self, stroke: Stroke) -> bool:
        """Keeps a stroke of the brush; whether it could."""
        if not self.seat.ready:  # of the item before, which is not ours any more
            self.seat.say(
                "A stroke came while another item was being opened. It was not kept: paint it again.", bad=True
            )
        return self.seat.act("stroke", stroke._asdict()) is not None

    def _judge(self, who: tuple[str, ...], verdict: str, reason: str) -> None:
        self.seat.act("judge", {"who": list(who), "verdict": verdict, "reason": reason})

    def _kept(self) -> bool:
        """The six views as they are now, to be compared with what comes; whether they could be kept."""
        if not self.seat.ready or self.seat.blocked:
            return self.seat.ready  # to act says why nothing may be changed
        try:
            keep_before(self.seat.desk.store, self.seat.version, self.seat.made.six)
        except SampleError as error:
            self.seat.say(str(error), bad=True)
            return False
        return True


def queued_so(state: FilterState, note: str) -> bool:
    """Whether the object stands in the queue with this very note: to queue it once more would say nothing new."""
    return state.again and state.redo is not None and state.redo.note == note
