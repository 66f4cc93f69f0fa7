"""Pushes side by side with an installed ldmsd 4.5.3: who pushes and who is pushed, each played by the other one."""
import pytest

from ldms import free_port, wait_for
from real import SETS, names, needs_ldmsd, real_agg, real_samp
from test_push import NEVER, column, hint, rising, rows, synth
from wire import Wire

pytestmark = needs_ldmsd

SET_SEC_MOD = 0x613

PUSHED = ("--push", "--interval", NEVER, "--reconnect", "200ms")


def pushed_agg(cluster, name, producer, mode="onchange"):
    """A real aggregator whose sets are pushed; its second tick registers."""
    return real_agg(cluster, name, [producer], interval="300ms", updtr="push=" + mode)


def update(daemon, name):
    return daemon.sets().get(name, {}).get("update")


def moves(daemon, name):
    first = wait_for(lambda: update(daemon, name) and daemon.sets()[name]["flags"][0] == "C" and update(daemon, name))
    wait_for(lambda: update(daemon, name) not in (None, first), f"new samples of {name} at {daemon.name}")


def test_a_real_sampler_pushes_to_ours(cluster):
    samp = real_samp(cluster, "r1", interval="200000")
    l1 = cluster.agg("l1", [samp], *PUSHED, "--to", "csv:" + cluster.path("rows"))
    wait_for(lambda: len(rows(cluster.path("rows/meminfo"))) > 10 and len(rows(cluster.path("rows/procstat2"))) > 10, "rows")
    stamps = [float(r["Time"]) for r in rows(cluster.path("rows/meminfo"))]
    assert rising(stamps)
    assert max(b - a for a, b in zip(stamps, stamps[1:])) < 0.39  # none is missing
    assert set(l1.values()) == names("r1")
    assert hint(l1, "r1/meminfo") == hint(samp, "r1/meminfo")
    assert Wire(samp.port).accepted().control(SET_SEC_MOD, [(4, b".*\0"), (27, b"0444\0")])[0] == 0
    wait_for(lambda: l1.sets()["r1/meminfo"]["perm"] == "-r--r--r--", "metadata that changed")
    samp.restart()
    wait_for(lambda: l1.ls() == [] or update(l1, "r1/meminfo"))
    moves(l1, "r1/meminfo")
    assert samp.alive()


@pytest.mark.parametrize("mode", ["onchange", "true"])
def test_ours_pushes_to_a_real_aggregator(cluster, mode):
    samp = cluster.samp("n1", " ".join(SETS), "--interval", "200ms")
    # a sampler pushes on change alone; an aggregator does so after each update
    l1 = cluster.agg("l1", [samp], "--interval", "200ms", "--offset", "50ms")
    l2 = pushed_agg(cluster, "l2", l1, mode)
    for s in SETS:
        moves(l2, "n1/" + s)
    l3 = cluster.agg("l3", [l2], *PUSHED)
    moves(l3, "n1/procnetdev2")
    samp.restart()
    wait_for(lambda: set(l3.values()) == names("n1"), "the sets at every level again")
    moves(l3, "n1/meminfo")
    assert l2.alive()


def test_our_sampler_pushes_to_a_real_aggregator(cluster):
    samp = cluster.samp("n1", " ".join(SETS), "--interval", "200ms")
    l1 = pushed_agg(cluster, "l1", samp)
    for s in SETS:
        moves(l1, "n1/" + s)
    assert hint(l1, "n1/loadavg") == "200000:0"
    l2 = pushed_agg(cluster, "l2", l1, "true")
    l3 = cluster.agg("l3", [l2], *PUSHED)
    for s in SETS:
        moves(l3, "n1/" + s)
    samp.restart()
    wait_for(lambda: set(l3.values()) == names("n1"), "the sets at every level again")
    moves(l3, "n1/meminfo")
    assert l1.alive() and l2.alive()


def test_big_set_to_a_real_aggregator_and_back(cluster):
    samp = synth(cluster, interval="500ms", metrics=60, type="u64[]", array=6000)
    l1 = pushed_agg(cluster, "l1", samp)
    l2 = cluster.agg("l2", [l1], *PUSHED)
    moves(l2, "s")
    arrays = [v for name, v in l2.values("s")["s"].items() if name.startswith("m")]
    assert len(arrays) == 60 and all(v == list(range(v[0], v[0] + 6000)) for v in arrays)
    assert l1.alive()


def test_rings(cluster):
    """Each sample of a ring, pulled or pushed, from theirs and through theirs."""
    real = real_samp(cluster, "r1", ("meminfo",), interval="100000", attrs="set_array_card=10")
    cluster.agg("pull", [real], "--interval", "500ms", "--to", "csv:" + cluster.path("pulled"))
    cluster.agg("push", [real], *PUSHED, "--to", "csv:" + cluster.path("pushed"))
    for where in ("pulled", "pushed"):
        wait_for(lambda: len(rows(cluster.path(where + "/meminfo"))) > 30, "rows " + where)
        stamps = [float(r["Time"]) for r in rows(cluster.path(where + "/meminfo"))][2:]
        assert rising(stamps)
        assert max(b - a for a, b in zip(stamps, stamps[1:])) < 0.19, where
    ours = synth(cluster, interval="100ms", metrics=5, set_array_card=10)
    theirs = real_agg(cluster, "ra", [ours], interval="500ms")
    cluster.agg("l2", [theirs], "--interval", "500ms", "--offset", "200ms", "--to", "csv:" + cluster.path("through"))
    wait_for(lambda: len(rows(cluster.path("through/synth"))) > 30, "rows through theirs")
    got = column(cluster.path("through/synth"), "m0")[2:]
    assert rising(got)
    assert got[-1] - got[0] == len(got) - 1
    pushed = pushed_agg(cluster, "rp", ours)
    moves(pushed, "s")
    assert real.alive() and theirs.alive() and pushed.alive()


def test_the_hints_are_theirs(cluster):
    samp = real_samp(cluster, "r1", ("meminfo",), interval="400000")
    theirs = real_agg(cluster, "ra", [samp], interval="5s", updtr="auto_interval=true")
    port = free_port()
    ours = cluster.daemon("oa", ["agg", "-x", f"sock:{port}", "-c", cluster.path("ra.conf")], port)
    wait_for(lambda: hint(theirs, "r1/meminfo") == hint(ours, "r1/meminfo") == "400000:100000", "the same hint from both")
    moves(ours, "r1/meminfo")
