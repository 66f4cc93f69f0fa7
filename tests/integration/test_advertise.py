"""Samplers that say themselves where they are collected: no list of producers stands anywhere."""
import os
import signal
import socket
import struct

from ldms import PATIENCE_S, free_port, run, wait_for
from wire import Wire

MS = ("--interval", "100ms")
PRDCR_ADD, PRDCR_STATUS, PRDCR_START, PRDCR_STOP, PRDCR_DEL, BRIDGE_ADD = 0x100, 0x104, 0x102, 0x103, 0x101, 0x10c
ADVERT_ADD, ADVERT_START, ADVERT_STOP, ADVERT_DEL = 0x10d, 0x10e, 0x10f, 0x110
LISTEN_ADD, LISTEN_DEL, LISTEN_START, LISTEN_STOP, LISTEN_STATUS, ADVERTISE = range(0x111, 0x117)
NAME, RECONNECT, REGEX, TYPE, XPRT, HOST, PORT, PERM, DISABLE, IP = 1, 2, 4, 5, 8, 9, 10, 27, 31, 43
HERE = socket.gethostname()


def agg(cluster, name, *who, port=None):
    port = port or free_port()
    accept = [a for w in who for a in ("--accept", w)]
    return cluster.daemon(name, ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", name, *accept, *MS], port)


def conf_agg(cluster, name, *lines):
    """An aggregator with these lines of prdcr_listen, and an updater for all."""
    port = free_port()
    conf = cluster.write(name + ".conf", "\n".join(
        [f"listen xprt=sock port={port} host=127.0.0.1", *lines, "updtr_add name=u interval=100ms",
         "updtr_prdcr_add name=u regex=.*", "updtr_start name=u"]) + "\n")
    return cluster.daemon(name, ["agg", "-c", conf, "-n", name], port)


def samp(cluster, name, aggs, *args, samplers="loadavg"):
    return cluster.samp(name, samplers, *MS, "--to", ",".join(a.addr() for a in aggs), *args)


def ask(daemon, code, **attrs):
    ids = {"name": NAME, "host": HOST, "port": PORT, "regex": REGEX, "type": TYPE, "ip": IP,
           "reconnect": RECONNECT, "xprt": XPRT, "disable_start": DISABLE, "perm": PERM}
    w = Wire(daemon.port).accepted()
    try:
        return w.control(code, [(ids[k], str(v).encode() + b"\0") for k, v in attrs.items()])
    finally:
        w.sock.close()


def status(daemon, verb=PRDCR_STATUS):
    """By name; {} while it does not answer."""
    try:
        w = Wire(daemon.port).accepted()
        rows = w.status(verb)
        w.sock.close()
        return {r["name"]: r for r in rows}
    except (OSError, EOFError):
        return {}


def state(daemon, name):
    return status(daemon).get(name, {}).get("state")


def prdcr(daemon):
    """What an aggregator calls this daemon."""
    return f"{HERE}:{daemon.port}"


def all_there(daemon, *names):
    return wait_for(lambda: set(daemon.values()) == {f"{n}/loadavg" for n in names},
                    f"{names} at {daemon.name}; it has {daemon.ls()}")


def test_two_aggregators_and_their_restart(cluster):
    aggs = [agg(cluster, "a1", ".*"), agg(cluster, "a2", "127.0.0.0/8")]
    samps = [samp(cluster, f"n{i}", aggs) for i in (1, 2, 3)]
    for a in aggs:
        all_there(a, "n1", "n2", "n3")
    p = status(aggs[0])[prdcr(samps[0])]
    assert (p["type"], p["host"], p["port"], p["state"]) == ("advertised, passive", HERE, samps[0].port, "CONNECTED")
    rows = status(samps[0])
    assert {r["type"] for r in rows.values()} == {"advertiser"} and len(rows) == 2
    assert all(r["state"] == "CONNECTED" for r in rows.values())
    # a sampler that dies is missed, and comes back by itself
    samps[1].stop(signal.SIGKILL)
    wait_for(lambda: state(aggs[0], prdcr(samps[1])) == "DISCONNECTED", "the producer to be missed")
    assert status(aggs[0])[prdcr(samps[1])]["why"]
    all_there(aggs[0], "n1", "n3")
    samps[1].start()
    for a in aggs:
        all_there(a, "n1", "n2", "n3")
    # an aggregator that dies gets all of them back
    aggs[0].restart()
    all_there(aggs[0], "n1", "n2", "n3")
    # and none of this has disturbed the other
    assert status(aggs[1])[prdcr(samps[0])]["connects"] == 1


def test_the_advertiser_waits_for_its_aggregator(cluster):
    port = free_port()
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"127.0.0.1:{port}")
    name = f"n1-127.0.0.1:{port}"
    wait_for(lambda: status(s).get(name, {}).get("why"), "a reason")
    assert state(s, name) in ("DISCONNECTED", "CONNECTING")
    a = agg(cluster, "a1", ".*", port=port)
    all_there(a, "n1")


