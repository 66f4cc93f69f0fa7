"""Every sampler's set, metric by metric, beside what ldmsd 4.5.3 showed (tests/data/sets): order, flags, types, names, units,
lengths, digests; and its values where the source was recorded, too."""
import json
import re

import pytest

from ldms import run
from recorded import digests, lines, of, recorded, values
from trees import Tree

SETS = {  # what is recorded: (sampler and attributes, are the values those of the recorded source?)
    "all_example": ("all_example", True),
    "array_example": ("array_example", False),
    "clock": ("clock", False),
    "coretemp": ("coretemp", True),
    "cxi_sampler": ("cxi_sampler instance=node-1/cxi tel_counters=hni_tx_ok_64,hni_rx_ok_64 rh_counters=nack_resource_busy",
                    True),
    "dstat": ("dstat io stat statm mmalloc fd fdtypes sc_clk_tck auto-schema", False),
    "edac": ("edac max_mc=1 max_csrow=1", True),
    "filesingle": ("filesingle conf={root}/files timing", False),
    "fptrans": ("fptrans", True),
    "jobid": ("jobid", True),
    "jobinfo": ("jobinfo", False),
    "lnet_stats": ("lnet_stats", True),
    "loadavg": ("loadavg", True),
    "lustre_mdc_timing": ("lustre_mdc", True),
    "lustre_mdt": ("lustre_mdt", True),
    "lustre_mdt_job_stats": ("lustre_mdt", True),
    "lustre_ost": ("lustre_ost", True),
    "lustre_ost_job_stats": ("lustre_ost", True),
    "meminfo": ("meminfo", True),
    "procinterrupts": ("procinterrupts", True),
    "procnet_eth0": ("procnet exclude_ports=lo", False),
    "procnet_lo": ("procnet exclude_ports=eth0", False),
    "procnetdev": ("procnetdev ifaces=lo,eth0,nosuch0", True),
    "procnetdev2": ("procnetdev2", True),
    "procnfs": ("procnfs", True),
    "procstat": ("procstat maxcpu=4 sc_clk_tck=1", True),
    "procstat2": ("procstat2", True),
    "procstat2_intr": ("procstat2 interrupt=true", True),
    "procstat2_softirq": ("procstat2 soft_interrupt=true", True),
    "record_sampler": ("record_sampler with_name=true", False),
    "slurm": ("slurm_sampler job_count=4 task_count=4 instance=node-1/slurm", False),
    "slurm2": ("slurm_sampler2 instance=node-1/slurm2", False),
    "synthetic": ("synthetic", False),
    "vmstat": ("vmstat", True),
}
UNRECORDED = {"edac", "cxi_sampler"} | {name for name in SETS if name.startswith("lustre")}  # digests
DISKS = [f"loop{i}" for i in range(8)] + ["vda", "zram0"]
SCHEMAS = {"slurm": "mt-slurm", "slurm2": "mt-slurm2", "dstat": "dstat_7f", "procnet_eth0": "procnet", "procnet_lo": "procnet"}


def interrupts(listing):
    """/proc/interrupts as the set has it."""
    rows = {}
    for name, value in list(values(listing).items())[3:]:
        rows.setdefault(re.match(r"irq\.(.*)#", name)[1], []).append(value)
    n = max(map(len, rows.values()))
    return "  ".join([""] + [f"CPU{i}" for i in range(n)]) + "\n" + "".join(
        f"{name:>3}: " + " ".join(f"{v:>10}" for v in row) + "   chip 7 line\n" for name, row in rows.items())


