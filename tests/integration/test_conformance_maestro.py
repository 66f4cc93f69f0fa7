"""A cluster that maestro configures: its file, balance, the loss and return of each kind of daemon."""
import json
import signal

from conformance import OPERATOR, PORT, case

SAMPS, L1S, L2 = ["node1", "node2", "node3", "node4"], ["node5", "node6"], "node7"

ALL, HALVES = "all sets are on the second level", "each aggregator has its block of producers"
INSTANCES = "sets are named by daemon and plugin instance"
DEAD = ["an aggregator dies: the other one has its producers", "an aggregator dies: all sets are on the second level"]
BACK = ["the aggregator is back: each has its block", "the aggregator is back: all sets are on the second level"]
SAMP, TOP = "a sampler is started anew: it is configured again", "the second level is started anew: all sets are there"
CHANGE, ONE_LESS = "an interval is changed in the file: samplers have it", "a sampler goes from the file: its sets go"


def spec(samps):
    def group(names, peers, offset):
        return {"daemons": ",".join(names), "peers": [
            {"daemons": ",".join(peers), "endpoints": ",".join(f"{n}-ep" for n in peers), "type": "active",
             "reconnect": "200ms", "updaters": [{"mode": "pull", "interval": "200ms", "offset": offset,
                                                 "sets": [{"regex": ".*", "field": "inst"}]}]}]}
    return {"daemons": [{"names": n, "hosts": n, "endpoints": [
        {"names": f"{n}-ep", "ports": PORT, "xprt": "sock", "maestro_comm": True}]} for n in [*samps, *L1S, L2]],
        "aggregators": [group(L1S, samps, "20ms"), group([L2], L1S, "40ms")],
        "samplers": [{"daemons": ",".join(samps), "plugins": ["meminfo1"]}],
        "plugins": {"meminfo1": {"name": "meminfo", "interval": "200ms", "offset": "0s",
                                 "config": [{"component_id": "${LDMS_COMPONENT_ID}", "schema": "meminfo", "perm": "0777"}]}}}


def sets(samps):
    return {f"{n}/meminfo1" for n in samps}


@case(41, "maestro_cfg_test", "maestro configures samplers and two levels of aggregators, and watches them",
      "sampler agg1 agg2 tool", checks=[ALL, INSTANCES, HALVES, *DEAD, *BACK, SAMP, TOP, CHANGE, ONE_LESS])
def test_maestro(c):
    role = {**{n: "sampler" for n in SAMPS}, **{n: "agg1" for n in L1S}, L2: "agg2"}
    d = {n: c.ldmsd(r, n, "", "-n", n, env={"LDMS_COMPONENT_ID": n[4:]}) for n, r in role.items()}

    def runs(agg):
        return {p["name"] for p in c.status(d[agg], "prdcr_status") if p["state"] == "CONNECTED"}

    def again(name):
        d[name].stop(signal.SIGKILL)
        d[name].start()

    path = c.hosts.write("ldms_cfg.yaml", json.dumps(spec(SAMPS)))
    c.hosts.node(OPERATOR).start("maestro", ["ldms", "maestro", "--poll", "500ms", path])
    c.check(ALL, lambda: c.sets(d[L2]), sets(SAMPS))
    c.check(INSTANCES, lambda: set(c.values(d[SAMPS[0]])), {"node1/meminfo1"})
    blocks = [{f"{n}-ep" for n in SAMPS[:2]}, {f"{n}-ep" for n in SAMPS[2:]}]
    c.check(HALVES, lambda: [runs(a) for a in L1S], blocks)
    d["node5"].stop(signal.SIGKILL)
    c.check(DEAD[0], lambda: runs("node6"), blocks[0] | blocks[1])
    c.check(DEAD[1], lambda: c.sets(d[L2]), sets(SAMPS))
    d["node5"].start()
    c.sessions.pop(d["node5"], None)
    c.check(BACK[0], lambda: [runs(a) for a in L1S], blocks)
    c.check(BACK[1], lambda: c.sets(d[L2]), sets(SAMPS))
    again("node2")
    c.check(SAMP, lambda: set(c.values(d["node2"])), {"node2/meminfo1"})
    again(L2)
    c.check(TOP, lambda: c.sets(d[L2]), sets(SAMPS))
    changed = spec(SAMPS)
    changed["plugins"]["meminfo1"]["interval"] = "400ms"
    c.hosts.write("ldms_cfg.yaml", json.dumps(changed))
    c.check(CHANGE, lambda: {"400000:0" in str(s) for n in SAMPS for s in c.look(d[n], "-v").values()}, {True})
    c.hosts.write("ldms_cfg.yaml", json.dumps(spec(SAMPS[:3])))
    c.check(ONE_LESS, lambda: c.sets(d[L2]), sets(SAMPS[:3]))
