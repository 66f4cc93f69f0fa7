"""The message bus of daemons, from outside: who gets what, what it costs, and what became of the rest."""
import json
import signal
import struct

from ldms import free_port, wait_for
from wire import Wire

STATS, CLIENT_STATS, DISABLE, ENABLE = 0xC00, 0xC01, 0xC02, 0xC03


def daemon(cluster, name, conf="", listen="", bus="msg_enable\n"):
    port = free_port()
    path = cluster.write(name + ".conf", f"{bus}listen xprt=sock port={port} host=127.0.0.1 {listen}\n{conf}")
    d = cluster.daemon(name, ["samp", "-c", path, "-n", name], port)
    d.says("Listening")
    return d


def stats(d, verb=STATS, **attrs):
    """Of channels by name, or of clients by match."""
    ids = {"regex": 4, "stream": 34, "reset": 36}
    code, text = Wire(d.port).accepted().control(verb, [(ids[k], v.encode() + b"\0") for k, v in attrs.items()])
    assert code == 0, text
    return {c["name" if verb == STATS else "match"]: c for c in json.loads(text)}


def test_messages_go_to_those_who_want_them(cluster):
    d = daemon(cluster, "d")
    a, b, c = (Wire(d.port).accepted() for _ in range(3))
    assert a.subscribe("jobs") == (0, "OK")
    assert a.subscribe("jobs") == (17, "Subscription already existed")
    assert a.subscribe("(", True)[0] == 22
    assert b.subscribe("^j", True) == (0, "OK")
    assert b.subscribe("nothing", cmd=13) == (2, "Subscription not found")
    c.publish("jobs", b"one\0")
    c.publish("jokes", b'{"a":1}', kind=1)
    c.publish("news", b"nobody's")
    assert a.delivered() == ("jobs", b"one\0", 1)
    assert b.delivered() == ("jobs", b"one\0", 1)
    assert b.delivered() == ("jokes", b'{"a":1}', 1)
    c.paid(9 + 13 + 13)
    assert a.subscribe("jobs", cmd=13) == (0, "OK")
    c.publish("jobs", b"two")
    assert b.delivered() == ("jobs", b"two", 1)
    s = stats(d)
    assert s["jobs"]["rx"]["count"] == 2 and s["jobs"]["rx"]["bytes"] == 17
    assert s["news"]["clients"] == []
    assert [x["client_match"] for x in s["jobs"]["clients"]] == ["^j"]
    assert list(stats(d, regex="^jo")) == ["jobs", "jokes"]
    assert list(stats(d, stream="jo")) == []
    s = stats(d, CLIENT_STATS, reset="true")["^j"]
    assert s["tx"]["count"] == 3 and {c["name"] for c in s["channels"]} == {"jobs", "jokes"}
    assert stats(d, CLIENT_STATS)["^j"]["tx"]["count"] == 0


def test_a_bus_that_is_off_says_so(cluster):
    d = daemon(cluster, "d", bus="")
    w = Wire(d.port).accepted()
    assert struct.unpack(">I", w.body[-4:])[0] == 0
    assert w.subscribe("jobs") == (95, "LDMS Message Service disabled")
    for _ in range(3):
        w.publish("jobs", b"lost")
        assert w.reply() == (10, struct.pack(">Ii", 0, 95))
    w.publish("other", b"lost")
    d.says("channel other: ")
    assert d.text().count("channel jobs: ") == 1
    assert w.reply() == (10, struct.pack(">Ii", 0, 95))
    assert w.control(STATS) == (95, "The message service is disabled.")
    assert w.control(ENABLE) == (0, "OK")
    assert w.subscribe("jobs") == (0, "OK")
    w.publish("jobs", b"now")
    assert w.delivered() == ("jobs", b"now", 1)
    w.paid(8)
    assert w.control(DISABLE) == (0, "OK")
    assert struct.unpack(">I", Wire(d.port).body[-4:])[0] == 0


