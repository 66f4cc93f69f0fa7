"""What goes wrong in clusters, one thing after the other, in a tree of 40 nodes: it heals by itself, soon, and what is
missing in the store afterwards is what the storing daemon says.  The bounds are those of README.md.

The tree is started once, and each case leaves it whole, or fails.
"""
import json
import signal
import socket
import sys

import pytest

import vcluster
from deaf import Deaf
from faulttree import (DISK, INTERVAL_MS, SAMPLERS, SPARE, TOP, FaultTree, below, counted_of, differences_of, missing_of,
                       node_name, rows_of, specification)
from ldms import LDMS, SANITIZED, wait_for

if vcluster.why_not():
    pytest.skip(vcluster.why_not(), allow_module_level=True)

# Rows that the witness has before the first one again, at most; README.md says why.
BACK = {"paused": 3, "sampler": 4, "l1": 8, "partition": 6, "names": 20}
TCP_RTO_MAX_MS = 44     # Linux 6.15
FULL_SLOTS = 8          # how long the disk is full; the store comes back within twice that and a few
FULL_BACK = 2 * FULL_SLOTS + 16
LOSS_SLOTS = 20         # how long every 20th packet is lost, each way
LOSS_SHARE = 0.5        # of slots that are lost then
WITNESS = 4             # a node that nothing is wrong with: of the fourth aggregator
DOWN_SLOTS = 6          # how long something is away
DELAY_SLOTS = 4
CUT_SLOTS = 18          # long enough for TCP to be in no hurry any more, had it its way
STEP_SLOTS = 2          # that a step of a clock, or the begin of a delay, may cost each set
BUSY_SHARE = 0.3        # of slots that anybody may lose where the machine has other things to do

MUTE = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 53)); print('here', flush=True)\n" \
       "while True: s.recv(999)"  # a name server that never answers


@pytest.fixture(scope="module")
def tree(module_hosts):
    t = FaultTree(module_hosts(SPARE, *([] if SANITIZED else ["--clock"])))
    wait_for(lambda: all(t.rows().values()), "rows of all nodes")
    return t


@pytest.fixture(autouse=True)
def whole(request):
    """Behind each case: all sets come again, no daemon has ended, and the loss is what was counted."""
    yield
    if "tree" not in request.fixturenames:
        return
    t = request.getfixturevalue("tree")
    t.c.fault("heal", f"node[1-{SPARE}]")
    now = t.now_ms()
    if not SANITIZED:
        t.c.fault("clock", f"node[1-{SPARE}]", "0")
    assert t.c.ended() == [], t.c.tails()

    def again():
        rows = t.rows()
        return [n for n in rows if rows[n][-1] <= now] or t.counted() is None
    wait_for(lambda: not again(), "all sets to come again")
    wait_for(lambda: not differences(t), "what is missing to be what is counted")
    st = t.policy()
    assert (st["dropped"], st["why"]) == (0, "")
    assert st["produced"] == st["stored"] + st["queued"]


def partition_slots():
    """Older kernels ask again ever more seldom: after as long as the network was away."""
    with socket.socket() as s:
        try:
            s.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, 1000)
        except OSError:
            return BACK["partition"] + CUT_SLOTS
    return BACK["partition"]


def differences(t):
    return differences_of(t.rows(), t.counted(), INTERVAL_MS)


def comes_back(t, numbers, since_ms, slots):
    """These nodes' rows come again, before the witness has more than so many."""
    def behind():
        got = {n: t.behind(n, since_ms, WITNESS) for n in numbers}
        return None if None in got.values() else got
    late = wait_for(behind, f"rows of {list(map(node_name, numbers))}")
    assert max(late.values()) <= slots, late


def look(t):
    """How it is before a case: for loses()."""
    return t.missing(), t.now_ms()