def test_who_is_not_wanted(cluster):
    """A wrong expression, a wrong range: refused with a reason; taken when somebody wants it."""
    a = conf_agg(cluster, "a1", "prdcr_listen_add name=names regex=^nobody$", "prdcr_listen_start name=names",
                 "prdcr_listen_add name=range ip=10.0.0.0/8", "prdcr_listen_start name=range",
                 f"prdcr_listen_add name=both ip=10.0.0.0/8 regex={HERE}", "prdcr_listen_start name=both",
                 "prdcr_listen_add name=idle")
    s = samp(cluster, "n1", [a])
    name = f"n1-{a.addr()}"
    wait_for(lambda: "doesn't match any" in status(s).get(name, {}).get("why", ""), "to be told why")
    a.says("advertises itself and is refused")
    assert status(a) == {}
    rows = status(a, LISTEN_STATUS)
    assert {n: r["state"] for n, r in rows.items()} == {
        "both": "running", "idle": "stopped", "names": "running", "range": "running"}
    assert (rows["names"]["regex"], rows["names"]["IP range"], rows["range"]["IP range"]) == ("^nobody$", "-", "10.0.0.0/8")
    assert ask(a, LISTEN_START, name="idle") == (0, "")
    all_there(a, "n1")
    assert status(a, LISTEN_STATUS)["idle"]["producers"] == [prdcr(s)]


def test_stop_and_start(cluster):
    """What was made stays when a listen stops; a stopped producer stands by; deleted, it comes back while somebody listens."""
    a = agg(cluster, "a1", ".*")
    s = samp(cluster, "n1", [a])
    all_there(a, "n1")
    p = prdcr(s)
    assert ask(a, LISTEN_DEL, name="accept.0")[0] == 16
    assert ask(a, LISTEN_STOP, name="accept.0") == (0, "")
    assert state(a, p) == "CONNECTED"
    # who is not listened to stays away
    assert ask(a, PRDCR_STOP, name=p) == (0, "")
    wait_for(lambda: "doesn't match" in next(iter(status(s).values()), {}).get("why", ""), "the refusal")
    assert state(a, p) == "STOPPED" and a.ls() == []
    assert ask(a, PRDCR_START, name=p) == (0, "")
    assert state(a, p) == "DISCONNECTED"
    assert ask(a, LISTEN_START, name="accept.0") == (0, "")
    all_there(a, "n1")
    # stopped while somebody listens: the connection stands by
    assert ask(a, PRDCR_STOP, name=p) == (0, "")
    wait_for(lambda: state(a, p) == "STANDBY", "the connection to stand by")
    assert a.ls() == []
    assert ask(a, PRDCR_START, name=p) == (0, "")
    all_there(a, "n1")
    assert ask(a, PRDCR_START, name=p)[0] == 16
    assert ask(a, PRDCR_DEL, name=p)[0] == 16
    assert ask(a, PRDCR_STOP, name=p) == (0, "")
    wait_for(lambda: state(a, p) == "STANDBY", "the connection to stand by")
    assert ask(a, PRDCR_DEL, name=p) == (0, "")
    all_there(a, "n1")
    # the other side
    name = f"n1-{a.addr()}"
    assert ask(s, ADVERT_DEL, name=name) == (16, "The advertiser is in use.")
    assert ask(s, ADVERT_STOP, name=name) == (0, "")
    wait_for(lambda: a.ls() == [] and state(a, p) == "DISCONNECTED", "the sets to go")
    assert ask(s, ADVERT_START, name=name) == (0, "")
    all_there(a, "n1")
    assert ask(s, ADVERT_STOP, name=name) == (0, "")
    assert ask(s, ADVERT_DEL, name=name) == (0, "")
    assert status(s) == {}


