"""Stores of other makers: built against the installed header alone, fed by policies, and what happens when they do not fit."""
import json
import os
import re
import shutil
import subprocess

import pytest
from ldms import CONFINED_ENV, ROOT, free_port, policies, run, wait_for
from test_plugin import build, installed, refused  # noqa: F401 (a fixture)

SOURCE = os.path.join(ROOT, "tests/plugin/lines.c")
CONF = """load name=all plugin=all_example
config name=all producer=n1 instance=n1/all
start name=all interval=50ms offset=0
load name=rec plugin=record_sampler
config name=rec producer=n1 instance=n1/rec
start name=rec interval=50ms offset=0
prdcr_add name=me type=local reconnect=1s
prdcr_start name=me
updtr_add name=all interval=50ms offset=10ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
listen xprt=sock host=127.0.0.1 port={port}
load name=mine path={so}
config name=mine {attrs}
strgp_add name=sp plugin=mine container=rows regex=.* flush=100ms {more}
strgp_start name=sp
"""


@pytest.fixture(scope="module")
def lines(installed):  # noqa: F811
    return build(installed, "lines", SOURCE)


def start(cluster, so, attrs, more="", *args, **kw):
    port = free_port()
    conf = cluster.write("store.conf", CONF.format(so=so, attrs=attrs, more=more, port=port))
    return cluster.daemon("n1", ["store", "-n", "n1", "-c", conf, *args], port, **kw)


def rows_of(path):
    """Each line as {name: text}; fails on half a line."""
    with open(path) as f:
        text = f.read()
    assert text.endswith("\n")
    return [dict(re.findall(r"([^ =]+)=((?:(?! [^ =]+=).)*)", line)) for line in text.splitlines()]


