"""tenhertz.py - many samplers in one daemon: five at one interval beside the floor of their files, all there are at 10 Hz"""
import json
import os
import subprocess
import time

import samplers
from daemons import GaveUp, HOST, Ours, conf_sampler, wait_for
from measure import Calls, Clock, Cpu
from trees import Tree

TIMES = 3        # a noisy machine: the least of so many
TENTH_S = 0.1
ROUNDS_FEW = 50  # of 10 Hz; strace is slow
FLOOR_PART = 1.1
CORE_PERCENT = 1
LATE_US = 1000
ALL = {  # what a node may run at once: the attributes each wants; those without a source here read the tree's
    "all_example": {}, "cgroup": {}, "coretemp": {}, "dstat": {}, "filesingle": {"conf": "FILES"}, "hello_ldms_msg": {},
    "hello_sampler": {}, "hwmon": {}, "jobid": {}, "jobinfo": {},
    "json_stream_sampler": {"stream": "json", "instance_fmt": "%P/%S"}, "linux_proc_sampler": {},
    "lnet_stats": {}, "loadavg": {}, "lustre_client": {}, "meminfo": {}, "perf": {}, "procdiskstats": {},
    "procinterrupts": {}, "procnet": {}, "procnetdev": {"ifaces": "lo,eth0"}, "procnetdev2": {}, "procnfs": {},
    "procstat": {}, "procstat2": {}, "rapl": {}, "slurm_sampler": {}, "slurm_sampler2": {}, "sysclassib": {},
    "test_sampler": {"num_metrics": 10}, "vmstat": {}, "zfs": {},
}
KERNELS = ("diskstats", "interrupts", "loadavg", "meminfo", "net", "self", "stat", "sys", "vmstat")  # of /proc
MADE_UP = {
    "/proc/net/rpc/nfs": "net 0 0 0 0\nrpc 1234 5 0\nproc3 22 0 " + " ".join(map(str, range(21))) + "\n",
    "/sys/kernel/debug/lnet/stats": "1 2 3 4 5 6 7 8 9 10 11\n",
    "/sys/kernel/debug/lustre/llite/home-ffff8801/stats":
        "snapshot_time 1795186023.5 secs.usecs\nread_bytes 3 samples [bytes] 1 4096 8192\nopen 7 samples [reqs]\n",
    "/var/run/ldms.jobinfo": "JOBID=42\nUID=1000\nUSER=alice\nAPPID=7\n",
    "/var/run/ldms_jobinfo.data": "JOB_ID=42\nJOB_STATUS=1\nJOB_APP_ID=7\nJOB_USER_ID=1000\nJOB_START=1\nJOB_END=0\n",
}


class Rooted(Ours):
    """This tree's executable, with sources out of a folder."""

    def __init__(self, root):
        self.root = root

    def daemon(self, role, conf):
        return [*super().daemon(role, conf), "--sysroot", self.root]


def node_tree(bench):
    """The kernel's own files, and made-up ones for devices that this machine lacks."""
    tree = Tree(bench.yard.path("node"))
    for name in KERNELS:
        if name != "net":
            tree.link(f"/proc/{name}", f"/proc/{name}")
    tree.link("/proc/net/dev", "/proc/net/dev").link("/sys/fs/cgroup", "/sys/fs/cgroup")
    tree.link("/sys/devices/system/cpu", "/sys/devices/system/cpu")
    for path, text in MADE_UP.items():
        tree.put(path, text)
    tree.coretemp(0, range(8)).hwmon(1, "nvme", temp1_input="38850").rapl("0", "package-0", 1000)
    return tree.infiniband("mlx5_0").arcstats(hits=1, misses=2).zpool("tank")


def cpu_ns(d, interval_s, rounds):
    meter, since = Cpu(), time.time()
    meter.start(d.pid)
    time.sleep(rounds * interval_s)
    return meter.stop(d.pid) / ((time.time() - since) / interval_s)


def calls(bench, d, interval_s, rounds):
    """System calls a round, of whole rounds."""
    meter, clock = Calls(bench.yard), Clock(interval_s, 0.5)
    k = clock.quiet(clock.index())
    meter.start(d.pid)
    first = clock.index()
    end = clock.quiet(k + rounds)
    return meter.stop(d.pid) / (end - first)