def loses(t, before, numbers):
    """Since then, together.  Others lose nothing, but for what a machine that is busy with other things lets them lose."""
    wait_for(lambda: not differences(t), "what is missing to be counted")
    was, since_ms = before
    now = t.missing()
    others = {n: now[n] - was[n] for n in now if n not in numbers}
    assert max(others.values(), default=0) <= 2 + (t.now_ms() - since_ms) / INTERVAL_MS * BUSY_SHARE, others
    return sum(now[n] - was[n] for n in numbers)


def test_nothing_is_wrong(tree):
    tree.goes_on(DOWN_SLOTS, WITNESS)


def test_a_sampler_dies_and_comes_back(tree):
    before = look(tree)
    tree.samp(1).stop(signal.SIGKILL)
    tree.goes_on(DOWN_SLOTS, WITNESS)
    tree.samp(1).start()
    wait_for(tree.samp(1).ls, "its set")
    comes_back(tree, [1], tree.now_ms(), BACK["sampler"])
    assert loses(tree, before, [1]) >= DOWN_SLOTS - 1
    assert tree.top.ctl("stats")["samples that never came"] == sum(tree.counted().values())


def test_a_sampler_stands_still(tree):
    """It knows itself what it missed.  The store misses as much, and most often the sample that is taken at once when it
    goes on, too: the next one comes before anybody reads it."""
    def says():
        return tree.samp(1).ctl("plugn_status")[0]["missed"]
    before, said = look(tree), says()
    tree.fault("pause", 1)
    tree.goes_on(DOWN_SLOTS, WITNESS)
    tree.fault("resume", 1)
    comes_back(tree, [1], tree.now_ms(), BACK["paused"])
    lost = loses(tree, before, [1])
    assert DOWN_SLOTS - 2 <= says() - said <= lost


def test_an_aggregator_dies_and_comes_back(tree):
    before = look(tree)
    tree.l1(0).stop(signal.SIGKILL)
    tree.goes_on(DOWN_SLOTS, WITNESS)
    tree.l1(0).start()
    wait_for(lambda: tree.l1(0).ls_run().returncode == 0, "it to answer")
    comes_back(tree, below(0), tree.now_ms(), BACK["l1"])
    assert loses(tree, before, below(0)) >= (DOWN_SLOTS - 1) * len(below(0))


def test_a_partition_heals(tree):
    """An aggregator with all that is below it; a sampler; and one aggregator that only the top cannot see."""
    before, away = look(tree), [*below(0), 2, *below(2)]
    tree.fault("cut", SAMPLERS + 1)
    tree.fault("cut", 2)
    tree.fault("cut", SAMPLERS + 3, "--from", node_name(TOP))
    tree.goes_on(CUT_SLOTS, WITNESS)
    tree.c.fault("heal", f"{node_name(SAMPLERS + 1)},{node_name(2)},{node_name(SAMPLERS + 3)},{node_name(TOP)}")
    comes_back(tree, away, tree.now_ms(), partition_slots())
    assert loses(tree, before, away) >= (CUT_SLOTS - 2) * len(away)


def test_packets_are_lost(tree):
    before, n = look(tree), len(below(1))
    tree.fault("loss", SAMPLERS + 2, "5%")
    rows = len(tree.rows()[WITNESS])
    tree.goes_on(LOSS_SLOTS, WITNESS)
    tree.fault("heal", SAMPLERS + 2)
    comes_back(tree, below(1), tree.now_ms(), partition_slots())
    seen = len(tree.rows()[WITNESS]) - rows
    assert loses(tree, before, below(1)) <= LOSS_SHARE * seen * n


