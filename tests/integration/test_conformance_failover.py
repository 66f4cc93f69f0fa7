"""A pair of aggregators that stand in for each other, below a second level."""
import signal

from conformance import PORT, case

SAMPLERS = {"node1": "node3", "node2": "node4"}  # and whose it is
PAIR = {"node3": "node4", "node4": "node3"}
L2 = "node5"
PLUGIN = "meminfo"
ALL = {f"{n}/{PLUGIN}" for n in SAMPLERS}


def half(host, peer):
    below = next(s for s, a in SAMPLERS.items() if a == host)
    return (f"prdcr_add name={below} host={below} port={PORT} xprt=sock type=active reconnect=200000\n"
            f"prdcr_start name={below}\nupdtr_add name=u-{host} interval=200000 offset=50000\n"
            f"updtr_prdcr_add name=u-{host} regex=.*\nupdtr_start name=u-{host}\n"
            f"failover_config host={peer} port={PORT} xprt=sock peer_name={peer} interval=200000 timeout_factor=4\n"
            "failover_start\n")


def steps(dead):
    return [f"{dead} dies: its producer is taken over", f"{dead} dies: its sets are on the other",
            f"{dead} dies: {L2} has all sets", f"{dead} is back: its producer is given back",
            f"{dead} is back: each has its own", f"{dead} is back: {L2} has all sets"]


@case(30, "failover_test", "the peer of an aggregator that dies stands in for it, and gives back", "sampler agg1 agg2 tool",
      checks=["both are paired", f"{L2} has all sets", *[s for a in PAIR for s in steps(a)]])
def test_failover(c):
    for n in SAMPLERS:
        c.ldmsd("sampler", n, c.sampler(PLUGIN, n))
    # the role agg1 is that of the first of the two: the other one is ours
    daemons = {a: c.ldmsd("agg1" if a == "node3" else "agg2", a, half(a, peer), "-n", a) for a, peer in PAIR.items()}
    l2 = c.ldmsd("agg2", L2, c.aggregator(PAIR, offset="90ms"))
    own = {a: {f"{s}/{PLUGIN}" for s, of in SAMPLERS.items() if of == a} for a in PAIR}

    def status(daemon, what="failover_status"):
        """None while it does not answer."""
        w = c.session(daemon)
        return w and w.status({"failover_status": 0x704, "prdcr_status": 0x104}[what])

    def paired():
        got = [status(d) for d in daemons.values()]
        return all(s and s["conn_state"] == "CONFIGURED" and s["flags"]["PEERCFG_RECEIVED"] == "1" for s in got)

    def state(daemon, prdcr):
        return next((p["state"] for p in status(daemon, "prdcr_status") or [] if p["name"] == prdcr), None)
    c.check("both are paired", paired)
    c.check(f"{L2} has all sets", lambda: set(c.values(l2)), ALL)
    for dead, alive in PAIR.items():
        what = steps(dead)
        prdcr = "#" + next(s for s, a in SAMPLERS.items() if a == dead)
        daemons[dead].stop(signal.SIGKILL)
        c.check(what[0], lambda: state(daemons[alive], prdcr), "CONNECTED")
        c.check(what[1], lambda: set(c.values(daemons[alive])), ALL)
        c.check(what[2], lambda: set(c.values(l2)), ALL)
        daemons[dead].start()
        c.check(what[3], lambda: paired() and state(daemons[alive], prdcr), "STOPPED")
        c.check(what[4], lambda: [c.sets(daemons[a]) for a in PAIR], [own[a] for a in PAIR])
        c.check(what[5], lambda: set(c.values(l2)), ALL)
