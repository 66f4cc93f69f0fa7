"""The plan of a cluster: object for object what ldmsd's own converter makes of a file, but for its known defects."""
import glob
import os
import re
import subprocess

import pytest

from ldms import ROOT, free_port, run, wait_for
from real import PREFIX, env as real_env, needs_ldmsd

DATA = os.path.join(ROOT, "tests/data/maestro")
YAMLS = sorted(glob.glob(os.path.join(DATA, "*.yaml")))
CONVERTER = os.path.join(os.environ.get("LDMSD_PY_PREFIX", "/opt/ovis"), "bin", "ldmsd_yaml_parser")


def plan(path, name):
    r = run("maestro", "plan", path, "-n", name)
    assert r.returncode == 0, r.stderr
    return r.stdout


def plans(path):
    """The configurations of all daemons: {name: text}."""
    r = run("maestro", "plan", path)
    assert r.returncode == 0, r.stderr
    parts = re.split(r"^# (\S+)\n", r.stdout, flags=re.M)[1:]
    return {n: t.strip() + "\n" for n, t in zip(parts[::2], parts[1::2])}


def objects(text, file):
    """Commands as (verb, name, the rest as a set of words), in the words of both sides."""
    out = []
    for ln in text.splitlines():
        verb, *words = ln.partition(" #")[0].split() or [""]
        if not verb or verb.startswith("#") or words == ["name=None", "plugin=None"]:
            continue
        attrs = [w.replace("=True", "=true").replace("message_channel=", "message_tag=") for w in words]
        if verb == "listen":  # its domain says it already
            attrs = [w for w in attrs if not w.startswith("conf=")]
        if verb in ("advertiser_add", "prdcr_listen_add"):  # the converter leaves the unit to the daemon
            attrs = [re.sub(r"^reconnect=(\d+)s$", lambda m: f"reconnect={m[1]}000000", w) for w in attrs]
        name = next((w for w in attrs if w.startswith("name=")), "")
        out.append((verb, name, tuple(sorted(attrs))))
    return sorted(out)


def without_hints(objs, pulls):
    """The converter has mode pull follow the hints, as if it were auto."""
    return [(v, n, tuple(w for w in a if w != "auto_interval=true")) if n in pulls else (v, n, a) for v, n, a in objs]


# -- the examples --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["samp-1", "agg-11", "agg-2"])
def test_the_worked_example(name):
    path = os.path.join(DATA, "worked.yaml")
    with open(os.path.join(DATA, f"worked.{name}.conf")) as f:
        want = f.read()
    assert objects(plan(path, name), path) == objects(want, path)


def test_the_second_aggregator_has_the_rest():
    assert re.findall(r"prdcr_start name=(\S+)", plan(os.path.join(DATA, "worked.yaml"), "agg-12")) == ["samp-3-ep", "samp-4-ep"]


@pytest.mark.skipif(not os.access(CONVERTER, os.X_OK), reason="no converter of ldmsd is installed; LDMSD_PY_PREFIX says where one is")
@pytest.mark.parametrize("name", ["worked", "advertise", "two-peers", "container"])
def test_as_the_converter_of_ldmsd(tmp_path, name):
    path = os.path.join(DATA, name + ".yaml")
    lib, = glob.glob(os.path.join(os.path.dirname(CONVERTER), "../lib/python3*/site-packages"))
    subprocess.run([CONVERTER, "-y", path, "-p", str(tmp_path)], check=True, capture_output=True,
                   env={**os.environ, "PYTHONPATH": lib})
    ours = plans(path)
    # known: pull follows hints, and each updater of an aggregator reads the producers of all entries of peers
    pulls = {"advertise": ("name=updtr_1",), "two-peers": ("name=updtr_0",),
             "container": ("name=updtr_0", "name=updtr_1")}.get(name, ())
    regexes = {"two-peers": {"^samp-[1-5]-ep$": ".*", "^b-[1-3]-ep$": ".*"}}.get(name, {})
    for daemon, text in ours.items():
        if not os.path.exists(tmp_path / (daemon + ".conf")):  # it makes none for who only listens
            assert {ln.split()[0] for ln in text.splitlines()} <= {"listen", "auth_add"}
            continue
        for own, theirs in regexes.items():
            text = text.replace("regex=" + own + "\n", "regex=" + theirs + "\n")
        with open(tmp_path / (daemon + ".conf")) as f:
            real = f.read()
        assert objects(text, path) == without_hints(objects(real, path), pulls), daemon


