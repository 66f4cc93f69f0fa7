"""What the verbs on objects answer (answers.py), and what stands in their answers."""
import json
import os
import re

import pytest

from answers import ROWS, SHAPES, config
from control import Shaped, fits, say
from ldms import free_port, wait_for
from wire import Wire


def conf_of(cluster, samp, name):
    folder = cluster.path("rows-" + name)
    os.makedirs(folder)
    return config(folder, samp.port, free_port())


def our_agg(cluster, samp):
    port = free_port()
    conf = cluster.write("ours.conf", conf_of(cluster, samp, "ours") + f"listen xprt=sock port={port} host=127.0.0.1\n")
    return cluster.daemon("ours", ["agg", "-c", conf, "-n", "agg"], port)


def when_stored(port):
    """A session with a daemon, once it has stored something."""
    def metrics():
        try:
            w = Wire(port).accepted()
        except OSError:
            return None
        code, text = say(w, "strgp_status name=mem")
        return w if code == 0 and json.loads(text)[0]["metrics"] else w.sock.close()
    return wait_for(metrics, "the first row")


@pytest.fixture
def agg(cluster):
    samp = cluster.samp("n1", "meminfo vmstat", "--interval", "200ms")
    return our_agg(cluster, samp)


def test_rows(agg):
    w = when_stored(agg.port)
    wrong = []
    for row in ROWS:
        if row.only == "theirs":
            continue
        code, text = say(w, row.line)
        if code != row.ours[0] or not fits(text, row.ours[1]):
            wrong.append((row.line, (code, text), row.ours))
    assert wrong == []


def test_shapes(agg):
    """In which attribute the answer stands, and whether its NUL is counted."""
    w = Shaped(when_stored(agg.port))
    for line, shape in SHAPES.items():
        say(w, line)
        assert w.shape() == shape, line


def test_updates_are_timed(agg):
    """Each update is counted; a reset begins anew, and tells the old values."""
    w = when_stored(agg.port)

    def times(line="update_time_stats name=u1"):
        return json.loads(say(w, line)[1])["u1"]["samp1"]["n1/meminfo"]

    t = wait_for(lambda: times()["cnt"] > 3 and times(), "some updates")
    assert 0 < t["min"] <= t["avg"] <= t["max"]
    assert times("update_time_stats name=u1 reset=true")["cnt"] >= t["cnt"]
    assert times()["cnt"] < t["cnt"]
    wait_for(lambda: times()["cnt"] > 1, "more updates")
    assert say(w, "updtr_status name=u1 reset=false")[0] == 0 and times()["cnt"] > 1
    # a set that nobody reads, of an updater that does not run, is shown without counts
    everything = json.loads(say(w, "update_time_stats")[1])
    assert everything["u2"]["samp1"]["n1/vmstat"] == {"min": 0, "max": 0, "avg": 0, "cnt": 0, "skipped_cnt": 0,
                                                      "oversampled_cnt": 0}


def test_pushes_are_timed(cluster):
    samp = cluster.samp("n1", "meminfo", "--interval", "100ms")
    agg = cluster.agg("agg", [samp], "--push", "--interval", "100ms")
    wait_for(lambda: agg.values("n1/meminfo"))
    w = Wire(agg.port).accepted()

    def times():
        sets, = json.loads(say(w, "update_time_stats")[1])["updtr"].values()
        return sets.get("n1/meminfo", {})

    t = wait_for(lambda: times().get("cnt", 0) > 3 and times(), "some pushes")
    assert t["max"] >= t["avg"] >= t["min"] > 0


def test_storing_is_timed(agg):
    w = when_stored(agg.port)

    def times(line="store_time_stats name=mem"):
        return json.loads(say(w, line)[1])["mem"]

    t = wait_for(lambda: times()["sets"].get("n1/meminfo", {"stats": {"count": 0}})["stats"]["count"] > 3 and times())
    s = t["sets"]["n1/meminfo"]
    assert (s["producer"], s["schema"]) == ("samp1", "meminfo")
    assert t["producers"] == {"samp1": {}} and t["schemas"] == {"meminfo": {}} and t["threads"] == {s["thread_id"]: {}}
    st = s["stats"]
    assert 0 < st["min"] <= st["avg"] <= st["max"] and st["start_ts"] <= st["min_ts"] <= st["end_ts"]
    times("store_time_stats reset=true")
    again = times()["sets"]["n1/meminfo"]["stats"]
    assert again["count"] < st["count"] and again["start_ts"] > st["start_ts"]
    # another policy that comes and goes takes nothing away
    wait_for(lambda: times()["sets"]["n1/meminfo"]["stats"]["count"] > 2)
    for line in ("strgp_add name=other plugin=store_csv container=o schema=none", "strgp_start name=other",
                 "strgp_stop name=other", "strgp_del name=other"):
        assert say(w, line) == (0, "")
    wait_for(lambda: times()["sets"]["n1/meminfo"]["stats"]["count"] > 4)
    # its set goes, and so does what was counted for it
    assert say(w, "prdcr_stop name=samp1") == (0, "")
    wait_for(lambda: times()["sets"] == {}, "the set to go")


