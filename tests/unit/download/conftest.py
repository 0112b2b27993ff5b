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
