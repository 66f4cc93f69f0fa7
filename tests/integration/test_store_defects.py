"""What ldmsd 4.5.3's stores and storage policies get wrong, and ours must not; each with the real executable.

Elsewhere: one column that nothing is there for (test_decomp.py, test_what_is_missing...), the marks of s64 arrays beside
ldmsd's (test_real_csv.py), the Kafka stores' (test_kafka*.py).
"""
import glob
import json
import os
import re

from ldms import free_port, policies, run, wait_for

SAMPLERS = """load name=all_example
config name=all_example producer=n instance=n/all_example
start name=all_example interval=100ms
load name=procnetdev2
config name=procnetdev2 producer=n instance=n/procnetdev2
start name=procnetdev2 interval=100ms
load name=loadavg
config name=loadavg producer=n instance=n/loadavg
start name=loadavg interval=100ms
prdcr_add name=l type=local interval=100ms
prdcr_start name=l
updtr_add name=u interval=100ms
updtr_prdcr_add name=u regex=.*
updtr_start name=u
"""


def csv(cluster, name, attrs=""):
    return f"load name={name} plugin=store_csv\nconfig name={name} path={cluster.path(name)} {attrs}\n"


def policy(name, plugin, what, container="c"):
    return f"strgp_add name={name} plugin={plugin} container={container} {what}\nstrgp_prdcr_add name={name} regex=.*\n" \
           f"strgp_start name={name}\n"


def daemon(cluster, lines, name="d"):
    """One that samples, and stores what it samples."""
    port = free_port()
    d = cluster.daemon(name, ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n", "-c",
                              cluster.write(name + ".conf", SAMPLERS + lines)], port)
    d.says("is ready")
    return d


def ctl(d, *words):
    return run("ctl", "-h", "127.0.0.1", "-p", d.port, *words)


def lines(path):
    """Whole lines of a file; [] while there is none."""
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [line[:-1] for line in f if line.endswith("\n")]


def rows(path, n=3):
    """The header, and rows, once there are so many."""
    got = wait_for(lambda: len(x := lines(path)) > n and x, f"rows in {path}")
    return got[0], got[1:]


def test_a_policy_that_is_added_again_stays(cluster):
    d = daemon(cluster, csv(cluster, "a", "buffer=0") + policy("s", "a", "schema=loadavg"))
    rows(cluster.path("a/c/loadavg"))
    r = ctl(d, *"strgp_add name=s plugin=a container=other schema=meminfo".split())
    assert r.returncode and "The strgp s already exists." in r.stderr
    p = policies(d.port)["s"]
    assert (p["container"], p["schema"], p["state"]) == ("c", "loadavg", "RUNNING")
    rows(cluster.path("a/c/loadavg"), len(lines(cluster.path("a/c/loadavg"))) + 2)
    for verb in "strgp_stop", "strgp_start", "strgp_stop", "strgp_del":
        assert ctl(d, verb, "name=s").returncode == 0


def test_flush_is_honoured_with_a_decomposition(cluster):
    """Rows that a flush an hour away would write wait for it; those of a short one do not."""
    path = cluster.write("d.json", '{"type":"as_is"}')
    d = daemon(cluster, csv(cluster, "a") + policy("slow", "a", f"schema=loadavg decomposition={path} flush=1h", "slow") +
               policy("fast", "a", f"schema=loadavg decomposition={path} flush=100ms", "fast"))

    def file(name):
        return (glob.glob(cluster.path(f"a/{name}/loadavg_*")) or [""])[0]

    wait_for(lambda: len(lines(file("fast"))) > 5 and (p := policies(d.port))["slow"]["produced"] > 5 and p["fast"]["stored"], "rows")
    slow = policies(d.port)["slow"]
    assert slow["stored"] == 0 and slow["queued"] > 5 and len(lines(file("slow"))) <= 1
    assert ctl(d, "strgp_stop", "name=slow").returncode == 0
    assert len(lines(file("slow"))) > 5 and policies(d.port)["slow"]["queued"] == 0


def test_fills_are_as_long_as_their_array(cluster):
    """A record array that ends before the list beside it."""
    path = cluster.write("d.json", '{"type":"as_is"}')
    d = daemon(cluster, "stream_enable\nload name=j plugin=json_stream_sampler\n"
               "config name=j producer=n stream=s instance_fmt=%P/%S\n" +
               csv(cluster, "a", "buffer=0") + policy("s", "a", f"schema=jss decomposition={path}"))
    message = json.dumps({"schema": "jss", "i": 5, "list": [1, 2, 3], "d": {"a": 1, "b": "x", "arr": [1, 2]}})

    def stored():
        assert run("msg", "pub", "--stream", "--json", "-h", "127.0.0.1", "-p", d.port, "s", message).returncode == 0
        found = glob.glob(cluster.path("a/c/jss_*"))
        return found and len(x := lines(found[0])) > 3 and x

    head, *got = wait_for(stored, "rows of the object")
    columns = head.split(",")
    assert {"d.arr0", "d.arr1", "list"} <= set(columns)
    assert {len(row.split(",")) for row in got} == {len(columns)}
    at = columns.index("d.arr0")
    assert [row.split(",")[at:at + 2] for row in got[:3]] == [["1", "2"], ["0", "0"], ["0", "0"]]


