"""One look for all pages."""

from nicegui import ui

BAR = "bg-blue-grey-10 text-white items-center gap-4 py-2 px-4"


def look(title: str) -> None:
    """Title and colours of a page."""
    ui.page_title(f"{title} · hoijax")
    ui.colors(primary="#1f6feb", positive="#2e7d4f", negative="#b3402e")
    ui.query("body").classes("bg-grey-2")
    ui.query(".nicegui-content").classes("p-0 gap-0")
