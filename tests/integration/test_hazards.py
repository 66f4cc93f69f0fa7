"""What peers may try against a running daemon: it serves the others, and says what it refused, why and to whom."""
import os
import socket
import struct
import subprocess
import threading
import uuid

import pytest

from ldms import LDMS, free_port, wait_for
from wire import Wire

MS = ("--interval", "100ms")
XPRT_STATS = 0x60C
DAEMON_STATUS = 0x603
LIMITS = 0xF00
STREAM_PUBLISH, STREAM_SUBSCRIBE, STREAM_ENABLE = 0x900, 0x901, 0x907


def stats(daemon):
    return Wire(daemon.port).accepted().status(XPRT_STATS)


def refused(daemon):
    """What it refused so far, by reason."""
    return {r["reason"]: r for r in stats(daemon)["refused"]}


def lookup(w, name, flags=0):
    name = name.encode() + b"\0"
    w.request(2, struct.pack(">II", flags, len(name)) + name)
    kind, body = w.recv()
    if kind == 2:
        return None
    key, _, addr, length = struct.unpack(">4sIQI", body[:20])
    return key, addr, length


def test_refusals_are_counted_and_shown(cluster):
    samp = cluster.samp("n1", "loadavg", *MS, "--limit", "conns_per_addr=3", "--limit", "guests=2")
    samp.says("is ready")
    keep = [Wire(samp.port).accepted() for _ in range(3)]
    status = keep[0].status(DAEMON_STATUS)
    assert status["state"] == "ready" and "refused" not in status
    s = socket.create_connection(("127.0.0.1", samp.port))
    assert b"Too many connections from this address" in s.recv(200)
    r = keep[0].status(XPRT_STATS)
    assert r["limits"]["conns_per_addr"] == 3 and r["incoming"] == 3 and r["connect_count"] == 3
    assert [x["state"] for x in r["rails"]].count("connect") == 3
    one = r["refused"][0]
    assert (one["reason"], one["count"]) == ("conns_per_addr", 1)
    assert one["last_peer"] == "127.0.0.1:%d" % s.getsockname()[1] and one["last_us"] > 0
    assert keep[0].status(DAEMON_STATUS)["refused"] == r["refused"]
    samp.says("the limit `conns_per_addr` is reached")
    assert keep[0].control(LIMITS, [(16, b"conns_per_addr=0\0")])[0] == 0
    for _ in range(5):  # strangers, of whom two may stay
        keep.append(socket.create_connection(("127.0.0.1", samp.port)))
    r = wait_for(lambda: [x for x in keep[0].status(XPRT_STATS)["refused"] if x["reason"] == "guests"])
    assert r[0]["count"] == 3
    assert samp.ls() == ["n1/loadavg"]
    keep[0].control(XPRT_STATS, [(36, b"true\0")])
    assert keep[0].status(XPRT_STATS)["op_stats"]["DIR_REP"]["count"] == 0


def test_limits_that_are_none(cluster):
    d = cluster.samp("n1", "loadavg", "--limit", "gests=2")
    assert d.proc.wait(20) != 0
    d.says("did you mean 'guests'?")
    conf = cluster.write("bad.conf", "limits conns=many\n")
    d = cluster.daemon("n2", ["samp", "-c", conf])
    assert d.proc.wait(20) != 0
    d.says("limit conns:")
    port = free_port()
    conf = cluster.write("good.conf", f"limits conns=77 dead=5s memory=1G\nlisten port={port}\n")
    d = cluster.daemon("n3", ["samp", "-c", conf], port)
    got = wait_for(lambda: d.ls_run().returncode == 0 and stats(d)["limits"])
    assert (got["conns"], got["dead"], got["memory"]) == (77, 5000000, 1 << 30)