def test_made_but_not_started(cluster):
    a = conf_agg(cluster, "a1", "prdcr_listen_add name=l disable_start=true", "prdcr_listen_start name=l")
    s = samp(cluster, "n1", [a])
    wait_for(lambda: state(a, prdcr(s)) == "STANDBY", "it to stand by")
    assert a.ls() == []
    assert ask(a, PRDCR_START, name=prdcr(s)) == (0, "")
    all_there(a, "n1")
    s.stop(signal.SIGKILL)
    wait_for(lambda: state(a, prdcr(s)) == "DISCONNECTED", "it to be missed")


def test_connecting_back(cluster):
    """type=active: the aggregator connects to where it was told that the sampler listens."""
    port = free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=loadavg\n"
                         "config name=loadavg producer=n1 instance=n1/loadavg\nstart name=loadavg interval=100ms\n")
    a = conf_agg(cluster, "a1", f"prdcr_listen_add name=l type=active advertiser_xprt=sock advertiser_port={port} "
                 "reconnect=200ms", "prdcr_listen_start name=l")
    s = cluster.daemon("n1", ["samp", "-c", conf, "-n", "n1", "--to", a.addr(), *MS], port)
    all_there(a, "n1")
    p = status(a)[f"{HERE}:{port}"]
    assert (p["type"], p["reconnect_us"]) == ("advertised, active", "200000")
    row = status(a, LISTEN_STATUS)["l"]
    assert (row["type"], row["port"], row["reconnect"], row["producers"]) == ("active", str(port), "200ms", [f"{HERE}:{port}"])
    s.restart()
    all_there(a, "n1")


def test_by_request(cluster):
    """The verbs over the network, and what they say when they cannot."""
    a, s = agg(cluster, "a1", "^nobody$"), cluster.samp("n1", "loadavg", *MS)
    wait_for(lambda: s.values() and a.ls_run().returncode == 0)
    assert ask(a, LISTEN_ADD, name="l", ip="bogus") == (
        22, "The given CIDR string 'bogus' is invalid; write ADDRESS/BITS, as 10.0.0.0/8 or 2001:db8::/32")
    assert ask(a, LISTEN_ADD, name="l", regex="[")[0] == 22
    assert ask(a, LISTEN_ADD, name="l", type="active") == (
        22, "The attribute 'advertiser_port' is required for the 'active' mode.")
    assert ask(a, LISTEN_ADD, name="l", type="active", port=1, xprt="sock") == (
        22, "The attribute 'reconnect' is required for the 'active' mode.")
    assert ask(a, LISTEN_ADD, name="l", type="never")[0] == 22
    assert ask(a, LISTEN_START, name="l") == (2, "The listen_producer 'l' does not exist.")
    assert ask(a, LISTEN_ADD, name="l", ip="127.0.0.1") == (0, "")
    assert ask(a, LISTEN_ADD, name="l") == (17, "The prdcr listener l already exists.")
    assert ask(a, LISTEN_START, name="l") == (0, "")
    assert ask(s, ADVERT_START, name="adv") == (2, "The advertiser specified does not exist.")
    # as maestro sends it: all attributes, then again for the one that is there
    assert ask(s, ADVERT_START, name="adv", type="advertiser", xprt="sock", host="127.0.0.1", port=a.port,
               reconnect="200ms") == (0, "")
    all_there(a, "n1")
    assert ask(s, ADVERT_ADD, name="adv", host="127.0.0.1") == (17, "The prdcr adv already exists.")
    assert ask(s, ADVERT_START, name="adv", host="127.0.0.1", port="None") == (16, "The advertiser is already running.")
    assert ask(s, ADVERT_START, name="new", host="127.0.0.1", port="None")[0] == 22
    # maestro, too: the reconnect interval comes as perm
    assert ask(a, LISTEN_ADD, name="m", disable_start="True", type="passive", perm="20000000") == (0, "")
    a.says("perm=20000000 is no permission")
    assert ask(a, LISTEN_STOP, name="l") == (0, "") and ask(a, LISTEN_DEL, name="l") == (0, "")
    assert ask(a, LISTEN_DEL, name="l")[0] == 2
    assert a.values("n1/loadavg"), "the producer stays"


