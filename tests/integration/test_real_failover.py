"""A failover pair of one of ours and an installed ldmsd."""
import os

import pytest

import real
from failover import do, flags, ours, pair, paired, states
from ldms import wait_for
from test_aggregation import advances

pytestmark = real.needs_ldmsd


def theirs(cluster, name, conf, port):
    return cluster.daemon(name, ["-x", f"sock:{port}:127.0.0.1", "-n", name, "-c", conf, "-m", "16M", "-v", "INFO"], port,
                          program=[os.path.join(real.PREFIX, "sbin/ldmsd")], env=real.env())


@pytest.mark.parametrize("sides", [(ours, theirs), (theirs, ours)], ids=["ours_theirs", "theirs_ours"])
def test_they_stand_in_for_each_other(cluster, sides):
    samplers = [cluster.samp(n, "loadavg", "--interval", "200ms") for n in ("n1", "n2")]
    more = ("prdcr_add name=idle host=127.0.0.1 port=1 xprt=sock type=active reconnect=1000000\n"
            "updtr_add name=h interval=1000000 auto_interval=true\nupdtr_prdcr_add name=h regex=p\n"
            "updtr_add name=pu interval=1000000 push=onchange\nupdtr_prdcr_add name=pu regex=idle\n")
    # what only we know of a policy is told, too, and an ldmsd does not mind
    policy = ("load name=csv plugin=store_csv\nconfig name=csv path={0}\nstrgp_add name=st plugin=csv container=c schema=loadavg "
              "{1}\nstrgp_prdcr_add name=st regex=^p-{2}$\nstrgp_start name=st\n")
    own = f"spool={cluster.path('spool')} spool_bytes=8M spool_age=1d queue_bytes=1M queue_age=1m shard=1/1 flush=1s"
    pairs = pair(cluster, sides, samplers, [more + policy.format(cluster.path(name), own if side is ours else "", name)
                                            for side, name in zip(sides, ("a1", "a2"))])
    top = cluster.agg("top", pairs, "--interval", "200ms")
    everything = {"n1/loadavg", "n2/loadavg"}
    paired(*pairs)
    wait_for(lambda: set(top.ls()) == everything, "all sets at the top")
    for dead, alive, taken, its in ((*pairs, "n1/loadavg", "#p-a1"), (*reversed(pairs), "n2/loadavg", "#p-a2")):
        assert states(alive)[its] == states(alive)["#idle"] == "STOPPED"
        dead.stop(9)
        wait_for(lambda: states(alive).get(its) == "CONNECTED", "the producer to be taken over")
        assert flags(alive)["stands_in"]
        if alive is pairs[sides.index(ours)]:  # an ldmsd starts also what does not run there
            assert states(alive)["#idle"] == "STOPPED"
        wait_for(lambda: set(top.ls()) == everything, "all sets at the top while one is dead")
        advances(top, taken)
        if alive is pairs[sides.index(ours)]:
            rows = os.path.join(cluster.path(alive.name), "c", "loadavg")
            wait_for(lambda: {"n1", "n2"} <= {r.split(",")[2] for r in open(rows) if r.count(",") > 2}, "rows of both")
        dead.start()
        paired(*pairs)
        wait_for(lambda: states(alive).get(its) == "STOPPED", "the producer to be given back")
        wait_for(lambda: set(top.ls()) == everything, "all sets at the top again")


@pytest.mark.parametrize("who", [0, 1], ids=["ours", "theirs"])
def test_who_stops_unpairs_both(cluster, who):
    samplers = [cluster.samp(n, "loadavg", "--interval", "200ms") for n in ("n1", "n2")]
    pairs = pair(cluster, (ours, theirs), samplers)
    paired(*pairs)
    assert do(pairs[who], "failover_stop") == (0, "failover_stop_ok")
    for d in pairs:
        wait_for(lambda: flags(d)["state"] == "STOP" and not flags(d)["PEERCFG_RECEIVED"], "both to be unpaired")
