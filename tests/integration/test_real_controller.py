"""LDMS's own ldmsd_controller (4.5.3) at our daemon; skipped where it is not installed, with its Python modules."""
import glob
import os
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, wait_for
from real import PREFIX, env, needs_ldmsd
from test_old_names import FAILURES

CONTROLLER = os.path.join(PREFIX or "/", "bin", "ldmsd_controller")
pytestmark = [needs_ldmsd, pytest.mark.skipif(not os.access(CONTROLLER, os.X_OK), reason="no ldmsd_controller is there")]

CONF = """
listen xprt=sock port={port}
msg_enable
stream_enable
load name=meminfo
config name=meminfo producer=n1 instance=n1/meminfo
start name=meminfo interval=1s
prdcr_add name=p1 type=active host=localhost port={far} xprt=sock reconnect=1s
updtr_add name=u interval=1s offset=100ms
updtr_prdcr_add name=u regex=p.*
updtr_start name=u
"""

# a command, and words of what the controller prints when it understood the answer
COMMANDS = [
    ("daemon_status", "ready"),
    ("version", "LDMS Protocol Version: 4.2.0.0"),
    ("prdcr_status", "STOPPED"),
    ("prdcr_set_status", "Schema Name"),
    ("updtr_status", "RUNNING"),
    ("updtr_task name=u", "1000000:100000"),
    ("strgp_status", "Decomposition"),
    ("plugn_status", "meminfo"),
    ("prdcr_stats", "stopped_count                       1"),
    ("set_stats", "active_count"),
    ("update_time_stats", "Oversampled Count"),
    ("store_time_stats", "Number of store operations"),
    ("thread_stats", "IO Thread Statistics"),
    ("xprt_stats", "DIR_REP"),
    ("log_status", "xprt"),
    ("prdcr_listen_status", "IP Range"),
    ("prdcr_add name=p1 xprt=sock host=localhost port=1 type=active reconnect=1000000", "already exists"),
    ("prdcr_start name=nobody", "does not exist"),
    ("greeting name=x", "Hello"),
]


def controller(port, lines):
    modules = glob.glob(os.path.join(PREFIX, "lib", "python3*", "site-packages"))
    r = subprocess.run([CONTROLLER, "--host", "127.0.0.1", "--port", str(port), "--xprt", "sock", "--auth", "none"],
                       input="\n".join([*lines, "quit", ""]), capture_output=True, text=True, timeout=PATIENCE_S * 3,
                       env={**env(), "PYTHONPATH": ":".join(modules)})
    return r.stdout + r.stderr


def test_their_controller_at_our_daemon(cluster):
    port = free_port()
    d = cluster.daemon("d", ["samp", "-c", cluster.write("d.conf", CONF.format(port=port, far=free_port()))], port)
    wait_for(lambda: d.ls() == ["n1/meminfo"])
    for command, words in COMMANDS:
        said = controller(port, [command])
        assert words in said and "Traceback" not in said, f"{command}:\n{said}"
    controller(port, ["prdcr_start name=p1"])
    said = controller(port, ["prdcr_status name=p1"])
    assert "CONNECTING" in said or "DISCONNECTED" in said, said
    controller(port, ["prdcr_stop name=p1", "updtr_stop name=u", "prdcr_del name=p1"])
    assert "p1" not in controller(port, ["prdcr_status"])


def test_it_says_of_failures_what_ours_says(cluster):
    port = free_port()
    d = cluster.daemon("d", ["samp", "-x", f"sock:{port}:127.0.0.1", "--samp", "meminfo"], port)
    wait_for(d.ls)
    for command, words in FAILURES.items():
        assert controller(port, [command]).strip() == words
