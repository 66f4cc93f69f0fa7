"""The same request bytes to an installed ldmsd 4.5.3 and to ours: the same errno, words and form of the answer."""
import pytest

from ctlwire import ask, attrs, receive, record, send
from ldms import free_port, wait_for
from real import needs_ldmsd, real, real_agg, real_samp
from test_answers_daemon import ROWS, STRING, row
from wire import Wire

pytestmark = needs_ldmsd


@pytest.fixture
def pair(cluster):
    """Ports of ldmsd and of ours, with the same sampler running."""
    theirs = real_samp(cluster, "x", ("loadavg",))
    ours = cluster.samp("x1", "loadavg", "-c", cluster.write("ours.conf", "metric_sets_default_authz perm=0440\n"))
    for d in (theirs, ours):
        wait_for(lambda: d.ls(), d.name)
    return theirs, ours


def bare(cluster, name):
    """An ldmsd with nothing but its port."""
    port = free_port()
    d = real(cluster, name, cluster.write(name + ".conf", f"daemon_name name={name}\n"), port)
    ask_until(port, record(0x3), lambda a: a.code == 0)
    return d


def test_rows(cluster):
    """Every row that does not say why ldmsd answers otherwise."""
    d = bare(cluster, "x")
    wrong = []
    for r in ROWS:
        if r.ldmsd:
            continue
        got = ask(d.port, r.rec)
        if got.code != r.code or (r.words is not None and got.text() != r.words):
            wrong.append(f"{r.label}: {got}, not {r.code} {r.words!r}")
    assert not wrong, "\n".join(wrong)


def test_the_form_of_answers(cluster, pair):
    """Which attribute holds them, in how many records, and whether a NUL is counted."""
    wrong = []
    rows = [r for r in ROWS if not r.ldmsd] + [
        row("version", 0x604), row("daemon_status", 0x603), row("log_status", 0x614),
        row("thread_stats", 0x60d), row("xprt_stats", 0x60c),
        row("prdcr_status", 0x104), row("updtr_status", 0x304), row("strgp_status", 0x204), row("plugn_status", 0x504),
        row("prdcr_listen_status", 0x115), row("daemon_status thread_stats", 0x603, (STRING, "thread_stats"))]
    for r in rows:
        theirs, ours = ask(pair[0].port, r.rec), ask(pair[1].port, r.rec)
        if (theirs.code, theirs.shape(), theirs.flags) != (ours.code, ours.shape(), ours.flags):
            wrong.append(f"{r.label}: {theirs}, ours {ours}")
    assert not wrong, "\n".join(wrong)


def test_keys_of_thread_stats(pair):
    def keys(value, at=""):
        if isinstance(value, dict):
            return {at} | {k for n, v in value.items() for k in keys(v, f"{at}.{n}")}
        return {at} | {k for v in value for k in keys(v, at + "[]")} if isinstance(value, list) else {at}

    theirs, ours = (Wire(d.port).accepted().status(0x60d) for d in pair)
    assert keys(theirs) - keys(ours) == set()


def test_greeting_path_over_both(cluster):
    """Who asks is the last of the path, whoever is in front."""
    port = free_port()
    theirs = real(cluster, "t1", cluster.write("t1.conf", "daemon_name name=t1\n"), port)
    ours = cluster.samp("o1")
    for d in (theirs, ours):
        ask_until(d.port, record(0x3), lambda a: a.code == 0)
    above_theirs = cluster.agg("o2", [f"localhost:{port}"], "--interval", "100ms")
    above_ours = real_agg(cluster, "t2", [ours], "daemon_name name=t2\n")
    path = record(0x2, attrs((21, b"")))
    ask_until(above_theirs.port, path, lambda a: a.text() == "t1:o2")
    wait_for(lambda: above_ours.ls(), "their producer to be connected: they die without it")
    assert ask(above_ours.port, path).text() == "o1:t2"


def ask_until(port, rec, good):
    def answer():
        try:
            return good(ask(port, rec))
        except OSError:
            return False
    wait_for(answer, rec)


def test_parts(pair):
    """A request in three records, and two whose records are mixed."""
    one, two = attrs((1, b"one\0")), attrs((1, b"two\0"))
    recs = [record(0x104, one[:5], msg_no=1, flags=1), record(0x104, two[:9], msg_no=2, flags=1),
            record(0x104, one[5:14], msg_no=1, flags=0), record(0x104, two[9:], msg_no=2, flags=2),
            record(0x104, one[14:], msg_no=1, flags=2)]
    got = []
    for d in pair:
        w = Wire(d.port).accepted()
        for rec in recs:
            send(w, rec)
        got.append({a.msg_no: (a.code, a.attrs) for a in (receive(w), receive(w))})
    assert got[0] == got[1]