def test_a_peer_that_writes_reads_beside_and_babbles(cluster):
    samp = cluster.samp("n1", "loadavg", *MS)
    wait_for(samp.values)
    w = Wire(samp.port).accepted()
    key, addr, length = lookup(w, "n1/loadavg")
    for off, n, status in [(0, 64, 19), (length - 4, 64, 19)]:
        w.send(6, struct.pack(">4sQI", key, addr + off, n) + b"\xff" * n)
        kind, body = w.recv()
        assert kind == 7 and body[:2] == struct.pack(">H", status)
    for off, n, status in [(0, length, 0), (1, length, 18), (length, 1, 18), (-1, 1, 18), (8, 0xFFFFFFFF, 18),
                           (0, 64, 0), (32, 64, 0)]:
        w.send(4, struct.pack(">4sQI", key, (addr + off) % 2**64, n))
        kind, body = w.recv()
        assert kind == 5 and body[:2] == struct.pack(">H", status), (off, n)
        assert len(body) == 16 + (0 if status else n)
    for cmd in (8, 19, 0x100):
        w.request(cmd, bytes(16))
    for cmd in (0x101, 0x104, 0x105):  # replies to nothing
        w.message(struct.pack("<Q", 0xDEADBEEF) + struct.pack(">III", cmd, 52, 0) + bytes(32))
    w.request(14, bytes(16))  # QGROUP_ASK
    w.request(9, struct.pack(">I", 11) + b"n1/loadavg\0")  # SET_DELETE of a set of its own
    assert w.reply()[0] == 0x10A
    r = {x["reason"]: x["count"] for x in w.status(XPRT_STATS)["refused"]}
    assert (r["write"], r["read"]) == (2, 4)
    assert r["odd"] >= 3
    w.request(6, struct.pack(">I", 4) + b"auth")  # AUTH_MSG when all is said
    assert w.closed()
    assert refused(samp)["protocol"]["count"] == 1
    assert samp.values("n1/loadavg")


def bus_part(src, gn, bits, data):
    return struct.pack(">HH16sQ", 2, src, bytes(16), gn) + struct.pack("<I", bits) + data


def test_a_bus_message_in_parts_harms_nobody(cluster):
    samp = cluster.samp("n1", "loadavg", *MS)
    wait_for(samp.ls)
    w = Wire(samp.port).accepted()
    for bits in (3, 1, 0, 1, 0):  # first and more, in the middle, last; then without a first
        w.request(11, bus_part(1, 7, bits, bytes(500)), 0)
    assert samp.ls() == ["n1/loadavg"]
    w.sock.close()


def test_a_million_reads_that_nobody_reads(cluster):
    """The reads of one peer wait with it; others are served, and it goes when it has taken nothing for a while."""
    samp = cluster.samp("n1", "loadavg", *MS, "--timeout", "1s")
    wait_for(samp.values)
    w = Wire(samp.port).accepted()
    key, addr, length = lookup(w, "n1/loadavg")
    one = struct.pack(">HHI", 4, 0, 36) + struct.pack("<IQ", 1, 0) + struct.pack(">4sQI", key, addr, length)
    w.sock.settimeout(0.2)

    def flood():
        try:
            for _ in range(100):
                w.sock.sendall(one * 10000)
        except socket.timeout:
            return False
        except OSError:
            return True

    wait_for(flood, "the peer that does not read to go")
    assert refused(samp)["slow"]["count"] == 1
    assert stats(samp)["memory"] < 1 << 20
    assert samp.values("n1/loadavg")


def test_expressions_that_are_bombs(cluster):
    """Searches that could take all memory are refused; those that only take long do not hold up the others."""
    port = free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=synth\n"
                         "config name=synth producer=p instance=s metrics=1 sets=2000 perm=0444\n"
                         "start name=synth interval=1s\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    wait_for(lambda: len(samp.ls()) == 2000)
    w = Wire(port).accepted()
    for bomb in ("((((((((a{1,250}){1,250}){1,250})))))){9}", "(.*)*\\1", "(" * 300, "[[.", "((a+)+)+" * 60):
        assert lookup(w, bomb, 2) is None, bomb
    text = b"(s|x|y|z)*(0|1)+(s|t)*nothing$\0"
    for _ in range(300):
        w.request(2, struct.pack(">II", 2, len(text)) + text)
    assert len(samp.ls()) == 2000
    for _ in range(300):
        assert w.reply()[0] == 0x104


