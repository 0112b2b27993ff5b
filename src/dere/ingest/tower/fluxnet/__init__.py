"""Files of the FLUXNET family: FLUXNET2015, ICOS, AmeriFlux and the shuttle (docs/data.md#sources)."""

from __future__ import annotations

from dere.ingest.source import Source
from dere.ingest.tower.fluxnet.names import is_known, is_readable, passed_over
from dere.ingest.tower.fluxnet.products import PRODUCTS
from dere.ingest.tower.fluxnet_columns import driver_columns, flux_columns, methane_columns, satellite_columns

SOURCES = (
    Source(
        name="FLUXNET family",
        kind="tower",
        files="FLX_*_FLUXNET2015_FULLSET_MM_*.csv, AMF_*_FLUXNET_SUBSET_DD_*.csv, ICOSETC_*_FLUXNET_HH_L2.csv, "
        "*_FLUXNET_FLUXMET_MM_*_v1.3_r1.csv; sets FULLSET, SUBSET, FLUXMET, FLUXNET; steps MM, DD, HH, HR",
        matches=is_readable,
        read="dere.ingest.tower.fluxnet.family:read_family",
        products=PRODUCTS,
        columns=(*flux_columns("VUT_REF"), *driver_columns(), *satellite_columns(), *methane_columns()),
        options=("resolution", "minimum_coverage", "diurnal_cycles", "threshold", "cut_or_vut", "members"),
        in_archives=True,
        known=is_known,
        select=passed_over,
    ),
)
