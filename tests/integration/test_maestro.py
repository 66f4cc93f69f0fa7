"""`ldms maestro`: a cluster is made what its file says, and kept so."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from ldms import Cluster, free_port, run, wait_for
from maestro import Maestro, ctl, status


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Four samplers, two groups of two aggregators, one on top, configured once: for tests that leave it as it was."""
    c = Cluster(tmp_path_factory.mktemp("maestro"))
    m = Maestro(c, samplers=4, groups=(2, 1)).start_all()
    r = m.once()
    assert r.returncode == 0, r.stdout + r.stderr
    yield m
    c.end()


@contextlib.contextmanager
def keeping(m, *args):
    k = m.keep(*args)
    try:
        yield k
    finally:
        assert k.stop() == 0


# -- once ------------------------------------------------------------------------------------------------------------


def test_all_of_it_at_once(cluster):
    """What differs is shown, sent, and differs no more; the sets arrive at the top, and rows in the store."""
    m = Maestro(cluster, samplers=2, groups=(2,), store=cluster.path("rows")).start_all()
    m.file["daemons"][0]["environment"] = {"DB_PASSWORD": "hush"}
    m.write()
    r = m.diff()
    assert r.returncode == 4 and "DB_PASSWORD=***" in r.stdout and "hush" not in r.stdout
    assert "samp-1: + plugin mem plugin=meminfo" in r.stdout and "top: + strgp mem plugin=csv" in r.stdout
    assert all(n == 0 for n in m.counts().values())
    r = m.once()
    assert (r.returncode, r.stdout) == (0, "5 daemons: 5 applied, 0 unchanged, 0 unreachable, 0 refused, 0 differ\n")
    m.all_flow()
    before = m.counts()
    assert m.diff().returncode == 0 and m.diff().stdout == ""
    r = m.once()
    assert (r.returncode, r.stdout) == (0, "5 daemons: 0 applied, 5 unchanged, 0 unreachable, 0 refused, 0 differ\n")
    assert m.counts() == before  # nothing was sent
    assert sorted(m.runs("agg-11") | m.runs("agg-12")) == ["samp-1-ep", "samp-2-ep"]
    assert not m.runs("agg-11") & m.runs("agg-12")
    wait_for(lambda: os.path.exists(cluster.path("rows/c/meminfo")), "rows")


def test_variables_are_the_daemons(shared):
    assert {v["component_id"] for v in shared.daemons["samp-1"].values("samp-1/load").values()} == {7}
    assert "component_id=7" in ctl(shared.port["samp-1"], "dump_cfg").stdout


def test_lines_say_when(shared):
    with keeping(shared) as k:
        shared.agrees(k)
        assert [li for li in k.text().splitlines() if not re.match(r"\d{4}-\d\d-\d\dT[\d:.]+: +INFO: maestro: ", li)] == []


def test_who_cannot_be_reached_is_said(cluster):
    m = Maestro(cluster, samplers=2, groups=(2,)).start_all("samp-2", "agg-11")
    r = m.once("-w", "200ms")
    assert r.returncode == 4
    assert "samp-2: unreachable: 127.0.0.1:" in r.stdout and "Connection refused" in r.stdout
    assert "5 daemons: 3 applied, 0 unchanged, 2 unreachable" in r.stdout
    assert m.runs("agg-12") == {"samp-1-ep", "samp-2-ep"}  # those of the dead one, too
    m.start_one("samp-2").says("is ready")
    m.start_one("agg-11").says("is ready")
    assert m.once().returncode == 0
    m.all_flow()


def test_who_is_there_is_met_among_thousands_that_are_not(cluster):
    """More of them than can be dialed in the time between two attempts."""
    port, closed = free_port(), free_port()
    hosts = [f"127.0.{a}.{b}" for a in range(1, 39) for b in range(1, 251)]
    names = [f"n{i:04}" for i in range(len(hosts))]
    path = cluster.write("many.yaml", json.dumps({
        "daemons": [{"names": "live", "hosts": "127.0.0.1", "endpoints": [
            {"names": "live-ep", "ports": port, "xprt": "sock", "maestro_comm": True}]},
            {"names": ",".join(names), "hosts": ",".join(hosts), "endpoints": [
                {"names": ",".join(f"{n}-ep" for n in names), "ports": closed, "xprt": "sock", "maestro_comm": True}]}],
        "samplers": [{"daemons": "live", "plugins": ["mem"]}],
        "plugins": {"mem": {"name": "meminfo", "interval": "1s", "config": [{"schema": "meminfo"}]}}}))
    cluster.daemon("live", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "live", "-c", "/dev/null"], port).says("is ready")
    r = run("maestro", "--once", "-v", "QUIET", "-w", "0s", path)
    assert r.stdout.endswith(f"{len(hosts) + 1} daemons: 1 applied, 0 unchanged, {len(hosts)} unreachable, 0 refused, 0 differ\n")


