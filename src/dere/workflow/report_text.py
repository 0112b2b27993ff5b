"""Text in the report that Snakemake writes: it cannot end the script element that it stands in.

The report holds parameters, captions, paths and code as JSON inside script elements. JSON lets ``</script>`` be;
HTML ends the element there, whatever quotes are open, and what follows is page again.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

REPORTER = "snakemake.report.html_reporter"
"""Package that writes the page; the command line of Snakemake has loaded it."""


def script_json(value: Any, **options: Any) -> str:
    """Return a value as JSON that is the same text to a script and holds nothing that HTML would heed."""
    return json.dumps(value, **options).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def escape_reports() -> None:
    """Let every module of Snakemake's reporter write its JSON by `script_json`, whoever asks for a report."""
    import_module(REPORTER)
    escaping = SimpleNamespace(**{name: getattr(json, name) for name in json.__all__} | {"dumps": script_json})
    for name, module in list(sys.modules.items()):
        if name.startswith(REPORTER) and getattr(module, "json", None) is json:
            vars(module)["json"] = escaping