def test_questions_by_the_thousand(cluster):
    samp = cluster.samp("n1", "loadavg", *MS, "--limit", "requests=100")
    wait_for(samp.ls)
    w = Wire(samp.port).accepted()
    rec = struct.pack(">IIIIII", 0xFFFFFFFF, 1, 3, 1, XPRT_STATS, 28) + bytes(4)
    one = struct.pack("<Q", 0) + struct.pack(">III", 5, 20 + len(rec), len(rec)) + rec
    one = struct.pack(">HHI", 2, 0, 24 + len(one)) + struct.pack("<IQ", 1, 0) + struct.pack(">I", len(one)) + one
    w.sock.sendall(one * 2000)
    codes = [w.answer()[0] for _ in range(2000)]
    assert set(codes) <= {0, 11} and codes.count(0) >= 100
    if codes.count(11):
        assert refused(samp)["requests"]["count"] == codes.count(11)
    w.sock.sendall(one * 2000)
    w.sock.close()  # nobody wants the answers any more
    assert samp.ls() == ["n1/loadavg"]


def test_names_that_are_not_readable(cluster):
    """A set that the peer may not read cannot be looked up by its exact name either."""
    port = free_port()
    conf = cluster.write("s.conf", f"auth_add name=naive plugin=naive\nlisten xprt=sock port={port} auth=naive\n"
                         "load name=loadavg\n"
                         "config name=loadavg producer=n1 instance=n1/loadavg perm=0400\n"
                         "start name=loadavg interval=100ms\n")
    d = cluster.daemon("samp", ["samp", "-c", conf], port)
    d.says("is ready")
    w = Wire(port, auth=b"naive").accepted()
    w.request(6, struct.pack(">I", 8) + struct.pack(">II", 12345, 12345))  # somebody else
    w.request(0, struct.pack(">I", 0))
    while True:
        cmd, body = w.reply()
        if cmd == 0x101:
            break
    assert b"n1/loadavg" not in body
    assert lookup(w, "n1/loadavg") is None


# -- the network -------------------------------------------------------------------------------------------------------


def ip(*args):
    return subprocess.run(["ip", *args], capture_output=True, text=True)


@pytest.fixture
def two_hosts():
    """Two network namespaces, with a third one as the switch between them: (names of the three, address of the first)."""
    tag = "lh" + uuid.uuid4().hex[:6]
    hosts = [tag + x for x in "abs"]
    made = [ns for ns in hosts if os.geteuid() == 0 and ip("netns", "add", ns).returncode == 0]
    switch = tag + "s"
    ok = len(made) == 3 and ip("-n", switch, "link", "add", "br0", "type", "bridge").returncode == 0
    for i, ns in enumerate(hosts[:2]):
        ok = ok and ip("link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", f"p{i}", "netns",
                       switch).returncode == 0
        ip("-n", switch, "link", "set", f"p{i}", "master", "br0", "up")
        ip("-n", ns, "addr", "add", f"10.77.1.{i + 1}/24", "dev", "eth0")
        ip("-n", ns, "link", "set", "eth0", "up")
        ip("-n", ns, "link", "set", "lo", "up")
    ip("-n", switch, "link", "set", "br0", "up")
    if ok:
        yield hosts, "10.77.1.1"
    for ns in made:
        ip("netns", "del", ns)
    if not ok:
        pytest.skip("no network namespaces here (root, iproute2)")