def test_every_type(cluster, lines):
    """Columns by name and type, values as text: what csv has of the same rows."""
    os.mkdir(cluster.path("lines"))
    port = free_port()
    conf = CONF.format(so=lines, attrs=f"dir={cluster.path('lines')}", more="", port=port) + f"""
load name=csv
config name=csv path={cluster.path("csv")}
strgp_add name=csv plugin=csv container=c regex=.*
strgp_start name=csv
"""
    d = cluster.daemon("n1", ["store", "-n", "n1", "-c", cluster.write("c.conf", conf)], port)
    wait_for(lambda: d.policy() and d.policy()["stored"] > 10, "rows")
    usage = run("ctl", "-h", "127.0.0.1", "-p", d.port, "usage", "name=mine").stdout
    assert "longest" in usage and "bytes of a line" in usage
    mine = next(p for p in json.loads(run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", "plugn_status").stdout)
                if p["name"] == "mine")
    assert mine["libpath"] == lines and mine["plugin"] == "lines"
    assert f"load name=mine path={lines}" in run("ctl", "-h", "127.0.0.1", "-p", d.port, "dump_cfg").stdout
    assert d.stop() == 0
    d.says("mine: rows: rows of all")
    rows = [r for r in rows_of(cluster.path("lines/rows")) if r["instance"] == "n1/all"]
    with open(cluster.path("csv/c/" + rows[0]["schema"])) as f:
        head, *body = [line.rstrip("\n").split(",") for line in f]
    assert len(rows) == len(body)
    for row, fields in zip(rows, body):
        assert row["timestamp"] == fields[0] and row["producer"] == "n1"
        for name in ("u64", "s64", "u8", "s16", "float", "double"):
            if name in head:
                assert row[name] == fields[head.index(name)], name
        arrays = {n[:-1] for n in head if n.endswith("0") and n[:-1] in row}
        assert arrays
        for a in arrays:
            n = len(row[a].split(","))
            assert row[a] == ",".join(fields[head.index(a + "0"):][:n])
    entries = [r for r in rows_of(cluster.path("lines/rows")) if r["instance"] == "n1/rec"]
    assert entries and all(any(k.endswith("_entry_idx") for k in r) for r in entries)


def test_rows_as_json(cluster, lines):
    """With a decomposition: its columns alone, and its index."""
    decomp = cluster.write("d.json", json.dumps({"type": "static", "rows": [{"schema": "r", "cols": [
        {"src": "timestamp", "dst": "ts", "type": "ts"}, {"src": "producer", "dst": "who", "type": "char_array"},
        {"src": "char_array", "dst": "a b", "type": "char_array"}, {"src": "u8_array", "dst": "n", "type": "u8_array"}],
        "indices": [{"name": "i", "cols": ["who", "ts"]}]}]}))
    d = start(cluster, lines, f"dir={cluster.path('lines')} form=json", f"decomposition={decomp}")
    wait_for(lambda: (s := d.policy()) and s["rows"] > 3, "rows")
    assert d.stop() == 0
    with open(cluster.path("lines/rows")) as f:
        rows = [json.loads(line) for line in f]
    assert list(rows[0]) == ["ts", "who", "a b", "n"] and rows[0]["who"] == "n1"
    assert any(isinstance(r["n"], list) and isinstance(r["a b"], str) for r in rows)
    d.says("mine: rows: rows of r, ")
    d.says("index i: who ts")


def test_dead_and_alive_again(cluster, lines):
    """It fails to open: the policy says its words, its rows wait in the spool, and are there once each, in order."""
    folder = cluster.write("lines", "a file where the store wants a folder\n")
    d = start(cluster, lines, f"dir={folder}", f"spool={cluster.path('spool')}")
    st = wait_for(lambda: (s := d.policy()) and s["spooled"] > 10 and s, "rows in the spool")
    assert "store mine:" in st["why"] and "cannot be written (Not a directory)" in st["why"]
    os.unlink(folder)
    wait_for(lambda: (s := d.policy()) and s["stored"] > st["spooled"] and not s["spooled"] and not s["why"], "rows")
    assert d.stop() == 0
    times = [float(r["timestamp"]) for r in rows_of(cluster.path("lines/rows")) if r["instance"] == "n1/all"]
    assert len(times) > 5 and times == sorted(set(times))


def test_refused_rows_are_counted(cluster, lines):
    d = start(cluster, lines, f"dir={cluster.path('lines')} longest=500")
    st = wait_for(lambda: (s := d.policy()) and s["refused"] > 3 and s["rows"] > 3 and s, "refused rows")
    assert st["dropped"] == 0 and not st["why"] and st["refused_since"] > 0
    assert "more than longest=500" in st["refused_why"]
    assert "Refused why" in run("ctl", "-h", "127.0.0.1", "-p", d.port, "strgp_status").stdout
    d.says("more than longest=500")
    assert d.stop() == 0
    assert {r["instance"] for r in rows_of(cluster.path("lines/rows"))} == {"n1/all"}


def test_sandbox_and_check(cluster, lines):
    """The object is loaded before the sandbox closes, and its folder can be written."""
    os.mkdir(cluster.path("lines"))
    d = start(cluster, lines, f"dir={cluster.path('lines')}", "", "--sandbox", env=CONFINED_ENV)
    wait_for(lambda: d.policy() and d.policy()["stored"] > 3, "rows")
    assert run("check", cluster.path("store.conf")).returncode == 0
    slip = cluster.write("slip.conf", f"load name=mine path={lines}\nconfig name=mine dri=/x\n")
    r = run("check", slip)
    assert r.returncode and "did you mean 'dir'?" in r.stdout + r.stderr
    r = run("check", cluster.write("slip.conf", f"load name=mine path={lines}\nconfig name=mine longest=3\n"))
    assert r.returncode and "store mine: dir= is missing; name the folder for the files" in r.stdout + r.stderr
    r = run("store", "help", lines)
    assert r.returncode == 0 and "a line of NAME=VALUE for each row" in r.stdout and "longer ones are refused (65535)" in r.stdout
    r = run("samp", "--once", lines)
    assert r.returncode and "is a store, and here a sampler is wanted" in r.stderr


def test_what_does_not_fit_is_refused(cluster, installed, lines):  # noqa: F811
    stub = cluster.write("stub.c", """
        #include <ldms/store.h>
        static int r(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *e) { (void)sk; (void)row; (void)e; return 0; }
        LDMS_STORE(.name = "stub", .row = r);""")
    with open(installed / "usr/include/ldms/store.h") as f:
        header = f.read()
    for name, old, new, words in (
            ("abi", "#define LDMS_STORE_ABI 1", "#define LDMS_STORE_ABI 9", ("version 9 of the store interface", "this ldms has 1")),
            ("newer", "void (*fini)(struct ldms_store *st);\n", "void (*fini)(struct ldms_store *st); void *more;\n",
             ("newer ldms/store.h", "update this ldms"))):
        os.makedirs(cluster.path(name + "/ldms"))
        assert old in header
        cluster.write(name + "/ldms/store.h", header.replace(old, new, 1))
        so = cluster.path(name + ".so")
        subprocess.run(["cc", "-shared", "-fPIC", "-I", cluster.path(name), "-o", so, stub], check=True)
        refused(cluster, so, *words)
    nothing = cluster.write("nothing.c", '#include <ldms/store.h>\nLDMS_STORE(.name = "nothing");\n')
    refused(cluster, build(installed, "nothing", nothing), "its store lacks name or row")
    for name, more, words in (("blank", '.name = "a b"', "name is no word"), ("empty", '.name = ""', "name is no word"),
                              ("mute", '.name = "m", .attrs = attrs', "attribute number 2 of its store has no help")):
        source = cluster.write(name + ".c", f"""
            #include <ldms/store.h>
            static const struct ldms_store_attr attrs[] = {{ {{ "a", NULL, "x" }}, {{ "b", NULL, NULL }}, {{ NULL, NULL, NULL }} }};
            static int r(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *e) {{ (void)sk; (void)row; (void)e; return !attrs[0].name; }}
            LDMS_STORE({more}, .row = r);""")
        refused(cluster, build(installed, name, source), words)
    both = cluster.write("both.c", """
        #include <ldms/sampler.h>
        #include <ldms/store.h>
        static int o(struct ldms_samp *sp, struct ldms_err *e) { (void)sp; return ldms_error(e, -2, "no"); }
        static void c(struct ldms_samp *sp) { (void)sp; }
        static int r(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *e) { (void)sk; (void)row; (void)e; return 0; }
        LDMS_SAMPLER(.name = "both", .open = o, .close = c);
        LDMS_STORE(.name = "both", .row = r);""")
    refused(cluster, build(installed, "both", both, "-std=gnu11"), "is a sampler and a store")


OLDER = """
#include <ldms/store.h>
#include <stddef.h>
%s
static int r(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *e)
{
	static int n;
	double d = ldms_row_d64(row, 9999, 0);
	(void)e;
	(void)sk;
	if (ldms_row_u64(row, 4000000000u, 7) || d > 0 || ldms_row_count(row, 9999) || ldms_table_col(ldms_row_table(row), 9999)->name[0])
		return -5;
	return n++ < 2 ? 7 : 0;
}
const struct ldms_store_host *ldms_store_host;
const struct ldms_store_plugin ldms_store_plugin = { .abi = LDMS_STORE_ABI,
	.size = offsetof(struct ldms_store_plugin, flush), .host_size = 3 * sizeof(void *), .name = "old", .row = r };
"""


def test_older_objects_and_slips(cluster, installed):  # noqa: F811
    """What was built with a shorter table goes on; columns that are none, and results that are none, harm nobody."""
    so = build(installed, "older", cluster.write("older.c", OLDER % ""))
    port = free_port()
    conf = CONF.format(so=so, attrs="", more="", port=port)
    d = cluster.daemon("n1", ["store", "-n", "n1", "-c", cluster.write("c.conf", conf)], port)
    wait_for(lambda: d.policy() and d.policy()["stored"] > 3, "rows")
    d.says("have no column 9999" if "have no column 9999" in d.text() else "have no column 4000000000")
    d.says("store mine: row() failed without a word (Input/output error)")
    assert d.stop() == 0


def test_the_manuals_example_works(cluster, installed):  # noqa: F811
    with open(os.path.join(ROOT, "man/ldms-store.3")) as f:
        example = f.read().split(".Bd -literal -offset indent\n")[1].split(".Ed\n")[0].replace("\\e", "\\")
    so = build(installed, "example", cluster.write("example.c", example))
    os.mkdir(cluster.path("out"))
    d = start(cluster, so, f"dir={cluster.path('out')}")
    wait_for(lambda: d.policy() and d.policy()["stored"] > 3, "rows")
    assert d.stop() == 0
    with open(cluster.path("out/rows")) as f:
        assert " producer=n1 " in f.readline()
    r = run("check", cluster.write("slip.conf", f"load name=mine path={so}\nconfig name=mine\n"))
    assert "dir= is missing" in r.stdout + r.stderr


@pytest.mark.skipif(not shutil.which("c++"), reason="there is no C++ compiler")
def test_in_cpp(cluster, installed):  # noqa: F811
    """The header is C++, too."""
    source = cluster.write("x.cc", """
        #include <ldms/store.h>
        static int r(struct ldms_sink *, const struct ldms_row *row, struct ldms_err *) { return ldms_row_count(row, 0) ? 0 : -5; }
        static struct ldms_store_plugin make() { struct ldms_store_plugin p{}; p.name = "cc"; p.row = r; return p; }
        int main() { return make().row == r ? 0 : 1; }""")
    subprocess.run(["c++", "-std=c++14", "-Wall", "-Wextra", "-fsyntax-only", "-I", installed / "usr/include", source], check=True)


def test_in_a_cluster_file(cluster, lines):
    os.mkdir(cluster.path("lines"))
    port = free_port()
    path = cluster.write("c.yaml", f"""\
daemons:
  - {{names: n1, hosts: 127.0.0.1, endpoints: [{{names: ep, ports: {port}}}]}}
samplers:
  - {{daemons: n1, plugins: [load]}}
stores:
  keep: {{daemons: n1, container: rows, schema: loadavg, flush: 100ms, plugin: mine, spool: {cluster.path("spool")}}}
plugins:
  load: {{name: loadavg, interval: 50ms}}
  mine: {{path: {lines}, config: [{{dir: {cluster.path("lines")}, form: json}}]}}
""")
    more = cluster.write("more.conf", "prdcr_add name=me type=local reconnect=1s\nprdcr_start name=me\nupdtr_add name=u interval=50ms "
                         "offset=10ms\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")
    d = cluster.daemon("n1", ["store", "-y", path, "-c", more, "-n", "n1"], port)
    wait_for(lambda: d.policy() and d.policy()["stored"] > 3, "rows")
    assert d.stop() == 0
    with open(cluster.path("lines/rows")) as f:
        assert json.loads(f.readline())["producer"] == "n1"
    assert os.listdir(cluster.path("spool")) == ["keep"]


def test_in_short(cluster, lines):
    """--to FILE.so:NAME=VALUE,...: a container for each schema that is named, or one for all."""
    port, more = free_port(), free_port()
    named, whole = cluster.path("named,x"), cluster.path("all")
    short = [os.path.relpath(lines, cluster.dir), f"dir={named},form=json,longest=600"]
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg meminfo", "--interval", "50ms",
                              "--strgp", "loadavg meminfo", "--to", ":".join(short)], port)
    a = cluster.daemon("n2", ["up", "-x", f"sock:{more}:127.0.0.1", "-n", "n2", "--samp", "loadavg meminfo", "--interval", "50ms",
                              "--to", f"{lines}:dir={whole}"], more)
    wait_for(lambda: (p := policies(port)) and p["strgp_loadavg.0"]["stored"] > 3 and p["strgp_meminfo.0"]["refused"] > 3, "rows")
    wait_for(lambda: (p := policies(more)) and p["strgp_all.0"]["stored"] > 6, "rows of all")
    a.says(f"rows go to {lines}\n")
    # what a policy stores is said of one schema; another's would be taken for all
    assert "load15min" in d.ctl("strgp_status") and "metrics:" not in a.ctl("strgp_status")
    assert f"load name=to.0 path={os.path.realpath(lines)}\n" in d.ctl("dump_cfg")
    assert d.stop() == 0 and a.stop() == 0
    with open(os.path.join(named, "loadavg")) as f:
        assert json.loads(f.readline())["producer"] == "n1"
    assert {r["instance"] for r in rows_of(os.path.join(whole, "ldms"))} == {"n2/loadavg", "n2/meminfo"}


@pytest.mark.parametrize("args, words", [
    ("", ("dir= is missing",)), (":", ("dir= is missing",)), (":dri=/x", ("did you mean 'dir'?",)),
    (":/var/lib/x", ("goes behind the file", ".so:NAME=VALUE,...")), (":form=xml,dir=/x", ("form=xml: is words or json",)),
])
def test_slips_in_short(lines, args, words):
    r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "--samp", "loadavg", "--to", lines + args)
    assert r.returncode and all(w in r.stderr for w in words), r.stderr


def test_no_such_object():
    r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "--samp", "loadavg", "--to", "/nowhere/x.so:dir=/x")
    assert r.returncode and "/nowhere/x.so: No such file or directory; is the plugin installed there?" in r.stderr, r.stderr
