"""measure.py - meters, and windows of rounds to use them in

A daemon samples or updates on multiples of its interval (plus an offset) of the wall clock.  A window opens and closes in
the quiet part between two such moments, so the rounds in it are counted exactly; that all sets advanced by that many
rounds is seen in their timestamps, which are read before and after it.
"""
import os
import re
import shutil
import signal
import struct
import subprocess
import time

from daemons import GaveUp, HERE, ROOT, wait_for

TRIES = 6  # to open a window between two rounds


def need(tool):
    if not shutil.which(tool):
        raise GaveUp(f"{tool} is not installed")


def compiled(yard, source, *flags):
    """What a C file beside this one becomes."""
    out = yard.path(source[:-2])
    cc = [os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-D_GNU_SOURCE", f"-I{ROOT}", "-o", out,
          os.path.join(HERE, source), *flags]
    if not os.path.exists(out):
        need(cc[0])
        r = subprocess.run(cc, capture_output=True, text=True)
        if r.returncode:
            raise GaveUp(f"{source} does not build: {r.stderr.strip()[-300:]}")
    return out


# ---- what can be read of a process ----

def cpu_ns(pid):
    """CPU time of all its threads, those that have ended included: its clock, as clock_getcpuclockid(3) gives it."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def memory(pid):
    """Bytes: {"Rss": ..., "Private_Dirty": ..., ...}"""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return {m[1]: int(m[2]) * 1024 for m in re.finditer(r"^(\w+):\s+(\d+) kB", f.read(), re.M)}


# ---- meters: wrap and env start the daemon so that it can be measured; start() ... stop() gives what was used ----

class Cpu:
    """Nanoseconds of CPU time."""
    wrap, env = (), {}

    def start(self, pid):
        self.before = cpu_ns(pid)

    def stop(self, pid):
        return cpu_ns(pid) - self.before


class Instructions:
    """User instructions, by callgrind: the machine needs no performance counters."""
    env = {}

    def __init__(self, yard):
        need("valgrind")
        need("vgdb")
        self.out = yard.path("callgrind.%p")
        self.wrap = ("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.out}")

    def ask(self, pid, *words):
        r = subprocess.run(["timeout", "120", "vgdb", f"--pid={pid}", *words], capture_output=True, text=True)
        if r.returncode:
            raise GaveUp(f"callgrind does not answer: {r.stderr.strip()[-200:] or 'in 120 s'}")

    def start(self, pid):
        self.ask(pid, "instrumentation", "on")

    def stop(self, pid):
        self.ask(pid, "instrumentation", "off")
        return pid

    def forget(self, pid):
        """A window that failed to open is not counted."""
        self.ask(pid, "zero")

    def result(self, pid):
        """After stop(), when there is time: the dump is slow."""
        self.ask(pid, "dump")
        base = self.out.replace("%p", str(pid))
        newest = max((f for f in os.listdir(os.path.dirname(base)) if f.startswith(os.path.basename(base) + ".")),
                     key=lambda f: int(f.rsplit(".", 1)[1]))
        with open(os.path.join(os.path.dirname(base), newest)) as f:
            m = re.search(r"^totals: (\d+)", f.read(), re.M)
        if not m:
            raise GaveUp(f"no totals in {newest}")
        return int(m[1])


class Calls:
    """System calls, by strace."""
    wrap, env = (), {}

    def __init__(self, yard):
        need("strace")
        self.out = yard.path("strace.out")

    def start(self, pid):
        self.proc = subprocess.Popen(["strace", "-c", "-f", "-p", str(pid), "-o", self.out], stderr=subprocess.PIPE,
                                     text=True)
        self.proc.stderr.readline()  # "Process N attached ..."

    def stop(self, pid):
        self.proc.send_signal(signal.SIGINT)
        self.proc.stderr.read()
        self.proc.wait()
        with open(self.out) as f:
            rows = [line.split() for line in f]
        return sum(int(r[3]) for r in rows if len(r) >= 5 and r[3].isdigit() and r[-1] != "total")


class Allocs:
    """Calls of malloc and its kin, by a library that is preloaded."""
    wrap = ()

    def __init__(self, yard):
        so = compiled(yard, "allocs.c", "-shared", "-fPIC", "-fno-builtin")
        self.count = yard.path("allocs.count")
        with open(self.count, "wb") as f:
            f.write(bytes(8))
        self.env = {"LD_PRELOAD": so, "BENCH_ALLOCS": self.count}

    def now(self):
        with open(self.count, "rb") as f:
            n = struct.unpack("=Q", f.read(8))[0]
        if not n:
            raise GaveUp("the executable is static: its allocations cannot be counted")
        return n

    def start(self, pid):
        self.before = self.now()

    def stop(self, pid):
        return self.now() - self.before


# ---- windows ----

class Clock:
    """The quiet parts of intervals: from phase (0 to 1, of the interval) to the interval's end."""

    def __init__(self, interval_s, phase):
        self.interval_s, self.phase = interval_s, phase

    def index(self):
        return int(time.time() // self.interval_s)

    def quiet(self, k):
        """Wait for the quiet part of interval k, or of the next one when there is none left of it."""
        now = time.time()
        if now >= (k + 1) * self.interval_s:
            return self.quiet(self.index())
        time.sleep(max(0, (k + self.phase) * self.interval_s - now))
        return k


def window(daemon, meter, interval_s, phase, rounds, sets, warm=0):
    """What the meter shows per set and round, and the share of the updates due that came (1.0: all).

    Buffers find their size in the first `warm` rounds, which do not count.
    """
    clock = Clock(interval_s, phase)
    seen_from = clock.quiet(clock.index() + warm)
    before = daemon.stamps()
    for _ in range(TRIES):
        k = clock.quiet(clock.index())
        meter.start(daemon.pid)
        if clock.index() == k:
            break
        meter.stop(daemon.pid)
        if hasattr(meter, "forget"):
            meter.forget(daemon.pid)
    else:
        raise GaveUp(f"{daemon.make.title}: no time between two rounds of {interval_s} s to begin")
    end = clock.quiet(k + rounds)
    used = meter.stop(daemon.pid)
    if clock.index() != end or end != k + rounds:
        raise GaveUp(f"{daemon.make.title}: no time between two rounds of {interval_s} s to end")
    seen_to = clock.quiet(clock.index())
    after = daemon.stamps()
    if hasattr(meter, "result"):
        used = meter.result(used)
    due = sets * (seen_to - seen_from)
    came = sum(round((after[name] - ts) / interval_s) for name, ts in before.items() if name in after)
    share = came / due if due else 0
    return used / (rounds * sets), share


def stretch(daemon, meter, interval_s, rounds):
    """The same of one set, for an interval too short to begin between two rounds: a time of that many rounds."""
    (name, before), seen_from = daemon.stamps().popitem(), time.time()
    meter.start(daemon.pid)
    since = time.time()
    time.sleep(rounds * interval_s)
    used = meter.stop(daemon.pid)
    lasted = time.time() - since
    after = wait_for(lambda: daemon.stamps().get(name), f"{name} to be whole")
    share = (after - before) / (time.time() - seen_from)
    return used / (lasted / interval_s), share