class Stranger:
    """A peer that says ADVERTISE as it likes, and answers nothing else."""

    def __init__(self, daemon, host, port):
        self.w = Wire(daemon.port).accepted()
        reply = self.w.reply
        # on a connection that was taken over we are asked things, too: they are passed over
        self.w.reply = lambda: next(r for r in iter(reply, None) if r[0] == 5)
        self.answer = self.say(host, port)

    def say(self, host, port):
        return self.w.control(ADVERTISE, [(NAME, b"x\0"), (HOST, host + b"\0"), (PORT, port + b"\0")])

    def close(self):
        self.w.sock.close()


def test_strangers(cluster):
    """Names are checked, producers are bounded, and one that is connected is nobody else's."""
    a = conf_agg(cluster, "a1", "prdcr_listen_add name=l max=3", "prdcr_listen_start name=l")
    wait_for(lambda: a.ls_run().returncode == 0)
    for host, port in ((b"", b"1"), (b"a b", b"1"), (b"a/b", b"1"), (b"n\n1", b"1"), (b"x" * 254, b"1"),
                       (b"\xff\xfe", b"1"), (b"%s%n", b"1"), (b"n1", b"-1"), (b"n1", b"65536"), (b"n1", b"x")):
        s = Stranger(a, host, port)
        assert s.answer[0] == 22, (host, port, s.answer)
        s.close()
    assert status(a) == {}
    mine = Stranger(a, b"n1", b"411")
    assert mine.answer == (0, "")
    wait_for(lambda: state(a, "n1:411") == "CONNECTED", "the first")
    thief = Stranger(a, b"n1", b"411")
    assert thief.answer[0] == 16
    assert mine.say(b"n9", b"1") == (16, "advertise: this connection is in use already")
    assert state(a, "n1:411") == "CONNECTED"
    mine.close()
    wait_for(lambda: state(a, "n1:411") == "DISCONNECTED", "the end of the first")
    assert thief.say(b"n1", b"411") == (0, "")  # the name is free again
    more = [Stranger(a, b"n%d" % i, b"411") for i in (2, 3, 4)]
    assert [m.answer[0] for m in more] == [0, 0, 28] and "max=" in more[2].answer[1]
    row = status(a, LISTEN_STATUS)["l"]
    assert (len(row["producers"]), row["max"], row["refused"]) == (3, 3, 2)
    for p in [thief, *more]:
        p.close()
    wait_for(lambda: {p["state"] for p in status(a).values()} == {"DISCONNECTED"}, "all to be gone")
    assert ask(a, PRDCR_STOP, name="n2:411") == (0, "") and ask(a, PRDCR_DEL, name="n2:411") == (0, "")
    s = Stranger(a, b"n4", b"411")
    assert s.answer == (0, "")
    s.close()


def test_fifty_at_once_and_a_port_scan(cluster):
    """Fifty advertisers, each on three connections, at an aggregator that restarts, while somebody knocks at the port."""
    a = agg(cluster, "a1", ".*")
    names = [f"v{i}" for i in range(1, 51)]
    for n in names:
        p = free_port()
        conf = cluster.write(n + ".conf", "\n".join(
            [f"listen xprt=sock port={p} host=127.0.0.1", "load name=loadavg",
             f"config name=loadavg producer={n} instance={n}/loadavg", "start name=loadavg interval=200ms",
             f"advertiser_add name=a host=127.0.0.1 port={a.port} reconnect=300ms rail=3", "advertiser_start name=a"]))
        cluster.daemon(n, ["samp", "-c", conf, "-n", n, "-v", "WARNING"], p)

    def knock():
        for what in (b"", b"GET / HTTP/1.0\r\n\r\n", os.urandom(300), b"\0\1\0\0\0\0\0\x64"):
            try:
                with socket.create_connection(("127.0.0.1", a.port), 5) as s:
                    s.sendall(what)
            except OSError:
                pass
        return set(a.values()) == {f"{n}/loadavg" for n in names}

    wait_for(knock, "all fifty")
    a.restart()
    wait_for(knock, "all fifty after the restart")
    assert {p["state"] for p in status(a).values()} == {"CONNECTED"} and len(status(a)) == 50


