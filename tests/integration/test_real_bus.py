"""The message bus side by side with an installed ldmsd 4.5.3 and its tools; skipped where there is none."""
import json
import os

import pytest

from ldms import free_port, real_ldmsd, wait_for
from real import real_publish
from test_advertise import conf_agg
from test_bus import CLIENT_STATS, daemon, stats, subscribed_at
from test_real_advertise import advances, real_samp
from test_real_peers import real
from test_soak import soak
from wire import Wire

PREFIX = real_ldmsd()
pytestmark = pytest.mark.skipif(not PREFIX, reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")


def publish(cluster, port, tag, data, kind="json", *args):
    """Their tool publishes a file to a daemon."""
    path = cluster.write("data", data)
    return real_publish(os.path.join(PREFIX, "sbin/ldms_msg_publish"), port, "-m", tag, "-t", kind, "-f", path, *args,
                        host="localhost")


def real_agg(cluster, name, producers, subscribe, extra="", rail=1):
    """Their aggregator, subscribed at daemons."""
    port = free_port()
    conf = cluster.write(name + ".conf", "msg_enable\n" + extra + "".join(
        f"prdcr_add name=p{i} type=active xprt=sock host=localhost port={p.port} reconnect=200ms rail={rail}\n"
        f"prdcr_start name=p{i}\n" for i, p in enumerate(producers)) +
        "".join(f"prdcr_subscribe regex=.* message_tag={t}\n" for t in subscribe))
    d = real(cluster, name, conf, port)
    wait_for(lambda: connects(port), "their daemon")
    return d


def connects(port):
    try:
        return Wire(port).accepted()
    except OSError:
        return None


def test_their_tool_publishes_to_us(cluster):
    d = daemon(cluster, "d")
    sub = Wire(d.port).accepted()
    sub.subscribe("jobs")
    for kind in ("json", "string"):
        r = publish(cluster, d.port, "jobs", '{"a":1}', kind)
        assert r.returncode == 0, r
        channel, data, hops = sub.delivered()
        assert (channel, data.rstrip(b"\0"), hops) == ("jobs", b'{"a":1}', 1)


def test_their_tool_keeps_to_our_quota(cluster):
    """It may have one message outstanding, and goes on when that is paid back."""
    d = daemon(cluster, "d", listen="quota=20")
    sub = Wire(d.port).accepted()
    sub.subscribe("jobs")
    r = publish(cluster, d.port, "jobs", '{"a":1}', "string", "-r", "20", "-i", "1000")
    assert r.returncode == 0, r
    for _ in range(20):
        assert sub.delivered()[1].rstrip(b"\0") == b'{"a":1}'
    assert stats(d)["jobs"]["rx"]["count"] == 20
    assert stats(d, CLIENT_STATS)["jobs"]["drops"]["count"] == 0


def test_their_aggregator_gets_ours(cluster):
    d = daemon(cluster, "d")
    for rail in (1, 3):
        agg = real_agg(cluster, f"a{rail}", [d], ["jobs", "^x.*"], rail=rail)
        wait_for(lambda: len(json.loads(Wire(d.port).accepted().control(CLIENT_STATS)[1])) == 2, "subscriptions")
        sub, pub = Wire(agg.port).accepted(), Wire(d.port).accepted()
        assert sub.subscribe(".*", True) == (0, "OK")
        for i in range(20):
            pub.publish(f"x{i}", b"%d" % i, gn=100 + i)
        pub.publish("jobs", b"job", gn=200)
        pub.publish("other", b"nobody's", gn=201)
        got = {c: (data, hops) for c, data, hops in (sub.delivered() for _ in range(21))}
        assert got == {**{f"x{i}": (b"%d" % i, 2) for i in range(20)}, "jobs": (b"job", 2)}
        pub.paid(sum(len(f"x{i}") + 1 + len(str(i)) for i in range(20)) + 8 + 14)
        assert all(c["waiting"]["count"] == 0 for c in stats(d, CLIENT_STATS).values())
        assert agg.alive()
        agg.stop()
        wait_for(lambda: not stats(d, CLIENT_STATS), "subscriptions to go with their peer")


def test_their_aggregator_with_a_quota(cluster):
    """They let us have so many bytes outstanding; all come all the same."""
    d = daemon(cluster, "d")
    agg = real_agg(cluster, "a", [d], ["c"], extra="default_quota quota=1000\n")
    wait_for(lambda: stats(d, CLIENT_STATS), "the subscription")
    sub, pub = Wire(agg.port).accepted(), Wire(d.port).accepted()
    sub.subscribe("c")
    for i in range(50):
        pub.publish("c", b"%3d" % i + bytes(397), gn=i + 1)
    assert [int(sub.delivered()[1][:3]) for _ in range(50)] == list(range(50))
    assert stats(d, CLIENT_STATS)["c"]["drops"]["count"] == 0


@pytest.mark.parametrize("theirs", ["first", "second"])
def test_many_publishers_through_ours_and_theirs(cluster, theirs):
    """Two hops, one of them theirs: nothing is lost, and each publisher's messages stay in order."""
    if theirs == "first":
        h1 = real_agg(cluster, "h1", [], [])
        h2 = daemon(cluster, "h2", subscribed_at(h1.port))
        wait_for(lambda: soak.client_totals(h1), "our subscription there")
    else:
        h1 = daemon(cluster, "h1", listen="quota=20000")
        h2 = real_agg(cluster, "h2", [h1], ["load"])
        wait_for(lambda: soak.client_totals(h1), "their subscription here")
    out = soak.messages(48, 200, h1, h2, lazy=False)
    assert soak.wrong(out) == [], out


def real_qgroup(port):
    code, text = Wire(port).accepted().control(0xB05)
    assert code == 0, text
    return json.loads(text)


def test_a_quota_group_with_theirs(cluster):
    """Ours is short and theirs donates, and the other way round."""
    ports = [free_port(), free_port()]
    conf = ("msg_enable\nqgroup_config quota={} ask_interval=50ms ask_amount=60 ask_mark=50 reset_interval=36500d\n"
            "qgroup_member_add xprt=sock host=127.0.0.1 port={}\nqgroup_start\n")
    for ours, theirs in ((100, 1000), (1000, 100)):
        name = f"q{ours}"
        d = cluster.daemon(name, ["samp", "-n", name, "-c", cluster.write(
            name + ".conf", f"listen port={ports[0]} host=127.0.0.1\n" + conf.format(ours, ports[1]))], ports[0])
        r = real(cluster, "r" + name, cluster.write("r" + name + ".conf", conf.format(theirs, ports[0])), ports[1])
        for port in ports:
            wait_for(lambda: connects(port) and [m["state"] for m in real_qgroup(port)["members"]] == ["CONNECTED"], name)
        pub = Wire(min((ours, ports[0]), (theirs, ports[1]))[1]).accepted()
        for _ in range(10):
            pub.publish("c", bytes(78))
        if ours < theirs:
            pub.paid(800)
            wait_for(lambda: real_qgroup(ports[1])["quota"] + real_qgroup(ports[0])["quota"] == 1100 - 800)
        else:  # theirs goes on to pay only when more messages come; as it is between two of theirs
            pub.paid(80)
            wait_for(lambda: (real_qgroup(ports[0])["quota"], real_qgroup(ports[1])["quota"]) == (940, 80))
        assert r.alive() and d.alive()
        r.stop()
        d.stop()


def test_their_sampler_that_came_is_told_its_quota(cluster):
    agg = conf_agg(cluster, "a", "msg_enable", "prdcr_listen_add name=l quota=4k rx_rate=1m", "prdcr_listen_start name=l")
    agg.says("Listening")
    samp = real_samp(cluster, "r1", agg)
    wait_for(lambda: [p["state"] for p in connects(agg.port).status(0x104)] == ["CONNECTED"], "the advertised one")
    assert [(p["quota"], p["rx_rate"]) for p in connects(agg.port).status(0x104)] == [("4KB", "1MB")]
    advances(agg, "r1/loadavg")
    assert samp.alive() and agg.alive()