def test_what_is_refused_is_said_and_the_rest_is_done(cluster):
    m = Maestro(cluster, samplers=1, groups=(1,), store=cluster.path("rows"))
    m.file["plugins"]["mem"]["name"] = "nosuch"
    m.file["stores"]["mem"]["decomposition"] = cluster.path("nosuch.json")
    m.write()
    m.start_all()
    r = m.once()
    assert r.returncode == 4
    assert re.search(r"^samp-1: refused: load name=mem plugin=nosuch: .*nosuch", r.stdout, re.M)
    assert re.search(r"^top: refused: strgp_add name=mem .*nosuch.json", r.stdout, re.M)
    assert "3 daemons: 1 applied, 0 unchanged, 0 unreachable, 2 refused" in r.stdout
    wait_for(lambda: m.at("top") == {"samp-1/load"}, "what could be done")
    with keeping(m) as k:  # it is mended: in the file, and where the file points to
        k.says("2 refused")
        m.file = m.spec()
        m.write()
        m.agrees(k)
    m.all_flow()


def test_a_secret_is_shared(cluster):
    """Endpoints with a domain: maestro, and aggregators, prove that they know it; without it nobody is let in."""
    m = Maestro(cluster, samplers=1, groups=(1,))
    secret = cluster.path("secret")
    assert run("auth", "gen", secret).returncode == 0
    for d in m.file["daemons"]:
        d["endpoints"][0]["auth"] = {"name": "site", "plugin": "ovis", "conf": secret}
    m.write()
    for n in m.names:
        m.start_one(n, "-a", "ovis", "-A", f"conf={secret}")
    r = m.once()
    assert r.returncode == 0 and "3 applied" in r.stdout, r.stdout
    wait_for(lambda: "samp-1/mem" in run("ls", "-p", m.port["top"], "-a", "ovis", "-A", f"conf={secret}").stdout, "a set")
    m.file = m.spec()  # nothing is said of a secret
    m.write()
    r = m.once("-w", "100ms")
    assert r.returncode == 4 and "3 unreachable" in r.stdout and "another authentication method" in r.stdout


def test_a_bad_file_is_not_carried_out(cluster):
    m = Maestro(cluster, samplers=1, groups=(1,))
    m.file["aggregators"][0]["peers"][0]["reconnect"] = "soon"
    m.write()
    r = m.once()
    assert r.returncode == 1 and re.search(r"cluster.yaml:\d+:\d+: .*soon", r.stderr)
    assert run("maestro", cluster.path("nosuch")).returncode == 1
    r = run("maestro", "--lock", "a", "--cluster", "b", m.path)
    assert r.returncode == 1 and "one lock is enough" in r.stderr
    r = run("maestro", "--lock", cluster.path("no/such/lock"), m.path)
    assert r.returncode == 1 and "no/such/lock" in r.stderr
    r = run("maestro", "--cluster", cluster.write("etcd.yaml", "members: {}\n"), m.path)
    assert r.returncode == 1 and "members: [{host: HOST" in r.stderr


# -- watching --------------------------------------------------------------------------------------------------------


def test_a_daemon_that_restarts_is_configured_again(shared):
    m = shared
    with keeping(m) as k:
        m.agrees(k)
        before = m.counts()
        m.daemons["samp-1"].restart()
        k.says("samp-1: it was started anew")
        m.agrees(k)
        wait_for(lambda: m.at("samp-1") == m.sets("samp-1"), "its sets")
        m.all_flow()
        m.daemons["top"].restart()
        k.says("top: it was started anew")
        m.agrees(k)
        m.all_flow()
        after = m.counts()
    assert {n for n in m.names if before[n] != after[n]} <= {"samp-1", "top"}


def test_producers_of_a_dead_aggregator_are_taken_over_and_go_back(shared):
    m = shared
    with keeping(m) as k:
        m.agrees(k)
        homes = {a: m.runs(a) for a in m.aggs}
        assert sorted(map(len, homes.values())) == [1, 1, 2]
        before = m.counts()
        for dead, other in ("agg-11", "agg-12"), ("agg-12", "agg-11"):
            m.daemons[dead].stop(signal.SIGKILL)
            wait_for(lambda: m.runs(other) == homes[dead] | homes[other], f"{other} to take over")
            wait_for(lambda: m.at(other) == m.sets("samp-1", "samp-3"), "the sets there")
            m.all_flow()
            m.daemons[dead].start()
            wait_for(lambda: {a: m.runs(a) for a in m.aggs} == homes, "them to go home")
            m.agrees(k)
            m.all_flow()
        after = m.counts()
    assert all(before[n] == after[n] for n in m.names if n not in ("agg-11", "agg-12"))


