#!/usr/bin/env python3
"""`make scale`: one aggregator of very many producers, then two levels of them; see README.md

    scale.py [-n 10000] [--rounds 10] [--peer DIR [--peer-n 1000]] [--only one two] [--json FILE]

Producers are simulated by few processes (producers.c), each with its own address, connection and sets.
"""
import argparse
import ipaddress
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time

from daemons import BUILD, GaveUp, OURS, Peer, Yard, conf_daemon, wait_for
from measure import cpu_ns, memory
from report import Report

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from wire import Wire  # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "bench", "producers")
SETS, METRICS = 4, 50      # of a producer
INTERVAL_MS = 1000
OFFSETS_MS = (200, -300)   # of the levels: producers sample at 0
PROCESSES = 4              # at least as many as their descriptors need
FIRST_ADDRESS = ipaddress.ip_address("127.1.0.0")  # as producers.c has it
L1S = 4
MEMORY = "4G"
FDS_MORE = 200             # of a daemon, beside its producers
PRDCR_STATS, PRDCR_STATUS = 0x60E, 0x104
PAUSE_S = 0.1
ANSWER_S = 60
PATIENCE_S = 300


def address(i):
    return str(FIRST_ADDRESS + i)


def limits(n):
    """What is too small here, in words; nothing is begun then."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < n + FDS_MORE:
        raise GaveUp(f"an aggregator of {n} producers needs {n + FDS_MORE} descriptors, `ulimit -Hn` is {hard}: raise it, "
                     f"or take fewer (make scale N={max(hard - FDS_MORE, 1)})")
    with open("/proc/sys/fs/file-nr") as f:
        used, _, most = map(int, f.read().split())
    if most - used < 4 * n:
        raise GaveUp(f"{n} producers need {4 * n} open files on this machine, of fs.file-max = {most} {most - used} are "
                     f"left: raise it, or take fewer")


class Crowd:
    """Processes that are n producers together.

    A sample is `seen` when its bytes were copied for a reader, and `lost` when the next one was made before that; `late`
    when it was read more than half an interval behind its time, and `again` when it was read once more.
    """

    def __init__(self, yard, n, sets, rounds, interval_ms=INTERVAL_MS, offset_ms=OFFSETS_MS[0],
                 metrics=METRICS):
        self.n, self.sets, self.rounds = n, n * sets, rounds
        self.interval_ms, self.offset_ms, self.metrics = interval_ms, offset_ms, metrics
        self.port = yard.port()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        needed = 1 if hard == resource.RLIM_INFINITY else math.ceil(2 * n / max(hard - FDS_MORE, 1))
        parts = max(min(PROCESSES, n), needed)
        edges = [n * k // parts for k in range(parts + 1)]
        self.procs = [self.start(lo, hi - lo, sets) for lo, hi in zip(edges, edges[1:])]
        for p in self.procs:
            self.expect(p, "ready")

    def start(self, first, n, sets):
        args = (first, n, self.port, sets, self.metrics, self.interval_ms, self.offset_ms)
        return subprocess.Popen([PROGRAM, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def line(self, p):
        line = p.stdout.readline()
        if not line:
            words = p.communicate()[1].strip()[-500:]
            raise GaveUp(f"the producers ended with {p.returncode}: {words}")
        return line.strip()

    def expect(self, p, words):
        line = self.line(p)
        if line != words:
            raise GaveUp(f"the producers said {line!r} instead of {words!r}")

    def all_read(self):
        for p in self.procs:
            self.expect(p, "read")

    def begin(self):
        """Sample so many rounds."""
        for p in self.procs:
            p.stdin.write(f"go {self.rounds}\n")
            p.stdin.flush()

    def report(self):
        """When all rounds are over: what became of them."""
        parts = [json.loads(self.line(p)) for p in self.procs]
        most = {k: max(part[k] for part in parts) for k in parts[0]}
        total = {k: sum(part[k] for part in parts) for k in parts[0]}
        return {k: most[k] if k.endswith("_ms") else total[k] for k in total}

    def go(self):
        self.begin()
        return self.report()

    def cpu_ns(self):
        return sum(cpu_ns(p.pid) for p in self.procs)

    def end(self):
        for p in self.procs:
            if p.poll() is None:
                p.stdin.close()
        for p in self.procs:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def conf_prdcrs(hosts, port, offset_ms):
    lines = []
    for i, host in enumerate(hosts):
        at = port[i] if isinstance(port, list) else port
        lines += [f"prdcr_add name=p{i} type=active xprt=sock host={host} port={at} reconnect=1000000",
                  f"prdcr_start name=p{i}"]
    us = 1000
    lines += [f"updtr_add name=u interval={INTERVAL_MS * us} offset={offset_ms * us}", "updtr_prdcr_add name=u regex=.*",
              "updtr_start name=u"]
    return "\n".join(lines) + "\n"


def status(d, verb):
    """What it says of itself; {} while it does not answer, or is busy (an ldmsd that reads its configuration)."""
    d.check()
    try:
        peer = Wire(d.ports[0], timeout=ANSWER_S).accepted()
        try:
            code, text = peer.control(verb)
            return {} if code else json.loads(text)
        finally:
            peer.sock.close()
    except (OSError, EOFError):
        return {}


def updates(d):
    """Samples that it has received so far, of all sets; ours alone counts them."""
    return sum(p["updates"] for p in status(d, PRDCR_STATUS))


def connected(d, n):
    wait_for(lambda: status(d, PRDCR_STATS).get("connected_count", 0) >= n, f"connections to {n} producers", PATIENCE_S,
             PAUSE_S)
    return time.monotonic() - d.started


def empty_memory(yard, make):
    """What one without producers takes."""
    d = yard.agg(make, "", memory=MEMORY)
    try:
        wait_for(lambda: status(d, PRDCR_STATS), f"answer of {make.title}")
        return memory(d.pid)["Rss"]
    finally:
        yard.end_all([d])


class Used:
    """CPU of daemons over a time, in cores."""

    def __init__(self, daemons):
        self.daemons, self.since, self.before = daemons, time.monotonic(), [cpu_ns(d.pid) for d in daemons]

    def cores(self):
        lasted = (time.monotonic() - self.since) * 1e9
        return [(cpu_ns(d.pid) - b) / lasted for d, b in zip(self.daemons, self.before)]


def one_level(scale, make, n):
    yard, crowd = scale.yard, Crowd(scale.yard, n, SETS, scale.rounds)
    try:
        empty = empty_memory(yard, make)
        d = yard.agg(make, conf_prdcrs([address(i) for i in range(n)], crowd.port, OFFSETS_MS[0]), memory=MEMORY)
        out = {"connected_s": connected(d, n)}
        crowd.all_read()
        out["read_s"] = time.monotonic() - d.started
        used = Used([d])
        out |= crowd.go()
        out["cores"], = used.cores()
        rss = memory(d.pid)["Rss"]
        out["rss_mib"], out["bytes_set"] = rss / 2**20, (rss - empty) / crowd.sets
        if make is OURS:  # each set was read once before
            out["counted"] = settled(d, out["seen"], crowd.sets)
        scale.punctual(make, out)
        return out
    finally:
        yard.end_all()
        crowd.end()


def two_levels(scale, make, n):
    """Each aggregator of the first level has its part of the producers; one above has them all."""
    yard, crowd = scale.yard, Crowd(scale.yard, n, SETS, scale.rounds)
    try:
        edges = [n * k // L1S for k in range(L1S + 1)]
        l1s = [yard.agg(make, conf_prdcrs([address(i) for i in range(lo, hi)], crowd.port, OFFSETS_MS[0]), memory=MEMORY)
               for lo, hi in zip(edges, edges[1:])]
        for d, lo, hi in zip(l1s, edges, edges[1:]):
            connected(d, hi - lo)
        crowd.all_read()
        l2 = yard.agg(make, conf_prdcrs(["127.0.0.1"] * L1S, [d.ports[0] for d in l1s], OFFSETS_MS[1]), memory=MEMORY)
        if make is OURS:
            wait_for(lambda: updates(l2) >= crowd.sets, "first data at the second level", PATIENCE_S, PAUSE_S)
        else:
            l2.wait_sets(crowd.sets, 1)
        out = {"read_s": time.monotonic() - l2.started}
        before = updates(l2) if make is OURS else None
        used = Used(l1s + [l2])
        out |= crowd.go()
        *below, out["cores_2"] = used.cores()
        out["cores_1"] = sum(below)
        if make is OURS:
            out["lost_2"] = out["seen"] - settled(l2, out["seen"], before)
        out["rss_mib"] = memory(l2.pid)["Rss"] / 2**20
        scale.punctual(make, out)
        return out
    finally:
        yard.end_all()
        crowd.end()


def settled(d, due, before):
    """Samples that it has received since: nothing new is sampled, and the last ones are on their way for an interval at
    most."""
    end = time.monotonic() + 3 * INTERVAL_MS / 1000
    while updates(d) - before < due and time.monotonic() < end:
        time.sleep(PAUSE_S)
    return updates(d) - before


ONE = (("connected_s", "all connected after", "s"), ("read_s", "all sets read after", "s"), ("cores", "CPU", "cores"),
       ("rate", "updates", "1/s"), ("lost", "samples lost", ""), ("late", "late", ""), ("lag_p50_ms", "lag, median", "ms"),
       ("lag_p99_ms", "lag, 99 %", "ms"), ("rss_mib", "resident", "MiB"), ("bytes_set", "memory of a set", "bytes"))
TWO = (("read_s", "all sets at the top after", "s"), ("cores_1", "CPU of the first level", "cores"),
       ("cores_2", "CPU of the second", "cores"), ("lost", "samples lost by the first", ""), ("late", "late", ""),
       ("lag_p99_ms", "lag, 99 %", "ms"), ("lost_2", "lost by the second", ""), ("rss_mib", "resident at the top", "MiB"))
TARGETS = {"lost": 0, "lost_2": 0, "late": 0}


class Scale:
    def __init__(self, yard, makes, rounds):
        self.yard, self.makes, self.rounds, self.report = yard, makes, rounds, Report()

    def punctual(self, make, out):
        out["rate"] = out["seen"] / self.rounds
        if out["tick_late_ms"] >= OFFSETS_MS[0]:
            self.report.note(f"{make.title}: the producers sampled up to {out['tick_late_ms']:.0f} ms behind their time: "
                             "this machine is too slow for so many; what was lost or late is not the aggregator's doing "
                             "alone")

    def seen(self, fn, make, n):
        try:
            return fn(self, make, n)
        except GaveUp as e:
            self.report.note(f"{make.title}, {n:,} producers: {e}")
            return {}

    def compare(self, fn, lines, n, makes, words):
        seen = [self.seen(fn, make, n) for make in makes]
        for key, what, unit in lines:
            self.report.line(f"{words}: {what}", unit, seen[0].get(key), seen[1].get(key) if len(seen) > 1 else None,
                             at_most=TARGETS.get(key))
        return seen


def run(scale, n, only, peer_n):
    for name, fn, lines in (("one", one_level, ONE), ("two", two_levels, TWO)):
        if name not in only:
            continue
        words = "{:,} producers" if name == "one" else "{:,} on two levels"
        if len(scale.makes) > 1 and peer_n != n:
            scale.compare(fn, lines, peer_n, scale.makes, words.format(peer_n))
        scale.compare(fn, lines, n, scale.makes if peer_n == n else scale.makes[:1], words.format(n))


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-n", type=int, default=10000, help="producers; 10000")
    p.add_argument("--rounds", type=int, default=10, help="samples of each set; 10")
    p.add_argument("--peer", metavar="DIR", help="prefix of an installed ldmsd, to stand beside ours")
    p.add_argument("--peer-n", type=int, metavar="N", default=1000, help="producers that it is asked for; 1000")
    p.add_argument("--only", nargs="+", choices=("one", "two"), default=("one", "two"), help="one level, two levels")
    p.add_argument("--json", metavar="FILE", help="write the numbers there, too")
    p.add_argument("--keep", action="store_true", help="keep the scratch folder: logs, configurations")
    return p.parse_args()


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # end the daemons on the way
    try:
        limits(o.n)
        makes = [OURS] + ([Peer(o.peer)] if o.peer else [])
    except GaveUp as e:
        sys.exit(f"scale: {e}")
    yard = Yard(o.keep)
    scale = Scale(yard, makes, o.rounds)
    try:
        scale.report.head()
        run(scale, o.n, o.only, min(o.n, o.peer_n))
        scale.report.end()
        if o.json:
            scale.report.save(o.json)
    finally:
        yard.end()


if __name__ == "__main__":
    main()
