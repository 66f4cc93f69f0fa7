"""Clusters for `ldms maestro`: daemons that know nothing but their name and port, and the file that configures them.

    m = Maestro(cluster, samplers=4, groups=[2], top=True)
    m.start_all()
    assert m.once().returncode == 0
"""
import itertools
import json
import os

from ldms import free_port, run, wait_for


def ctl(port, command):
    """`ldms ctl`: returncode, stdout, stderr."""
    return run("ctl", "-h", "127.0.0.1", "-p", port, command)


def status(port, verb):
    r = run("ctl", "--json", "-h", "127.0.0.1", "-p", port, verb)
    return json.loads(r.stdout) if r.returncode == 0 else []


class Maestro:
    """`groups`: how many aggregators each first-level group has; samplers are dealt to the groups in turn.  A last
    aggregator, `top`, collects from all of them.  Whatever stands in `self.file` is written by write()."""

    def __init__(self, cluster, samplers=3, groups=(2,), top=True, interval="200ms", store=None):
        self.cluster, self.daemons, self.port = cluster, {}, {}
        self.samps = [f"samp-{i + 1}" for i in range(samplers)]
        self.groups = [[f"agg-{g + 1}{i + 1}" for i in range(n)] for g, n in enumerate(groups)]
        self.aggs = [a for g in self.groups for a in g]
        self.top = "top" if top else None
        self.names = self.samps + self.aggs + ([self.top] if top else [])
        for n in self.names:
            self.port[n] = free_port()
        self.interval, self.store = interval, store
        self.keepers = itertools.count(1)
        self.path = cluster.path("cluster.yaml")
        self.file = self.spec()
        self.write()

    def of_group(self, g):
        return self.samps[g::len(self.groups)]

    def endpoint(self, name):
        return {"names": f"{name}-ep", "ports": self.port[name], "xprt": "sock", "maestro_comm": True}

    def spec(self):
        updater = {"mode": "pull", "interval": self.interval, "offset": "20ms"}

        def peer(of):
            return {"daemons": ",".join(of), "endpoints": ",".join(f"{n}-ep" for n in of), "reconnect": "100ms",
                    "type": "active", "updaters": [dict(updater)]}
        spec = {
            "daemons": [{"names": n, "hosts": "127.0.0.1", "endpoints": [self.endpoint(n)]} for n in self.names],
            "aggregators": [{"daemons": ",".join(g), "peers": [peer(self.of_group(i))]} for i, g in enumerate(self.groups)],
            "samplers": [{"daemons": ",".join(self.samps), "plugins": ["mem", "load"]}],
            "plugins": {
                "mem": {"name": "meminfo", "interval": self.interval, "config": [{"schema": "meminfo", "perm": "0777"}]},
                "load": {"name": "loadavg", "interval": self.interval, "config": [{"component_id": "${COMPONENT}",
                                                                                   "perm": "0777"}]}},
        }
        if self.top:
            spec["aggregators"].append({"daemons": self.top, "peers": [peer(self.aggs)]})
        if self.store:
            spec["plugins"]["csv"] = {"name": "store_csv", "config": [{"path": self.store}]}
            spec["stores"] = {"mem": {"daemons": self.top, "container": "c", "schema": "meminfo", "plugin": "csv"}}
        return spec

    def write(self):
        """JSON is YAML, too."""
        new = self.path + ".new"
        with open(new, "w") as f:
            json.dump(self.file, f, indent=1)
        os.rename(new, self.path)

    def start_one(self, name, *args):
        d = self.cluster.daemon(name, ["samp", "-x", f"sock:{self.port[name]}:127.0.0.1", "-n", name, "-c", "/dev/null", *args],
                                self.port[name], env={**os.environ, "COMPONENT": "7"})
        self.daemons[name] = d
        return d

    def start_all(self, *but):
        for n in self.names:
            if n not in but:
                self.start_one(n)
        for d in self.daemons.values():
            d.says("is ready")
        return self

    def once(self, *args):
        return run("maestro", "--once", *args, self.path)

    def diff(self, *args):
        return run("maestro", "diff", *args, self.path)

    def keep(self, *args):
        """A maestro that stays; each has a log of its own."""
        return self.cluster.daemon(f"maestro-{next(self.keepers)}", ["maestro", "--poll", "200ms", *args, self.path])

    def agrees(self, keeper, n=None):
        n = len(self.names) if n is None else n
        return wait_for(lambda: last_counts(keeper.text()) == n, lambda: f"{n} daemons to agree:\n{keeper.text()[-3000:]}")

    def sets(self, *samps):
        return {f"{s}/{p}" for s in samps or self.samps for p in ("mem", "load")}

    def at(self, name):
        return set(self.daemons[name].ls())

    def all_flow(self):
        wait_for(lambda: self.at(self.top) == self.sets(), f"all sets at {self.top}; there: {self.at(self.top)}")

    def counts(self):
        """Changes of configuration, as each daemon counts them."""
        return {n: int(ctl(self.port[n], "cfg_cntr").stdout) for n in self.names}

    def runs(self, name):
        """The producers that an aggregator is connected to, or wants to be."""
        return {p["name"] for p in status(self.port[name], "prdcr_status") if p["state"] not in ("STOPPED", "STOPPING")}


def last_counts(text):
    """How many agree, as the last line on it has it; -1: some do not, or there is none."""
    lines = [li for li in text.splitlines() if " daemons: " in li]
    words = lines[-1].split(" daemons: ")[1] if lines else ""
    return int(words.split()[0]) if words.endswith("agree") else -1
