"""Storage policies beside each other and over changes: which rows each has, and that a change of store loses none."""
import csv
import os
import signal

from ldms import free_port, run, wait_for

BASE = """load name=synth
config name=synth producer=n1 instance=n1/synth metrics=1
start name=synth interval=20ms offset=0
prdcr_add name=me type=local reconnect=1s
prdcr_start name=me
updtr_add name=all interval=20ms offset=5ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
listen xprt=sock host=127.0.0.1 port={port}
load name=csv
config name=csv path={rows}
strgp_add name=sp plugin=csv container=c schema=synth flush=50ms {more}
strgp_start name=sp
"""


def read(path):
    with open(path) as f:
        return list(csv.DictReader(f))


def numbers(path):
    """The sampler's counter in each row."""
    return [int(r["m0"]) for r in read(path)]


def all_there(d, got):
    """Every sample that the policy was given is a row, once, in order."""
    d.ctl("strgp_stop", "name=sp")
    st = d.policy("sp")
    assert st["stored"] == st["produced"] == len(got()) and got() == sorted(set(got()))
    return st["stored"]


def start(cluster, rows, more=""):
    port = free_port()
    conf = cluster.write("store.conf", BASE.format(port=port, rows=rows, more=more))
    return cluster.daemon("n1", ["store", "-n", "n1", "-c", conf], port)


def test_many_policies_of_one_schema(cluster):
    """By schema, by expression, of some producers, some metrics of them: each has its own rows, whatever the others have."""
    samps = [cluster.samp(n, "loadavg meminfo", "--interval", "50ms") for n in ("n1", "n2")]
    port, path = free_port(), cluster.path("rows")
    conf = "".join(f"prdcr_add name=p{i} type=active xprt=sock host=127.0.0.1 port={s.port} reconnect=1s\nprdcr_start name=p{i}\n"
                   for i, s in enumerate(samps, 1)) + f"""
updtr_add name=u interval=50ms offset=10ms
updtr_prdcr_add name=u regex=.*
updtr_start name=u
load name=csv
config name=csv path={path}
strgp_add name=two plugin=csv container=two schema=loadavg
strgp_prdcr_add name=two regex=^p1$
strgp_metric_add name=two metric=load5min
strgp_metric_add name=two metric=load1min
strgp_start name=two
strgp_add name=other plugin=csv container=other schema=loadavg
strgp_prdcr_add name=other regex=^p2$
strgp_start name=other
strgp_add name=both plugin=csv container=both regex=^(loadavg|meminfo)$
strgp_prdcr_add name=both regex=^p1$
strgp_prdcr_add name=both regex=2$
strgp_metric_add name=both metric=component_id
strgp_start name=both
strgp_add name=none plugin=csv container=none regex=.*
strgp_prdcr_add name=none regex=^p3$
strgp_start name=none
strgp_add name=lacks plugin=csv container=lacks regex=avg
strgp_metric_add name=lacks metric=nope
strgp_start name=lacks
"""
    d = cluster.daemon("a", ["agg", "-x", f"sock:{port}:127.0.0.1", "-c", cluster.write("a.conf", conf)], port)
    wait_for(lambda: all(d.policy(n).get("stored", 0) > 8 for n in ("two", "other", "both")), "rows")
    lacks, none = wait_for(lambda: (s := d.policy("lacks"))["dropped"] > 3 and s, "sets that lack a metric"), d.policy("none")
    assert "no metric nope" in lacks["why"] and lacks["since"] > 0 and lacks["stored"] == 0
    assert none["produced"] == 0 and not os.path.exists(os.path.join(path, "none"))
    assert d.stop() == 0
    two, other = read(path + "/two/loadavg"), read(path + "/other/loadavg")
    assert list(two[0]) == ["#Time", "Time_usec", "ProducerName", "load5min", "load1min"] and "newest_pid" in other[0]
    assert {r["ProducerName"] for r in two} == {"n1"} and {r["ProducerName"] for r in other} == {"n2"}
    for schema in ("loadavg", "meminfo"):
        rows = read(path + "/both/" + schema)
        assert list(rows[0])[3:] == ["component_id"] and {r["ProducerName"] for r in rows} == {"n1", "n2"}
    # what policies share of a schema is the same
    times = {r["#Time"] for r in read(path + "/both/loadavg") if r["ProducerName"] == "n1"}
    assert {r["#Time"] for r in two[:8]} <= times


