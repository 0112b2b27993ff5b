"""The page as HTML that needs no other file and asks for none."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import plotly
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

LIBRARY = "package_data/plotly.min.js"


def html(data: dict[str, Any], back: str) -> str:
    """Return the page.

    Data stand in it as JSON in which no ``<`` is left, so that no text of data ends the element that holds it.

    Parameters
    ----------
    data
        Result of `dere.explorer.data.build`.
    back
        Path of the first page of the run from the folder of this one.
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    here = PackageLoader(__package__ or "", "")
    environment = Environment(
        loader=PrefixLoader({"explorer": here, "opening": PackageLoader("dere.opening", "")}),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    page = environment.get_template("explorer/page.html")
    return page.render(page=data, data=text, back=back, library=library())


def library() -> str:
    """Return the plotting library that the page holds.

    Raises
    ------
    FileNotFoundError
        When the installed package does not bring it.
    """
    file = resources.files(plotly) / LIBRARY
    if not file.is_file():
        raise FileNotFoundError(
            f"the package plotly {plotly.__version__} brings no {LIBRARY}, which the explorer holds; install the "
            "version of requirements.lock"
        )
    return file.read_text(encoding="utf-8")
