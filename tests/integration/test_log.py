"""The log: what is in it, how it can be changed while the daemon runs, and that it never holds anybody up."""
import itertools
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from ldms import CONFINED_ENV, LDMS, PATIENCE_S, free_port, run, wait_for
from wire import Wire

LOG_LEVEL, LOGROTATE, LOG_STATUS, LOG_FILE, LOAD = 0x602, 0x608, 0x614, 0x618, 0x505
NAME, REGEX, LEVEL, PATH, TEST = 1, 4, 20, 21, 24
MS = ("--interval", "100ms")


def text(value):
    return str(value).encode() + b"\0"


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def ask(d, verb, **attrs):
    ids = {"name": NAME, "regex": REGEX, "level": LEVEL, "path": PATH, "test": TEST}
    return Wire(d.port).accepted().control(verb, [(ids[k], text(v)) for k, v in attrs.items()])


def speak(d, words):
    """Make it log words: there is no plugin of that name."""
    assert ask(d, LOAD, name=words)[0]


def levels(d):
    return {s["name"]: s["level"] for s in Wire(d.port).accepted().status(LOG_STATUS)}


def test_format_of_ldmsd(cluster):
    s = cluster.samp("n1", "loadavg", "--log-format", "ldmsd")
    s.says("     INFO: ldmsd: n1 is ready\n")
    s.says(f"     INFO: ldmsd: Listening on sock:{s.port} using `sock` transport and `none` authentication\n")
    speak(s, "nobody")
    s.says("    ERROR: config: load: ")
    env = {**os.environ, "LDMSD_LOG_TIME_SEC": "1"}
    t = cluster.daemon("n2", ["samp", "-x", f"sock:{free_port()}:127.0.0.1", "-n", "n2", "--samp", "loadavg"], env=env)
    t.says("n2 is ready")
    assert all(re.match(r"\d+\.\d{6}: +[A-Z]+: \w+: ", line) for line in t.text().splitlines())


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
def test_formats(cluster, form):
    s = cluster.samp("n1", "loadavg", "--log-format", form)
    s.says("is ready")
    speak(s, "a\nforged: line\x1b[31m")
    s.says("forged")
    lines = s.text().splitlines()
    if form == "json":
        logged = [json.loads(line) for line in lines]
        assert all(set(e) == {"time", "level", "subsystem", "text"} for e in logged)
        assert [e for e in logged if e["level"] == "ERROR" and e["subsystem"] == "config" and "forged" in e["text"]]
    elif form == "logfmt":
        assert all(re.match(r'time=\S+Z level=\w+ subsystem=\w+ text=".*"$', line) for line in lines)
    else:
        assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+: +[A-Z]+: \w+: ", line) for line in lines)
    assert "\x1b" not in s.text()


def test_options(cluster):
    s = cluster.samp("n1", "loadavg", "-v", "ERROR", "-v", "config=INFO,CRITICAL", "--log-level", "xprt=DEBUG")
    wait_for(lambda: s.ls())
    assert levels(s) == {**dict.fromkeys(levels(s), "default"), "ldmsd (default)": "ERROR,CRITICAL",
                         "config": "INFO,CRITICAL", "xprt": "DEBUG,INFO,WARNING,ERROR,CRITICAL"}
    q = cluster.samp("n2", "loadavg", "-q")
    wait_for(lambda: q.ls())
    assert levels(q)["ldmsd (default)"] == "QUIET" and not q.text()
    for args, word in ((["-v", "WARN"], "INFO,ERROR"), (["-v", "nosuch=INFO"], "nosuch"),
                       (["--log-format", "xml"], "logfmt"), (["--log-file", "syslog:/nowhere"], "/nowhere")):
        r = run("samp", "-x", f"sock:{free_port()}:127.0.0.1", "--samp", "loadavg", *args)
        assert r.returncode and word in r.stderr, (args, r)


