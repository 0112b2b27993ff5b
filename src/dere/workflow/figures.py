"""Draw all figures of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dere.config.figures import FiguresConfig
from dere.exchange import DEFAULT, get
from dere.figures.gallery import draw_all
from dere.figures.style import Shown


def draw(
    files: Mapping[str, Path | Sequence[Path]],
    folder: Path,
    config: FiguresConfig,
    backbone: str | None = None,
    exchange: str = DEFAULT,
    methods: Mapping[str, Shown] | None = None,
    backbones: Mapping[str, str] | None = None,
) -> None:
    """Draw every figure that ``files`` allow; a folder of products stands for its NetCDF files.

    Of runs with several backbones, all figures but their comparison show ``backbone``. ``exchange`` names what is
    predicted; ``methods`` and ``backbones`` say how the run's show.
    """
    found = dict(files)
    products = found.get("products")
    if isinstance(products, Path):
        found["products"] = sorted(products.glob("*.nc"))
    draw_all(found, folder, config, backbone, get(exchange), methods, backbones)
