"""The samplers of hardware and of Lustre on made-up machines: values, and what comes and goes under a running daemon."""
import os

import pytest

from ldms import run, wait_for
from test_proc_samplers import once, samp
from trees import Tree

MOUNT = "scratch-ffff8881234"


def test_a_large_machine(cluster):
    """Eight sockets, two adapters with two ports, 40 sensors, 30 mounts: each number is where it belongs."""
    tree = Tree(cluster.path("root"))
    for socket in range(8):
        tree.rapl(socket, f"package-{socket}", 1000 + socket).rapl(f"{socket}:0", "dram", 2000 + socket)
        tree.coretemp(socket, range(2, 66), temp=40000 + 1000 * socket)
    zones = once(tree, "rapl")["n1/rapl"]["rapl_list"]
    assert [z["zone"] for z in zones] == [f"intel-rapl:{s}{part}" for s in range(8) for part in ("", ":0")]
    assert [(z["package"], z["energy"]) for z in zones[1::2]] == [(f"package-{s}", 2000 + s) for s in range(8)]
    cores = once(tree, "coretemp")["n1/coretemp"]["core_list"]
    assert [(c["package_no"], c["sensor_no"], c["current_temp"]) for c in cores] == [
        (p, c, 40 + p) for p in range(8) for c in range(2, 66)]

    for ca in ("mlx5_0", "mlx5_1"):
        for port in (1, 2):
            tree.infiniband(ca, port, step=10 * int(ca[-1]) + port)
    ib = once(tree, "sysclassib")["n1/sysclassib"]
    assert [ib[f"ib.port_rcv_data#{ca}.{port}"] for ca in ("mlx5_0", "mlx5_1") for port in (1, 2)] == [1001, 1002, 1011, 1012]
    assert ib["ib.symbol_error#mlx5_1.2"] == 2012 and ib["ib.symbol_error.rate#mlx5_1.2"] == 0
    assert list(once(tree, "sysclassib", "ports=mlx5_1.2", "metrics_type=1")["n1/sysclassib"])[3].endswith("#mlx5_1.2")
    tree.infiniband("hfi1_0", step=7)
    hfi = once(tree, "opa2")["n1/hfi1_0/1"]
    assert (hfi["ca_name"], hfi["port"], hfi["port_xmit_data"], hfi["port_rcv_data"]) == ("hfi1_0", 1, 7, 1007)

    for no in range(4):
        tree.hwmon(no, f"chip{no}", **{f"in{i}_input": 1000 * no + i for i in range(10)})
    sensors = once(tree, "hwmon", "chips=chip1,chip3")["n1/hwmon"]["hwmon_list"]
    assert [(s["chip"], s["sensor"], s["value"], s["unit"]) for s in sensors] == [
        (f"chip{no}", f"in{i}", no + i / 1000, "V") for no in (1, 3) for i in range(10)]

    for i in range(30):
        tree.lustre_mount(f"fs{i}-ffff{i}", step=i, open=100 + i)
    mounts = once(tree, "lustre_client")
    assert {n: (m["fs_name"], m["read_bytes.sum"], m["open"]) for n, m in mounts.items()} == {
        f"n1/fs{i}-ffff{i}": (f"fs{i}", 1000 + i, 100 + i) for i in range(30)}
    all_in_one = once(tree, "lustre2_client", "llite=*")["n1/lustre2_client"]
    assert [all_in_one[f"client.open#llite.fs{i}-ffff{i}"] for i in range(30)] == [100 + i for i in range(30)]

    tree.arcstats(hits=5, misses=6).zpool("tank", reads=3).zpool("dozer", "DEGRADED")
    zfs = once(tree, "zfs")
    assert zfs["n1/zfs/arc"]["misses"] == 6
    assert [(p["pool"], p["state"], p["reads"]) for p in zfs["n1/zfs/pools"]["pool_list"]] == [
        ("dozer", "DEGRADED", 1), ("tank", "ONLINE", 3)]
    for nic in ("cxi0", "cxi1"):
        tree.cxi(nic, {"hni_x": "5@1.2", "cq_y": "6"}, {"nacks": "7"}).put(
            f"/sys/class/cxi/{nic}/device/properties/nid", "1963\n")
    assert once(tree, "slingshot_metrics", "counters=group:cq,hni_x")["n1/slingshot_metrics"]["nics"] == [
        {"name": n, "cq_y": 6, "hni_x": 5} for n in ("cxi0", "cxi1")]
    assert [n["nid"] for n in once(tree, "slingshot_info")["n1/slingshot_info"]["nics"]] == [1963, 1963]


