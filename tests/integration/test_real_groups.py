"""Set groups and permissions beside a real ldmsd."""
import pytest

from ldms import free_port, real_ldmsd, wait_for
from test_groups import DEL, INS, RM, agg, ctl, members, names, samp, samp_conf, updated
from test_real_peers import our_ls, real, real_agg, real_ls, same
from wire import Wire

pytestmark = pytest.mark.skipif(not real_ldmsd(), reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")

GROUP = "setgroup_add name=n1/g interval=1000000\nsetgroup_ins name=n1/g instance=n1/loadavg,n1/meminfo\n"


def real_group_agg(cluster, producer):
    port = free_port()
    conf = cluster.write("ra.conf", f"""prdcr_add name=p type=active xprt=sock host=localhost port={producer.port} reconnect=200ms
prdcr_start name=p
updtr_add name=u interval=200ms offset=50ms
updtr_prdcr_add name=u regex=.*
updtr_match_add name=u regex=/g$
updtr_start name=u
""")
    a = real(cluster, "ra", conf, port)
    wait_for(lambda: a.ls_run().returncode == 0, "a real aggregator to listen")
    return a


def mirrored(daemon):
    """What a real aggregator holds, by its own word: it does not list the members of groups."""
    def ready():
        got = {s["inst_name"] for s in Wire(daemon.port).accepted().status(0x107) if s["state"] == "READY"}
        return got if len(got) > 2 else None
    return wait_for(ready, "a real aggregator to mirror the members")


def test_a_real_ls_reads_our_group(cluster):
    s = samp(cluster, groups=GROUP)
    wait_for(lambda: len(s.values()) == 3)
    same(s.port)
    assert sorted(real_ls(s.port, "n1/g").split()) == ["n1/g", "n1/loadavg", "n1/meminfo"] == sorted(
        our_ls(s.port, "n1/g").split())
    assert "MemTotal" in real_ls(s.port, "-l", "n1/g")
    wait_for(lambda: real_ls(s.port, "-l", "n1/g").split(":")[0] == our_ls(s.port, "-l", "n1/g").split(":")[0])


def test_a_real_group_is_listed_as_ldms_ls_does(cluster):
    port = free_port()
    conf = cluster.write("r1.conf", samp_conf("n1", groups=GROUP))
    r = real(cluster, "r1", conf, port)
    wait_for(lambda: len(r.values()) == 3)
    ours = samp(cluster, "o1", GROUP.replace("n1/", "o1/"))
    wait_for(lambda: len(ours.values()) == 3)

    def shape(daemon, name):
        row = daemon.sets()[name + "/g"]
        return {k: v for k, v in row.items() if k not in ("instance", "age_seconds", "age_intervals")} | {
            "info": {k.replace(name, ""): v for k, v in row["info"].items()}}
    assert shape(r, "n1") == shape(ours, "o1")


def test_a_real_aggregator_takes_our_group(cluster):
    s = samp(cluster, groups=GROUP)
    wait_for(lambda: len(s.values()) == 3)
    a = real_group_agg(cluster, s)
    assert mirrored(a) == {"n1/g", "n1/loadavg", "n1/meminfo"}
    assert members(a) == {"n1/loadavg", "n1/meminfo"}
    assert ctl(s, INS, name="n1/g", instance="n1/vmstat") == (0, "")
    wait_for(lambda: members(a) == {"n1/loadavg", "n1/meminfo", "n1/vmstat"})
    wait_for(lambda: "n1/vmstat" in mirrored(a), "the new member's mirror")
    assert ctl(s, RM, name="n1/g", instance="n1/loadavg") == (0, "")
    wait_for(lambda: members(a) == {"n1/meminfo", "n1/vmstat"})
    assert a.alive()
    a.stop()  # before the sampler: when a group's members have changed, ldmsd 4.5.3 does not survive its producer's end


def test_ours_takes_a_real_group(cluster):
    port = free_port()
    conf = cluster.write("r1.conf", samp_conf("n1", groups=GROUP))
    r = real(cluster, "r1", conf, port)
    wait_for(lambda: len(r.values()) == 3)
    a = agg(cluster, "oa", r)
    for name in ("n1/loadavg", "n1/meminfo"):
        updated(a, name)
    assert names(a) == {"n1/g", "n1/loadavg", "n1/meminfo"}
    assert ctl(r, INS, name="n1/g", instance="n1/vmstat") == (0, "")
    updated(a, "n1/vmstat")
    assert ctl(r, RM, name="n1/g", instance="n1/loadavg") == (0, "")
    wait_for(lambda: members(a) == {"n1/meminfo", "n1/vmstat"})
    assert ctl(r, DEL, name="n1/g") == (0, "")
    wait_for(lambda: "n1/g" not in names(a), "the group to go")
    assert r.alive()


def test_a_real_aggregator_hears_of_permissions(cluster):
    s = samp(cluster, groups="")
    wait_for(lambda: len(s.values()) == 3)
    a = real_agg(cluster, "ra", [s])
    wait_for(lambda: len(a.values()) == 3)
    assert Wire(s.port).accepted().control(0x613, [(4, b"loadavg\0"), (27, b"400\0"), (32, b"7\0")]) == (0, "")
    wait_for(lambda: (a.sets().get("n1/loadavg") or {}).get("perm") == "-r--------", "its mirror to follow")
    updated(a, "n1/loadavg")
    assert a.alive()
