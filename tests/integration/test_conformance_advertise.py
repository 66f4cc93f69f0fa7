"""Daemons that say themselves where they want to be collected."""
import os
import signal

from conformance import PORT, case

S1, S2, L1, NOT_THIS_NAME, NOT_THIS_IP, DISABLED, L2 = (f"node{i}" for i in range(1, 8))
PLUGIN = "meminfo"


def advertise(*hosts):
    return "".join(f"advertiser_add name=to-{h} xprt=sock host={h} port={PORT} reconnect=200ms\nadvertiser_start name=to-{h}\n"
                   for h in hosts)


def listen(c, what):
    """An aggregator of whoever comes."""
    return f"prdcr_listen_add name=l {what}\nprdcr_listen_start name=l\n" + c.aggregator([])


def sets(*hosts):
    return {f"{h}/{PLUGIN}" for h in hosts}


def prdcrs(c, daemon, *keys):
    return {p["name"]: tuple(p[k] for k in keys) if len(keys) > 1 else p[keys[0]] for p in c.status(daemon, "prdcr_status")}


def named(*hosts, port=PORT):
    return [f"{h}:{port}" for h in hosts]


FIRST, LATER = "an advertiser that comes later is collected", "an advertiser that was there first is collected"
TYPE, HERE, THERE = "producers are advertised ones", "what advertisers say of themselves", "what the listener says of them"
TOP = "their sets on the second level"
DEAD = [f"a sampler dies: its sets are gone from the {n} level" for n in ("first", "second")]
BACK = [f"a sampler is back: its sets are back on the {n} level" for n in ("first", "second")]
L1_DEAD = ["the aggregator dies: its sets are gone from the second level", "the aggregator dies: the samplers live on"]
L1_BACK = ["the aggregator is back: it has its sets", "the aggregator is back: its sets are back on the second level"]
FILTERS = ["a listener for other hosts takes nobody", "a listener for other addresses takes nobody",
           "one for their addresses takes them"]
STANDBY, STARTED = "a listener that starts nothing collects nothing", "it collects what is started by hand"
STOPPED, AGAIN = "a producer that is stopped loses its sets", "a producer that is started again has them"


@case(32, "peer_daemon_advertisement_test", "samplers advertise themselves; filters; loss and return of either side",
      "sampler agg1 agg2 tool",
      checks=[FIRST, LATER, TYPE, HERE, THERE, TOP, *FILTERS, STANDBY, STARTED, STOPPED, AGAIN, *DEAD, *BACK, *L1_DEAD,
              *L1_BACK])
def test_advertisements(c):
    address = {n["name"]: n["address"] for n in c.hosts.status()}
    everybody = (L1, NOT_THIS_NAME, NOT_THIS_IP, DISABLED)
    samp = {S2: c.ldmsd("sampler", S2, c.sampler(PLUGIN, S2) + advertise(*everybody))}
    aggs = {n: c.ldmsd("agg1", n, listen(c, what)) for n, what in (
        (L1, f"regex=^({S1}|{S2})$"), (NOT_THIS_NAME, "regex=^nobody$"), (NOT_THIS_IP, f"ip={address[S1]}/32"),
        (DISABLED, "disable_start=true"))}
    l1, l2 = aggs[L1], c.ldmsd("agg2", L2, c.aggregator([L1], offset="90ms"))
    c.check(LATER, lambda: c.sets(l1), sets(S2))
    samp[S1] = c.ldmsd("sampler", S1, c.sampler(PLUGIN, S1) + advertise(*everybody))
    c.check(FIRST, lambda: c.sets(l1), sets(S1, S2))
    c.check(TYPE, prdcrs(c, l1, "type", "state"), dict.fromkeys(named(S1, S2), ("advertised, passive", "CONNECTED")))
    c.check(HERE, lambda: prdcrs(c, samp[S1], "type", "state").get("to-" + L1), ("advertiser", "CONNECTED"))
    got, = c.status(l1, "prdcr_listen_status")
    c.check(THERE, {k: sorted(got[k]) if k == "producers" else got[k] for k in ("name", "state", "type", "regex", "producers")},
            {"name": "l", "state": "running", "type": "passive", "regex": f"^({S1}|{S2})$", "producers": named(S1, S2)})
    c.check(TOP, lambda: set(c.values(l2)), sets(S1, S2))
    # all of them were asked at the same time
    c.check(FILTERS[2], lambda: c.sets(aggs[NOT_THIS_IP]), sets(S1))
    c.check(FILTERS[1], named(S2)[0] not in prdcrs(c, aggs[NOT_THIS_IP], "state"))
    c.check(FILTERS[0], prdcrs(c, aggs[NOT_THIS_NAME], "state"), {})
    c.until(lambda: len(prdcrs(c, aggs[DISABLED], "state")) == 2, "both to stand by")
    c.check(STANDBY, (c.sets(aggs[DISABLED]), set(prdcrs(c, aggs[DISABLED], "state").values()) & {"CONNECTED"}), (set(), set()))
    assert c.say(aggs[DISABLED], f"prdcr_start name={named(S1)[0]}")[0] == 0
    c.check(STARTED, lambda: c.sets(aggs[DISABLED]), sets(S1))
    assert c.say(l1, f"prdcr_stop name={named(S1)[0]}")[0] == 0
    c.check(STOPPED, lambda: c.sets(l1), sets(S2))

    def again():
        """An ldmsd takes the start as soon as the connection is gone."""
        return c.say(l1, f"prdcr_start name={named(S1)[0]}")[0] in (0, 16) and c.sets(l1) == sets(S1, S2)
    c.check(AGAIN, again)
    c.until(lambda: c.sets(l2) == sets(S1, S2), "both on the second level")
    samp[S1].stop(signal.SIGKILL)
    for what, d in zip(DEAD, (l1, l2)):
        c.check(what, lambda: c.sets(d), sets(S2))
    samp[S1].start()
    for what, d in zip(BACK, (l1, l2)):
        c.check(what, lambda: set(c.values(d)), sets(S1, S2))
    l1.stop(signal.SIGKILL)
    c.check(L1_DEAD[0], lambda: c.sets(l2), set())
    c.check(L1_DEAD[1], [c.sets(d) for d in samp.values()], [sets(n) for n in samp])
    l1.start()
    for what, d in zip(L1_BACK, (l1, l2)):
        c.check(what, lambda: set(c.values(d)), sets(S1, S2))


