"""`ldms check`: clean files are clean, and what is broken is named at its line."""
import glob
import json
import os
import random
import re

import pytest
from ldms import ROOT, free_port, run, wait_for

DATA = os.path.join(ROOT, "tests", "data")

FILES = sorted(glob.glob(os.path.join(DATA, "conf", "*.conf")))
YAMLS = sorted(glob.glob(os.path.join(DATA, "conf", "*.yaml")))
SEED, VARIANTS = 4711, 240


@pytest.fixture
def env(tmp_path):
    """What the configurations of tests/data/conf take from the environment."""
    secret, store = tmp_path / "secret", tmp_path / "store"
    secret.write_text("secretword=not-so-secret-after-all\n")
    secret.chmod(0o600)
    store.mkdir()
    return dict(os.environ, SECRET=str(secret), STORE=str(store), HOSTNAME="nid1", COMPID="7")


def check(*args, **kw):
    r = run("check", "--json", *args, **kw)
    return r, json.loads(r.stdout)


@pytest.mark.parametrize("path", FILES + YAMLS, ids=os.path.basename)
def test_no_false_alarm(path, env):
    r, got = check("--strict", path, env=env)
    assert r.returncode == 0 and got["notes"] == []


def test_there_are_enough():
    assert len(FILES) + len(YAMLS) >= 12


# -- a mutator ----------------------------------------------------------------------------------------------------------

def verbs():
    """Verb -> its attributes: (name, type, required), as verbs.c has them, for those that take no free text."""
    r = run("check", "--json", "--explain", *FILES)
    assert r.stdout
    return {ln["verb"] for d in json.loads(r.stdout)["daemons"] for o in d["objects"] for ln in o["lines"]}


def commands(text):
    """(line numbers, words) of each command; comments and continuations as in the manual."""
    out, nums, words = [], [], []
    for i, line in enumerate(text.split("\n"), 1):
        line = re.sub(r"(^|(?<=\s))#.*", "", line).strip()
        more = line.endswith("\\")
        if more:
            line = line[:-1]
        if line.strip():
            nums.append(i)
            words += line.split()
        if not more:
            if words:
                out.append((nums, words))
            nums, words = [], []
    return out


FREE = {"config", "auth_add", "default_auth", "env", "option", "limits"}
NUMBERS = {"interval", "offset", "reconnect", "port", "quota", "rx_rate", "rail", "flush", "perm", "size", "advertiser_port",
           "ask_interval", "reset_interval", "ask_mark", "ask_amount"}
REQUIRED = {"name", "type", "regex", "metric", "instance", "plugin", "size", "level"}
OPTIONAL = {("auth_add", "plugin"), ("load", "plugin"), ("prdcr_listen_add", "regex"), ("prdcr_listen_add", "type"),
            ("strgp_add", "regex"), ("advertiser_start", "type")}
OWNED = ("_start", "_prdcr_add", "_match_add", "_metric_add", "setgroup_ins")


