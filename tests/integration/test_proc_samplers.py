"""The samplers of /proc and /sys in a running daemon: values beside /proc, large machines, and what comes and goes."""
import json
import os
import re

import pytest

from ldms import free_port, run, wait_for
from trees import Tree

ALL = {
    "clock": "", "dstat": "fdtypes=1 io=1 stat=1 statm=1", "loadavg": "", "meminfo": "", "procdiskstats": "",
    "procinterrupts": "", "procnet": "", "procnetdev": "ifaces=lo", "procnetdev2": "", "procstat": "",
    "procstat2": "interrupt=true soft_interrupt=true", "vmstat": "",
}


def conf(what, interval="100ms"):
    """{instance: attributes}; an instance is SAMPLER, or NAME:SAMPLER."""
    text = ""
    for name, attrs in what.items():
        name, plugin = name.split(":") if ":" in name else (name, name)
        text += (f"load name={name} plugin={plugin}\nconfig name={name} component_id=1 {attrs}\n"
                 f"start name={name} interval={interval} offset=0\n")
    return text


def samp(cluster, what, *args, interval="100ms", name="n1"):
    port = free_port()
    return cluster.daemon(name, ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", name, "-c",
                                 cluster.write(name + ".conf", conf(what, interval)), *args], port)


def once(tree, sampler, *attrs):
    """Its values, by set, of one sample of that tree."""
    r = run("samp", "--sysroot", tree.root, "-n", "n1", "--json", "--once", sampler, *attrs)
    assert r.returncode == 0, r.stderr
    return {s["dir_info"]["name"]: {m["name"]: m["value"] for m in s["metrics"]} for s in json.loads(r.stdout)["long_sets"]}


def read(path):
    with open(path) as f:
        return f.read()


def test_values_are_those_of_proc(cluster):
    """Counters lie between what /proc says before and after."""
    what = {k: v for k, v in ALL.items() if k != "procdiskstats" or os.path.exists("/proc/diskstats")}
    d = samp(cluster, what)

    def numbers():
        now = {}
        for line in read("/proc/stat").splitlines():
            word, *rest = line.split()
            now["stat", word] = [int(v) for v in rest]
        for line in read("/proc/net/dev").splitlines()[2:]:
            name, rest = line.split(":")
            now["net", name.strip()] = [int(v) for v in rest.split()]
        for line in read("/proc/diskstats").splitlines() if os.path.exists("/proc/diskstats") else ():
            _, _, name, *rest = line.split()
            now["disk", name] = [int(v) for v in rest]
        for line in read("/proc/interrupts").splitlines()[1:]:
            name, rest = line.split(":", 1)
            now["irq", name.strip()] = [int(v) for v in re.match(r"[\s\d]*", rest)[0].split()]
        return now

    wait_for(lambda: len(d.values()) >= len(what) + 2, "all sets")
    before = numbers()
    clock = d.values("n1/clock")["n1/clock"]["null_tick"]
    wait_for(lambda: d.values("n1/clock")["n1/clock"]["null_tick"] >= clock + 2, "two more samples")
    v, after = d.values(), numbers()

    def check(key, i, got):
        assert before[key][i] <= got <= after[key][i], (key, i)

    for i, name in enumerate(("user", "nice", "sys")):
        check(("stat", "cpu"), i, v["n1/procstat"][name])
        check(("stat", "cpu1" if ("stat", "cpu1") in before else "cpu0"), i, v["n1/procstat"]["per_core_" + name][
            1 if ("stat", "cpu1") in before else 0])
    for metric, line in (("hwintr_count", "intr"), ("context_switches", "ctxt"), ("processes", "processes"),
                         ("softirq_count", "softirq")):
        check(("stat", line), 0, v["n1/procstat"][metric])
    check(("stat", "ctxt"), 0, v["n1/procstat2"]["ctxt"])
    for list_name, line in (("intr", "intr"), ("softirq", "softirq")):
        numbers_now = v[f"n1/procstat2_{list_name}"][list_name + "_list"]
        assert len(numbers_now) == len(after["stat", line])
        check(("stat", line), 0, numbers_now[0])
    for i, name in ((0, "rx_bytes"), (1, "rx_packets"), (8, "tx_bytes"), (9, "tx_packets")):
        check(("net", "lo"), i, v["n1/procnetdev"][name + "#lo"])
        check(("net", "lo"), i, next(r for r in v["n1/procnetdev2"]["netdev_list"] if r["name"] == "lo")[name])
    check(("net", "lo"), 0, v["n1/procnet/lo"]["rx_bytes"])
    for kind, name in before:
        if kind == "disk":
            check((kind, name), 0, v["n1/procdiskstats"]["reads_comp#" + name])
            check((kind, name), 6, v["n1/procdiskstats"]["sect_written#" + name])
        if kind == "irq":
            for i, _ in enumerate(before[kind, name]):
                check((kind, name), i, v["n1/procinterrupts"][f"irq.{name}#{i}"])
    own = v["n1/dstat"]
    assert (own["pid"], own["ppid"]) == (d.proc.pid, os.getpid())
    assert own["fd_count"] >= own["fd_socket"] > 0
    assert 0 < own["syscr"] <= int(re.search(r"syscr: (\d+)", read(f"/proc/{d.proc.pid}/io"))[1])


