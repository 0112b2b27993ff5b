"""What a compressed file may unpack to, and gzip within it."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass

from dere.ingest.archive_faults import reason_of
from dere.ingest.zips import Refused

# files as small as this may compress as well as they like: rows of -9999 shrink by several hundred
_SMALL = 20 << 20
_BLOCK = 1 << 20


class BeyondLimit(Refused):
    """A file that unpacks to more than the configuration allows.

    It ends a run and costs no site: another limit then changes whether there is a result, never which.
    """


@dataclass(frozen=True)
class Limits:
    """What a compressed file may unpack to.

    Parameters
    ----------
    bytes
        Largest size after unpacking.
    ratio
        Largest ratio of unpacked to stored size, for files above 20 MiB.
    """

    bytes: int = 4 << 30
    ratio: float = 200.0

    def allowed(self, stored: int) -> int:
        """Bytes that ``stored`` compressed bytes may unpack to."""
        return min(self.bytes, max(_SMALL, int(self.ratio * stored)))


def check_size(size: int, stored: int, what: str, limits: Limits) -> None:
    """Check that a compressed file does not unpack to more than allowed.

    Raises
    ------
    ValueError
        Names both sizes and the settings to raise for an honest file.
    """
    if size > limits.allowed(stored):
        raise BeyondLimit(
            f"{what} unpacks from {stored} to {size} bytes, but at most {limits.allowed(stored)} are allowed; if the "
            "file is to be trusted, raise sources.towers.maximum_member_gb and maximum_compression, else take it away"
        )


def gunzip(content: bytes, what: str, limits: Limits) -> bytes:
    """Unpack gzip content up to the limits.

    Raises
    ------
    ValueError
        When it is truncated, not gzip, or unpacks to more than allowed.
    """
    allowed = limits.allowed(len(content))
    try:
        # what unpacks to too much is counted first, not held
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            size = 0
            while block := stream.read(min(_BLOCK, allowed + 1 - size)):
                size += len(block)
        check_size(size, len(content), what, limits)
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            return stream.read()
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{what} ({len(content)} bytes) cannot be decompressed ({reason_of(error)}); it is truncated or not "
            "gzip: delete it and download it again"
        ) from None
