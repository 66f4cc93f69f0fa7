"""Several hosts on this one, for distributed tests: the nodes of `ldms cluster`.  README.md has an example.

    def test_something(hosts):
        c = hosts(2)
        samp = c.node("node1").daemon("load name=meminfo\nconfig name=meminfo producer=n1 instance=n1/meminfo\n"
                                      "start name=meminfo interval=100ms\n")
        wait_for(lambda: c.node("node2").ls("node1") == ["n1/meminfo"], "the set, seen from node2")

Each node has a name, an address, and /run, /tmp and /var/log of its own, so every daemon may listen on the same port.
The test's folder is at the same path in all of them.
"""
import glob
import itertools
import json
import os
import signal
import socket
import subprocess
import sys

import ldms
from ldms import LDMS, PATIENCE_S, ROOT, Cluster, Daemon, real_ldmsd
from wire import Wire

PORT = 10000
PRIVATE = ("/run", "/tmp", "/var/log")  # each node has its own
COUNT = itertools.count(1)

# Carried out in a node: connect there, and hand the socket back through what stands in for the standard input.
CONNECT = """import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
except OSError as e:
    sys.exit(f"{sys.argv[1]}:{sys.argv[2]}: {e}")
socket.send_fds(socket.socket(fileno=0), [b"x"], [s.fileno()])
"""


