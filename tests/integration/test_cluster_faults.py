"""`ldms cluster fault`: what is wrong, is wrong, and is healed."""
import json
import os
import signal
import subprocess
import time

import pytest
from ldms import PATIENCE_S, SANITIZED, wait_for
from vcluster import why_not
from vnodes import Base

if why_not():
    pytest.skip(why_not(), allow_module_level=True)

PRELOADED = not SANITIZED  # a sanitizer wants to be the first library


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    base = Base(tmp_path_factory.mktemp("cluster"))
    base.good("up", "-n", 5, *(["--clock"] if PRELOADED else []))
    yield base
    base.good("down")


@pytest.fixture(autouse=True)
def healed(five):
    yield
    five.good("fault", "heal", "node[1-5]")
    five.good("fault", "resume", "node[1-5]")
    if PRELOADED:
        five.good("fault", "clock", "node[1-5]", "0")
    assert five.good("fault", "ls") == ""


def ping(base, a, b):
    return base.exec(f"node{a}", "ping", "-c1", "-W0.3", f"node{b}").returncode == 0


def reaches(base, a, b):
    return wait_for(lambda: ping(base, a, b), f"node{a} to reach node{b}")


def wrong(base):
    return json.loads(base.good("fault", "ls", "--json"))


def test_cut_and_heal(five):
    assert reaches(five, 1, 2)
    five.good("fault", "cut", "node1")
    assert not ping(five, 1, 2) and reaches(five, 3, 2)
    assert wrong(five)["nodes"]["node1"]["cut"] and five.good("fault", "ls").split() == ["node1", "cut"]
    five.good("fault", "heal", "node1")
    assert reaches(five, 1, 2)


def test_a_partition(five):
    five.good("fault", "cut", "node[1-2]", "--from", "node[3-4]")
    assert not ping(five, 1, 3) and not ping(five, 4, 2)
    assert reaches(five, 1, 2) and reaches(five, 3, 4) and reaches(five, 1, 5) and reaches(five, 5, 4)
    assert wrong(five)["splits"] == [[["node1", "node2"], ["node3", "node4"]]]
    assert five.good("fault", "ls") == "node[1-2] cut from node[3-4]\n"
    five.good("fault", "heal", "node1")  # the others stay apart
    assert reaches(five, 1, 3) and not ping(five, 2, 3)


def test_loss(five):
    five.good("fault", "loss", "node1", "100%")
    assert not ping(five, 1, 2) and reaches(five, 3, 2)
    five.good("fault", "loss", "node1", "30%")
    assert five.good("fault", "ls").split() == ["node1", "loss", "30%"]
    five.good("fault", "loss", "node1", "0")
    assert reaches(five, 1, 2)


def test_bandwidth(five):
    def queue():
        return five.exec("node1", "tc", "qdisc", "show", "dev", "eth0").stdout

    five.good("fault", "bandwidth", "node1", "1mbit")
    assert "rate 1Mbit" in queue() and reaches(five, 1, 2)
    five.good("fault", "bandwidth", "node1", "2M")
    assert "rate 2Mbit" in queue() and wrong(five)["nodes"]["node1"]["bandwidth_bits"] == 2000000
    five.good("fault", "bandwidth", "node1", "0")
    assert "rate" not in queue()


def test_delay_or_what_is_missing_for_it(five):
    r = five.do("fault", "delay", "node1", "50ms", "--jitter", "10ms")
    if r.returncode:
        assert "no netem" in r.stderr and wrong(five) == {"nodes": {}, "splits": []}
    else:
        assert "delay 50ms" in five.exec("node1", "tc", "qdisc", "show", "dev", "eth0").stdout
    assert reaches(five, 1, 2)


def test_pause_resume_kill(five):
    with five.start("node4", "sh", "-c", "echo $$; exec sleep 1000", stdout=subprocess.PIPE) as p:
        pid = p.stdout.readline().strip()
        state = lambda: five.exec("node5", "ps", "-o", "stat=", "-p", pid).stdout[:1]  # noqa: E731
        five.good("fault", "pause", "node4")
        wait_for(lambda: state() == "T", "the command to stop")
        assert five.good("fault", "ls").split() == ["node4", "paused"]
        five.good("fault", "resume", "node4")
        wait_for(lambda: state() == "S", "the command to go on")
        five.good("fault", "kill", "node4")
        assert p.wait(PATIENCE_S) == 128 + signal.SIGKILL
    assert reaches(five, 4, 1)


