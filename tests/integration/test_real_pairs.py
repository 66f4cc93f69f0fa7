"""Every pair of neighbours, one of them an installed ldmsd 4.5.3 and one ours: who samples, who aggregates and who asks,
with each authentication, pulled and pushed.

Both sides are given the same files and the same options: what a site changes is the program, and nothing else.
"""
import os
import subprocess

import pytest

from ldms import LDMS, PATIENCE_S, free_port, run, wait_for
from real import PREFIX, SETS, env, names, needs_ldmsd, real

pytestmark = needs_ldmsd

PULL, PUSH = "offset=50ms", "push=onchange"


class Ours:
    name = "ours"

    @staticmethod
    def daemon(cluster, name, conf, port, auth):
        return cluster.daemon(name, ["samp", "-x", f"sock:{port}:localhost", "-c", conf, "-n", name, *auth], port)

    @staticmethod
    def ls(port, *args):
        return [LDMS, "ls", "-x", "sock", "-h", "localhost", "-p", str(port), *args]


class Real:
    name = "ldmsd"

    @staticmethod
    def daemon(cluster, name, conf, port, auth):
        return real(cluster, name, conf, port, *auth)

    @staticmethod
    def ls(port, *args):
        return [os.path.join(PREFIX, "sbin/ldms_ls"), "-x", "sock", "-h", "localhost", "-p", str(port), *args]


def refused(tmp_path, conf, *args):
    """Why this build does not take these lines and options, or None."""
    path = tmp_path / "probe.conf"
    path.write_text(conf + "daemon_exit\n")
    r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "-c", path, *args)
    said = [line for line in r.stderr.splitlines() if "ERROR" in line] or r.stderr.splitlines()
    return said[0] if r.returncode else None


@pytest.fixture(params=["none", "ovis", "munge"])
def auth(request, tmp_path):
    """The options that both sides are given."""
    if request.param == "none":
        yield ()
        return
    end = None
    if request.param == "ovis":
        secret = tmp_path / "secret"
        secret.write_text("secretword=swordfish-42\n")
        secret.chmod(0o600)
        args = ("-a", "ovis", "-A", f"conf={secret}")
    else:
        munge = pytest.importorskip("munge", reason="the harness for munged is not in this tree")
        if munge.why_not():
            pytest.skip(munge.why_not())
        munges = munge.Munges()
        args, end = munges().args(), munges.end
    try:
        why = refused(tmp_path, "", *args)
        if why:
            pytest.skip("not in this build: " + why)
        yield args
    finally:
        if end:
            end()


@pytest.fixture(params=["pull", "push"])
def mode(request, tmp_path):
    """The attribute of the updater that says how sets come."""
    if request.param == "pull":
        return PULL
    why = refused(tmp_path, "updtr_add name=u interval=1s push=onchange\n")
    if why:
        pytest.skip("not in this build: " + why)
    return PUSH


@pytest.fixture(params=[(Ours, Real), (Real, Ours)], ids=lambda p: f"{p[0].name}-{p[1].name}")
def pair(request):
    """Who is below, and who above."""
    return request.param


def samp(side, cluster, name, auth):
    port = free_port()
    conf = cluster.write(name + ".conf", "".join(
        f"load name={s}\nconfig name={s} producer={name} instance={name}/{s} component_id=1 perm=0777\n"
        f"start name={s} interval=200ms offset=0\n" for s in SETS))
    return side.daemon(cluster, name, conf, port, auth)


def agg(side, cluster, name, below, mode, auth):
    port = free_port()
    conf = cluster.write(name + ".conf", f"prdcr_add name=p type=active xprt=sock host=localhost port={below.port} "
                         f"reconnect=200ms\nprdcr_start name=p\nupdtr_add name=u interval=200ms {mode}\n"
                         "updtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")
    return side.daemon(cluster, name, conf, port, auth)


def ls(side, daemon, auth, *args):
    """What a lister says about a daemon; "" while it does not answer."""
    r = subprocess.run([str(a) for a in side.ls(daemon.port, *auth, *args)], capture_output=True, text=True,
                       timeout=PATIENCE_S, env=env())
    return r.stdout if r.returncode == 0 else ""


def arrives(side, daemon, auth, prefix):
    """All sets are there, and samples go on coming."""
    wait_for(lambda: set(ls(side, daemon, auth).split()) == names(prefix), f"the sets at {daemon.name}")

    def sample():
        text = ls(side, daemon, auth, "-l", f"{prefix}/loadavg")
        return ": consistent, last update: " in text and text.splitlines()[0]

    first = wait_for(sample, f"a sample at {daemon.name}")
    wait_for(lambda: sample() not in (False, first), f"the next sample at {daemon.name}")


def test_sampler_and_aggregator(cluster, pair, auth, mode):
    below, above = pair
    s = samp(below, cluster, "s", auth)
    a = agg(above, cluster, "a", s, mode, auth)
    arrives(Ours, a, auth, "s")
    s.restart()
    arrives(Ours, a, auth, "s")
    assert a.alive()


def test_aggregator_and_aggregator(cluster, pair, auth, mode):
    below, above = pair
    s = samp(above, cluster, "s", auth)
    l1 = agg(below, cluster, "l1", s, mode, auth)
    l2 = agg(above, cluster, "l2", l1, mode, auth)
    arrives(Ours, l2, auth, "s")
    l1.restart()
    arrives(Ours, l2, auth, "s")
    assert s.alive() and l2.alive()


def test_daemon_and_tool(cluster, pair, auth):
    below, above = pair
    s = samp(below, cluster, "s", auth)
    a = agg(below, cluster, "a", s, PULL, auth)
    for d in (s, a):
        arrives(above, d, auth, "s")
        if auth:
            assert ls(above, d, ()) == ""  # and nothing for strangers
    assert s.alive() and a.alive()
