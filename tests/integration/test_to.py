"""--to of the daemons: the short form of each store, several at once, each with a spool; and what is wrong with others."""
import contextlib
import csv
import fcntl
import json
import os
import re
import subprocess

import pytest
from ldms import ROOT, free_port, policies, run, wait_for

FORMS = dict(re.findall(r"^  (\w+):(\S*)", run("help", "store").stdout.split("what --to STORE:PATH may be:\n")[1].split("\n\n")[0],
                        re.M))


def test_forms_stand_in_the_manual():
    """The same list in the help of all daemons, each of them with words in ldms-store(1)."""
    assert {"csv", "flatfile", "none", "sqlite"} <= set(FORMS)
    listed = run("help", "store").stdout.split("what --to")[1].split("\n\n")[0]
    for cmd in ("agg", "samp", "up"):
        assert listed in run("help", cmd).stdout
    with open(os.path.join(ROOT, "man/ldms-store.1")) as f:
        page = f.read().split(".Sh WHERE ROWS GO")[1].split(".Sh ")[0]
    assert [w for w in FORMS if f".It Cm {w} :" not in page] == []


def test_list_and_help():
    """Every store of the program, with what it takes; the samplers' tool says where they are."""
    listed = {s["name"]: s for s in json.loads(run("store", "-l", "--json").stdout)}
    assert {"csv", "flatfile", "function_csv", "none", "sqlite", "stream_csv_store"} <= set(listed)
    text = run("store", "--list").stdout
    for name, s in listed.items():
        assert re.search(rf"^{name} +{re.escape(s['brief'])}", text, re.M) and s["of"] in ("rows", "messages")
        assert s["here"] or f"built without {s['needs']}" in text
        r = run("store", "help", name)
        assert r.returncode == 0 and r.stdout.startswith(f"{name} - {s['brief']}")
        assert "attributes:" in r.stdout or not s["here"]
    assert "--to csv:DIR" in run("store", "help", "store_csv").stdout
    r = run("store", "help", "cvs")
    assert r.returncode == 1 and "did you mean 'csv'?" in r.stderr
    assert "of which store?" in run("store", "help").stderr


def test_all_at_once(cluster):
    """A daemon with every store of files, with spools; another one without."""
    port, up = free_port(), free_port()
    db = "built without" not in run("query", os.devnull).stderr
    to = ["csv:" + cluster.path("csv"), "none:,delay=1", "flatfile:" + cluster.path("flat")]
    to += ["sqlite:" + cluster.path("ldms.db")] if db else []
    args = [w for t in to for w in ("--to", t)]
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg", "--interval", "50ms",
                              "--strgp", "loadavg", "--spool", cluster.path("spool"), *args], port)
    wait_for(lambda: len(policies(port)) == len(to) and all(s["stored"] > 3 for s in policies(port).values()), "rows in all stores")
    assert {s["overflow"] for s in policies(port).values()} == {"spool"}
    assert sorted(os.listdir(cluster.path("spool"))) == [f"strgp_loadavg.{i}" for i in range(len(to))]
    u = cluster.daemon("up", ["up", "-x", f"sock:{up}:127.0.0.1", "-n", "n2", "--samp", "loadavg", "--interval", "50ms", "--to",
                              "none", "--spool", cluster.path("more"), "--to", "csv:" + cluster.path("up")], up)
    wait_for(lambda: len(policies(up)) == 2 and all(s["stored"] for s in policies(up).values()), "rows of both")
    assert u.stop() == 0 and d.stop() == 0
    u.says("rows go to none\n")
    with open(cluster.path("csv/loadavg/loadavg")) as f:
        times = [r["#Time"] for r in csv.DictReader(f)]
    with open(cluster.path("flat/loadavg/loadavg/load1min")) as f:
        assert [line.split()[0] for line in f] == times
    with open(cluster.path("up/loadavg")) as f:
        assert next(csv.DictReader(f))["ProducerName"] == "n2"


def test_engines_that_are_servers(cluster):
    """What each short form becomes: containers, attributes; nobody is there, and all rows wait in the spools."""
    here = {s["name"] for s in json.loads(run("store", "-l", "--json").stdout) if s["here"]}
    forms = [("kafka", "kafka:127.0.0.1:9/rows.%S", "config name=to.{0} topic=rows.%S", "container=127.0.0.1:9 "),
             ("kafka", "kafka:127.0.0.1:9,localhost:10", "config name=to.{0}", "container=127.0.0.1:9,localhost:10 "),
             ("influx", "influx:http://127.0.0.1:9", "config name=to.{0} url=http://127.0.0.1:9", "container=ldms "),
             ("remote_write", "vm:http://127.0.0.1:9", "config name=to.{0} url=http://127.0.0.1:9", "container=ldms "),
             ("influx", "influx:http://127.0.0.1:9,org=o,bucket=b,tags=x,y,gzip=1",
              "config name=to.{0} url=http://127.0.0.1:9 org=o bucket=b tags=x,y gzip=1", "container=ldms "),
             ("kafka", "kafka:127.0.0.1:9,localhost:10/rows.%S,encoding=json", "config name=to.{0} topic=rows.%S encoding=json",
              "container=127.0.0.1:9,localhost:10 "),
             ("remote_write", "prom:http://127.0.0.1:9/x", "config name=to.{0} url=http://127.0.0.1:9/x", "container=ldms ")]
    forms = [f for f in forms if f[0] in here]
    if not forms:
        pytest.skip("built without the libraries of all of them")
    port = free_port()
    args = ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg", "--interval", "50ms", "--spool",
            cluster.path("spool"), *(w for f in forms for w in ("--to", f[1]))]
    d = cluster.daemon("n1", args, port)
    wait_for(lambda: len(policies(port)) == len(forms) and all(s["why"] and s["spooled"] > 5 for s in policies(port).values()),
             "rows in all spools")
    lines = run("ctl", "-h", "127.0.0.1", "-p", port, "dump_cfg").stdout.splitlines()
    for i, (_, _, config, container) in enumerate(forms):
        assert config.format(i) in lines
        assert any(line.startswith(f"strgp_add name=strgp_all.{i} plugin=to.{i} {container}") for line in lines)
    assert d.stop() == 0
    d.start()
    st = wait_for(lambda: (s := policies(port)) and len(s) == len(forms) and s, "the next process")
    assert all(s["spooled"] + s["queued"] > 5 and not s["dropped"] for s in st.values()), st


