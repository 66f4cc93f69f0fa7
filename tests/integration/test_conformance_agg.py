"""Two levels of aggregators over four samplers: what arrives, and what happens when one of them dies."""
import signal

from conformance import case

SAMPLERS = ("node1", "node2", "node3", "node4")
L1 = {"node5": ("node1", "node2"), "node6": ("node3", "node4")}
L2 = "node7"
PLUGIN = "meminfo"
UNCHANGING = ("component_id", "job_id", "app_id", "MemTotal", "CommitLimit", "VmallocTotal")


class Tree:
    """Four samplers, two aggregators over two of them each, one over both."""

    def __init__(self, c):
        self.c = c
        self.samp = {n: c.ldmsd("sampler", n, c.sampler(PLUGIN, n, component_id=n[-1])) for n in SAMPLERS}
        self.l1 = {n: c.ldmsd("agg1", n, c.aggregator(below)) for n, below in L1.items()}
        self.l2 = c.ldmsd("agg2", L2, c.aggregator(L1, offset="90ms"))

    def sets(self, daemon):
        """Those with values."""
        return set(self.c.values(daemon))


def names(*hosts):
    return {f"{h}/{PLUGIN}" for h in hosts}


DIR = [f"sets on {n}" for n in (*SAMPLERS, *L1, L2)]
VALUES = "values of the samplers on " + L2


@case(2, "agg_test 1-2", "sets of four samplers reach two levels, with their values", "sampler agg1 agg2 tool",
      checks=[*DIR, VALUES])
def test_directories_and_values(c):
    t = Tree(c)
    for n, d in t.samp.items():
        c.check(f"sets on {n}", lambda: t.sets(d), names(n))
    for n, d in t.l1.items():
        c.check(f"sets on {n}", lambda: t.sets(d), names(*L1[n]))
    c.check(f"sets on {L2}", lambda: t.sets(t.l2), names(*SAMPLERS))

    def unchanging(daemon):
        return {s: {m: v[m] for m in UNCHANGING} for s, v in c.values(daemon).items()}

    below = {}
    for d in t.samp.values():
        below.update(unchanging(d))
    assert [below[f"{n}/{PLUGIN}"]["component_id"] for n in SAMPLERS] == [1, 2, 3, 4]
    c.check(VALUES, unchanging(t.l2), below)


GONE = "sampler killed: its set leaves "
LEFT = "sampler killed: the others stay on "
BACK = "sampler revived: its set is back on "


@case(3, "agg_test 3-6", "the set of a sampler that dies leaves both levels, and comes back with it", "sampler agg1 agg2 tool",
      checks=[what + n for what in (GONE, BACK) for n in ("node5", L2)] + [LEFT + n for n in ("node5", "node6", L2)])
def test_a_sampler_dies(c):
    t = Tree(c)
    c.until(lambda: t.sets(t.l2) == names(*SAMPLERS), "all sets on the second level")
    t.samp["node2"].stop(signal.SIGKILL)
    c.check(GONE + "node5", lambda: not names("node2") & c.sets(t.l1["node5"]))
    c.check(GONE + L2, lambda: not names("node2") & c.sets(t.l2))
    c.check(LEFT + "node5", lambda: t.sets(t.l1["node5"]), names("node1"))
    c.check(LEFT + "node6", lambda: t.sets(t.l1["node6"]), names("node3", "node4"))
    c.check(LEFT + L2, lambda: t.sets(t.l2), names("node1", "node3", "node4"))
    t.samp["node2"].start()
    c.check(BACK + "node5", lambda: t.sets(t.l1["node5"]), names("node1", "node2"))
    c.check(BACK + L2, lambda: t.sets(t.l2), names(*SAMPLERS))


LIVE = "aggregator killed: the sampler lives on "
L1_GONE, L1_LEFT, L1_BACK = ("aggregator killed: its sets leave " + L2, "aggregator killed: the others' stay on " + L2,
                             "aggregator revived: its sets are back on " + L2)
L1_AGAIN = "aggregator revived: it has its sets"


@case(4, "agg_test 7-10", "the sets of an aggregator that dies leave the next level, and come back with it",
      "sampler agg1 agg2 tool", checks=[L1_GONE, L1_LEFT, LIVE + "node1", LIVE + "node2", L1_AGAIN, L1_BACK])
def test_an_aggregator_dies(c):
    t = Tree(c)
    c.until(lambda: t.sets(t.l2) == names(*SAMPLERS), "all sets on the second level")
    t.l1["node5"].stop(signal.SIGKILL)
    c.check(L1_GONE, lambda: not names("node1", "node2") & c.sets(t.l2))
    c.check(L1_LEFT, lambda: t.sets(t.l2), names("node3", "node4"))
    for n in ("node1", "node2"):
        c.check(LIVE + n, t.sets(t.samp[n]), names(n))
    t.l1["node5"].start()
    c.check(L1_AGAIN, lambda: t.sets(t.l1["node5"]), names("node1", "node2"))
    c.check(L1_BACK, lambda: t.sets(t.l2), names(*SAMPLERS))
