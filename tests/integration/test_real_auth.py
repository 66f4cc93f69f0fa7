"""Authentication beside an installed ldmsd 4.5.3, both ways: ovis and munge (see test_real_peers)."""
import os
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, run, wait_for
from test_real_peers import PREFIX, env

pytestmark = pytest.mark.skipif(not PREFIX, reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")


class Ovis:
    def __init__(self, cluster):
        self.good, self.bad = [("-a", "ovis", "-A", "conf=" + self.secret(cluster, w)) for w in ("right-word", "wrong-word")]

    @staticmethod
    def secret(cluster, word):
        path = cluster.write(word, f"secretword={word}\n")
        os.chmod(path, 0o600)
        return path


class Munge:
    def __init__(self, munge):
        self.good, self.bad = munge().args(), munge(key=os.urandom(1024)).args()


@pytest.fixture(params=["ovis", "munge"])
def auth(request, cluster):
    return Ovis(cluster) if request.param == "ovis" else Munge(request.getfixturevalue("munge"))


def real(cluster, name, conf, *args):
    port = free_port()
    return cluster.daemon(name, ["-x", f"sock:{port}:localhost", "-c", cluster.write(name + ".conf", conf), "-m", "16M", *args],
                          port, program=[os.path.join(PREFIX, "sbin/ldmsd")], env=env())


def real_ls(port, *args):
    return subprocess.run([os.path.join(PREFIX, "sbin/ldms_ls"), "-x", "sock", "-h", "localhost", "-p", str(port), *args],
                          capture_output=True, text=True, env=env(), timeout=PATIENCE_S)


def our_ls(port, *args):
    return run("ls", "-h", "localhost", "-p", port, *args)


SAMP = """
load name=meminfo
config name=meminfo producer=n1 instance=n1/meminfo perm=0777
start name=meminfo interval=200ms offset=0
"""

AGG = """
prdcr_add name=p type=active xprt=sock host=localhost port={port} reconnect=200ms rail={rail}
prdcr_start name=p
updtr_add name=u interval=200ms offset=50ms
updtr_prdcr_add name=u regex=.*
updtr_start name=u
"""


def reads(port, auth):
    r = our_ls(port, "-l", *auth)
    return r.returncode == 0 and "n1/meminfo: consistent" in r.stdout


def test_the_tools_at_a_real_daemon(cluster, auth):
    samp = real(cluster, "rs", SAMP, *auth.good)
    wait_for(lambda: reads(samp.port, auth.good), "our ls to read")
    r = our_ls(samp.port, *auth.bad)
    assert r.returncode == 7 and "authentication" in r.stderr
    assert our_ls(samp.port).returncode == 7
    assert reads(samp.port, auth.good) and samp.alive()


def test_the_tools_at_ours(cluster, auth):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "meminfo", *auth.good], port)
    wait_for(lambda: real_ls(port, *auth.good).stdout.split() == ["n1/meminfo"], "the real ldms_ls to read")
    r = real_ls(port, *auth.bad)
    assert r.returncode == 1 and "Connection failed/rejected." in r.stdout
    samp.says("(auth: ")
    assert real_ls(port).returncode == 1
    samp.says("(auth: method)")
    assert real_ls(port, *auth.good).returncode == 0


@pytest.mark.parametrize("rail", [1, 3])
def test_aggregators_both_ways(cluster, auth, rail):
    """real sampler <- ours <- real, every hop authenticated, and on each connection of a rail."""
    samp = real(cluster, "rs", SAMP, *auth.good)
    port = free_port()
    conf = cluster.write("l1.conf", AGG.format(port=samp.port, rail=rail))
    ours = cluster.daemon("l1", ["agg", "-x", f"sock:{port}:127.0.0.1", "-c", conf, *auth.good], port)
    wait_for(lambda: reads(port, auth.good), "the set at our aggregator")
    theirs = real(cluster, "l2", AGG.format(port=port, rail=rail), *auth.good)
    wait_for(lambda: reads(theirs.port, auth.good), "the set at the real aggregator behind ours")
    samp.restart()
    wait_for(lambda: reads(theirs.port, auth.good), "the set to be back")
    assert ours.alive() and theirs.alive()


def test_wrong_secrets_both_ways(cluster, auth):
    samp = real(cluster, "rs", SAMP, *auth.good)
    wait_for(lambda: reads(samp.port, auth.good), "our ls to read")
    port = free_port()
    conf = cluster.write("l1.conf", AGG.format(port=samp.port, rail=1))
    ours = cluster.daemon("l1", ["agg", "-x", f"sock:{port}:127.0.0.1", "-c", conf, *auth.bad], port)
    ours.says("producer: p: CONNECTING -> DISCONNECTED")
    ours.says("authentication")
    theirs = real(cluster, "l2", AGG.format(port=port, rail=1), *auth.good)
    ours.says("(auth: ")
    assert samp.alive() and ours.alive() and theirs.alive()
    assert reads(samp.port, auth.good) and our_ls(port, *auth.bad).stdout == ""
