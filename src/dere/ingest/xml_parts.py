"""Parts of a workbook, which are XML, followed as a stream: elements, depth and length of texts are bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO
from xml.parsers import expat

ELEMENTS = 25_000_000
"""Elements of one part."""
_LONGEST = 1 << 16
"""Characters of one cell; a spreadsheet ends at 32,767."""
_DEEPEST = 64
_BLOCK = 1 << 18


class TooLarge(ValueError):
    """A workbook beyond a bound; told apart from damage."""


class Part:
    """Handlers for the elements of one part; names are without their namespace."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.text: list[str] | None = None
        self._length = self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; ``path`` ends with it."""

    def end(self, name: str, text: str) -> None:
        """An element ends; ``text`` is what was collected since ``text`` was set to a list."""

    def read(self, stream: IO[bytes]) -> None:
        """Follow a part to its end."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._characters, self._doctype
        fed = 0
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
            fed += len(block)
            if fed - max(0, parser.CurrentByteIndex) > 4 * _BLOCK:
                raise TooLarge(f"one piece of its XML has more than {4 * _BLOCK} bytes")
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENTS:
            raise TooLarge(f"it has more than {ELEMENTS} elements")
        if len(self.path) >= _DEEPEST:
            raise TooLarge(f"its XML is nested more than {_DEEPEST} levels deep")
        own = name.rpartition(" ")[2]
        self.path.append(own)
        self.start(own, attributes)

    def _end(self, name: str) -> None:
        self.end(self.path[-1], "".join(self.text or ()))
        self.path.pop()

    def _characters(self, piece: str) -> None:
        if self.text is not None:
            self._length = self._length + len(piece) if self.text else len(piece)
            if self._length > _LONGEST:
                raise TooLarge(f"one of its cells has more than {_LONGEST} characters")
            self.text.append(piece)

    def _doctype(self, *_: object) -> None:
        raise TooLarge("it declares entities, which a workbook does not")


class Attributes(Part):
    """Calls a function with the attributes of every element of some names."""

    def __init__(self, take: Callable[[str, dict[str, str]], None], *names: str) -> None:
        super().__init__()
        self._take, self._names = take, names

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Give the attributes away, with the element's name below that of the one it lies in."""
        if name in self._names:
            self._take("/".join(self.path[-2:]), {key.rpartition(" ")[2]: value for key, value in attributes.items()})
