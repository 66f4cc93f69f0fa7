"""Streams: publish, subscribe, and what producers pass on; over the wire, as ldmsd's tools do it."""
import json
import struct

from ldms import free_port, wait_for
from wire import Wire

PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CLIENTS, NEW, STATUS, DISABLE, ENABLE = range(0x900, 0x908)
PRDCR_SUBSCRIBE, PRDCR_UNSUBSCRIBE, PRDCR_STREAM_STATUS, PRDCR_STATUS = 0x109, 0x10A, 0x10B, 0x104
NAME, REGEX, TYPE, STRING, JSON, STREAM, RESET, MESSAGE_TAG = 1, 4, 5, 16, 26, 34, 36, 49
OFF = "The stream service is DISABLED on this system."


def text(value):
    return value.encode() + b"\0"


def wire(daemon, timeout=20):
    wait_for(lambda: daemon.ls_run().returncode == 0, f"{daemon.name} to answer")
    return Wire(daemon.port, timeout=timeout).accepted()


def publish(w, name, data, kind=STRING):
    return w.control(PUBLISH, [(NAME, text(name)), (kind, data if isinstance(data, bytes) else text(data))])


def event(w):
    """The next message passed on to us: (stream, attribute, bytes)."""
    body, flags = b"", 0
    while not flags & 2:
        cmd, rec = w.reply()
        assert cmd == 5
        marker, kind, flags, _, code, length = struct.unpack(">IIIIII", rec[4:28])
        assert (marker, kind, code) == (0xFFFFFFFF, 1, PUBLISH)
        body += rec[28:4 + length]
    attrs = []
    while struct.unpack(">I", body[:4])[0]:
        _, attr, n = struct.unpack(">III", body[:12])
        attrs.append((attr, body[12:12 + n]))
        body = body[12 + n:]
    assert attrs[0][0] == NAME and attrs[1] == (TYPE, b"\0")
    return attrs[0][1][:-1].decode(), attrs[2][0], attrs[2][1]


def conf(cluster, name, lines, *args, **kw):
    port = free_port()
    path = cluster.write(name + ".conf", f"listen xprt=sock port={port} host=127.0.0.1\n" + lines)
    return cluster.daemon(name, ["samp", "-n", name, "-c", path, "--io-threads", 2, *args], port, **kw)


def prdcr(name, daemon):
    return (f"prdcr_add name={name} type=active xprt=sock host=127.0.0.1 port={daemon.port} reconnect=100ms\n"
            f"prdcr_start name={name}\n")


def test_publish_and_subscribe(cluster):
    d = conf(cluster, "d", "stream_enable\n")
    pub, sub = wire(d), wire(d)
    assert sub.control(SUBSCRIBE, [(NAME, text("foo"))]) == (0, "OK")
    assert sub.control(SUBSCRIBE, [(NAME, text("foo"))]) == (17, "Already subscribed to `foo` stream")
    assert publish(pub, "foo", "hello") == (0, "ACK")
    assert event(sub) == ("foo", STRING, b"hello\0")
    assert publish(pub, "foo", '{"home":"${HOME}"}', JSON) == (0, "ACK")
    assert event(sub) == ("foo", JSON, b'{"home":"${HOME}"}\0')
    assert publish(pub, "foo", b"one\0two\0") == (0, "ACK")
    assert event(sub)[2] == b"one\0two\0"
    big = "x" * 3000000
    rec = b"".join(struct.pack(">III", 1, i, len(v)) + v for i, v in ((NAME, text("foo")), (STRING, text(big))))
    rec += struct.pack(">I", 0)
    pieces = [rec[i:i + 1000000] for i in range(0, len(rec), 1000000)]
    for i, piece in enumerate(pieces):  # a message of several records, and it leaves as such
        flags = (1 if i == 0 else 0) | (2 if i == len(pieces) - 1 else 0)
        head = struct.pack(">IIIIII", 0xFFFFFFFF, 1, flags, 9, PUBLISH, 24 + len(piece))
        pub.request(5, struct.pack(">I", 24 + len(piece)) + head + piece, 0)
    assert pub.answer() == (0, "ACK")
    assert event(sub)[2] == text(big)
    assert publish(pub, "bar", "nobody wants it") == (0, "ACK")
    st = pub.status(STATUS)
    assert (st["foo"]["mode"], st["bar"]["mode"]) == ("subscribed", "not subscribed")
    assert st["foo"]["recv"]["count"] == st["foo"]["pub"]["count"] == 4 and st["foo"]["publishers"] == {}
    assert st["bar"]["recv"]["total_bytes"] == 16 and st["bar"]["pub"] == {}
    assert (st["_OVERALL_"]["recv"]["count"], st["_OVERALL_"]["pub"]["count"]) == (5, 4)
    clients = {s["name"]: s["clients"] for s in pub.status(CLIENTS)["streams"]}
    assert clients["bar"] == [] and clients["foo"][0]["sent"] == 4 and clients["foo"][0]["dropped"] == 0
    assert json.loads(pub.control(STATUS, [(RESET, text("true"))])[1])["foo"]["recv"]["count"] == 4
    assert pub.status(STATUS)["foo"] == {"mode": "subscribed", "pub": {}, "recv": {}, "publishers": {}}
    assert sub.control(UNSUBSCRIBE, [(NAME, text("foo"))]) == (0, "OK")
    assert sub.control(UNSUBSCRIBE, [(NAME, text("foo"))]) == (2, "`foo` stream not found")
    assert publish(pub, "foo", "after") == (0, "ACK")
    assert pub.status(STATUS)["foo"]["mode"] == "not subscribed"
    assert sub.status(STATUS)["foo"]["recv"]["count"] == 1, "and nothing came in between"
    sub.control(SUBSCRIBE, [(NAME, text("foo"))])
    sub.sock.close()
    wait_for(lambda: pub.status(STATUS)["foo"]["mode"] == "not subscribed", "who goes is forgotten")


