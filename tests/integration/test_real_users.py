"""Peers that are somebody, beside a real ldmsd: nobody minds that a directory says how many sets it hides."""
import os
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, real_ldmsd, wait_for
from test_real_peers import PREFIX, env
from test_users import ALL, as_user, ls, samp, text
from test_users import pytestmark as naive

pytestmark = [naive, pytest.mark.skipif(not real_ldmsd(), reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")]


def real_ls(daemon, uid, *args):
    r = subprocess.run([os.path.join(PREFIX, "sbin/ldms_ls"), "-x", "sock", "-h", "localhost", "-p", str(daemon.port), "-a",
                        "naive", "-A", f"uid={uid}", "-A", f"gid={uid}", *args],
                       capture_output=True, text=True, env=env(), timeout=PATIENCE_S)
    return r.stdout


def test_a_real_ls_that_is_somebody(cluster):
    s = samp(cluster)
    for uid in (0, 1000, 5):
        assert set(real_ls(s, uid).split()) == set(ls(s, uid).stdout.split())
    assert "Total Sets: 1," in real_ls(s, 5, "-v")
    assert "load1min" in real_ls(s, 5, "-l")


def test_a_real_aggregator_that_is_somebody(cluster):
    s = samp(cluster)
    port = free_port()
    conf = cluster.write("ra.conf", f"""prdcr_add name=p type=active xprt=sock host=localhost port={s.port} reconnect=200ms
prdcr_start name=p
updtr_add name=u interval=200ms offset=50ms
updtr_prdcr_add name=u regex=.*
updtr_start name=u
""")
    a = cluster.daemon("ra", ["-x", f"sock:{port}:localhost", "-c", conf, "-m", "16M", "-a", "naive", "-A", "uid=1000", "-A",
                              "gid=1000"], port, program=[os.path.join(PREFIX, "sbin/ldmsd")], env=env())
    wait_for(lambda: set(ls(a, 0).stdout.split()) == {"n1/loadavg", "n1/meminfo"}, "what uid 1000 may read")
    root = as_user(s, 0)
    assert root.control(0x613, [(4, text("meminfo")), (32, text("0")), (27, text("400"))]) == (0, "")
    wait_for(lambda: set(ls(a, 0).stdout.split()) == {"n1/loadavg"}, "the one that it may not read any more to go")
    assert root.control(0x613, [(4, text("vmstat")), (27, text("444"))]) == (0, "")
    assert root.control(0x613, [(4, text("meminfo")), (27, text("444"))]) == (0, "")
    wait_for(lambda: set(ls(a, 0).stdout.split()) == ALL, "those that it may read now")
    assert a.alive()
