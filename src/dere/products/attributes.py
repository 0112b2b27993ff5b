"""Global and variable attributes of the public files (CF-1.8; names of the CMIP6 CMOR tables where they have one)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from dere.config.products import ProductsConfig
from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE as CO2
from dere.invented import invented_sources, marked
from dere.io import content_hash
from dere.variables import convert

NOT_STATED = "not stated"


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


def flux_attributes(flux: Flux, exchange: Exchange, ancillary: list[str]) -> dict[str, str]:
    """Attributes of the main variable of a file."""
    mass = f"as {exchange.substance} " if exchange.substance else ""
    attrs = {
        "long_name": f"{flux.long_name}, {mass}per land area",
        "units": flux.public_unit,
        "cell_methods": "area: mean where land time: mean",
        "cell_measures": "area: areacella",
    }
    if flux.comment:
        attrs["comment"] = flux.comment
    if flux.standard_name:
        attrs["standard_name"] = flux.standard_name
    if ancillary:
        attrs["ancillary_variables"] = " ".join(ancillary)
    return attrs


def global_attributes(
    flux: str,
    config: ProductsConfig,
    provenance: Provenance,
    prediction: Mapping[str, object],
    resolution: str,
    exchange: Exchange = CO2,
    frequency: str = "mon",
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
        Attributes of the predictions (method, backbone, fold, seed, invented sources).
    resolution
        CMIP6 label of the grid.
    exchange
        What is predicted.
    frequency
        ``mon`` or ``yr``.
    """
    one = exchange.flux(flux)
    stamp = provenance.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    variant = ", ".join(
        f"{key} {prediction[key]}" for key in ("method", "backbone", "fold", "seed") if key in prediction
    )
    written_by = f"dere {provenance.version}, code {provenance.code}"
    identity = content_hash(
        [flux, frequency, config.model_dump(), provenance.version, provenance.configuration, variant]
    )
    return {
        "Conventions": "CF-1.8",
        "title": f"{config.title}: {one.long_name}",
        "institution": config.institution,
        **marked(invented_sources([prediction]), f"{written_by}, configuration {provenance.configuration}"),
        "history": f"{stamp} written by dere.products of {written_by}",
        "references": config.references or NOT_STATED,
        "license": config.license,
        # The same inputs give the same id, so that a rerun is recognised as the same product.
        "tracking_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"dere/{identity}")),
        "creation_date": stamp,
        "frequency": frequency,
        "realm": "land",
        "product": "derived",
        "variable_id": one.stem,
        "grid_label": "gn",
        "nominal_resolution": resolution,
        "variant_info": variant or NOT_STATED,
        "code_version": provenance.version,
        "code_hash": provenance.code,
        "training_data_doi": config.training_data_doi,
        "input_data_versions": "; ".join(f"{name}: {text}" for name, text in sorted(provenance.inputs.items()))
        or NOT_STATED,
        **provenance.sources,
        "comment": (
            f"Fluxes are means over the land part of a cell; land without {_area(exchange)} counts as zero, ocean is "
            "missing. Global total = sum of flux x areacella x sftlf / 100 x seconds of the month. "
            f"Multiply by {_factor(one)} for {one.unit}."
        ),
    }


def _area(exchange: Exchange) -> str:
    """What land must have for a flux, in words."""
    return {"vegetated_fraction": "vegetation"}.get(exchange.area, exchange.area.replace("_fraction", ""))


def _factor(flux: Flux) -> str:
    """Factor from the public unit to that inside the project, in digits."""
    return f"{float(convert(np.ones(()), flux.public_unit, flux.unit, flux.name)):.6g}".replace("e+0", "e")
