import contextlib
import os
import tempfile

import pytest

import vcluster
from conformance import c, eight_hosts, pytest_addoption, pytest_terminal_summary, tada  # noqa: F401, pytest finds them
from ldms import LDMS, Cluster
from munge import Munges, why_not
from vm import vm  # noqa: F401, one machine for all files


def pytest_configure(config):
    if not os.access(LDMS, os.X_OK):
        pytest.exit(f"{LDMS} is not there; run make first", 2)


@pytest.fixture
def cluster(tmp_path):
    c = Cluster(tmp_path)
    yield c
    c.end()


@pytest.fixture
def open_cluster():
    """In a folder that every user may enter: tmp_path's are for root alone."""
    with tempfile.TemporaryDirectory(prefix="ldms-open-") as folder:
        os.chmod(folder, 0o755)
        c = Cluster(folder)
        try:
            yield c
            c.end()
        finally:
            for d in c.daemons:
                d.stop()


@pytest.fixture
def munge():
    """munge() starts a munged; all of a test share one key."""
    if why_not():
        pytest.skip(why_not())
    m = Munges()
    yield m
    m.end()


def virtual_hosts(tmp_path_factory):
    """hosts(3) are three virtual hosts, hosts(spec) those of a specification: see vcluster.py."""
    if vcluster.why_not():
        pytest.skip(vcluster.why_not())
    with contextlib.ExitStack() as stack:
        yield lambda what, *options: stack.enter_context(vcluster.VCluster(tmp_path_factory.mktemp("hosts"), what, *options))


hosts = pytest.fixture(virtual_hosts)
module_hosts = pytest.fixture(virtual_hosts, scope="module")