def test_one_that_comes_and_goes_does_not_fill_the_log(cluster):
    a = agg(cluster, "a1", ".*")
    wait_for(lambda: a.ls_run().returncode == 0)
    for _ in range(30):
        s = Stranger(a, b"flap", b"411")
        assert s.answer == (0, "")
        s.close()
        wait_for(lambda: state(a, "flap:411") == "DISCONNECTED", "it to be gone")
    p = status(a)["flap:411"]
    assert 2 < p["connects"] == p["disconnects"] <= 30  # those that went before they were taken over do not count
    assert a.text().count("flap:411") < 10 and "comes and goes" in a.text()


def test_two_of_one_name(cluster):
    """Two samplers that say the same host and port: one is collected, the other waits until it is gone."""
    a = agg(cluster, "a1", ".*")
    wait_for(lambda: a.ls_run().returncode == 0)
    first, second = Stranger(a, b"twin", b"411"), Stranger(a, b"twin", b"411")
    assert (first.answer[0], second.answer[0]) == (0, 16)
    first.close()
    wait_for(lambda: second.say(b"twin", b"411")[0] == 0, "the second one's turn")
    assert state(a, "twin:411") == "CONNECTED"
    second.close()


def test_a_bridge_serves(cluster):
    """A bridge connects and asks for nothing; the other end finds it, and reads over it."""
    a = agg(cluster, "a1", "^nobody$")
    s = cluster.samp("n1", "loadavg", *MS)
    wait_for(lambda: s.values() and a.ls_run().returncode == 0)
    assert ask(s, BRIDGE_ADD, name="b", host="127.0.0.1", port=a.port, reconnect="200ms") == (0, "")
    assert ask(s, PRDCR_START, name="b") == (0, "")
    wait_for(lambda: state(s, "b") == "CONNECTED", "the bridge")
    assert status(s)["b"]["type"] == "bridge" and s.ls() == ["n1/loadavg"]
    # a tool from the same host is not what the other side waits for
    tool = Wire(a.port).accepted()
    assert tool.control(PRDCR_STATUS)[0] == 0
    assert ask(a, PRDCR_ADD, name="p", host="127.0.0.1", type="passive", reconnect="200ms") == (0, "")
    assert ask(a, PRDCR_START, name="p") == (0, "")
    all_there(a, "n1")
    assert status(a)["p"]["type"] == "passive"
    assert tool.control(PRDCR_STATUS)[0] == 0
    tool.sock.close()
    s.restart()
    wait_for(lambda: state(a, "p") == "DISCONNECTED" and "no connection from" in status(a)["p"]["why"], "it to be missed")
    assert ask(s, BRIDGE_ADD, name="b", host="127.0.0.1", port=a.port, reconnect="200ms") == (0, "")
    assert ask(s, PRDCR_START, name="b") == (0, "")
    all_there(a, "n1")
    assert ask(a, PRDCR_STOP, name="p") == (0, "") and ask(a, PRDCR_DEL, name="p") == (0, "")
    assert a.ls() == []


