"""ldms msg: what is published comes out at the other end, and what goes wrong is said."""
import json
import signal
import subprocess

import pytest

from ldms import LDMS, PATIENCE_S, free_port, run, wait_for
from test_auth import secret
from test_streams import CLIENTS, STATUS, conf, prdcr, wire

BOTH = "stream_enable\nmsg_enable\n"
KINDS = pytest.mark.parametrize("kind", [(), ("--stream",)], ids=["bus", "stream"])


class Sub:
    """A running `ldms msg sub`; its lines go to a file."""

    def __init__(self, cluster, name, *args):
        self.out, self.err = cluster.path(name + ".out"), cluster.path(name + ".err")
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.proc = subprocess.Popen([LDMS, "msg", "sub", *map(str, args)], stdout=out, stderr=err,
                                         stdin=subprocess.DEVNULL)

    def lines(self, n):
        return wait_for(lambda: len(got := open(self.out).read().splitlines()) >= n and got,
                        f"{n} lines; {open(self.err).read()}")

    def end(self, sig=None):
        if sig:
            self.proc.send_signal(sig)
        return self.proc.wait(PATIENCE_S), open(self.err).read()


@pytest.fixture
def subs(cluster):
    all_ = []

    def start(*args):
        all_.append(Sub(cluster, f"sub{len(all_)}", *args))
        return all_[-1]

    yield start
    for s in all_:
        if s.proc.poll() is None:
            s.proc.kill()
        s.proc.wait()
        err = open(s.err).read()
        assert "Sanitizer" not in err and "runtime error" not in err, err


def at(daemon):
    return "-h", "127.0.0.1", "-p", daemon.port


def pub(daemon, *args, **kw):
    return run("msg", "pub", *at(daemon), *args, **kw)


def subscribed(daemon, channel, n=1):
    """Wait until the daemon has so many subscribers."""
    w = wire(daemon)

    def there():
        for s in w.status(CLIENTS)["streams"]:
            if s["name"] == channel and len(s["clients"]) >= n:
                return True
        stats = json.loads(w.control(0xC01)[1])
        return sum(c.get("match", "") == channel for c in stats) >= n
    wait_for(there, f"{n} subscribers of {channel}")


@KINDS
def test_pub_and_sub(cluster, subs, kind):
    d = conf(cluster, "d", BOTH)
    wire(d)
    s = subs(*at(d), *kind, "-n", 8, "ch")
    j = subs(*at(d), *kind, "-n", 8, "--json", "ch")
    subscribed(d, "ch", 2)
    assert pub(d, *kind, "ch", "hello world").returncode == 0
    assert pub(d, *kind, "--json", "ch", '{"a":\n[1, "b"]}').returncode == 0
    assert pub(d, *kind, "--line", "ch", input="one\ntwo\n\nthree").returncode == 0
    assert pub(d, *kind, "-f", cluster.write("m", "from a file\n"), "-n", 2, "-i", "1ms", "ch").returncode == 0
    assert pub(d, *kind, "ch", input="from stdin").returncode == 0
    assert s.end()[0] == j.end()[0] == 0
    assert s.lines(9) == ["hello world", '{"a":', '[1, "b"]}', "one", "two", "three", "from a file", "from a file",
                          "from stdin"]
    objects = [json.loads(line) for line in j.lines(8)]
    assert [o["data"] for o in objects] == ["hello world", {"a": [1, "b"]}, "one", "two", "three", "from a file\n",
                                            "from a file\n", "from stdin"]
    assert {o["channel"] for o in objects} == {"ch"} and objects[1]["type"] == "json"
    if not kind:
        assert len(objects[0]["hops"]) == 3 and objects[0]["perm"] == "0444" and objects[0]["hops"][1]["send"] > 0
    assert "8 messages" in s.end()[1]


@KINDS
def test_chain_of_daemons(cluster, subs, kind):
    samp = conf(cluster, "samp", BOTH)
    want = "stream=ch" if kind else "message_tag=^c"
    agg = conf(cluster, "agg", BOTH + f"prdcr_subscribe regex=.* {want}\n" + prdcr("samp1", samp))
    wire(agg)
    s = subs(*at(agg), *kind, *([] if kind else ["-E"]), "ch")
    subscribed(samp, "ch" if kind else "^c")
    subscribed(agg, "ch")
    text = "".join(f'{{"i": {i}}}\n' for i in range(2000))
    assert pub(samp, *kind, "--json", "--line", "ch", input=text).returncode == 0
    assert s.lines(2000) == text.splitlines()
    samp.restart()
    subscribed(samp, "ch" if kind else "^c")
    assert pub(samp, *kind, "ch", "again").returncode == 0
    assert s.lines(2001)[-1] == "again"
    status, err = s.end(signal.SIGINT)
    assert status == 0 and "2001 messages" in err


def test_json_is_checked_before_it_is_sent(cluster, subs):
    d = conf(cluster, "d", BOTH)
    wire(d)
    s = subs(*at(d), "-n", 2, "ch")
    subscribed(d, "ch")
    r = pub(d, "--json", "ch", '{"a" 1}')
    assert r.returncode == 1 and "message 1: no JSON: line 1, column 6: a colon is missing" in r.stderr
    r = pub(d, "--json", "--line", "ch", input='{"n":1}\nbroken\n{"n":2}\n')
    assert r.returncode == 4 and "message 2: no JSON" in r.stderr
    assert s.end()[0] == 0 and s.lines(2) == ['{"n":1}', '{"n":2}']


