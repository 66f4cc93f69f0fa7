"""Made-up /proc and /sys trees for --sysroot: machines that nobody has at hand.

    tree = Tree(cluster.path("root")).recorded().cpus(256).disks(500)
    run("samp", "--sysroot", tree.root, "--once", "procstat2")

Numbers differ from line to line and from column to column, so that one in a wrong place is seen.  `step` is time that has
passed: what counts on a busy machine has grown by it, the rest is still.
"""
import os
import shutil

from ldms import ROOT

TIMES = 10      # of a line of /proc/stat
DISK = 17       # numbers of a line of /proc/diskstats
NETDEV = 16     # of /proc/net/dev
IRQS = 300      # of a large machine
BUSY_TIMES = (0, 2, 3, 6)  # user, system, idle, softirq
BUSY_NETDEV = (0, 1, 8, 9)  # bytes and packets


def numbers(n, base, step, busy=None):
    """base, 1000 + base, ..., of which those that are busy are `step` more."""
    return [1000 * k + base + (step if busy is None or k in busy else 0) for k in range(n)]


def joined(values):
    return " ".join(map(str, values))


class Tree:
    def __init__(self, root):
        self.root = str(root)
        os.makedirs(self.root + "/proc", exist_ok=True)

    def path(self, name):
        return self.root + name

    def put(self, name, text):
        """In place: who has the file open sees it."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        fd = os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o666)
        os.write(fd, text.encode())  # and never an empty file in between
        os.ftruncate(fd, len(text))
        os.close(fd)
        return self

    def link(self, name, to):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        os.symlink(to, self.path(name))
        return self

    def delete(self, name):
        if os.path.isdir(self.path(name)):
            shutil.rmtree(self.path(name))
        else:
            os.remove(self.path(name))

    def recorded(self):
        """The files of /proc that the recorded sets were made from."""
        shutil.copytree(os.path.join(ROOT, "tests", "data", "proc"), self.path("/proc"), dirs_exist_ok=True)
        return self

    def cpus(self, n, irqs=IRQS, step=0):
        """n processors in stat and interrupts; each interrupt comes to one of them, and the last kind to all."""
        stat = [f"cpu  {joined(numbers(TIMES, n, n * step, BUSY_TIMES))}"]
        stat += [f"cpu{i} {joined(numbers(TIMES, i, step, BUSY_TIMES))}" for i in range(n)]
        stat += ["intr " + joined(irq + step for irq in range(irqs)), f"ctxt {step + 1}",
                 "btime 1795186023", f"processes {step + 2}", "procs_running 3", "procs_blocked 4",
                 "softirq " + joined(k + step for k in range(11))]
        self.put("/proc/stat", "\n".join(stat) + "\n")
        rows = ["     " + "".join(f"{'CPU%d' % i:>11}" for i in range(n))]
        rows += [f"{irq:>3}:" + "".join(f"{irq * 1000 + i + (0 if i != irq % n else step):>11}" for i in range(n)) +
                 f"  IR-PCI-MSI-0000:{irq % 256:02x}:00.0  {irq}-edge  dev{irq}" for irq in range(irqs)]
        rows += ["NMI:" + "".join(f"{i + step:>11}" for i in range(n)) + "   Non-maskable interrupts", f"ERR: {step:>10}"]
        self.put("/proc/interrupts", "\n".join(rows) + "\n")
        return self.put("/sys/devices/system/cpu/online", f"0-{n - 1}\n" if n > 1 else "0\n")

    def disks(self, n, step=0):
        return self.disks_named([f"sd{i}" for i in range(n)], step)

    def disks_named(self, names, step=0):
        """Every other pair of disks is idle."""
        return self.put("/proc/diskstats", "".join(
            f"{8 + i // 16:>4} {i % 16:>7} {name} " + joined(numbers(DISK, i, 0 if i % 4 > 1 else step)) + "\n"
            for i, name in enumerate(names)))

    def netdevs(self, n, step=0):
        return self.netdevs_named([f"veth{i}" for i in range(n)], step)

    def netdevs_named(self, names, step=0):
        head = ("Inter-|   Receive                                                |  Transmit\n"
                " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
                "carrier compressed\n")
        return self.put("/proc/net/dev", head + "".join(
            f"{name:>6}: " + joined(numbers(NETDEV, i, 0 if i % 4 > 1 else step, BUSY_NETDEV)) + "\n"
            for i, name in enumerate(names)))

    def process(self, pid, comm="work", ppid=1, uid=1000, threads=1, args=("work", "hard"), fds=3):
        """One process, with the files that a sampler of processes reads."""
        at = f"/proc/{pid}"
        fields = [ppid, pid, pid, 0, -1, 4194304, 11, 12, 13, 14, 15, 16, 17, 18, 20, 0, threads, 0, 1000 + pid, 8192000,
                  200, 18446744073709551615] + list(range(25, 53))
        self.put(at + "/stat", f"{pid} ({comm}) S " + " ".join(map(str, fields)) + "\n")
        self.put(at + "/statm", "2000 200 100 10 0 50 0\n")
        self.put(at + "/status", f"Name:\t{comm}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\n"
                 f"PPid:\t{ppid}\nTracerPid:\t0\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
                 f"FDSize:\t64\nGroups:\t{uid} \nVmPeak:\t    8000 kB\nVmSize:\t    8000 kB\nVmRSS:\t     800 kB\n"
                 f"Threads:\t{threads}\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n")
        self.put(at + "/io", "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\n"
                 "cancelled_write_bytes: 7\n")
        self.put(at + "/cmdline", "".join(a + "\0" for a in args))
        self.put(at + "/comm", comm + "\n")
        self.put(at + "/environ", f"PID={pid}\0")
        for name, text in (("oom_score", "666\n"), ("oom_score_adj", "0\n"), ("wchan", "do_wait"),
                           ("syscall", "61 0xffffffff 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), ("timerslack_ns", "50000\n")):
            self.put(f"{at}/{name}", text)
        for link, to in (("exe", "/usr/bin/" + comm), ("root", "/"), ("cwd", "/")):
            self.link(f"{at}/{link}", to)
        os.makedirs(self.path(at + "/fd"))
        for fd in range(fds):
            self.link(f"{at}/fd/{fd}", "/dev/null")
        return self

    def processes(self, n, first=1000, **what):
        for pid in range(first, first + n):
            self.process(pid, **what)
        return self

    def lustre_stats(self, path, *lines, **counts):
        """A file of Lustre's statistics: lines as they are, and operations that are counted."""
        return self.put(path, "snapshot_time             1690000000.123456789 secs.nsecs\n" + "".join(
            line + "\n" for line in lines) + "".join(f"{name:<25} {n} samples [reqs]\n" for name, n in counts.items()))

    def lustre_mount(self, name, step=0, at="/sys/kernel/debug/lustre", **counts):
        return self.lustre_stats(f"{at}/llite/{name}/stats", f"read_bytes {10 + step} samples [bytes] 1 4096 {1000 + step} 9",
                                 f"write_bytes {20 + step} samples [bytes] 1 4096 {2000 + step} 9", **counts)

    def lustre_jobs(self, path, jobs, when=1690000000):
        """job_stats: {job: {operation: count, or (count, sum)}}"""
        text = "job_stats:\n"
        for job, ops in jobs.items():
            text += f"- job_id:          {job}\n  snapshot_time:   {when}\n"
            for op, n in ops.items():
                what = f"{n[0]:>11}, unit: bytes, min: 1, max: 9, sum: {n[1]:>15}" if isinstance(n, tuple) else (
                    f"{n:>11}, unit:  reqs")
                text += f"  {op + ':':<16} {{ samples: {what} }}\n"
        return self.put(path, text)

    def lustre_target(self, kind, name, jobs, when=1690000000, lines=(), **counts):
        """An OST ("obdfilter") or MDT ("mdt") of a server, its jobs, and how full it is."""
        at = f"/proc/fs/lustre/{kind}/{name}"
        self.lustre_stats(at + ("/md_stats" if kind == "mdt" else "/stats"), *lines, **counts)
        self.lustre_jobs(at + "/job_stats", jobs, when)
        for i, space in enumerate(("filesfree", "filestotal", "kbytesavail", "kbytesfree", "kbytestotal")):
            self.put(f"/proc/fs/lustre/osd-ldiskfs/{name}/{space}", f"{i}\n")
        return self

    def coretemp(self, package, cores, temp=45000, alarm=0):
        at = f"/sys/devices/platform/coretemp.{package}/hwmon/hwmon{package}/temp"
        for core in cores:
            for name, text in (("label", f"Core {core}"), ("input", temp), ("max", 84000), ("crit", 100000),
                               ("crit_alarm", alarm)):
                self.put(f"{at}{core}_{name}", f"{text}\n")
        return self

    def hwmon(self, no, chip, **files):
        for name, text in {"name": chip, **files}.items():
            self.put(f"/sys/class/hwmon/hwmon{no}/{name}", f"{text}\n")
        return self

    def rapl(self, zone, name, energy, most=262143328850):
        for file, text in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", most)):
            self.put(f"/sys/class/powercap/intel-rapl:{zone}/{file}", f"{text}\n")
        return self

    def infiniband(self, ca, port=1, step=0, counters=("port_xmit_data", "port_rcv_data", "symbol_error")):
        for i, name in enumerate(counters):
            self.put(f"/sys/class/infiniband/{ca}/ports/{port}/counters/{name}", f"{1000 * i + step}\n")
        return self

    def cxi(self, name, tel, rh):
        """An interface of Slingshot: its telemetry, and what the retry handler did."""
        for at, files in ((f"/sys/class/cxi/{name}/device/telemetry", tel), (f"/var/run/cxi/{name}", rh)):
            for file, text in files.items():
                self.put(f"{at}/{file}", text)
        return self

    def zpool(self, name, state="ONLINE", reads=1):
        at = f"/proc/spl/kstat/zfs/{name}"
        self.put(at + "/state", state + "\n")
        return self.put(at + "/objset-0x36", "31 1 0x01 7 2160 1 2\nname type data\ndataset_name 7 tank\nwrites 4 2\n"
                        f"nwritten 4 4096\nreads 4 {reads}\nnread 4 512\n")

    def arcstats(self, **numbers):
        return self.put("/proc/spl/kstat/zfs/arcstats", "13 1 0x01 96 26112 7 8\nname                            type data\n" +
                        "".join(f"{name:<31} 4    {n}\n" for name, n in numbers.items()))

    def cgroup(self, name, usec=1, **numbers):
        at = f"/sys/fs/cgroup/{name}"
        self.put("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n")
        self.put(at + "/cpu.stat", f"usage_usec {usec}\nuser_usec {usec}\nsystem_usec 0\n")
        for key, value in numbers.items():
            self.put(f"{at}/{key.replace('_', '.')}", f"{value}\n")
        return self