def test_who_stands_still_is_as_good_as_dead(shared):
    """Its connections stand, and nothing comes over them; when it goes on, all is as before."""
    m = shared
    with keeping(m) as k:
        m.agrees(k)
        homes = {a: m.runs(a) for a in m.aggs}
        m.daemons["agg-11"].kill(signal.SIGSTOP)
        try:
            k.says("agg-11: it is dead: it is connected to who collects from it, but nothing comes")
            wait_for(lambda: m.runs("agg-12") == homes["agg-11"] | homes["agg-12"], "agg-12 to take over")
        finally:
            m.daemons["agg-11"].kill(signal.SIGCONT)
        wait_for(lambda: {a: m.runs(a) for a in m.aggs} == homes, "them to go home")
        m.agrees(k)
        m.all_flow()


def test_who_was_asked_leaves_the_file(cluster):
    """Whether an aggregator is dead, of one who stands still, and whom the file loses before he answers."""
    m = Maestro(cluster, samplers=2, groups=(2,)).start_all()
    with keeping(m) as k:
        m.agrees(k)
        m.daemons["top"].kill(signal.SIGSTOP)
        m.daemons["agg-11"].stop(signal.SIGKILL)
        k.says("agg-11: unreachable")
        m.file["aggregators"].pop()
        loses_daemon(m, "top")
        wait_for(lambda: m.runs("agg-12") == {"samp-1-ep", "samp-2-ep"}, "agg-12 to take over")
        m.daemons["top"].kill(signal.SIGCONT)


def test_who_advertises_is_collected_from_once(cluster):
    """Samplers advertise to both aggregators; one of them collects, the other one waits, connected, to take over."""
    m = Maestro(cluster, samplers=4, groups=(2,))
    m.file["aggregators"][0].pop("peers")
    m.file["aggregators"][0]["prdcr_listen"] = [{"name": "any", "updaters": [{"interval": "200ms", "offset": "20ms"}]}]
    for host, agg in ("127.0.0.1", "agg-11"), ("127.1", "agg-12"):  # two names for the host: advertisers are called so
        m.file["samplers"].append({"daemons": ",".join(m.samps), "plugins": [], "advertise": {
            "hosts": host, "port": m.port[agg], "xprt": "sock", "reconnect": "100ms"}})
    m.write()
    m.start_all()

    def states(agg):
        return sorted(p["state"] for p in status(m.port[agg], "prdcr_status"))

    def connected(agg):
        return {p["name"] for p in status(m.port[agg], "prdcr_status") if p["state"] == "CONNECTED"}

    def half():
        return (all(states(a) == ["CONNECTED"] * 2 + ["STANDBY"] * 2 for a in m.aggs)
                and not connected("agg-11") & connected("agg-12"))
    with keeping(m) as k:
        wait_for(lambda: all(len(states(a)) == 4 for a in m.aggs), "all to advertise to both")
        wait_for(half, "each to be collected from by one")
        m.agrees(k)
        m.all_flow()
        m.daemons["agg-11"].stop(signal.SIGKILL)
        wait_for(lambda: states("agg-12") == ["CONNECTED"] * 4, "agg-12 to take over")
        m.all_flow()
        m.daemons["agg-11"].start()
        wait_for(half, f"two to go back; {states('agg-11')} {states('agg-12')}")
        m.daemons["samp-1"].restart()
        k.says("samp-1: it was started anew")
        wait_for(half, "the one that was started anew to be collected from by one")
        m.agrees(k)
        m.all_flow()


def test_sticky_producers_stay_where_they_went(cluster):
    m = Maestro(cluster, samplers=2, groups=(2,))
    m.file["aggregators"][0]["rebalance"] = "sticky"
    m.write()
    m.start_all()
    with keeping(m) as k:
        m.agrees(k)
        m.daemons["agg-11"].stop(signal.SIGKILL)
        wait_for(lambda: m.runs("agg-12") == {"samp-1-ep", "samp-2-ep"}, "agg-12 to take over")
        m.daemons["agg-11"].start()
        k.says("agg-11: it is back")
        m.agrees(k)
        assert (m.runs("agg-11"), m.runs("agg-12")) == (set(), {"samp-1-ep", "samp-2-ep"})
        m.all_flow()