def test_quota_and_rate_are_announced(cluster):
    d = daemon(cluster, "d", listen="rx_rate=1m", bus="default_quota quota=64k\nmsg_enable\n")
    rate, quota = struct.unpack(">qq", Wire(d.port).body[4 + 24:4 + 40])
    assert (rate, quota) == (1 << 20, 64 << 10)
    assert struct.unpack(">I", Wire(d.port).body[-4:])[0] == 1


def test_producers_have_quotas(cluster):
    d = daemon(cluster, "d", "prdcr_add name=p type=active host=localhost port=1 quota=4k rx_rate=1000 reconnect=1h\n"
               "prdcr_add name=q type=active host=localhost port=1 reconnect=1h\n", bus="default_quota quota=3m\n")
    w = Wire(d.port).accepted()
    assert {p["name"]: (p["quota"], p["rx_rate"]) for p in w.status(0x104)} == {"p": ("4KB", "1000"), "q": ("3MB", "-1")}
    code, text = w.control(0x100, [(1, b"r\0"), (5, b"active\0"), (9, b"h\0"), (39, b"0\0")])
    assert code == 22 and "0 lets no message through" in text


def qgroup(d):
    code, text = Wire(d.port).accepted().control(0xB05)
    assert code == 0, text
    return json.loads(text)


def test_a_quota_group_shares(cluster):
    """One window that does not end within the test."""
    assert Wire(daemon(cluster, "n").port).accepted().control(0xB03)[1].startswith("qgroup start error: EINVAL(22)")
    conf = ("qgroup_config quota={} ask_interval=20ms ask_amount=60 ask_mark=50 reset_interval=36500d\n"
            "qgroup_member_add xprt=sock host=127.0.0.1 port={}\nqgroup_start\n")
    ports = [free_port(), free_port()]
    rich, poor = (cluster.daemon(n, ["samp", "-n", n, "-c", cluster.write(
        n + ".conf", f"msg_enable\nlisten port={p} host=127.0.0.1\n" + conf.format(q, o))], p)
        for n, p, o, q in (("rich", ports[0], ports[1], 1000), ("poor", ports[1], ports[0], 100)))
    for d in (rich, poor):
        wait_for(lambda: d.text().count("CONNECTED") and [m["state"] for m in qgroup(d)["members"]] == ["CONNECTED"])
    assert qgroup(rich)["state"] == "STARTED" and qgroup(rich)["config"]["ask_usec"] == 20000
    pub = Wire(poor.port).accepted()
    for i in range(10):  # 800 bytes: more than its own, less than both have
        pub.publish("c", bytes(78))
    pub.paid(800)
    wait_for(lambda: qgroup(rich)["quota"] + qgroup(poor)["quota"] == 300, "what one gave to arrive at the other")
    pub.publish("c", bytes(598))  # more than is left: some of it is withheld, as rich keeps its mark
    pub.paid(250)
    assert qgroup(rich)["quota"] == 50 and qgroup(poor)["quota"] == 0
    assert Wire(poor.port).accepted().control(0xB04) == (0, "")
    pub.paid(350)
    assert Wire(poor.port).accepted().control(0xB02, [(9, b"127.0.0.1\0"), (10, b"%d\0" % rich.port)]) == (0, "")
    assert qgroup(poor)["members"] == [] and qgroup(poor)["state"] == "STOPPED"


def test_credit_of_a_subscriber_is_kept_to(cluster):
    d = daemon(cluster, "d")
    sub, pub = Wire(d.port, quota=100).accepted(), Wire(d.port).accepted()
    sub.subscribe("c")
    for i in range(5):
        pub.publish("c", b"%d" % i + bytes(37))  # 40 bytes each
    pub.publish("c", bytes(200))  # never fits
    for i in (0, 1):
        assert sub.delivered(pay=False)[1][:1] == b"%d" % i
    waiting = wait_for(lambda: stats(d, CLIENT_STATS)["c"]["waiting"])
    assert waiting["count"] == 4
    for i in (2, 3, 4):
        sub.request(10, struct.pack(">Ii", 40, 0), 0)
        assert sub.delivered(pay=False)[1][:1] == b"%d" % i
    sub.request(10, struct.pack(">Ii", 120, 0), 0)
    pub.paid(5 * 40 + 202)
    assert stats(d, CLIENT_STATS)["c"]["lost"] == {"quota": 1}


