"""Streams and messages side by side with an installed ldmsd 4.5.3: its daemon and its tools with ours, each way."""
import json
import os
import signal
import subprocess

from ldms import PATIENCE_S, free_port, run, wait_for
from real import PREFIX, env, needs_ldmsd, real, real_publish
from test_msg import BOTH, KINDS, Sub, at, pub, subs, subscribed  # noqa: F401 (subs is a fixture)
from test_streams import PRDCR_STREAM_STATUS, REGEX, STATUS, conf, prdcr, text, wire

pytestmark = needs_ldmsd


def program(name):
    path, = [p for d in ("sbin", "bin") if os.access(p := os.path.join(PREFIX, d, name), os.X_OK)]
    return path


def tool(name, *args, **kw):
    return subprocess.run([program(name), *map(str, args)], capture_output=True, text=True, env=env(),
                          timeout=PATIENCE_S, **kw)


def real_pub(kind, port, channel, data, *args):
    if kind:
        return real_publish(program("ldmsd_stream_publish"), port, "-s", channel, "-t", "json", *args, input=data)
    return real_publish(program("ldms_msg_publish"), port, "-m", channel, "-t", "json", *args, input=data)


def real_conf(cluster, name, lines):
    port = free_port()
    d = real(cluster, name, cluster.write(name + ".conf", lines), port)
    wire(d)
    return d


def mode(d, channel="ch"):
    return wire(d).status(STATUS).get(channel, {}).get("mode")


@KINDS
def test_their_publisher_at_our_daemon(cluster, subs, kind):
    d = conf(cluster, "d", BOTH)
    wire(d)
    s = subs(*at(d), *kind, "--json", "-n", 1, "ch")
    subscribed(d, "ch")
    assert real_pub(kind, d.port, "ch", '{"a":1}\n').returncode == 0
    o = json.loads(s.lines(1)[0])
    assert (o["channel"], o["type"], o["data"]) == ("ch", "json", {"a": 1})


@KINDS
def test_our_tools_at_their_daemon(cluster, subs, kind):
    d = real_conf(cluster, "rd", BOTH)
    s = subs(*at(d), *kind, "-n", 101, "ch")
    if kind:
        wait_for(lambda: mode(d) == "subscribed", "our subscription there")
    else:
        wait_for(lambda: pub(d, "ch", "first").returncode == 0 and s.lines(1) == ["first"], "our subscription there")
    if kind:
        assert pub(d, *kind, "ch", "first").returncode == 0
    lines = "".join(f'{{"i":{i}}}\n' for i in range(100))
    assert pub(d, *kind, "--json", "--line", "ch", input=lines).returncode == 0
    assert s.lines(101) == ["first", *lines.splitlines()]
    assert s.end()[0] == 0 and d.alive()


@KINDS
def test_their_daemon_when_it_is_off(cluster, kind):
    d = real_conf(cluster, "rd", "")
    for r in (pub(d, *kind, "ch", "x"), run("msg", "sub", *at(d), *kind, "ch")):
        assert r.returncode == 4 and "_enable`" in r.stderr
    assert d.alive()


@KINDS
def test_our_publisher_at_their_subscriber(cluster, kind):
    port, out = free_port(), cluster.path("out")
    name = "ldmsd_stream_subscribe" if kind else "ldms_msg_subscribe"
    args = ["-x", "sock", "-p", port, "-h", "127.0.0.1", "-f", out] + (["-s", "ch"] if kind else [])
    d = cluster.daemon("theirs", args, port, program=[program(name)], env=env())
    wait_for(lambda: run("msg", "pub", "-p", port, *kind, "--json", "ch", '{"a":1}').returncode == 0, "it to listen")
    assert run("msg", "pub", "-p", port, *kind, "ch", "a text").returncode == 0
    wait_for(lambda: '{"a":1}' in open(out).read() and "a text" in open(out).read(), "both messages")
    assert d.alive()
    d.stop(signal.SIGKILL)


@KINDS
def test_their_publisher_at_our_listening_tool(subs, kind):
    port = free_port()
    s = subs("--listen", port, *kind, "--json")
    wait_for(lambda: run("msg", "pub", "-p", port, *kind, "ch", "ready").returncode == 0, "it to listen")
    assert real_pub(kind, port, "ch", '{"a":1}\n').returncode == 0
    assert json.loads(s.lines(2)[1])["data"] == {"a": 1}


@KINDS
def test_their_aggregator_subscribes_at_our_sampler(cluster, subs, kind):
    samp = conf(cluster, "samp", BOTH)
    wire(samp)
    want = "stream=ch" if kind else "message_tag=ch"
    agg = real_conf(cluster, "ra", BOTH + prdcr("samp1", samp).replace("reconnect", "interval") +
                    f"prdcr_subscribe regex=.* {want}\n")
    subscribed(samp, "ch")
    s = subs(*at(agg), *kind, "-n", 10, "ch")
    if kind:
        wait_for(lambda: mode(agg) == "subscribed", "the way to us")
    else:
        agg_has(agg, "ch")
    assert pub(samp, *kind, "--json", "--line", "ch", input='{"x":1}\n' * 10).returncode == 0
    assert s.lines(10) == ['{"x":1}'] * 10
    assert agg.alive()


def agg_has(d, channel):
    w = wire(d)
    wait_for(lambda: any(c["match"] == channel for c in json.loads(w.control(0xC01)[1])), f"a subscriber of {channel}")


@KINDS
def test_our_aggregator_subscribes_at_their_sampler(cluster, subs, kind):
    samp = real_conf(cluster, "rs", BOTH)
    want = "stream=ch" if kind else "message_tag=^c"
    agg = conf(cluster, "agg", BOTH + prdcr("samp1", samp) + f"prdcr_subscribe regex=.* {want}\n")
    wire(agg)
    s = subs(*at(agg), *kind, "-n", 11, "ch")
    subscribed(agg, "ch")
    if kind:
        wait_for(lambda: mode(samp) == "subscribed", "our subscription there")
    else:
        agg_has(samp, "^c")
    assert pub(samp, *kind, "--json", "ch", '{"x":0}').returncode == 0
    assert pub(samp, *kind, "--json", "--line", "ch", input='{"x":1}\n' * 10).returncode == 0
    assert sorted(s.lines(11)) == ['{"x":0}'] + ['{"x":1}'] * 10
    if kind:
        theirs, ours = wire(samp).status(STATUS), wire(agg).status(STATUS)
        assert theirs["ch"]["pub"]["total_bytes"] == ours["ch"]["publishers"]["samp1"]["recv"]["total_bytes"]
        assert set(theirs["ch"]) == set(ours["ch"]) and set(theirs["_OVERALL_"]) == set(ours["_OVERALL_"])
        by_prdcr = json.loads(wire(agg).control(PRDCR_STREAM_STATUS, [(REGEX, text(".*"))])[1])
        assert by_prdcr["ch"]["samp1"]["pub"] == theirs["ch"]["pub"]
    samp.restart()
    wire(samp)
    wait_for(lambda: mode(samp) == "subscribed" if kind else True, "the subscription to come back")
    assert samp.alive()