def test_the_load_is_balanced_by_bytes(cluster):
    """At first blocks of the same size; once the sets are there, those that are heavy are apart."""
    m = Maestro(cluster, samplers=4, groups=(2,))
    m.file["aggregators"][0]["balance"] = "bytes"
    m.file["plugins"]["big"] = {"name": "synth", "interval": "200ms", "config": [{"sets": 1, "metrics": 2000}]}
    m.file["samplers"] = [{"daemons": "samp-1,samp-2", "plugins": ["big"]}, {"daemons": "samp-3,samp-4", "plugins": ["load"]}]
    m.write()
    m.start_all()
    with keeping(m) as k:
        wait_for(lambda: all(len(m.runs(a) & {"samp-1-ep", "samp-2-ep"}) == 1 for a in m.aggs), "the heavy ones to be apart")
        m.agrees(k)
        assert sorted(m.runs("agg-11") | m.runs("agg-12")) == [f"samp-{i}-ep" for i in (1, 2, 3, 4)]


def test_drift_is_told_and_left_alone_and_repaired_only_when_asked(shared):
    m = shared
    port = m.port["samp-2"]
    with keeping(m) as k:
        m.agrees(k)
        assert ctl(port, "stop name=load").returncode == 0
        k.says("samp-2: drift; the file has: ~ plugin load is to be started")
        assert ctl(m.port["agg-21"], "updtr_add name=mine interval=1s").returncode == 0
        k.says("agg-21: drift; the file has: - updtr mine")
        wait_for(lambda: "7 agree" not in k.text().splitlines()[-1] and "2 differ" in k.text(), "the count")
        count = m.counts()
        # a change of the file elsewhere does not repair it
        m.file["plugins"]["mem"]["offset"] = "1ms"
        m.write()
        k.says("read anew")
        wait_for(lambda: "offset=1ms" in ctl(port, "dump_cfg").stdout, "the change")
        assert "start name=load" not in ctl(port, "dump_cfg").stdout
        assert m.counts()["agg-21"] == count["agg-21"]
    with keeping(m, "--enforce") as k:
        m.agrees(k)
        assert "start name=load" in ctl(port, "dump_cfg").stdout
        assert "mine" not in ctl(m.port["agg-21"], "dump_cfg").stdout
        ctl(port, "stop name=mem")
        k.says("samp-2: drift; repaired by: ~ plugin mem")
        wait_for(lambda: "start name=mem" in ctl(port, "dump_cfg").stdout, "the repair")
        m.file = m.spec()
        m.write()
        m.agrees(k)
        wait_for(lambda: "offset=1ms" not in ctl(port, "dump_cfg").stdout, "all as before")


def test_what_was_sent_is_remembered(shared, tmp_path):
    """With --state, what an operator changed while there was no maestro is drift, and what the file lost goes."""
    m, state = shared, str(tmp_path / "state")
    with keeping(m, "--state", state) as k:
        m.file["plugins"]["mem2"] = {"name": "meminfo", "interval": "200ms", "config": [{"schema": "mem2"}]}
        m.file["samplers"][0]["plugins"].append("mem2")
        m.write()
        wait_for(lambda: "samp-1/mem2" in m.at("samp-1"), "another sampler")
        m.agrees(k)
    ctl(m.port["samp-3"], "stop name=load")
    m.file = m.spec()
    m.write()
    with keeping(m, "--state", state) as k:
        k.says("samp-3: drift; the file has: ~ plugin load is to be started")
        wait_for(lambda: all("mem2" not in ctl(m.port[s], "dump_cfg").stdout for s in m.samps), "what the file lost to go")
        ctl(m.port["samp-3"], "start name=load interval=200ms")
        k.says("samp-3: the drift is gone")
        m.agrees(k)


# -- a file that changes ---------------------------------------------------------------------------------------------


def updater(m, group):
    return m.file["aggregators"][group]["peers"][0]["updaters"][0]


