"""LDMS's own programs beside ours of the same names: the same command lines, the same output."""
import os
import signal
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, wait_for
from old_names import daemon, tool
from real import env, needs_ldmsd
from test_real_msg import program

pytestmark = needs_ldmsd

CONF = "".join(f"load name={s}\nconfig name={s} producer=n1 instance=n1/{s} component_id=1 perm=0777\n"
               f"start name={s} interval=1s\n" for s in ("loadavg", "meminfo", "procnetdev2"))


def theirs(name, *args, **kw):
    kw.setdefault("stdin", None if "input" in kw else subprocess.DEVNULL)
    if "input" in kw:
        del kw["stdin"]
    return subprocess.run([program(name), *map(str, args)], capture_output=True, text=True, env=env(),
                          timeout=PATIENCE_S, **kw)


def ours(cluster, name, *args, **kw):
    return tool(cluster, name, *args, env={**os.environ, "TZ": "UTC"}, **kw)


@pytest.fixture(params=["ours", "theirs"])
def samp(request, cluster):
    port = free_port()
    args = ["-x", f"sock:{port}:localhost", "-c", cluster.write("s.conf", CONF), "-m", "4M"]
    if request.param == "ours":
        d = daemon(cluster, "samp", args, port)
    else:
        d = cluster.daemon("samp", args, port, program=[program("ldmsd")], env=env())
    wait_for(lambda: len(d.values()) == 3, "its sets")
    yield d
    assert d.stop() == 0


@pytest.mark.parametrize("args", [
    (), ("-v",), ("-v", "-v"), ("-l",), ("-l", "-u"), ("-l", "-v"), ("-d",), ("-d", "-S", "loadavg"), ("-f", "tab"),
    ("-f", "tab", "-l", "-S", "meminfo"), ("-f", "xml"), ("-E", "load|mem"), ("nothing",), ("-v", "nothing"), ("-V",),
    ("-A", "x"),
], ids=" ".join)
def test_ldms_ls(cluster, samp, args):
    args = ("-x", "sock", "-h", "localhost", "-p", samp.port, *args)

    def same():
        """Between two samples."""
        a, b, c = theirs("ldms_ls", *args), ours(cluster, "ldms_ls", *args), theirs("ldms_ls", *args)
        return a.stdout.rstrip("\n") == b.stdout.rstrip("\n") == c.stdout.rstrip("\n") and a.returncode == b.returncode
    wait_for(same, f"the same output of {args}")


def test_ldms_ls_that_finds_nobody(cluster):
    for args in (("-x", "sock", "-h", "localhost", "-p", free_port()), ("-x", "sock", "-h", "nobody.invalid")):
        a, b = theirs("ldms_ls", *args), ours(cluster, "ldms_ls", *args)
        assert (a.returncode, a.stdout.replace(program("ldms_ls"), "ldms_ls")) == (b.returncode, b.stdout)


PUBLISH = (("-t", "string", "-f", "text"), ("-t", "json", "-f", "json"), ("-l", "-f", "text"), ("-f", "no-end"))


@pytest.mark.parametrize("kind", ["stream", "msg"])
def test_publishers_and_subscribers(cluster, kind):
    """All four ways: who publishes, and who subscribes, is ours or theirs; the files of the subscribers are equal."""
    for name, text in (("text", "a\nb b\n"), ("json", '{"a":[1,2]}\n'), ("no-end", "no line end")):
        cluster.write(name, text)
    pub, sub, letter = {"stream": ("ldmsd_stream_publish", "ldmsd_stream_subscribe", "-s"),
                        "msg": ("ldms_msg_publish", "ldms_msg_subscribe", "-m")}[kind]
    # theirs sends only the first line of a file with -l on the message bus
    ways = [w for w in PUBLISH if kind == "stream" or "-l" not in w]
    got = {}
    for who in ("ours", "theirs"):
        port, out = free_port(), cluster.path(f"{who}.out")
        args = ["-x", "sock", "-h", "localhost", "-p", port, letter, "ch", "-f", out]
        if who == "ours":
            d = daemon(cluster, who, args, port, program=sub)
        else:
            d = cluster.daemon(who, args, port, program=[program(sub)], env=env())
        wait_for(lambda: d.ls_run("-w", "1").returncode != 3, "it to listen")
        expected = 0
        for run in (lambda *a: ours(cluster, pub, *a), lambda *a: theirs(pub, *a, cwd=cluster.dir)):
            for way in ways:
                r = run("-x", "sock", "-h", "localhost", "-p", port, letter, "ch", *way)
                assert (r.returncode, r.stdout) == (0, "")
                expected = wait_for(lambda: (n := os.path.getsize(out)) > expected and n, f"{way}")
        wait_for(lambda: open(out).read().count("no line end") == 2, "all")
        d.stop(signal.SIGKILL)
        got[who] = open(out).read()
    half = len(got["theirs"]) // 2
    assert got["theirs"][:half] == got["theirs"][half:]
    assert got["ours"] == got["theirs"]


