"""ABCflux (ABoVE) v1 and v2: monthly carbon fluxes of Arctic and boreal sites.

v1 is doi 10.3334/ORNLDAAC/1934 (Virkkala et al. 2022, doi 10.5194/essd-14-179-2022), one csv; v2 is doi
10.3334/ORNLDAAC/2448, a csv of terrestrial and one of aquatic sites, which are no towers. The column names of year,
month, gap filling and climate differ. Fluxes are **sums** per month (gC m-2), GPP is
**negative**; a month of a FLUXNET site stands there twice, with night-time (Reichstein) and day-time (Lasslop)
partitioning. Only eddy covariance is a tower: chamber and diffusion rows are counted and left out. Months of one site
from several contributions are never spliced: the contribution with the most months of NEE is taken.

Air temperature (degC) and precipitation (mm per month) are the only drivers; PPFD is no shortwave.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.possible import COUNT
from dere.ingest.tables import read_table, require_columns
from dere.ingest.tower.abcflux import COLUMNS, PRODUCTS
from dere.ingest.tower.abcflux.rows import NAMES, SHARED, canonical_rows, check_units, tower_rows
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.partial_record import Origin, partial_record, warn_counts
from dere.ingest.tower.record import SiteRecord

log = logging.getLogger(__name__)


def parse(table: pd.DataFrame, source: str, config: TowerSource | None = None) -> list[SiteRecord | SiteFault]:
    """Turn the table into one record per eddy-covariance site; a site whose unit cannot be right is a fault.

    Parameters
    ----------
    table
        All rows of v1 or v2; ``NA``, empty and -9999 are missing.
    source
        File name for messages.
    config
        Whose partitioning becomes the label; both are kept.

    Raises
    ------
    ValueError
        Missing columns, text in a number column, impossible months or coordinates, a filled percentage outside 0 to
        100, positive GPP, fluxes that are no monthly sums.
    NoTowers
        No row of a tower.
    """
    version = 1 if "meas_year" in table.columns else 2
    names = NAMES[version]
    require_columns(table, [*SHARED[:-1], names["year"], names["month"], names["filled"]], source)
    towers = tower_rows(table, source, PRODUCTS[version].key)
    rows = canonical_rows(towers, names, COLUMNS[version], source)
    check_units(rows, source)
    origin = Origin(PRODUCTS[version], f"ABCflux v{version}", "above", source)
    by_site = {str(site): of_site for site, of_site in rows.groupby("site", sort=True)}
    records = each_site(by_site, lambda site: _site_record(site, by_site[site], origin, config))
    months = [len(record.months) for record in records if isinstance(record, SiteRecord)]
    log.info("%s: ABCflux v%d, %d towers, %d site-months", source, version, len(months), sum(months))
    return records


def _site_record(site: str, rows: pd.DataFrame, origin: Origin, config: TowerSource | None) -> list[SiteRecord]:
    """Record of one site, none without NEE: the contribution with most months of it, its partitionings side by side."""
    months_of_nee = rows[rows["nee"].notna()].groupby("series")["month"].nunique()
    if not len(months_of_nee):
        log.warning("%s: site %s has no month of NEE; it is left out", origin.source, site)
        return []
    # the first by name of equally long ones, so that the order of rows does not matter
    series = str(months_of_nee.sort_index().idxmax())
    chosen = rows[rows["series"] == series]
    counts = {"rows_of_other_contributions": len(rows) - len(chosen)}
    counts |= {str(name): int(chosen[name].sum()) for name in chosen if str(name).startswith(COUNT)}
    kinds = set(chosen["partitioning"])
    if kinds == {"other"}:
        # a whole contribution without a stated method; which one it was cannot be known, so it is the first opinion
        counts["rows_without_partitioning"] = len(chosen)
        chosen = chosen.assign(partitioning="nt")
    elif "other" in kinds:
        counts["rows_without_partitioning"] = int((chosen["partitioning"] == "other").sum())
        chosen = chosen[chosen["partitioning"] != "other"]
    # of doubled rows the least filled one with an NEE, which comes first after sorting
    chosen = chosen.assign(no_nee=chosen["nee"].isna()).sort_values(
        ["month", "partitioning", "no_nee", "quality"], ascending=[True, True, True, False], kind="stable"
    )
    doubled = chosen.duplicated(["month", "partitioning"])
    counts["doubled_rows"] = int(doubled.sum())
    chosen = chosen[~doubled]
    months = np.sort(chosen["month"].unique()).astype(np.int64)
    night = chosen[chosen["partitioning"] == "nt"].set_index("month").reindex(months)
    day = chosen[chosen["partitioning"] == "dt"].set_index("month").reindex(months)
    either = night.combine_first(day)
    warn_counts(counts, f"{origin.source} site {site}")
    given = {
        "nee": either["nee"],
        "nee_quality": either["quality"],
        "gpp_nt": night["gpp"],
        "gpp_dt": day["gpp"],
        "reco_nt": night["reco"],
        "reco_dt": day["reco"],
        "air_temperature": either["air_temperature"],
        "precipitation": either["precipitation"],
    }
    first = chosen.iloc[0]
    record = partial_record(
        site,
        months,
        {name: column.to_numpy(dtype=float) for name, column in given.items()},
        origin,
        (float(first["lat"]), float(first["lon"]), ""),
        counts,
        config,
    )
    return [record]


def read_abcflux(file: TableFile, config: TowerSource | None = None) -> list[SiteRecord | SiteFault]:
    """Read ABCflux v1 or v2; both partitionings are kept, ``sources.towers.partitioning`` says which is the label.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its content fails a check (see :func:`parse`).
    """
    columns = (column.name for of_version in COLUMNS.values() for column in of_version)
    wanted = {*SHARED, *(name for names in NAMES.values() for name in names.values()), *columns}
    return parse(read_table(file, wanted, encoding=None), label(file), config)