def test_a_large_machine(cluster):
    """256 processors, 500 disks and 300 interfaces: each number is where it belongs."""
    tree = Tree(cluster.path("root")).recorded().cpus(256).disks(500).netdevs(300)
    stat = once(tree, "procstat2", "interrupt=true")
    cpus = stat["n1/procstat2"]["cpu_list"]
    assert [r["name"] for r in cpus] == ["cpu"] + [f"cpu{i}" for i in range(256)]
    assert [(r["user"], r["guest_nice"]) for r in cpus[1:]] == [(i, 9000 + i) for i in range(256)]
    assert stat["n1/procstat2_intr"]["intr_list"] == list(range(300))
    stat = once(tree, "procstat")["n1/procstat"]
    assert stat["cores_up"] == 256 and stat["per_core_softirqd"] == [6000 + i for i in range(256)]
    irqs = once(tree, "procinterrupts")["n1/procinterrupts"]
    assert [irqs[f"irq.{irq}#{i}"] for irq in range(300) for i in range(256)] == [
        1000 * irq + i for irq in range(300) for i in range(256)]
    assert irqs["irq.NMI#255"] == 255 and "irq.ERR#0" in irqs and "irq.ERR#1" not in irqs
    disks = once(tree, "procdiskstats")["n1/procdiskstats"]
    assert [disks[f"weighted_time#sd{i}"] for i in range(500)] == [10000 + i for i in range(500)]
    devs = once(tree, "procnetdev2")["n1/procnetdev2"]["netdev_list"]
    assert [(r["name"], r["tx_compressed"]) for r in devs] == [(f"veth{i}", 15000 + i) for i in range(300)]
    ports = once(tree, "procnet")
    assert {n: v["rx_packets"] for n, v in ports.items()} == {f"n1/procnet/veth{i}": 1000 + i for i in range(300)}


WHAT = {"procstat": "", "procstat2": "", "procinterrupts": "", "procdiskstats": "", "procnet": "", "procnetdev2": "",
        "one:procnetdev": "ifaces=a,c", "two:procnetdev": "ifaces=b", "cgroup": "cgroups=*"}