def test_levels_change_while_it_runs(cluster):
    conf = cluster.write("n1.conf", "log_level level=ERROR\nlog_level name=xprt.zap level=WARNING,\n"
                                    "loglevel regex=^s level=DEBUG\n")
    s = cluster.samp("n1", "loadavg", "-c", conf)
    wait_for(lambda: s.ls())
    assert levels(s)["ldmsd (default)"] == "ERROR,CRITICAL" and levels(s)["xprt"] == "WARNING,"
    assert {n for n, v in levels(s).items() if v.startswith("DEBUG,INFO")} == {"sampler", "store", "stream"}
    for attrs, answer in (({"level": "WARN"}, (22, "The given level WARN is invalid.")),
                          ({"level": "INFO", "name": "no"}, (2, "The given log no does not exist.")),
                          ({"level": "INFO", "regex": "^no"}, (2, "The regular expression doesn't match any logs.")),
                          ({"level": "INFO", "regex": "("}, (22, "The regular expression '(' is invalid.")),
                          ({"level": "DEBUG"}, (0, "")), ({"level": "default", "regex": ".*"}, (0, "")),
                          ({"level": "INFO,ERROR", "name": "config"}, (0, ""))):
        assert ask(s, LOG_LEVEL, **attrs) == answer
    assert levels(s) == {**dict.fromkeys(levels(s), "default"), "config": "INFO,ERROR",
                         "ldmsd (default)": "DEBUG,INFO,WARNING,ERROR,CRITICAL"}
    assert ask(s, LOG_LEVEL, level="INFO,ERROR", name="config", test="") == (0, "")
    s.says("ERROR: config: log_level: a line of level ERROR")
    assert "a line of level INFO" in s.text() and "a line of level WARNING" not in s.text()
    assert Wire(s.port).accepted().status(LOG_STATUS, "config")[1]["level"] == "INFO,ERROR"
    assert ask(s, LOG_STATUS, name="no") == (2, "Failed to get the list of log information.")


def test_equal_lines_are_counted(cluster):
    s = cluster.samp("n1", "loadavg", "--log-format", "ldmsd")
    wait_for(lambda: s.ls())
    w = Wire(s.port).accepted()
    for _ in range(512):
        assert w.control(LOAD, [(NAME, text("nobody"))])[0]
    speak(s, "another")
    line = s.says("another") and [x for x in s.text().splitlines() if "nobody" in x]
    assert len(line) == 2 and line[1] == line[0] + " (repeated 511 times)"


def test_rotation(cluster):
    """As logrotate does it: rename, then SIGHUP; and by our own verb."""
    log, old = cluster.path("log"), cluster.path("log.1")
    s = cluster.samp("n1", "loadavg", "--log-file", log)
    wait_for(lambda: s.ls())
    wait_for(lambda: "is ready" in read(log))
    os.rename(log, old)
    speak(s, "before")
    wait_for(lambda: "before" in read(old))
    assert not os.path.exists(log)
    s.kill(signal.SIGHUP)
    wait_for(lambda: os.path.exists(log), "a new file")
    speak(s, "after")
    wait_for(lambda: "after" in read(log))
    assert "after" not in read(old) and os.stat(log).st_mode & 0o777 == 0o600
    assert ask(s, LOGROTATE) == (0, "")
    wait_for(lambda: os.path.exists(log), "a new file")
    rotated = [f for f in os.listdir(cluster.dir) if re.fullmatch(r"log-\d+", f)]
    assert len(rotated) == 1 and "after" in read(cluster.path(rotated[0]))
    # where a new one cannot be made, the old one goes on
    os.mkdir(cluster.path("d"))
    assert ask(s, LOG_FILE, path=cluster.path("d/log")) == (0, "")
    wait_for(lambda: os.path.exists(cluster.path("d/log")))
    os.rename(cluster.path("d"), cluster.path("e"))
    s.kill(signal.SIGHUP)
    wait_for(lambda: "not opened again" in read(cluster.path("e/log")))
    speak(s, "further on")
    wait_for(lambda: "further on" in read(cluster.path("e/log")))
    assert s.stop() == 0
    assert "n1 ends" in read(cluster.path("e/log"))
    code, words = 22, "Failed to rotate the log file. Invalid argument"
    t = cluster.samp("n2", "loadavg")
    wait_for(lambda: t.ls())
    assert ask(t, LOGROTATE) == (code, words)
    t.kill(signal.SIGHUP)
    speak(t, "it lives")
    t.says("it lives")


def test_full_disk(cluster):
    """Samples go on; how many lines are lost is said when there is room."""
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    s = cluster.samp("n1", "loadavg", "--log-file", "/dev/full", *MS)
    wait_for(lambda: s.values())
    for i in range(20):
        speak(s, f"lost{i}")
    log = cluster.path("log")
    assert ask(s, LOG_FILE, path=log) == (0, "")
    speak(s, "found")
    wait_for(lambda: "found" in read(log))
    assert re.search(r"log: lost=\d+ lines could not be written: No space left on device", read(log))
    assert "lost19" not in read(log)


