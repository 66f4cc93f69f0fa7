"""What the verbs on the daemon answer, row by row: errno and words, as ldmsd 4.5.3 has them where it says something.

Beside an installed ldmsd test_real_requests.py sends it the same rows and compares.
"""
import json

import pytest

from ctlwire import END, ask, attrs, record, text
from wire import Wire

NAME, OFFSET, REGEX, TYPE, INSTANCE, XPRT, HOST, PORT, PLUGIN, STRING = 1, 3, 4, 5, 7, 8, 9, 10, 12, 16
LEVEL, PATH, TEST, REC_LEN, JSON, PERM, UID, GID, AUTH, RESET, QUOTA, SIZE = 20, 21, 24, 25, 26, 27, 32, 33, 35, 36, 39, 42

NOT_IMPLEMENTED = "The request is not implemented"
STREAMS_OFF = "The stream service is DISABLED on this system."
BAD = "LDMSD received a bad request."
INVALID, MISSING, EXISTS, BUSY, UNKNOWN, DISABLED = 22, 2, 17, 16, 38, 95


class Row:
    """A request and its answer; `words` None: only the errno counts.  `ldmsd` says why ldmsd answers otherwise."""

    def __init__(self, label, rec, code, words=None, ldmsd=None):
        self.label, self.rec, self.code, self.words, self.ldmsd = label, rec, code, words, ldmsd

    def __repr__(self):
        return self.label


def row(label, verb, *pairs, code=0, words=None, ldmsd=None):
    return Row(label, record(verb, attrs(*[(i, v if isinstance(v, bytes) else text(v)) for i, v in pairs])), code, words,
               ldmsd)


