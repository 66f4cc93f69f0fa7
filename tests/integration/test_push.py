"""Pushes: sets that come by themselves, through trees of daemons, in fragments, past a daemon that has stopped."""
import os
import signal

from ldms import free_port, wait_for
from wire import Wire

XPRT_STATS = 0x60c
UPDTR_ADD, UPDTR_START, UPDTR_STOP, UPDTR_PRDCR_ADD = 0x300, 0x302, 0x303, 0x305
NAME, INTERVAL, OFFSET, REGEX, PUSH, AUTO = 1, 2, 3, 4, 23, 31
NEVER = "100s"  # an interval at which nothing is read while a test runs


def text(s):
    return s.encode() + b"\0"


def rows(path):
    """The rows of a CSV file, as dicts; only whole lines."""
    if not os.path.exists(path):
        return []
    lines = open(path).read().split("\n")[:-1]
    head = lines[0].lstrip("#").split(",") if lines else []
    return [dict(zip(head, line.split(","))) for line in lines[1:]]


def column(path, name):
    return [int(r[name]) for r in rows(path)]


def synth(cluster, interval="100ms", name="s", **attrs):
    port = free_port()
    conf = cluster.write(name + ".conf", f"listen xprt=sock port={port}\nload name=synth\nconfig name=synth producer={name} "
                         f"instance={name} perm=0444 " + " ".join(f"{k}={v}" for k, v in attrs.items()) +
                         f"\nstart name=synth interval={interval}\n")
    return cluster.daemon(name, ["samp", "-c", conf], port)


def updtr(daemon, name="u"):
    return {u["name"]: u for u in Wire(daemon.port).accepted().status(0x304)}[name]


def hint(daemon, name):
    return daemon.sets().get(name, {}).get("info", {}).get("updt_hint_us")