def typo(rng, word):
    i = rng.randrange(len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0 and word[i] != word[i + 1]:
        return word[:i] + word[i + 1] + word[i] + word[i + 2:]
    return word[:i] + word[i + 1:] if kind == 1 else word[:i + 1] + "q" + word[i + 1:]


def with_word(words, k, new):
    return words[:k] + ([new] if new is not None else []) + words[k + 1:]


def mutations(rng, cmds, known):
    """All ways to break a file: (what, words of the commands, index of the one that is wrong)."""
    def put(i, words):
        return [(n, w if k != i else words) for k, (n, w) in enumerate(cmds)]
    for i, (_, words) in enumerate(cmds):
        verb, attrs = words[0], words[1:]
        bad = typo(rng, verb)
        if bad not in known:
            yield "verb", put(i, with_word(words, 0, bad)), i
        for k, word in enumerate(attrs, 1):
            name, eq, value = word.partition("=")
            if not eq or not value:
                continue
            if verb not in FREE and len(name) > 2:
                yield "attribute", put(i, with_word(words, k, f"{typo(rng, name)}={value}")), i
            if verb not in FREE and name in REQUIRED and (verb, name) not in OPTIONAL:
                yield "missing", put(i, with_word(words, k, None)), i
            if verb not in FREE and name in NUMBERS and "$" not in value:
                yield "number", put(i, with_word(words, k, f"{name}={rng.choice(['x', '5x', '1..2', 'ten', '0y9'])}")), i
            if name in ("type", "match", "level"):
                yield "word", put(i, with_word(words, k, f"{name}={typo(rng, value)}")), i
            if name == "regex":
                yield "regex", put(i, with_word(words, k, f"regex=({value}[")), i
            if name == "xprt":
                yield "transport", put(i, with_word(words, k, "xprt=sokc")), i
            if name == "auth":
                yield "domain", put(i, with_word(words, k, "auth=nobody")), i
            if verb == "load" and name == "plugin":
                yield "plugin", put(i, with_word(words, k, f"plugin=no_{value}")), i
            if verb == "strgp_add" and name == "plugin":
                yield "plugin", put(i, with_word(words, k, f"plugin=no_{value}")), i
            if name == "name" and verb.endswith(OWNED) and not (verb == "advertiser_start" and len(attrs) > 1):
                yield "object", put(i, with_word(words, k, f"name=no_{value}")), i
            if name == "name" and verb in ("config", "start"):
                yield "object", put(i, with_word(words, k, f"name=no_{value}")), i
            if "${" in value:
                yield "variable", put(i, with_word(words, k, word.replace("}", ""))), i
            if name in ("host", "container", "stream", "schema", "path"):
                yield "quote", put(i, with_word(words, k, f'{name}="{value}')), i
            if verb == "config" and name in ("component_id", "instance", "path", "altheader", "metrics", "ifaces"):
                yield "plugin's attribute", put(i, with_word(words, k, f"{typo(rng, name)}={value}")), i
        if verb.endswith("_add") and verb not in ("updtr_prdcr_add", "updtr_match_add", "strgp_prdcr_add",
                                                  "strgp_metric_add"):
            yield "twice", cmds[:i + 1] + [([0], words)] + cmds[i + 1:], i + 1
        if verb == "listen" and any(w.startswith("port=") for w in words):
            yield "twice", cmds[:i + 1] + [([0], words)] + cmds[i + 1:], i + 1
        if verb in ("updtr_prdcr_add", "updtr_match_add", "strgp_prdcr_add", "strgp_metric_add", "setgroup_ins"):
            yield "order", [cmds[i]] + cmds[:i] + cmds[i + 1:], 0
        if verb in ("updtr_add", "start") and any(w.startswith("interval=") and "$" not in w for w in words):
            yield "offset", put(i, [w for w in words if not w.startswith("offset=")] + ["offset=7d"]), i


def test_broken_variants(env, tmp_path):
    """At least 95 of 100 are named at their line, and nearly all of those are errors."""
    rng, known, all_ = random.Random(SEED), verbs(), []
    for path in FILES:
        with open(path) as f:
            all_ += [(os.path.basename(path), *m) for m in mutations(rng, commands(f.read()), known)]
    kinds = sorted({m[1] for m in all_})
    assert len(kinds) >= 14
    chosen = [rng.choice([m for m in all_ if m[1] == kinds[i % len(kinds)]]) for i in range(VARIANTS)]
    missed, elsewhere = [], 0
    for i, (base, kind, cmds, wrong) in enumerate(chosen):
        path = tmp_path / f"{i}.conf"
        path.write_text("".join(" ".join(words) + "\n" for _, words in cmds))
        _, got = check(str(path), env=env)
        if not any(n["line"] == wrong + 1 for n in got["notes"]):
            missed.append((base, kind, cmds[wrong][1], got["notes"]))
        elsewhere += any(n["severity"] == "error" and n["line"] != wrong + 1 for n in got["notes"])
    print(*missed, sep="\n")
    assert len(missed) <= VARIANTS * 5 // 100
    # one slip is one complaint: what leans on it is not blamed
    assert elsewhere <= VARIANTS // 10


# -- one by one ---------------------------------------------------------------------------------------------------------

def lines(got):
    return [(n["line"], n["column"], n["severity"]) for n in got["notes"]]


def test_all_at_once_and_where(cluster):
    conf = cluster.write("a.conf", """\
lod name=x
prdcr_add name=a type=actve host=h port=99999 foo=1
updtr_add name=u interval=1s offset=2s
updtr_prdcr_add \\
    name=v regex=(
prdcr_start name=b
load name=loadavg
config name=loadavg metrcs=load1min
failover_config host=h port=411 xprt=nope peer_name=x
""")
    r, got = check(conf)
    assert r.returncode == 1
    assert lines(got) == [(1, 1, "error"), (2, 23, "error"), (2, 41, "error"), (2, 47, "error"), (3, 1, "error"),
                          (5, 18, "error"), (6, 1, "error"), (8, 1, "error"), (9, 1, "error")]
    words = [n["words"] for n in got["notes"]]
    assert "did you mean 'load'?" in words[0] and "active|bridge|local|passive" in words[1]
    assert "did you mean metrics?" in words[-2] and "transport nope: unknown" in words[-1]
    r = run("check", conf)
    assert r.returncode == 1 and "a.conf:2:41: " in r.stderr and "9 errors, 0 warnings" in r.stderr


def test_several_files_are_one_configuration(cluster):
    a = cluster.write("a.conf", "prdcr_start name=p\nupdtr_start name=u\n")
    b = cluster.write("b.conf", "prdcr_add name=p type=active host=h port=411 reconnect=1s\n"
                                "updtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=p\nlisten xprt=sock port=1\n")
    assert run("check", "--strict", a, b).returncode == 0
    assert run("check", a).returncode == 1
    c = cluster.write("c.conf", f"include path={b}\nfoo\n")
    r, got = check(c, a)
    assert r.returncode == 1 and [(os.path.basename(n["file"]), n["line"]) for n in got["notes"]] == [("c.conf", 2)]
    r, got = check(cluster.path("nowhere.conf"), a)
    assert r.returncode == 1 and "nowhere.conf: No such file" in got["notes"][0]["words"]


@pytest.mark.parametrize("line,words", [
    ("prdcr_add name=q type=active host=h2 port=411 reconnect=1s", "never started"),
    ("updtr_add name=w interval=1s\nupdtr_start name=w", "reads no producer"),
    ("updtr_prdcr_add name=u regex=^zz$", "no producer's name matches"),
    ("prdcr_start_regex regex=nobody", "no producer's name matches"),
    ("load name=csv\nconfig name=csv path=/", "used by no storage policy"),
    ("load name=csv\nconfig name=csv path=/nowhere/at/all", "No such file or directory"),
    ("load name=none\nconfig name=none\nstrgp_add name=s plugin=none schema=s spool=/nowhere/at/all\nstrgp_start name=s",
     "spool /nowhere/at/all: /nowhere: No such file or directory"),
    ("prdcr_subscribe stream=s regex=.*", "stream_enable"),
    ("prdcr_add name=q type=active host=h port=411 reconnect=1s\nprdcr_start name=q", "is also producer p"),
    ("load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=10", "10 microseconds; was 10s meant?"),
    ("daemon_name name=a\ndaemon_name name=b", "was set already"),
    ("updtr_match_add name=u regex=\"x\"", "there is no quoting"),
    ("updtr_match_add name=u regex=${X", "is not closed"),
    ("updtr_match_add name=u regex=$(hostname)", "commands are not run"),
    ("updtr_match_add name=u regex=a regex=b", "given twice"),
    ("updtr_add name=z interval=${NOT_SET_ANYWHERE}", "the variable NOT_SET_ANYWHERE is not set here"),
    ("include path=nothing-here-*.conf", "no file matches"),
    ("log_file path=/nowhere/at/all/x.log", "No such file or directory"),
])
def test_what_is_suspicious(cluster, line, words):
    conf = cluster.write("a.conf", f"""\
prdcr_add name=p type=active host=h port=411 reconnect=1s
prdcr_start name=p
updtr_add name=u interval=1s
updtr_prdcr_add name=u regex=p
updtr_start name=u
{line}
""")
    r, got = check(conf)
    assert r.returncode == 0 and got["errors"] == 0
    assert any(words in n["words"] and n["line"] >= 6 for n in got["notes"]), got["notes"]
    assert run("check", "--strict", conf).returncode == 2


def test_hosts_are_looked_up_only_when_asked(cluster):
    conf = cluster.write("a.conf", "prdcr_add name=p type=active host=no-such-host.invalid port=411 reconnect=1s\n"
                                   "prdcr_start name=p\nupdtr_add name=u interval=1s\nupdtr_prdcr_add name=u regex=p\n"
                                   "updtr_start name=u\n")
    assert run("check", "--strict", conf).returncode == 0
    r = run("check", "--strict", "--resolve", conf)
    assert r.returncode == 2 and "no-such-host.invalid" in r.stderr


def test_nothing_is_opened(cluster):
    """Neither ports, nor files, nor sources."""
    port = free_port()
    conf = cluster.write("a.conf", f"listen xprt=sock port={port}\nlog_file path={cluster.path('log')}\n"
                                   f"load name=csv\nconfig name=csv path={cluster.path('store')}\n"
                                   "strgp_add name=s plugin=csv schema=x\nstrgp_start name=s\n"
                                   f"option -l {cluster.path('log2')}\n"
                                   "load name=meminfo\nconfig name=meminfo\nstart name=meminfo interval=1s\n")
    samp = cluster.samp("n1", "loadavg", port=port)
    samp.says("is ready")
    assert run("check", conf).returncode == 0
    assert samp.alive() and not [f for f in os.listdir(cluster.dir) if f.startswith(("log", "store"))]


def test_explain(cluster):
    conf = cluster.write("a.conf", "env HOST=h7\nprdcr_add name=p type=active \\\n  host=${HOST} port=411 reconnect=1s\n"
                                   "prdcr_start name=p\n")
    _, got = check("--explain", conf)
    objects = {(o["kind"], o["name"]): o for o in got["daemons"][0]["objects"]}
    add = objects["producer", "p"]["lines"][0]
    assert add["verb"] == "prdcr_add" and add["line"] == 2
    assert {"name": "host", "value": "h7", "line": 3, "column": 3} in add["attributes"]
    text = run("check", "--explain", conf).stdout
    assert re.search(r"host = h7 +\S+a\.conf:3:3", text) and re.search(r"rail = 1 +default", text)


# -- daemons ------------------------------------------------------------------------------------------------------------

BROKEN = """\
listen xprt=sock port={port}
load name=loadavg
config name=loadavg producer=n instance=n/loadavg
start name=loadavg interval=100ms
load name=nosuch
prdcr_add name=far type=active host=no-such-host.invalid port=411 reconnect=1s
prdcr_start name=far
updtr_add name=u interval=1s offset=3s
strgp_add name=s plugin=missing schema=x
strgp_start name=s
"""


def test_a_daemon_refuses_and_can_keep_going(cluster):
    port = free_port()
    conf = cluster.write("bad.conf", BROKEN.format(port=port))
    r = run("samp", "-c", conf)
    assert r.returncode == 2 and "3 errors in the configuration" in r.stderr
    for line in (5, 8, 9):
        assert f"bad.conf:{line}:" in r.stderr
    samp = cluster.daemon("samp", ["samp", "--keep-going", "-c", conf], port)
    assert wait_for(lambda: samp.values("n/loadavg"), "n/loadavg")
    assert "3 lines of the configuration could not be carried out and were left out" in samp.text()


@pytest.mark.parametrize("line", ["default_auth plugin=oviss", "default_auht plugin=ovis", "include path=/nowhere",
                                  "metric_sets_default_authz perm=99", "option --default_auth"])
def test_keep_going_never_opens_a_door(cluster, line):
    conf = cluster.write("bad.conf", f"listen xprt=sock port={free_port()}\n{line}\n")
    r = run("samp", "--keep-going", "-c", conf)
    assert r.returncode and "does not go on without" in r.stderr


# -- cluster files ------------------------------------------------------------------------------------------------------

def explained(path, daemon, env):
    """The commands for one daemon: [(verb, {attribute: value})]."""
    _, got = check("--explain", "-n", daemon, path, env=env)
    out = [(ln["line"], ln["column"], ln["verb"], {a["name"]: a["value"] for a in ln["attributes"]})
           for d in got["daemons"] for o in d["objects"] for ln in o["lines"]]
    return [(verb, attrs) for _, _, verb, attrs in out]


def test_a_cluster_file_becomes_commands(env):
    path = os.path.join(DATA, "conf", "cluster.yaml")
    samp = explained(path, "samp-2", env)
    assert ("listen", {"xprt": "sock", "port": "411", "auth": "site", "host": "node-2"}) in samp
    assert ("load", {"name": "meminfo1", "plugin": "meminfo"}) in samp
    assert ("config", {"name": "meminfo1", "": "schema=meminfo component_id=7 perm=0777 producer=samp-2 "
                                               "instance=samp-2/meminfo1"}) in samp
    assert ("start", {"name": "vmstat1", "interval": "8000000"}) in samp
    assert ("option", {"": "--set_memory 64m"}) in samp and ("msg_enable", {}) in samp
    agg = explained(path, "agg-12", env)
    prdcrs = [a for v, a in agg if v == "prdcr_add"]
    assert [p["name"] for p in prdcrs] == ["samp-3-ep", "samp-4-ep"]
    assert prdcrs[0] == {"name": "samp-3-ep", "type": "active", "host": "node-3", "port": "411", "xprt": "sock",
                         "reconnect": "20000000", "auth": "site", "perm": "0644"}
    assert ("updtr_add", {"name": "updtr_0", "auto_interval": "true", "interval": "1000000", "offset": "200000"}) in agg
    assert ("updtr_match_add", {"name": "updtr_0", "regex": ".*", "match": "inst"}) in agg
    top = explained(path, "agg-2", env)
    assert ("updtr_add", {"name": "updtr_1", "push": "onchange", "interval": "1000000"}) in top
    assert ("listen", {"xprt": "sock", "port": "413", "auth": "site", "host": "0.0.0.0"}) in top
    assert ("strgp_add", {"name": "csv-meminfo", "plugin": "csv1", "container": "ldms_data", "schema": "meminfo",
                          "flush": "10000000", "queue_bytes": "8M", "queue_age": "60000000",
                          "spool": env["STORE"] + "/spool", "spool_bytes": "64M", "spool_age": "86400000000",
                          "shard": "1/2"}) in top


@pytest.mark.parametrize("old,new,words", [
    ("hosts: \"node-[1-4]\"", "hosts: \"node-[1-3]\"", "3 for 4 daemons"),
    ("hosts: \"node-[1-4]\"", "hosts: \"node-[1-4\"", "bracket"),
    ("xprt: sock\n        maestro", "xprt: sokc\n        maestro", "sokc"),
    ("interval: 1.0s", "interval: 1.0y", "1.0y"),
    ("mode: auto", "mode: autoo", "is not one of pull|auto|push|onchange"),
    ("name: vmstat\n", "name: vmstatt\n", "did you mean 'vmstat'"),
    ("plugins: [meminfo1, vmstat1]", "plugins: [meminfo1, vmstat2]", "\"vmstat2\" is not defined"),
    ("reconnect: 20s\n        type: active\n        perm", "type: active\n        perm", "\"reconnect\" attribute"),
    ("perm: \"rw-r--r--\"", "perm: \"rw-r--x--\"", "neither as rw-r----- nor octal"),
    ("updaters:\n          - mode", "updatrs:\n          - mode", "did you mean 'updaters'"),
    ("altheader: 0", "altheader: 7", "altheader"),
    ("plugin: csv1", "plugin: csv2", "\"csv2\" is not defined"),
    ("daemons: *l2\n    container", "daemons: *l9\n    container", "alias"),
    ("samplers:\n", "samplers: [\n", "YAML"),
])
def test_broken_cluster_files(env, tmp_path, old, new, words):
    with open(os.path.join(DATA, "conf", "cluster.yaml")) as f:
        text = f.read()
    assert old in text
    path = tmp_path / "c.yaml"
    changed = text.replace(old, new, 1)
    path.write_text(changed)
    # where it was changed, or where the entry begins that lacks something now; bad syntax shows later
    line = next(i for i, (was, now) in enumerate(zip(text.split("\n"), changed.split("\n")), 1) if was != now)
    r, got = check("--strict", str(path), env=env)
    assert r.returncode in (1, 2)
    assert [n for n in got["notes"] if words in n["words"] and (words == "YAML" or line - 2 <= n["line"] <= line)]


def test_plugins_are_judged_also_where_a_file_is_missing(cluster):
    """What an included file may have made is not; samplers and stores are the program's."""
    r = run("check", cluster.write("c.conf", "include path=nowhere.conf\nload name=memnfo\nprdcr_start name=p\n"))
    assert "c.conf:2:6: load name=memnfo" in r.stderr and "did you mean 'meminfo'?" in r.stderr and ":3:" not in r.stderr


def test_a_daemon_takes_its_part_of_a_cluster_file(cluster):
    a, b = free_port(), free_port()
    path = cluster.write("c.yaml", f"""\
daemons:
  - names: samp
    hosts: 127.0.0.1
    endpoints: [{{names: samp-ep, ports: {a}}}]
  - names: agg
    hosts: 127.0.0.1
    endpoints: [{{names: agg-ep, ports: {b}}}]
samplers:
  - daemons: samp
    plugins: [load]
plugins:
  load: {{name: loadavg, interval: 100ms, config: [{{component_id: "7"}}]}}
aggregators:
  - daemons: agg
    peers:
      - {{daemons: samp, endpoints: samp-ep, type: active, reconnect: 100ms, updaters: [{{interval: 100ms}}]}}
""")
    samp = cluster.daemon("samp", ["samp", "-y", path, "-n", "samp"], a)
    agg = cluster.daemon("agg", ["agg", "-y", path, "-n", "agg"], b)
    assert wait_for(lambda: samp.values("samp/load"), "the sampler's set")
    assert wait_for(lambda: agg.values("samp/load"), "the aggregator's set")
    r = run("agg", "-y", path, "-n", "nobody")
    assert r.returncode == 22 and "there is no daemon 'nobody'" in r.stderr
