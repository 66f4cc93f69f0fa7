"""Two aggregators that stand in for each other."""
import os

import pytest

from failover import UPDTR_STATUS, ask, do, flags, half, ours, pair, paired, states
from test_aggregation import advances
from ldms import free_port, run, wait_for
from wire import Wire

PAIR, RESET, CFGPRDCR, CFGUPDTR, PING, PEERCFG = 0x705, 0x706, 0x707, 0x708, 0x70a, 0x70b


@pytest.fixture
def samplers(cluster):
    return [cluster.samp(n, "loadavg", "--interval", "200ms") for n in ("n1", "n2")]


def test_a_dead_peer_and_its_return(cluster, samplers):
    """Both ways, seen from a level above; rows of what is taken over go where the peer would have put them."""
    store = [f"load name=csv plugin=store_csv\nconfig name=csv path={cluster.path(a)}\n"
             "strgp_add name=st plugin=csv container=c schema=loadavg\nstrgp_prdcr_add name=st regex=^p-a\n"
             "strgp_start name=st\n" for a in ("a1", "a2")]
    pairs = pair(cluster, (ours, ours), samplers, store)
    top = cluster.agg("top", pairs, "--interval", "200ms")
    everything = {"n1/loadavg", "n2/loadavg"}
    wait_for(lambda: set(top.ls()) == everything, "all sets at the top")
    paired(*pairs)
    for dead, alive, mine, its, theirs in ((*pairs, "n2/loadavg", "#p-a1", "p-a2"),
                                           (*reversed(pairs), "n1/loadavg", "#p-a2", "p-a1")):
        assert states(alive) == {its: "STOPPED", theirs: "CONNECTED"}
        assert alive.ls() == [mine]
        status = dead.stop(9)
        assert status == -9
        wait_for(lambda: states(alive).get(its) == "CONNECTED", "the producer to be taken over")
        assert states(alive, UPDTR_STATUS)["#u-" + its[3:]] == "RUNNING" and flags(alive)["stands_in"]
        wait_for(lambda: set(top.ls()) == everything, "all sets at the top while one is dead")
        taken, = everything - {mine}
        advances(top, taken)
        rows = os.path.join(cluster.path(alive.name), "c", "loadavg")
        wait_for(lambda: {s.split("/")[0] for s in everything} <= {r.split(",")[2] for r in open(rows)}, "rows of both")
        dead.start()
        paired(*pairs)
        wait_for(lambda: states(alive).get(its) == "STOPPED", "the producer to be given back")
        assert alive.ls() == [mine] and not flags(alive)["stands_in"]
        wait_for(lambda: set(top.ls()) == everything, "all sets at the top again")


def test_spools_and_shards_are_told(cluster, samplers):
    """A policy of the dead peer has its bounds, its share and a spool here, which is stored also when the peer is back."""
    conf = """load name=csv plugin=store_csv
config name=csv path={0}/rows
strgp_add name=st plugin=csv container=c regex=load shard=1/1 queue_bytes=1M queue_age=1m spool={0}/spool spool_bytes=8M spool_age=1d
strgp_prdcr_add name=st regex=^p-a
strgp_start name=st
"""
    for a in ("a1", "a2"):
        os.mkdir(cluster.path(a))
    a1, a2 = pairs = pair(cluster, (ours, ours), samplers, [conf.format(cluster.path(a)) for a in ("a1", "a2")])

    def of(name):
        return next((s for s in ask(a2, 0x204) or [] if s["name"] == name), {})

    paired(*pairs)
    assert of("#st")["shard"] == "1/1" and of("#st")["overflow"] == "spool"
    assert "#st" in os.listdir(cluster.path("a1/spool"))  # on this one host the peer's folder is here, too
    wait_for(lambda: of("st")["stored"], "rows of its own")
    rows, aside = cluster.path("a2/rows"), cluster.path("a2/aside")
    os.rename(rows, aside)
    cluster.write("a2/rows", "a file where the store wants a folder\n")
    assert a1.stop(9) == -9
    st = wait_for(lambda: (s := of("#st")) and s.get("spooled", 0) > 3 and s, "samples of the peer in its spool")
    assert "Not a directory" in st["why"]
    a1.start()
    paired(*pairs)
    wait_for(lambda: states(a2)["#p-a1"] == "STOPPED", "the producer to be given back")
    spooled = wait_for(lambda: of("#st")["spooled"], "what the forgotten policy left")
    assert spooled > 3
    os.unlink(rows)
    os.rename(aside, rows)
    wait_for(lambda: not of("#st")["spooled"] and of("#st")["stored"] >= spooled, "it to be stored")