ROWS = [
    row("greeting", 0x2, words=""),
    row("greeting test", 0x2, (TEST, b""), words="Hi"),
    row("greeting name", 0x2, (NAME, "bob"), words="Hello 'bob'"),
    row("greeting name and test", 0x2, (NAME, "bob"), (TEST, b""), words="Hello 'bob'"),
    row("greeting offset", 0x2, (OFFSET, "10"), words="0000000010"),
    row("greeting long", 0x2, (OFFSET, "5000"), words="5000".rjust(5000, "0")),
    row("greeting one record", 0x2, (LEVEL, "1"), words="single record 0"),
    row("greeting three records", 0x2, (LEVEL, "3")),
    row("greeting level", 0x2, (LEVEL, "abc"), code=INVALID, words="Invalid. level >= 1"),
    row("greeting path", 0x2, (PATH, b""), words="x"),
    row("example", 0x1, (NAME, "a"), (TEST, b""), words='[{ "attr_len":2,"attr_id":1,"attr_value": "a" },\n'
        '{ "attr_len":0,"attr_id":24,"attr_value": "" }]'),
    row("example of nothing", 0x1, words="[]"),
    row("example of quotes", 0x1, (NAME, 'a"b'), words='[{ "attr_len":4,"attr_id":1,"attr_value": "a\\"b" }]',
        ldmsd="broken JSON"),
    row("cfg_cntr", 0x3),
    row("env", 0x605, (STRING, "CTL_A=1 CTL_B=2"), words=""),
    row("env without", 0x605, code=INVALID, words="No environment names/values are given."),
    row("env is expanded", 0x104, (NAME, "${CTL_A}"), code=MISSING, words="prdcr '1' doesn't exist."),
    row("a variable that is not set", 0x104, (NAME, "${CTL_NONE}"), words="[]", ldmsd="takes an empty name for one"),
    row("include without", 0x606, code=INVALID, words="The attribute 'path' is required by include."),
    row("include nothing", 0x606, (PATH, "/nonexistent"), code=MISSING,
        words="Failed to process cfg '/nonexistent' at line 0: No such file or directory"),
    row("listen on an unknown transport", 0x610, (XPRT, "foo"), (PORT, "23609"), code=MISSING,
        words="Failed to listen on the endpoint foo:23609. transport foo: unknown; there are: mem sock",
        ldmsd="less to say"),
    row("listen with an unknown domain", 0x610, (XPRT, "sock"), (PORT, "23609"), (AUTH, "nope"), code=MISSING,
        words="Listen error: authentication domain 'nope' not found. Please make sure that it is created with `auth_add` "
        "config command."),
    row("listen on no port", 0x610, (XPRT, "sock"), (PORT, "abc"), code=INVALID),
    row("listen on too high a port", 0x610, (XPRT, "sock"), (PORT, "99999"), code=INVALID),
    row("default_authz", 0x611, words="defaults: uid=0, gid=0, perm=440"),
    row("default_authz uid", 0x611, (UID, "nosuchuser"), code=INVALID,
        words='uid value "nosuchuser" is not a valid UID or user name'),
    row("default_authz gid", 0x611, (GID, "nosuchgrp"), code=INVALID,
        words='gid value "nosuchgrp" is not a valid GID or user name'),
    row("default_authz perm", 0x611, (PERM, "0900"), code=INVALID, words="String to permission bits conversion failed"),
    row("option without", 0x612, code=INVALID, words="No options are given."),
    row("option xprt", 0x612, (STRING, "-x sock:1234"), code=INVALID,
        words="The 'option' command does not support 'x' or 'xprt'. Use the 'listen' command instead."),
    row("option unknown", 0x612, (STRING, "--foo bar"), code=MISSING,
        words="Unknown cmd-line option or it must be given at the command line: --foo\n"),
    row("option config", 0x612, (STRING, "-c file"), words=""),
    row("option level", 0x612, (STRING, "-v ERROR"), words="", ldmsd="dies of it"),
    row("option trace", 0x612, (STRING, "-L 1:/tmp/trace"), code=UNKNOWN, ldmsd="has it"),
    row("set_sec_mod without", 0x613, code=INVALID, words="'regex' is required."),
    row("set_sec_mod uid", 0x613, (REGEX, ".*"), (UID, "-1000"), code=INVALID, words="Unknown user '-1000'"),
    row("set_sec_mod gid", 0x613, (REGEX, ".*"), (GID, "-1000"), code=INVALID, words="Unknown group '-1000'"),
    row("set_sec_mod perm", 0x613, (REGEX, ".*"), (PERM, "0900"), code=INVALID,
        words="String to permission bits conversion failed."),
    row("set_sec_mod regex", 0x613, (REGEX, "["), (PERM, "0440"), code=INVALID, ldmsd="aborts"),
    row("stats_reset", 0x615, words=""),
    row("stats_reset words", 0x615, (STRING, "bogus,Thread,stream"), words=""),
    row("default_auth without", 0x616, code=INVALID, words="The attribute 'plugin' is missing."),
    row("memory without", 0x617, code=INVALID, words="The attribute 'size' is missing."),
    row("memory of what", 0x617, (SIZE, "foo"), code=INVALID, ldmsd="takes it"),
    row("log_file without", 0x618, code=INVALID, words="The attribute 'path' is missing."),
    row("daemon_name without", 0x61a, code=INVALID, words="The attribute 'name' is missing."),
    row("worker_threads", 0x61b, (SIZE, "2"), words=""),
    row("worker_threads without", 0x61b, code=INVALID, words="The attribute 'num' is missing."),
    row("worker_threads of what", 0x61b, (SIZE, "x"), code=INVALID,
        words="Failed to process the 'worker_threads' command"),
    row("default_quota", 0x61c, (QUOTA, "1M"), words=""),
    row("default_quota without", 0x61c, code=INVALID, words="The attribute 'quota' is missing."),
    row("default_quota of what", 0x61c, (QUOTA, "x"), code=INVALID, ldmsd="takes it"),
    row("pid_file without", 0x61d, code=INVALID, words="The attribute 'path' is missing."),
    row("pid_file too late", 0x61d, (PATH, "/nonexistent"), code=BUSY, ldmsd="takes it, and writes none"),
    row("banner", 0x61e, (LEVEL, "1"), words=""),
    row("banner without", 0x61e, code=INVALID, words="The attribute 'mode' is missing."),
    row("log_level without", 0x602, code=INVALID, words="The attribute 'level' is required."),
    row("log_level of what", 0x602, (LEVEL, "FOO"), code=INVALID, words="The given level FOO is invalid."),
    row("log_level", 0x602, (LEVEL, "ERROR"), words=""),
    row("log_level of no log", 0x602, (LEVEL, "INFO"), (NAME, "nosuch"), code=MISSING,
        words="The given log nosuch does not exist."),
    row("log_level of no logs", 0x602, (LEVEL, "INFO"), (REGEX, "nosuch"), code=MISSING,
        words="The regular expression doesn't match any logs."),
    row("log_level of what logs", 0x602, (LEVEL, "INFO"), (REGEX, "["), code=INVALID,
        words="The regular expression '[' is invalid."),
    row("log_status of nothing", 0x614, (NAME, "nosuch"), code=MISSING,
        words="Failed to get the list of log information."),
    row("logrotate", 0x608, code=INVALID, words="Failed to rotate the log file. Invalid argument"),
    row("auth_add without", 0xa00, code=INVALID, words="Attribute 'name' is required"),
    row("auth_add", 0xa00, (NAME, "dom"), (PLUGIN, "none"), words=""),
    row("auth_add again", 0xa00, (NAME, "dom"), (PLUGIN, "none"), code=EXISTS,
        words="Authentication domain creation failed, errno: 17: authentication domain dom: exists already",
        ldmsd="less to say"),
    row("auth_del without", 0xa01, code=INVALID, words="Attribute 'name' is required"),
    row("auth_del of nothing", 0xa01, (NAME, "nosuch"), code=MISSING, words="'nosuch' authentication domain not found"),
    row("auth_del", 0xa01, (NAME, "dom"), words="", ldmsd="says that it failed, with error 0"),
    row("stream_status, off", 0x905, code=UNKNOWN, words=STREAMS_OFF),
    row("stream_client_dump, off", 0x903, code=UNKNOWN, words=STREAMS_OFF),
    row("publish, off", 0x900, (NAME, "foo"), (STRING, "x"), code=UNKNOWN, words=STREAMS_OFF),
    row("subscribe, off", 0x901, (NAME, "foo"), code=UNKNOWN, words=STREAMS_OFF),
    row("unsubscribe, off", 0x902, (NAME, "foo"), code=UNKNOWN, words=STREAMS_OFF),
    row("msg_stats, off", 0xc00, code=DISABLED, words="The message service is disabled."),
    row("msg_client_stats, off", 0xc01, code=DISABLED, words="The LDMS message service is disabled."),
    row("msg_enable", 0xc03, words="OK"),
    row("msg_disable", 0xc02, words="OK"),
    row("stream_enable", 0x907, words="OK"),
    row("stream_status", 0x905, words="{}"),
    row("stream_disable", 0x906, words="OK"),
    row("setgroup_add without", 0x800, code=INVALID, words="missing `name` attribute"),
    row("setgroup_add", 0x800, (NAME, "g"), words=""),
    row("setgroup_add again", 0x800, (NAME, "g"), code=EXISTS, words="A set or a group existed with the given name."),
    row("setgroup_mod", 0x801, (NAME, "g"), (2, "1000000"), words=""),
    row("setgroup_ins", 0x803, (NAME, "g"), (INSTANCE, "a"), words=""),
    row("setgroup_rm", 0x804, (NAME, "g"), (INSTANCE, "a"), words=""),
    row("setgroup_del", 0x802, (NAME, "g"), words=""),
    row("setgroup_del of nothing", 0x802, (NAME, "nosuch"), code=MISSING, ldmsd="errno 0, 'Group get error: 0'"),
    row("qgroup_info", 0xb05, words='{"state":"STOPPED","quota":0,"config":{"quota":0,"ask_mark":0,"ask_amount":0,'
        '"ask_usec":0,"reset_usec":0},"members":[]}'),
    row("qgroup_member_add without", 0xb01, code=INVALID, words="Missing 'host' attribute."),
    row("oneshot", 0x607, code=UNKNOWN, ldmsd="has it"),
    row("profiling", 0x61f, code=UNKNOWN, ldmsd="has it"),
    row("publish_kernel", 0x619, code=UNKNOWN, ldmsd="has it"),
    *[row(f"no verb 0x{n:x}", n, code=UNKNOWN, words=NOT_IMPLEMENTED)
      for n in (0, 0x400, 0x500, 0x501, 0x60a, 0x60b, 0x703, 0xa02, 0x9999, 0x10604)],
    # the envelope
    Row("two ends", record(0x603, bytes(8)), INVALID, BAD, "errno 0"),
    Row("no end", record(0x603, b""), INVALID, BAD, "errno 0"),
    Row("half an attribute", record(0x603, b"\0\0\0\1\0\0\0\1"), INVALID, BAD, "errno 0"),
    Row("no NUL", record(0x104, attrs((NAME, b"xx"))), INVALID, BAD, "errno 0"),
    Row("an attribute that is longer than it is", record(0x104, b"\0\0\0\1\0\0\0\1\0\0\0\xc8x\0" + END), INVALID, BAD,
        "errno 0"),
    Row("any number says that one follows", record(0x104, b"\0\0\0\7\0\0\0\1\0\0\0\2x\0" + END), MISSING,
        "prdcr 'x' doesn't exist."),
    Row("behind the end", record(0x104, attrs((NAME, b"x\0")) + b"junkjunk"), MISSING, "prdcr 'x' doesn't exist."),
    Row("the end comes first", record(0x104, END + attrs((NAME, b"x\0"))), 0, "[]"),
    Row("the first of two counts", record(0x104, attrs((NAME, b"x\0"), (NAME, b"y\0"))), MISSING,
        "prdcr 'x' doesn't exist."),
    Row("an empty value is none", record(0x104, attrs((NAME, b"\0"))), 0, "[]"),
    Row("an attribute that nobody knows", record(0x104, attrs((99, b"x\0"))), 0, "[]"),
    Row("no marker", record(0x603, marker=1), INVALID, "Config request is missing record marker"),
    Row("a part without beginning", record(0x603, msg_no=77, flags=2), MISSING, "The message no 77 was not found."),
    Row("longer than a record can be", record(0x603, length=2000000), 7),
    Row("shorter than its header", record(0x603, length=10), INVALID, None, "errno 0"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    from ldms import Cluster, wait_for
    c = Cluster(tmp_path_factory.mktemp("answers"))
    samp = c.samp("x")
    wait_for(lambda: samp.ls())
    yield samp.port
    c.end()


def test_rows(port):
    """In this order, on one daemon: all that are wrong are told."""
    wrong = []
    for r in ROWS:
        got = ask(port, r.rec)
        if got.code != r.code or (r.words is not None and got.text() != r.words):
            wrong.append(f"{r.label}: {got}, not {r.code} {r.words!r}")
    assert not wrong, "\n".join(wrong)


def test_verbs_that_are_not_here_say_what_to_do(port):
    for verb in (0x607, 0x61f, 0x619):
        words = ask(port, record(verb)).text()
        assert "not supported by ldms: " in words, words


def test_a_request_that_is_too_long_is_told_the_length(port):
    got = ask(port, record(0x603, length=2000000))
    assert got.attrs == [(REC_LEN, b"\xc4\xff\x0f\x00")]


def test_duplicates_are_named_with_the_connection(port):
    got = ask(port, record(0x603, msg_no=8, flags=1), record(0x603, msg_no=8, flags=1))
    assert (got.msg_no, got.code, got.shape()) == (8, 98, [(STRING, False)])
    assert got.text().startswith("Duplicate message number 8:") and got.text().endswith("received")


def test_what_is_neither_request_nor_answer_is_passed_over(port):
    got = ask(port, record(0x603, kind=9, msg_no=5), record(0, kind=2, msg_no=6), record(0x3, msg_no=7))
    assert got.msg_no == 7


def test_interleaved_parts_of_two_messages(port):
    one, two = attrs((NAME, b"one\0")), attrs((NAME, b"two\0"))
    w = Wire(port).accepted()
    from ctlwire import receive, send
    for rec in (record(0x104, one[:5], msg_no=1, flags=1), record(0x104, two[:9], msg_no=2, flags=1),
                record(0x104, one[5:14], msg_no=1, flags=0), record(0x104, two[9:], msg_no=2, flags=2),
                record(0x104, one[14:], msg_no=1, flags=2)):
        send(w, rec)
    got = {a.msg_no: a.text() for a in (receive(w), receive(w))}
    assert got == {1: "prdcr 'one' doesn't exist.", 2: "prdcr 'two' doesn't exist."}


def test_threads(port):
    w = Wire(port).accepted()
    first, second = w.status(0x60d), w.status(0x60d)
    assert first["count"] == len(first["io_threads"]) > 0
    io = second["io_threads"][0]
    assert io["n_eps"] >= 1 and io["sq_sz"] == 0 and 0 <= io["utilization"] <= 1
    assert io["idle_tot"] + io["active_tot"] == io["total_us"] and io["idle_us"] + io["active_us"] == io["refresh_us"]
    assert set(io["ldms_xprt"]) >= {"Idle", "Zap", "Other", "Storing Data", "Disconnecting"}
    assert "sampler" in {t["name"] for t in second["worker_threads"]}
    assert w.status(0x60d)["io_threads"][0]["tid"] == io["tid"]
    got = ask(port, record(0x603, attrs((STRING, b"thread_stats\0"))))
    both = json.loads(got.text())
    assert both["state"] == "ready" and both["thread_stats"]["count"] == first["count"]


def test_include_over_the_network(cluster):
    samp = cluster.samp("n1", "loadavg")
    samp.says("is ready")
    path = cluster.write("more.conf", "env CTL_MORE=meminfo\nload name=${CTL_MORE}\n"
                         "config name=meminfo producer=n1 instance=n1/meminfo\n")
    assert ask(samp.port, record(0x606, attrs((PATH, text(path))))).code == 0
    assert "n1/meminfo" in samp.ls()
    path = cluster.write("bad.conf", "load name=vmstat\nlaod name=x\n")
    got = ask(samp.port, record(0x606, attrs((PATH, b"/dev/zero\0"))))
    assert got.code == INVALID and "is no regular file" in got.text()
    got = ask(samp.port, record(0x606, attrs((PATH, text(path)))))
    assert got.code == INVALID and "bad.conf:2:1: unknown verb 'laod'" in got.text(), got
    assert [p["name"] for p in Wire(samp.port).accepted().status(0x504)] == ["loadavg", "meminfo"]


def test_a_pid_file_that_the_configuration_asks_for(cluster):
    for i, line in enumerate((f"pid_file path={cluster.path('pid0')}", f"option -r {cluster.path('pid1')}")):
        samp = cluster.samp(f"n{i}", "loadavg", "-c", cluster.write(f"{i}.conf", line + "\n"))
        samp.says("is ready")
        with open(cluster.path(f"pid{i}")) as f:
            assert f.read() == f"{samp.proc.pid}\n"
        assert samp.stop() == 0
        import os
        assert not os.path.exists(cluster.path(f"pid{i}"))


def test_files_with_verbs_that_are_not_here(cluster):
    from ldms import run
    got = run("samp", "--samp", "loadavg", "-c", cluster.write("f.conf", "profiling\n"))
    assert got.returncode and "f.conf:1:1: profiling: not supported by ldms: " in got.stderr


def test_greeting_path_goes_through_the_first_producer(cluster):
    from ldms import wait_for
    samp = cluster.samp("n1", "loadavg")
    agg = cluster.agg("a1", [samp], "--interval", "100ms")
    wait_for(lambda: agg.ls())
    assert ask(agg.port, record(0x2, attrs((PATH, b"")))).text() == "n1:a1"
    samp.stop()
    wait_for(lambda: not agg.ls())
    got = ask(agg.port, record(0x2, attrs((PATH, b""))))
    assert got.code == 107 and "not connected" in got.text()
