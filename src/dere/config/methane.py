"""Configuration of simulated methane."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from dere.config.base import Section


class MethaneSource(Section):
    """Where simulated methane comes from; only runs with exchange ch4 read it."""

    provider: Literal["builtin", "xmethanewet"] = "builtin"
    """builtin = the wetland model of one layer on the run's simulation; xmethanewet = TEM-MDM at the run's cells."""
    path: str = ""
    """xmethanewet only: folder with CH4_emission_intensity_<year>.nc, as X-MethaneWet lays it out."""

    @model_validator(mode="after")
    def _has_files(self) -> Self:
        """Files need a folder, and a folder a provider that reads it."""
        if self.provider == "xmethanewet" and not self.path:
            raise ValueError(
                "sources.methane.path: it is empty, but provider xmethanewet reads a folder; name that of "
                "X-MethaneWet, or choose provider: builtin"
            )
        if self.provider == "builtin" and self.path:
            raise ValueError(
                f"sources.methane.path: it is '{self.path}', but provider builtin reads no files; choose provider: "
                "xmethanewet, or empty the path"
            )
        return self
