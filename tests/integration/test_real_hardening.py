"""Limits and refusals side by side with an installed ldmsd 4.5.3 (see test_real_peers.py)."""
import json
import os
import signal
import subprocess

import pytest

from ldms import PATIENCE_S, wait_for
from test_real_peers import PREFIX, env, real_samp
from wire import Wire

pytestmark = pytest.mark.skipif(not PREFIX, reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")
XPRT_STATS = 0x60C


def keys(x, at=""):
    """All keys of a JSON object, with their paths."""
    if isinstance(x, dict):
        return {f"{at}/{k}" for k in x}.union(*(keys(v, f"{at}/{k}") for k, v in x.items()))
    if isinstance(x, list):
        return set().union(*(keys(v, at + "[]") for v in x)) if x else set()
    return set()


def test_xprt_stats_says_what_ldmsd_says(cluster):
    theirs, ours = real_samp(cluster, "theirs", ("loadavg",)), cluster.samp("ours", "loadavg")
    answers = []
    for d in (theirs, ours):
        wait_for(d.ls)
        peers = [Wire(d.port).accepted() for _ in range(2)]
        answers.append(json.loads(peers[0].control(XPRT_STATS)[1]))
    assert keys(answers[0]) <= keys(answers[1])
    assert answers[1]["connect_count"] == 2 and answers[1]["listen_count"] == 1


def test_ldmsctl_prints_it(cluster):
    samp = cluster.samp("ours", "loadavg")
    wait_for(samp.ls)
    script = cluster.write("questions", "xprt_stats\ndaemon_status\n")
    out = subprocess.run([os.path.join(PREFIX, "sbin/ldmsctl"), "-h", "localhost", "-p", str(samp.port), "-x", "sock", "-s",
                          script], capture_output=True, text=True, env=env(), timeout=PATIENCE_S).stdout
    assert "ready" in out, out


def test_an_ldmsd_that_stops_is_given_up_and_taken_back(cluster):
    """It accepts, its machine acknowledges, but it does nothing: its sets are not shown as if they were fresh."""
    real = real_samp(cluster, "theirs", ("loadavg",), "100000")
    agg = cluster.agg("agg", [f"localhost:{real.port}"], "--interval", "100ms", "--timeout", "1s")
    wait_for(lambda: agg.values("theirs/loadavg"), "the mirror")
    real.kill(signal.SIGSTOP)
    wait_for(lambda: not agg.ls(), "it to be given up")
    agg.says("no answer to")
    got = {r["reason"]: r for r in Wire(agg.port).accepted().status(XPRT_STATS)["refused"]}
    assert got["silent"]["count"] >= 1 and got["silent"]["last_peer"].endswith(f":{real.port}")
    real.kill(signal.SIGCONT)
    wait_for(lambda: agg.values("theirs/loadavg"), "it to be taken back")
