"""Contact labels as the layout of Open3DHOI keeps them."""

from hoijax.annotate.contact.state import ContactState, in_order


def contact_labels(state: ContactState) -> list[str] | None:
    """What `contact_label/human_part.json` holds: the touching parts in the order of `PART_NAMES`, [] where none touches.

    The names are hoijax's, not the paper's spelling. None while the annotator has not confirmed.
    """
    return in_order(state.parts) if state.done else None
