#!/usr/bin/env python3
"""`make soak`: a serving daemon under masses of bad peers, a good one beside them; prints numbers, and ends with 1 when
one of them is not as it must be.  tests/integration/test_soak.py runs the same with small numbers.

    soak.py [--connections 100000] [--at-once 6000] [--tools 500] [--cycles 1000000]
            [--publishers 144] [--messages 1000]

With SAN=address,undefined the daemon under the cycles is the sanitized one, if it was built.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from ldms import BUILD, LDMS, Cluster, wait_for  # noqa: E402
from test_bus import CLIENT_STATS, daemon as bus_daemon, subscribed_at  # noqa: E402
from wire import Wire  # noqa: E402

SOAK = os.path.join(BUILD, "tests", "soak", "soak")
XPRT_STATS = 0x60C
# AddressSanitizer keeps what was freed; let it be little, so that what is left over is ours
SMALL_QUARANTINE = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=4:thread_local_quarantine_size_kb=64"}


def resident_kb(d):
    with open(f"/proc/{d.proc.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def descriptors(d):
    return len(os.listdir(f"/proc/{d.proc.pid}/fd"))


def stats(d):
    return Wire(d.port).accepted().status(XPRT_STATS)


def quiet(d):
    """No peer is left but who asks."""
    return wait_for(lambda: (lambda s: s["incoming"] <= 1 and s)(stats(d)), f"{d.name} to be left alone", 60)


class Good:
    """A well-behaved peer that updates a set every 100 ms."""

    def __init__(self, d, name, interval_ms=100):
        self.proc = subprocess.Popen([SOAK, "good", str(d.port), name, str(interval_ms)], stdout=subprocess.PIPE,
                                     text=True)
        assert self.proc.stdout.readline() == "ready\n"

    def end(self):
        self.proc.terminate()
        out = json.loads(self.proc.communicate(timeout=30)[0])
        assert out["ends"] == 0 and out["updates"] > 0, out
        return out


def soak(*args):
    r = subprocess.run([SOAK, *map(str, args)], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def flood(cluster, connections, at_once, good_interval_ms=100):
    """Half-open and garbage connections against a serving daemon; what it cost."""
    d = cluster.samp("flooded", "loadavg meminfo", "--interval", "100ms", "--limit", "handshake=1s")
    wait_for(lambda: len(d.ls()) == 2)
    good = Good(d, "flooded/meminfo", good_interval_ms)
    soak("flood", d.port, min(connections, at_once), at_once)  # what is allocated once, by the size of the crowd
    wait_for(lambda: stats(d)["incoming"] <= 2, "the first ones to go", 60)
    before = resident_kb(d), descriptors(d)
    begun = time.monotonic()
    out = soak("flood", d.port, connections, at_once)
    out["seconds"] = round(time.monotonic() - begun, 1)
    s = wait_for(lambda: (lambda s: s["incoming"] <= 2 and s["guests"] == 0 and s)(stats(d)), "all to go", 60)
    wait_for(lambda: descriptors(d) <= before[1], "descriptors to be closed", 60)
    out["good"] = good.end()
    quiet(d)
    out.update(kb_before=before[0], kb_after=resident_kb(d), fd_before=before[1], fd_after=descriptors(d),
               memory=s["memory"], refused={r["reason"]: r["count"] for r in s["refused"]})
    return out


def tools(cluster, n):
    """So many `ldms ls` at once."""
    d = cluster.samp("asked", "loadavg meminfo", "--interval", "100ms")
    wait_for(lambda: len(d.ls()) == 2)
    good = Good(d, "asked/meminfo")
    begun = time.monotonic()
    procs = [subprocess.Popen([LDMS, "ls", "-h", "127.0.0.1", "-p", str(d.port)], stdout=subprocess.PIPE, text=True)
             for _ in range(n)]
    right = sum(sorted(p.communicate(timeout=120)[0].split()) == ["asked/loadavg", "asked/meminfo"] for p in procs)
    return {"tools": n, "right": right, "seconds": round(time.monotonic() - begun, 1), "good": good.end()}


def cycles(cluster, n, program=None):
    """Connect and close, so many times."""
    d = cluster.samp("cycled", "loadavg", "--interval", "1s")
    if program:
        d.stop()
        d.program, d.env = [program], SMALL_QUARANTINE
        d.start()
    wait_for(lambda: len(d.ls()) == 1)
    soak("cycles", d.port, min(n, 20000))
    quiet(d)
    before = resident_kb(d), descriptors(d)
    begun = time.monotonic()
    out = soak("cycles", d.port, n)
    s = quiet(d)
    wait_for(lambda: descriptors(d) <= before[1], "descriptors to be closed", 60)
    out.update(seconds=round(time.monotonic() - begun, 1), kb_before=before[0], kb_after=resident_kb(d),
               fd_before=before[1], fd_after=descriptors(d), memory=s["memory"], asan=bool(program))
    assert d.ls() == ["cycled/loadavg"]
    return out


BATCH, COST = 50, 105  # messages that a publisher has outstanding, and what one costs it


def publish_all(port, publishers, each):
    """Each publishes over a connection of its own, and waits for its credit; the numbers say who and which."""
    pubs = [Wire(port).accepted() for _ in range(publishers)]
    for first in range(0, each, BATCH):
        batch = range(first, min(first + BATCH, each))
        for k, p in enumerate(pubs):
            for n in batch:
                p.publish("load", struct.pack(">II", k, n) + bytes(92), gn=n + 1)
        for p in pubs:
            p.paid(len(batch) * COST)


def client_totals(d):
    return [{"tx": c["tx"]["count"], "lost": c.get("lost", {}), "waiting": c.get("waiting", {}).get("count", 0)}
            for c in json.loads(Wire(d.port).accepted().control(CLIENT_STATS)[1]) if c["match"] == "load"]


def messages(publishers, each, h1, h2, lazy=True):
    """Many publishers through two daemons to one subscriber, and beside it one that never reads.  What became of all:
    each message is delivered, or counted where it was lost."""
    sub, other = Wire(h2.port).accepted(), Wire(h2.port).accepted()
    sub.subscribe("load")
    if lazy:
        other.subscribe("load")
    total, seen, last = publishers * each, 0, {}
    begun = time.monotonic()
    thread = threading.Thread(target=publish_all, args=(h1.port, publishers, each))
    thread.start()
    while seen < total:
        who, n = struct.unpack(">II", sub.delivered()[1][:8])
        assert n == last.get(who, -1) + 1, f"publisher {who}: message {n} behind {last.get(who)}"
        seen, last[who] = seen + 1, n
    thread.join()
    return {"sent": total, "delivered": seen, "seconds": round(time.monotonic() - begun, 1),
            "kb": [resident_kb(h1), resident_kb(h2)],
            **{name: client_totals(d) for name, d in (("hop1", h1), ("hop2", h2)) if d.program == [LDMS]}}


def our_hops(cluster):
    h1 = bus_daemon(cluster, "hop1", listen="quota=20000")
    h2 = bus_daemon(cluster, "hop2", subscribed_at(h1.port), bus="default_quota quota=1m\nmsg_enable\n")
    wait_for(lambda: client_totals(h1), "the subscription between the hops")
    return h1, h2


def wrong(out):
    """What is not as it must be."""
    bad = []
    if "kb_after" in out and not out.get("sanitized") and out["kb_after"] > 1.1 * out["kb_before"]:
        bad.append("resident memory grew by more than 10 %")
    if out.get("fd_after", 0) > out.get("fd_before", 0):
        bad.append("descriptors were leaked")
    for c in out.get("hop1", []) + out.get("hop2", []):
        if c["tx"] + sum(c["lost"].values()) + c["waiting"] != out["sent"]:
            bad.append(f"messages were lost and not counted: {c}")
    if out.get("delivered") != out.get("sent"):
        bad.append("the subscriber did not get all messages")
    if out.get("tools", 0) != out.get("right", 0):
        bad.append("tools did not get their answer")
    if out.get("good", {}).get("ends"):
        bad.append("the good peer was dropped")
    return bad


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--connections", type=int, default=100000)
    p.add_argument("--at-once", type=int, default=6000)
    p.add_argument("--tools", type=int, default=500)
    p.add_argument("--cycles", type=int, default=1000000)
    p.add_argument("--publishers", type=int, default=144)
    p.add_argument("--messages", type=int, default=1000, help="of each publisher")
    o = p.parse_args()
    sanitized = os.path.join(BUILD, "address-undefined", "ldms")
    sanitized = sanitized if os.access(sanitized, os.X_OK) else None
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        c = Cluster(folder)
        try:
            for name, run in (("flood", lambda: flood(c, o.connections, o.at_once)),
                              ("tools", lambda: tools(c, o.tools)),
                              ("messages", lambda: messages(o.publishers, o.messages, *our_hops(c))),
                              ("cycles", lambda: cycles(c, o.cycles, sanitized))):
                out = run()
                print(name, json.dumps(out), flush=True)
                bad += [f"{name}: {w}" for w in wrong(out)]
        finally:
            c.end()
    for w in bad:
        print("WRONG:", w)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