CHANGES = [  # what, and the daemons that are touched by it
    (lambda m: updater(m, 0).update(interval="300ms"), {"agg-11", "agg-12"}),
    (lambda m: updater(m, 1).update(offset="30ms"), {"agg-21"}),
    (lambda m: updater(m, 1).update(mode="onchange"), {"agg-21"}),
    (lambda m: updater(m, 2).update(sets=[{"regex": ".*", "field": "inst"}]), {"top"}),
    (lambda m: m.file["plugins"]["mem"].update(interval="400ms"), {"samp-1", "samp-2", "samp-3", "samp-4"}),
    (lambda m: m.file["plugins"]["mem"]["config"][0].update(component_id="5"), {"samp-1", "samp-2", "samp-3", "samp-4"}),
    (lambda m: m.file["daemons"][0].update(msg_enable=True), {"samp-1"}),
    (lambda m: m.file["aggregators"][1].update(subscribe=[{"message_tag": "x", "regex": ".*"}]), {"agg-21"}),
    (lambda m: m.file["aggregators"][1]["subscribe"][0].update(rx_rate=1000), {"agg-21"}),
    (lambda m: m.file["aggregators"][1].pop("subscribe"), {"agg-21"}),
    (lambda m: m.file["daemons"][0].pop("msg_enable"), {"samp-1"}),
    (lambda m: m.file["aggregators"][2]["peers"][0].update(reconnect="200ms"), {"top"}),
    (lambda m: m.file["plugins"].update(v={"name": "vmstat", "interval": "200ms", "config": [{"perm": "0777"}]}), set()),
    (lambda m: m.file["samplers"].append({"daemons": "samp-2", "plugins": ["v"]}), {"samp-2"}),
    (lambda m: (m.file["samplers"].pop(), m.file["plugins"].pop("v")), {"samp-2"}),
    (lambda m: m.file.update(comment="nothing of ours"), set()),
    (lambda m: (m.file["plugins"].update(csv={"name": "store_csv", "config": [{"path": m.cluster.path("rows")}]}),
                m.file.update(stores={"mem": {"daemons": "top", "container": "c", "schema": "meminfo", "plugin": "csv"}})),
     {"top"}),
    (lambda m: m.file["stores"]["mem"].update(schema="loadavg"), {"top"}),
    (lambda m: (m.file.pop("stores"), m.file["plugins"].pop("csv")), {"top"}),
    (lambda m: setattr(m, "file", m.spec()), {"samp-1", "samp-2", "samp-3", "samp-4", "agg-11", "agg-12", "agg-21", "top"}),
]


def test_a_change_of_the_file_touches_only_what_it_should(shared):
    m = shared
    with keeping(m) as k:
        m.agrees(k)
        before = m.counts()
        for i, (change, touched) in enumerate(CHANGES, 1):
            change(m)
            said = len(k.text())
            m.write()
            wait_for(lambda: "read anew" in k.text()[said:], f"change {i} to be read")
            wait_for(lambda: all(re.search(rf" {n}: \d+ commands? sent, 0 refused", k.text()[said:]) for n in touched),
                     f"change {i} to be sent")
            m.agrees(k)
            after = m.counts()
            assert {n for n in m.names if after[n] != before[n]} == touched, f"change {i}"
            before = after
        m.all_flow()
    assert m.diff().returncode == 0


def test_daemons_come_and_go_with_the_file(cluster):
    m = Maestro(cluster, samplers=3, groups=(2,)).start_all()
    whole = m.file
    m.samps = ["samp-1", "samp-2"]
    m.file = {**m.spec(), "daemons": [d for d in whole["daemons"] if d["names"] != "samp-3"]}
    m.write()
    with keeping(m) as k:
        m.agrees(k, 5)
        m.all_flow()
        homes = m.runs("agg-11"), m.runs("agg-12")
        m.samps.append("samp-3")
        m.file = whole
        m.write()
        m.agrees(k, 6)
        m.all_flow()
        assert homes[0] <= m.runs("agg-11") and homes[1] <= m.runs("agg-12")  # nobody moved
        homes = m.runs("agg-11"), m.runs("agg-12")
        m.daemons["agg-12"].stop(signal.SIGKILL)
        wait_for(lambda: m.runs("agg-11") == homes[0] | homes[1], "agg-11 to take over")
        m.file["comment"] = "read anew while one is dead: it keeps its home"
        seen = k.text().count("read anew")
        m.write()
        wait_for(lambda: k.text().count("read anew") > seen, "the file to be read")
        m.daemons["agg-12"].start()
        wait_for(lambda: (m.runs("agg-11"), m.runs("agg-12")) == homes, "all to be at home")
        del m.file["comment"]
        m.agrees(k, 6)
        m.samps.remove("samp-3")
        m.file = {**m.spec(), "daemons": [d for d in whole["daemons"] if d["names"] != "samp-3"]}
        ctl(m.port["samp-3"], "load name=mine plugin=vmstat")
        m.write()
        k.says("samp-3: it is not in the file any more: what it was sent is taken away")
        k.says("samp-3: nothing is left there of what it was sent; it runs on")
        assert [li for li in ctl(m.port["samp-3"], "dump_cfg").stdout.splitlines() if "plugin=" in li] == [
            "load name=mine plugin=vmstat"]
        m.agrees(k, 5)
        m.all_flow()
        m.cluster.write("cluster.yaml", "daemons: [\n")
        k.says("the cluster stays as it is")
        m.cluster.write("cluster.yaml", "daemons: []\n")
        k.says("it names no daemon any more; the cluster stays as it is")
        os.unlink(m.path)
        k.says("cluster.yaml: No such file or directory; the cluster stays as it is")
        assert m.at("top") == m.sets()
        seen = k.text().count("read anew")
        m.write()
        wait_for(lambda: k.text().count("read anew") > seen, "the file to be read")
        m.agrees(k, 5)