def test_a_link_that_drops(cluster, two_hosts):
    """Nothing says that the other machine is gone; both sides find out, and go on when it is back."""
    (a, b, switch), addr = two_hosts
    port, agg_port = free_port(), free_port()
    limits = ("--limit", "dead=2s")
    samp = cluster.daemon("samp", ["netns", "exec", a, LDMS, "samp", "-x", f"sock:{port}:{addr}", "-n", "n1", "--samp",
                                   "loadavg", *MS, *limits], port, program=["ip"])
    agg = cluster.daemon("agg", ["netns", "exec", b, LDMS, "agg", "-x", f"sock:{agg_port}:127.0.0.1", "-n", "agg",
                                 "--prdcr", f"{addr}:{port}", *MS, *limits], agg_port, program=["ip"])

    def names():
        return ip("netns", "exec", b, LDMS, "ls", "-h", "127.0.0.1", "-p", str(agg_port)).stdout.split()

    wait_for(lambda: names() == ["n1/loadavg"], "the set to be mirrored")
    ip("-n", switch, "link", "set", "br0", "down")
    wait_for(lambda: names() == [], "the aggregator to give the sampler up")
    agg.says("is dead")
    samp.says("is dead")
    ip("-n", switch, "link", "set", "br0", "up")
    wait_for(lambda: names() == ["n1/loadavg"], "it to come back")


# -- a server that does what none may --------------------------------------------------------------------------------------


class BadServer(threading.Thread):
    """Accepts one LDMS client after the other, and lets `behave(conn)` deal with each."""

    def __init__(self, behave):
        super().__init__(daemon=True)
        self.behave, self.conns = behave, 0
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.addr = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with sock:
                try:
                    conn = WireServer(sock)
                    self.conns += 1
                    self.behave(conn)
                    conn.closed()
                except (OSError, EOFError):
                    pass


