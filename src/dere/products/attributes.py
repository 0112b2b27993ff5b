"""Global and variable attributes of the public files (CF-1.8, CMIP names, methods-and-results 9.4 and 9.5)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dere.config.products import ProductsConfig
from dere.io import content_hash
from dere.products.fluxes import PRODUCT_UNIT
from dere.variables import VARIABLES

_COMMENTS = {
    "gpp": "Carbon taken up by photosynthesis; positive numbers leave the atmosphere. CMIP6 name gpp, table Lmon.",
    "reco": "Autotrophic plus heterotrophic respiration; positive numbers enter the atmosphere. No CMIP6 name exists.",
    "nee": (
        "reco - gpp, positive to the atmosphere; derived from the rounded reco and gpp. Equals -nep where disturbance "
        "fluxes are left out. Fire, harvest, transport by rivers and trade are not included, so this is not nbp."
    ),
}


@dataclass(frozen=True)
class Provenance:
    """Where a product comes from.

    Parameters
    ----------
    version
        Version of the package, without its name.
    configuration
        Hash of the resolved configuration.
    inputs
        Input name to version, DOI or hash.
    created
        Time of writing; an argument, so that tests and reruns can fix it.
    code
        Hash of the code that wrote the files; it says more than a commit, which edited files do not change.
    sources
        Further attributes about the source data: their files with checksums, licences and citations.
    """

    version: str = "unknown"
    configuration: str = "unknown"
    inputs: Mapping[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    code: str = "unknown"
    sources: Mapping[str, str] = field(default_factory=dict)


def flux_attributes(flux: str, ancillary: list[str]) -> dict[str, str]:
    """Attributes of the main variable of a file."""
    variable = VARIABLES[flux]
    attrs = {
        "long_name": f"{variable.long_name}, as carbon per land area",
        "units": PRODUCT_UNIT,
        "cell_methods": "area: mean where land time: mean",
        "cell_measures": "area: areacella",
        "comment": _COMMENTS[flux],
    }
    if variable.standard_name:
        attrs["standard_name"] = variable.standard_name
    if ancillary:
        attrs["ancillary_variables"] = " ".join(ancillary)
    return attrs


def global_attributes(
    flux: str,
    config: ProductsConfig,
    provenance: Provenance,
    prediction: Mapping[str, object],
    resolution: str,
) -> dict[str, str]:
    """Global attributes of one file.

    Parameters
    ----------
    flux
        Name of the main variable.
    config
        Titles, licence and the like.
    provenance
        Code version, configuration hash, inputs.
    prediction
        Attributes of the predictions (method, backbone, fold, seed).
    resolution
        CMIP6 label of the grid.
    """
    stamp = provenance.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    variant = ", ".join(
        f"{key} {prediction[key]}" for key in ("method", "backbone", "fold", "seed") if key in prediction
    )
    written_by = f"dere {provenance.version}, code {provenance.code}"
    identity = content_hash([flux, config.model_dump(), provenance.version, provenance.configuration, variant])
    return {
        "Conventions": "CF-1.8",
        "title": f"{config.title}: {VARIABLES[flux].long_name}",
        "institution": config.institution,
        "source": f"{written_by}, configuration {provenance.configuration}",
        "history": f"{stamp} written by dere.products of {written_by}",
        "references": config.references,
        "license": config.license,
        # The same inputs give the same id, so that a rerun is recognised as the same product.
        "tracking_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"dere/{identity}")),
        "creation_date": stamp,
        "frequency": "mon",
        "realm": "land",
        "product": "derived",
        "variable_id": flux,
        "grid_label": "gn",
        "nominal_resolution": resolution,
        "variant_info": variant or "not stated",
        "code_version": provenance.version,
        "code_hash": provenance.code,
        "training_data_doi": config.training_data_doi,
        "input_data_versions": "; ".join(f"{name}: {text}" for name, text in sorted(provenance.inputs.items()))
        or "not stated",
        **provenance.sources,
        "comment": (
            "Fluxes are means over the land part of a cell; land without vegetation counts as zero, ocean is missing. "
            "Global total = sum of flux x areacella x sftlf / 100 x seconds of the month. "
            "Multiply by 8.64e7 for gC m-2 d-1."
        ),
    }
