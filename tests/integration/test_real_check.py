"""What `ldms check` calls clean, a real ldmsd starts with; what it refuses, ldmsd refuses, with the same exit status."""
import os
import re
import subprocess

import pytest
from ldms import PATIENCE_S, ROOT, free_port, run, wait_for
from real import PREFIX, env, needs_ldmsd, real_ls

DATA = os.path.join(ROOT, "tests", "data", "conf")
# those that say nothing that is ours alone
COMMON = ["samp-container", "agg-l1", "agg-l2", "bridge", "nersc-agg", "streams", "messages", "advertise-agg"]


def ldmsd(conf, environ):
    return subprocess.run([os.path.join(PREFIX, "sbin/ldmsd"), "-F", "-c", conf], capture_output=True, text=True,
                          env=environ, timeout=PATIENCE_S)


def moved(text, port):
    """The same on another port of its own."""
    return re.sub(r"(?m)^(listen .*port=)\d+", rf"\g<1>{port}", text)


@needs_ldmsd
@pytest.mark.parametrize("name", COMMON)
def test_clean_files_start_a_real_ldmsd(cluster, name):
    port = free_port()
    environ = dict(env(), STORE=str(cluster.dir), HOSTNAME="nid1")
    with open(os.path.join(DATA, name + ".conf")) as f:
        conf = cluster.write(name + ".conf", moved(f.read(), port))
    assert run("check", "--strict", conf, env=environ).returncode == 0
    d = cluster.daemon("real", ["-F", "-c", conf], port, program=[os.path.join(PREFIX, "sbin/ldmsd")], env=environ)
    wait_for(lambda: "rror" not in real_ls(port) and d.alive(), "an answer")


@needs_ldmsd
@pytest.mark.parametrize("lines", [
    "foo name=x", "load", "load name=nosuchplugin", "load name=meminfo\nload name=meminfo",
    "prdcr_add name=a xprt=sock host=h port=411 reconnect=1s",
    "prdcr_add name=a type=active xprt=sock host=h port=411 reconnect=1s foo=1",
    "prdcr_start name=nobody", "updtr_start name=nobody", "strgp_start name=nobody",
    "updtr_add name=u", "updtr_add name=u interval=1x", "updtr_add name=u interval=1s offset=2s",
    "updtr_add name=u interval=1s\nupdtr_add name=u interval=1s",
    "updtr_prdcr_add name=u regex=.*", "strgp_prdcr_add name=s regex=.*",
    "strgp_add name=s plugin=nosuch container=c schema=x", "start name=meminfo interval=1s",
])
def test_both_refuse(cluster, lines):
    conf = cluster.write("bad.conf", lines + "\n")
    theirs, ours = ldmsd(conf, env()).returncode, run("samp", "-c", conf).returncode
    checked = run("check", conf)
    assert theirs == ours != 0 and checked.returncode == 1, (theirs, ours, checked.stderr)
    assert f"bad.conf:{len(lines.splitlines())}:" in checked.stderr