def test_schedules(agg):
    """interval= alone has no place on the wall clock; hints make schedules of their own."""
    w = when_stored(agg.port)

    def tasks():
        return json.loads(say(w, "updtr_task name=u2")[1])[0]["tasks"]

    def status():
        u, = json.loads(say(w, "updtr_status name=u2")[1])
        return u["interval"], u["offset"], u["sync"], u["state"]

    assert tasks() == [{"interval_us": "5000000", "offset_us": "0", "default_task": "true"}]
    assert say(w, "updtr_start name=u2 interval=2s") == (0, "")
    assert status() == ("2000000", "0", "false", "RUNNING")
    hinted = {"interval_us": "200000", "offset_us": "100000", "default_task": "false"}
    wait_for(lambda: tasks() == [{"interval_us": "2000000", "offset_us": "None", "default_task": "true"}, hinted])
    assert say(w, "updtr_stop name=u2") == (0, "")
    assert say(w, "updtr_start name=u2 offset=100ms") == (0, "")
    assert status() == ("2000000", "100000", "true", "RUNNING")
    wait_for(lambda: tasks() == [{"interval_us": "2000000", "offset_us": "100000", "default_task": "true"}, hinted])
    assert say(w, "updtr_stop name=u2") == (0, "")
    assert say(w, "updtr_start name=u2 interval=300ms auto_interval=false") == (0, "")
    w.sock.close()
    wait_for(lambda: agg.values("n1/vmstat"), "a set on a schedule without offset")


def test_producers_that_were_taken_back(agg):
    """The last expression that matches a producer counts."""
    w = when_stored(agg.port)

    def whose():
        u, = json.loads(say(w, "updtr_status name=u2")[1])
        return [p["name"] for p in u["producers"]]

    assert whose() == ["samp1"]
    for line, want in (("updtr_prdcr_add name=u2 regex=.*", ["dead", "samp1"]), ("updtr_prdcr_del name=u2 regex=sa", ["dead"]),
                       ("updtr_prdcr_del name=u2 regex=nobody", ["dead"]), ("updtr_prdcr_add name=u2 regex=^samp1$",
                                                                           ["dead", "samp1"]),
                       ("updtr_prdcr_del name=u2 regex=.*", [])):
        assert say(w, line)[0] == 0
        assert whose() == want, line


def test_sets_of_producers(agg):
    w = when_stored(agg.port)
    sets = json.loads(say(w, "prdcr_set_status")[1])
    assert [(s["inst_name"], s["schema_name"], s["producer"]) for s in sets] == [
        ("n1/meminfo", "meminfo", "samp1"), ("n1/vmstat", "vmstat", "samp1")]
    mem, vm = sets
    assert mem["origin"] == "n1" and int(mem["timestamp.sec"]) > 0 and int(mem["timestamp.usec"]) < 1000000
    assert vm["state"] == "START" and vm["origin"] == "" and vm["timestamp.sec"] == "0"
    for only in ("instance=n1/meminfo", "schema=meminfo", "producer=samp1 schema=meminfo"):
        assert [s["inst_name"] for s in json.loads(say(w, "prdcr_set_status " + only)[1])] == ["n1/meminfo"]
    tree = json.loads(say(w, "prdcr_hint_tree")[1])
    assert tree == [{"name": "dead", "hints": []}, {"name": "samp1", "hints": [
        {"interval_us": "200000", "offset_us": "0", "sets": ["n1/meminfo", "n1/vmstat"]}]}]


def test_counts(agg):
    w = when_stored(agg.port)
    p = json.loads(say(w, "prdcr_stats")[1])
    assert p.pop("compute_time") >= 0
    assert (p["prdcr_count"], p["connected_count"], p["set_count"]) == (2, 1, 2)
    assert sum(n for k, n in p.items() if k not in ("prdcr_count", "set_count")) == 2
    s = json.loads(say(w, "set_stats summary=None")[1])  # what ldmsd_controller sends when it is told nothing
    assert s["active_count"] == 2 and s["deleting_count"] == 0 and s["set_load"] > 0
    assert s["mem_used_kb"] + s["mem_free_kb"] == s["mem_total_kb"] and s["mem_used_kb"] > 0
    s = json.loads(say(w, "set_stats summary=true")[1])
    assert s["summary"] == "true" and s["active_count"] == 2 and "mem_total_kb" not in s


def test_user_data_reach_the_next_daemon(cluster):
    samp = cluster.samp("n1", "meminfo", "--interval", "100ms")
    wait_for(samp.ls)
    w = Wire(samp.port).accepted()
    assert say(w, "udata instance=n1/meminfo metric=MemFree udata=0x1234") == (0, "")
    assert say(w, "udata_regex instance=n1/meminfo regex=^Swap base=7 incr=10") == (0, "")
    agg = cluster.agg("agg", [samp], "--interval", "100ms")

    wait_for(lambda: agg.values("n1/meminfo"))
    for d in (samp, agg):
        text = d.ls_run("-lu", "n1/meminfo").stdout
        assert re.search(r"MemFree\b.*0x1234|0x1234.*MemFree", text), text[:800]
    # those that have it already hear of a change
    assert say(w, "udata instance=n1/meminfo metric=MemFree udata=0x4321") == (0, "")
    wait_for(lambda: "0x4321" in agg.ls_run("-lu", "n1/meminfo").stdout, "the new number")
    assert agg.ls_run("-lu", "n1/meminfo").stdout.count("0x11") >= 1  # the second one of ^Swap: 17