class Aggregator:
    """One that listens, and answers advertisements by hand."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen()
        self.sock.settimeout(PATIENCE_S)
        self.port = self.sock.getsockname()[1]

    def accept(self):
        """The connection of an advertiser, and what it says: {attribute: value}."""
        w = Wire.__new__(Wire)
        w.sock = self.sock.accept()[0]
        w.sock.settimeout(PATIENCE_S)
        kind, body = w.recv()
        assert kind == 1 and body[4:10] == b"SOCKET"
        w.send(8, struct.pack(">I", 64) + body[16:80])
        assert w.recv()[0] == 10
        cmd, body = w.reply()
        kind, flags, number, code, length = struct.unpack(">IIIII", body[8:28])
        assert (cmd, kind, flags, code, length) == (5, 1, 3, ADVERTISE, len(body) - 4)
        w.number, attrs, rest = number, {}, body[28:]
        while len(rest) > 4:
            _, name, n = struct.unpack(">III", rest[:12])
            attrs[name], rest = rest[12:12 + n].rstrip(b"\0").decode(), rest[12 + n:]
        return w, attrs

    @staticmethod
    def answer(w, code):
        rec = struct.pack(">IIIIIII", 0xFFFFFFFF, 2, 3, w.number, code, 28, 0)
        w.request(5, struct.pack(">I", len(rec)) + rec, 0)


def test_what_an_advertiser_says_and_answers(cluster):
    """It serves whoever it came to as if that one had come: sets, and control requests."""
    a = Aggregator()
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"127.0.0.1:{a.port}")
    name = f"n1-127.0.0.1:{a.port}"
    w, said = a.accept()
    assert said == {NAME: name, HOST: HERE, PORT: str(s.port)}
    assert state(s, name) == "CONNECTING"
    a.answer(w, 11)
    assert w.closed()
    wait_for(lambda: status(s)[name]["why"].startswith(f"127.0.0.1:{a.port} does not want"), "the reason")
    w, _ = a.accept()  # again
    a.answer(w, 0)
    wait_for(lambda: state(s, name) == "CONNECTED", "it to be agreed")
    w.request(0, struct.pack(">I", 0))
    cmd, body = w.reply()
    assert cmd == 0x101 and b"n1/loadavg" in body
    assert {p["name"] for p in w.status(PRDCR_STATUS)} == {name}
    assert w.control(ADVERTISE, [(NAME, b"x\0"), (HOST, b"x\0"), (PORT, b"1\0")])[0] == 16
    assert w.control(0x9999) == (38, "The request is not implemented")
    assert status(s)[name]["connects"] == 1
    w.sock.close()
    w, _ = a.accept()
    w.sock.close()
    a.sock.close()


def test_an_aggregator_that_does_not_answer(cluster):
    a = Aggregator()
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"127.0.0.1:{a.port}", "--timeout", "300ms")
    w, _ = a.accept()
    assert w.closed()
    wait_for(lambda: "does not answer" in status(s)[f"n1-127.0.0.1:{a.port}"]["why"], "the reason")
    a.accept()[0].sock.close()
    a.sock.close()


def test_pushes_come_over_it(cluster):
    """What the aggregator asks to be pushed comes over the connection that the sampler made, through a second level too."""
    port = free_port()
    l2 = agg(cluster, "l2", ".*")
    conf = cluster.write("l1.conf", f"listen xprt=sock port={port} host=127.0.0.1\n"
                         "prdcr_listen_add name=l\nprdcr_listen_start name=l\n"
                         "updtr_add name=u interval=1h push=onchange\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")
    l1 = cluster.daemon("l1", ["agg", "-c", conf, "-n", "l1", "--to", l2.addr(), *MS], port)
    s = samp(cluster, "n1", [l1])
    for a in (l1, l2):
        all_there(a, "n1")
        first = a.sets()["n1/loadavg"]["update"]
        wait_for(lambda: a.sets()["n1/loadavg"]["update"] != first, f"{a.name} to get the next sample")
    l1.restart()
    all_there(l2, "n1")
    assert state(s, f"n1-{l1.addr()}") == "CONNECTED"


def test_ipv6(cluster):
    port = free_port()
    a = cluster.daemon("a1", ["agg", "-x", f"sock:{port}", "-n", "a1", "--accept", "::1/128", *MS], port)
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"[::1]:{port}")
    all_there(a, "n1")
    t = cluster.samp("n2", "loadavg", *MS, "--to", f"127.0.0.1:{port}")  # the same aggregator, but not from there
    wait_for(lambda: "doesn't match" in next(iter(status(t).values()), {}).get("why", ""), "the refusal")
    assert state(a, prdcr(s)) == "CONNECTED"


def test_words_about_options():
    for args, words in ((("samp", "--samp", "loadavg", "--to", "cvs:/tmp/x"), "neither STORE:PATH"),
                        (("samp", "--samp", "loadavg", "--to", "csv"), "is not STORE:PATH"),
                        (("samp", "--samp", "loadavg", "--to", "agg1:99999"), "neither STORE:PATH"),
                        (("agg", "--accept", "10.0.0.0/99"), "is invalid"),
                        (("agg", "--accept", "["), "regex"),
                        (("agg", "--strgp", "loadavg", "--accept", ".*", "--to", "agg2"), "say where the rows go")):
        r = run(*args, "-x", f"sock:{free_port()}:127.0.0.1")
        assert r.returncode and words in r.stderr, (args, r.stderr)
