"""Domains of munge: who proves himself to whom."""
import os

import pytest

from conformance import PORT, case
from munge import Munges, why_not

DOMAINS = ("a", "b", "c", "d")
AGG = "node5"
NOBODY = "65534"
PLUGINS = {"meminfo": "0444", "vmstat": "0400"}  # who may read it


@pytest.fixture
def munge():
    """Where every node sees the sockets: each has a /tmp of its own."""
    if why_not():
        pytest.skip(why_not())
    m = Munges("/var/tmp")
    yield m
    m.end()


def args(munged):
    return ("-a", "munge", "-A", f"socket={munged.socket}")


def sets(*hosts, plugins=PLUGINS):
    return {f"{h}/{p}" for h in hosts for p in plugins}


SAMPLERS = {f"node{i + 1}": d for i, d in enumerate(DOMAINS)}
READ = [f"a sampler of domain {d} is read by one aggregator" for d in DOMAINS]
PORTS = [f"the aggregator's port of domain {d} shows all sets" for d in DOMAINS]
WHO = ["another domain is rejected by a sampler", "another domain is rejected by the aggregator",
       "no authentication is rejected", "an ordinary user sees at a sampler what he may read",
       "an ordinary user sees at the aggregator what he may read"]


@case(21, "ldmsd_auth_test", "four domains of munge on one daemon; what an ordinary user sees", "sampler agg1 tool",
      checks=[*READ, *PORTS, *WHO])
def test_domains(c, munge):
    key = {d: munge(os.urandom(1024)) for d in DOMAINS}
    samp = {n: c.ldmsd("sampler", n, "".join(c.sampler(p, n, perm=perm) for p, perm in PLUGINS.items()), *args(key[d]))
            for n, d in SAMPLERS.items()}
    conf = "".join(f"auth_add name={d} plugin=munge socket={m.socket}\nlisten xprt=sock port={PORT + i} auth={d}\n"
                   for i, (d, m) in enumerate(key.items(), 1))
    conf += "".join(f"prdcr_add name={n} type=active xprt=sock host={n} port={PORT} reconnect=200ms auth={d}\n"
                    for n, d in SAMPLERS.items())
    agg = c.ldmsd("agg1", AGG, conf + "prdcr_start_regex regex=.*\n" + c.aggregator([]))

    def ls(daemon, munged, port=PORT, user=None):
        """The names of its sets; or the last thing that is said in their place."""
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        path, env = c.program("tool", "ldms_ls")
        r = c.hosts.node("node8").run([*who, path, "-x", "sock", "-h", daemon.node.name, "-p", port,
                                       *(args(munged) if munged else ())], env=env)
        return set(r.stdout.split()) if r.returncode == 0 else r.stdout.strip().split("\n")[-1]
    for what, (n, d) in zip(READ, SAMPLERS.items()):
        c.check(what, lambda: sets(n) <= (c.sets(agg) or set()))
    for i, (what, d) in enumerate(zip(PORTS, DOMAINS), 1):
        c.check(what, ls(agg, key[d], PORT + i), sets(*SAMPLERS))
    rejected = "Connection failed/rejected."
    c.check(WHO[0], ls(samp["node1"], key["b"]), rejected)
    c.check(WHO[1], ls(agg, key["b"], PORT + 1), rejected)
    c.check(WHO[2], ls(samp["node1"], None), rejected)
    c.check(WHO[3], ls(samp["node1"], key["a"], user=NOBODY), sets("node1", plugins=["meminfo"]))
    c.check(WHO[4], ls(agg, key["c"], PORT + 3, NOBODY), sets(*SAMPLERS, plugins=["meminfo"]))