class WireServer(Wire):
    """The other side of a Wire."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(60)
        kind, body = self.recv()
        assert kind == 1
        self.send(8, struct.pack(">I", 64) + body[16:80])
        assert self.recv()[0] == 10

    def answer_to(self, cmd, xid, rest=b""):
        self.message(struct.pack("<Q", xid) + struct.pack(">III", cmd, 20 + len(rest), 0) + rest)

    def request_got(self, cmd):
        """Wait for this request: (xid, body)."""
        while True:
            kind, body = self.recv()
            if kind == 2 and struct.unpack(">I", body[12:16])[0] == cmd:
                return struct.unpack("<Q", body[4:12])[0], body[20:]

    def directory(self, text):
        xid, _ = self.request_got(0)
        self.answer_to(0x101, xid, struct.pack(">III", 0, 0, len(text)) + text)
        return xid


SET = (b'{"name":"bad/set","schema":"s","digest":"","flags":"CL ","meta_size":1000,"data_size":1000,"heap_size":0,'
       b'"uid":0,"gid":0,"perm":"-rwxrwxrwx","card":1,"array_card":1,"meta_gn":1,"data_gn":1,"timestamp":{"sec":1,'
       b'"usec":1},"duration":{"sec":0,"usec":0},"info":[]}')
LIST = b'{ "directory" : [ ' + SET + b"]}"


def replies_to_nothing(c):
    c.directory(LIST)
    for cmd in (0x101, 0x103, 0x104, 0x105, 0x10B, 0x10C):
        c.answer_to(cmd, 0xDEADBEEF, bytes(32))


def unknown_requests(c):
    c.directory(LIST)
    for cmd in (8, 14, 19, 0x100):
        c.request(cmd, bytes(16))


def sets_that_go(c):
    c.directory(LIST)
    for name in (b"bad/set\0", b"never/seen\0", b"good/loadavg\0"):
        c.request(9, struct.pack(">I", len(name)) + name)


def set_not_asked_for(c):
    c.directory(LIST)
    c.send(3, struct.pack(">4sIQI", b"\2\0\0\0", 3, 1 << 32, 5000) + struct.pack("<Q", 12345) + struct.pack(">II", 1, 60)
           + bytes(60))


def answer_not_asked_for(c):
    c.directory(LIST)
    c.send(5, struct.pack(">HHQI", 0, 0, 0, 0))


def bus_in_parts(c):
    c.directory(LIST)
    for bits in (3, 1, 0, 0):
        c.request(11, bus_part(1, 7, bits, bytes(500)), 0)


def set_without_keys(c):
    c.directory(b'{ "directory" : [ {"name":"bad/set"},{"schema":"x"}]}')


def directory_that_is_none(c):
    c.directory(b'{ "directory" : [[[[[[' * 1000)


def directory_without_end(c):
    xid, _ = c.request_got(0)
    n = 0
    while True:
        text = b'{ "directory" : [ ' + b",".join(SET.replace(b"bad/set", b"bad/%d" % (n + i)) for i in range(1000)) + b"]}"
        n += 1000
        c.answer_to(0x101, xid, struct.pack(">III", 0, 1, len(text)) + text)


def read_out_of_turn(c):
    c.directory(LIST)
    xid, _ = c.request_got(2)
    msg = struct.pack("<Q", xid) + struct.pack(">II", 1, 0) + struct.pack("<Q", 7) + struct.pack(
        ">IIIIII", 0, 500, 500, 1, 0, 1) + b"\2s\0\x08bad/set\0\0"
    c.send(3, struct.pack(">4sIQI", b"\2\0\0\0", 3, 1 << 32, 1000) + msg)
    while c.recv()[0] != 4:
        pass
    c.send(5, struct.pack(">HHQI", 0, 0, 0, 500) + bytes(500), xid=0x7777)


def auth_again(c):
    c.request(6, struct.pack(">I", 4) + b"auth", 0)


BAD = [replies_to_nothing, unknown_requests, sets_that_go, set_not_asked_for, answer_not_asked_for, bus_in_parts,
       set_without_keys, directory_that_is_none, directory_without_end, read_out_of_turn, auth_again]


def test_an_aggregator_among_bad_servers(cluster):
    """All kinds at once: the good one's sets stay and advance, and what the others did is counted."""
    good = cluster.samp("good", "loadavg", *MS)
    bad = [BadServer(b) for b in BAD]
    agg = cluster.agg("agg", [good, *(b.addr for b in bad)], *MS, "--limit", "sets=5000")
    for b in bad:
        wait_for(lambda: b.conns, f"{b.behave.__name__} to be called")
    wait_for(lambda: "good/loadavg" in agg.values(), "the good one")
    want = {"odd", "protocol", "sets"}
    wait_for(lambda: want <= set(refused(agg)), f"{want} to be refused")
    before = agg.sets()["good/loadavg"]["update"]
    wait_for(lambda: agg.sets()["good/loadavg"]["update"] > before, "the good one to advance")
    for b in bad:
        b.sock.close()


def test_half_a_rail_that_asks_and_goes(cluster):
    """The answer comes also before the rail is whole; and to one that has gone nothing is sent."""
    samp = cluster.samp("n1", "loadavg", *MS)
    samp.says("is ready")
    assert Wire(samp.port).accepted().control(STREAM_ENABLE)[0] == 0
    w = Wire(samp.port, n_eps=2).accepted()
    assert w.status(DAEMON_STATUS)["state"] == "ready"
    w.sock.close()
    for i in range(200):  # the end overtakes the questions, and what is published meets nobody
        w = Wire(samp.port, n_eps=2).accepted()
        w.ask(STREAM_SUBSCRIBE, [(1, b"tag\0")])
        w.ask(DAEMON_STATUS)
        w.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0) if i % 2 else bytes(8))
        w.sock.close()
    last = Wire(samp.port).accepted()
    assert last.control(STREAM_PUBLISH, [(1, b"tag\0"), (16, b"x\0")])[0] == 0
    assert wait_for(lambda: last.status(XPRT_STATS)["incoming"] == 1)