def loses_daemon(m, name):
    m.file["daemons"] = [d for d in m.file["daemons"] if d["names"] != name]
    m.write()


def loses(m, name):
    """The file without that daemon: as m.file."""
    for kind in m.samps, *m.groups:
        if name in kind:
            kind.remove(name)
    m.aggs = [a for g in m.groups for a in g]
    m.file = {**m.spec(), "daemons": m.file["daemons"]}
    loses_daemon(m, name)


def test_ports_come_and_go_with_the_file(cluster):
    m = Maestro(cluster, samplers=1, groups=(), top=False)
    m.file.pop("aggregators")
    m.write()
    m.start_all()
    here, one, two = m.port["samp-1"], free_port(), free_port()

    def listens():
        return {int(li.split(" port=")[1].split()[0]) for li in ctl(here, "dump_cfg").stdout.splitlines() if li.startswith("listen ")}
    with keeping(m) as k:
        m.agrees(k)
        for ports in {one, two}, {two}, set():
            m.file["daemons"][0]["endpoints"][1:] = [{"names": f"e-{p}", "ports": p, "xprt": "sock"} for p in ports]
            m.write()
            wait_for(lambda: listens() == {here, *ports}, f"{ports} to be open")
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", two))
        r = ctl(here, f"listen_del port={here}")
        assert r.returncode and "it is the last port" in r.stderr
        r = ctl(here, f"listen_del port={two}")
        assert r.returncode and f"listen sock:{two}: nobody listens there" in r.stderr
        m.agrees(k)


def test_who_left_the_file_is_left_empty(cluster):
    """Also when it was away then, or nobody watched; who has another name now keeps what it has."""
    m, state = Maestro(cluster, samplers=3, groups=(3,)).start_all(), cluster.path("state")
    with keeping(m, "--state", state) as k:
        m.agrees(k)
        ran = m.runs("agg-11")
        loses(m, "agg-11")
        k.says("agg-11: nothing is left there of what it was sent")
        assert not m.runs("agg-11")
        wait_for(lambda: m.runs("agg-12") | m.runs("agg-13") > ran, "others to run its producers")
        m.agrees(k, 6)
        m.all_flow()
        m.daemons["samp-3"].kill(signal.SIGSTOP)
        loses(m, "samp-3")
        m.agrees(k, 5)
        with open(state) as f:
            wait_for(lambda: f.seek(0) or "# maestro left" in f.read(), "the file that remembers")
    m.daemons["samp-3"].kill(signal.SIGCONT)
    assert m.at("samp-3") == m.sets("samp-3")
    loses(m, "agg-12")
    before = m.counts()
    m.file["daemons"][0]["names"] = "other"  # samp-1
    for s in m.file["samplers"] + m.file["aggregators"][0]["peers"]:
        s["daemons"] = s["daemons"].replace("samp-1", "other")
    m.write()
    assert m.once("--state", state).returncode == 0
    assert m.at("samp-3") == set() and not m.runs("agg-12")
    assert m.counts()["samp-2"] == before["samp-2"]
    wait_for(lambda: m.at("samp-1") == {"other/mem", "other/load"}, "each set once, under its new name")
    wait_for(lambda: m.at(m.top) == m.sets("other", "samp-2"), "the sets at the top")
    with open(state) as f:
        assert not re.search("daemon (samp-[13]|agg-1[12]) |# maestro left", f.read())


def test_who_is_spelled_otherwise_is_not_emptied(cluster):
    """A daemon that gets another name and another spelling of its place at once, as `127.0.0.1` and `localhost`."""
    m = Maestro(cluster, samplers=2, groups=(1,), top=False).start_all()
    with keeping(m, "--state", cluster.path("state")) as k:
        m.agrees(k)
        m.file = json.loads(json.dumps(m.file).replace("samp-2", "other"))
        m.file["daemons"][1]["hosts"] = "localhost"
        m.write()
        k.says("samp-2: it is other in the file now")
        wait_for(lambda: m.at("samp-2") == {"other/mem", "other/load"}, "each set once, under its new name")
        wait_for(lambda: m.at("agg-11") == m.sets("samp-1", "other"), "the sets at the aggregator")
        m.agrees(k)
        assert "samp-2: nothing is left there" not in k.text()


