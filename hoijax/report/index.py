"""The page that leads to the reports of many results."""

import html
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from urllib.parse import quote

from hoijax.data.results import Result, Summary
from hoijax.report.tables import (
    ARROWS,
    KEY_METRICS,
    STATES,
    heading,
    improved,
    known_metrics,
    mean,
    metric,
    metric_text,
)

CARDS = """
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 18px; padding: 0; }
.cards li { list-style: none; border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.cards li { background: var(--card); }
.cards a { display: block; text-decoration: none; height: 100%; }
.cards a:focus-visible { outline: 3px solid var(--human); outline-offset: -3px; }
.cards img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover; background: var(--well); }
.cards div { padding: 10px 14px 14px; overflow-wrap: anywhere; }
.cards small { display: block; color: var(--soft); }
.warned { color: var(--bad); }
"""


def index_html(results: Mapping[str, Result | Summary], pages: Mapping[str, str] | None = None) -> str:
    """One page for many results: {folder relative to the page: result}. Pictures and reports are linked, not copied.

    Each folder is expected to hold thumbnail.jpg, and report.html or what `pages` names instead: {folder: file}.
    """
    found, pages = list(results.values()), pages or {}
    cards = "\n".join(_card(each, result, pages.get(each, "report.html")) for each, result in results.items())
    many = f"{len(found)} reconstruction" + ("s" if len(found) != 1 else "")
    with_page = sum(pages.get(each, "report.html") == "report.html" for each in results)
    where = "its report" if with_page == len(found) else "its report, or to itself in full where there is none"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hoijax: {many}</title>
<link rel="icon" href="data:,">
<style>
{files("hoijax.report").joinpath("page.css").read_text(encoding="utf-8")}{CARDS}</style>
</head>
<body>
<header>
<h1>{many}</h1>
<p class="lead">People and the objects they interact with, in 3D, each from one photograph. Every picture leads to
{where}.</p>
</header>
<main>
<h2>On average</h2>
<p class="soft">Each row is the mean over the samples that can tell; where a sample has no annotation, distances to it
are unknown.</p>
{_averages(found)}
<h2>One by one</h2>
<ul class="cards">
{cards}
</ul>
</main>
<footer>Made by hoijax.</footer>
</body>
</html>
"""


def _card(folder: str, result: Result | Summary, page: str) -> str:
    """Thumbnail, name, the two most telling numbers, and whether anything needs a look."""
    link, name = quote(folder), html.escape(result.name)
    told = known_metrics([result], KEY_METRICS)[:2]
    lines = [f"{metric(n).title}: {_change(result.metrics[n], n)}" for n in told]
    text = "".join(f"<small>{html.escape(line)}</small>" for line in lines)
    if result.dropped:
        text += f'<small class="warned">incomplete: {result.dropped} pairs of splat and tile dropped</small>'
    return (
        f'<li><a href="{link}/{page}"><img src="{link}/thumbnail.jpg" loading="lazy" alt="{name}: the '
        f'reconstructed person and object over the photograph"><div><b>{name}</b>{text}</div></a></li>'
    )


def _change(values: Mapping[str, float], name: str) -> str:
    start, result = (metric_text(values.get(state, math.nan), name) for state in STATES[:2])
    return f"{start} → {result} {metric(name).unit} {ARROWS[metric(name).better]}".strip()


def _averages(results: Sequence[Result | Summary]) -> str:
    """Every metric that some sample can tell: mean start, mean result, mean annotation, and of how many samples."""
    rows = []
    for name in known_metrics(results):
        told = [result.metrics.get(name, {}) for result in results]
        means = [mean(values.get(state, math.nan) for values in told) for state in STATES]
        count = sum(math.isfinite(values.get("result", math.nan)) for values in told)
        judged = {True: "better", False: "worse", None: ""}[improved(name, means[0], means[1])]
        start, result, annotation = (metric_text(value, name) for value in means)
        rows.append(
            f"<tr><td>{html.escape(heading(name))}<small>{html.escape(metric(name).about)}</small></td><td>{start}</td>"
            f'<td class="{judged}">{result}</td><td>{annotation}</td><td>{count}</td></tr>'
        )
    if not rows:
        return "<p>There is nothing to average.</p>"
    head = "<tr><th>metric</th><th>start</th><th>result</th><th>annotation</th><th>samples</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'
