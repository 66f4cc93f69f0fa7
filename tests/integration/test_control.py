"""Control requests over the data port, as ldmsd's controllers send them."""
import json

from ldms import wait_for
from wire import Wire

MS = ("--interval", "100ms")
PRDCR_STATUS, UPDTR_STATUS, STRGP_STATUS, PLUGN_STATUS, DAEMON_STATUS = 0x104, 0x304, 0x204, 0x504, 0x603


def text(value):
    return value.encode() + b"\0"


def test_status_of_a_tree(cluster):
    samp = cluster.samp("n1", "loadavg", *MS)
    agg = cluster.agg("agg", [samp], *MS, "--strgp", "loadavg", "--to", "csv:" + cluster.path("rows"))
    wait_for(lambda: agg.values("n1/loadavg"))
    w = Wire(agg.port).accepted()
    assert w.status(DAEMON_STATUS) == {"state": "ready"}
    p, = w.status(PRDCR_STATUS)
    assert (p["state"], p["host"], p["port"], p["reconnect_us"]) == ("CONNECTED", "127.0.0.1", samp.port, "100000")
    assert [s["inst_name"] for s in p["sets"]] == ["n1/loadavg"]
    u, = w.status(UPDTR_STATUS)
    assert (u["interval"], u["state"], u["producers"][0]["state"]) == ("100000", "RUNNING", "CONNECTED")

    def balanced():
        s, = w.status(STRGP_STATUS)
        assert s["produced"] == s["stored"] + s["queued"] + s["dropped"]
        return s["stored"] > 3 and s

    s = wait_for(balanced, "rows to be stored")
    assert s["dropped"] == 0 and s["errors"] == 0 and s["state"] == "RUNNING"
    assert {x["name"]: x["type"] for x in w.status(PLUGN_STATUS)} == {"to.0": "store[M]"}
    code, words = w.control(PRDCR_STATUS, [(1, text("nobody"))])
    assert (code, words) == (2, "prdcr 'nobody' doesn't exist.")


def test_change_a_running_daemon(cluster):
    samp = cluster.samp("n1", "loadavg meminfo", *MS)
    agg = cluster.agg("agg", ["127.0.0.1:1"], *MS)
    w = wait_for(lambda: agg.ls_run().returncode == 0) and Wire(agg.port).accepted()
    add = [(1, text("late")), (5, text("active")), (8, text("sock")), (9, text("127.0.0.1")),
           (10, text(str(samp.port))), (2, text("100ms"))]
    assert w.control(0x100, add) == (0, "")
    assert w.control(0x100, add) == (17, "The prdcr late already exists.")
    assert w.control(0x102, [(1, text("late"))]) == (0, "")
    assert w.control(0x102, [(1, text("late"))]) == (16, "The producer is already running.")
    assert w.control(0x101, [(1, text("late"))]) == (16, "The producer is in use.")
    wait_for(lambda: set(agg.values()) == {"n1/loadavg", "n1/meminfo"}, "the new producer's sets")
    assert w.control(0x303, [(1, text("updtr"))]) == (0, "")
    assert w.control(0x308, [(1, text("updtr")), (4, text("x"))])[0] == 2
    assert w.control(0x103, [(1, text("late"))]) == (0, "")
    wait_for(lambda: agg.ls() == [], "its sets to go")
    assert w.control(0x101, [(1, text("late"))]) == (0, "")
    assert [p["name"] for p in w.status(PRDCR_STATUS)] == ["127.0.0.1:1"]


def test_samplers_by_request(cluster):
    samp = cluster.samp("n1", "loadavg", *MS)
    w = wait_for(samp.ls) and Wire(samp.port).accepted()
    assert w.control(0x505, [(1, text("mem")), (12, text("meminfo"))]) == (0, "")
    assert w.control(0x507, [(1, text("mem")), (16, text("producer=p instance=p/mem perm=0444"))]) == (0, "")
    assert w.control(0x502, [(1, text("mem")), (2, text("100000"))]) == (0, "")
    wait_for(lambda: samp.values("p/mem"), "p/mem")
    assert w.control(0x506, [(1, text("mem"))])[0] == 16
    assert w.control(0x503, [(1, text("mem"))]) == (0, "")
    assert w.control(0x506, [(1, text("mem"))]) == (0, "")
    wait_for(lambda: samp.ls() == ["n1/loadavg"], "p/mem to go")
    code, words = w.control(0x505, [(1, text("memnfo"))])
    assert code == 2 and "did you mean 'meminfo'" in words


def test_odd_requests(cluster):
    samp = cluster.samp("n1")
    w = wait_for(samp.ls) and Wire(samp.port).accepted()
    assert w.control(0x9999) == (38, "The request is not implemented")
    assert w.control(PRDCR_STATUS, [(1, b"no NUL")])[0] == 22
    assert w.control(0x102) == (22, "The attribute 'name' is required by prdcr_start.")
    w.request(5, b"\0\0\0\4junk", 0)
    assert w.answer() == (22, "Config request is missing record marker")
    # a middle without a beginning
    assert w.control(PRDCR_STATUS, msg_no=9, flags=0) == (2, "The message no 9 was not found.")
    assert json.loads(w.control(PRDCR_STATUS)[1]) == []


def test_daemon_exit(cluster):
    samp = cluster.samp("n1")
    w = wait_for(samp.ls) and Wire(samp.port).accepted()
    assert w.control(0x609) == (0, "exit daemon request received")
    assert samp.proc.wait(20) == 0


def test_connect_rejects(cluster):
    samp = cluster.samp("n1")
    wait_for(samp.ls)
    for kw, why in (({"version": b"\x04\x01\x00\x00"}, b"Version mismatch"), ({"auth": b"munge"}, b"Auth mismatch")):
        w = Wire(samp.port, **kw)
        assert w.kind == 9 and why in w.body
        assert w.closed()


def test_what_kills_others_does_nothing(cluster):
    """Requests that end a real daemon are refused or ignored, and ours goes on."""
    samp = cluster.samp("n1", "loadavg", *MS)
    wait_for(samp.ls)
    for cmd in (6, 7, 8, 9, 14, 19, 0x100, 0x104, 0x108, 0x10a, 0x10b):
        w = Wire(samp.port).accepted()
        w.request(cmd, b"\0" * 64)
        assert samp.ls() == ["n1/loadavg"], hex(cmd)
        w.sock.close()
    assert samp.alive()
