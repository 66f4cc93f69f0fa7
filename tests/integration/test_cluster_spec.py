"""Virtual clusters from a specification: its daemons come up, serve each other, are stopped and started."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import ldms
from ldms import LDMS, PATIENCE_S, ROOT, real_ldmsd, wait_for
from real import needs_ldmsd

DATA = os.path.join(ROOT, "tests", "data", "cluster")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def needs(*programs):
    missing = [p for p in programs if not shutil.which(p, path=PATH)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {' '.join(missing)}")


needs_munge = needs("munged", "munge")
needs_slurm = needs("slurmctld", "slurmd", "srun", "munged")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Slurm takes on the users of jobs: it wants root")


def daemons(c):
    """{node: {daemon: state}}"""
    return {n["name"]: {d["name"]: d["state"] for d in n["daemons"]} for n in c.status()}


def pid(c, node, name):
    return next(d["pid"] for n in c.status() if n["name"] == node for d in n["daemons"] if d["name"] == name)


def log(c, node, name="ldmsd"):
    return c.cluster("logs", node).stdout if name is None else c.node(node).run(["cat", f"/var/log/{name}.log"]).stdout


# -- LDMS ---------------------------------------------------------------------------------------------------------------


def test_two_levels(hosts):
    """The samplers' sets reach the upper level; daemons are stopped, killed and started again."""
    c = hosts(os.path.join(DATA, "two-levels.json"))
    both = {"node-1/meminfo", "node-2/meminfo"}
    assert daemons(c) == {"node-1": {"s": "running"}, "node-2": {"s": "running"}, "agg-1": {"a": "running"},
                          "agg-2": {"a": "running"}}
    top = c.node("agg-2")
    wait_for(lambda: set(top.ls("head")) == both, "both sets, on the upper level")
    values = wait_for(lambda: {s["dir_info"]["name"]: {m["name"]: m["value"] for m in s["metrics"]}
                               for s in top.ls_json("-l")["long_sets"] if "C" in s["dir_info"]["flags"]}, "values")
    assert values["node-2/meminfo"]["component_id"] == 2
    assert "CONNECTED" in log(c, "agg-1", None)

    was = pid(c, "node-1", "s")
    c.cluster("start", "node-1")  # runs already
    assert pid(c, "node-1", "s") == was
    c.cluster("stop", "node-[1-2]")
    c.cluster("stop", "node-1", "s")
    assert daemons(c)["node-1"] == daemons(c)["node-2"] == {}
    wait_for(lambda: top.ls("agg-1") == [], "no sets any more")
    c.cluster("start", "node-1,node-2", "s")
    wait_for(lambda: set(top.ls("head")) == both, "both sets, again")
    c.fault("kill", "node-1/s")
    wait_for(lambda: daemons(c)["node-1"] == {"s": "ended"}, "the killed one, seen to be")
    c.cluster("restart", "node-1")
    assert daemons(c)["node-1"] == {"s": "running"}
    r = c.cluster("stop", "head", "b", may_fail=True)
    assert r.returncode == 1 and "node agg-2 has no daemon 'b'" in r.stderr


@needs_ldmsd
def test_installed_ldmsd(hosts):
    """One of two daemons is the installed one; the generated file means the same to both."""
    c = hosts({"templates": {
        "d": {"name": "d", "type": "ldmsd", "listen": {"xprt": "sock", "port": 411},
              "samplers": {"plugin": "meminfo", "start": True, "interval": 200000, "offset": 0,
                           "config": ["producer=%hostname%", "instance=%hostname%/meminfo"]},
              "prdcrs": {"name": "%peer%", "host": "%peer%", "xprt": "sock", "port": 411, "type": "active",
                         "reconnect": 200000, "start": True},
              "config": ["updtr_add name=u interval=200000", "updtr_prdcr_add name=u regex=.*", "updtr_start name=u"]}},
        "nodes": [{"hostname": "ours", "peer": "theirs", "daemons": {"!extends": "d"}},
                  {"hostname": "theirs", "peer": "ours", "ovis_prefix": real_ldmsd(), "daemons": {"!extends": "d"}}]})
    for name in "ours", "theirs":
        wait_for(lambda: set(c.node(name).ls(port=411)) == {"ours/meminfo", "theirs/meminfo"},
                 f"both sets in {name}")
    exe = os.readlink(f"/proc/{pid(c, 'theirs', 'd')}/exe")
    assert exe == os.path.realpath(os.path.join(real_ldmsd(), "sbin/ldmsd"))
    assert os.readlink(f"/proc/{pid(c, 'ours', 'd')}/exe") != exe


