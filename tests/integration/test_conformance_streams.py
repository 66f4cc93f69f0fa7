"""Streams and messages through levels of daemons: who gets them, who does not, and what is counted."""
import json
import struct

from conformance import PORT, case

S1, S2, L1, L2 = "node1", "node2", "node3", "node4"
STREAM, MESSAGES = "stream", "message_tag"
ON = {STREAM: "stream_enable\n", MESSAGES: "msg_enable\n"}


def publish(c, host, kind, channel, data, form="json", *args):
    """By LDMS's own tool, from the operator's node."""
    path = c.hosts.write("data", data)
    name, flag = (("ldmsd_stream_publish", "-s") if kind == STREAM else ("ldms_msg_publish", "-m"))
    r = c.tool(name, "-x", "sock", "-h", host, "-p", PORT, flag, channel, "-t", form, "-f", path, *args)
    assert r.returncode == 0, r.stdout + r.stderr


def relay(c, kind, below, *channels):
    """The lines that pass channels of the daemons below on."""
    return (ON[kind] + c.aggregator(below) + "".join(f"prdcr_subscribe regex=.* {kind}={ch}\n" for ch in channels))


def who(host, uid):
    """A session with the naive port of a daemon, as somebody."""
    w = host.node.wire(port=PORT + 1, auth=b"naive").accepted()
    w.prove(struct.pack(">II", uid, uid))
    assert w.reply()[0] == 6
    return w


NAIVE = f"auth_add name=who plugin=naive uid=0 gid=0\nlisten xprt=sock port={PORT + 1} auth=who\n"


# -- streams of producers

FROM = [f"{form} of {n} on the second level" for n in (S1, S2) for form in ("a text", "JSON")]
PRDCR = ["nothing of a producer that is stopped", "the other one's goes on", "again when it is started",
         "again when the sampler restarted", "nothing behind prdcr_unsubscribe", "a peer that is gone is forgotten"]


@case(34, "prdcr_subscribe_test", "texts and JSON of two samplers reach the second level, as long as they are subscribed to",
      "sampler agg1 agg2 tool", checks=[*FROM, *PRDCR])
def test_prdcr_subscribe(c):
    samp = {n: c.ldmsd("sampler", n, ON[STREAM] + c.sampler("meminfo", n)) for n in (S1, S2)}
    l1 = c.ldmsd("agg1", L1, relay(c, STREAM, samp, "text", "json"))
    l2 = c.ldmsd("agg2", L2, relay(c, STREAM, [L1], "text", "json"))

    def mode(daemon, channel):
        """Does somebody want it there?"""
        return c.status(daemon, "stream_status").get(channel, {}).get("mode") == "subscribed"

    def clients(daemon, channel):
        st = c.status(daemon, "stream_client_dump")["streams"]
        return next((len(s["clients"]) for s in st if s["name"] == channel), 0)

    def ready(*names):
        for n in names:
            for ch in ("text", "json"):
                c.until(lambda: clients(samp[n], ch) == 1 and clients(l1, ch) == 1, f"{n} to be subscribed to")

    def count(channel):
        return c.status(l2, "stream_status").get(channel, {}).get("recv", {}).get("count", 0)

    def say(n, channel="text"):
        publish(c, n, STREAM, channel, '{"from":"%s"}' % n, "json" if channel == "json" else "string")
    ready(S1, S2)
    seen = {"text": 0, "json": 0}
    for what, (n, channel) in zip(FROM, ((n, ch) for n in samp for ch in seen)):
        say(n, channel)
        seen[channel] += 1
        c.check(what, lambda: count(channel), seen[channel])
    assert c.say(l1, f"prdcr_stop name={S1}")[0] == 0
    c.until(lambda: clients(samp[S1], "text") == 0, "the subscription to go")
    say(S1)
    say(S2)
    seen["text"] += 1
    c.check(PRDCR[1], lambda: count("text") >= seen["text"])
    c.check(PRDCR[0], count("text"), seen["text"])
    c.until(lambda: c.say(l1, f"prdcr_start name={S1}")[0] in (0, 16) and clients(samp[S1], "text") == 1, "it to be started")
    say(S1)
    seen["text"] += 1
    c.check(PRDCR[2], lambda: count("text"), seen["text"])
    c.sessions.pop(samp[S1]).sock.close()
    samp[S1].restart()
    ready(S1)
    say(S1)
    seen["text"] += 1
    c.check(PRDCR[3], lambda: count("text"), seen["text"])
    assert c.say(l1, "prdcr_unsubscribe regex=.* stream=text")[0] == 0
    c.until(lambda: not clients(samp[S1], "text") and not clients(samp[S2], "text"), "the subscriptions to go")
    say(S1)
    say(S1, "json")
    seen["json"] += 1
    c.check(PRDCR[4], lambda: count("json") == seen["json"] and count("text") == seen["text"])
    l1.stop(9)
    c.check(PRDCR[5], lambda: [clients(d, "json") for d in samp.values()], [0, 0])