def test_a_spool_of_each(cluster):
    """One of two stores is dead: its rows wait, the other's do not; all of them are stored in the end."""
    port = free_port()
    dead, alive = cluster.write("dead", "a file where the store wants a folder\n"), cluster.path("alive")
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg self", "--interval", "50ms",
                              "--to", "csv:" + dead, "--to", "csv:" + alive, "--spool", cluster.path("spool")], port)
    wait_for(lambda: policies(port) and policies(port)["strgp_all.0"]["spooled"] > 5, "rows in the spool")
    st = policies(port)
    assert st["strgp_all.1"]["spooled"] == 0 and not st["strgp_all.1"]["why"] and "Not a directory" in st["strgp_all.0"]["why"]
    stats = run("ctl", "-h", "127.0.0.1", "-p", port, "stats").stdout
    assert re.search(r"^ +1  policies in trouble +strgp_all\.0 \(folder .*; since 20\d\d-\d\d-\d\d \d\d:", stats, re.M), stats
    assert re.search(r"^ +\d+  samples spooled +strgp_all\.0\(\d+\)$", stats, re.M), stats
    me = wait_for(lambda: (v := d.values("n1/self").get("n1/self", {})) and v["policies_troubled"] and v, "its own counters")
    assert me["snapshots_spooled"] and me["snapshots_produced"] and me["rows_refused"] == 0 and me["policies_running"] == 2
    os.unlink(dead)
    wait_for(lambda: not policies(port)["strgp_all.0"]["spooled"] and policies(port)["strgp_all.0"]["stored"] > 5, "all to be stored")
    assert d.stop() == 0
    rows = [open(os.path.join(folder, "loadavg")).read() for folder in (dead, alive)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("args, words", [
    (("--to", "cvs:/tmp/x"), "did you mean 'csv:/tmp/x'?"),
    (("--to", "sqlit:x.db"), "did you mean 'sqlite:x.db'?"),
    (("--to", "csv:"), "'csv:' is not STORE:PATH; write csv:DIR"),
    (("--to", "sqlite"), "write sqlite:FILE"),
    (("--to", "none:x"), "write none:"),
    (("--to", "csv:,altheader=1"), "is not STORE:PATH; write csv:DIR"),
    (("--to", "csv:/tmp/x,altheadr=1"), "did you mean 'altheader'?"),
    (("--to", "function_csv:/tmp/x"), "store function_csv wants more than a word can say"),
    (("--to", "/tmp/x"), "neither STORE:PATH, as csv:/var/lib/ldms, nor the HOST[:PORT]"),
    (("--to", "csv:/tmp/a b"), "blanks cannot stand here"),
    (("--spool", "/tmp/x"), "--spool: say where the rows go, too"),
    (("--to", "csv:/tmp/x", "--spool", "a b"), "--spool: 'a b': blanks cannot stand here"),
])
def test_words_about_slips(args, words):
    r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "--samp", "loadavg", *args)
    assert r.returncode and words in r.stderr, r.stderr


def test_a_pipe_as_file(cluster):
    """Who reads it is slow at times: each line comes once, whole and in order."""
    port, fifo = free_port(), cluster.path("csv/meminfo/meminfo")
    os.makedirs(os.path.dirname(fifo))
    os.mkfifo(fifo)
    pipe, text = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), b""
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "meminfo", "--interval", "10ms",
                          "--strgp", "meminfo", "--to", "csv:" + cluster.path("csv")], port)
    wait_for(lambda: "who reads it is slow" in str(policies(port)), "a pipe that is full")
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)

    def got(rows):
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(pipe, 1 << 16)
        return text.count(b"\n") > rows

    wait_for(lambda: got(50), "rows in the pipe")
    os.close(pipe)
    head, *rows = text.decode().splitlines()[:-1]
    assert head.startswith("#Time") and {r.count(",") for r in rows} == {head.count(",")}
    times = [r.split(",")[0] for r in rows]
    assert times == sorted(set(times)) and all(s["dropped"] == 0 for s in policies(port).values())


def test_a_pipe_that_is_read(cluster):
    """Who waits for the daemon to open it gets more than it holds at once."""
    port, fifo, out = free_port(), cluster.path("csv/meminfo/meminfo"), cluster.path("out")
    os.makedirs(os.path.dirname(fifo))
    os.mkfifo(fifo)
    with open(out, "wb") as f:
        reader = subprocess.Popen(["cat", fifo], stdout=f)
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "meminfo", "--interval", "2ms",
                              "--strgp", "meminfo", "--to", "csv:" + cluster.path("csv")], port)
    wait_for(lambda: policies(port) and policies(port)["strgp_meminfo.0"]["stored"] > 500, "rows")
    assert d.stop() == 0 and reader.wait() == 0
    with open(out) as f:
        assert len(f.readlines()) > 500