@KINDS
def test_a_daemon_that_is_off_is_named_with_the_remedy(cluster, kind):
    d = conf(cluster, "d", "")
    wire(d)
    verb = "stream_enable" if kind else "msg_enable"
    for r in (pub(d, *kind, "ch", "x"), run("msg", "sub", *at(d), *kind, "ch")):
        assert r.returncode == 4 and f"127.0.0.1:{d.port}: " in r.stderr and f"`{verb}`" in r.stderr


@KINDS
def test_nobody_there(kind):
    port = free_port()
    for r in (run("msg", "pub", "-p", port, *kind, "ch", "x"), run("msg", "sub", "-p", port, *kind, "ch")):
        assert r.returncode == 3 and str(port) in r.stderr and "refused" in r.stderr.lower()


@KINDS
def test_too_long_messages_are_refused_here(cluster, kind):
    d = conf(cluster, "d", BOTH)
    wire(d)
    r = pub(d, *kind, "ch", input="x" * 5000000)
    assert r.returncode == 4 and "at most" in r.stderr
    assert pub(d, *kind, "ch", input="x" * 1000000).returncode == 0


def test_nothing_to_send(cluster):
    d = conf(cluster, "d", BOTH)
    wire(d)
    r = pub(d, "ch", stdin=subprocess.DEVNULL)
    assert r.returncode == 4 and "nothing was sent" in r.stderr
    assert pub(d, "--line", "ch", stdin=subprocess.DEVNULL).returncode == 0, "no lines are no messages"


def test_wrong_usage():
    for args in ((), ("ch", "a", "b"), ("--json", "--string", "ch", "x"), ("-f", "x", "ch", "y"), ("-n", "0", "ch", "x"),
                 ("--perm", "9", "ch", "x"), ("-l", "-n", "2", "ch"), ("-f", "/nonexistent", "ch")):
        assert run("msg", "pub", *args, stdin=subprocess.DEVNULL).returncode == 1, args
    for args in ((), ("a", "b"), ("-s", "-E", "x"), ("-s", "--rate", "1", "x"), ("--listen", "x")):
        assert run("msg", "sub", *args).returncode == 1, args
    assert run("msg").returncode == 1 and run("msg", "what").returncode == 1


@KINDS
def test_sub_comes_back(cluster, subs, kind):
    d = conf(cluster, "d", BOTH)
    wire(d)
    s = subs(*at(d), *kind, "ch")
    subscribed(d, "ch")
    d.restart()
    subscribed(d, "ch")
    assert pub(d, *kind, "ch", "after").returncode == 0
    assert s.lines(1) == ["after"]
    assert "messages are missed" in s.end(signal.SIGTERM)[1]


@KINDS
def test_listen(cluster, subs, kind):
    port, other = free_port(), free_port()
    s = subs("--listen", port, *kind, "--json")
    one = subs("--listen", other, *kind, "ch")
    for p, channel in ((port, "any"), (other, "ch")):
        wait_for(lambda: run("msg", "pub", "-p", p, *kind, channel, "x").returncode == 0, f"the listener of {channel}")
    assert json.loads(s.lines(1)[-1])["channel"] == "any"
    assert s.end(signal.SIGINT)[0] == 0 and one.end(signal.SIGINT)[0] == 0


@KINDS
def test_authentication(cluster, subs, kind):
    """A secret on both sides, none on this side, and another one."""
    good, bad = (("-a", "ovis", "-A", "conf=" + secret(cluster, n, n)) for n in ("swordfish-42", "goldfish-43"))
    port = free_port()
    path = cluster.write("d.conf", f"{BOTH}listen xprt=sock port={port} host=127.0.0.1\n")
    d = cluster.daemon("d", ["samp", "-n", "d", "-c", path, *good], port)
    d.says("is ready")
    s = subs(*at(d), *kind, *good, "-n", 1, "ch")
    wait_for(lambda: pub(d, *kind, *good, "ch", "hello").returncode == 0 and s.proc.poll() == 0, "it to come through")
    assert s.lines(1) == ["hello"]
    for args in ((), bad):
        r = pub(d, *kind, *args, "-w", "2", "ch", "x")
        assert r.returncode == 7 and "authentic" in r.stderr.lower(), (args, r)


def test_regex_and_rate(cluster, subs):
    d = conf(cluster, "d", BOTH)
    wire(d)
    s = subs(*at(d), "-E", "--json", "^(a|b)$")
    subscribed(d, "^(a|b)$")
    for ch in ("a", "ab", "b", "c", "a"):
        assert pub(d, ch, ch).returncode == 0
    assert [json.loads(x)["channel"] for x in s.lines(3)] == ["a", "b", "a"]
    assert run("msg", "sub", *at(d), "-E", "(").returncode == 1


def test_a_daemon_that_does_not_read_is_given_up(cluster):
    d = conf(cluster, "d", BOTH)
    wire(d)
    d.kill(signal.SIGSTOP)
    r = run("msg", "pub", *at(d), "-w", "0.5", "ch", "x")
    assert r.returncode == 4 and "500ms" in r.stderr
    d.kill(signal.SIGCONT)