def test_bad_requests_change_nothing(cluster):
    d = conf(cluster, "d", "stream_enable\n")
    w = wire(d)
    missing = (22, "The stream name is missing.")
    assert w.control(PUBLISH, [(STRING, text("x"))]) == missing
    assert w.control(SUBSCRIBE) == missing and w.control(UNSUBSCRIBE) == missing
    assert publish(w, "n" * 256, "x")[0] == 22 and publish(w, "a\nb", "x")[0] == 22
    assert w.status(STATUS) == {}
    assert w.control(PUBLISH, [(NAME, text("foo"))]) == (0, "ACK"), "without a payload, as ldmsd"
    assert publish(w, "foo", "{", JSON) == (0, "ACK"), "broken JSON is its readers' business, as in ldmsd"
    for i in range(4100):  # names come from strangers: there is a ceiling, and it is nobody's end
        assert publish(w, f"s{i}", "x") == (0, "ACK")
    streams = w.status(STATUS)
    assert "s4099" in streams and "foo" not in streams and len([s for s in streams if s != "_OVERALL_"]) <= 4096
    assert publish(w, "foo", "x") == (0, "ACK")
    # wants no answer: the next thing we hear is that to the question behind it
    w.request(5, record(PUBLISH, [(NAME, text("foo")), (TYPE, b"\0"), (STRING, text("quiet"))]), 0)
    w.request(5, record(NEW, [(NAME, text("foo"))]), 0)
    assert w.status(STATUS)["foo"]["recv"]["count"] == 2
    assert w.control(PUBLISH, [(NAME, b"no NUL")])[0] == 22


def test_a_peer_has_so_many_subscriptions(cluster):
    d = conf(cluster, "d", "limits subs=2\nstream_enable\n")
    w = wire(d)
    codes = [w.control(SUBSCRIBE, [(NAME, text(n))])[0] for n in "abc"]
    assert codes == [0, 0, 28]
    assert wire(d).control(SUBSCRIBE, [(NAME, text("c"))]) == (0, "OK"), "others may"
    d.says("too many subscriptions")


def record(code, attrs):
    rec = b"".join(struct.pack(">III", 1, i, len(v)) + v for i, v in attrs) + struct.pack(">I", 0)
    return struct.pack(">I", 24 + len(rec)) + struct.pack(">IIIIII", 0xFFFFFFFF, 1, 3, 1, code, 24 + len(rec)) + rec


