from pathlib import Path

import pytest
from scripted_server import running

from dere.download.client import Client
from dere.download.politeness import Politeness

QUICK = Politeness(attempts=3, first_wait=0.5, connect_timeout=2, read_timeout=2, progress_bytes=1)


@pytest.fixture
def server():
    with running() as found:
        yield found


@pytest.fixture
def waits():
    """Seconds that were waited, in order; nothing really waits."""
    return []


@pytest.fixture
def client(waits):
    return Client(QUICK, sleep=waits.append)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "set" / "file.bin"


@pytest.fixture
def silent_file(monkeypatch):
    """Count bytes written to the part; raise at a limit."""

    def limit(after, error):
        original = Path.open

        def opening(self, *arguments, **named):
            stream = original(self, *arguments, **named)
            if not self.name.endswith(".part"):
                return stream
            write = stream.write

            class Limited:
                def __enter__(self):
                    return self

                def __exit__(self, *_):
                    stream.close()

                def __getattr__(self, name):
                    return getattr(stream, name)

                def write(self, block):
                    if stream.tell() + len(block) > after:
                        write(block[: max(0, after - stream.tell())])
                        raise error
                    return write(block)

            return Limited()

        monkeypatch.setattr(Path, "open", opening)

    return limit