WHAT = {"lustre_client": "", "lustre2_client": "llite=scratch", "lustre_ost": "", "hwmon": "", "coretemp": "",
        "sysclassib": "", "zfs": "", "cxi_sampler": "tel_counters=hni_.*", "rapl": ""}
JOB = "n1/scratch-OST0001/sleep.1"


def test_what_comes_and_goes(cluster):
    """A node without any of that: each sampler says so once, and begins when it comes; an aggregator follows."""
    tree = Tree(cluster.path("root"))
    d = samp(cluster, WHAT, "--sysroot", tree.root, interval="50ms")
    agg = cluster.agg("agg", [d], "--interval", "50ms")
    for name in WHAT:
        d.says(f" {name}: ")
    tree.lustre_mount(MOUNT, open=5).lustre_target("obdfilter", "scratch-OST0001", {"sleep.1": {"punch": 3}}, sync=4)
    tree.hwmon(0, "nvme", temp1_input=35000).coretemp(0, (1, 2)).infiniband("mlx5_0").arcstats(hits=5).zpool("tank")
    tree.cxi("cxi0", {"hni_x": "5@1.2"}, {"nacks": "7"}).rapl(0, "package-0", 1000)

    def seen(want):
        v = agg.values()
        return v and all(k in v and metric(v[k]) for k, metric in want.items())

    wait_for(lambda: seen({
        "n1/" + MOUNT: lambda v: (v["open"], v["read_bytes.sum"]) == (5, 1000),
        "n1/lustre2_client": lambda v: v[f"client.write_bytes#llite.{MOUNT}"] == 2000,
        "n1/scratch-OST0001": lambda v: (v["sync"], v["kbytestotal"]) == (4, 4),
        JOB: lambda v: v["punch"] == 3, "n1/hwmon": lambda v: [s["value"] for s in v["hwmon_list"]] == [35.0],
        "n1/coretemp": lambda v: len(v["core_list"]) == 2, "n1/sysclassib": lambda v: "ib.symbol_error#mlx5_0.1" in v,
        "n1/zfs/arc": lambda v: v["hits"] == 5, "n1/zfs/pools": lambda v: [p["pool"] for p in v["pool_list"]] == ["tank"],
        "n1/cxi_sampler": lambda v: v["tel_list"] == [{"iface_name": "cxi0", "hni_x": 5}],
        "n1/rapl": lambda v: [z["energy"] for z in v["rapl_list"]] == [1000],
    }), "all of it")
    tree.lustre_mount(MOUNT, step=7, open=6).lustre_mount("home-ffff77", open=1)
    tree.lustre_target("obdfilter", "scratch-OST0001", {"cp.2": {"punch": 1}}, when=1690000009, sync=5)
    tree.hwmon(1, "amdgpu", power1_average=5000000).coretemp(0, (1, 2), temp=99000, alarm=1).infiniband("mlx5_1", step=3)
    tree.arcstats(hits=6, l2_hits=7).zpool("dozer", "FAULTED").cxi("cxi1", {"hni_x": "6@1.2"}, {}).rapl(0, "package-0", 9)
    wait_for(lambda: seen({
        "n1/" + MOUNT: lambda v: (v["open"], v["read_bytes.sum"]) == (6, 1007), "n1/home-ffff77": lambda v: v["open"] == 1,
        "n1/lustre2_client": lambda v: v[f"client.write_bytes#llite.{MOUNT}"] == 2007,
        "n1/scratch-OST0001": lambda v: v["sync"] == 5, "n1/scratch-OST0001/cp.2": lambda v: v["punch"] == 1,
        "n1/hwmon": lambda v: [(s["value"], s["unit"]) for s in v["hwmon_list"]] == [(35.0, "C"), (5.0, "W")],
        "n1/coretemp": lambda v: [(c["current_temp"], c["critical_alarm_temp"]) for c in v["core_list"]] == 2 * [(99, 1)],
        "n1/sysclassib": lambda v: v.get("ib.port_rcv_data#mlx5_1.1") == 1003, "n1/zfs/arc": lambda v: v.get("l2_hits") == 7,
        "n1/zfs/pools": lambda v: {p["pool"]: p["state"] for p in v["pool_list"]} == {"tank": "ONLINE", "dozer": "FAULTED"},
        "n1/cxi_sampler": lambda v: [n["hni_x"] for n in v["tel_list"]] == [5, 6],
        "n1/rapl": lambda v: [z["energy"] for z in v["rapl_list"]] == [262143328850 + 9],
    }), "what has changed")
    assert JOB not in d.ls()
    for gone in ("/sys/kernel/debug/lustre/llite/" + MOUNT, "/sys/class/hwmon/hwmon0", "/sys/class/infiniband/mlx5_0",
                 "/proc/spl/kstat/zfs/tank", "/sys/class/cxi/cxi0", "/proc/fs/lustre/obdfilter/scratch-OST0001"):
        tree.delete(gone)
    wait_for(lambda: seen({
        "n1/home-ffff77": lambda v: v["open"] == 1, "n1/hwmon": lambda v: [s["chip"] for s in v["hwmon_list"]] == ["amdgpu"],
        "n1/sysclassib": lambda v: "ib.symbol_error#mlx5_0.1" not in v,
        "n1/zfs/pools": lambda v: [p["pool"] for p in v["pool_list"]] == ["dozer"],
        "n1/cxi_sampler": lambda v: [n["hni_x"] for n in v["tel_list"]] == [6],
    }) and not {"n1/" + MOUNT, "n1/lustre2_client", "n1/scratch-OST0001", "n1/scratch-OST0001/cp.2"} & set(agg.ls()),
        "what is gone to go")
    for name in WHAT:
        assert d.text().count(f" {name}: ") < 12, d.text()  # once a change, not once a sample