def test_off_unless_enabled(cluster):
    d = conf(cluster, "d", "")
    w = wire(d)
    for _ in range(2):
        assert publish(w, "foo", "x") == (38, OFF)
    for code in (SUBSCRIBE, UNSUBSCRIBE, CLIENTS, STATUS):
        assert w.control(code, [(NAME, text("foo"))]) == (38, OFF)
    d.says("foo: messages (from 127.0.0.1:")
    publish(w, "bar", "x")
    d.says("bar: messages")
    assert d.text().count("are LOST") == 2 and "`stream_enable`" in d.text()
    assert w.control(ENABLE) == (0, "OK")
    assert publish(w, "foo", "x") == (0, "ACK")
    assert w.control(DISABLE) == (0, "OK")
    assert publish(w, "foo", "x") == (38, OFF)


def test_two_hops_by_prdcr_subscribe(cluster):
    samp = conf(cluster, "samp", "stream_enable\n")
    mid = conf(cluster, "mid", "stream_enable\nprdcr_subscribe regex=.* stream=foo\n" + prdcr("samp1", samp))
    top = conf(cluster, "top", "stream_enable\n" + prdcr("mid1", mid))
    s, m, t = wire(samp), wire(mid), wire(top)
    assert t.control(PRDCR_SUBSCRIBE, [(REGEX, text("mid")), (STREAM, text("foo"))]) == (0, "")
    assert t.control(PRDCR_SUBSCRIBE, [(REGEX, text("mid")), (STREAM, text("foo"))]) == (0, "")
    t.control(SUBSCRIBE, [(NAME, text("foo"))])
    mode = lambda w: w.status(STATUS).get("foo", {}).get("mode")
    wait_for(lambda: mode(s) == mode(m) == "subscribed", "the chain")
    for i in range(100):
        assert publish(s, "foo", f'{{"i":{i}}}', JSON) == (0, "ACK")
    assert [event(t)[2] for i in range(100)] == [b'{"i":%d}\0' % i for i in range(100)], "all, in order"
    assert m.status(STATUS)["foo"]["publishers"]["samp1"]["recv"]["count"] == 100
    assert t.status(STATUS)["foo"]["publishers"]["mid1"]["recv"]["count"] == 100
    by_prdcr = json.loads(t.control(PRDCR_STREAM_STATUS, [(REGEX, text(".*"))])[1])
    assert by_prdcr["foo"]["mid1"]["pub"]["count"] == 100 and "publishers" not in by_prdcr["foo"]["mid1"]
    assert by_prdcr["_OVERALL_"]["mid1"]["recv"]["count"] == 100
    assert t.control(PRDCR_STREAM_STATUS, [(REGEX, text("nobody"))]) == (0, "{}")
    samp.restart()
    s = wire(samp)
    wait_for(lambda: mode(s) == "subscribed", "it is asked again when it is back")
    publish(s, "foo", "again")
    assert event(t)[2] == b"again\0"
    assert t.control(PRDCR_UNSUBSCRIBE, [(REGEX, text("mid")), (STREAM, text("foo"))]) == (0, "")
    wait_for(lambda: mode(m) == "not subscribed", "the way back")


def test_prdcr_subscribe_errors(cluster):
    d = conf(cluster, "d", "stream_enable\n")
    w = wire(d)
    for code in (PRDCR_SUBSCRIBE, PRDCR_UNSUBSCRIBE):
        assert w.control(code, [(REGEX, text(".*"))]) == (22, "One of the 'stream' or `msg` attributes is required.")
        assert w.control(code, [(REGEX, text(".*")), (STREAM, text("x")), (MESSAGE_TAG, text("y"))]) == (
            22, "Only one of the 'stream' or `msg` attributes can be specified. Got: stream=x and message=y")
        assert w.control(code, [(STREAM, text("x"))])[0] == 22
        assert w.control(code, [(REGEX, text("(")), (STREAM, text("x"))])[0] == 8  # regcomp()'s number, as ldmsd
    assert w.control(PRDCR_UNSUBSCRIBE, [(REGEX, text(".*")), (STREAM, text("never"))]) == (0, "")


def test_producers_that_come_later_are_asked_too(cluster):
    samp = conf(cluster, "samp", "stream_enable\n")
    agg = conf(cluster, "agg", "stream_enable\nprdcr_subscribe regex=^late stream=foo\n")
    a, s = wire(agg), wire(samp)
    add = [(1, text("late1")), (5, text("active")), (8, text("sock")), (9, text("127.0.0.1")),
           (10, text(str(samp.port))), (2, text("100ms"))]
    assert a.control(0x100, add) == (0, "") and a.control(0x102, [(1, text("late1"))]) == (0, "")
    wait_for(lambda: s.status(STATUS).get("foo", {}).get("mode") == "subscribed", "the new producer to be asked")


