"""One look for all pages."""

from nicegui import ui

# A button that was clicked keeps the focus (Quasar gives it to an element inside of it), and Enter, which means "next" on a
# page, would press it again.
_FREE_KEYS = """<script>
document.addEventListener("click", (e) => {
  const focused = document.activeElement;
  if (e.detail > 0 && focused && !focused.matches("input, select, textarea, body")) focused.blur();
});
</script>"""
BAR = "bg-blue-grey-10 text-white items-center gap-4 py-2 px-4"


def look(title: str) -> None:
    """Title and colours of a page."""
    ui.add_body_html(_FREE_KEYS)
    ui.page_title(f"{title} · hoijax")
    ui.colors(primary="#1f6feb", positive="#2e7d4f", negative="#b3402e")
    ui.query("body").classes("bg-grey-2")
    ui.query(".nicegui-content").classes("p-0 gap-0")
