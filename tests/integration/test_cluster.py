"""`ldms cluster`: a virtual cluster is made, entered, looked at and ended, and nothing of it is left."""
import os
import random
import shutil
import signal
import subprocess
import tempfile

import pytest
from interpose import interposed
from ldms import LDMS, PATIENCE_S, wait_for
from vcluster import why_not
from vnodes import Base


if why_not():
    pytest.skip(why_not(), allow_module_level=True)


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
        wait_for(lambda: three.exec("node2", "ldms_ls", "-h", "node1").stdout.split() == ["node1/loadavg"],
                 "a set of node1")
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
    (["exec", "node1", "--", "/tmp/no-such-program"], "each node has a /run, /tmp and /var/log of its own"),
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


def ours(base):
    """Processes of the folder's clusters: keepers, inits and tools have its name in their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as f:
                if base.dir in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def nothing_is_left(base):
    wait_for(lambda: not ours(base), "all processes to end")
    with open("/proc/self/mountinfo") as f:
        assert base.dir not in f.read()
    assert not os.path.exists(base.dir) or os.listdir(base.dir) == []


def test_many_nodes(base):
    links = os.listdir("/sys/class/net")
    base.good("up", "-n", 200, "--prefix", "n")
    assert os.listdir("/sys/class/net") == links
    r = base.exec("n[1-200]", "hostname")
    assert r.returncode == 0 and sorted(r.stdout.split()) == sorted(f"n{i}{s}" for i in range(1, 201) for s in (":", ""))
    assert base.exec("n200", "ping", "-c1", "n1").returncode == 0
    base.good("down")
    nothing_is_left(base)


def test_in_many_nodes(three):
    r = three.exec("node[1-3]", "sh", "-c", "echo a; printf b; echo c >&2; exit ${HOSTNAME#node}")
    assert r.returncode == 3
    assert sorted(r.stdout.splitlines()) == [f"node{i}: {w}" for i in (1, 2, 3) for w in "ab"]
    assert sorted(r.stderr.splitlines()) == [f"node{i}: c" for i in (1, 2, 3)]
    with three.start("node[1-3]", "sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE) as p:
        assert sorted(p.stdout.readline() for _ in range(3)) == [f"node{i}: ready\n" for i in (1, 2, 3)]
        p.terminate()
        assert p.wait(PATIENCE_S) == 143


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_up_leaves_nothing(base, sig):
    """At any moment; a signal that can be caught undoes even the folder."""
    rng = random.Random(17)
    for _ in range(6):
        with base.tool("up", "-n", 30, stderr=subprocess.DEVNULL) as p:
            try:
                p.wait(rng.random() / 10)
            except subprocess.TimeoutExpired:
                p.send_signal(sig)
            status = p.wait(PATIENCE_S)
        if status == 1:
            wait_for(lambda: not ours(base), "all processes to end")
            assert os.listdir(base.dir) == []
        elif status == -signal.SIGKILL and base.do("exec", "node1", "--", "true").returncode:
            wait_for(lambda: not ours(base), "all processes to end")  # it was not complete
        base.good("down")
        nothing_is_left(base)


DIES_BEFORE_IT_UNLOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

int flock(int fd, int op)
{
	int (*next)(int, int) = dlsym(RTLD_NEXT, "flock");

	if (op == LOCK_UN && getpid() != 1) /* 1: the keeper, as it sees itself */
		kill(getpid(), SIGKILL);
	return next(fd, op);
}
"""


def test_an_up_killed_at_its_very_end_holds_no_lock(base, tmp_path):
    """All is made, and nobody but who made it would have unlocked the folder."""
    lib = interposed(tmp_path, DIES_BEFORE_IT_UNLOCKS)
    assert base.do("up", "-n", 2, env={**os.environ, "LD_PRELOAD": lib}).returncode == -signal.SIGKILL
    assert base.exec("node1", "true").returncode == 0
    base.good("down")
    nothing_is_left(base)