ACTIVE = "prdcr_listen_add name=a type=active"
MISSING = {f"refused without {a}": (line, f"The attribute '{a}' is required for the 'active' mode.") for a, line in (
    ("advertiser_port", f"{ACTIVE} advertiser_xprt=sock reconnect=1s"),
    ("advertiser_xprt", f"{ACTIVE} advertiser_port=1 reconnect=1s"),
    ("reconnect", f"{ACTIVE} advertiser_port=1 advertiser_xprt=sock"))}
CALLED = ["sets come over a connection of the aggregator's", "the producer is an active one, of the data port",
          "a second sampler without the secret is not read", "the listener shows how it connects",
          "a sampler that was away is collected again"]


@case(33, "peer_daemon_advertisement_active_test", "the aggregator connects back: to a port of its own, with a secret",
      "sampler agg1 tool", checks=[*MISSING, *CALLED])
def test_active_advertisements(c):
    secret = {}
    for name in ("right", "wrong"):
        secret[name] = os.path.join(c.folder(name), "secret")
        with os.fdopen(os.open(secret[name], os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write(f"secretword={name}-and-long-enough\n")

    def domain(name):
        return f"auth_add name=data plugin=ovis conf={secret[name]}\n"
    agg = c.ldmsd("agg1", L1, domain("right") + listen(
        c, f"type=active advertiser_xprt=sock advertiser_port={PORT + 1} advertiser_auth=data reconnect=200ms"))
    port = f"listen xprt=sock port={PORT + 1} auth=data\n"
    samp, _ = (c.ldmsd("sampler", n, domain(s) + port + c.sampler(PLUGIN, n) + advertise(L1))
               for n, s in ((S1, "right"), (S2, "wrong")))
    for what, (line, words) in MISSING.items():
        c.check(what, c.say(agg, line), (22, words))
    c.check(CALLED[0], lambda: set(c.values(agg)), sets(S1))

    def producers():
        return {p["host"]: (p["type"], p["port"], p["auth"], p["state"]) for p in c.status(agg, "prdcr_status")}
    c.check(CALLED[1], producers().get(S1), ("advertised, active", PORT + 1, "data", "CONNECTED"))
    c.until(lambda: S2 in producers(), "the second one")
    c.check(CALLED[2], (producers()[S2][3] != "CONNECTED", c.sets(agg)), (True, sets(S1)))
    got, = c.status(agg, "prdcr_listen_status")
    c.check(CALLED[3], [got[k] for k in ("type", "xprt", "port", "auth_dom", "reconnect")],
            ["active", "sock", str(PORT + 1), "data", "200ms"])
    samp.restart()
    c.check(CALLED[4], lambda: set(c.values(agg)), sets(S1))
