"""What breaks does so alone, and says so."""
import os
import signal
import socket
import threading

from deaf import Deaf
from ldms import free_port, wait_for

MS = ("--interval", "100ms")


def test_many_producers_a_third_of_them_bad(cluster):
    """40 producers of which 12 are unreachable or flap: the 28 others go on, and all that come back are followed."""
    good = [cluster.samp(f"g{i:02}", "loadavg", *MS) for i in range(28)]
    dead = [f"127.0.0.1:{free_port()}" for _ in range(6)]
    flap = [cluster.samp(f"f{i}", "loadavg", *MS) for i in range(6)]
    agg = cluster.agg("agg", good + dead + flap, *MS)
    names = {f"{d.name}/loadavg" for d in good}
    wait_for(lambda: names <= set(agg.values()), "the 28 good ones")
    for _ in range(3):
        for d in flap:
            d.stop(signal.SIGKILL)
        wait_for(lambda: set(agg.ls()) == names, "the flapping ones to go")
        for d in flap:
            d.start()
        wait_for(lambda: set(agg.values()) == names | {f"{d.name}/loadavg" for d in flap}, "all to be there")
    before = agg.sets()
    wait_for(lambda: all(s["update"] > before[n]["update"] for n, s in agg.sets().items()), "all to advance")
    for addr in dead:
        agg.says(addr)


def blackhole():
    """An address that answers no SYN: a listener whose queue is full."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    fill = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        fill.append(c)
    return s, fill


def test_a_blackholed_host_delays_nobody(cluster):
    hole, fill = blackhole()
    silent = socket.socket()  # accepts (the kernel does) and never says a word
    silent.bind(("127.0.0.1", 0))
    silent.listen(16)
    samp = cluster.samp("n1", "loadavg", *MS)
    agg = cluster.agg("agg", [f"127.0.0.1:{hole.getsockname()[1]}", f"127.0.0.1:{silent.getsockname()[1]}",
                              "no.such.host.invalid:411", samp], *MS)
    wait_for(lambda: agg.values("n1/loadavg"), "the live one")
    agg.says("no.such.host.invalid")
    first = agg.sets()["n1/loadavg"]["update"]
    wait_for(lambda: agg.sets()["n1/loadavg"]["update"] > first)
    for s in [hole, silent, *fill]:
        s.close()


class BadPeer(threading.Thread):
    """Accepts, and answers with what `speak` gives."""

    def __init__(self, speak):
        super().__init__(daemon=True)
        self.speak, self.conns = speak, 0
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(16)
        self.addr = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.start()

    def run(self):
        keep = []
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self.conns += 1
            try:
                hello = c.recv(100)
                c.sendall(self.speak(hello))
            except OSError:
                pass
            keep.append(c)


ACCEPTED = bytes.fromhex("000800000000005801000000000000000000000000000040040200006e6f6e65000000000000000000000000"
                         "00000001ffffffffffffffffffffffffffffffff0000000100000000000023e4")


def test_peers_that_talk_nonsense(cluster):
    bad = [BadPeer(lambda hello: b"HTTP/1.1 400 Bad Request\r\n\r\n"),
           BadPeer(lambda hello: os.urandom(200)),
           BadPeer(lambda hello: ACCEPTED[:50]),  # stops in the middle of a message
           BadPeer(lambda hello: ACCEPTED + hello[80:88] + b"\x00\x00\x00\x01" + b"\xff" * 64),
           BadPeer(lambda hello: b"\x00\x08\x00\x00\xff\xff\xff\xff" + b"\x00" * 64)]
    samp = cluster.samp("n1", "loadavg", *MS)
    agg = cluster.agg("agg", [*(b.addr for b in bad), samp], *MS)
    wait_for(lambda: agg.values("n1/loadavg"), "the honest one")
    for b in bad:
        wait_for(lambda: b.conns, f"{b.addr} to be called")
        agg.says(b.addr)
    first = agg.sets()["n1/loadavg"]["update"]
    wait_for(lambda: agg.sets()["n1/loadavg"]["update"] > first)
    for b in bad:
        b.sock.close()


def test_a_reader_that_does_not_read(cluster):
    """A peer that asks and never reads is dropped; others are served."""
    port = free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=synth\n"
                         "config name=synth producer=p instance=s metrics=50 sets=400 perm=0444\n"
                         "start name=synth interval=100ms\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf, "--timeout", "2s"], port)
    wait_for(lambda: len(samp.ls()) == 400)
    deaf = Deaf(socket.create_connection(("127.0.0.1", port)))
    wait_for(deaf.is_dropped, "the peer that does not read to be dropped")
    assert len(samp.ls()) == 400
    deaf.close()


def test_a_full_disk_loses_only_what_is_counted(cluster):
    """Rows that cannot be written are said once, and written again when there is room."""
    samp = cluster.samp("n1", "loadavg", *MS)
    rows = cluster.path("rows")
    os.makedirs(rows)
    os.symlink("/dev/full", os.path.join(rows, "loadavg"))
    agg = cluster.agg("agg", [samp], *MS, "--to", "csv:" + rows)
    agg.says("No space left on device")
    assert agg.values("n1/loadavg")
    assert agg.alive()


def test_kill_9_leaves_whole_lines_or_is_mended(cluster):
    samp = cluster.samp("n1", "loadavg meminfo", *MS)
    agg = cluster.agg("agg", [samp], *MS, "--to", "csv:" + cluster.path("rows"))
    csv = cluster.path("rows/meminfo")
    for _ in range(3):
        n = open(csv).read().count("\n") if os.path.exists(csv) else 0
        wait_for(lambda: os.path.exists(csv) and open(csv).read().count("\n") > n + 2, "rows")
        agg.restart()
    agg.stop()
    lines = open(csv).read().splitlines()
    assert all(line.count(",") == lines[0].count(",") for line in lines)


def test_memory_ceiling_is_said(cluster):
    port = free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=synth\n"
                         "config name=synth producer=p instance=s metrics=1000 sets=200 perm=0444\n"
                         "start name=synth interval=100ms\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    wait_for(lambda: len(samp.ls()) == 200)
    agg = cluster.agg("agg", [samp], *MS, "--mem", "2M")
    agg.says("--mem")
    assert 0 < len(wait_for(agg.ls)) < 200
    assert agg.alive()
