"""Several connections to one peer, and what it may have outstanding on them."""
import os
import struct

from conformance import PORT, case

SAMP, L1, L2 = "node1", "node2", "node3"
NAME = f"{SAMP}/meminfo"
RAIL = 8


def rails(c, daemon, host):
    """How many connections there are to each peer of that name (an incoming one is known by its own ports alone)."""
    return [r["n_eps"] for r in c.status(daemon, "xprt_stats")["rails"]
            if r["state"] == "connect" and r.get("remote_host", ":").split(":")[0] in (host, "")]


def prdcr(host, port=PORT, **attrs):
    more = "".join(f" {k}={v}" for k, v in attrs.items())
    return f"prdcr_add name={host}-{port} type=active xprt=sock host={host} port={port} reconnect=200ms{more}\n"


def secret(c, name):
    path = os.path.join(c.folder(name), "secret")
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write(f"secretword={name}-and-long-enough\n")
    return path


def state(c, daemon, name):
    return c.status(daemon, f"prdcr_status name={name}")[0]["state"]


WIDE = ["all connections are made", "sets are read over them", "sets are pushed over them",
        "a rail without the secret is refused", "a rail that is closed here is gone there",
        "a rail that is closed there is gone here", "it is made again when the peer is back"]


@case(37, "ldms_rail_test", "a rail of eight connections: reads, pushes, a secret, and its end from either side",
      "sampler agg1 tool", checks=WIDE)
def test_a_rail(c):
    right, wrong = secret(c, "right"), secret(c, "wrong")
    samp = c.ldmsd("sampler", SAMP, f"auth_add name=s plugin=ovis conf={right}\nlisten xprt=sock port={PORT + 1} auth=s\n"
                   + c.sampler("meminfo", SAMP))
    wide = f"{SAMP}-{PORT}"
    agg = c.ldmsd("agg1", L1, f"auth_add name=s plugin=ovis conf={wrong}\n" + prdcr(SAMP, rail=RAIL)
                  + prdcr(SAMP, PORT + 1, rail=RAIL, auth="s") + f"prdcr_start name={wide}\n"
                  "updtr_add name=read interval=200ms offset=50ms\nupdtr_prdcr_add name=read regex=.*\nupdtr_start name=read\n")
    c.until(lambda: state(c, agg, wide) == "CONNECTED", "the producer")
    c.check(WIDE[0], lambda: RAIL in rails(c, agg, SAMP))
    c.check(WIDE[1], lambda: set(c.values(agg)), {NAME})
    c.until(lambda: RAIL in rails(c, samp, L1), "the other side of it")

    def moves():
        """Is the set updated?"""
        at = c.look(agg, "-l").get(NAME, {}).get("at")
        return at and c.until(lambda: c.look(agg, "-l").get(NAME, {}).get("at") not in (None, at), "a newer sample")
    for line in ("updtr_stop name=read", "updtr_add name=push interval=200ms offset=50ms push=onchange",
                 "updtr_prdcr_add name=push regex=.*", "updtr_start name=push"):
        assert c.say(agg, line)[0] == 0, line
    c.check(WIDE[2], moves)  # nobody reads them any more
    assert c.say(agg, f"prdcr_stop name={wide}")[0] == 0
    c.check(WIDE[4], lambda: RAIL not in rails(c, samp, L1) and RAIL not in rails(c, agg, SAMP))
    c.until(lambda: c.say(agg, f"prdcr_start name={wide}")[0] in (0, 16) and state(c, agg, wide) == "CONNECTED", "it again")
    samp.stop(9)
    c.check(WIDE[5], lambda: state(c, agg, wide) != "CONNECTED" and c.sets(agg) == set())
    c.sessions.pop(samp).sock.close()
    samp.start()
    c.check(WIDE[6], lambda: state(c, agg, wide) == "CONNECTED" and set(c.values(agg)) == {NAME})
    # at the end: an ldmsd that is asked for xprt_stats behind that may crash
    refused = f"{SAMP}-{PORT + 1}"
    assert c.say(agg, f"prdcr_start name={refused}")[0] == 0
    c.until(lambda: state(c, agg, refused) == "CONNECTING", "an attempt")
    c.check(WIDE[3], lambda: state(c, agg, refused) == "DISCONNECTED")


