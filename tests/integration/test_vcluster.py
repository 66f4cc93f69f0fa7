"""The fixtures for virtual hosts: what README.md promises."""
import os
import re
import signal

import pytest

from ldms import ROOT, wait_for

SAMPLER = "load name=meminfo\nconfig name=meminfo producer=n instance=n/meminfo\nstart name=meminfo interval=100ms\n"


def test_the_example_of_the_readme(hosts):
    with open(os.path.join(ROOT, "tests/integration/README.md")) as f:
        example, = re.findall(r"^```python\n(.*?)^```", f.read(), re.M | re.S)
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    test, = (f for n, f in names.items() if n.startswith("test_"))
    test(hosts)


def test_nodes(hosts):
    c = hosts(2)
    one, two = c.node("node1"), c.node("node2")
    assert one.run(["hostname"]).stdout == "node1\n"
    assert one.run(["cat"], input="text\n").stdout == "text\n"
    assert one.run(["sh", "-c", "exit 3"]).returncode == 3
    assert [n["name"] for n in c.status()] == ["node1", "node2"]
    # what one writes in the test's folder the other reads; /tmp is their own
    one.run(["sh", "-c", f"echo seen >{c.path('file')}; touch /tmp/mine"])
    assert two.run(["cat", c.path("file")]).stdout == "seen\n" and two.run(["ls", "/tmp/mine"]).returncode
    # the same port on both, and what looks at it
    d, e = one.daemon(SAMPLER), two.daemon("")
    wait_for(lambda: d.values("n/meminfo"), "the set")
    assert two.ls("node1") == one.ls() == ["n/meminfo"] and two.ls() == []
    assert d.ls_json()["sets"][0]["schema"] == "meminfo"
    assert e.ctl("prdcr_status") == [] and d.ctl("daemon_status")["state"] == "ready"
    with pytest.raises(AssertionError, match="does not exist"):
        e.ctl("prdcr_start name=nobody")
    assert d.wire().accepted().status(0x104) == []
    with pytest.raises(ConnectionError):
        two.connect("node1", 10001)
    assert d.stop() == 0 and c.ended() == []


def test_a_daemon_that_crashes_is_told(hosts):
    c = hosts(1)
    d = c.node("node1").start("d", ["sh", "-c", "kill -ABRT $$"])
    wait_for(lambda: not d.alive(), "its end")
    assert c.ended() == [d]
    with pytest.raises(AssertionError, match="d crashed with signal 6"):
        c.end()
    c.daemons.remove(d)


def test_a_daemon_is_gone_when_it_was_killed(hosts):
    """Its port is free at once."""
    d = hosts(1).node("node1").daemon(SAMPLER)
    for _ in range(3):
        wait_for(d.ls, "its set")
        assert d.stop(signal.SIGKILL) == -signal.SIGKILL
        d.start()
    wait_for(d.ls, "its set")


def test_faults(hosts):
    """What the network is told, the tools see."""
    c = hosts(2)
    d = c.node("node1").daemon(SAMPLER)
    wait_for(lambda: c.node("node2").ls("node1"), "the set, from afar")
    c.fault("cut", "node1")
    assert c.node("node2").ls("node1", "-w", "100ms") == [] and d.ls() == ["n/meminfo"]
    c.fault("heal", "node1")
    wait_for(lambda: c.node("node2").ls("node1"), "the set again")