def why_not():
    """Why there can be no virtual hosts here; None when there can."""
    how = ["unshare", "-n", "-m"] if os.geteuid() == 0 else ["unshare", "-U", "-r", "-n", "-m"]
    try:
        r = subprocess.run([*how, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        return "unshare (package util-linux) is not installed"
    return "namespaces are not allowed here: " + r.stderr.strip() if r.returncode else None


def sane(words):
    """What a program of ours wrote, when there is no complaint of a sanitizer in it."""
    assert not any(w in words for w in ldms.COMPLAINTS), words[-6000:]
    return words


class NodeDaemon(Daemon):
    """A process in a node.  Signals reach it through the tool that started it; its end is awaited, not the tool's."""

    def __init__(self, node, name, argv, port, env, ours):
        self.node, self.life, self.argv, self.stopped = node, None, node.command(argv, env), False
        super().__init__(node.cluster, name, self.argv[1:], port, program=self.argv[:1])
        self.ours = ours

    def start(self):
        self.stopped = False
        self.life, theirs = socket.socketpair()
        self.life.settimeout(PATIENCE_S)
        with open(self.log, "ab") as log, theirs:
            self.proc = subprocess.Popen(self.argv, stdout=log, stderr=log, stdin=theirs)
        return self

    def stop(self, sig=signal.SIGTERM):
        self.stopped = True
        status = super().stop(sig)
        self.life.recv(1)  # nothing comes but the end: nobody holds the other side any more
        return 128 - status if status > 128 else status

    def addr(self):
        return f"{self.node.name}:{self.port}"

    def ls_run(self, *args):
        return self.node.run(["ldms", "ls", "-h", self.node.name, "-p", self.port, *args])

    def ls_json(self, *args):
        return self.node.ls_json(*args, port=self.port)

    def ctl(self, command):
        return self.node.ctl(command, port=self.port)

    def wire(self, **kw):
        return self.node.wire(port=self.port, **kw)


class Node:
    """One host."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def command(self, argv, env=None):
        """What runs `argv` in this node."""
        env = {**{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **(env or {})}
        return [*self.cluster.tool("exec"), self.name, "--", *(["env", *(f"{k}={v}" for k, v in env.items())] if env else []),
                *map(str, argv)]

    def run(self, argv, env=None, **kw):
        """Run a program to its end: returncode, stdout, stderr."""
        if "input" not in kw:
            kw.setdefault("stdin", subprocess.DEVNULL)
        r = subprocess.run(self.command(argv, env), capture_output=True, timeout=PATIENCE_S * 2, **{"text": True, **kw})
        sane(r.stderr if isinstance(r.stderr, str) else r.stderr.decode(errors="replace"))
        return r

    def start(self, name, argv, port=None, env=None, ours=True):
        """Run a program until it is stopped or the test ends."""
        d = NodeDaemon(self, name, argv, port, env, ours)
        self.cluster.daemons.append(d)
        return d

    def daemon(self, conf="", args=(), name=None, port=PORT, program="ldmsd", env=None, ours=True):
        """An ldmsd with this configuration (its text, as in a file), listening on the node's address."""
        name = name or (self.name if port == PORT else f"{self.name}-{port}")
        path = self.cluster.write(name + ".conf", conf)
        return self.start(name, [program, "-x", f"sock:{port}", "-c", path, "-m", "16M", *args], port, env, ours)

    def ls(self, host=None, *args, port=PORT):
        """The names of the sets of the daemon on `host` (this one), as seen from here; [] while it does not answer."""
        r = self.run(["ldms", "ls", "-h", host or self.name, "-p", port, *args])
        return r.stdout.split() if r.returncode == 0 else []

    def ls_json(self, *args, port=PORT):
        """All that `ldms ls` knows of this node's daemon; None while it does not answer."""
        r = self.run(["ldms", "ls", "-h", self.name, "-p", port, "--json", *(args or ("-v",))])
        return json.loads(r.stdout) if r.returncode == 0 else None

    def ctl(self, command, port=PORT):
        """The answer to a command, as objects; "" where it has none."""
        r = self.run(["ldms", "ctl", "--json", "-h", self.name, "-p", port, *command.split()])
        assert r.returncode == 0, f"{command}: {r.stderr}"
        return json.loads(r.stdout) if r.stdout[:1] in ("[", "{") else r.stdout

    def connect(self, host=None, port=PORT):
        """A socket of this node, connected."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            r = self.run([sys.executable, "-I", "-S", "-c", CONNECT, host or self.name, port], stdin=theirs)
            if r.returncode:
                raise ConnectionError(r.stderr.strip())
            fd, = socket.recv_fds(ours, 1, 1)[1]
            return socket.socket(fileno=fd)

    def wire(self, port=PORT, **kw):
        """A session of wire.py with this node's daemon."""
        return Wire(port, sock=self.connect(port=port), **kw)


class VCluster(Cluster):
    """`hosts` is their number, or a specification as `ldms cluster up` takes it: a path, or the object itself."""

    def __init__(self, folder, hosts, *options):
        super().__init__(folder)
        self.hosts, self.options, self.name = hosts, options, f"test{os.getpid()}-{next(COUNT)}"
        self.nodes = {}

    def tool(self, verb, *args):
        return [LDMS, "cluster", verb, "--name", self.name, *args]

    def cluster(self, verb, *args, may_fail=False):
        """Run `ldms cluster VERB`."""
        r = subprocess.run(self.tool(verb, *map(str, args)), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           timeout=PATIENCE_S * 3)
        assert may_fail or r.returncode == 0, f"ldms cluster {verb} {' '.join(map(str, args))}: {r.returncode}: {r.stderr}"
        sane(r.stderr)
        return r

    def mounts(self):
        """What a node would not see otherwise, because it lies below a folder that each node has for itself."""
        wanted = {self.dir: "rw", ROOT: "ro", **({real_ldmsd(): "ro"} if real_ldmsd() else {})}
        hidden = [p for p in wanted if p.startswith(tuple(d + "/" for d in PRIVATE))]
        return [word for p in hidden for word in ("--mount", f"{p}:{p}:{wanted[p]}")]

    def __enter__(self):
        if isinstance(self.hosts, int):
            what, names = ["-n", self.hosts], [f"node{i + 1}" for i in range(self.hosts)]
        else:
            path = self.hosts if isinstance(self.hosts, str) else self.write("cluster.json", json.dumps(self.hosts))
            what, names = [path], None
        try:
            self.cluster("up", *what, *self.mounts(), *self.options)
        except BaseException:
            self.cluster("down", may_fail=True)
            raise
        self.nodes = {n: Node(self, n) for n in names or [n["name"] for n in self.status()]}
        return self

    def end(self):
        """Also the daemons of a specification, whose logs are in the nodes."""
        super().end()
        if self.nodes and not isinstance(self.hosts, int):
            folder = json.loads(self.cluster("ls", "--json").stdout)["dir"]
            self.cluster("stop", ",".join(self.nodes))
            for path in glob.glob(os.path.join(folder, "nodes", "*", "log", "*")):
                with open(path, errors="replace") as f:
                    sane(f.read())

    def __exit__(self, *_):
        try:
            self.end()
        finally:
            self.cluster("down")

    def node(self, name):
        return self.nodes[name]

    def status(self):
        """The nodes, as `ldms cluster ls` says: name, address, state, daemons."""
        got = json.loads(self.cluster("ls", "--json").stdout)
        return got["nodes"] if isinstance(got, dict) else got

    def ended(self):
        """The daemons that nobody stopped, and that are not there any more."""
        return [d for d in self.daemons if not d.stopped and not d.alive()]

    def tails(self, lines=5):
        """The last words of every daemon, for the reader of a failure."""
        return "\n".join(f"{d.name}{'' if d.alive() else ' (ended)'}: {line}" for d in self.daemons
                         for line in d.text().splitlines()[-lines:])

    def fault(self, kind, *args):
        """`ldms cluster fault`: c.fault("cut", "node2"), c.fault("heal", "node2"), c.fault("kill", "node1/samp") ..."""
        return self.cluster("fault", kind, *args)