def test_delay(vm):
    """50 ms each way at an aggregator.  What an exchange takes longer is no loss, as long as levels wait for each other.

    A tree of its own, where the kernel has netem.
    """
    ms, tool = 1000, f"{LDMS} cluster"

    def rows():
        try:
            with open(vm.path("c/loadavg")) as f:
                return rows_of(f.read())
        except FileNotFoundError:
            return rows_of("")

    def goes_on(slots):
        n = len(rows()[2]) + slots
        wait_for(lambda: min(map(len, rows().values())) >= n, f"{slots} more rows of all", vm.patience)

    def counted():
        return counted_of(json.loads(vm.do(f"{tool} exec --name tree {node_name(TOP)} -- "
                                           f"ldms ctl -h {node_name(TOP)} -p 10000 --json prdcr_status")))
    with open(vm.path("tree.json"), "w") as f:
        json.dump(specification(ms, vm.there), f)
    vm.do(f"{tool} up --mount {vm.there}:{vm.there}:rw {vm.there}/tree.json")
    try:
        goes_on(1)
        vm.do(f"{tool} fault --name tree delay {node_name(SAMPLERS + 2)} 50ms")
        before = missing_of(rows(), ms)
        goes_on(DELAY_SLOTS)
        wait_for(lambda: not differences_of(rows(), counted(), ms), "what is missing to be what is counted", vm.patience)
        after = missing_of(rows(), ms)
        assert all(after[n] - before[n] <= STEP_SLOTS for n in below(1)), (before, after)
    finally:
        vm.do(f"{tool} down tree")


def refused(daemon, reason):
    return next((r["count"] for r in daemon.ctl("xprt_stats")["refused"] if r["reason"] == reason), 0)


def test_peers_that_stop_reading(tree):
    """One at each level: it is dropped, and nobody else notices."""
    before = look(tree)
    deaf = {n: Deaf(tree.nodes[SPARE].connect(node_name(n))) for n in (1, SAMPLERS + 1, TOP)}
    gone = set()

    def all_dropped():
        gone.update(n for n in deaf if n not in gone and deaf[n].is_dropped())
        return len(gone) == len(deaf)
    wait_for(all_dropped, "those that do not read to be dropped")
    for n, peer in deaf.items():
        peer.close()
        assert refused(tree.daemons[n], "slow") == 1
    loses(tree, before, [])


@pytest.mark.skipif(SANITIZED, reason="a sanitized program cannot be given another clock")
@pytest.mark.parametrize("number,nodes", [(1, [1]), (SAMPLERS + 1, below(0)), (TOP, range(1, SAMPLERS + 1))],
                         ids=["sampler", "l1", "top"])
def test_a_clock_steps(tree, number, nodes):
    """An hour ahead, two back, and right again."""
    before = look(tree)
    for step in ("+1h", "-1h", "0"):
        tree.fault("clock", number, step)
        tree.goes_on(DOWN_SLOTS // 2, WITNESS)
    assert loses(tree, before, nodes) <= 3 * STEP_SLOTS * len(nodes)


def test_the_disk_is_full(tree):
    """What cannot be written waits: nothing is lost, and all is written when there is room."""
    before, top = look(tree), tree.nodes[TOP]

    def produced():
        return tree.policy()["produced"] // SAMPLERS
    top.run(["sh", "-c", f"cat /dev/zero >{DISK}/full"])
    wait_for(lambda: "No space" in tree.policy()["why"], "the store to fail")
    slots = produced() + FULL_SLOTS
    wait_for(lambda: produced() >= slots, "more samples to come")
    assert tree.policy()["queued"] >= (FULL_SLOTS - 1) * SAMPLERS
    top.run(["rm", f"{DISK}/full"])
    slots = produced()
    wait_for(lambda: not tree.policy()["why"], "the store to work again")
    assert produced() - slots <= FULL_BACK
    loses(tree, before, [])


def test_names_do_not_resolve(tree):
    """The host table is empty, and who is asked for names instead never answers: connections stay; new ones wait."""
    before = look(tree)
    mute = tree.nodes[SPARE].start("mute", [sys.executable, "-c", MUTE])
    mute.says("here")
    tree.l1(0).stop(signal.SIGKILL)
    with open(tree.hosts, "r+") as f:
        table = f.read()
        f.seek(0)
        f.truncate()
        try:
            tree.l1(0).start()
            tree.top.says("does not resolve")
            tree.goes_on(DOWN_SLOTS, WITNESS)
        finally:
            f.write(table)
    comes_back(tree, below(0), tree.now_ms(), BACK["names"])
    mute.stop()
    loses(tree, before, below(0))