def test_who_is_reached_by_another_port_is_not_emptied(cluster):
    """... and has another name."""
    m = Maestro(cluster, samplers=1, groups=(), top=False)
    second = {"names": "second-ep", "ports": free_port(), "xprt": "sock"}
    del m.file["aggregators"]
    m.file["daemons"][0]["endpoints"].append(second)
    m.write()
    m.start_all()
    with keeping(m, "--state", cluster.path("state")) as k:
        m.agrees(k)
        m.file = json.loads(json.dumps(m.file).replace('"samp-1"', '"other"'))
        first, second = m.file["daemons"][0]["endpoints"]
        del first["maestro_comm"]
        second["maestro_comm"] = True
        m.write()
        k.says("samp-1: it is other in the file now")
        wait_for(lambda: m.at("samp-1") == {"other/mem", "other/load"}, "each set once, under its new name")


def test_an_aggregator_is_spelled_otherwise_and_its_producers_change(cluster):
    """What it runs as the old one does not keep the new one from starting it."""
    m = Maestro(cluster, samplers=2, groups=(2,), top=False).start_all()
    with keeping(m, "--state", cluster.path("state")) as k:
        m.agrees(k)
        ran = m.runs("agg-11")
        m.file = json.loads(json.dumps(m.file).replace("agg-11", "other").replace('"reconnect": "100ms"', '"reconnect": "300ms"'))
        next(d for d in m.file["daemons"] if d["names"] == "other")["hosts"] = "localhost"
        m.write()
        k.says("agg-11: it is other in the file now")
        m.agrees(k)
        wait_for(lambda: m.runs("agg-11") == ran and len(m.runs("agg-12")) == 1, "both producers to run where they did")
        wait_for(lambda: len(m.at("agg-11") | m.at("agg-12")) == 4, "all sets")


def test_a_file_that_lost_most_daemons_is_to_be_written_twice(cluster):
    m = Maestro(cluster, samplers=6, groups=(), top=False)
    del m.file["aggregators"]
    m.write()
    m.start_all()
    with keeping(m) as k:
        m.agrees(k)
        whole = m.file
        for left in 1, 2:  # it grows: who writes it is still at it
            m.file = {**whole, "daemons": whole["daemons"][:left], "samplers": [
                {**whole["samplers"][0], "daemons": ",".join(m.samps[:left])}]}
            m.write()
            k.says(f"{6 - left} of 6 daemons are not in it any more; the cluster stays as it is")
        assert m.at("samp-6") == m.sets("samp-6") and "read anew" not in k.text()
        os.utime(m.path)
        for s in m.samps[2:]:
            k.says(f"{s}: nothing is left there of what it was sent")
        m.agrees(k, 2)
        assert m.at("samp-2") == m.sets("samp-2")


@pytest.mark.parametrize("once", [True, False])
def test_a_file_that_lost_most_daemons_before_the_start(cluster, once):
    m, state = Maestro(cluster, samplers=5, groups=(), top=False), cluster.path("state")
    del m.file["aggregators"]
    m.write()
    m.start_all()
    assert m.once("--state", state).returncode == 0
    m.file["daemons"] = m.file["daemons"][:1]
    m.file["samplers"][0]["daemons"] = "samp-1"
    m.write()
    if once:
        assert m.once("--state", state).returncode == 0
        assert m.at("samp-5") == set()
        return
    with keeping(m, "--state", state) as k:
        k.says("4 of 5 daemons are not in it any more: they are left as they are")
        m.agrees(k, 1)
        assert m.at("samp-5") == m.sets("samp-5")


