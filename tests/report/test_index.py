"""The overview page: every result is reachable, and names cannot break it."""

import math
from html.parser import HTMLParser

from hoijax.data.results import Summary
from hoijax.report.index import index_html


class Page(HTMLParser):
    """Links, images and cells of a page; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img"}:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]


def summary(name: str, start: float, result: float) -> Summary:
    return Summary(name, {"gap_cm": {"start": start, "result": result}}, {"total": 3.0}, dropped=2)


def test_each_result_is_linked_whatever_its_name() -> None:
    page = Page(index_html({"a b/#1": summary('<b>"x"</b>', 2.0, 1.0), "c": summary("c", 4.0, math.nan)}))
    assert page.attributes("a", "href") == ["a%20b/%231/report.html", "c/report.html"]
    assert page.attributes("img", "src") == ["a%20b/%231/thumbnail.jpg", "c/thumbnail.jpg"]
    assert all(alt and '<b>"x"</b>' in alt for alt in page.attributes("img", "alt")[:1])
    assert "b" in {tag for tag, _ in page.tags}
    assert sum(tag == "b" for tag, _ in page.tags) == 2  # the two names; the name's own tags are text


def test_means_are_over_the_samples_that_can_tell() -> None:
    page = Page(index_html({"a": summary("a", 2.0, 1.0), "b": summary("b", 4.0, math.nan)}))
    assert page.cells[1:] == ["3.00", "1.00", "–", "1"]
    assert page.attributes("td", "class") == ["better"]


def test_a_page_of_nothing_stands() -> None:
    assert "0 reconstructions" in index_html({})


def test_nothing_is_fetched_from_a_network() -> None:
    text = index_html({"a": summary("a", 2.0, 1.0)})
    assert "http:" not in text
    assert "https:" not in text
