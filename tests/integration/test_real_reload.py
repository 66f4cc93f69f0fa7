"""What dump_cfg says of ours, given to an installed ldmsd 4.5.3 (real.py): a way back."""
import os

from ldms import free_port, wait_for
from real import PREFIX, env, needs_ldmsd, real_samp
from wire import Wire

pytestmark = needs_ldmsd

DUMP_CFG = 0x4


def test_ldmsd_takes_our_dump(cluster):
    samp = real_samp(cluster, "r1", ("loadavg",), "200000")
    port = free_port()
    conf = cluster.write("agg.conf", f"""
        env ROWS={cluster.path("rows")}
        listen port={port} host=localhost
        msg_enable
        stream_enable
        auth_add name=someone plugin=naive
        load name=meminfo
        config name=meminfo producer=p1 instance=p1/meminfo component_id=7
        start name=meminfo interval=200ms
        prdcr_add name=n1 type=active host=localhost port={samp.port} reconnect=200ms
        prdcr_add name=n2 type=passive host=localhost
        bridge_add name=b host=localhost port={samp.port}
        prdcr_start_regex regex=^n1$
        prdcr_subscribe regex=^n stream=s
        prdcr_subscribe regex=^n message_tag=m
        prdcr_listen_add name=l ip=10.0.0.0/8
        prdcr_listen_start name=l
        setgroup_add name=g interval=2s offset=100ms
        setgroup_ins name=g instance=p1/meminfo,r1/loadavg
        updtr_add name=u interval=200ms offset=50ms
        updtr_prdcr_add name=u regex=.*
        updtr_match_add name=u regex=loadavg match=schema
        updtr_start name=u
        load name=csv plugin=store_csv
        config name=csv path=${{ROWS}}
        strgp_add name=s plugin=csv container=c schema=loadavg
        strgp_prdcr_add name=s regex=^n
        strgp_start name=s
        """)
    ours = cluster.daemon("ours", ["agg", "-c", conf, "-n", "a"], port)
    wait_for(lambda: set(ours.values()) == {"p1/meminfo", "r1/loadavg"}, "the sets at ours")
    code, words = Wire(port).accepted().control(DUMP_CFG)
    assert code == 0
    ours.stop()
    theirs = cluster.daemon("theirs", ["-F", "-c", cluster.write("dump.conf", words)], port,
                            program=[os.path.join(PREFIX, "sbin/ldmsd")], env=env())
    wait_for(lambda: set(theirs.values()) == {"p1/meminfo", "r1/loadavg"}, "the sets at theirs")
    assert "2000000:100000" in theirs.ls_run("-v", "-v").stdout  # of the group
    w = Wire(port).accepted()
    assert {p["name"]: p["state"] for p in w.status(0x104)}["n1"] == "CONNECTED"
    s, = w.status(0x204)
    assert (s["name"], s["schema"], s["state"]) == ("s", "loadavg", "RUNNING")
    wait_for(lambda: os.path.exists(cluster.path("rows/c/loadavg")) and
             os.path.getsize(cluster.path("rows/c/loadavg")), "rows of theirs")
