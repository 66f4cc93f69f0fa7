"""A file system that hangs, as that of a server that is gone: it delays the sampler that reads it, and nothing else."""
import errno
import json
import signal
import socket

from fuse import mounted
from ldms import free_port, run, wait_for


def status(d, name):
    def ask():
        r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", "plugn_status")
        return r.returncode == 0 and json.loads(r.stdout)
    return next(r for r in wait_for(ask, "the daemon to answer") if r["name"] == name)


def samp(cluster, where):
    rows = cluster.write("files", f"far {where}/number U64 7\n")
    port = free_port()
    conf = cluster.write("c.conf", f"""
        load name=filesingle
        config name=filesingle conf={rows}
        start name=filesingle interval=50ms
        load name=loadavg
        config name=loadavg
        start name=loadavg interval=50ms""")
    return cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf], port)


def far(d):
    return d.values("n1/filesingle").get("n1/filesingle", {}).get("far")


def nobody_listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_a_mount_that_hangs(cluster):
    with mounted(cluster.path("mount"), number=b"41\n") as fs:
        d = samp(cluster, cluster.path("mount"))
        wait_for(lambda: far(d) == 41, "its number")
        fs.hang("number")
        wait_for(fs.hanging, "a read that hangs")
        wait_for(lambda: status(d, "filesingle")["overdue"], "it to be overdue")
        d.says("filesingle: its source")
        d.says("has not answered for")
        n = status(d, "loadavg")["samples"]
        wait_for(lambda: status(d, "loadavg")["samples"] > n + 5, "the other sampler to go on")
        assert not status(d, "loadavg")["overdue"] and fs.hanging() == 1  # nobody piles up behind it
        fs.texts["number"] = b"42\n"
        fs.go_on()
        wait_for(lambda: far(d) == 42, "it to be back")
        d.says("has answered")
        assert not status(d, "filesingle")["overdue"]


def test_it_ends_while_a_mount_hangs(cluster):
    """The kernel lets nobody go who waits for an answer of such a server; all else ends, and the port is free."""
    with mounted(cluster.path("mount"), number=b"41\n") as fs:
        d = samp(cluster, cluster.path("mount"))
        wait_for(lambda: far(d) == 41, "its number")
        fs.hang("number")
        wait_for(fs.hanging, "a read that hangs")
        d.kill(signal.SIGTERM)
        wait_for(lambda: nobody_listens(d.port), "the port to be free")
        next_one = cluster.samp("n2", "loadavg", "--interval", "50ms", port=d.port)
        wait_for(lambda: next_one.values("n2/loadavg"), "its sample")
        fs.go_on()
        assert d.stop(None) == 0