# What NERSC's generator makes of its machine's list, for one aggregator: names of producers are those of nodes.
NERSC = """\
auth_add name=sec plugin=munge socket=/run/sec/munge.socket
updtr_add name=cpu interval=10000000 auto_interval=true  #(Honor hints if true)
prdcr_add name=nid001 host=x1000c0s1b0n0h0 type=active xprt=sock port=6002 interval=60000000 auth=sec
prdcr_add name=nid002 host=x1000c0s2b0n0h0 type=active xprt=sock port=6002 interval=60000000 auth=sec
prdcr_subscribe stream=nersc regex=.*
prdcr_start_regex regex=.*
updtr_prdcr_add name=cpu regex=.*
updtr_match_add name=cpu match=schema regex=(procstat|vmstat|meminfo|slurm)
updtr_start name=cpu
"""
NERSC_YAML = """\
daemons:
  - names: "nid[001-002]"
    hosts: x1000c0s1b0n0h0,x1000c0s2b0n0h0
    endpoints: [{names: "nid[001-002]", ports: 6002, auth: {name: sec, plugin: munge, conf: socket=/run/sec/munge.socket}}]
  - {names: cpu-0, hosts: head, endpoints: [{names: cpu-0, ports: 6001}]}
aggregators:
  - daemons: cpu-0
    subscribe: [{stream: nersc, regex: ".*"}]
    peers:
      - {daemons: "nid[001-002]", endpoints: "nid[001-002]", type: active, reconnect: 60s, updaters: [
          {mode: auto, interval: 10s, sets: [{field: schema, regex: (procstat|vmstat|meminfo|slurm)}]}]}
"""


def test_what_nersc_generates(tmp_path):
    path = tmp_path / "nersc.yaml"
    path.write_text(NERSC_YAML)
    ours = [o for o in objects(plan(str(path), "cpu-0"), "") if o[0] not in ("listen", "prdcr_start")]
    text = re.sub(r"(prdcr_add .*)interval=", r"\1reconnect=", NERSC).replace("name=cpu", "name=updtr_0")
    assert ours == [o for o in objects(text, "") if o[0] != "prdcr_start_regex"]
    assert re.findall(r"prdcr_start name=(\S+)", plan(str(path), "cpu-0")) == ["nid001", "nid002"]


# -- forms ---------------------------------------------------------------------------------------------------------------

def test_older_forms_say_the_same():
    today = plans(os.path.join(DATA, "container.yaml"))
    assert plans(os.path.join(DATA, "container-4.3.yaml")) == today
    mixed = plans(os.path.join(DATA, "container-mixed.yaml"))
    assert "strgp_add name=by-row plugin=store_sos container=cont decomposition=/etc/decomp.json regex=.*" in mixed["agg-2"]
    mixed["agg-2"] = "".join(ln + "\n" for ln in mixed["agg-2"].splitlines() if "by-row" not in ln)
    assert mixed == today


@pytest.mark.parametrize("path", YAMLS, ids=os.path.basename)
def test_the_converted_file_says_the_same(tmp_path, path):
    r = run("maestro", "convert", path)
    assert r.returncode == 0, r.stderr
    new = tmp_path / "new.yaml"
    new.write_text(r.stdout)
    assert plans(str(new)) == plans(path)
    assert not re.search(r"^ +decomp:|^stores:\n *-", r.stdout, re.M)
    assert run("maestro", "convert", str(new)).stdout == r.stdout  # today's form stays as it is


def test_several_plugins_of_one_name(tmp_path):
    old = tmp_path / "old.yaml"
    old.write_text("""\
daemons:
  - {names: "n[1-3]", hosts: "n[1-3]", endpoints: [{names: "n[1-3]", ports: 411}]}
samplers:
  - {daemons: n1, plugins: [{name: meminfo, interval: 1s}]}
  - {daemons: n2, plugins: [{name: meminfo, interval: 2s}]}
  - {daemons: n3, plugins: [{name: meminfo, interval: 1s}]}
""")
    r = run("maestro", "convert", str(old))
    assert r.returncode == 0 and "one is the instance 'meminfo_2' now" in r.stderr
    new = tmp_path / "new.yaml"
    new.write_text(r.stdout)
    got = plans(str(new))
    assert "load name=meminfo plugin=meminfo" in got["n1"] and "load name=meminfo plugin=meminfo" in got["n3"]
    assert "start name=meminfo_2 interval=2000000" in got["n2"]