def test_a_killed_keeper_is_the_end(base):
    base.good("up", "-n", 2)
    with base.start("node1", "sh", "-c", "echo ready; exec sleep 1000", stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == "ready\n"
        os.kill(base.nodes()["keeper"], signal.SIGKILL)
        assert p.wait(PATIENCE_S) == 137
    wait_for(lambda: base.nodes()["state"] == "dead", "the cluster to be dead")
    assert "is dead" in base.exec("node1", "true").stderr
    base.good("up", "-n", 1)  # what is left does not stand in the way
    assert [n["name"] for n in base.nodes()["nodes"]] == ["node1"]


def test_a_removed_folder_is_the_end(base):
    """Nobody could find the cluster any more."""
    base.good("up", "-n", 2)
    shutil.rmtree(os.path.join(base.dir, "ldms"))
    nothing_is_left(base)


def test_own_processes_and_ipv6(base):
    base.good("up", "-n", 2, "--pidns", "--ipv6", "--name", "six")
    do = lambda *cmd: base.do("exec", "--name", "six", "node1", "--", *cmd)  # noqa: E731
    assert base.nodes("six")["nodes"][1]["address6"] == "fd77::1:3"
    assert do("ping", "-6", "-c1", "node2").returncode == 0
    assert len(do("ps", "-eo", "pid=").stdout.split()) == 2  # its init, and ps
    with base.start("node1", "true") as p:
        assert p.wait(PATIENCE_S) == 125  # another name
    base.good("down", "six")


def test_two_at_a_time(base):
    """Who comes second finds it running."""
    both = [subprocess.Popen(base.argv("up", "-n", 20), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [p.communicate(timeout=PATIENCE_S)[1] for p in both]
    assert sorted(p.returncode for p in both) == [0, 1]
    assert "running already" in "".join(said)


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def nobody():
    """A folder that everybody may write to, with a copy of the program, since builds may stand where only root looks."""
    if os.geteuid() != 0:
        pytest.skip("all tests run without root already")
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chmod(folder, 0o777)
    shutil.copy(LDMS, folder)
    yield folder
    subprocess.run([LDMS, "cluster", "down", "--dir", f"{folder}/c"], timeout=PATIENCE_S, check=True)
    shutil.rmtree(folder)


def test_without_root(nobody):
    env = dict(os.environ, LDMS_CLUSTER_DIR=f"{nobody}/c")

    def do(*args):
        return subprocess.run([*NOBODY, f"{nobody}/ldms", "cluster", *args], env=env, capture_output=True, text=True, cwd="/",
                              timeout=PATIENCE_S)
    r = do("up", "-n", "3")
    if "user namespace" in r.stderr:
        pytest.skip(r.stderr.strip())
    assert r.returncode == 0, r.stderr
    assert do("exec", "node1", "--", "sh", "-c", "id -u; hostname; touch /run/x; ping -c1 node3 >&2").stdout == \
        "0\nnode1\n"
    assert do("fault", "cut", "node1").returncode == 0
    assert do("exec", "node1", "--", "ping", "-c1", "-W0.3", "node3").returncode == 1
    r = do("fault", "loss", "node2", "100%")
    assert r.returncode == 0, r.stderr
    assert do("exec", "node2", "--", "ping", "-c1", "-W0.3", "node3").returncode == 1
    assert do("down").returncode == 0 and os.listdir(env["LDMS_CLUSTER_DIR"]) == []


def test_where_user_namespaces_are_forbidden(nobody):
    """As in a changed root."""
    script = 'mkdir "$0/root" && mount --rbind / "$0/root" && exec chroot --userspec=65534:65534 "$0/root" "$@"'
    r = subprocess.run(["unshare", "-m", "sh", "-c", script, nobody, f"{nobody}/ldms", "cluster", "up", "-n", "1", "--dir",
                        f"{nobody}/c"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert r.returncode == 1 and "may make no user namespace" in r.stderr and r.stderr.count("\n") == 1
    assert os.listdir(f"{nobody}/c") == []