def test_hanging_pipe(cluster):
    """Nobody reads the log: samples and answers go on, and so does the end."""
    port = free_port()
    p = subprocess.Popen([LDMS, "samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg", "-v", "DEBUG",
                          *MS], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    s = type("Peer", (), {"port": port})
    try:
        wait_for(lambda: run("ls", "-h", "127.0.0.1", "-p", port).returncode == 0)
        w = Wire(port).accepted()
        for i in range(3000):  # a pipe takes 64 kB
            assert w.control(LOAD, [(NAME, text("x" * 200 + str(i)))])[0]

        def sample():
            r = run("ls", "-l", "--json", "-h", "127.0.0.1", "-p", port)
            return json.loads(r.stdout)["long_sets"][0]["dir_info"] if r.returncode == 0 else None

        first = sample()
        wait_for(lambda: sample() != first, "another sample")
        # somebody reads again
        got = b""
        while b"lost=" not in got:
            got += os.read(p.stderr.fileno(), 1 << 16)
            if len(got) < 1 << 20:
                w.control(LOAD, [(NAME, text("more"))])
        for i in range(3000):
            assert w.control(LOAD, [(NAME, text("y" * 200 + str(i)))])[0]
        assert ask(s, LOG_FILE, path=cluster.path("log")) == (0, "")  # away from there
        n = itertools.count()

        def heard():  # what waited for the pipe may fill the queue still
            speak(s, f"elsewhere{next(n)}")
            return "elsewhere" in read(cluster.path("log"))

        wait_for(heard)
    finally:
        p.send_signal(signal.SIGTERM)
        assert p.wait(PATIENCE_S) == 0
        p.stderr.close()


def service(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(PATIENCE_S)
    return s


def test_syslog(cluster):
    with service(cluster.path("dev-log")) as log:
        s = cluster.samp("n1", "loadavg", "--log-file", "syslog:" + cluster.path("dev-log"))
        wait_for(lambda: s.ls())
        lines = [log.recv(65536).decode() for _ in range(2)]
        assert all(re.match(r"<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ldms\[%d\]: ldmsd: " % s.proc.pid, x) for x in lines)
        speak(s, "error")
        assert log.recv(65536).decode().startswith("<27>")
        assert not s.text()


def test_journald(cluster):
    with service(cluster.path("journal")) as log:
        s = cluster.samp("n1", "loadavg", "--log-file", "journald:" + cluster.path("journal"))
        wait_for(lambda: s.ls())
        fields = dict(f.split("=", 1) for f in log.recv(65536).decode().splitlines())
        assert {k: fields[k] for k in ("PRIORITY", "SUBSYSTEM", "SYSLOG_IDENTIFIER")} == {
            "PRIORITY": "6", "SUBSYSTEM": "ldmsd", "SYSLOG_IDENTIFIER": "ldms"}
        assert fields["MESSAGE"].startswith("ldmsd: ")


def test_in_the_sandbox(cluster):
    """The file can be opened again where it may be written, and only there."""
    os.mkdir(cluster.path("logs"))
    log = cluster.path("logs/log")
    port = free_port()
    s = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg", "--sandbox",
                              "--log-file", log], port, env=CONFINED_ENV)
    wait_for(lambda: s.ls())
    os.rename(log, log + ".1")
    s.kill(signal.SIGHUP)
    wait_for(lambda: os.path.exists(log))
    assert ask(s, LOGROTATE) == (0, "")
    assert ask(s, LOG_FILE, path=cluster.path("logs/other")) == (0, "")
    speak(s, "there")
    wait_for(lambda: "there" in read(cluster.path("logs/other")))


def test_many_that_fail_alike(cluster):
    """One line for all, with their names; single ones are said at once; and that all are back."""
    port, many = free_port(), 200
    a = cluster.agg("a1", [f"127.0.1.[1-{many}]:{port}"], "--log-format", "ldmsd")
    a.says(f"WARNING: producer: {many} of {many} producers unreachable: 127.0.1.[1-{many}]:{port} (connection refused)")
    assert a.text().count("refused") < 10 and a.text().count("-> CONNECTING") < many
    assert f"127.0.1.1:{port}: STOPPED -> CONNECTING" in a.text()
    cluster.daemon("n1", ["samp", "-x", f"sock:{port}", "-n", "n1", "--samp", "loadavg"], port)
    a.says(f"INFO: producer: all {many} producers connected")
    assert a.text().count("-> CONNECTED") < many
