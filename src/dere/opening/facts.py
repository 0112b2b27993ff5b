"""What the page must know of a run beside its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NO_BACKBONE = "none"


@dataclass(frozen=True)
class Known:
    """How a method is called and what kind it is.

    Parameters
    ----------
    label
        Name for readers.
    simple
        It is neither a network nor made of other methods.
    """

    label: str
    simple: bool


@dataclass(frozen=True)
class Facts:
    """What the page must know of an exchange of a run.

    Parameters
    ----------
    run, exchange
        Names.
    method, backbone
        What is given away, and so shown first.
    methods
        Methods of the run by name, simple ones first.
    backbones
        Label of each backbone.
    reads
        What the run reads, in words.
    invented, mixed
        Whether any source is of the built-in world, and whether others are not.
    references
        What to cite for the method.
    """

    run: str
    exchange: str
    method: str
    backbone: str
    methods: Mapping[str, Known]
    backbones: Mapping[str, str]
    reads: str
    invented: bool
    mixed: bool
    references: tuple[str, ...] = ()

    def label(self, method: str, backbone: str = NO_BACKBONE) -> str:
        """Return the name of a method for readers, with its backbone where the run has several."""
        name = self.methods[method].label if method in self.methods else method
        several = len(self.backbones) > 1 and backbone in self.backbones
        return f"{name}, {self.backbones[backbone]}" if several else name

    @property
    def shown(self) -> str:
        """Name of the method that is given away."""
        return self.label(self.method, self.backbone)