def test_files_of_csv(cluster):
    """Kinds for each column, arrays, the plugin's name, one header, times with names of their own."""
    times = cluster.write("d.json", json.dumps({"type": "static", "rows": [{"schema": "row", "cols": [
        {"src": "timestamp", "dst": "when"}, {"src": "M_timestamp", "dst": "meta"}, {"src": "load1min", "dst": "one"}]}]}))
    modes = {"plain": "buffer=0", "kinds": "typeheader=1 buffer=0", "user1": "userdata=1 typeheader=1 buffer=0",
             "user2": "userdata=1 typeheader=2 expand_array=0 ietfcsv=1 buffer=0", "whole": "expand_array=0 buffer=0",
             "moved": "rolltype=3 rollover=3 buffer=0 rename_template=%D/done/%P.%S.%s"}
    schemas = "all_example", "procnetdev2"
    d = daemon(cluster, "".join(csv(cluster, m, attrs) + "".join(policy(f"{m}-{s}", m, f"schema={s}") for s in schemas)
                                for m, attrs in modes.items()) +
               policy("times", "plain", f"schema=loadavg decomposition={times}", "t"))
    heads = {}
    for mode in list(modes)[:5]:
        for schema in schemas:
            path = cluster.path(f"{mode}/c/{schema}")
            head, got = rows(path)
            heads[mode, schema] = head.split(",")
            assert {len(row.split(",")) for row in got} == {len(heads[mode, schema])}, (mode, schema)
            if mode in ("kinds", "user1", "user2"):
                kind, = lines(path + ".KIND")
                assert len(kind.split(",")) == len(heads[mode, schema]), (mode, schema, kind)
                assert "none" not in kind and "record_type" not in kind and "list" not in kind
    # arrays are expanded unless that is not wanted; then those of s64 are like the others
    assert {"s64_array0", "s64_array3"} <= set(heads["plain", "all_example"])
    at = heads["whole", "all_example"].index("s64_array")
    value = rows(cluster.path("whole/c/all_example"))[1][0].split(",")[at]
    assert re.fullmatch(r'"-?\d+(:-?\d+)+"', value)
    # a closed file has the plugin's name
    closed = wait_for(lambda: glob.glob(cluster.path("moved/c/done/*")), "a closed file")
    assert all(re.fullmatch(r"store_csv\.(all_example|procnetdev2)\.\d+", os.path.basename(p)) for p in closed)
    head, got = rows(cluster.path("plain/t/row"))
    assert head == "#Time,Time_usec,meta,meta_usec,one"
    assert all(len(row.split(",")) == 5 for row in got)
    # the next daemon goes on with these files
    d.stop()
    before = {s: len(lines(cluster.path(f"plain/c/{s}"))) for s in schemas}
    d.start()
    for schema in schemas:
        _, got = rows(cluster.path(f"plain/c/{schema}"), before[schema] + 2)
        assert not [row for row in got if row.startswith("#")]


def test_mistakes_end_no_daemon(cluster):
    """rolltype 5, files that cannot be opened, a store without config; and the log names the right instance."""
    blocked = cluster.write("blocked", "a file where a folder should be")
    d = daemon(cluster, "".join(f"load name={n} plugin=store_csv\n" for n in ("one", "two", "bare")) +
               f"config name=one path={blocked}/one buffer=0\n" + csv(cluster, "good", "buffer=0") +
               policy("good", "good", "schema=loadavg") + policy("one", "one", "schema=loadavg"))
    for more in "rollover=600", "rollover=600 rollagain=60", "rollover=86400 rollagain=86400", "rollagain=60":
        r = ctl(d, *f"config name=two path={cluster.path('two')} rolltype=5 {more}".split())
        assert r.returncode and "store two: " in r.stderr, (more, r.stderr)
    assert ctl(d, *f"config name=two path={blocked}/two buffer=0".split()).returncode == 0
    assert ctl(d, *"strgp_add name=two plugin=two container=c schema=loadavg".split()).returncode == 0
    assert ctl(d, *"strgp_start name=two".split()).returncode == 0
    for name in "one", "two":
        line = wait_for(lambda name=name: [x for x in d.text().splitlines() if f"policy {name}: " in x and "blocked" in x],
                        f"a line about {name}")[0]
        assert f"{blocked}/{name}" in line or f"{blocked}:" in line, line
    assert ctl(d, *"strgp_add name=bare plugin=bare container=c schema=loadavg".split()).returncode == 0
    r = ctl(d, *"strgp_start name=bare".split())
    assert r.returncode and "store bare: path is required" in r.stderr
    assert ctl(d, *f"config name=bare path={cluster.path('bare')} buffer=0".split()).returncode == 0
    assert ctl(d, *"strgp_start name=bare".split()).returncode == 0
    rows(cluster.path("bare/c/loadavg"))
    rows(cluster.path("good/c/loadavg"))
    os.unlink(blocked)
    for name in "one", "two":
        rows(f"{blocked}/{name}/c/loadavg")
    assert d.alive() and policies(d.port)["good"]["dropped"] == 0
