"""Far away: a tree of daemons on hosts with 50 ms, give or take, between them, as only a kernel with netem has it."""
import json

import pytest

from ldms import LDMS, wait_for

NAME = "far"
HOSTS = 3
LATER = 3  # seconds of samples behind the first that must arrive as well


@pytest.fixture
def far(vm):
    """A cluster; far(WORDS) is the output of `ldms cluster WORDS`."""
    def cluster(words, **kw):
        return vm.do(f"{LDMS} cluster {words}", **kw)

    cluster(f"up --name {NAME} -n {HOSTS}")
    yield cluster
    cluster(f"down {NAME}")


def begin(vm, host, words):
    """A daemon that lives until the cluster ends."""
    vm.do(f"{LDMS} cluster exec --name {NAME} {host} -- ldms {words} >{vm.there}/{host}.log 2>&1 &")


def stamp(vm, host, name):
    """When its last sample was made, as that host's daemon has it; 0: it has none."""
    r = vm.run(f"{LDMS} cluster exec --name {NAME} {host} -- ldms ls -v --json")
    if r.returncode:
        return 0
    return max((float(s["update"]) for s in json.loads(r.stdout)["sets"] if s["instance"] == name and "C" in s["flags"]),
               default=0)


def test_a_tree_delivers_across_delay_and_jitter(vm, far):
    far(f"fault --name {NAME} delay 'node[1-{HOSTS}]' 50ms --jitter 10ms")
    assert "50ms" in far(f"fault --name {NAME} ls")
    assert "netem" in far(f"exec --name {NAME} node2 -- tc qdisc show")
    begin(vm, "node1", "samp -x sock:411 -n s1 --samp 'loadavg meminfo' --interval 1s")
    begin(vm, "node2", "agg -x sock:411 -n a1 --prdcr node1:411 --interval 1s --offset 200ms")
    begin(vm, "node3", "agg -x sock:411 -n a2 --prdcr node2:411 --interval 1s --offset 400ms")
    first = wait_for(lambda: stamp(vm, "node3", "s1/meminfo"), "a sample at the top", vm.patience)
    wait_for(lambda: stamp(vm, "node3", "s1/meminfo") >= first + LATER, "later ones", vm.patience)
    # an exchange takes a fifth of the interval: nothing is left out
    status = json.loads(far(f"exec --name {NAME} node3 -- ldms ctl --json prdcr_status"))
    assert [(p["state"], p["failed"], p["torn"]) for p in status] == [("CONNECTED", 0, 0)]
