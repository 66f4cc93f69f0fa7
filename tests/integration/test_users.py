"""Peers that are somebody: what they see of the sets, and what they may do.  (With `naive` everybody is who he says.)"""
import struct

import pytest

from ldms import free_port, run, wait_for
from wire import Wire

pytestmark = pytest.mark.skipif("naive" not in run("ls", "-a", "?").stderr, reason="this ldms has no method naive")

CONF = """metric_sets_default_authz uid=1000 gid=7 perm=0440
load name=loadavg
config name=loadavg producer=n1 instance=n1/loadavg perm=0444
start name=loadavg interval=100ms
load name=meminfo
config name=meminfo producer=n1 instance=n1/meminfo
start name=meminfo interval=100ms
load name=vmstat
config name=vmstat producer=n1 instance=n1/vmstat uid=0 perm=0400
start name=vmstat interval=100ms
"""
ALL = {"n1/loadavg", "n1/meminfo", "n1/vmstat"}


def samp(cluster, uid=0):
    port = free_port()
    conf = cluster.write("n1.conf", f"listen port={port} host=127.0.0.1\n" + CONF)
    s = cluster.daemon("n1", ["samp", "-c", conf, "-a", "naive", "-A", f"uid={uid}", "-A", f"gid={uid}"], port)
    wait_for(lambda: len(ls(s, 0).stdout.split()) == 3, "three sets")
    return s


def ls(daemon, uid, *args, gid=None):
    return run("ls", "-h", "127.0.0.1", "-p", daemon.port, "-a", "naive", "-A", f"uid={uid}", "-A",
               f"gid={uid if gid is None else gid}", *args)


def as_user(daemon, uid, gid=None):
    w = Wire(daemon.port, auth=b"naive").accepted()
    who = struct.pack(">II", uid, uid if gid is None else gid)
    w.request(6, struct.pack(">I", len(who)) + who, 0)
    cmd, _ = w.reply()
    assert cmd == 6
    return w


def text(value):
    return value.encode() + b"\0"


def test_who_sees_what(cluster):
    s = samp(cluster)
    for uid, gid, sees in ((0, 0, ALL), (1000, 1000, {"n1/loadavg", "n1/meminfo"}), (5, 7, {"n1/loadavg", "n1/meminfo"}),
                           (5, 5, {"n1/loadavg"})):
        r = ls(s, uid, gid=gid)
        assert set(r.stdout.split()) == sees
        hidden = f"{3 - len(sees)} of 3 sets are hidden from uid {uid}, gid {gid}: "
        assert hidden in r.stderr if len(sees) < 3 else r.stderr == ""
    r = ls(s, 5, "-v", "n1/vmstat")
    assert r.returncode == 8 and "2 of 3 sets are hidden from uid 5" in r.stderr
    assert as_user(s, 0).control(0x613, [(4, text(".")), (27, text("400")), (32, text("0"))]) == (0, "")
    r = ls(s, 5)
    assert r.stdout == "" and "all 3 sets are hidden from uid 5, gid 5: " in r.stderr


def test_a_set_by_its_name(cluster):
    s = samp(cluster)

    def lookup(uid):
        w = as_user(s, uid)
        w.request(2, struct.pack(">II", 0, 10) + b"n1/vmstat\0")
        kind, body = w.recv()
        return kind, body
    assert lookup(0)[0] != 2  # memory is shared
    kind, body = lookup(5)
    assert kind == 2 and body[4:][8:12] == struct.pack(">I", 0x104) and body[4:][16:20] == struct.pack(">I", 13)


def test_an_aggregator_that_is_somebody(cluster):
    s = samp(cluster)
    port = free_port()
    agg = cluster.daemon("agg", ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", "agg", "--prdcr", s.addr(), "--interval", "100ms",
                                 "-a", "naive", "-A", "uid=1000", "-A", "gid=1000"], port)
    wait_for(lambda: set(ls(agg, 0).stdout.split()) == {"n1/loadavg", "n1/meminfo"}, "what uid 1000 may read")
    agg.says("1 more sets are hidden from us (uid 1000, gid 1000 there)")
    root = as_user(s, 0)
    assert root.control(0x613, [(4, text("vmstat")), (27, text("444"))]) == (0, "")
    wait_for(lambda: set(ls(agg, 0).stdout.split()) == ALL, "one that it may read now")
    assert root.control(0x613, [(4, text("meminfo")), (32, text("0")), (27, text("400"))]) == (0, "")
    wait_for(lambda: set(ls(agg, 0).stdout.split()) == ALL - {"n1/meminfo"}, "the one that it may not read any more to go")


def test_who_may_do_what(cluster):
    s = samp(cluster)
    root, user = as_user(s, 0), as_user(s, 1000)
    refused = (1, "Operation not permitted.")
    add = [(1, text("u")), (2, text("1s"))]
    assert user.control(0x300, add) == refused
    assert user.control(0x800, [(1, text("g"))]) == refused
    assert user.control(0x613, [(4, text(".")), (27, text("777"))]) == refused
    assert user.control(0x609) == refused
    assert user.status(0x304) == []
    assert root.control(0x300, add) == (0, "")
    assert [u["name"] for u in user.status(0x304)] == ["u"]
    assert s.alive()
