#!/usr/bin/env python3
"""What ldms costs, beside an installed ldmsd: python3 tests/bench/bench.py [--peer DIR]; see README.md"""
import argparse
import signal
import sys

import files
import footprint
import listing
import rows
import samplers
import stores
import tenhertz
import updates
from daemons import GaveUp, OURS, Peer, Yard
from report import Report

BENCHES = {
    "samplers": samplers.run,
    "allsamplers": samplers.run_all,
    "tenhertz": tenhertz.run,
    "updates": updates.run,
    "many": updates.run_many,
    "rows": rows.run,
    "stores": stores.run,
    "memory": footprint.run_memory,
    "start": footprint.run_start,
    "ls": listing.run,
    "files": files.run,
}
CAME_MIN = 0.98  # share of the updates due: a daemon that skips more does not do the work it is measured for


class Bench:
    """What every bench is handed: where daemons run, which makes, and where numbers go."""

    def __init__(self, yard, makes, quick):
        self.yard, self.makes, self.quick, self.report = yard, makes, quick, Report()

    def pick(self, normal, quick):
        return quick if self.quick else normal

    def came(self, who, share):
        if not CAME_MIN <= share <= 2 - CAME_MIN:
            self.report.note(f"{who}: {share:.1%} of the rounds due came; its number is not to be trusted")

    def try_one(self, fn, make):
        try:
            return fn(make)
        except GaveUp as e:
            self.report.note(f"{make.title}: {e}")
            return None

    def compare(self, what, unit, fn, **target):
        """A line of the table: fn(make) of each make."""
        values = [self.try_one(fn, make) for make in self.makes]
        self.report.line(what, unit, values[0], values[1] if len(values) > 1 else None, **target)


def options():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--peer", metavar="DIR", help="prefix of an installed ldmsd, to stand beside ours")
    p.add_argument("--only", nargs="+", choices=BENCHES, metavar="NAME", help="of: " + " ".join(BENCHES))
    p.add_argument("--quick", action="store_true", help="short windows: counts stay exact, times get noisy")
    p.add_argument("--json", metavar="FILE", help="write the numbers there, too")
    p.add_argument("--keep", action="store_true", help="keep the scratch folder: callgrind's files, logs")
    return p.parse_args()


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # end the daemons on the way
    try:
        makes = [OURS] + ([Peer(o.peer)] if o.peer else [])
    except GaveUp as e:
        sys.exit(str(e))
    yard = Yard(o.keep)
    bench = Bench(yard, makes, o.quick)
    try:
        bench.report.head()
        for name in o.only or BENCHES:
            BENCHES[name](bench)
        bench.report.end()
        if o.json:
            bench.report.save(o.json)
    finally:
        yard.end()


if __name__ == "__main__":
    main()
