"""ldms ctl: one command, scripts, the prompt; what is answered, and what goes wrong."""
import json
import os
import re
import shlex
import socket
import struct
import subprocess
import termios
import threading

import pytest

from ldms import LDMS, PATIENCE_S, ROOT, free_port, run, wait_for
from terminal import Terminal
from test_auth import secret


def ctl(daemon, *args, **kw):
    return run("ctl", "-h", "127.0.0.1", "-p", daemon.port, *args, **kw)


def agg(cluster, name="a1", more=""):
    """An aggregator with a producer that is there, and one that is not."""
    samp = cluster.samp("n1", "loadavg meminfo")
    dead = free_port()
    conf = cluster.write(name + ".conf", f"""
        msg_enable
        stream_enable
        load name=none plugin=store_none
        prdcr_add name=p1 type=active host=127.0.0.1 port={samp.port} reconnect=200ms
        prdcr_add name=dead type=active host=127.0.0.1 port={dead} reconnect=200ms
        prdcr_start_regex regex=.*
        updtr_add name=u interval=200ms
        updtr_prdcr_add name=u regex=.*
        updtr_start name=u
        strgp_add name=mem plugin=none schema=meminfo
        strgp_start name=mem
        {more}""")
    port = free_port()
    a = cluster.daemon(name, ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", name, "-c", conf], port)
    wait_for(lambda: "n1/meminfo meminfo READY" in ctl(a, "prdcr_status").stdout, "the set")
    return a


# -- one command


def test_status_is_a_table(cluster):
    a = agg(cluster)
    r = ctl(a, "prdcr_status")
    assert r.returncode == 0 and r.stderr == ""
    lines = r.stdout.splitlines()
    assert lines[0].split()[:3] == ["Name", "Host", "Port"] and set(lines[1]) == {"-", " "}
    rows = {line.split()[0]: line for line in lines}
    assert "DISCONNECTED" in rows["dead"] and "refused" in rows["dead"] and " CONNECTED" in rows["p1"]
    assert "    n1/loadavg loadavg READY" in lines
    one = ctl(a, "prdcr_status", "name=p1").stdout
    assert "dead" not in one and "p1" in one


def test_a_long_answer(cluster):
    """Several megabytes, in several records."""
    port = free_port()
    conf = cluster.write("many.conf", "".join(f"prdcr_add name=n{i} type=active host=127.0.0.1 port=1 reconnect=20s\n"
                                              for i in range(5000)))
    a = cluster.daemon("a1", ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", "a1", "-c", conf], port)
    wait_for(lambda: len(ctl(a, "prdcr_status").stdout.splitlines()) == 5002, "5,000 producers")


def test_json_is_what_came(cluster):
    a = agg(cluster)
    answer = json.loads(ctl(a, "--json", "prdcr_status", "name=dead").stdout)
    assert [p["name"] for p in answer] == ["dead"] and answer[0]["reconnect_us"] == "200000"
    assert json.loads(ctl(a, "--json", "daemon_status").stdout)["state"] == "ready"
    assert json.loads(ctl(a, "--json", "cfg_cntr").stdout).isdigit()  # a text is a JSON string
    assert ctl(a, "--json", "prdcr_stop", "name=dead").stdout == ""


def test_every_question_of_the_table_is_answered(cluster):
    a = agg(cluster)
    with open(os.path.join(ROOT, "core/ctl/verbs.c")) as f:
        verbs = re.findall(r'\{ "(\w+)", 0x', f.read())
    questions = [v for v in verbs if re.search("_(status|stats|info|dump|hint_tree|task|match_list|sets)$|^version$", v)]
    assert "prdcr_status" in questions
    for v in questions:
        args = ["regex=.*"] if v == "prdcr_stream_status" else []
        r = ctl(a, v, *args)
        if "not supported" not in r.stderr:
            assert (r.returncode, r.stderr) == (0, ""), v
            assert r.stdout, v
            json.loads(ctl(a, "--json", v, *args).stdout)


def test_a_change_is_quiet_and_happens(cluster):
    a = agg(cluster)
    r = ctl(a, "prdcr_stop", "name=dead")
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")
    assert "STOPPED" in ctl(a, "prdcr_status", "name=dead").stdout
    assert ctl(a, "bridge_add name=b host=localhost port=1 reconnect=1s").returncode == 0
    assert json.loads(ctl(a, "--json", "prdcr_status name=b").stdout)[0]["type"] == "bridge"


@pytest.mark.parametrize("command, words", [
    ("prdcr_start name=zz", "prdcr_start: ENOENT: The producer specified does not exist."),
    ("prdcr_del name=p1", "prdcr_del: EBUSY: "),
    ("prdcr_add name=p1 type=active host=h port=1", "prdcr_add: EEXIST: "),
])
def test_what_the_daemon_refuses(cluster, command, words):
    a = agg(cluster)
    r = ctl(a, *command.split())
    assert r.returncode == 1 and r.stdout == ""
    assert r.stderr.startswith(f"ldms ctl: 127.0.0.1:{a.port}: {words}")


@pytest.mark.parametrize("command, words", [
    ("prdcr_staus", "unknown verb 'prdcr_staus'; did you mean 'prdcr_status'?"),
    ("prdcr_start nam=x", "prdcr_start: unknown attribute 'nam'; did you mean 'name'?"),
    ("prdcr_start", "The attribute 'name' is required by prdcr_start."),
    ("updtr_add name=u interval=often", "updtr_add: attribute 'interval': "),
    ("profiling", "profiling: not supported by ldms: "),
])
def test_what_is_wrong_is_not_sent(command, words):
    r = run("ctl", "-p", free_port(), *command.split())  # nobody needs to be there
    assert r.returncode == 1 and words in r.stderr


def test_help_needs_no_daemon():
    r = run("ctl", "help")
    assert r.returncode == 0 and "prdcr_add" in r.stdout and "stats" in r.stdout
    r = run("ctl", "help", "prdcr_add")
    assert "type=WORD" in r.stdout and "active|bridge|local|passive (required)" in r.stdout
    assert "(411)" in r.stdout and "microseconds" in r.stdout
    assert run("ctl", "help", "prdcr_ad").stderr.endswith("did you mean 'prdcr_add'?; `help` lists them\n")


def test_stats_finds_what_is_wrong(cluster):
    a = agg(cluster)
    r = ctl(a, "stats")
    assert r.returncode == 0 and re.search(r"^ +1  producers not connected +dead$", r.stdout, re.M), r.stdout
    assert re.search(r"^ +0  samples dropped$", r.stdout, re.M)
    assert json.loads(ctl(a, "--json", "stats").stdout)["producers not connected"] == 1


# -- trouble has words and a status each


def listener(talk):
    """A port that somebody answers at, his way."""
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            c, _ = s.accept()
            talk(c)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return s


def test_no_connection():
    r = run("ctl", "-h", "no-such-host.invalid", "daemon_status")
    assert r.returncode == 2 and "no-such-host.invalid" in r.stderr
    port = free_port()
    r = run("ctl", "-h", "127.0.0.1", "-p", port, "daemon_status")
    assert r.returncode == 3 and r.stderr.startswith(f"ldms ctl: 127.0.0.1:{port}: Connection refused")


def test_somebody_else_is_there():
    with listener(lambda c: c.sendall(b"220 mail.example.org ESMTP\r\n" * 100)) as s:
        assert run("ctl", "-h", "127.0.0.1", "-p", s.getsockname()[1], "daemon_status").returncode == 5
    with listener(lambda c: wait_for(lambda: not c.recv(4096))) as s:
        r = run("ctl", "-h", "127.0.0.1", "-p", s.getsockname()[1], "-w", "200ms", "daemon_status")
        assert r.returncode == 4 and "200ms" in r.stderr


def test_another_version_is_there():
    text = b"Version mismatch\0"
    frame = struct.pack(">HHI", 9, 0, 24 + len(text)) + bytes(12) + struct.pack(">I", len(text)) + text
    with listener(lambda c: c.recv(4096) and c.sendall(frame)) as s:
        r = run("ctl", "-h", "127.0.0.1", "-p", s.getsockname()[1], "daemon_status")
        assert r.returncode == 6 and "another version" in r.stderr


def test_authentication(cluster):
    good, bad = secret(cluster, "good"), secret(cluster, "bad", "another-word-17")
    samp = cluster.samp("n1", "loadavg", "-a", "ovis", "-A", f"conf={good}")
    wait_for(lambda: ctl(samp, "-a", "ovis", "-A", f"conf={good}", "daemon_status").returncode == 0, "the daemon")
    assert ctl(samp, "-a", "ovis", "-A", f"conf={bad}", "daemon_status").returncode == 7
    assert ctl(samp, "daemon_status").returncode == 7


def test_no_permission(cluster):
    port = free_port()
    samp = cluster.samp("n1", "loadavg", "-a", "naive", port=port)
    naive = lambda uid: ("-a", "naive", "-A", f"uid={uid}", "-A", f"gid={uid}")
    wait_for(lambda: ctl(samp, *naive(0), "daemon_status").returncode == 0, "the daemon")
    r = ctl(samp, *naive(54321), "stop", "name=loadavg")
    assert r.returncode == 9 and "stop: EPERM: Operation not permitted." in r.stderr
    assert ctl(samp, *naive(54321), "plugn_status").returncode == 0


# -- scripts


def test_a_script_stops_at_the_first_error(cluster):
    a = agg(cluster)
    script = cluster.write("script", "# two lines\nprdcr_stop \\\n  name=dead  # stop it\n\n"
                                     "prdcr_stop name=zz\nprdcr_del name=dead\nprdcr_stat\n")
    r = ctl(a, "-f", script)
    assert r.returncode == 1 and f"{script}:5: 127.0.0.1:{a.port}: prdcr_stop: ENOENT" in r.stderr
    assert r.stderr.count("\n") == 1
    assert "STOPPED" in ctl(a, "prdcr_status name=dead").stdout
    r = ctl(a, "-k", "-f", script)
    assert r.returncode == 1 and f"{script}:7: unknown verb 'prdcr_stat'" in r.stderr
    assert ctl(a, "prdcr_status name=dead").returncode == 1  # it was deleted


def test_commands_from_standard_input(cluster):
    a = agg(cluster)
    r = ctl(a, input="daemon_status\nplugn_status\nquit\nnonsense\n")
    assert r.returncode == 0 and "state: ready" in r.stdout and "none" in r.stdout
    r = ctl(a, "-f", "-", input="daemon_status\nnonsense\n")
    assert r.returncode == 1 and "stdin:2: unknown verb" in r.stderr
    assert ctl(a, input="daemon_status \\").returncode == 0
    assert run("ctl", "-f", cluster.path("none")).returncode == 1


def test_answers_come_while_a_pipe_is_open(cluster):
    """Programs drive it: a command, its answer, the next command."""
    a = agg(cluster)
    p = subprocess.Popen([LDMS, "ctl", "-h", "127.0.0.1", "-p", str(a.port)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        p.stdin.write("daemon_status\n")
        p.stdin.flush()
        assert p.stdout.readline() == "state: ready\n"
    p.stdin.close()
    assert p.wait(PATIENCE_S) == 0
    p.stdout.close()


# -- the prompt


class Prompt(Terminal):
    """`ldms ctl` at a terminal."""

    def __init__(self, cluster, port):
        super().__init__([LDMS, "ctl", "-h", "127.0.0.1", "-p", str(port)], f"ldms 127.0.0.1:{port}> ", {"HOME": cluster.dir})
        self.ready()

    def ready(self):
        """... and until it takes keys."""
        before = super().ready()
        if has_editing():
            wait_for(lambda: not termios.tcgetattr(self.fd)[3] & termios.ICANON, "the line editor")
        return before


def has_editing():
    with open(LDMS, "rb") as f:
        return b".ldms_history" in f.read()


def test_the_prompt(cluster):
    a = agg(cluster)
    t = Prompt(cluster, a.port)
    assert "state: ready" in t.says("daemon_status")
    assert "ENOENT" in t.says("prdcr_start name=zz")
    assert "`quit` leaves" in t.says("exit")
    assert t.end() == 0
    assert a.alive()


@pytest.mark.skipif(not has_editing(), reason="built without libedit")
def test_completion_and_history(cluster):
    a = agg(cluster)
    t = Prompt(cluster, a.port)
    t.types("prdcr_statu\t")
    t.sees("prdcr_status ")
    t.types("\t")
    t.sees("name=")
    t.types("de\t")
    t.sees("dead ")
    assert "DISCONNECTED" in t.says("")
    t.types("nonsense that is dropped")
    t.sees("dropped")
    t.types("\x03")
    t.ready()
    t.types("updtr_st\t")
    t.sees("updtr_start  updtr_status  updtr_stop ")
    t.types("\x15")
    assert t.end() == 0
    history = cluster.path(".ldms_history")
    assert "prdcr_status" in open(history).read() and os.stat(history).st_mode & 0o777 == 0o600
    t = Prompt(cluster, a.port)
    t.types("\x10\x10")  # two lines up: behind quit
    t.sees("name=dead")
    assert "DISCONNECTED" in t.says("")
    assert t.end() == 0


def test_the_prompt_connects_again(cluster):
    a = agg(cluster)
    t = Prompt(cluster, a.port)
    a.restart()
    wait_for(lambda: ctl(a, "daemon_status").returncode == 0, "the daemon")
    said = t.says("daemon_status")  # it may learn only now that the connection is gone
    assert "state: ready" in said or "state: ready" in t.says("daemon_status")
    assert t.end() == 0


# -- the manual


def examples():
    with open(os.path.join(ROOT, "man/ldms-ctl.1")) as f:
        text = f.read().split(".Sh EXAMPLES")[1].split(".Sh SEE ALSO")[0]
    lines = re.sub(r"\|\n.*", "| python3 -m json.tool", text.replace(".Dl ", "")).splitlines()  # jq need not be there
    return [line[2:] for line in lines if line.startswith("$ ")]


def test_the_examples_of_the_manual_run(cluster):
    a = agg(cluster, "agg-1")
    more = cluster.write("more-producers.conf",
                         "prdcr_add name=n17 type=active host=127.0.0.1 port=1 reconnect=20s\nprdcr_start name=n17\n")
    assert examples()
    for line in examples():
        words = " ".join(line.split()).replace("more-producers.conf", more)
        words = re.sub(r"\bldms ctl\b", f"{shlex.quote(LDMS)} ctl -p {a.port}", words).replace("-h agg-1", "-h 127.0.0.1")
        r = subprocess.run(["sh", "-c", words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           timeout=PATIENCE_S)
        assert r.returncode == 0 and not r.stderr, (line, r.stderr)