def test_what_comes_and_goes(cluster):
    """Processors, disks, interfaces and groups of a machine change under a running daemon; an aggregator follows."""
    tree = Tree(cluster.path("root")).recorded().cpus(2, irqs=3).disks_named(["sda"]).netdevs_named(["a", "b"]).cgroup("g1")
    d = samp(cluster, WHAT, "--sysroot", tree.root, interval="50ms")
    agg = cluster.agg("agg", [d], "--interval", "50ms")
    wait_for(lambda: set(agg.ls()) >= {"n1/procnet/a", "n1/procnet/b", "n1/cgroup", "n1/one", "n1/two"}, "all sets")

    def seen(want):
        v = agg.values()
        return v and all(k in v and metric(v[k]) for k, metric in want.items())

    wait_for(lambda: seen({
        "n1/procstat": lambda v: v["per_core_user"] == [0, 1], "n1/procstat2": lambda v: len(v["cpu_list"]) == 3,
        "n1/procinterrupts": lambda v: "irq.2#1" in v and "irq.3#0" not in v,
        "n1/procdiskstats": lambda v: "reads_comp#sda" in v, "n1/procnet/b": lambda v: v["rx_packets"] == 1001,
        "n1/one": lambda v: (v["rx_packets#a"], v["rx_packets#c"]) == (1000, 0),
        "n1/two": lambda v: v["rx_packets#b"] == 1001,
        "n1/cgroup": lambda v: [g["name"] for g in v["cgroup_list"]] == ["g1"],
    }), "the small machine")
    tree.cpus(4, irqs=5, step=7).disks_named(["sda", "sdb"], step=7).netdevs_named(["a", "c"], step=7).cgroup("g2", usec=5)
    tree.delete("/sys/fs/cgroup/g1")
    wait_for(lambda: seen({
        "n1/procstat": lambda v: v["per_core_user"] == [7, 8, 9, 10], "n1/procstat2": lambda v: len(v["cpu_list"]) == 5,
        "n1/procinterrupts": lambda v: (v.get("irq.4#0"), v.get("irq.4#3")) == (4007, 4003),
        "n1/procdiskstats": lambda v: v.get("reads_comp#sdb") == 8, "n1/procnet/c": lambda v: v["rx_packets"] == 1008,
        "n1/one": lambda v: (v["rx_packets#a"], v["rx_packets#c"]) == (1007, 1008),
        "n1/two": lambda v: v["rx_packets#b"] == 1001,  # what is gone keeps what it had
        "n1/cgroup": lambda v: [(g["name"], g["cpu.usage_usec"]) for g in v["cgroup_list"]] == [("g2", 5)],
    }), "the grown machine")
    wait_for(lambda: "n1/procnet/b" not in agg.ls(), "the interface's set to go")
    tree.cpus(2, irqs=3, step=9).disks_named(["sdb"], step=9)
    wait_for(lambda: seen({
        "n1/procstat": lambda v: v["per_core_user"] == [9, 10, 0, 0], "n1/procstat2": lambda v: len(v["cpu_list"]) == 3,
        "n1/procinterrupts": lambda v: (v.get("irq.2#0"), v.get("irq.2#1")) == (2009, 2001) and "irq.4#3" not in v,
        "n1/procdiskstats": lambda v: v.get("reads_comp#sdb") == 9 and "reads_comp#sda" not in v,
    }), "the smaller machine")


@pytest.mark.parametrize("what, words", [
    ("procnetdev", "the attribute ifaces= is missing; give it, as in ifaces=eth0,ib0"),
    ("filesingle conf=/nowhere/at/all", "conf=/nowhere/at/all: cannot be opened"),
    ("perf events=cyles", "no event cyles"),
    ("loadavg metrics=load2min", "unknown metric load2min"),
    ("edac --sysroot /nowhere", "/nowhere/sys/devices/system/edac/mc: has no controller"),
])
def test_bad_input_is_said(what, words):
    sampler, *attrs = what.split()
    options = attrs if attrs and attrs[0].startswith("--") else []
    r = run("samp", *options, "--once", sampler, *(attrs if not options else []))
    assert r.returncode == 1 and words in r.stderr


def test_perf_counts_or_says_why(cluster):
    """Where performance events are forbidden the instance is degraded, and the others go on."""
    d = samp(cluster, {"perf": "events=context-switches,cpu-clock", "loadavg": ""})
    wait_for(lambda: d.values("n1/loadavg"), "loadavg")
    if "n1/perf" not in d.ls():
        d.says("kernel.perf_event_paranoid")
        return
    clock = lambda: d.values("n1/perf")["n1/perf"]["cpu_clock"]  # noqa: E731
    wait_for(lambda: d.values("n1/perf"), "perf")
    first = clock()
    wait_for(lambda: clock() > first, "counters to count")
