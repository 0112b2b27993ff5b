"""The page as HTML that needs no other file: its style, its script and its pictures are in it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from dere.opening.model import Page


def html(page: Page, part: bool = False) -> str:
    """Return the page; every text that comes from data is escaped.

    Parameters
    ----------
    page
        What stands on it.
    part
        Leave out what only a page of its own needs (head, script, links), for the first page of the report.
    """
    environment = Environment(
        loader=PackageLoader(__package__ or "", ""),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(page=page, part=part)
