#!/usr/bin/env python3
"""A store that is dead for minutes while rows come, and back: what the daemon takes, and where every row is; README.md

    outage.py [--minutes 10] [--rate 10000] [--sink csv-on-full-tmpfs] [--overflow spool|drop-oldest]

1,000 producers of one set of 50 metrics each (of 5 for influx); the first metric is the sample's number, so each row is known by its
producer and that.  What producers say was read of them must be in the sink once and in order, but for what the policy
counted as dropped.
"""
import argparse
import array
import json
import signal
import statistics
import sys
import time

from daemons import GaveUp, OURS, Yard, wait_for
from measure import cpu_ns, memory
from report import Report
from scale import Crowd, address, status
from sinks import SINKS

PRODUCERS = 1000
WARM_S, AFTER_S = 10, 20   # real time without an outage before it, and behind the return at least
STRGP_STATUS = 0x204
PAUSE_S = 0.25
RSS_MORE = 1.25            # of what it was before: more is not flat
CATCH_UP = 5               # times as fast as rows come
PATIENCE_S = 900


class Watch:
    """What a storing daemon says of itself, and its memory, several times a second."""

    def __init__(self, daemon):
        self.daemon = daemon

    def look(self):
        st = status(self.daemon, STRGP_STATUS)
        if not st:
            return None
        st = st[0]
        if st["produced"] != st["stored"] + st["queued"] + st["spooled"] + st["dropped"]:
            raise GaveUp(f"it does not add up: {st}")
        return st

    def until(self, over, what, patience=PATIENCE_S):
        """Watch until over(status); the last status and the memory of all looks."""
        rss = []

        def step():
            rss.append(memory(self.daemon.pid)["Rss"] / 2**20)
            st = self.look()
            return st if st and over(st) else None
        return wait_for(step, what, patience, PAUSE_S), rss

    def lasting(self, seconds):
        end = time.monotonic() + seconds
        return self.until(lambda st: time.monotonic() >= end, "status", seconds + PATIENCE_S)


def conf(o, yard, crowd, sink):
    lines = [f"prdcr_add name=p{i} type=active xprt=sock host={address(i)} port={crowd.port} reconnect=1000000\n"
             f"prdcr_start name=p{i}" for i in range(PRODUCERS)]
    spool = f"spool={yard.path('spool')} spool_bytes={o.spool_bytes}" if o.overflow == "spool" else ""
    plugin, *attrs = sink.conf().split()
    return "\n".join(lines) + (
        f"\nload name=sink {plugin}\nconfig name=sink {' '.join(attrs)}\n"
        f"strgp_add name=s plugin=sink container={sink.container} schema=synth overflow={o.overflow} "
        f"queue_bytes={o.queue_bytes} {spool} {sink.policy}\n"
        f"strgp_start name=s\n"
        f"updtr_add name=u interval={crowd.interval_ms * 1000} offset={crowd.offset_ms * 1000}\n"
        "updtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n")


def accounted(sink, rounds):
    """(rows, those of before the first round, those twice or out of order, samples without a row) of what the sink holds."""
    last, rows, first, odd = {}, 0, 0, 0
    for producer, number in sink.rows():
        if not number:
            first += 1
            continue
        rows += 1
        odd += number <= last.get(producer, 0)
        last[producer] = number
    return rows, first, odd, PRODUCERS * rounds - rows + odd