@pytest.mark.parametrize("args", [("-h", "localhost", "-p", "{port}"), ("-h", "nobody.invalid", "-p", "{port}"),
                                  ("-h", "localhost", "-p", "{port}", "-t", "xml"), ("-h", "localhost", "-p", "{port}", "-N")],
                         ids=["refused", "unknown host", "type", "announce"])
def test_ldmsd_stream_publish_that_fails(cluster, args):
    port = free_port()
    args = [a.format(port=port) for a in args] + ["-x", "sock", "-s", "ch", "-f", cluster.write("text", "a\n")]
    a, b = theirs("ldmsd_stream_publish", *args), ours(cluster, "ldmsd_stream_publish", *args)
    assert (a.returncode, a.stdout.splitlines()[0]) == (b.returncode, b.stdout.splitlines()[0])


@pytest.mark.parametrize("args", [(), ("-B", "1"), ("-x", "sock:20411", "-s", "f"), ("-x", "sock:20411", "-v", "WARN"),
                                  ("-x", "sock"), ("-c", "not-there"), ("-x", "nothing:20411"), ("-x", "sock:20411", "-m", "x")],
                         ids=" ".join)
def test_ldmsd_that_does_not_start(cluster, args):
    assert theirs("ldmsd", *args).returncode == ours(cluster, "ldmsd", *args).returncode


def test_ldmsctl(cluster, samp):
    dead = free_port()
    conf = cluster.write("agg.conf", f"""prdcr_add name=dead host=localhost port={dead} xprt=sock type=active reconnect=5s
prdcr_start name=dead
prdcr_add name=s1 host=localhost port={samp.port} xprt=sock type=active reconnect=200ms
prdcr_start name=s1
updtr_add name=u1 interval=1s offset=200ms
updtr_prdcr_add name=u1 regex=.*
updtr_start name=u1
""")
    port = free_port()
    agg = cluster.daemon("agg", ["-x", f"sock:{port}:localhost", "-c", conf], port, program=[program("ldmsd")], env=env())
    wait_for(lambda: len(agg.values()) == 3, "the sets there")
    at = ("-h", "localhost", "-x", "sock", "-p", port)
    for commands in ("prdcr_status\n", "updtr_status\n", "daemon_status\n", "foo\n", "prdcr_stop name=zz\n", "quit\n"):
        def same():
            a, b = theirs("ldmsctl", *at, input=commands), ours(cluster, "ldmsctl", *at, input=commands)
            text = a.stdout.replace("The connection is disconnected.\n", "")
            return (a.returncode, text) == (b.returncode, b.stdout) or None
        wait_for(same, f"the same answer to {commands}")


def test_their_tools_at_our_ldmsd(cluster):
    port = free_port()
    daemon(cluster, "d", ["-x", f"sock:{port}:localhost", "-c", cluster.write("s.conf", CONF + "stream_enable\nmsg_enable\n")],
           port)
    at = ("-x", "sock", "-h", "localhost", "-p", port)
    wait_for(lambda: len(theirs("ldms_ls", *at).stdout.split()) == 3, "its sets")
    text = cluster.write("text", "a\n")
    assert theirs("ldmsd_stream_publish", *at, "-s", "ch", "-f", text).returncode == 0
    assert theirs("ldmsctl", *at, input="daemon_status\nquit\n").stdout.startswith("Daemon State: ready\n")
