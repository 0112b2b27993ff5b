"""Where every number comes from: file, checksum, version, licence, citation and address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from dere.io import file_sha256

_PASTORELLO = "Pastorello et al. 2020, Sci Data 7:225, doi 10.1038/s41597-020-0534-3, and each site's DOI"


@dataclass(frozen=True)
class Product:
    """A data product.

    Parameters
    ----------
    title
        Name for people.
    licence
        Terms of use, as far as they are known.
    citation
        What a user must cite.
    version
        Version, where the product has one for all files; else each file's own stands in its row.
    url
        DOI or address of the product; empty where it is not known.
    """

    title: str
    licence: str
    citation: str
    version: str = ""
    url: str = ""


COLUMNS = ("source", "file", "product", "version", "role", "rows", "sha256", "licence", "citation", "url")
"""First columns of ``tables/provenance.csv``; further ones depend on the source."""

PRODUCTS: dict[str, Product] = {
    "fluxnet2015": Product(
        "FLUXNET2015",
        "CC-BY-4.0 (six sites restricted: RU-Sam RU-SkP RU-Tks RU-Vrk SE-St1 ZA-Kru)",
        _PASTORELLO,
        url="https://doi.org/10.1038/s41597-020-0534-3",
    ),
    "fluxnet2015-extract": Product(
        "FLUXNET2015 monthly extract of metaflux",
        "CC-BY-4.0 (values), MIT (compilation)",
        f"{_PASTORELLO}; Nathaniel, Liu, Gentine 2023, Sci Data 10:440, doi 10.1038/s41597-023-02349-y",
        url="https://doi.org/10.1038/s41597-023-02349-y",
    ),
    "icos-drought-2018": Product(
        "ICOS Drought 2018",
        "CC-BY-4.0",
        f"Drought 2018 Team & ICOS Ecosystem Thematic Centre 2020, doi 10.18160/YVR0-4898; {_PASTORELLO}",
        url="https://doi.org/10.18160/YVR0-4898",
    ),
    "icos-warm-winter-2020": Product(
        "ICOS Warm Winter 2020",
        "CC-BY-4.0",
        f"Warm Winter 2020 Team & ICOS Ecosystem Thematic Centre 2022, doi 10.18160/2G60-ZHAK; {_PASTORELLO}",
        url="https://doi.org/10.18160/2G60-ZHAK",
    ),
    "ameriflux-fluxnet": Product("AmeriFlux FLUXNET", "CC-BY-4.0 (mostly; see each site)", _PASTORELLO),
    "icos-etc-l2": Product("ICOS ETC level 2", "CC-BY-4.0", "the release's DOI on the ICOS Carbon Portal"),
    "fluxnet-shuttle": Product("FLUXNET shuttle product", "CC-BY-4.0", _PASTORELLO),
    "fluxnet2015-zarr": Product(
        "FLUXNET2015 half-hourly as Zarr (EXCITED-CO2)",
        "CC-BY-4.0",
        _PASTORELLO,
        url="https://github.com/EXCITED-CO2/zarr-fluxnet2015",
    ),
    "fluxnet-ch4": Product(
        "FLUXNET-CH4 Community Product v1.0",
        "CC-BY-4.0 (sites of its TIER2: terms of each site)",
        "Delwiche et al. 2021, Earth Syst Sci Data 13:3607, doi 10.5194/essd-13-3607-2021; Knox et al. 2019, doi "
        "10.1175/BAMS-D-18-0268.1; and each site's DOI",
        version="1.0",
        url="https://doi.org/10.5194/essd-13-3607-2021",
    ),
    "abcflux-v1": Product(
        "ABCflux v1",
        "open (NASA)",
        "Virkkala et al., doi 10.3334/ORNLDAAC/1934; Virkkala et al. 2022, Earth Syst Sci Data 14:179, doi "
        "10.5194/essd-14-179-2022",
        version="1",
        url="https://doi.org/10.3334/ORNLDAAC/1934",
    ),
    "abcflux-v2": Product(
        "ABCflux v2",
        "open (NASA); see column data_usage of each row",
        "ABCflux version 2, ORNL DAAC 2025, doi 10.3334/ORNLDAAC/2448, and column citation_co2 of each row",
        version="2",
        url="https://doi.org/10.3334/ORNLDAAC/2448",
    ),
    "carbonsense-v1": Product(
        "CarbonSense v1",
        "CC-BY-4.0 (its sources)",
        f"CarbonSense, arXiv 2406.04940, Zenodo 11403428; {_PASTORELLO}",
        version="1",
        url="https://zenodo.org/records/11403428",
    ),
    "carbonsense-v2": Product(
        "CarbonSense v2",
        "CC-BY-4.0 (its sources)",
        f"CarbonSense, arXiv 2406.04940, Zenodo 15586300; {_PASTORELLO}",
        version="2",
        url="https://zenodo.org/records/15586300",
    ),
    "fluxcourse-sites": Product(
        "FluxCourse daily tables of the FLUXNET shuttle product",
        "CC-BY-4.0 (fluxes), MIT (repository)",
        _PASTORELLO,
        url="https://github.com/davidjpmoore/FluxCourseForecast",
    ),
    "six-forests": Product(
        "six North American forests, daily",
        "MIT",
        "Teets et al. 2022, Coupling of tree growth and carbon uptake across six North American forests, JGR "
        "Biogeosciences, and the AmeriFlux sites",
        url="https://github.com/teetsaf/AmeriFlux_Coupling-tree-growth-and-carbon-uptake",
    ),
    "bif": Product("FLUXNET site metadata (BADM/BIF)", "CC-BY-4.0", _PASTORELLO),
    "citations": Product("AmeriFlux table of citations", "CC-BY-4.0", "the sites' own DOIs that it lists"),
    "listing": Product(
        "listing of the FLUXNET shuttle", "as the product it lies beside", "the product_citation of each site in it"
    ),
    "sites": Product("table of sites", "as the product it lies beside", "as the product it lies beside"),
    "carbonglobe": Product(
        "CarbonGlobe layout of a process-model simulation",
        "CC-BY-4.0 (CarbonGlobe); none needed for the built-in world",
        "CarbonGlobe, NeurIPS 2025 Datasets & Benchmarks; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
    ),
    "carbonglobe-public": Product(
        "CarbonGlobe (Hugging Face ai-spatial/CarbonGlobe)",
        "CC-BY-4.0",
        "CarbonGlobe, NeurIPS 2025 Datasets & Benchmarks; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
        url="https://huggingface.co/datasets/ai-spatial/CarbonGlobe",
    ),
    "process-model-netcdf": Product(
        "process-model simulation as NetCDF", "as its author states", "as its author states (model and forcing)"
    ),
    "esacci-pft": Product(
        "ESA CCI plant functional types v2.0.8",
        "free with attribution (ESA CCI terms)",
        "Harper et al. 2023, doi 10.5194/essd-15-1465-2023",
        version="2.0.8",
        url="https://doi.org/10.5194/essd-15-1465-2023",
    ),
    "dere-arrays": Product(
        "processed arrays of DERE (Hugging Face ai-spatial/DERE)",
        "none stated",
        "Xu et al. 2026, KDD, doi 10.1145/3770855.3818927; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
        url="https://doi.org/10.1145/3770855.3818927",
    ),
    "age-weights": Product("table of stand-age weights", "as its author states", "as its author states"),
    "gfad": Product(
        "Global forest age dataset GFAD v1.1",
        "CC-BY-4.0 (page; the attribute inside the file is narrower)",
        "Poulter et al., GFAD v1.1, doi 10.1594/PANGAEA.897392",
        version="1.1",
        url="https://doi.org/10.1594/PANGAEA.897392",
    ),
    "mpi-bgc-forest-age": Product(
        "MPI-BGC forest age 1.0.0",
        "CC-BY-4.0",
        "Besnard et al. 2021, Earth Syst Sci Data 13:4881, data doi 10.17871/ForestAgeBGI.2021",
        version="1.0.0",
        url="https://doi.org/10.17871/ForestAgeBGI.2021",
    ),
    "unknown": Product("not recognised", "unknown", "unknown"),
}


def provenance_row(path: Path, product: str, rows: int, **extra: Any) -> dict[str, Any]:
    """One row of the provenance table.

    Parameters
    ----------
    path
        File (or folder, for a store of many files) that was read.
    product
        Key of ``PRODUCTS``.
    rows
        Rows (or cells) read.
    extra
        Further columns. ``version`` and ``url`` replace those of the product where the file states its own
        (``processing`` serves as version where no ``version`` is given); ``role`` says what the file was for.

    Returns
    -------
    dict
        One row; the first columns are ``COLUMNS`` without ``source``.

    Raises
    ------
    ValueError
        When the product is not in the table.
    """
    if product not in PRODUCTS:
        raise ValueError(f"product '{product}' has no licence on record; expected one of {sorted(PRODUCTS)}: add it")
    about = PRODUCTS[product]
    row = {
        "file": Path(path).name,
        "product": about.title,
        "version": extra.get("processing") or about.version,
        "role": "data",
        "rows": rows,
        "sha256": checksum(path),
        "licence": about.licence,
        "citation": about.citation,
        "url": about.url,
    }
    return row | {name: value for name, value in extra.items() if value or name not in row}


def checksum(path: Path) -> str:
    """SHA-256 of a file, or of a folder's sorted names and contents; each file is read once per process.

    A file that changed its size or time of change is read again.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_checksum(path, path.stat().st_size, path.stat().st_mtime_ns)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {checksum(file)}\n".encode())
    return digest.hexdigest()


@cache
def _file_checksum(path: Path, size: int, changed: int) -> str:
    """Checksum of one state of a file: a member of an archive costs no second pass over the archive."""
    return file_sha256(path)


def provenance_of(
    paths: Mapping[str, Sequence[Path]],
    rows: Mapping[str, int] | None = None,
    versions: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Provenance of files that are not towers.

    Parameters
    ----------
    paths
        Product key to its files.
    rows
        Rows or cells by file name, where known.
    versions
        Versions by file name, where the file's own is known.
    """
    known, stated = rows or {}, versions or {}
    return pd.DataFrame(
        [
            provenance_row(path, product, known.get(Path(path).name, 0), version=stated.get(Path(path).name, ""))
            for product, files in paths.items()
            for path in sorted(files)
        ]
    )
