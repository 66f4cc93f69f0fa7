"""Every sampler that an installed ldmsd and this program both have, side by side on this machine: the same sets, metric by
metric, and the same digests."""
import json
import os

import pytest

from ldms import Cluster, free_port, wait_for
from real import needs_ldmsd, real
from recorded import of
from trees import Tree

HOME = "home-ffff8881"
SAMPLERS = {
    "all_example": "",
    "array_example": "",
    "clock": "",
    "dstat": "io=1 stat=1 statm=1 mmalloc=1 fd=1 fdtypes=1 sc_clk_tck=1 auto-schema=1",
    "filesingle": "conf={files} timing",
    "lnet_stats": "file={root}/lnet",
    "loadavg": "",
    "lustre_client": "test_path={root}/llite extra215=1 extratimes=1",
    "lustre2_client": "llite=* llite_path={root}/llite osc=* osc_path={root}/osc mdc=* mdc_path={root}/mdc",
    "meminfo": "",
    "procdiskstats": "",
    "procinterrupts": "",
    "procnet": "",
    "procnetdev": "ifaces=lo,nosuch0",
    "procnetdev2": "",
    "procstat": "maxcpu=5 sc_clk_tck=1",
    "procstat2": "interrupt=true soft_interrupt=true",
    "synthetic": "period=1000000000",
    "vmstat": "",
}
FILES = "\n".join(f"v{t} /proc/sys/vm/dirty_ratio {t} 1" for t in "U8 S8 U16 S16 U32 S32 U64 S64 F32 D64 CHAR".split())


def lustre(cluster):
    tree = Tree(cluster.path("lustre")).lustre_mount(HOME, at="", open=5, ioctl=6).put("/lnet", "1 2 3 4 5 6 7 8 9 10 11\n")
    return tree.lustre_stats("/osc/s-OST0000-osc-ff1/stats", "req_waittime 100 samples [usec] 1 50 1000 20000").lustre_stats(
        "/mdc/s-MDT0000-mdc-ff1/stats", "mds_close 3 samples [usec] 1 5 9 35", obd_ping=4)


def conf(cluster, name):
    files = cluster.write("files", FILES + "\n")
    root = lustre(cluster).root
    return cluster.write(name + ".conf", "metric_sets_default_authz perm=0777\n" + "".join(
        f"load name={s}\nconfig name={s} producer=n1 instance=n1/{s} component_id=3 {attrs.format(files=files, root=root)}\n"
        f"start name={s} interval=200000 offset=0\n" for s, attrs in SAMPLERS.items() if os.access(
            "/proc/diskstats" if s == "procdiskstats" else "/proc", os.R_OK)))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("both"))
    try:
        port = free_port()
        ours = c.daemon("ours", ["samp", "-x", f"sock:{port}:127.0.0.1", "-c", conf(c, "ours")], port)
        port = free_port()
        theirs = real(c, "theirs", conf(c, "theirs"), port)
        done = lambda d: (v := d.sets()) and "n1/vmstat" in v and all("C" in s["flags"] for s in v.values()) and v  # noqa: E731
        yield [(d, wait_for(lambda: done(d), f"consistent sets of {d.name}")) for d in (ours, theirs)]
    finally:
        c.end()


@needs_ldmsd
def test_the_same_sets(both):
    ours, theirs = ({s["dir_info"]["name"]: s["dir_info"] for s in json.loads(
        d.ls_run("-v", "-l", "--json").stdout)["long_sets"]} for d, _ in both)
    assert ours.keys() == theirs.keys()
    for key in ("schema", "digest", "card", "data_size", "heap_size", "array_card"):
        assert {n: s[key] for n, s in ours.items()} == {n: s[key] for n, s in theirs.items()}


@needs_ldmsd
def test_metric_by_metric(both):
    (ours, sets), (theirs, _) = both
    for name in sets:
        mine, real_one = (of(d.ls_run("-l", name).stdout) for d in (ours, theirs))
        assert mine == real_one, name


@needs_ldmsd
def test_steady_values(both):
    """What does not change from one moment to the next is the same number in both."""
    (ours, _), (theirs, _) = both
    mine, real_ones = ours.values(), theirs.values()
    for name, metrics in (("meminfo", ("MemTotal", "SwapTotal")), ("procstat2", ("btime",)),
                          ("procstat", ("cores_up", "cpu_enabled", "per_core_cpu_enabled")),
                          ("dstat", ("ppid", "rsslim", "policy", "sc_clk_tck")), ("filesingle", ("vU8", "vD64", "vCHAR")),
                          ("procnetdev", ("rx_bytes#nosuch0",)), ("lnet_stats", None), ("lustre2_client", None), (HOME, None)):
        for m in metrics or (m for m in mine[f"n1/{name}"] if ".rate#" not in m):  # its first is since 1970
            assert mine[f"n1/{name}"][m] == real_ones[f"n1/{name}"][m], (name, m)