def test_a_peer_that_hangs(cluster, samplers):
    a1, a2 = pair(cluster, (ours, ours), samplers)
    paired(a1, a2)
    a1.kill(19)
    wait_for(lambda: states(a2).get("#p-a1") == "CONNECTED", "the producer to be taken over")
    a1.kill(18)
    wait_for(lambda: states(a2).get("#p-a1") == "STOPPED", "the producer to be given back")


def test_what_is_mirrored(cluster, samplers):
    """Names with a mark; what the one does with all its producers does not touch those of the other."""
    more = ("stream_enable\nmsg_enable\nprdcr_add name=off host=h port=1 xprt=sock type=active reconnect=9s rail=2 "
            "quota=4096 perm=0640\n"
            "prdcr_subscribe regex=p-a1 stream=foo\nprdcr_subscribe regex=.* message_tag=^b.r\n"
            "updtr_add name=h interval=2s auto_interval=true\nupdtr_prdcr_add name=h regex=^off\n"
            "updtr_match_add name=h regex=mem match=schema\n"
            "updtr_add name=push interval=2s push=true\nupdtr_prdcr_add name=push regex=off\nupdtr_start name=push\n",
            "prdcr_subscribe regex=.* stream=mine\nupdtr_add name=later interval=3s\n")
    a1, a2 = pair(cluster, (ours, ours), samplers, more)
    paired(a1, a2)
    got = {p["name"]: p for p in ask(a2, 0x104)}
    assert set(got) == {"p-a2", "#p-a1", "#off"}
    off = {k: got["#off"][k] for k in ("host", "port", "rail", "quota", "reconnect_us")}
    assert off == {"host": "h", "port": 1, "rail": "2", "quota": "4KB", "reconnect_us": "9000000"}
    subs = {n: {s.get("stream") or s.get("message_tag") for s in p["subscriptions"]} for n, p in got.items()}
    assert subs == {"p-a2": {"mine"}, "#p-a1": {"foo", "^b.r"}, "#off": {"^b.r"}}
    updtrs = {u["name"]: u for u in ask(a2, UPDTR_STATUS)}
    assert set(updtrs) == {"u-a2", "later", "#u-a1", "#h", "#push"}
    assert {p["name"] for p in updtrs["#u-a1"]["producers"]} == {"#p-a1", "#off"}
    assert {p["name"] for p in updtrs["u-a2"]["producers"]} == {"p-a2"}
    h, push = updtrs["#h"], updtrs["#push"]
    assert (h["interval"], h["auto"], [p["name"] for p in h["producers"]]) == ("2000000", "true", ["#off"])
    assert push["mode"] == "Push on Request"
    assert {"name": "#h", "match": [{"regex": "mem", "selector": "schema"}]} in ask(a2, 0x30a)
    # it is nobody's configuration but the peer's
    assert "#" not in do(a2, "dump_cfg")[1].replace("# a2 of", "")
    assert {p["name"] for p in ask(a1, 0x104)} == {"p-a1", "off", "#p-a2"}
    # only what runs there runs here when it is dead
    a1.stop(9)
    wait_for(lambda: flags(a2)["stands_in"], "a2 to stand in")
    assert states(a2)["#off"] == "STOPPED"
    assert states(a2, UPDTR_STATUS) == {"u-a2": "RUNNING", "later": "STOPPED", "#u-a1": "RUNNING", "#h": "STOPPED",
                                        "#push": "RUNNING"}


def test_stop_and_start(cluster, samplers):
    """While it is started the configuration is fixed; a stop unpairs both; and both go on collecting."""
    a1, a2 = pair(cluster, (ours, ours), samplers)
    paired(a1, a2)
    new = "prdcr_add name=x host=h port=1 xprt=sock type=active reconnect=1s"
    assert do(a1, new) == (16, "Daemon busy.")
    assert do(a1, "failover_start") == (16, "Daemon busy.")
    assert do(a1, "prdcr_subscribe regex=p stream=s") == (0, "")
    code, text = do(a1, "reload")
    assert code == 16, text
    assert do(a1, "failover_stop") == (0, "failover_stop_ok")
    for d in (a1, a2):
        wait_for(lambda: flags(d)["state"] == "STOP" and flags(d)["conn"] == "DISCONNECTED", "both to be unpaired")
        assert states(d) == {"p-" + d.name: "CONNECTED"}
    assert do(a1, "failover_stop") == (16, "failover service busy")
    assert do(a1, new) == (0, "")
    assert do(a1, "failover_start") == (0, "") == do(a2, "failover_start")
    paired(a1, a2)
    assert set(states(a2)) == {"p-a2", "#p-a1", "#x"}