@pytest.mark.parametrize("text,words", [
    ("[1, 2]\n", "wants a mapping"),
    ("a: &a [*a]\n", "aliases without end"),
    ("stores:\n- {plugin: x}\n", "without a name"),
    ("stores:\n- {name: a, plugin: x}\n- {name: a, plugin: y}\n", "another policy has that name"),
    ("samplers: [{plugins: [{interval: 1s}]}]\n", "a plugin without a name"),
])
def test_what_cannot_be_converted(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    r = run("maestro", "convert", str(path))
    assert r.returncode == 1 and words in r.stderr and not r.stdout


# -- files and pictures --------------------------------------------------------------------------------------------------

def test_files(tmp_path):
    path = os.path.join(DATA, "worked.yaml")
    out = str(tmp_path / "conf")
    r = run("maestro", "plan", path, "-o", out)
    assert r.returncode == 0 and "7 files" in r.stdout and "7 written" in r.stdout
    for name, text in plans(path).items():
        with open(os.path.join(out, name + ".conf")) as f:
            assert f.read() == text
    assert run("check", os.path.join(out, "agg-11.conf")).returncode == 0
    os.remove(os.path.join(out, "samp-2.conf"))
    was = os.stat(os.path.join(out, "agg-2.conf")).st_mtime_ns
    assert "1 written, 6 were so already" in run("maestro", "plan", path, "-o", out).stdout
    assert os.stat(os.path.join(out, "agg-2.conf")).st_mtime_ns == was
    assert sorted(os.listdir(out)) == sorted(n + ".conf" for n in plans(path))


def test_graph():
    path = os.path.join(DATA, "worked.yaml")
    assert run("maestro", "graph", path).stdout == """\
agg-2 (sock:head-3:411)
|- agg-11 (sock:head-1:411)
|  `- samp-[1-2]: 2
`- agg-12 (sock:head-2:411)
   `- samp-[3-4]: 2
"""
    dot = run("maestro", "graph", "--dot", path).stdout
    assert dot.startswith("digraph") and '"samp-[1-2]" -> "agg-11";' in dot and '"agg-12" -> "agg-2";' in dot
    assert run("maestro", "graph", os.path.join(DATA, "advertise.yaml")).stdout == """\
top (sock:top:411)
|- agg-1 (sock:head-1:411)
|  `- who advertises
`- agg-2 (sock:head-2:411)
   `- who advertises
who advertises: samp-[1-4]: 4
"""


def test_words(tmp_path):
    path = os.path.join(DATA, "worked.yaml")
    assert "did you mean 'plan'" in run("maestro", "plann", path).stderr
    assert "something is missing: ldms maestro plan FILE" in run("maestro", "plan").stderr
    assert "is left over" in run("maestro", "graph", path, path).stderr
    assert "there is no daemon 'x'" in run("maestro", "plan", path, "-n", "x").stderr
    assert "No such file" in run("maestro", "plan", str(tmp_path / "none")).stderr
    slash = tmp_path / "slash.yaml"
    slash.write_text('daemons: [{names: "../x", hosts: h, endpoints: [{names: e, ports: 411}]}]\n')
    assert "cannot be the name of a file" in run("maestro", "plan", str(slash), "-o", str(tmp_path / "o")).stderr
    assert os.listdir(tmp_path / "o") == []


# -- what is wrong with a file as a whole ----------------------------------------------------------------------------------

BASE = """\
daemons:
  - {names: "s[1-4]", hosts: "n[1-4]", endpoints: [{names: "s[1-4]-ep", ports: 411, maestro_comm: true}]}
  - {names: "a[1-2]", hosts: "h[1-2]", endpoints: [{names: "a[1-2]-ep", ports: 411, maestro_comm: true}]}
  - {names: "t", hosts: "h1", endpoints: [{names: "t-ep", ports: 412, maestro_comm: true}]}
aggregators:
  - {daemons: "a[1-2]", peers: [{daemons: "s[1-4]", endpoints: "s[1-4]-ep", reconnect: 1s, type: active}]}
  - {daemons: t, peers: [{daemons: "a[1-2]", endpoints: "a[1-2]-ep", reconnect: 1s, type: active}]}
samplers: [{daemons: "s[1-4]", plugins: [m]}]
plugins: {m: {name: meminfo, interval: 1s}, st: {name: store_csv, config: [{path: /x}]}}
stores:
  mem: {daemons: t, plugin: st, container: c, schema: meminfo}
"""


@pytest.mark.parametrize("old,new,line,words", [
    ("hosts: \"h1\"", "hosts: \"h1\"", 0, None),  # as it is, it is right
    ("ports: 412", "ports: 411", 4, "port 411 of h1 is that of endpoint a1-ep already"),
    ("names: \"t\"", "names: \"s2\"", 4, "daemon s2: there is another one of that name"),
    ("names: \"t-ep\"", "names: \"a1-ep\"", 4, "endpoint a1-ep: there is another one of that name"),
    ("endpoints: \"s[1-4]-ep\"", "endpoints: \"s[1-5]-ep\"", 6, "there is no endpoint 's5-ep'"),
    ("endpoints: \"a[1-2]-ep\"", "endpoints: \"a[1-2]ep\"", 7, "did you mean 'a1-ep'"),
    ("daemons: \"s[1-4]\", endpoints", "daemons: \"s[1-3]\", endpoints", 6, "s4-ep is one of s4, whom `daemons` does not name"),
    ("samplers: [{daemons: \"s[1-4]\"", "samplers: [{daemons: \"s[1-9]\"", 8, "there are no daemons of 2 more of these names"),
    ("daemons: t, plugin", "daemons: tt, plugin", 11, "there is no daemon 'tt'; did you mean 't'"),
    ("daemons: \"s[1-4]\", endpoints: \"s[1-4]-ep\"", "daemons: t, endpoints: t-ep", 6,
     "a[1-2] collects from t collects from a[1-2]: nobody can collect from himself"),
    ("daemons: t, peers", "daemons: a1, peers", 7, "a1 collects from a1: nobody can"),
    ("stores:\n  mem: {daemons: t", "stores:\n  mem: {daemons: s1", 0, None),
    ("samplers: [{daemons: \"s[1-4]\"", "samplers: [{daemons: \"s[1-3]\"", 0, None),
    ("daemons: t, peers: [{daemons: \"a[1-2]\", endpoints: \"a[1-2]-ep\", reconnect: 1s, type: active}]", "daemons: t", 7,
     "collects from nobody"),
    ("type: active}]}\n  - {daemons: t", "type: active}, {endpoints: s1-ep, reconnect: 1s, type: active}]}\n  - {daemons: t", 6,
     "endpoint s1-ep stands in two entries"),
    ("daemons: \"a[1-2]\", peers", "rebalance: eagerly, daemons: \"a[1-2]\", peers", 6, "'eagerly' is not one of eager|sticky"),
    ("plugins: [m]}", "plugins: [m], advertise: {hosts: h1, xprt: sock, port: 499, reconnect: 1s}}", 8, "no endpoint of host h1 has port 499"),
    ("plugins: [m]}", "plugins: [m], advertise: {names: x, hosts: h1, xprt: sock, port: 411, reconnect: 1s}}", 8, "1 names for 4 daemons"),
    ("stores:\n", "maestro: {rebalanc: sticky}\nstores:\n", 10, "maestro: 'rebalanc' means nothing here; did you mean 'rebalance'?"),
    ("stores:\n", "maestro: {balance: sets}\nstores:\n", 10, "'sets' is not one of producers|bytes"),
    ("plugin: st, container", "shard: x, plugin: st, container", 11, "'x' is neither K/N nor a number"),
    ("ports: 412, maestro_comm: true", "ports: 70000, maestro_comm: true", 4, "numbers from 1 to 65535"),
    ("hosts: \"n[1-4]\"", "hosts: \"n[8-11]\"", 2, "ldmsd pairs them sorted as text"),
    ("reconnect: 1s, type: active}]}\nsamplers", "recconnect: 1s, type: active}]}\nsamplers", 7, "did you mean 'reconnect'"),
])
def test_what_is_wrong(tmp_path, old, new, line, words):
    assert old in BASE
    path = tmp_path / "c.yaml"
    path.write_text(BASE.replace(old, new, 1))
    r = run("maestro", "graph", str(path))
    if words is None:
        assert r.returncode == 0 and not r.stderr, r.stderr
        return
    assert any(ln.startswith(f"{path}:{line}:") and words in ln for ln in r.stderr.splitlines()), r.stderr
    assert r.returncode == any("warning: " not in ln for ln in r.stderr.splitlines())
    c = run("check", str(path))
    assert any(ln.startswith(f"{path}:{line}:") and words in ln for ln in c.stderr.splitlines()) or "65535" in words


def test_nothing_to_store(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(BASE.replace('samplers: [{daemons: "s[1-4]"', 'samplers: [{daemons: "s[1-3]"').replace("mem: {daemons: t", "mem: {daemons: s4"))
    r = run("maestro", "graph", str(path))
    assert r.returncode == 1 and "s4 is no aggregator and no sampler: it has nothing to store" in r.stderr


def test_a_daemon_is_told_of_its_part_alone(tmp_path):
    """What is wrong elsewhere in the file does not keep the samplers from starting."""
    path = tmp_path / "c.yaml"
    path.write_text(BASE.replace('endpoints: "a[1-2]-ep"', 'endpoints: "b[1-2]-ep"').replace("plugin: st", "plugn: st"))
    assert run("check", str(path)).returncode == 1
    cluster_port = free_port()
    r = run("agg", "-x", f"sock:{cluster_port}:127.0.0.1", "-y", str(path), "-n", "t")
    assert r.returncode and "no endpoint 'b1-ep'" in r.stderr


# -- daemons that take their part ------------------------------------------------------------------------------------------

def test_who_am_i_and_changes(cluster):
    """Without -n a daemon is the one of its host; when the file changes it follows, and keeps what it has when that is wrong."""
    host = os.uname().nodename
    a, b = free_port(), free_port()
    text = f"""\
daemons:
  - {{names: one, hosts: {host}, endpoints: [{{names: one-ep, ports: {a}, hosts: 127.0.0.1}}]}}
  - {{names: two, hosts: {host}, endpoints: [{{names: two-ep, ports: {b}, hosts: 127.0.0.1}}]}}
  - {{names: far, hosts: elsewhere, endpoints: [{{names: far-ep, ports: {b}}}]}}
samplers: [{{daemons: one, plugins: [load]}}]
plugins:
  load: {{name: loadavg, interval: 100ms}}
  more: {{name: loadavg, interval: 100ms}}
aggregators:
  - {{daemons: two, peers: [{{endpoints: one-ep, type: active, reconnect: 100ms, updaters: [{{interval: 100ms}}]}}]}}
"""
    path = cluster.write("c.yaml", text)
    samp = cluster.daemon("samp", ["samp", "-y", path], a)
    agg = cluster.daemon("agg", ["agg", "-y", path], b)
    assert wait_for(lambda: agg.values("one/load"), "the aggregator's set")
    cluster.write("c.yaml", text.replace("plugins: [load]", "plugins: [load, mroe]"))
    assert wait_for(lambda: '"mroe" is not defined' in samp.text(), "a complaint")
    assert samp.ls() == ["one/load"]
    cluster.write("c.yaml", text.replace("plugins: [load]", "plugins: [load, more]"))
    assert wait_for(lambda: agg.values("one/more"), "the new set")
    several = cluster.write("d.yaml", text.replace("daemons: two", "daemons: one"))
    r = run("samp", "-y", several.replace("d.yaml", "c.yaml").replace("c.yaml", "d.yaml"))
    assert r.returncode and "say with -n which one this is" in r.stderr
    none = cluster.write("e.yaml", text.replace(f"hosts: {host}", "hosts: nowhere"))
    r = run("samp", "-y", none)
    assert r.returncode and "or has that host" in r.stderr


@needs_ldmsd
def test_an_ldmsd_takes_the_plan(cluster):
    """Two entries of peers, so that its updaters have expressions for names; the whole tree is theirs."""
    a, b, c = free_port(), free_port(), free_port()
    path = cluster.write("c.yaml", f"""\
daemons:
  - {{names: "s[1-2]", hosts: localhost, set_memory: 8M, endpoints: [{{names: "s[1-2]", ports: "{a},{b}"}}]}}
  - {{names: agg, hosts: localhost, set_memory: 8M, endpoints: [{{names: agg, ports: {c}}}]}}
samplers: [{{daemons: "s[1-2]", plugins: [m, l]}}]
plugins: {{m: {{name: meminfo, interval: 200ms, config: [{{perm: "0777"}}]}}, l: {{name: loadavg, interval: 200ms, config: [{{perm: "0777"}}]}}}}
aggregators:
  - daemons: agg
    peers:
      - {{daemons: s1, endpoints: s1, type: active, reconnect: 200ms, updaters: [{{interval: 200ms}}]}}
      - {{daemons: s2, endpoints: s2, type: active, reconnect: 200ms, updaters: [{{interval: 200ms, sets: [{{regex: meminfo, field: schema}}]}}]}}
""")
    assert run("maestro", "plan", path, "-o", cluster.path("conf")).returncode == 0
    ls = {}
    for name, port in (("s1", a), ("s2", b), ("agg", c)):
        ls[name] = cluster.daemon(name, ["-c", cluster.path(f"conf/{name}.conf"), "-v", "INFO"], port,
                                  program=[os.path.join(PREFIX, "sbin/ldmsd")], env=real_env())
    assert wait_for(lambda: set(ls["agg"].values()) >= {"s1/m", "s1/l", "s2/m"}, "the aggregator's sets")
    assert "s2/l" not in ls["agg"].values("s2/l")