def test_a_publisher_is_paid_when_all_are_served(cluster):
    d = daemon(cluster, "d", listen="quota=100")
    sub, pub = Wire(d.port, quota=10).accepted(), Wire(d.port).accepted()
    sub.subscribe("c")
    pub.publish("c", bytes(8))
    pub.publish("c", bytes(8))
    assert sub.delivered(pay=False)
    pub.paid(10)
    assert stats(d, CLIENT_STATS)["c"]["waiting"]["count"] == 1
    sub.request(10, struct.pack(">Ii", 10, 0), 0)
    pub.paid(10)
    assert sub.delivered()


def test_parts_are_put_together(cluster):
    d = daemon(cluster, "d")
    sub, pub = Wire(d.port).accepted(), Wire(d.port).accepted()
    sub.subscribe("c")

    def part(gn, flags, data):
        pub.request(11, bytes(20) + struct.pack(">Q", gn) + struct.pack("<I", flags) + data, 0)

    def whole(gn, data):
        return bytes(56) + struct.pack(">QIIIIIII", gn, 2 + len(data), 0, 0, 0, 0o777, 0, 0) + bytes(292) + b"c\0" + data

    one, two = whole(1, b"1" * 1000), whole(2, b"2" * 1000)
    part(1, 3, one[:500])
    part(2, 3, two[:900])
    part(1, 1, one[500:600])
    part(2, 0, two[900:])
    part(1, 0, one[600:])
    assert sub.delivered() == ("c", b"2" * 1000, 1)
    assert sub.delivered() == ("c", b"1" * 1000, 1)
    pub.paid(2004)
    huge = whole(3, b"")[:64] + struct.pack(">I", 20 << 20) + whole(3, b"")[68:]
    part(3, 3, huge)
    for _ in range(20):
        part(3, 1, bytes(1000000))
    part(3, 0, bytes((20 << 20) + 384 - len(huge) - 20 * 1000000))
    pub.paid(20 << 20)
    d.says("dropped: memory")
    part(9, 0, b"of nothing")
    assert pub.closed()


def test_messages_are_forwarded_eight_times_at_most(cluster):
    d = daemon(cluster, "d")
    sub, pub = Wire(d.port).accepted(), Wire(d.port).accepted()
    sub.subscribe("c")
    pub.publish("c", b"8", hops=7)
    pub.publish("c", b"9", hops=8)
    pub.publish("c", b"1", hops=0)
    assert sub.delivered() == ("c", b"8", 8)
    assert sub.delivered() == ("c", b"1", 1)
    assert stats(d)["c"]["clients"][0]["lost"] == {"hops": 1}


def test_a_stopped_subscriber_delays_nobody(cluster):
    d = daemon(cluster, "d", listen="quota=1m")
    lazy, sub, pub = (Wire(d.port).accepted() for _ in range(3))
    lazy.subscribe("c")
    sub.subscribe("c")
    sent = size = 0
    while not stats(d, CLIENT_STATS) or size < 40 << 20:  # more than the kernel takes for who does not read
        for _ in range(50):
            pub.publish("c", bytes(20000))
        for _ in range(50):
            sub.delivered()
        pub.paid(50 * 20002)
        sent, size = sent + 50, size + 50 * 20002
    s = stats(d)["c"]["clients"]
    assert sorted(c["tx"]["count"] + c["drops"]["count"] for c in s) == [sent, sent]
    assert min(c["drops"]["count"] for c in s) == 0
    assert max(c["lost"].get("stalled", 0) for c in s) > 0
    d.says("does not read")
    # and when it reads again, it gets what comes from then on
    got = 0
    lazy.sock.settimeout(60)

    def resumed():
        nonlocal got
        pub.publish("c", b"new")
        data = lazy.delivered()[1]
        got += 1
        return data == b"new"

    wait_for(resumed)
    assert got < sent