def test_by_hand(cluster, samplers):
    """auto_switch=0: the operator says when."""
    a1, a2 = pair(cluster, (ours, ours), samplers)
    paired(a1, a2)
    assert do(a2, "failover_stop")[0] == 0
    wait_for(lambda: flags(a1)["state"] == "STOP" == flags(a2)["state"], "both to be unpaired")
    w = Wire(a2.port).accepted()
    assert w.control(0x700, [(29, b"a1\0"), (28, b"0\0"), (30, b"2.5\0")]) == (0, "")
    assert do(a1, "failover_peercfg_start")[0] == 2
    assert do(a1, "failover_start") == (0, "") == do(a2, "failover_start")
    paired(a1, a2)
    assert do(a2, "failover_peercfg_start name=x") == (0, "")
    wait_for(lambda: states(a2).get("#p-a1") == "CONNECTED", "to stand in")
    assert flags(a2)["stands_in"]
    assert do(a2, "failover_peercfg_stop") == (0, "")
    assert states(a2)["#p-a1"] == "STOPPED"
    st = ask(a2, 0x704)
    assert (st["auto_switch"], st["timeout_factor"], st["ping_interval"]) == ("0", "2.500000", "200000")


def text(s):
    return s.encode() + b"\0"


def test_what_is_wrong_is_said(cluster, samplers):
    port = free_port()
    d = ours(cluster, "a1", cluster.write("a1.conf", ""), port)
    wait_for(lambda: ask(d, 0x704), "the daemon")
    w = Wire(port).accepted()
    conf = [(9, text("127.0.0.1")), (10, text(str(port))), (8, b"sock\0"), (29, b"a2\0")]
    for attrs, words in (((), "failover_config: peer_name attribute is required"),
                         (conf[3:], "missing host, port or xprt attribute"),
                         ((*conf, (30, b"x\0")), "failover_config: attribute 'timeout_factor': 'x' is no number"),
                         ((*conf, (30, b"0.5\0")), "failover: timeout_factor=0.5: at least 1"),
                         ((*conf, (2, b"-5\0")), "failover: the interval must be a positive time"),
                         ((*conf, (2, b"abc\0")), None), ((*conf, (28, b"maybe\0")), None)):
        code, said = w.control(0x700, attrs)
        assert code == 22 and (words is None or said == words), said
    assert w.control(0x700, [*conf[:2], (8, b"foo\0"), conf[3]])[0] == 2
    assert do(d, "failover_start")[0] == 22
    assert w.control(PAIR, [(29, b"a2\0")])[0] == 11  # nothing is configured: ask again
    assert w.control(0x700, [*conf[:3], (29, b"a1\0")]) == (0, "")
    code, said = do(d, "failover_start")
    assert code == 22 and "the peer is named as this daemon is" in said
    assert w.control(0x700, conf) == (0, "")
    assert w.control(PAIR, [(29, b"other\0")])[0] == 1 and w.control(PAIR, [(29, b"a2\0")]) == (0, "")
    assert w.control(PING, [(1, b"other\0")]) == (22, "peer name unmatched")
    assert w.control(PING) == (22, "missing `name` attribute")
    assert do(d, "failover_start") == (0, "")
    assert w.control(0x701, [(29, b"other\0")]) == (22, "failover: the peer is a2, not other")
    # it connects to itself, and is not whom it seeks
    wait_for(lambda: "is not the peer of" in ask(d, 0x704)["why"], f"words about it: {ask(d, 0x704)}")
    for line in ("prdcr_add name=#x host=h port=1 xprt=sock type=active reconnect=1s", "updtr_add name=#x interval=1s"):
        assert do(d, "failover_stop")[0] in (0, 16)
        wait_for(lambda: flags(d)["state"] == "STOP", "the stop")
        code, said = do(d, line)
        assert code == 22 and "#x is an invalid" in said
    # nobody but the peer says what there is, and it is not answered
    w.ask(CFGPRDCR, [(1, b"#x\0"), (9, b"h\0"), (10, b"1\0"), (8, b"sock\0"), (5, b"active\0"), (2, b"1s\0")])
    assert w.control(0x104) == (0, "[]")