def lustre(t):
    mdc = "scratch-MDT0000-mdc-ffff888"
    t.lustre_stats(f"/proc/fs/lustre/mdc/{mdc}/md_stats")
    t.lustre_stats(f"/sys/kernel/debug/lustre/mdc/{mdc}/stats", "req_waittime 100 samples [usec] 1 50 1000 20000",
                   "mds_getattr 10 samples [usec] 1 50 100 2000")
    t.lustre_target("mdt", "scratch-MDT0000", {"cp.0": {"open": 10, "close": 9}}, open=20, getattr=300, lines=[
        "close 19 samples [usecs] 1 9 90 999"])
    t.lustre_target("obdfilter", "scratch-OST0001", {"sleep.1000": {
        "read_bytes": (3, 123456), "write_bytes": (1, 6543), "getattr": 3, "punch": 1}}, lines=[
        "read_bytes 3 samples [bytes] 4096 4096 12345", "write_bytes 2 samples [bytes] 1 4096 6789"])
    for target in ("scratch-MDT0000", "scratch-OST0001"):
        t.delete("/proc/fs/lustre/osd-ldiskfs/" + target)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What the recorded sets were made from, as far as it is known."""
    t = Tree(tmp_path_factory.mktemp("root")).recorded().disks_named(DISKS)
    t.put("/proc/interrupts", interrupts(recorded("procinterrupts")))
    rpc, *calls = [v for v in list(values(recorded("procnfs")).values())[4:]]
    t.put("/proc/net/rpc/nfs", f"net 0 0 0 0\nrpc 1234 {rpc} 0\nproc3 22 0 {' '.join(calls)}\n")
    for name, value in list(values(recorded("edac")).items())[3:]:
        name = re.sub(r"/(csrow\d+)_", r"/\1/", re.sub(r"^(mc\d+)_", r"/\1/", name))
        t.put("/sys/devices/system/edac/mc" + name, value + "\n")
    t.put("/sys/kernel/debug/lnet/stats", "1 2 3 4 5 6 7 8 9 10 11\n").coretemp(0, (1, 2))
    t.cxi("cxi0", {"hni_tx_ok_64": "100@1690000000.123", "hni_rx_ok_64": "5@1.1"}, {"nack_resource_busy": "7"})
    lustre(t)
    t.process(30297, comm="ldmsd").link("/proc/self", "30297")
    t.put("/var/run/ldms.jobinfo", "JOBID=42\nUID=1000\nUSER=alice\nAPPID=7\n")
    t.put("/proc/sys/vm/dirty_ratio", "20\n")
    return t.put("/files", "dirty_ratio /proc/sys/vm/dirty_ratio U32 0\nload /proc/loadavg F32 0\n"
                 "gone /nowhere S64 -1\nch /proc/sys/vm/dirty_ratio CHAR x\n")


def once(tree, what, *options):
    r = run("samp", "--sysroot", tree.root, "--compid", 1, "-n", "node-1", *options, "--once",
            *what.format(root=tree.root).split())
    assert r.returncode == 0, r.stderr
    return r.stdout


def schemas(tree, what):
    """{schema: digest} of what the sampler makes."""
    return {s["dir_info"]["schema"]: s["dir_info"]["digest"]
            for s in json.loads(once(tree, what, "--json"))["long_sets"]}


@pytest.mark.parametrize("name", SETS)
def test_metric_by_metric(tree, name):
    what, same_source = SETS[name]
    want = recorded(name)
    sets = re.split(r"\n\n+(?=node-1/)", once(tree, what))
    got = next(s for s in sets if s.startswith(want.split(":")[0] + ":"))
    assert of(got) == of(want)
    if same_source:
        assert list(lines(got)) == list(lines(want))


@pytest.mark.parametrize("name", sorted(SETS.keys() - UNRECORDED))
def test_digests(tree, name):
    schema = SCHEMAS.get(name, name)
    assert schemas(tree, SETS[name][0])[schema] in digests()[schema]


def test_procdiskstats(tree):
    """Ten disks, of which the listing shows one; the bytes are right here."""
    got = once(tree, "procdiskstats")
    want = [row for row in of(recorded("procdiskstats")) if len(row) > 1]
    mine = [row for row in of(got) if "#" not in row[2] or row[2].endswith("#vda")]
    assert mine == want
    names = [row[2] for row in of(got)]
    assert [n.split("#")[1] for n in names[3::26]] == DISKS
    v = values(got)
    assert int(v["disk.byte_read#vda"]) == 512 * int(v["sect_read#vda"])
    assert schemas(tree, "procdiskstats")["procdiskstats"] in digests()["procdiskstats"]


def test_digests_of_variants(tree):
    assert schemas(tree, "procnetdev ifaces=lo,dmy0")["procnetdev"] in digests()["procnetdev"]
    assert schemas(tree, "dstat")["dstat"] in digests()["dstat"]
    assert schemas(tree, "loadavg metrics=load1min,runnable force_integer")["loadavgi100100"] in digests()["loadavgi100100"]