# -- messages

BUS = ["JSON reaches the second level", "a text reaches the second level", "a subscriber of another channel does not get it",
       "an expression gets the channels that match", "who may not read it does not get it", "who may read it does",
       "what is forged is not delivered", "every publisher is paid back",
       "each level above counts what came", "each level counts whom it was given to",
       "subscriptions of a client that went are forgotten", "a relay that died delivers again when it is back"]


@case(35, "ldms_stream_test", "messages through three levels: permissions, credit, counts, and a relay that dies",
      "sampler agg1 agg2 tool", checks=BUS)
def test_messages(c):
    samp = c.ldmsd("sampler", S1, ON[MESSAGES] + NAIVE + c.sampler("meminfo", S1))
    l1 = c.ldmsd("agg1", L1, relay(c, MESSAGES, [S1], "jobs", "^x.*"))
    l2 = c.ldmsd("agg2", L2, NAIVE + relay(c, MESSAGES, [L1], "jobs", "^x.*"))

    def subscribed(daemon):
        return {s["match"] for s in c.status(daemon, "msg_client_stats")}

    def count(daemon, channel):
        return next((s["rx"]["count"] for s in c.status(daemon, "msg_stats") if s["name"] == channel), 0)

    def given(daemon, channel):
        return sum(cl["tx"]["count"] for s in c.status(daemon, "msg_stats") if s["name"] == channel for cl in s["clients"])

    def wanted():
        for d in (samp, l1):
            c.until(lambda: {"jobs", "^x.*"} <= subscribed(d), "the subscriptions of the level above")
    wanted()
    root, user, other = (who(l2, uid) for uid in (0, 1000, 1001))
    matching, elsewhere = l2.wire().accepted(), l2.wire().accepted()
    for w in (root, user, other):
        assert w.subscribe("jobs") == (0, "OK")
    assert matching.subscribe("^x", True) == (0, "OK") == elsewhere.subscribe("news")
    publish(c, S1, MESSAGES, "jobs", '{"a":1}')
    c.check(BUS[0], [json.loads(w.delivered()[1].rstrip(b"\0")) for w in (root, user, other)], [{"a": 1}] * 3)
    publish(c, S1, MESSAGES, "jobs", "word", "string")
    c.check(BUS[1], [w.delivered()[1].rstrip(b"\0") for w in (root, user, other)], [b"word"] * 3)
    pub = who(samp, 1000)
    pub.publish("jobs", b"mine", gn=2, uid=1000, gid=1000, perm=0o600)  # the user's and root's
    pub.publish("jobs", b"forged", gn=3, uid=0, gid=0, perm=0o777)
    pub.publish("x1", b"one", gn=4, uid=1000, gid=1000)
    pub.publish("x2", b"two", gn=5, uid=1000, gid=1000)
    pub.publish("jobs", b"ours", gn=6, uid=1000, gid=1000, perm=0o777)
    c.check(BUS[3], [matching.delivered()[:2] for _ in range(2)], [("x1", b"one"), ("x2", b"two")])
    mine = [[w.delivered()[1] for _ in range(2)] for w in (root, user)]
    c.check(BUS[5], mine, [[b"mine", b"ours"]] * 2)
    c.check(BUS[4], other.delivered()[1], b"ours")
    c.check(BUS[6], b"forged" not in sum(mine, []))

    def paid():
        """Who sent so much has all of it back (an ldmsd says of what is forged that it failed, and pays as well)."""
        sent = (("jobs", b"mine"), ("x1", b"one"), ("x2", b"two"), ("jobs", b"ours"))
        back, want = 0, sum(len(n) + 1 + len(d) for n, d in sent)
        while back < want:
            cmd, body = pub.reply()
            part, rc = struct.unpack(">Ii", body)
            back += part if cmd == 10 and not rc else 0
        return back >= want
    c.check(BUS[7], paid())
    c.check(BUS[8], [count(d, "jobs") for d in (l1, l2)], [4, 4])  # ours counts what is forged where it came in
    # an ldmsd counts as given also what a subscriber may not read
    c.check(BUS[9], [given(l1, "jobs"), given(l2, "jobs") in (11, 12), given(l2, "x1")], [4, True, 1])
    publish(c, S1, MESSAGES, "jobs", "last", "string")
    assert root.delivered()[1].rstrip(b"\0") == b"last"
    elsewhere.publish("news", b"own", gn=9)
    c.check(BUS[2], elsewhere.delivered()[:2], ("news", b"own"))
    elsewhere.sock.close()
    c.check(BUS[10], lambda: "news" not in subscribed(l2))
    c.sessions.pop(l1).sock.close()
    l1.restart()
    c.until(lambda: c.session(l1), "the relay")
    wanted()
    publish(c, S1, MESSAGES, "jobs", "back", "string")
    c.check(BUS[11], root.delivered()[1].rstrip(b"\0"), b"back")


