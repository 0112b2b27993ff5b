"""What a simulation adds at unseen towers: methods with it, against the same kind of method without.

Run: python benchmarks/simulation_value.py config/towers.yaml --sizes 25 50 all --protocols class:EBF climate:arid warm

Makes a run of the given configuration (files as for ``dere run``) for every size and protocol with each form of the
built-in process model (``sources.simulation.leaf_area``), named <run>_<form>_<case>; each is a run like any other, goes
on where it stopped, and is made up to its evaluation only. Pairs: KGML to the plain network, DERE to the plain network,
trees that read the simulation to trees that do not, on identical towers, inputs, members and folds. Networks and trees
without a simulation are made once per case. Writes simulation_value.csv into --folder: median NSE and the ratio
of RMSE (geometric mean over towers; below 1 = the simulation helps) with a 95 % interval over clusters of towers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from learning_curve import kept, scores
from measuring import table as as_text
from overlays import Run, begin, made, make, options

from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters
from dere.io import write_table

log = logging.getLogger(__name__)

WITHOUT = {"kgml": "baseline", "dere_towers": "baseline", "dere": "baseline", "gbm_sim": "gbm"}
"""Method that learns from a simulation, to the same kind of method that does not."""
FORMS = ("prognostic", "satellite")
COLUMNS = ["protocol", "asked", "towers", "method", "simulation", "flux", "sites", "clusters", "nse", "nse_without",
           "rmse_ratio", "ratio_low", "ratio_high"]  # fmt: skip


def case_of(word: str) -> tuple[str, dict[str, Any]]:
    """Name of a case and the settings of ``splits`` that it needs.

    Parameters
    ----------
    word
        A number of towers, ``all``, ``warm``, or ``class:<class>`` and ``climate:<climate>`` with further ones after
        commas.

    Raises
    ------
    ValueError
        For another word.
    """
    protocol, _, left_out = word.partition(":")
    if word == "all":
        return "all", {}
    if word.isdigit() and int(word):
        return f"towers{word}", {"training_towers": int(word)}
    if word == "warm" or (protocol in ("class", "climate") and left_out):
        classes = left_out.split(",") if left_out else []
        return "_".join([protocol, *classes]), {"protocol": protocol, "left_out": classes}
    raise ValueError(
        f"--sizes and --protocols: {word} is no number of towers, all, warm, class:<class> or climate:<climate>"
    )


def overlay(name: str, word: str, form: str, methods: Sequence[str], first: bool) -> dict[str, Any]:
    """What a run differs by: its split, the form of the simulation, and methods; all of them only if ``first``."""
    case, splits = case_of(word)
    own = [method for method in methods if first or method not in WITHOUT.values()]
    chosen: dict[str, Any] = {"run": f"{name}_{form}_{case}", "methods": own}
    chosen["sources"] = {"simulation": {"provider": "builtin", "leaf_area": form}}
    if splits:
        chosen["splits"] = splits
    # other protocols have one fold
    return chosen | ({"folds": [0]} if "protocol" in splits else {})


def compared(found: Mapping[str, pd.DataFrame], clusters: Mapping[str, str], resamples: int, seed: int) -> pd.DataFrame:
    """One row per method with a simulation, its form, and flux.

    Parameters
    ----------
    found
        Form to the `scores` of its run; those of methods without a simulation are in the first one.
    clusters
        Site to its cluster.
    """
    plain = next(iter(found.values()))
    rows = []
    for form, table in found.items():
        for (method, _, flux), part in table.groupby(level=["method", "backbone", "flux"], sort=False):
            if method not in WITHOUT:
                continue
            # one backbone at most: a configuration with several compares backbones, not simulations
            mine = part.droplevel(["method", "backbone", "flux"])
            others = plain.xs((WITHOUT[method], flux), level=["method", "flux"]).droplevel("backbone")
            both = mine.join(others, rsuffix="_without", how="inner")
            label = np.array([clusters.get(site) or site for site in both.index])
            drawn = resample_clusters(label, resamples, np.random.default_rng(seed))
            ratio = geometric_ratio(both["rmse"].to_numpy(), both["rmse_without"].to_numpy(), drawn)
            rows.append([method, form, flux, len(both), len(set(label)), both["nse"].median(),
                         both["nse_without"].median(), *ratio])  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS[3:])


def main(given: list[str] | None = None, run: Run = make) -> None:
    parser = options(__doc__, "results/simulation_value")
    parser.add_argument("--methods", nargs="+", default=["gbm", "gbm_sim", "baseline", "kgml", "dere_towers"])
    parser.add_argument("--sizes", nargs="*", default=["25", "50", "all"], help="numbers of towers to learn from; all")
    parser.add_argument("--protocols", nargs="*", default=[], help="class:EBF, climate:arid, warm; each has one fold")
    parser.add_argument("--forms", nargs="+", default=FORMS, choices=FORMS, help="of the simulation")
    arguments = parser.parse_args(given)
    tree = begin(arguments)
    quality, judge = tree["evaluation"]["testing_quality"][0], tree["evaluation"]
    words = [*arguments.sizes, *arguments.protocols]
    cases = {word: case_of(word) for word in words}
    tables = []
    for word, (_, splits) in cases.items():
        found, learned, clusters = {}, 0.0, {}
        for form in arguments.forms:
            own = overlay(tree["run"], word, form, arguments.methods, form == arguments.forms[0])
            folder = made(own, arguments, run)
            found[form] = scores(folder, quality)
            learned = kept(folder, own.get("folds", tree["folds"]))
            split = pd.read_csv(folder / "data" / "splits.csv", dtype=str)
            clusters = dict(zip(split["id"], split["cluster"], strict=True))
        rows = compared(found, clusters, judge["bootstrap"], judge["seed"])
        protocol = word if "protocol" in splits else "clusters"
        tables.append(rows.assign(protocol=protocol, asked=splits.get("training_towers"), towers=learned))
        # after every case, so that a long comparison can be read while it runs
        whole = pd.concat(tables, ignore_index=True).astype({"asked": "Int64"})[COLUMNS]
        write_table(whole, arguments.folder / "simulation_value.csv")
    lines = [
        [row.protocol, f"{row.towers:.0f}", row.method, row.simulation, row.flux, f"{row.nse:.2f}",
         f"{row.nse_without:.2f}", f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in whole.itertuples()
    ]  # fmt: skip
    head = ["protocol", "towers", "method", "simulation", "flux", "median NSE", "without", "RMSE to without"]
    log.info("%s", as_text(head, lines))


if __name__ == "__main__":
    main()
