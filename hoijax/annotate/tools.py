"""The tools that the server offers, in the order in which a sample goes through them."""

from hoijax.annotate.contact.tool import TOOL as CONTACT
from hoijax.annotate.filter.tool import TOOL as FILTER
from hoijax.annotate.fine.tool import TOOL as FINE

TOOLS = (FILTER, CONTACT, FINE)
