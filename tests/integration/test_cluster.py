"""`ldms cluster`: a virtual cluster is made, entered, looked at and ended, and nothing of it is left."""
import json
import os
import re
import signal
import subprocess
import time

import pytest
from ldms import LDMS, PATIENCE_S, run, wait_for


def why_no_cluster():
    """Why this machine lets us make none, or None."""
    r = subprocess.run(["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-mnpf", "--mount-proc", "true"],
                       capture_output=True, text=True)
    return f"namespaces are not to be had here: {r.stderr.strip()}" if r.returncode else None


if why_no_cluster():
    pytest.skip(why_no_cluster(), allow_module_level=True)


class Base:
    """A folder for clusters."""

    def __init__(self, folder):
        self.dir = str(folder)

    def do(self, verb, *args, **kw):
        return run("cluster", verb, "--dir", self.dir, *args, **kw)

    def good(self, verb, *args, **kw):
        r = self.do(verb, *args, **kw)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def exec(self, node, *cmd, **kw):
        return self.do("exec", node, "--", *cmd, **kw)

    def start(self, node, *cmd, **kw):
        return subprocess.Popen([LDMS, "cluster", "exec", "--dir", self.dir, node, "--", *map(str, cmd)], text=True, **kw)

    def nodes(self, name="ldms"):
        return json.loads(self.good("ls", "--json", "--name", name))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """node1 to node3, with a folder of ours in them."""
    base = Base(tmp_path_factory.mktemp("cluster"))
    shared = tmp_path_factory.mktemp("shared")
    base.shared = str(shared)
    base.good("up", "-n", 3, "--mount", f"{shared}:{shared}", "--mount", f"{shared}:/tmp/read-only:ro")
    yield base
    base.good("down")
    assert os.listdir(base.dir) == []


@pytest.fixture
def base(tmp_path):
    b = Base(tmp_path / "c")
    yield b
    b.good("down", "--all")
    assert not os.path.exists(b.dir) or os.listdir(b.dir) == []


def test_hosts_see_each_other(three):
    assert [(n["name"], n["address"], n["state"]) for n in three.nodes()["nodes"]] == [
        (f"node{i}", f"10.77.1.{i + 1}", "up") for i in (1, 2, 3)]
    assert three.exec("node2", "hostname").stdout == "node2\n"
    assert "10.77.1.4\tnode3\n" in three.exec("node1", "cat", "/etc/hosts").stdout
    assert set(three.exec("node1", "ls", "/sys/class/net").stdout.split()) == {"lo", "eth0"}
    with three.start("node1", "ldms", "samp", "-x", "sock:411", "--samp", "loadavg") as samp:
        assert wait_for(lambda: three.exec("node2", "ldms_ls", "-h", "node1").stdout.split(), "a set of node1") == [
            "node1/loadavg"]
        samp.send_signal(signal.SIGTERM)
        assert samp.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("script,status", [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
def test_exit_status(three, script, status):
    assert three.exec("node1", "sh", "-c", script).returncode == status


def test_input_output_and_environment(three):
    r = three.exec("node3", "sh", "-c", "cat; echo $HOSTNAME $MINE >&2; echo $PATH", input="in\n",
                   env=dict(os.environ, MINE="it", HOSTNAME="outside"))
    out, path = r.stdout.splitlines()
    assert out == "in" and r.stderr == "node3 it\n" and path.startswith("/run/ldms/bin:")


def test_files(three):
    three.exec("node1", "sh", "-c", f"echo 1 >/tmp/a; echo 2 >/run/b; echo 3 >/var/log/c; echo 4 >{three.shared}/d")
    node = os.path.join(three.dir, "ldms", "nodes", "node1")
    assert [open(os.path.join(node, f)).read() for f in ("tmp/a", "run/b", "log/c")] == ["1\n", "2\n", "3\n"]
    assert three.exec("node2", "cat", f"{three.shared}/d", "/tmp/read-only/d").stdout == "4\n4\n"
    assert three.exec("node2", "test", "-e", "/tmp/a").returncode == 1
    assert three.exec("node2", "touch", "/tmp/read-only/e").returncode == 1
    assert three.exec("node2", "pwd", cwd=three.shared).stdout == three.shared + "\n"


def test_signals_are_passed_on(three):
    with three.start("node1", "sh", "-c", "trap 'echo got; exit 3' TERM; echo ready; while :; do read x; done",
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == "ready\n"
        p.terminate()
        p.stdin.write("go on\n")
        p.stdin.flush()
        assert p.stdout.readline() == "got\n" and p.wait(PATIENCE_S) == 3


def test_the_command_dies_with_the_tool(three):
    with three.start("node1", "sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == "ready\n"
        p.kill()
        assert p.stdout.read() == ""  # it held the pipe open


@pytest.mark.parametrize("args,words", [
    (["exec", "node4", "--", "true"], "no node 'node4'; did you mean"),
    (["exec", "node1", "--", "no-such-program"], "no-such-program cannot be started"),
    (["exec", "node1"], "what shall run in node1?"),
    (["exec", "--name", "other", "node1", "--", "true"], "there is no cluster 'other'"),
    (["up", "-n", "1"], "running already"),
    (["up"], "how many hosts?"),
    (["up", "-n", "1001", "--name", "x"], "at most 1000"),
    (["up", "-n", "1", "--name", "../x"], "a name has"),
    (["up", "-n", "1", "--name", "x", "--mount", "/nowhere/at/all:/tmp/x"], "/nowhere/at/all: No such file"),
    (["up", "-n", "1", "--name", "x", "--mount", "/tmp:/nowhere/at/all"], "/nowhere/at/all is not there"),
    (["up", "-n", "1", "--name", "x", "--mount", "/tmp"], "write SRC:DST"),
    (["ls", "--name", "x"], "there is no cluster 'x'"),
])
def test_complaints(three, args, words):
    r = three.do(*args)
    assert r.returncode in (1, 125) and words in r.stderr and r.stderr.count("\n") == 1
    assert os.listdir(three.dir) == ["ldms"]


def test_down_leaves_strange_folders_alone(base, tmp_path):
    mine = tmp_path / "c" / "mine"
    mine.mkdir(parents=True)
    (mine / "letter").write_text("dear")
    r = base.do("down", "mine")
    assert r.returncode == 1 and "no cluster's folder" in r.stderr
    base.good("down", "--all")
    assert (mine / "letter").exists()
    (mine / "letter").unlink()


def test_down_is_idempotent(base):
    base.good("down")
    base.good("up", "-n", 1)
    base.good("down")
    base.good("down", "ldms", "other")