def subscribed_at(*producers, match="load"):
    return "".join(f"prdcr_add name=p{i} type=active xprt=sock host=127.0.0.1 port={port} reconnect=100ms\n"
                   f"prdcr_start name=p{i}\n" for i, port in enumerate(producers)) + \
        f"prdcr_subscribe regex=.* message_tag={match}\n"


def test_many_publishers_through_two_hops(cluster):
    """All arrive, each publisher's in its order, without a quota and with one."""
    publishers, batch = 24, 100
    for quota in ("-1", "20000"):
        h1 = daemon(cluster, "h1" + quota, listen=f"quota={quota}")
        h2 = daemon(cluster, "h2" + quota, subscribed_at(h1.port), bus=f"default_quota quota={quota}\nmsg_enable\n")
        wait_for(lambda: stats(h1, CLIENT_STATS), "the subscription")
        sub = Wire(h2.port).accepted()
        sub.subscribe("load")
        pubs = [Wire(h1.port).accepted() for _ in range(publishers)]
        last = [0] * publishers
        for i in range(1, 3 * batch + 1):
            for k, p in enumerate(pubs):
                p.publish("load", struct.pack(">II", k, i) + bytes(92), gn=i)
            if i % batch:
                continue
            for _ in range(publishers * batch):
                k, n = struct.unpack(">II", sub.delivered()[1][:8])
                assert n == last[k] + 1
                last[k] = n
            for p in pubs:
                p.paid(batch * 105)
        assert last == [3 * batch] * publishers
        for d in (h1, h2):
            assert stats(d)["load"]["rx"]["count"] == 3 * batch * publishers
            wait_for(lambda: stats(d, CLIENT_STATS)["load"]["waiting"]["count"] == 0, "nothing to wait")
            assert stats(d, CLIENT_STATS)["load"]["drops"]["count"] == 0


def test_daemons_that_subscribe_at_each_other(cluster):
    """A message goes round as long as its header has room for the hops: nine of them."""
    ports = [free_port(), free_port()]
    a, b = (cluster.daemon(n, ["samp", "-n", n, "-c", cluster.write(
        n + ".conf", f"msg_enable\nlisten port={mine} host=127.0.0.1\n" + subscribed_at(other, match="ring"))], mine)
        for n, mine, other in (("a", *ports), ("b", *reversed(ports))))
    for d in (a, b):
        d.says("Listening")
        wait_for(lambda: stats(d, CLIENT_STATS), "the other's subscription")
    pub = Wire(a.port).accepted()
    pub.publish("ring", b"round")
    wait_for(lambda: stats(a)["ring"]["clients"][0]["lost"] == {"hops": 1}, "the end")
    assert (stats(a)["ring"]["rx"]["count"], stats(b)["ring"]["rx"]["count"]) == (5, 4)


def test_a_stopped_process_delays_nobody(cluster):
    h1 = daemon(cluster, "h1", listen="quota=500000")
    h2, h3 = (daemon(cluster, n, subscribed_at(h1.port)) for n in ("h2", "h3"))
    wait_for(lambda: len(json.loads(Wire(h1.port).accepted().control(CLIENT_STATS)[1])) == 2, "both")
    sub, pub = Wire(h3.port).accepted(), Wire(h1.port).accepted()
    sub.subscribe("load")
    h2.kill(signal.SIGSTOP)
    for _ in range(1500):  # 30 MB: more than the network takes for a stopped one
        pub.publish("load", bytes(20000))
        assert len(sub.delivered()[1]) == 20000
        pub.paid(20005)
    h2.kill(signal.SIGCONT)
    s = stats(h1)["load"]["clients"]
    assert sorted(c["tx"]["count"] + c["drops"]["count"] for c in s) == [1500, 1500]
    wait_for(lambda: stats(h2)["load"]["rx"]["count"] == min(c["tx"]["count"] for c in stats(h1)["load"]["clients"]),
             "what the stopped one was given")
