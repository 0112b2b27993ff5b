"""Write the configuration that a run really used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dere.figures.config_page import write_config_page
from dere.io import write_atomically


def write_resolved(
    config: Mapping[str, Any], explained: Mapping[str, Mapping[str, Any]], text: Path, page: Path
) -> None:
    """Write the complete configuration as YAML and as a page that explains every leaf.

    Parameters
    ----------
    config
        The resolved configuration.
    explained
        Meaning and default of its leaves, from `dere.run_config.describe.described`.
    text, page
        Files to write.
    """
    write_atomically(text, lambda temporary: temporary.write_text(yaml.safe_dump(dict(config), sort_keys=False)))
    write_config_page(config, page, explained)
