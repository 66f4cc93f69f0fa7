"""The soak (make soak) with small numbers: masses of bad peers cost nothing in the end, and the good one is served."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "soak"))
import soak  # noqa: E402

from ldms import SANITIZED  # noqa: E402


def well(out):
    out["sanitized"] = SANITIZED  # whose memory is not returned
    assert soak.wrong(out) == [], out


def test_flood(cluster):
    out = soak.flood(cluster, 5000, 1000)
    well(out)
    assert out["made"] == 5000
    assert out["refused"]["not-ldms"] > 0


def test_many_tools(cluster):
    well(soak.tools(cluster, 50))


def test_connect_and_close(cluster):
    well(soak.cycles(cluster, 10000))


def test_many_publishers(cluster):
    well(soak.messages(24, 200, *soak.our_hops(cluster)))
