import os

import pytest

from ldms import LDMS, Cluster
from munge import Munges, why_not


def pytest_configure(config):
    if not os.access(LDMS, os.X_OK):
        pytest.exit(f"{LDMS} is not there; run make first", 2)


@pytest.fixture
def cluster(tmp_path):
    c = Cluster(tmp_path)
    yield c
    c.end()


@pytest.fixture
def munge():
    """munge() starts a munged; all of a test share one key."""
    if why_not():
        pytest.skip(why_not())
    m = Munges()
    yield m
    m.end()