def test_another_store_gets_what_waits(cluster):
    """The store is dead; its policy is stopped and made anew, with another one: it is given all that was produced."""
    dead, alive = cluster.write("dead", "a file where the store wants a folder\n"), cluster.path("alive")
    d = start(cluster, dead, f"spool={cluster.path('spool')}")
    wait_for(lambda: (s := d.policy("sp")) and s["spooled"] > 20, "samples in the spool")
    r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "config", "name=csv", f"path={alive}")
    assert r.returncode and "configured already" in r.stderr
    assert "in use" in run("ctl", "-h", "127.0.0.1", "-p", d.port, "strgp_del", "name=sp").stderr
    d.ctl("strgp_stop", "name=sp")
    before = d.policy("sp")
    assert before["dropped"] == 0 and before["spooled"] == before["produced"] and not before["queued"]
    assert "strgp_del that first" in run("ctl", "-h", "127.0.0.1", "-p", d.port, "term", "name=csv").stderr
    for line in (("strgp_del", "name=sp"), ("term", "name=csv"), ("load", "name=csv"), ("config", "name=csv", f"path={alive}"),
                 ("strgp_add", "name=sp", "plugin=csv", "container=c", "schema=synth", "flush=50ms",
                  f"spool={cluster.path('spool')}"), ("strgp_start", "name=sp")):
        d.ctl(*line)
    wait_for(lambda: (s := d.policy("sp")) and not s["spooled"] and s["stored"] > before["spooled"] + 5, "all to be stored")
    assert all_there(d, lambda: numbers(alive + "/c/synth")) > before["spooled"] + 5


def test_reloaded_with_another_store(cluster):
    """The same by a changed file and SIGHUP."""
    dead, alive = cluster.write("dead", "a file where the store wants a folder\n"), cluster.path("alive")
    d = start(cluster, dead, f"spool={cluster.path('spool')}")
    before = wait_for(lambda: (s := d.policy("sp")) and s["spooled"] > 20 and s, "samples in the spool")
    cluster.write("store.conf", BASE.format(port=d.port, rows=alive, more=f"spool={cluster.path('spool')}"))
    d.kill(signal.SIGHUP)
    wait_for(lambda: (s := d.policy("sp")) and not s["spooled"] and s["stored"] > before["spooled"] + 5, "all to be stored")
    all_there(d, lambda: numbers(alive + "/c/synth"))


def test_changed_while_stopped(cluster):
    """A store that is alive: what is queued is stored by the stop; the rows that follow it are as the change wants them."""
    rows = cluster.path("rows")
    d = start(cluster, rows)
    wait_for(lambda: (s := d.policy("sp")) and s["stored"] > 5, "rows")
    stored = all_there(d, lambda: numbers(rows + "/c/synth"))
    first = numbers(rows + "/c/synth")
    d.ctl("config", "name=csv", "container=c", "schema=synth", "altheader=1", "userdata=1")
    d.ctl("strgp_metric_add", "name=sp", "metric=m0")
    d.ctl("strgp_start", "name=sp")
    wait_for(lambda: d.policy("sp")["stored"] > stored + 5, "more rows")
    d.ctl("strgp_stop", "name=sp")
    status_end = d.policy("sp")
    assert numbers(rows + "/c/synth") == first  # the file of other columns is done with
    header, = [f for f in os.listdir(rows + "/c") if f.endswith(".HEADER")]
    with open(os.path.join(rows, "c", header)) as f:
        assert f.read() == "#Time,Time_usec,ProducerName,m0.userdata,m0.value\n"
    with open(os.path.join(rows, "c", header[:-len(".HEADER")])) as f:
        more = [int(line.split(",")[4]) for line in f]
    assert more == sorted(set(more)) and more[0] > first[-1]
    assert len(first) + len(more) == status_end["stored"] == status_end["produced"]