@pytest.mark.parametrize("watched", [True, False])
def test_names_go_around(cluster, watched):
    """The first host goes, and the names are numbers: each other daemon has the name of the one before."""
    m, state = Maestro(cluster, samplers=3, groups=(), top=False), cluster.path("state")
    own = [{"daemons": s, "plugins": [{"name": "loadavg", "interval": "200ms", "config": [{"schema": f"of_{s}"}]}]} for s in m.samps]
    m.file = {"daemons": m.file["daemons"], "samplers": own}
    m.write()
    m.start_all()
    ports = [m.port[s] for s in m.samps]

    def instances():
        return [re.findall(r"instance=(\S+)", ctl(p, "dump_cfg").stdout) for p in ports]
    with contextlib.ExitStack() as stack:
        if watched:
            m.agrees(stack.enter_context(keeping(m, "--state", state)))
        else:
            assert m.once("--state", state).returncode == 0
        assert instances() == [["samp-1/loadavg"], ["samp-2/loadavg"], ["samp-3/loadavg"]]
        for d, p in zip(m.file["daemons"], ports[1:]):
            d["endpoints"][0]["ports"] = p
        del m.file["daemons"][2], m.file["samplers"][2]
        m.write()
        if not watched:
            r = m.once("--state", state)
            assert r.returncode == 0, r.stdout
        wait_for(lambda: instances() == [[], ["samp-1/loadavg"], ["samp-2/loadavg"]], lambda: f"the new names; {instances()}")


def test_the_state_of_another_file_takes_nothing_away(cluster):
    m, state = Maestro(cluster, samplers=1, groups=(), top=False), cluster.path("state")
    del m.file["aggregators"]
    m.write()
    m.start_all()
    assert m.once("--state", state).returncode == 0
    other = Maestro(cluster, samplers=1, groups=(), top=False)
    other.file = json.loads(json.dumps({k: v for k, v in other.file.items() if k != "aggregators"}).replace("samp-1", "other-1"))
    other.path = cluster.path("other.yaml")
    other.write()
    other.samps = other.names = ["other-1"]
    other.port["other-1"] = other.port["samp-1"]
    other.start_all()
    r = other.once("--state", state)
    assert r.returncode == 0 and "it is of another cluster file" in r.stderr, r.stdout + r.stderr
    assert m.at("samp-1") == m.sets() and other.at("other-1") == other.sets()


# -- several maestros ------------------------------------------------------------------------------------------------


def takes_over(m, *args):
    """The first one acts; when it is killed, the other one does, in its lease."""
    a = m.keep(*args)
    m.agrees(a)
    b = m.keep(*args)
    m.daemons["samp-1"].restart()
    a.says("samp-1: it was started anew")
    m.agrees(a)
    assert "connected" not in b.text()
    a.stop(signal.SIGKILL)
    b.says("the lock is ours")
    m.agrees(b)
    a.start()
    m.daemons["samp-1"].restart()
    b.says("samp-1: it was started anew")
    m.agrees(b)
    assert a.text().count("the lock is ours") == 1
    assert b.stop() == 0  # who ends as he should gives it up at once
    wait_for(lambda: a.text().count("the lock is ours") == 2, "the other one to act")
    m.agrees(a)
    assert a.stop() == 0


def test_several_maestros_and_a_file(shared, tmp_path):
    takes_over(shared, "--lock", str(tmp_path / "lock"), "--lease", "2s")


def test_who_stood_still_does_not_act_any_more(shared, tmp_path):
    m, args = shared, ("--lock", str(tmp_path / "lock"), "--lease", "1s")
    a = m.keep(*args)
    m.agrees(a)
    a.kill(signal.SIGSTOP)
    b = m.keep(*args)
    b.says("the lock is ours")
    a.kill(signal.SIGCONT)
    a.says("the lock is lost")
    m.agrees(b)
    assert "the lock is lost" not in b.text()
    assert (a.stop(), b.stop()) == (0, 0)


@pytest.mark.skipif(not shutil.which("etcd"), reason="no etcd is installed")
def test_several_maestros_and_etcd(shared, tmp_path):
    port, peer = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with open(tmp_path / "etcd.log", "wb") as log:
        etcd = subprocess.Popen(["etcd", "--data-dir", str(tmp_path / "etcd"), "--listen-client-urls", url,
                                 "--advertise-client-urls", url, "--listen-peer-urls", f"http://127.0.0.1:{peer}"],
                                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        def up():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
        wait_for(up, "etcd")
        path = tmp_path / "etcd.yaml"  # the first member is not there
        path.write_text(f"cluster: x\nmembers:\n  - {{host: 127.0.0.1, port: {free_port()}}}\n"
                        f"  - {{host: 127.0.0.1, port: {port}}}\n")
        takes_over(shared, "--cluster", str(path), "--prefix", "test", "--lease", "3s")
        m = shared
        k = m.keep("--cluster", str(path), "--prefix", "test", "--lease", "3s")
        m.agrees(k)
        etcd.kill()
        k.says("the lock is lost")  # nobody knows who has it: who cannot renew it does not act
        m.all_flow()
        assert k.stop() == 0
    finally:
        etcd.kill()
        etcd.wait()