def compared(bench, what, conf, files, sets, wrap=()):
    """A daemon's CPU beside both floors: they take turns, and the least of each counts."""
    rounds, interval_s = bench.pick(500, 200), samplers.FAST_S
    own = shared = None
    cpu, n_calls = [], []
    for make in bench.makes:
        try:
            d = bench.yard.samp(make, conf, wrap=wrap, memory=samplers.MEMORY if wrap else None)
            d.wait_sets(sets)
            least = []
            for _ in range(TIMES):
                least.append(cpu_ns(d, interval_s, rounds))
                if make is bench.makes[0]:
                    one, many = (samplers.floor_cpu(bench, files, interval_s, rounds, way) for way in (True, False))
                    shared, own = min(shared or one, one), min(own or many, many)
            cpu.append(min(least))
            n_calls.append(bench.try_one(lambda _: calls(bench, d, interval_s, ROUNDS_FEW), make))
        except GaveUp as e:
            bench.report.note(f"{make.title}: {e}")
            cpu.append(None)
            n_calls.append(None)
        finally:
            bench.yard.end_all()
    theirs = cpu[1] if len(cpu) > 1 else None
    bench.report.line(f"{what}: CPU a round", "ns", cpu[0], theirs, at_most=own and FLOOR_PART * own)
    bench.report.line(f"{what}: floor, a wake-up and a pread each", "ns", own, None)
    bench.report.line(f"{what}: floor, one wake-up for all", "ns", shared, None)
    bench.report.line(f"{what}: system calls a round", "calls", n_calls[0], n_calls[1] if len(n_calls) > 1 else None)


# ---- all samplers ----

def asked(d, verb):
    r = subprocess.run([d.make.program, "ctl", "--json", "-h", HOST, "-p", str(d.ports[0]), verb], capture_output=True,
                       text=True)
    if r.returncode:
        raise GaveUp(f"{verb}: {r.stderr.strip()}")
    return json.loads(r.stdout)


def open_sources(d, root):
    """The files of the kernel and the tree that the daemon keeps open."""
    links = [os.readlink(f"/proc/{d.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{d.pid}/fd")]
    return [f for f in links if f.startswith(("/proc/", "/sys/", root)) and os.path.isfile(f)]


def run_all(bench):
    tree = node_tree(bench)
    files = bench.yard.write("singles", samplers.SINGLES)
    conf = "".join(conf_sampler(name, "n1", TENTH_S, **{k: files if v == "FILES" else v for k, v in attrs.items()})
                   for name, attrs in ALL.items())
    d = bench.yard.samp(Rooted(tree.root), conf)
    try:
        d.wait_sets(1)
        wait_for(lambda: all(p["samples"] or p["degraded"] for p in asked(d, "plugn_status")), "samples of every sampler, or why there are none")
        sick = [f"{p['name']}: {p['why']}" for p in asked(d, "plugn_status") if p["degraded"]]
        if sick:
            bench.report.note("10 Hz, not sampled: " + "; ".join(sick))
        what, rounds = f"10 Hz, {len(ALL) - len(sick)} samplers", bench.pick(100, 50)
        sources = open_sources(d, tree.root)
        pairs = [(cpu_ns(d, TENTH_S, rounds), samplers.floor_cpu(bench, sources, TENTH_S, rounds, True))
                 for _ in range(TIMES)]
        percent = 100 / (TENTH_S * 1e9)
        bench.report.line(f"{what}: of a core", "%", min(c for c, _ in pairs) * percent, None, at_most=CORE_PERCENT)
        bench.report.line(f"{what}: floor, one wake-up, {len(sources)} preads", "%", min(f for _, f in pairs) * percent, None)
        late = asked(d, "daemon_status")["samples"]
        bench.report.line(f"{what}: lateness, median", "us", late["late_p50_us"], None)
        bench.report.line(f"{what}: lateness, 99 %", "us", late["late_p99_us"], None, at_most=LATE_US)
        bench.report.line(f"{what}: system calls a round", "calls",
                          bench.try_one(lambda _: calls(bench, d, TENTH_S, ROUNDS_FEW), d.make), None)
    finally:
        bench.yard.end_all([d])


def run(bench):
    compared(bench, "five samplers at 100 Hz",
             "".join(conf_sampler(name, "n1", samplers.FAST_S) for name in samplers.SAMPLERS),
             list(samplers.FILES.values()), len(samplers.SAMPLERS))
    tree = Tree(bench.yard.path("large")).cpus(256)
    wrap = bench.try_one(lambda make: samplers.instead(tree, "/proc/stat"), bench.makes[0])
    if wrap:
        compared(bench, "procstat2, 256 processors, at 100 Hz", conf_sampler("procstat2", "n1", samplers.FAST_S),
                 [tree.path("/proc/stat")], 1, wrap)
    run_all(bench)
