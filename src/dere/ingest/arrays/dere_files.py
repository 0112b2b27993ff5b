"""Which file of the DERE data set (Hugging Face ai-spatial/DERE) is what (docs/data.md#dere-arrays).

The published folders ``DERE-main``, ``FEDformer_iTransformer_TimeXer`` and ``SimpleTM`` hold different choices of the
same files. Any of them serves, or the folder above them: of two files of one name the first folder's counts.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

log = logging.getLogger(__name__)

FOLDERS = ("DERE-main", "FEDformer_iTransformer_TimeXer", "SimpleTM")
NETWORKS = ("above", "ameriflux", "fluxnet", "icos-ww", "icos-2023", "mix", "multiple", "networks", "6networks")
_NETWORK = "(?P<network>" + "|".join(NETWORKS) + ")"
_STEM = r"(insituless_update_)?"
_RES, _PFT = "res_train4_test8_extract", "pft_dataset_12mean"

KINDS: dict[str, str] = {
    "statistics": r"data_stats_with_NEE_Ra_RECO",
    "driver_statistics": r"data_stats",
    "samples": rf"{_RES}_4types_28years_update_with_NEE_Ra_RECO",
    "sample_fractions": rf"{_PFT}_4types_28years_update",
    "cells": rf"{_RES}_28years_ageindependent_update_with_NEE_Ra_RECO",
    "cell_fractions": rf"{_PFT}_28years_ageindependent_plus_ageweight_update",
    "cell_cover": r"1_res_train4_test8_allx_plus_ageweight_esapft_update",
    "cell_fractions_annual": r"1_ED_PFT_train4_test8_1992_to_2020_update",
    "towers": rf"{_RES}_4types_28years_{_STEM}{_NETWORK}(_with_NEE_Ra_RECO)?",
    "tower_cover": rf"{_PFT}_4types_28years_ESACCI_plusAW_{_STEM}{_NETWORK}",
    "tower_imputation": rf"{_PFT}_4types_28years_ESACCI_plusAW_{_STEM}{_NETWORK}_imputation",
}
"""Kind to the pattern of its file name without ``.npz``."""
CONTENTS: dict[str, str] = {
    "statistics": "mean and standard deviation of drivers and targets",
    "driver_statistics": "mean and standard deviation of drivers",
    "samples": "pure and mixed samples (cell and age) of the simulation",
    "sample_fractions": "plant fractions of the samples",
    "cells": "drivers and simulated states of the cells by age",
    "cell_fractions": "simulated plant fractions and age weights of the cells",
    "cell_cover": "observed plant fractions and age weights of the cells",
    "cell_fractions_annual": "simulated plant fractions of the cells by year",
    "towers": "drivers and simulated states of the towers",
    "tower_cover": "fluxes, observed plant fractions and age weights of the towers",
    "tower_imputation": "the published imputation of the towers",
}


def recognise(name: str) -> tuple[str, str] | None:
    """Kind and network ("" for cells) of a file name; None where it is none of the data set's."""
    for kind, pattern in KINDS.items():
        match = re.fullmatch(pattern + r"\.npz", name)
        if match:
            return kind, match.groupdict().get("network", "")
    return None


def find_files(folder: Path, network: str) -> dict[str, Path]:
    """Files of the data set below ``folder`` by kind, those of other networks left out.

    Parameters
    ----------
    folder
        One of the published folders, or the one that holds them.
    network
        One of ``NETWORKS``.

    Raises
    ------
    FileNotFoundError
        When the folder is missing or holds no file of the data set.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; correct sources.simulation.path or put the npz files there")

    def preference(path: Path) -> tuple[int, str]:
        places = [FOLDERS.index(part) for part in path.relative_to(folder).parts if part in FOLDERS]
        return (min(places, default=-1), str(path))

    found: dict[str, Path] = {}
    networks = set()
    for path in sorted(folder.rglob("*.npz"), key=preference):
        about = recognise(path.name)
        if about is None:
            log.warning("%s: name is none of the DERE data set's, ignored", path.name)
            continue
        kind, of_network = about
        networks |= {of_network} - {""}
        if of_network not in ("", network):
            continue
        if kind not in found:
            found[kind] = path
        elif path.stat().st_size != found[kind].stat().st_size:
            log.warning("%s and %s differ in size; the first is read", found[kind], path)
    if not found and not networks:
        raise FileNotFoundError(
            f"{folder} holds no npz file of the DERE data set (such as data_stats_with_NEE_Ra_RECO.npz); put the "
            "download there under its own file names"
        )
    if networks and "tower_cover" not in found:
        log.warning("%s holds the networks %s, not %s", folder, ", ".join(sorted(networks)), network)
    return found


def require_files(found: dict[str, Path], folder: Path, network: str, *kinds: str) -> None:
    """Check that kinds of files are at hand.

    Raises
    ------
    FileNotFoundError
        Names the pattern of the first missing file, what it holds and where it belongs.
    """
    for kind in kinds:
        if kind not in found:
            pattern = KINDS[kind].replace(_NETWORK, network).replace(_STEM, "").replace("(_with_NEE_Ra_RECO)?", "")
            raise FileNotFoundError(
                f"{folder} has no {pattern}.npz ({CONTENTS[kind]}); download it from ai-spatial/DERE on Hugging Face "
                "into this folder, or choose another sources.simulation.network"
            )