def test_a_daemon_of_a_node(five):
    """Daemons are known by their records, which the starter makes."""
    with five.start("node2", "sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == "ready\n"
        with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
            helper = f.read().strip()
        with open(f"/proc/{helper}/task/{helper}/children") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/stat") as f:
            born = f.read().rsplit(")", 1)[1].split()[19]
        node = os.path.join(five.dir, "ldms", "nodes", "node2")
        with open(os.path.join(node, "log", "d.log"), "w") as f:
            f.write("first\n")
        with open(os.path.join(node, "daemons", "d"), "w") as f:
            f.write(f"{pid} {born} {node}/log/d.log\n")
        state = lambda: five.nodes()["nodes"][1]["daemons"]  # noqa: E731
        assert state() == [{"name": "d", "pid": pid, "state": "running", "log": f"{node}/log/d.log"}]
        five.good("fault", "pause", "node2/d")
        wait_for(lambda: state()[0]["state"] == "paused", "the daemon to be stopped")
        five.good("fault", "resume", "node2/d")
        five.good("fault", "kill", "node2/d")
        assert p.wait(PATIENCE_S) == 128 + signal.SIGKILL
        assert state()[0]["state"] == "ended"
    assert "does not run" in five.do("fault", "kill", "node2/d").stderr
    assert five.good("logs", "node2") == "first\n" and five.good("logs", "node2", "d") == "first\n"
    with five.tool("logs", "-f", "node2", stdout=subprocess.PIPE) as logs:
        assert logs.stdout.readline() == "first\n"
        with open(os.path.join(node, "log", "d.log"), "a") as f:
            f.write("second\n")
        assert logs.stdout.readline() == "second\n"
    assert "no daemon x" in five.do("logs", "node2", "x").stderr


@pytest.mark.skipif(not PRELOADED, reason="a sanitized program cannot be given another clock")
def test_clocks(five):
    def ahead():
        return round(int(five.exec("node3", "date", "+%s").stdout) - time.time(), -2)

    for step, seconds in (("+1h", 3600), ("-1h", -3600), ("0", 0)):
        five.good("fault", "clock", "node3", step)
        assert ahead() == seconds
    with five.start("node3", "ldms", "samp", "-x", "sock:411", "--samp", "loadavg", "--interval", "100ms") as samp:
        def sampled():
            r = five.exec("node4", "ldms", "ls", "-v", "--json", "-h", "node3")
            sets = json.loads(r.stdout)["sets"] if r.returncode == 0 else []
            return sets and round(float(sets[0]["update"]) - time.time(), -2) // 3600
        wait_for(lambda: sampled() == 0, "a sample")
        # it waits for the answer, and not for nothing
        assert five.exec("node3", "ldms", "ctl", "-h", "node3", "daemon_status").returncode == 0
        five.good("fault", "clock", "node3", "+1h")
        assert five.good("fault", "ls").split() == ["node3", "clock", "+3600s"]
        wait_for(lambda: sampled() == 1, "a sample with the new time")
        five.good("fault", "clock", "node3", "-1h")
        wait_for(lambda: sampled() == -1, "a sample with the time before")
        five.good("fault", "clock", "node3", "0")
        samp.terminate()
        assert samp.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("args,words", [
    (["kil", "node1"], "did you mean 'kill'"),
    (["cut"], "which nodes?"),
    (["cut", "node1", "node2"], "'node2' is left over"),
    (["cut", "node1", "--from", "node1"], "cannot be cut from itself"),
    (["cut", "node9"], "no node 'node9'"),
    (["cut", "node1/d"], "cut is for nodes"),
    (["loss", "node1"], "wants a percentage"),
    (["loss", "node1", "130%"], "'130%' is no loss"),
    (["bandwidth", "node1", "1mbps"], "'1mbps' is no rate"),
    (["delay", "node1", "-5ms"], "less than nothing"),
    (["kill", "node1/x"], "no daemon 'x'"),
    (["heal", "node1", "--from", "node2"], "--from is for cut"),
    (["clock", "node1", "1h"], "is no change of a clock" if PRELOADED else "without --clock"),
    (["ls", "node1"], "left over"),
])
def test_complaints(five, args, words):
    r = five.do("fault", *args)
    assert r.returncode == 1 and words in r.stderr and r.stderr.count("\n") == 1
