"""Daemons, ports and waits for the integration tests: everything runs the real executable on loopback.

    def test_something(cluster):
        samp = cluster.samp("n1", "loadavg meminfo")
        agg = cluster.agg("a1", [samp])
        wait_for(lambda: "n1/meminfo" in agg.ls())

Every daemon logs into the test's folder and is ended when the test ends; a daemon that crashed (or that a sanitizer
complained about) fails the test.  Nothing here sleeps for a time: wait_for() waits for a condition and says what it
waited for when it gives up.
"""
import json
import os
import random
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("LDMS_BUILD", "build"))
LDMS = os.path.join(BUILD, "ldms")
SANITIZED = BUILD != os.path.join(ROOT, "build")
COMPLAINTS = ("AddressSanitizer", "LeakSanitizer", "runtime error", "ThreadSanitizer", "Assertion")
PATIENCE_S = 60 if SANITIZED else 20  # before a wait gives up; never asserted
# For daemons with --user or --sandbox: what looks for leaks at the end traces the process, which they no longer allow.
CONFINED_ENV = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"} if SANITIZED else None


def wait_for(condition, what="", patience=PATIENCE_S):
    """Wait until condition() is true and return what it returned.  `what` may be a function, asked at the end."""
    end = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            words = what() if callable(what) else what or condition
            raise AssertionError(f"gave up after {patience} s waiting for {words}; last: {got!r}")
        time.sleep(0.02)


def free_port():
    """A port that nobody has, and that no outgoing connection will get while its daemon is down."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, high = map(int, f.read().split())
    ports = range(10000, low) if low > 12000 else range(high + 1, 65536)
    while True:
        port = random.choice(ports)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def run(*args, **kw):
    """ldms ARGS to its end."""
    return subprocess.run([LDMS, *map(str, args)], capture_output=True, text=True, timeout=PATIENCE_S * 2, **kw)


def lacks(plugin):
    """Why that plugin cannot be had of this build; None: it can."""
    words = run("check", "/dev/stdin", input=f"load name=x plugin={plugin}\n").stdout
    return f"{plugin}: this ldms was built without its library" if "built without" in words else None


def ask(port, *line):
    """A command's answer as JSON; None while the daemon does not answer."""
    r = run("ctl", "-h", "127.0.0.1", "-p", port, "--json", *line)
    return json.loads(r.stdout) if r.returncode == 0 else None


def policies(port):
    """What strgp_status says, by name, and each of them adds up; {} while the daemon does not answer."""
    got = {st["name"]: st for st in ask(port, "strgp_status") or []}
    for st in got.values():
        assert st["produced"] == st["stored"] + st["queued"] + st["spooled"] + st["dropped"], st
    return got


def policy(port, name=None):
    """One of them, the first unless it is named; {} while the daemon does not answer."""
    got = policies(port)
    return got.get(name, {}) if name else next(iter(got.values()), {})


def real_ldmsd():
    """The folder where an ldmsd 4.5.3 is installed, or None."""
    for d in filter(None, [os.environ.get("LDMSD_PREFIX"), "/usr", "/usr/local", "/opt/ovis"]):
        if os.access(os.path.join(d, "sbin", "ldmsd"), os.X_OK):
            return d
    return None


class Daemon:
    """One process; args are those behind its program."""

    def __init__(self, cluster, name, args, port=None, program=None, env=None):
        self.cluster, self.name, self.args, self.port = cluster, name, [str(a) for a in args], port
        self.program, self.env = program or [LDMS], env
        self.ours = self.program == [LDMS]  # an installed one may hang and crash, ours may not
        self.log = os.path.join(cluster.dir, name + ".log")
        self.proc = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen([*self.program, *self.args], stdout=log, stderr=log, cwd=self.cluster.dir,
                                         stdin=subprocess.DEVNULL, env=self.env)
        return self

    def kill(self, sig):
        self.proc.send_signal(sig)

    def stop(self, sig=signal.SIGTERM):
        """End it and return its exit status; without a signal it was told already."""
        if sig and self.proc.poll() is None:
            self.kill(sig)
        try:
            return self.proc.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            if self.ours:
                raise
            self.kill(signal.SIGKILL)  # an installed ldmsd hangs in its end at times
            return self.proc.wait(PATIENCE_S)

    def restart(self):
        self.stop(signal.SIGKILL)
        return self.start()

    def alive(self):
        return self.proc.poll() is None

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def says(self, words):
        return wait_for(lambda: words in self.text(),
                        lambda: f"{self.name} to say {words!r}; it said:\n{self.text()[-3000:]}")

    def addr(self):
        return f"127.0.0.1:{self.port}"

    def ctl(self, *line):
        r = run("ctl", "-h", "127.0.0.1", "-p", self.port, *line)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def ask(self, *line):
        return ask(self.port, *line)

    def policy(self, name=None):
        return policy(self.port, name)

    def ls_run(self, *args):
        return run("ls", "-h", "127.0.0.1", "-p", self.port, *args)

    def ls(self, *args):
        """The names of its sets; [] while it does not answer."""
        r = self.ls_run(*args)
        return r.stdout.split() if r.returncode == 0 else []

    def sets(self):
        """Its sets with all that -v knows, by name; {} while it does not answer."""
        r = self.ls_run("-v", "--json")
        return {s["instance"]: s for s in json.loads(r.stdout)["sets"]} if r.returncode == 0 else {}

    def values(self, *names):
        """The metrics of sets: {instance: {metric: value}}, only consistent ones."""
        r = self.ls_run("-l", "--json", *names)
        if r.returncode:
            return {}
        return {s["dir_info"]["name"]: {m["name"]: m["value"] for m in s["metrics"]}
                for s in json.loads(r.stdout)["long_sets"] if "C" in s["dir_info"]["flags"]}


class Cluster:
    """What one test runs."""

    def __init__(self, folder):
        self.dir = str(folder)
        self.daemons = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def daemon(self, name, args, port=None, **kw):
        d = Daemon(self, name, args, port, **kw)
        self.daemons.append(d)
        return d

    def samp(self, name, samplers="loadavg", *args, port=None):
        port = port or free_port()
        return self.daemon(name, ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", name, "--samp", samplers, *args], port)

    def agg(self, name, producers, *args, port=None):
        port = port or free_port()
        prdcr = " ".join(p.addr() if isinstance(p, Daemon) else p for p in producers)
        return self.daemon(name, ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", name, "--prdcr", prdcr, *args], port)

    def end(self):
        """End all, at once; complain about those that ended badly."""
        bad = []
        living = [d for d in self.daemons if d.alive()]
        for d in living:
            d.kill(signal.SIGCONT)  # a test that failed may have left it standing; before its end, which SIGCONT upsets:
            d.kill(signal.SIGTERM)  # a sanitizer that looks for leaks waits for its threads to stand
        for d in self.daemons:
            was_alive = d in living
            status = d.stop(None)
            text = d.text()
            if was_alive and status != 0 and d.ours:
                bad.append(f"{d.name} ended with {status}")
            if status < 0 and status not in (-signal.SIGKILL, -signal.SIGTERM) and d.ours:
                bad.append(f"{d.name} crashed with signal {-status}")
            for word in COMPLAINTS:
                if word in text and (d.ours or not was_alive):  # an installed ldmsd fails in its end at times
                    bad.append(f"{d.name}: {word}:\n{text[-6000:]}")
        assert not bad, "\n".join(bad)
