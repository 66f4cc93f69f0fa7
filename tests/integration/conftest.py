import os

import pytest

from ldms import LDMS, Cluster


def pytest_configure(config):
    if not os.access(LDMS, os.X_OK):
        pytest.exit(f"{LDMS} is not there; run make first", 2)


@pytest.fixture
def cluster(tmp_path):
    c = Cluster(tmp_path)
    yield c
    c.end()