def test_hosts_and_environment(hosts, tmp_path):
    """Names, addresses, mounts and variables are those of the specification; so is a command of ours."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "file").write_text("shared")
    c = hosts({"ipv6": True, "mounts": [f"{tmp_path}/x:/tmp/mounted:ro"], "env": {"A": "top", "B": "top", "C": "top"},
               "nodes": [{"hostname": "n1", "aliases": ["one", "eins"], "env": {"B": "%hostname%", "C": "node"},
                          "daemons": [{"name": "d", "type": "ldms", "env": {"C": "daemon"},
                                       "command": ["samp", "-x", "sock:411", "--samp", "meminfo"]}]},
                         {"hostname": "n2"}]})
    n1, n2 = c.node("n1"), c.node("n2")
    env = dict(line.split("=", 1) for line in n1.run(["env"]).stdout.splitlines() if "=" in line)
    assert (env["A"], env["B"], env["C"], env["HOSTNAME"]) == ("top", "n1", "node", "n1")
    with open(f"/proc/{pid(c, 'n1', 'd')}/environ") as f:
        assert {"A=top", "B=n1", "C=daemon"} <= set(f.read().split("\0"))
    addresses = {n["name"]: (n["address"], n["address6"]) for n in c.status()}
    for name in "n1", "one", "eins":
        assert addresses["n1"][0] in n2.run(["getent", "ahostsv4", name]).stdout
        assert addresses["n1"][1] in n2.run(["getent", "ahostsv6", name]).stdout
        assert n2.ls(name, port=411) == ["n1/meminfo"]
    assert n2.run(["cat", "/tmp/mounted/file"]).stdout == "shared"
    assert n2.run(["touch", "/tmp/mounted/file"]).returncode


# -- munge, Slurm, etcd -------------------------------------------------------------------------------------------------


@needs_munge
def test_munge_domains(hosts):
    """Nodes share a key unless they have their own; each domain has its own socket."""
    auth = [{"name": "dflt", "plugin": "munge"}, {"name": "two", "plugin": "munge", "socket": "/run/munge/two.sock"}]
    c = hosts({"templates": {"m": {"name": "m", "type": "munged"}, "two": {"name": "m2", "type": "munged", "dom": "two",
                                                                          "key": "not so long"}},
               "nodes": [{"hostname": "n1", "daemons": [
                   {"!extends": "m"}, {"!extends": "two"},
                   {"name": "d", "type": "ldmsd", "auth": auth,
                    "listen": [{"xprt": "sock", "port": 411, "auth": "dflt"}, {"xprt": "sock", "port": 412, "auth": "two"}],
                    "samplers": {"plugin": "meminfo", "start": True, "config": "instance=n1/meminfo producer=n1"}}]},
                         {"hostname": "n2", "daemons": [{"!extends": "m"}, {"!extends": "two"}]},
                         {"hostname": "n3", "daemons": [{"!extends": "m", "key": "another key"}]}]})
    credential = c.node("n1").run(["munge", "-n"]).stdout
    assert c.node("n2").run(["unmunge"], input=credential).returncode == 0
    assert c.node("n3").run(["unmunge"], input=credential).returncode == 14  # made with another key

    def ls(node, port, *args):
        return c.node(node).run(["ldms", "ls", "-h", "n1", "-p", port, "-a", "munge", *args]).stdout.split()

    two = "-A", "socket=/run/munge/two.sock"
    assert wait_for(lambda: ls("n2", 411), "the set") == ls("n2", 412, *two) == ["n1/meminfo"]
    assert ls("n3", 411) == ls("n2", 412) == ls("n2", 411, *two) == []


@needs_slurm
@needs_root
def test_slurm(hosts):
    """Jobs run on the nodes that have a slurmd, with the lines of slurm.conf that the specification adds."""
    c = hosts({"templates": {"m": {"name": "m", "type": "munged"},
                             "n": {"daemons": [{"!extends": "m"}, {"name": "d", "type": "slurmd"}]}},
               "nodes": [{"hostname": "head", "daemons": [{"!extends": "m"},
                                                          {"name": "ctl", "type": "slurmctld",
                                                           "config": ["Prolog=/run/prolog", "PrologFlags=Alloc"]}]},
                         {"hostname": "c1", "!extends": "n"}, {"hostname": "c2", "!extends": "n"}, {"hostname": "login"}]})
    for name in "c1", "c2":
        c.node(name).run(["install", "-m", "755", "/dev/stdin", "/run/prolog"], input="#!/bin/sh\nhostname >/run/was-here\n")
    r = c.node("head").run(["srun", "-N2", "hostname"])
    assert sorted(r.stdout.split()) == ["c1", "c2"], r.stderr
    assert c.node("c2").run(["cat", "/run/was-here"]).stdout == "c2\n"
    wait_for(lambda: c.node("c1").run(["sinfo", "-h", "-o", "%D %t"]).stdout == "2 idle\n", "the end of the job")
    c.cluster("restart", "c2")
    assert sorted(c.node("head").run(["srun", "-N2", "hostname"]).stdout.split()) == ["c1", "c2"]


@needs("etcd", "etcdctl")
def test_etcd(hosts):
    c = hosts({"nodes": [{"hostname": f"e{i}", "daemons": {"name": "etcd", "type": "etcd"}} for i in (1, 2, 3)]})

    def etcdctl(node, *args):
        return c.node(node).run(["env", "ETCDCTL_API=3", "etcdctl", *args]).stdout.split()

    assert etcdctl("e1", "put", "a", "b") == ["OK"]
    assert etcdctl("e3", "get", "a") == ["a", "b"]


# -- the manual ---------------------------------------------------------------------------------------------------------


def example(number):
    """A specification as it stands in the manual."""
    with open(os.path.join(ROOT, "man", "ldms-cluster.5")) as f:
        blocks = re.findall(r"^\.Bd [^\n]*\n(.*?)^\.Ed", f.read(), re.M | re.S)
    return blocks[number].replace("\\(dq", '"')


def test_example_of_the_manual(hosts, tmp_path):
    (tmp_path / "spec.yaml").write_text(example(0))
    c = hosts(str(tmp_path / "spec.yaml"))
    wait_for(lambda: set(c.node("agg-1").ls()) == {"node-1/meminfo", "node-2/meminfo"}, "both sets")


@needs_slurm
@needs_root
def test_slurm_of_the_manual(hosts, tmp_path):
    (tmp_path / "spec.yaml").write_text(example(1))
    assert hosts(str(tmp_path / "spec.yaml")).node("c1").run(["srun", "-N2", "true"]).returncode == 0


# -- what goes wrong ----------------------------------------------------------------------------------------------------


def up(tmp_path, spec, *options):
    """`ldms cluster up` that fails, and what it said; nothing is left of it."""
    path = tmp_path / "spec.json"
    path.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    folder = tmp_path / "clusters"
    r = ldms.run("cluster", "up", path, "--dir", folder, "--name", "bad", *options)
    if not r.returncode:
        ldms.run("cluster", "down", "bad", "--dir", folder)
    assert r.returncode == 1
    assert not folder.exists() or not os.listdir(folder)
    return r.stderr


def node(**daemon):
    return {"nodes": [{"hostname": "a", "daemons": [{"name": "d", "type": "ldmsd", **daemon}]}]}


def test_bad_specifications(tmp_path):
    assert f"{tmp_path}/spec.json:2:5: node: 'deamons' means nothing here; did you mean 'daemons'?" in up(
        tmp_path, '{"nodes": [{"hostname": "a",\n    "deamons": []}]}')
    assert "no YAML" in up(tmp_path, '{"nodes": [')
    assert "how many hosts?" in ldms.run("cluster", "up", "--dir", tmp_path).stderr
    assert "correct the path" in ldms.run("cluster", "up", "nowhere.json", "--dir", tmp_path).stderr
    assert "leave out -n" in up(tmp_path, "", "-n", "3")
    assert "ldms cluster exec" in up(tmp_path, node(type="sshd"))


def test_daemons_that_do_not_come_up(hosts, tmp_path):
    """What is wrong stands in the words or in the lines of the log behind them; nothing is left."""
    words = up(tmp_path, node(config=["nonsense"], listen={"xprt": "sock", "port": 411}))
    assert "node a: d (ldmsd) ended at once" in words and "unknown verb 'nonsense'" in words
    assert 'correct "ovis_prefix"' in up(tmp_path, node(ovis_prefix=str(tmp_path)))
    assert "no subcommand 'sampp'" in up(tmp_path, node(type="ldms", command=["sampp"], ports=411))
    r = ldms.run("cluster", "up", "--no-start", os.path.join(DATA, "two-levels.json"), "--dir", tmp_path, "--name", "idle")
    assert r.returncode == 0, r.stderr
    try:
        listed = json.loads(ldms.run("cluster", "ls", "--json", "--dir", tmp_path, "--name", "idle").stdout)
        assert [n["daemons"] for n in listed["nodes"]] == [[]] * 4
    finally:
        ldms.run("cluster", "down", "idle", "--dir", tmp_path)
    c = hosts(1)
    r = c.cluster("start", "node1", may_fail=True)
    assert r.returncode == 1 and "made without a specification" in r.stderr


@needs_slurm
@needs_root
def test_plugstack(tmp_path):
    """slurmd reads the plugins of the specification; what it says of a missing one is shown."""
    munge = {"name": "m", "type": "munged"}
    words = up(tmp_path, {"nodes": [
        {"hostname": "head", "daemons": [munge, {"name": "ctl", "type": "slurmctld"}]},
        {"hostname": "c1", "daemons": [munge, {"name": "d", "type": "slurmd",
                                               "plugstack": {"required": True, "path": "/no/x.so", "args": ["a"]}}]}]})
    assert "node c1: d (slurmd) ended at once" in words and "plugin /no/x.so" in words


def test_interrupted(tmp_path):
    """While daemons are awaited, a signal undoes all that was begun."""
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(node(type="ldms", command=["samp", "-x", "sock:411", "--samp", "meminfo"], ports=9)))
    where = "--dir", tmp_path / "clusters"
    up = subprocess.Popen([LDMS, "cluster", "up", path, *where, "--name", "late"], stderr=subprocess.PIPE, text=True)

    def started():
        r = ldms.run("cluster", "ls", "--json", *where, "--name", "late")
        return r.returncode == 0 and json.loads(r.stdout)["nodes"][0]["daemons"]

    wait_for(started, "the daemon, which never listens on that port")
    up.send_signal(signal.SIGTERM)
    assert "interrupted" in up.communicate(timeout=PATIENCE_S)[1] and up.returncode == 1
    assert os.listdir(where[1]) == []