def test_a_producer_with_streams_off_is_named(cluster):
    samp = conf(cluster, "samp", "")
    agg = conf(cluster, "agg", "stream_enable\nprdcr_subscribe regex=.* stream=foo\n" + prdcr("p", samp))
    agg.says("stream foo: it refuses to pass it on")
    assert "`stream_enable` there" in agg.text()
    p, = wire(agg).status(PRDCR_STATUS)
    assert p["subscriptions"] == [{"stream": "foo", "state": "REFUSED", "why": OFF}]
    assert wire(samp).control(ENABLE) == (0, "OK")
    wait_for(lambda: wire(agg).status(PRDCR_STATUS)[0]["subscriptions"][0]["state"] == "OK", "it to be asked again")
    assert agg.text().count("it refuses") == 1


def test_a_stopped_subscriber_holds_up_nobody(cluster):
    d = conf(cluster, "d", "stream_enable\n")
    slow, quick, pub = wire(d), wire(d), wire(d)
    for w in (slow, quick):
        assert w.control(SUBSCRIBE, [(NAME, text("foo"))]) == (0, "OK")
    data = "x" * 500000
    for _ in range(100):
        assert publish(pub, "foo", data) == (0, "ACK")
        assert len(event(quick)[2]) == 500001
    clients, = [s["clients"] for s in pub.status(CLIENTS)["streams"] if s["name"] == "foo"]
    drops = sorted(c["dropped"] for c in clients)
    assert drops[0] == 0 and 50 < drops[1] < 100
    assert d.text().count("it is too slow") == 1
    taken, = [c["sent"] for c in clients if c["dropped"]]
    assert taken + drops[1] == 100, "what did not come is counted"
    assert [len(event(slow)[2]) for _ in range(taken)] == [500001] * taken


def test_daemons_that_advertise_are_asked_too(cluster):
    agg = conf(cluster, "agg", "stream_enable\nprdcr_listen_add name=l\nprdcr_listen_start name=l\n"
               "prdcr_subscribe regex=.* stream=foo\n")
    a = wire(agg)
    samp = conf(cluster, "samp", f"stream_enable\nadvertiser_add name=a xprt=sock host=127.0.0.1 port={agg.port} "
                "reconnect=100ms\nadvertiser_start name=a\n")
    a.control(SUBSCRIBE, [(NAME, text("foo"))])
    for once_more in (True, False):
        s = wire(samp)
        wait_for(lambda: s.status(STATUS).get("foo", {}).get("mode") == "subscribed", "the sampler to be asked")
        assert publish(s, "foo", "hello") == (0, "ACK")
        assert event(a)[2] == b"hello\0"
        if once_more:
            samp.restart()


def test_ending_while_messages_pass(cluster):
    """Each is a producer and a subscriber of the next one; they end one after the other."""
    port = free_port()
    top = conf(cluster, "top", f"stream_enable\nprdcr_add name=mid type=active xprt=sock host=127.0.0.1 port={port} "
               "reconnect=100ms\nprdcr_start name=mid\nprdcr_subscribe regex=.* stream=up\n")
    path = cluster.write("mid.conf", f"stream_enable\nlisten port={port} host=127.0.0.1\n" + prdcr("top", top) +
                         "prdcr_subscribe regex=.* stream=down\n")
    mid = cluster.daemon("mid", ["samp", "-n", "mid", "-c", path, "--io-threads", 2], port)
    w = wire(mid), wire(top)
    wait_for(lambda: w[0].status(STATUS).get("up", {}).get("mode") == "subscribed" and
             w[1].status(STATUS).get("down", {}).get("mode") == "subscribed", "both ways")
    for d, x, name in ((mid, w[0], "up"), (top, w[1], "down")):
        for _ in range(3000):
            x.request(5, record(PUBLISH, [(NAME, text(name)), (TYPE, b"\0"), (STRING, b"x" * 1000 + b"\0")]), 0)
        assert d.stop() == 0
