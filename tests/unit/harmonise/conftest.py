import pytest
from harmonise_samples import make_cover, make_forcing, make_simulation, make_towers

from dere.harmonise.interim import Interim


@pytest.fixture
def towers():
    return make_towers()


@pytest.fixture(scope="session")
def forcing():
    return make_forcing()


@pytest.fixture(scope="session")
def simulation(forcing):
    return make_simulation(forcing)


@pytest.fixture
def interim(towers, forcing, simulation):
    return Interim(towers, make_cover(forcing), forcing, simulation)