QUOTA = ["what a producer was configured with is shown", "the rail is as wide as it was configured",
         "the default quota is announced", "the quota of a port is announced", "the rate of a port is announced",
         "a message within the quota is taken", "credit comes back when it is delivered",
         "no credit comes back while its subscriber has none", "it comes back when that one pays",
         "messages that are larger in all than the quota arrive, one after the other"]


@case(38, "ldmsd_rail_test", "rail, quota and rate of producers and ports, and who keeps to them", "sampler agg1 tool",
      checks=QUOTA)
def test_quotas(c):
    samp = c.ldmsd("sampler", SAMP, f"default_quota quota=4096\nmsg_enable\nlisten xprt=sock port={PORT + 1} quota=100 "
                   "rx_rate=1048576\n" + c.sampler("meminfo", SAMP))
    agg = c.ldmsd("agg1", L1, "msg_enable\n" + prdcr(SAMP, rail=4, quota="64k", rx_rate="2m") + "prdcr_start_regex regex=.*\n"
                  "prdcr_subscribe regex=.* message_tag=c\n")
    keys = ("rail", "quota", "rx_rate")
    c.until(lambda: state(c, agg, f"{SAMP}-{PORT}") == "CONNECTED", "the producer")
    got, = c.status(agg, "prdcr_status")
    c.check(QUOTA[0], {k: got[k] for k in keys}, {"rail": "4", "quota": "64KB", "rx_rate": "2MB"})
    c.check(QUOTA[1], lambda: (4 in rails(c, agg, SAMP), 4 in rails(c, samp, L1)), (True, True))

    def announced(port):
        """What a peer is told: (rate, quota)."""
        w = samp.node.wire(port=port)
        got = struct.unpack(">qq", w.body[4 + 24:4 + 40])
        w.sock.close()
        return got
    c.check(QUOTA[2], announced(PORT)[1], 4096)
    c.check(QUOTA[3], announced(PORT + 1)[1], 100)
    c.check(QUOTA[4], announced(PORT + 1)[0], 1 << 20)
    pub, sub = samp.node.wire(port=PORT + 1).accepted(), agg.node.wire(port=PORT).accepted()
    assert sub.subscribe("c") == (0, "OK")
    c.until(lambda: any(s["match"] == "c" for s in c.status(samp, "msg_client_stats")), "the subscription")
    pub.publish("c", bytes(50))
    c.check(QUOTA[5], sub.delivered()[:2], ("c", bytes(50)))
    pub.paid(52)
    c.check(QUOTA[6], True)
    # one that takes only 100 bytes at a time: what is beyond waits, and so does the credit
    slow = samp.node.wire(port=PORT, quota=100).accepted()
    assert slow.subscribe("d") == (0, "OK")
    pub.publish("d", bytes(58), gn=2)
    pub.paid(60)
    assert slow.delivered(pay=False)[:2] == ("d", bytes(58))
    pub.publish("d", b"x" * 58, gn=3)
    pub.publish("e", bytes(8), gn=4)  # is nobody's: paid back at once
    pub.paid(10)
    c.check(QUOTA[7], True)
    slow.request(10, struct.pack(">Ii", 60, 0), 0)
    assert slow.delivered()[:2] == ("d", b"x" * 58)
    pub.paid(60)
    c.check(QUOTA[8], True)
    path = c.hosts.write("data", "y" * 40)
    more = samp.node.wire(port=PORT).accepted()
    assert more.subscribe("f") == (0, "OK")
    r = c.tool("ldms_msg_publish", "-x", "sock", "-h", SAMP, "-p", PORT + 1, "-m", "f", "-t", "string", "-f", path, "-r", "9",
               "-i", "1000")
    assert r.returncode == 0, r.stdout + r.stderr
    c.check(QUOTA[9], [more.delivered()[1].rstrip(b"\0") for _ in range(9)], [b"y" * 40] * 9)