# -- publishers of streams at daemons that have both

OLD = ["no counts before", "a text reaches the second level", "JSON reaches the second level", "lines are events of their own",
       "another stream does not", "counts of the first level", "counts of the second level",
       "counts begin anew when they are reset",
       "a channel that is asked for by its name reaches the second level", "one that is asked for by an expression does, too"]


@case(36, "ldmsd_stream_test2", "publishers of streams at daemons that pass messages, too; names and expressions; counts",
      "sampler agg1 agg2 tool", checks=OLD)
def test_old_publishers(c):
    both = ON[MESSAGES] + NAIVE
    c.ldmsd("sampler", S1, both + ON[STREAM])
    l1 = c.ldmsd("agg1", L1, both + relay(c, STREAM, [S1], "old") + "prdcr_subscribe regex=.* message_tag=new\n"
                 "prdcr_subscribe regex=.* message_tag=^n.*er$\n")
    l2 = c.ldmsd("agg2", L2, both + relay(c, STREAM, [L1], "old") + "prdcr_subscribe regex=.* message_tag=^n.*\n")

    def stats(daemon, channel="old"):
        return c.status(daemon, "stream_status").get(channel, {}).get("recv", {}).get("count", 0)

    def wants():
        """Is everything asked for, on all levels?"""
        dump = [c.status(d, "stream_client_dump")["streams"] for d in (samp, l1)]
        tags = [{s["match"] for s in c.status(d, "msg_client_stats")} for d in (samp, l1)]
        return (all(any(s["name"] == "old" and s["clients"] for s in d) for d in dump)
                and {"new", "^n.*er$"} <= tags[0] and {"^n.*"} <= tags[1])
    samp = c.hosts.daemons[-3]
    c.until(wants, "the subscriptions")
    c.check(OLD[0], (stats(l1), stats(l2)), (0, 0))
    publish(c, S1, STREAM, "old", "a text", "string")
    c.check(OLD[1], lambda: stats(l2), 1)
    publish(c, S1, STREAM, "old", '{"a":1}')
    c.check(OLD[2], lambda: stats(l2), 2)
    publish(c, S1, STREAM, "else", "nobody's", "string")
    publish(c, S1, STREAM, "old", '{"a":1}\n{"a":2}\n{"a":3}\n', "json", "-l")
    c.check(OLD[3], lambda: stats(l2), 5)
    c.check(OLD[4], (stats(samp, "else"), stats(l1, "else"), stats(l2, "else")), (1, 0, 0))
    c.check(OLD[5], stats(l1), 5)
    got = c.status(l2, "stream_status")["old"]
    c.check(OLD[6], (got["recv"]["count"], got["publishers"][L1]["recv"]["count"]), (5, 5))
    c.status(l2, "stream_status reset=true")
    publish(c, S1, STREAM, "old", "once more", "string")
    c.check(OLD[7], lambda: stats(l2), 1)
    sub = l2.wire().accepted()
    assert sub.subscribe(".*", True) == (0, "OK")
    publish(c, S1, MESSAGES, "new", '{"n":1}')
    c.check(OLD[8], sub.delivered()[:1], ("new",))
    publish(c, S1, MESSAGES, "newer", '{"n":2}')
    c.check(OLD[9], sub.delivered()[:1], ("newer",))