def test_a_mount_that_hangs(cluster):
    """Nobody answers for it; the other samplers go on, and so does it when there is an answer."""
    tree = Tree(cluster.path("root")).recorded()
    pipe = tree.path(f"/sys/kernel/debug/lustre/llite/{MOUNT}/stats")
    os.makedirs(os.path.dirname(pipe))
    os.mkfifo(pipe)
    d = samp(cluster, {"lustre_client": "", "clock": ""}, "--sysroot", tree.root, interval="50ms")
    try:
        tick = lambda: d.values("n1/clock").get("n1/clock", {}).get("null_tick", 0)  # noqa: E731
        wait_for(lambda: tick() > 3, "the other to go on")
        assert "n1/" + MOUNT not in d.ls()
    finally:
        os.rename(pipe, pipe + ".hung")
        tree.lustre_mount(MOUNT, open=5)
        os.close(os.open(pipe + ".hung", os.O_RDWR))
    wait_for(lambda: d.values("n1/" + MOUNT).get("n1/" + MOUNT, {}).get("open") == 5, "the mount to be sampled")


@pytest.mark.parametrize("what, words", [
    ("lustre_client extra215=maybe", "extra215=: "),
    ("lustre_client", "/sys/kernel/debug/lustre/llite and /proc/fs/lustre/llite: cannot be opened"),
    ("lustre2_client", "is a file system of Lustre mounted, and may this daemon read there (debugfs is root's)?"),
    ("lustre_ost", "does this server have an OST that is mounted?"),
    ("rapl", "does this processor count energy"),
    ("sysclassib metrics_type=7", "metrics_type=7: must lie between 0 and 2"),
    ("opa2", "/sys/class/infiniband: cannot be opened"),
    ("zfs", "is the module zfs loaded?"),
    ("cxi_sampler", "has this node Slingshot"),
    ("slingshot_metrics counters=group:x", "/sys/class/cxi: cannot be opened"),
])
def test_bad_input_is_said(cluster, what, words):
    tree = Tree(cluster.path("root"))
    r = run("samp", "--sysroot", tree.root, "--once", *what.split())
    assert r.returncode == 1 and words in r.stderr, r.stderr


def test_which_make_sense_here(cluster):
    """--auto and -l look at what is there."""
    tree = Tree(cluster.path("root")).recorded().lustre_mount(MOUNT).hwmon(0, "nvme", temp1_input=1)
    tree.coretemp(0, (1,)).put("/proc/sys/lnet/stats", "1 2 3 4 5 6 7 8 9 10 11\n")
    rows = run("samp", "--sysroot", tree.root, "-l").stdout.splitlines()
    here = {r.split()[0] for r in rows if "(not here" not in r}
    assert {"lustre_client", "hwmon", "lnet_stats"} <= here
    assert not {"lustre2_client", "lustre_mdt", "coretemp", "rapl", "sysclassib", "opa2", "zfs", "cxi_sampler"} & here
