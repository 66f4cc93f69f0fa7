"""`make scale` with small numbers: what producers saw being read is what the daemons counted, on one level and two."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import scale  # noqa: E402

from daemons import GaveUp, OURS, Yard  # noqa: E402
from ldms import SANITIZED, wait_for  # noqa: E402

PRODUCERS, ROUNDS = 200, 2
PATIENCE_S = 120 if SANITIZED else 60


class Watched(Yard):
    """Who ends badly fails the test."""

    def end_all(self, daemons=None):
        ended = list(self.daemons if daemons is None else daemons)
        super().end_all(daemons)
        for d in ended:
            with open(d.log, errors="replace") as f:
                assert d.proc.returncode == 0, f"{d.pid} ended with {d.proc.returncode}:\n{f.read()[-6000:]}"


@pytest.fixture
def small():
    yard = Watched()
    yield scale.Scale(yard, [OURS], ROUNDS)
    yard.end()


def nothing_lost(small, level):
    """One run's numbers; None when this machine was too busy with other things to be in time."""
    out = level(small, OURS, PRODUCERS)
    assert out["seen"] + out["lost"] == out["samples"] == PRODUCERS * scale.SETS * ROUNDS, out
    return None if out["lost"] or out.get("lost_2") else out


def test_one_level(small):
    out = wait_for(lambda: nothing_lost(small, scale.one_level), "a run without loss", PATIENCE_S)
    assert out["counted"] == out["seen"], out


def test_two_levels(small):
    wait_for(lambda: nothing_lost(small, scale.two_levels), "a run without loss", PATIENCE_S)


def test_too_many_for_the_limits():
    """What is too small is said before anything is begun."""
    with pytest.raises(GaveUp, match="ulimit -Hn|fs.file-max"):
        scale.limits(10**9)
    r = subprocess.run(["sh", "-c", f"ulimit -n 500; exec {scale.PROGRAM} 0 1000 23456 1 1 1000 0"], capture_output=True,
                       text=True)
    assert r.returncode == 1 and "raise it, or spread them" in r.stderr, r


def test_producers_refuse_nonsense():
    for words in ("", "0 0 23456 1 1 1000 0", "0 x 23456 1 1 1000 0", "0 1 23456 1 1 0 0", "1048575 2 23456 1 1 1000 0"):
        r = subprocess.run([scale.PROGRAM, *words.split()], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert r.returncode == 2 and r.stderr, (words, r)
