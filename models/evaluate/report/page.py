"""The report as one page of HTML that needs nothing beside itself: no script, no picture, no address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from models.evaluate.header import Header
from models.evaluate.report.markdown import ARROWS, show, used_columns
from models.evaluate.report.plots import scatter_plot, section_plot
from models.evaluate.section import Sample, Section

SCATTERS = {"decoding": (("distinct2", ("judged", "own"), True), ("distinct2", ("rougeL",), False))}
"""Sections with pictures of two columns against each other: across, up (the first with numbers), log or not."""
STYLE = """
:root { color-scheme: light; --ink: #2b2620; --soft: #6b6256; --line: #e0d9ce; --paper: #fbf9f5; --mark: #b5542c; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 Georgia, "Times New Roman", serif; }
main { max-width: 92rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.4rem; margin: 2.5rem 0 .4rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; }
nav a { margin-right: 1rem; color: var(--mark); }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font: 13px/1.4 system-ui, sans-serif; margin: .8rem 0; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; vertical-align: bottom; }
td.number { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
th.number { text-align: right; }
td small { color: var(--soft); display: block; }
td.note { color: var(--soft); min-width: 9rem; }
td:nth-child(2) { min-width: 8rem; }
.here { display: inline-block; background: #f4e3da; color: #7d3415; padding: .1rem .6rem; border-radius: .3rem; }
details { margin: .4rem 0; font: 14px/1.5 system-ui, sans-serif; }
summary { cursor: pointer; color: var(--soft); }
pre { background: #f1ece3; padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; word-break: break-word;
  font: 13px/1.45 ui-monospace, monospace; border-radius: .3rem; }
blockquote { margin: .2rem 0 .9rem; padding-left: .9rem; border-left: 3px solid var(--line); max-width: 46rem;
  font: 15px/1.5 Georgia, serif; white-space: pre-line; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
"""


def to_page(title: str, header: Header, sections: Sequence[Section]) -> str:
    """The whole document."""
    links = "".join(f'<a href="#{escape(section.key)}">{escape(section.title)}</a>' for section in sections)
    body = "".join(map(_section, sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{_header(header)}<nav>{links}</nav>{body}</main></body></html>\n"
    )


def _header(header: Header) -> str:
    models = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(_listed(said))}</dd>" for label, said in header.models.items()
    )
    texts = "".join(
        f"<dt>{escape(text['name'])}</dt><dd>{text['bytes']:,} bytes, SHA-256 {escape(text['sha256'])}</dd>"
        for text in header.texts
    )
    made = f"Made at {header.made_at}, commit {header.commit or 'unknown'}."
    return (
        f"<pre>{escape(header.command)}</pre><p>{escape(made)} Brackets are 95 % intervals; arrows show which way is "
        f"better.</p><details><summary>Models, texts, versions and machine</summary><dl>{models}{texts}"
        f"<dt>versions</dt><dd>{escape(_listed(header.versions))}</dd>"
        f"<dt>machine</dt><dd>{escape(_listed(header.machine))}</dd>"
        f"<dt>settings</dt><dd>{escape(json.dumps(header.settings, ensure_ascii=False))}</dd></dl></details>"
    )


def _section(section: Section) -> str:
    here = '<p class="here">Numbers of this machine only; they compare with none measured elsewhere.</p>'
    pictures = [section_plot(section)] if section.key not in SCATTERS else []
    used = {column.key for column in used_columns(section)}
    for x, heights, is_log in SCATTERS.get(section.key, ()):
        pictures += [scatter_plot(section, x, y, is_log=is_log) for y in heights if y in used][:1]
    figures = "".join(f"<figure>{picture}</figure>" for picture in pictures if picture)
    settings = escape(json.dumps(section.settings, ensure_ascii=False, indent=1))
    return (
        f'<h2 id="{escape(section.key)}">{escape(section.title)}</h2>{here if section.is_here_only else ""}'
        f"<p>{escape(section.about)}</p>{figures}{_table(section)}"
        f"<details><summary>Settings; intervals are drawn over {escape(section.unit)}</summary>"
        f"<pre>{settings}</pre></details>{''.join(map(_sample, section.samples))}"
    )


def _table(section: Section) -> str:
    columns = used_columns(section)
    has_notes, has_groups = (any(getattr(row, name) for row in section.rows) for name in ("note", "group"))
    head = "<th>model</th>" + "<th></th>" * has_groups
    head += "".join(f'<th class="number">{escape(c.title + ARROWS[c.better])}</th>' for c in columns)
    lines = []
    for row in section.rows:
        cells = f"<td>{escape(row.model)}</td>" + f"<td>{escape(row.group)}</td>" * has_groups
        for column in columns:
            value, _, interval = show(row, column).partition(" [")
            small = f"<small>[{escape(interval)}</small>" if interval else ""
            cells += f'<td class="number">{escape(value)}{small}</td>'
        lines.append(f"<tr>{cells}" + f'<td class="note">{escape(row.note)}</td>' * has_notes + "</tr>")
    head += "<th>note</th>" * has_notes
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _sample(sample: Sample) -> str:
    texts = "".join(
        f"<p>{escape(label)}</p><blockquote>{escape(text) or '(nothing)'}</blockquote>" for label, text in sample.texts
    )
    return f"<details><summary>Sample, not chosen: {escape(sample.title)}</summary>{texts}</details>"


def _listed(said: object) -> str:
    assert isinstance(said, dict)  # noqa: S101  # headers hold objects there
    return ", ".join(f"{key} {value}" for key, value in said.items() if value is not None)
