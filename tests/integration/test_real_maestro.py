"""`ldms maestro` with daemons of ours and of an installed ldmsd in one cluster."""
import signal

import pytest

from ldms import Cluster, wait_for
from maestro import Maestro, ctl, status
from real import needs_ldmsd, real

pytestmark = needs_ldmsd


class Mixed(Maestro):
    """Half of the samplers, one aggregator of the group, and the top are an ldmsd."""

    theirs = ("samp-2", "samp-4", "agg-12", "top")

    def start_one(self, name):
        if name not in self.theirs:
            return super().start_one(name)
        d = real(self.cluster, name, "/dev/null", self.port[name], "-n", name)
        wait_for(lambda: ctl(self.port[name], "daemon_status").returncode == 0, f"{name} to answer")
        self.daemons[name] = d
        return d

    def start_all(self, *but):
        for n in self.names:
            d = self.start_one(n)
            if d.ours:
                d.says("is ready")
        return self


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("mixed"))
    m = Mixed(c, samplers=4, groups=(2,), store=c.path("rows")).start_all()
    assert m.diff().returncode == 4
    r = m.once()
    assert r.returncode == 0 and "7 applied" in r.stdout, r.stdout
    yield m
    c.end()


def test_all_of_it_and_once_more(mixed):
    """The second time nothing is changed, though an ldmsd does not show all: rows go on."""
    m = mixed
    m.all_flow()
    counts = m.counts()
    r = m.once()
    assert (r.returncode, r.stdout) == (0, "7 daemons: 0 applied, 7 unchanged, 0 unreachable, 0 refused, 0 differ\n")
    assert m.diff().returncode == 0
    after = m.counts()
    assert all(counts[n] == after[n] for n in m.names if n not in m.theirs)
    assert {p["name"]: p["state"] for p in status(m.port["agg-12"], "prdcr_status")} == {
        "samp-1-ep": "STOPPED", "samp-2-ep": "STOPPED", "samp-3-ep": "CONNECTED", "samp-4-ep": "CONNECTED"}


def test_restarts_takeover_and_changes(mixed):
    m = mixed
    k = m.keep()
    m.agrees(k)
    homes = {a: m.runs(a) for a in m.aggs}
    for victim in "samp-2", "top":
        m.daemons[victim].stop(signal.SIGKILL)
        m.daemons[victim].start()
        k.says(f"{victim}: it was started anew")
        m.agrees(k)
        m.all_flow()
    for dead, other in ("agg-11", "agg-12"), ("agg-12", "agg-11"):
        m.daemons[dead].stop(signal.SIGKILL)
        wait_for(lambda: m.runs(other) == homes["agg-11"] | homes["agg-12"], f"{other} to take over")
        m.all_flow()
        m.daemons[dead].start()
        wait_for(lambda: {a: m.runs(a) for a in m.aggs} == homes, "them to go home")
        m.agrees(k)
        m.all_flow()
    # other samplers, another interval, and one producer less
    m.file["plugins"]["mem"]["interval"] = "300ms"
    m.file["aggregators"][0]["peers"][0]["updaters"][0]["interval"] = "400ms"
    m.file["aggregators"][0]["subscribe"] = [{"message_tag": "x", "regex": ".*"}]
    m.write()
    k.says("read anew")
    wait_for(lambda: all(u["interval"] == "400000" for a in m.aggs for u in status(m.port[a], "updtr_status")), "the change")
    m.agrees(k)
    m.all_flow()
    m.samps.remove("samp-4")
    m.file = {**m.spec(), "daemons": [d for d in m.file["daemons"] if d["names"] != "samp-4"]}
    m.write()
    wait_for(lambda: all("samp-4-ep" not in m.runs(a) for a in m.aggs), "a producer to go")
    m.agrees(k, 6)
    m.all_flow()
    assert ctl(m.port["agg-12"], "updtr_stop name=updtr_0").returncode == 0
    k.says("agg-12: drift; the file has: ~ updtr updtr_0 is to be started")
    assert k.stop() == 0
