"""One line before a run: what it runs on, from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dere.run_config.mixture import BUNDLED
from dere.workflow.source_modules import methane_source
from dere.workflow.targets import built_in

_PROVIDERS = {
    ("simulation", "builtin"): "simulation by the built-in process model on the weather of the towers",
    ("cover", "igbp"): "plant types by the class of each tower",
    ("cover", "dere"): "plant types of the simulation's arrays",
    ("towers", BUNDLED): "towers of FLUXNET2015 that come with the package",
    ("towers", "dere"): "towers of the simulation's arrays",
}
_NAMES = {"simulation": "simulation", "cover": "plant types", "towers": "towers"}


def runs_on(config: Mapping[str, Any]) -> str:
    """Return a sentence of what a run reads.

    Examples
    --------
    ``Run demo: simulation, plant types, towers of the built-in world.``
    """
    return f"Run {config['run']}: {reads(config)}."


def reads(config: Mapping[str, Any]) -> str:
    """Return what a run reads, each source with where it comes from.

    Parameters
    ----------
    config
        The complete configuration.
    """
    invented = built_in(config)
    parts = []
    for name, words in _NAMES.items():
        source = config["sources"][name]
        given = source.get("paths") or [source.get("path")]
        if name in invented:
            continue
        if text := _PROVIDERS.get((name, source["provider"])):
            parts.append(text)
            if source["provider"] == BUNDLED and any(given):
                parts[-1] += f" and from {', '.join(given)}"
        elif any(given):
            parts.append(f"{words} from {', '.join(filter(None, given))}")
    if methane_source(config):
        parts.append(f"simulated methane from {config['sources']['methane']['path']}")
    if invented:
        parts.append(f"{', '.join(_NAMES[name] for name in invented)} of the built-in world")
    return "; ".join(parts)


def mixed(config: Mapping[str, Any]) -> bool:
    """Whether a run of the built-in world reads files as well; ``config`` as in `reads`."""
    invented = built_in(config)
    return bool(invented) and (len(invented) < len(_NAMES) or methane_source(config) is not None)