def test_the_wire(cluster, samplers):
    """What a daemon tells its peer, and what it makes of what it is told: by a peer of our own."""
    a1 = ours(cluster, "a1", cluster.write("a1.conf", half("a1", 0, "a2", free_port(), samplers[0])), free_port())
    wait_for(lambda: flags(a1), "the daemon")
    w = Wire(a1.port).accepted()
    assert w.control(PAIR, [(29, b"a2\0")]) == (0, "")
    w.ask(PEERCFG)
    told = []
    while True:
        cmd, body = w.reply()
        code, attrs = int.from_bytes(body[20:24], "big"), body[28:]
        if int.from_bytes(body[8:12], "big") == 2:
            break
        got = {}
        while int.from_bytes(attrs[:4], "big"):
            n = int.from_bytes(attrs[8:12], "big")
            got[int.from_bytes(attrs[4:8], "big")] = attrs[12:12 + n].rstrip(b"\0").decode()
            attrs = attrs[12 + n:]
        told.append((code, got))
    assert told == [
        (CFGPRDCR, {1: "#p-a1", 9: "127.0.0.1", 10: str(samplers[0].port), 8: "sock", 2: "200000", 5: "active",
                    32: str(os.geteuid()), 33: str(os.getegid()), 27: "01770", 38: "1", 39: "-1", 40: "-1", 43: "1"}),
        (CFGUPDTR, {1: "#u-a1", 2: "200000", 3: "50000", 31: "false", 32: str(os.geteuid()), 33: str(os.getegid()),
                    27: "01770"}),
        (CFGUPDTR, {1: "#u-a1", 6: "#p-a1"})]
    w.ask(PING, [(1, b"a2\0")])
    cmd, body = w.reply()
    assert body[28:40] == b"\0\0\0\1\0\0\0\x11\0\0\0\x18" and body[40:44] == b"\0\0\0\1" and len(body) == 28 + 12 + 24 + 4


def test_in_files(cluster, samplers):
    """Started behind everything else; what is wrong is found before anything runs."""
    good = cluster.write("good.conf", "failover_start\n" + half("a1", 0, "a2", 7, samplers[0]).replace("failover_start\n", ""))
    assert run("check", good).returncode == 0, run("check", good).stderr
    bad = cluster.write("bad.conf", "failover_config host=h port=1 xprt=sock\n")
    got = run("check", bad)
    assert got.returncode and "peer_name" in got.stdout + got.stderr
    d = ours(cluster, "a1", good, free_port())
    wait_for(lambda: flags(d) and flags(d)["state"] == "START", "it to be started")
    dump = do(d, "dump_cfg")[1]
    assert "failover_config host=127.0.0.1 port=7 xprt=sock peer_name=a2 interval=200000 timeout_factor=4" in dump
    assert "failover_start" in dump


def test_two_that_are_cut_off_from_each_other(hosts):
    """Each takes the other for dead and collects everything; afterwards each has its own, and nobody else noticed."""
    c = hosts(4)
    lines = ("prdcr_add name={s} host={s} port=10000 xprt=sock type=active reconnect=200ms\nprdcr_start name={s}\n"
             "updtr_add name=u interval=200ms offset=50ms\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"
             "failover_config host={peer} port=10000 xprt=sock peer_name={peer} interval=200ms timeout_factor=3\n"
             "failover_start\n")
    for n in ("node1", "node2"):
        c.node(n).daemon(f"load name=loadavg\nconfig name=loadavg producer={n} instance={n}/loadavg\n"
                         "start name=loadavg interval=200ms\n")
    pairs = [c.node(n).daemon(lines.format(s=s, peer=peer), ["-n", n])
             for n, s, peer in (("node3", "node1", "node4"), ("node4", "node2", "node3"))]

    def status(d):
        return d.ctl("failover_status")

    def settled(own):
        return all(status(d)["conn_state"] == "CONFIGURED" and d.ls() == [s] for d, s in zip(pairs, own))
    own = ["node1/loadavg", "node2/loadavg"]
    wait_for(lambda: all(d.ls() for d in pairs) and settled(own), "each to have its own")
    c.fault("cut", "node3", "--from", "node4")
    wait_for(lambda: all(status(d)["peercfg_activated"] == "1" and set(d.ls()) == set(own) for d in pairs),
             "both to collect everything")
    c.fault("heal", "node3,node4")
    wait_for(lambda: settled(own), "each to have its own again")