def outage(o, yard, report):
    interval_ms = PRODUCERS * 1000 // o.rate
    rounds = int((WARM_S + o.minutes * 60 * (1 + 1.5 / CATCH_UP) + AFTER_S + 45) * 1000 / interval_ms)
    sink = SINKS[o.sink](yard)
    crowd = Crowd(yard, PRODUCERS, 1, rounds, interval_ms, interval_ms // 5, sink.metrics)
    try:
        d = yard.start(OURS, "store", conf(o, yard, crowd, sink), memory="1G", wrap=sink.wrap)
        sink.started(d)
        watch = Watch(d)
        crowd.all_read()
        crowd.begin()
        _, rss = watch.lasting(WARM_S)
        before = statistics.median(rss[len(rss) // 2:])
        report.line("resident before", "MiB", before, None)
        cpu, since = cpu_ns(d.pid), time.monotonic()
        sink.down()
        st, during = watch.lasting(o.minutes * 60)
        report.line("... at most while the sink is dead", "MiB", max(during), None, at_most=before * RSS_MORE + o.queue_bytes / 2**20)
        report.line("CPU meanwhile", "%", (cpu_ns(d.pid) - cpu) / 1e7 / (time.monotonic() - since), None)
        report.line("why, as status says it: " + st["why"], "", None, None)
        report.line("spooled", "rows", st["spooled"], None)
        report.line("spooled", "bytes/row", st["spooled_bytes"] / st["spooled"] if st["spooled"] else 0, None)
        report.line("dropped", "rows", st["dropped"], None, at_most=0 if o.overflow == "spool" else None)
        dead = st["stored"]
        sink.up()
        back = time.monotonic()
        first, _ = watch.until(lambda s: s["stored"] > dead, "row that is stored again")
        begun, cpu = time.monotonic(), cpu_ns(d.pid)
        report.line("the first row is stored again after", "s", begun - back, None)
        done, after = watch.until(lambda s: not s["spooled"] and s["queued"] < o.rate * 3, "end of the spool")
        took = time.monotonic() - begun
        if o.overflow == "spool":
            rate = (done["stored"] - dead) / max(took, PAUSE_S)
            report.line("catching up", "rows/s", rate, None)
            report.line("catching up, of real time", "x", rate / o.rate, None, at_least=CATCH_UP)
            report.line("catching up: CPU of the daemon", "ns/row", (cpu_ns(d.pid) - cpu) / (done["stored"] - dead), None)
        made = crowd.report()
        _, rss = watch.lasting(AFTER_S)
        report.line("resident afterwards", "MiB", statistics.median(rss), None)
        st, more = watch.until(lambda s: not s["queued"] and not s["spooled"], "empty queue")
        report.line("produced", "rows", st["produced"], None)
        report.line("stored", "rows", st["stored"], None)
        report.line("dropped", "rows", st["dropped"], None)
        rows, first, odd, missing = accounted(sink, rounds)
        report.line("in the sink", "rows", rows, None)
        report.line("twice, or out of order", "rows", odd, None, at_most=0)
        report.line("samples that the daemon did not read in time", "rows", made["lost"], None)
        report.line("stored, and not in the sink", "rows", st["stored"] - rows - first, None, at_most=0)
        # a sample that is read while the next one is made may count as read and not have come, or the other way
        report.line("missing, and neither read late nor dropped", "rows", abs(missing - made["lost"] - st["dropped"]), None)
    finally:
        sink.end()
        yard.end_all()
        crowd.end()


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--minutes", type=float, default=10, help="how long the sink is dead; 10")
    p.add_argument("--rate", type=int, default=10000, help="rows a second; 10000")
    p.add_argument("--sink", choices=SINKS, default="csv-on-full-tmpfs")
    p.add_argument("--overflow", choices=("spool", "drop-oldest"), default="spool")
    p.add_argument("--queue-bytes", type=int, default=16 << 20, help="of the policy; 16 MiB")
    p.add_argument("--spool-bytes", default="60G")
    p.add_argument("--json", metavar="FILE", help="write the numbers there, too")
    p.add_argument("--keep", action="store_true", help="keep the scratch folder: logs, configurations, the spool")
    return p.parse_args()


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # end the daemons on the way
    yard, report = Yard(o.keep), Report()
    try:
        print(f"{o.sink}, {o.minutes:g} minutes, {o.rate:,} rows/s, overflow={o.overflow}")
        report.head()
        outage(o, yard, report)
        report.end()
        if o.json:
            report.save(o.json)
    except GaveUp as e:
        sys.exit(f"outage: {e}")
    finally:
        yard.end()


if __name__ == "__main__":
    main()