def rising(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


def test_pushes_cascade_to_the_store(cluster):
    samp = synth(cluster, metrics=20)
    l1 = cluster.agg("l1", [samp], "--push", "--interval", NEVER, "--reconnect", "200ms")
    l2 = cluster.agg("l2", [l1], "--push", "--interval", NEVER, "--reconnect", "200ms", "--to",
                     "csv:" + cluster.path("rows"))
    got = wait_for(lambda: (c := column(cluster.path("rows/synth"), "m0")) and len(c) > 10 and c, "rows")
    assert rising(got)
    assert got[-1] - got[0] == len(got) - 1  # each sample, none twice
    flags = wait_for(lambda: samp.sets().get("s", {}).get("flags"))
    assert flags == "CLP"
    assert l1.sets()["s"]["flags"] == "CRP"
    assert l2.sets()["s"]["flags"] == "CR "
    # the schedule of who has it sampled, as nobody reads it on another
    assert hint(l2, "s") == hint(samp, "s") == "100000:0"
    samp.restart()
    wait_for(lambda: not rising(column(cluster.path("rows/synth"), "m0")), "rows of the new sampler, which counts from 1")
    l1.restart()
    n = len(rows(cluster.path("rows/synth")))
    wait_for(lambda: len(rows(cluster.path("rows/synth"))) > n + 5, "rows behind the new aggregator")


def test_ring_of_samples(cluster):
    samp = synth(cluster, interval="20ms", metrics=5, set_array_card=50)
    l1 = cluster.agg("l1", [samp], "--interval", "500ms")
    cluster.agg("l2", [l1], "--push", "--interval", NEVER, "--reconnect", "200ms", "--to",
                "csv:" + cluster.path("pushed"))
    cluster.agg("l3", [samp], "--interval", "500ms", "--to", "csv:" + cluster.path("pulled"))
    cluster.agg("l4", [samp], "--push", "--interval", NEVER, "--reconnect", "200ms", "--to",
                "csv:" + cluster.path("direct"))
    for where in ("pushed", "pulled", "direct"):
        got = wait_for(lambda: (c := column(cluster.path(where + "/synth"), "m0")) and len(c) > 100 and c, "rows " + where)
        assert rising(got)
        assert got[-1] - got[0] == len(got) - 1, where  # each sample, though several came with one update


def test_big_sets_in_fragments(cluster):
    samp = synth(cluster, interval="500ms", metrics=60, type="u64[]", array=6000)
    agg = cluster.agg("l1", [samp], "--push", "--interval", NEVER, "--reconnect", "200ms")
    wait_for(lambda: agg.sets().get("s", {}).get("flags") == "CR ", "the mirror")
    assert agg.sets()["s"]["data_size"] > 2.7e6
    first = agg.sets()["s"]["update"]
    wait_for(lambda: agg.sets()["s"]["update"] != first, "a later push")
    arrays = [v for name, v in agg.values("s")["s"].items() if name.startswith("m")]
    assert len(arrays) == 60 and all(v == list(range(v[0], v[0] + 6000)) for v in arrays)


def test_a_reader_that_stops_holds_up_nobody(cluster):
    samp = synth(cluster, interval="10ms", sets=10, metrics=2000)
    stopped = cluster.agg("l1", [samp], "--push", "--interval", NEVER, "--reconnect", "200ms")
    good = cluster.agg("l2", [samp], "--push", "--interval", NEVER, "--reconnect", "200ms", "--to",
                       "csv:" + cluster.path("rows"))
    wait_for(lambda: len(stopped.sets()) == len(good.sets()) == 10, "the sets")

    def memory():
        with open(f"/proc/{samp.proc.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    n, before = len(rows(cluster.path("rows/synth"))), memory()
    stopped.kill(signal.SIGSTOP)
    wait_for(lambda: len(rows(cluster.path("rows/synth"))) > n + 10 * 400, "400 more samples of each set", 120)
    assert memory() - before < 16 << 10  # KB; 400 samples of all sets are 64 MB
    stopped.kill(signal.SIGCONT)
    wait_for(lambda: Wire(samp.port).accepted().status(XPRT_STATS)["pushes"]["merged"] > 1000,
             "samples that are replaced by newer ones to be counted")
    old = wait_for(lambda: stopped.sets().get("s/7", {}).get("update"))
    wait_for(lambda: stopped.sets().get("s/7", {}).get("update") not in (None, old), "it to go on")


def test_modes_in_band(cluster):
    samp = synth(cluster, interval="200ms", metrics=3)
    port = free_port()
    conf = cluster.write("a.conf", f"listen port={port}\nprdcr_add name=p type=active host=localhost port={samp.port} "
                         "reconnect=200ms\nprdcr_start name=p\n"
                         "updtr_add name=u interval=100s push=onchange\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")
    agg = cluster.daemon("agg", ["agg", "-c", conf], port)
    wait_for(lambda: agg.sets().get("s", {}).get("flags") == "CR ")
    assert updtr(agg)["mode"] == "Push on Change"
    w = Wire(port).accepted()
    assert w.control(UPDTR_ADD, [(NAME, text("x")), (INTERVAL, text("1s")), (PUSH, text("foo"))]) == (
        22, 'The valud push options are "onchange", "true" or "yes"\n')
    assert w.control(UPDTR_ADD, [(NAME, text("x")), (INTERVAL, text("1s")), (PUSH, text("true")), (AUTO, text("true"))]) == (
        22, "auto_interval and push are incompatible options")
    for name, value, mode in (("r", "True", "Push on Request"), ("c", "OnChange", "Push on Change"), ("f", "false", "Pull")):
        assert w.control(UPDTR_ADD, [(NAME, text(name)), (INTERVAL, text("1s")), (PUSH, text(value))])[0] == 0
        assert updtr(agg, name)["mode"] == mode
    # without an updater that wants pushes none come; with one again, they do
    assert w.control(UPDTR_STOP, [(NAME, text("u"))])[0] == 0
    wait_for(lambda: samp.sets()["s"]["flags"] == "CL ", "the registration to end")
    assert w.control(UPDTR_START, [(NAME, text("u"))])[0] == 0
    wait_for(lambda: samp.sets()["s"]["flags"] == "CLP", "the registration")
    old = agg.sets()["s"]["update"]
    wait_for(lambda: agg.sets()["s"]["update"] != old, "pushes")


def test_hints_follow_the_updaters(cluster):
    samp = synth(cluster, interval="200ms", metrics=3)
    l1 = cluster.agg("l1", [samp], "--interval", "5s", "--offset", "300ms")
    l2 = cluster.agg("l2", [l1], "--push", "--interval", NEVER, "--reconnect", "200ms")
    wait_for(lambda: hint(l1, "s") == hint(l2, "s") == "5000000:300000", "the schedule of the only updater")
    w = Wire(l1.port).accepted()
    assert w.control(UPDTR_ADD, [(NAME, text("v")), (INTERVAL, text("1s")), (OFFSET, text("50ms"))])[0] == 0
    assert w.control(UPDTR_PRDCR_ADD, [(NAME, text("v")), (REGEX, text(".*"))])[0] == 0
    assert w.control(UPDTR_START, [(NAME, text("v"))])[0] == 0
    wait_for(lambda: hint(l2, "s") == "1000000:50000", "the schedule of the updater that started later, one level up")
    assert w.control(UPDTR_STOP, [(NAME, text("v"))])[0] == 0
    wait_for(lambda: hint(l2, "s") == "5000000:300000", "the other one's again")
    # by its hint: what the sampler says, and a little later
    assert w.control(UPDTR_ADD, [(NAME, text("auto")), (INTERVAL, text("5s")), (AUTO, text("true"))])[0] == 0
    assert w.control(UPDTR_PRDCR_ADD, [(NAME, text("auto")), (REGEX, text(".*"))])[0] == 0
    assert w.control(UPDTR_START, [(NAME, text("auto"))])[0] == 0
    wait_for(lambda: hint(l2, "s") == "200000:100000", "the sampler's hint, shifted")
    s = Wire(samp.port).accepted()
    assert s.control(0x503, [(NAME, text("synth"))])[0] == 0
    assert s.control(0x502, [(NAME, text("synth")), (INTERVAL, text("300ms"))])[0] == 0
    wait_for(lambda: hint(l2, "s") == "300000:100000", "the sampler's new hint")
    # of one that is shorter than what it is shifted by: between two samples, not upon the next one
    assert s.control(0x503, [(NAME, text("synth"))])[0] == 0
    assert s.control(0x502, [(NAME, text("synth")), (INTERVAL, text("100ms"))])[0] == 0
    wait_for(lambda: hint(l2, "s") == "100000:50000", "the hint of a short interval")


def test_the_shift_of_hints(cluster):
    samp = synth(cluster, interval="200ms", metrics=3)
    aggs = {}
    for name, value in (("a", "20000"), ("b", "0"), ("c", "soon")):
        port = free_port()
        conf = cluster.write(name + ".conf", f"env LDMSD_UPDTR_OFFSET_INCR={value}\n"
                             f"prdcr_add name=p type=active host=127.0.0.1 port={samp.port} reconnect=200ms\n"
                             "prdcr_start name=p\nupdtr_add name=u interval=5s auto_interval=true\n"
                             "updtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")
        aggs[name] = cluster.daemon(name, ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", name, "-c", conf], port)
    for name, want in (("a", "200000:20000"), ("b", "200000:0"), ("c", "200000:100000")):
        wait_for(lambda: hint(aggs[name], "s") == want, f"the hint of {name}")
    assert "LDMSD_UPDTR_OFFSET_INCR=soon is no time" in aggs["c"].text()


def test_hint_of_a_local_set_changes(cluster):
    port = free_port()
    conf = cluster.write("s.conf", f"listen port={port}\nload name=synth\nconfig name=synth producer=s instance=s perm=0444\n"
                         "start name=synth interval=100s\n"
                         "load name=csv plugin=store_csv\nconfig name=csv path=" + cluster.path("rows") + "\n"
                         "strgp_add name=all plugin=csv container=. regex=.*\nstrgp_start name=all\n"
                         "prdcr_add name=local type=local reconnect=1s\nprdcr_start name=local\n"
                         "updtr_add name=u interval=100s auto_interval=true\nupdtr_prdcr_add name=u regex=.*\n"
                         "updtr_start name=u\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    samp.says("is ready")
    w = Wire(port).accepted()
    assert w.control(0x503, [(NAME, text("synth"))])[0] == 0
    assert w.control(0x502, [(NAME, text("synth")), (INTERVAL, text("100ms"))])[0] == 0
    wait_for(lambda: len(rows(cluster.path("rows/synth"))) > 3, "rows at the new pace")
