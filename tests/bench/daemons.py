"""daemons.py - the two makes of daemon, their configurations, and processes that end with the bench

Both makes read the same configuration text: what is measured is the program, not how it was told what to do.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("LDMS_BUILD", "build"))
HOST = "127.0.0.1"
PATIENCE_S = 180  # before a wait gives up; daemons under callgrind are slow
ENDING_S = 10     # for a daemon to end by itself
PORTS_FROM, PORTS_TO = 20000, 30000  # below what the kernel hands to clients


class GaveUp(Exception):
    """A measurement cannot be made; the words say why."""


def wait_for(condition, what, patience=PATIENCE_S, pause=0.02):
    """Wait until condition() is true and return what it returned."""
    end = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise GaveUp(f"no {what} within {patience} s")
        time.sleep(pause)


class Ours:
    """This tree's executable."""
    title = "ldms"
    program = os.path.join(BUILD, "ldms")
    env = {}

    def daemon(self, role, conf):
        return [self.program, role, "-c", conf]

    def ls(self, port, *args):
        return [self.program, "ls", "-h", HOST, "-p", str(port), *args]


class Peer:
    """An installed ldmsd."""
    title = "ldmsd"

    def __init__(self, prefix):
        self.bin = os.path.join(prefix, "sbin")
        lib = os.path.join(prefix, "lib")
        plugins = os.path.join(lib, "ovis-ldms")
        self.env = {"LD_LIBRARY_PATH": lib, "ZAP_LIBPATH": plugins, "LDMSD_PLUGIN_LIBPATH": plugins}
        self.program = os.path.join(self.bin, "ldmsd")
        if not os.access(self.program, os.X_OK):
            raise GaveUp(f"--peer {prefix}: no executable sbin/ldmsd there; name the prefix ldmsd was installed to")

    def daemon(self, role, conf):
        return [self.program, "-c", conf]

    def ls(self, port, *args):
        return [os.path.join(self.bin, "ldms_ls"), "-x", "sock", "-h", HOST, "-p", str(port), *args]


OURS = Ours()


def micros(seconds):
    return int(seconds * 1e6)


def conf_daemon(ports, memory=None):
    lines = [f"listen xprt=sock port={p} host={HOST}" for p in ports]
    return "\n".join(lines + ([f"memory size={memory}"] if memory else [])) + "\n"


def conf_sampler(name, producer, interval_s, **attrs):
    more = " ".join(f"{k}={v}" for k, v in attrs.items())
    return (f"load name={name}\n"
            f"config name={name} producer={producer} instance={producer}/{name} component_id=1 perm=0444 {more}\n"
            f"start name={name} interval={micros(interval_s)} offset=0\n")


def conf_collect(ports, interval_s, offset_s):
    """A producer per port, and an updater of them all."""
    lines = []
    for port in ports:
        lines += [f"prdcr_add name=p{port} type=active xprt=sock host={HOST} port={port} reconnect=1000000",
                  f"prdcr_start name=p{port}"]
    lines += [f"updtr_add name=u interval={micros(interval_s)} offset={micros(offset_s)}",
              "updtr_prdcr_add name=u regex=.*", "updtr_start name=u"]
    return "\n".join(lines) + "\n"


def conf_csv(folder, schema):
    return (f"load name=store_csv\nconfig name=store_csv path={folder}\n"
            f"strgp_add name=s plugin=store_csv container=c schema={schema}\nstrgp_start name=s\n")


class Daemon:
    """One process. wrap stands before its program (valgrind ...)."""

    def __init__(self, yard, make, role, ports, conf, wrap=(), env=None):
        self.make, self.ports = make, ports
        name = f"{make.title}-{role}-{ports[0]}"
        path = yard.write(f"{name}.conf", conf)
        self.log = yard.path(f"{name}.log")
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen([*wrap, *make.daemon(role, path)], stdout=log, stderr=log, cwd=yard.dir,
                                         stdin=subprocess.DEVNULL, env={**os.environ, **make.env, **(env or {})})
        self.pid = self.proc.pid

    def check(self):
        if self.proc.poll() is not None:
            with open(self.log, errors="replace") as f:
                words = f.read()[-500:].strip()
            raise GaveUp(f"{self.make.title} ended with {self.proc.returncode}: {words}")

    def stamps(self):
        """{instance: time of its last sample} of its consistent sets; {} while it does not answer."""
        self.check()
        r = subprocess.run(OURS.ls(self.ports[0], "-v", "--json", "-w", "60s"), capture_output=True, text=True)
        if r.returncode:
            return {}
        return {s["instance"]: float(s["update"]) for s in json.loads(r.stdout)["sets"]
                if "C" in s["flags"] and float(s["update"]) > 0}

    def wait_sets(self, n, pause=0.1):
        """Wait until n sets have data."""
        wait_for(lambda: len(self.stamps()) >= n, f"{n} sets with data in {self.make.title}", pause=pause)

    def stop(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(ENDING_S)
            except subprocess.TimeoutExpired:
                self.proc.kill()
        self.proc.wait()


class Yard:
    """A scratch folder and the daemons that run in it."""

    def __init__(self, keep=False):
        self.dir = tempfile.mkdtemp(prefix="ldms-bench-")
        self.keep, self.daemons = keep, []
        self.next_port = random.randrange(PORTS_FROM, PORTS_TO - PORTS_TO // 10)  # two benches at once differ

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def port(self):
        """A port that nobody listens on, never the same twice."""
        while self.next_port < PORTS_TO:
            self.next_port += 1
            with socket.socket() as s:
                try:
                    s.bind((HOST, self.next_port))
                except OSError:
                    continue
            return self.next_port
        raise GaveUp(f"no free port between {PORTS_FROM} and {PORTS_TO}")

    def start(self, make, role, conf, ports=None, memory=None, **kw):
        ports = ports or [self.port()]
        d = Daemon(self, make, role, ports, conf_daemon(ports, memory) + conf, **kw)
        self.daemons.append(d)
        return d

    def samp(self, make, conf, **kw):
        return self.start(make, "samp", conf, **kw)

    def agg(self, make, conf, **kw):
        return self.start(make, "agg", conf, **kw)

    def end_all(self, daemons=None):
        """End them, all at once and then each."""
        daemons = list(self.daemons if daemons is None else daemons)
        for d in daemons:
            if d.proc.poll() is None:
                d.proc.send_signal(signal.SIGTERM)
        for d in daemons:
            d.stop()
            self.daemons.remove(d)

    def end(self):
        self.end_all()
        if self.keep:
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
