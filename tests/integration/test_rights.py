"""What a daemon gives up when it has started: root's rights with --user, and most files with --sandbox."""
import ctypes
import os
import pwd
import random
import signal
import socket
import subprocess

import pytest

from ldms import CONFINED_ENV, LDMS, free_port, run, wait_for
from real import names, needs_ldmsd, real_agg, SETS
from wire import Wire

LISTEN, LOAD, CONFIG, LOG_FILE, DAEMON_STATUS, RELOAD = 0x610, 0x505, 0x507, 0x618, 0x603, 0xf01
NAME, PORT, STRING, PATH, PLUGIN = 1, 10, 16, 21, 12
MS = ("--interval", "100ms")

ENV = CONFINED_ENV

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
with_landlock = pytest.mark.skipif(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) < 1,
                                   reason="this kernel has no Landlock")


@pytest.fixture
def cluster(open_cluster):
    return open_cluster


def text(value):
    return str(value).encode() + b"\0"


def low_port():
    """A port that only root may listen on."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        first = int(f.read())
    if first < 600:
        pytest.skip("this system lets everybody use low ports")
    while True:
        with socket.socket() as s:
            port = random.randrange(512, min(first, 1024))
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def threads(daemon):
    """/proc/PID/task/*/status: one dictionary a thread."""
    found = []
    for t in os.listdir(f"/proc/{daemon.proc.pid}/task"):
        try:
            with open(f"/proc/{daemon.proc.pid}/task/{t}/status") as f:
                found.append(dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    return found


def rows(path):
    """Lines of a file, 0 when it is not there."""
    return open(path).read().count("\n") if os.path.exists(path) else 0


def start(cluster, name, port, *args):
    return cluster.daemon(name, ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", name, *MS, *args], port, env=ENV)


@as_root
@pytest.mark.parametrize("sandbox", [(), ("--sandbox",)], ids=["user", "user and sandbox"])
def test_root_is_left_behind(cluster, sandbox):
    nobody = pwd.getpwnam("nobody")
    samp = start(cluster, "n1", low_port(), "--samp", "loadavg meminfo", "--user", "nobody", *sandbox, "--to",
                 "csv:" + cluster.path("rows"), "--io-threads", "2", "--log-file", cluster.path("log"), "--pid-file",
                 cluster.path("pid"))
    wait_for(lambda: len(samp.values()) == 2, "its sets")
    csv = cluster.path("rows/meminfo")
    wait_for(lambda: rows(csv) > 3, "rows")
    assert len(threads(samp)) > 4
    for t in threads(samp):
        assert t["Uid"].split() == [str(nobody.pw_uid)] * 4, t["Name"]
        assert t["Gid"].split() == [str(nobody.pw_gid)] * 4, t["Name"]
        assert set(t["Groups"].split()) == {str(g) for g in os.getgrouplist("nobody", nobody.pw_gid)}, t["Name"]
        assert {int(t[c], 16) for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}, t["Name"]
        assert t["NoNewPrivs"] == "1"
        assert t["Seccomp"] == ("2" if sandbox else "0")
    assert {os.stat(p).st_uid for p in (csv, cluster.path("rows"), cluster.path("log"))} == {nobody.pw_uid}
    assert os.stat(cluster.path("pid")).st_uid == 0  # what an init script kills is not the user's to choose
    assert open(cluster.path("pid")).read() == f"{samp.proc.pid}\n"
    assert "runs as user nobody" in open(cluster.path("log")).read()
    status = Wire(samp.port).accepted().status(DAEMON_STATUS)
    assert (status["state"], status["user"], status["caps"]) == ("ready", "nobody", "none")
    assert ("seccomp" in status["sandbox"]) == bool(sandbox)
    # sets are the new user's
    assert {(s["uid"], s["gid"]) for s in samp.sets().values()} == {(nobody.pw_uid, nobody.pw_gid)}
    assert samp.stop(signal.SIGINT) == 0
    assert open(cluster.path("pid")).read() == ""


@as_root
def test_what_comes_too_late(cluster):
    samp = start(cluster, "n1", low_port(), "--samp", "loadavg", "--user", "nobody")
    wait_for(samp.ls)
    w = Wire(samp.port).accepted()
    code, words = w.control(LISTEN, [(PORT, text(low_port()))])
    assert code == 13
    for word in ("became user nobody", "configuration file", "below 1024"):
        assert word in words
    port = free_port()
    assert w.control(LISTEN, [(PORT, text(port))]) == (0, "")
    Wire(port).accepted()
    code, words = w.control(LOG_FILE, [(PATH, text(cluster.path("log")))])
    assert code == 13 and cluster.path("log") in words
    assert samp.ls() == ["n1/loadavg"]


@as_root
def test_a_folder_that_the_user_may_not_write(cluster):
    os.mkdir(cluster.path("rows"))
    r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "--samp", "loadavg", "--to", "csv:" + cluster.path("rows"),
            "--user", "nobody", "--pid-file", cluster.path("pid"))
    assert r.returncode == 13
    for word in (cluster.path("rows"), "user nobody", "chown -R nobody"):
        assert word in r.stderr
    assert os.listdir(cluster.dir) == ["rows"]


@as_root
def test_a_configuration_file_is_read_as_root(cluster):
    port, more = low_port(), low_port()
    cluster.write("more.conf", f"listen xprt=sock port={more} host=127.0.0.1\nlog_file path={cluster.path('log')}\n")
    conf = cluster.write("samp.conf", f"""
        load name=la plugin=loadavg
        config name=la producer=p instance=p/la
        start name=la interval=100ms
        load name=st plugin=store_csv
        config name=st path=${{ROWS}}
        strgp_add name=s plugin=st schema=loadavg
        strgp_start name=s
        prdcr_add name=here type=local
        prdcr_start name=here
        updtr_add name=u interval=100ms
        updtr_prdcr_add name=u regex=.*
        updtr_start name=u
        include path={cluster.path("more.conf")}
        listen xprt=sock port={port} host=127.0.0.1
        env ROWS={cluster.path("rows")}
        """)
    os.chmod(conf, 0o600)
    os.chmod(cluster.path("more.conf"), 0o600)
    samp = cluster.daemon("samp", ["samp", "-c", conf, "--user", "nobody", "--sandbox"], port, env=ENV)
    wait_for(lambda: rows(cluster.path("rows/s/loadavg")) > 3, "rows")
    assert "is ready" in open(cluster.path("log")).read()
    samp.port = more
    assert samp.ls() == ["p/la"]


def test_users_that_cannot_be(cluster):
    r = run("samp", "-x", f"sock:{free_port()}", "--samp", "loadavg", "--user", "no-such-user")
    assert r.returncode == 2 and "no user 'no-such-user'" in r.stderr
    r = run("samp", "-x", f"sock:{free_port()}", "--samp", "loadavg", "--user", "root:no-such-group")
    assert r.returncode == 2 and "no group 'no-such-group'" in r.stderr
    r = run("samp", "-x", f"sock:{free_port()}", "--samp", "loadavg", "--sandbox=perhaps")
    assert r.returncode == 22 and "--sandbox=required" in r.stderr
    r = run("samp", "-x", f"sock:{free_port()}", "--samp", "loadavg", "--sandbox-allow", cluster.dir)
    assert r.returncode == 22 and "wants --sandbox" in r.stderr


@as_root
def test_only_root_becomes_another_user(cluster):
    if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", LDMS]).returncode:
        pytest.skip("the executable is in a folder that other users may not enter")
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LDMS, "samp", "-x",
                        f"sock:{free_port()}", "--samp", "loadavg", "--user", "root"], capture_output=True, text=True)
    assert r.returncode == 1 and "only root may become user root" in r.stderr


@as_root
def test_a_capability_of_the_service_manager_is_given_back(cluster):
    """As systemd starts it with User= and AmbientCapabilities=: --user names the user that it is already."""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+net_bind_service",
                 "--ambient-caps=+net_bind_service", LDMS]
    if subprocess.run([*as_nobody[:-1], "test", "-x", LDMS]).returncode:
        pytest.skip("the executable is in a folder that other users may not enter")
    for args, caps in (((), "net_bind_service"), (("--user", "65534:65534"), "none")):
        port = low_port()
        samp = cluster.daemon(f"n{len(args)}", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n", "--samp", "loadavg",
                                                "--sandbox", *args], port, program=as_nobody, env=ENV)
        wait_for(samp.ls)
        assert Wire(port).accepted().status(DAEMON_STATUS)["caps"] == caps
        assert {int(t["CapEff"], 16) for t in threads(samp)} == ({1 << 10} if caps != "none" else {0})
        assert samp.stop() == 0


@with_landlock
def test_the_sandbox_ends_where_the_configuration_does(cluster):
    os.mkdir(cluster.path("logs.d"))
    samp = start(cluster, "n1", free_port(), "--samp", "loadavg", "--sandbox=required", "--sandbox-allow",
                 cluster.path("more"), "--log-file", cluster.path("logs.d/log"), "--to", "csv:" + cluster.path("rows"))
    wait_for(lambda: rows(cluster.path("rows/loadavg")) > 2, "rows")
    assert all(t["Seccomp"] == "2" and t["NoNewPrivs"] == "1" for t in threads(samp))
    w = Wire(samp.port).accepted()
    status = w.status(DAEMON_STATUS)
    assert "landlock" in status["sandbox"] and "seccomp" in status["sandbox"] and status["caps"]
    assert status["user"] == ("root" if os.geteuid() == 0 else str(os.geteuid()))

    def store(name, path):
        assert w.control(LOAD, [(NAME, text(name)), (PLUGIN, text("csv"))]) == (0, "")
        return w.control(CONFIG, [(NAME, text(name)), (STRING, text("path=" + path))])

    code, words = store("a", cluster.path("elsewhere"))
    assert code == 13
    for word in ("store a: ", cluster.path("elsewhere"), "outside of the sandbox", "--sandbox-allow", "rows"):
        assert word in words
    assert not os.path.exists(cluster.path("elsewhere"))
    assert store("b", cluster.path("more/deeper")) == (0, "")
    assert store("c", cluster.path("rows/../elsewhere"))[0] == 13
    code, words = w.control(LOG_FILE, [(PATH, text(cluster.path("log2")))])
    assert code == 13 and "sandbox" in words and not os.path.exists(cluster.path("log2"))
    assert w.control(LOG_FILE, [(PATH, text(cluster.path("logs.d/log2")))]) == (0, "")
    wait_for(lambda: os.path.exists(cluster.path("logs.d/log2")))
    # what goes on at the other end of the store is not disturbed
    had = rows(cluster.path("rows/loadavg"))
    wait_for(lambda: rows(cluster.path("rows/loadavg")) > had, "more rows")
    assert samp.stop() == 0


@with_landlock
def test_a_sandbox_samples_elsewhere_and_collects_by_name(cluster):
    root = cluster.path("root")
    os.makedirs(root + "/proc")
    with open(root + "/proc/loadavg", "w") as f:
        f.write("0.10 0.20 0.30 1/200 4711\n")
    samp = start(cluster, "n1", free_port(), "--samp", "loadavg", "--sysroot", root, "--sandbox")
    port = free_port()
    agg = cluster.daemon("agg", ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", "agg", "--prdcr",
                                 f"localhost:{samp.port}", "--sandbox", *MS], port, env=ENV)
    values = wait_for(lambda: agg.values("n1/loadavg"), "the set")
    assert values["n1/loadavg"]["load1min"] == pytest.approx(0.1)
    samp.stop(signal.SIGINT)
    wait_for(lambda: agg.ls() == [], "the set to go")


@as_root
@with_landlock
def test_a_reload_has_the_rights_that_were_kept(cluster):
    """A secret that was read as root counts as read; a file that only root may read is refused in words."""
    secret = cluster.write("secret", "secretword=itissecretnobodyknows\n")
    os.chmod(secret, 0o600)
    port = free_port()
    lines = (f"listen port={port} host=127.0.0.1\nauth_add name=o plugin=ovis conf={secret}\n"
             f"load name=csv\nconfig name=csv path={cluster.path('rows')}\n")
    conf = cluster.write("samp.conf", lines)
    d = cluster.daemon("d", ["samp", "-c", conf, "--user", "nobody", "--sandbox"], port, env=ENV)
    d.says("is ready")
    w = Wire(port).accepted()
    sampler = "load name=la plugin=loadavg\nconfig name=la instance=n/la\nstart name=la interval=1s\n"
    cluster.write("samp.conf", lines + sampler)
    assert w.control(RELOAD) == (0, "+ plugin la plugin=loadavg +config instance=n/la\n1 difference; all is now as the "
                                    "files say\n")
    wait_for(lambda: d.ls() == ["n/la"], "the new sampler's set")
    cluster.write("samp.conf", lines + sampler + f"load name=c2 plugin=csv\nconfig name=c2 path={cluster.path('new')}\n")
    code, words = w.control(RELOAD)
    assert code == 22 and "samp.conf:9:" in words and "outside of the sandbox" in words
    os.chmod(conf, 0o600)
    code, words = w.control(RELOAD)
    assert code == 13 and "samp.conf: Permission denied" in words and "--user" in words
    os.unlink(conf)
    cluster.write("samp.conf", lines)  # another file of that name
    code, words = w.control(RELOAD)
    assert code == 13 and "a file that was replaced is another one" in words and "--sandbox-allow" in words
    assert d.ls() == ["n/la"]


@as_root
@needs_ldmsd
def test_a_real_aggregator_reads_it(cluster):
    samp = start(cluster, "n1", free_port(), "--samp", " ".join(SETS), "--user", "nobody", "--sandbox")
    agg = real_agg(cluster, "ra", [samp])
    wait_for(lambda: set(agg.values()) == names("n1"), "our sets there")
    samp.restart()
    wait_for(lambda: set(agg.values()) == names("n1"), "our sets there again")
    assert agg.alive()


@pytest.mark.parametrize("role", ["samp", "agg", "store", "up"])
def test_every_daemon_has_the_options(role):
    out = run("help", role).stdout
    assert all(o in out for o in ("--user USER[:GROUP]", "--sandbox[=required]", "--sandbox-allow DIR"))


def test_a_daemon_without_them_answers_as_ever(cluster):
    samp = cluster.samp("n1")
    wait_for(samp.ls)
    status = Wire(samp.port).accepted().status(DAEMON_STATUS)
    status.pop("samples", None)  # how late they were, once there was one
    assert status == {"state": "ready"}
