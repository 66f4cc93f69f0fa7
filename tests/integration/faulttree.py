"""A tree of 40 nodes, two levels of aggregators and a store, for what goes wrong in clusters: test_tree_faults.py.

    tree = FaultTree(VCluster(...))
    tree.samp(1), tree.l1(0), tree.top      the daemons
    tree.missing()                          {node: slots without a row}
    tree.counted()                          the same, as the storing daemon has counted it

Samples fall on slots of the wall clock, so that rows tell by their own timestamps what is missing.  Time is counted in
slots that a witness saw, a node that nothing is wrong with: on a machine that has other things to do nobody is in time.
"""
import json
import os
import time

from ldms import SANITIZED, wait_for

SAMPLERS, L1S = 32, 6
TOP, SPARE = SAMPLERS + L1S + 1, SAMPLERS + L1S + 2  # numbers of nodes
INTERVAL_MS = 500 if SANITIZED else 250
STEP_MS = 3600 * 1000  # clocks step by so much, one way or the other
DISK = "/tmp/disk"  # in the top node
DISK_SIZE = "6m"
RESOLV = "nameserver {}\noptions timeout:1 attempts:1\n"

SAMPLER = """limits out=256K
load name=loadavg
config name=loadavg producer={name} instance={name}/loadavg
start name=loadavg interval={ms}ms
"""
READER = """prdcr_add name={name} type=active xprt=sock host={name} port=10000 reconnect={ms}ms
prdcr_start name={name}
"""
AGGREGATOR = """limits out=256K
updtr_add name=all interval={ms}ms offset={offset}ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
"""
STORE = """load name=store_csv
config name=store_csv path={path} buffer=0
strgp_add name=rows plugin=store_csv container=c schema=loadavg
strgp_start name=rows
"""


def node_name(number):
    return f"node{number}"


def below(k):
    """The samplers that the k-th aggregator of the first level reads."""
    return range(1 + k, SAMPLERS + 1, L1S)


def configurations(ms, path):
    """{node: what its daemon is told}, samples every so many ms, rows below that path.  Each level reads when the one
    below it has read: three tenths of the interval behind the samples, and half of it."""
    def aggregator(readers, offset):
        return "".join(READER.format(name=node_name(n), ms=ms) for n in readers) + AGGREGATOR.format(ms=ms, offset=offset)
    return {**{n: SAMPLER.format(name=node_name(n), ms=ms) for n in range(1, SAMPLERS + 1)},
            **{SAMPLERS + 1 + k: aggregator(below(k), l1_offset(ms)) for k in range(L1S)},
            TOP: STORE.format(path=path) + aggregator(range(SAMPLERS + 1, TOP), ms // 2)}


def specification(ms, path):
    """The same for `ldms cluster up`."""
    return {"name": "tree", "nodes": [{"hostname": node_name(n), "daemons": [
        {"name": "d", "type": "ldmsd", "listen": [{"xprt": "sock", "port": 10000}], "config": conf.splitlines()}]}
        for n, conf in configurations(ms, path).items()]}


def rows_of(text):
    """{node: [time of each row, in ms]}, in the order of the file."""
    found = {n: [] for n in range(1, SAMPLERS + 1)}
    for line in text.split("\n")[:-1]:
        if line[0] != "#":
            stamp, _, node = line.split(",", 3)[:3]
            found[int(node[4:])].append(round(float(stamp) * 1000))
    return found


def l1_offset(ms):
    return ms * 3 // 10


def steps(a, b):
    """How often the clock stepped between two rows, an hour each time."""
    return round((b - a) / STEP_MS)


def missing_of(rows, ms):
    """{node: slots without a row}, between its first and its last one; what a clock stepped by is none of it."""
    def between(a, b):
        return b // ms - a // ms - steps(a, b) * STEP_MS // ms - 1
    return {n: sum(map(between, times, times[1:])) for n, times in rows.items()}


def differences_of(rows, counted, ms):
    """{node: (slots without a row, samples counted as missed)}, where that is not the same; {} when all is well.

    Two things cannot be known for certain by who counts: in which slot a sample was meant to be that is so late that
    the next level has read by then, and what was missed just when a clock stepped.  Each may be one more or less.
    """
    def doubts(times):
        return sum(t % ms >= l1_offset(ms) - 1 for t in times) + sum(steps(*two) != 0 for two in zip(times, times[1:]))
    if counted is None:
        return {"counted": None}
    missing = missing_of(rows, ms)
    return {n: (missing[n], counted[n]) for n in rows if abs(missing[n] - counted[n]) > doubts(rows[n])}


def counted_of(prdcrs):
    """{node: samples that never came}, as the storing daemon's prdcr_status says; None while some nodes are not there."""
    sets = {int(s["inst_name"][4:].split("/")[0]): s.get("missed", 0) for p in prdcrs for s in p["sets"]}
    if len(sets) < SAMPLERS:
        return None
    assert sum(p["missed"] for p in prdcrs) == sum(sets.values()), prdcrs
    return sets


class FaultTree:
    def __init__(self, vcluster):
        self.c = vcluster
        self.hosts = os.path.join(json.loads(vcluster.cluster("ls", "--json").stdout)["dir"], "hosts")
        top = vcluster.node(node_name(TOP))
        resolv = vcluster.write("resolv.conf", RESOLV.format(self.address(SPARE)))
        r = top.run(["sh", "-ec", f"mkdir {DISK}; mount -t tmpfs -o size={DISK_SIZE} disk {DISK}; "
                                  f"mount --bind {resolv} $(readlink -f /etc/resolv.conf)"])
        assert r.returncode == 0, r.stderr
        self.nodes = {n: vcluster.node(node_name(n)) for n in range(1, SPARE + 1)}
        self.daemons = {n: self.nodes[n].daemon(conf, args=["-v", "INFO"])
                        for n, conf in configurations(INTERVAL_MS, DISK).items()}
        self.top = self.daemons[TOP]

    def address(self, number):
        return next(n["address"] for n in self.c.status() if n["name"] == node_name(number)).split("/")[0]

    def samp(self, n):
        return self.daemons[n]

    def l1(self, k):
        return self.daemons[SAMPLERS + 1 + k]

    def fault(self, kind, number, *args):
        return self.c.fault(kind, node_name(number), *args)

    # -- what is stored

    def rows(self):
        return rows_of(self.nodes[TOP].run(["cat", f"{DISK}/c/loadavg"]).stdout)

    def missing(self):
        return missing_of(self.rows(), INTERVAL_MS)

    def behind(self, number, since_ms, witness):
        """How many rows of the witness came before the first one of that node, both of after that moment; None: no row came."""
        rows = self.rows()
        first = next((t for t in rows[number] if t > since_ms), None)
        return first and sum(since_ms < t < first for t in rows[witness])

    # -- what was counted

    def counted(self):
        return counted_of(self.top.ctl("prdcr_status"))

    def policy(self):
        return self.top.ctl("strgp_status")[0]

    def now_ms(self):
        return round(time.time() * 1000)

    def goes_on(self, slots, witness):
        """Wait until the witness has so many more rows."""
        n = len(self.rows()[witness]) + slots
        wait_for(lambda: len(self.rows()[witness]) >= n, f"{slots} more rows of {node_name(witness)}")
