"""ldms ctl asks an ldmsd 4.5.3: what it prints is what the daemon answers."""
import json
import os
import re
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, run, wait_for
from real import PREFIX, env, needs_ldmsd, real, real_samp
from wire import Wire

pytestmark = needs_ldmsd


def ctl(daemon, *args, **kw):
    return run("ctl", "-h", "localhost", "-p", daemon.port, *args, **kw)


@pytest.fixture
def agg(cluster):
    samp = real_samp(cluster, "samp", ("meminfo", "loadavg"))
    folder, port = cluster.path("csv"), free_port()
    os.mkdir(folder)
    conf = cluster.write("agg.conf", f"""msg_enable
stream_enable
load name=store_csv
config name=store_csv path={folder}
prdcr_add name=p1 type=active xprt=sock host=localhost port={samp.port} reconnect=200ms
prdcr_add name=dead type=active xprt=sock host=localhost port={free_port()} reconnect=200ms
prdcr_start_regex regex=.*
updtr_add name=u interval=200ms offset=50ms
updtr_prdcr_add name=u regex=.*
updtr_match_add name=u regex=meminfo match=schema
updtr_start name=u
strgp_add name=mem plugin=store_csv container=c schema=meminfo
strgp_prdcr_add name=mem regex=.*
strgp_start name=mem
prdcr_listen_add name=pl ip=127.0.0.0/8
prdcr_listen_start name=pl
""")
    a = real(cluster, "agg", conf, port)
    wait_for(lambda: "samp/meminfo meminfo READY" in ctl(a, "prdcr_status").stdout, "the set")
    return a


# verb -> words of the table; {} is the folder where it is installed
QUESTIONS = {
    "prdcr_status": ["p1", "dead", "DISCONNECTED", "samp/meminfo meminfo READY"],
    "prdcr_status name=dead": ["dead localhost"],
    "prdcr_listen_status": ["pl   running passive 127.0.0.0/8"],
    "updtr_status": ["u       200ms   50ms true false Pull RUNNING", "    p1   localhost"],
    "strgp_status": ["mem  c         meminfo store_csv", "metrics: component_id"],
    "plugn_status": ["store_csv store_csv store[M]"],
    "daemon_status": ["state: ready"],
    "version": ["LDMSD:            4.5.3"],
    "xprt_stats": ["Connections", "Operations", "LOOKUP"],
    "stream_status": [],
    "stream_client_dump": [],
    "msg_stats": [],
    "msg_client_stats": [],
    "qgroup_info": ["STOPPED"],
    "prdcr_set_status": ["samp/meminfo meminfo READY samp   p1"],
    "prdcr_hint_tree": [],
    "prdcr_stats": ["producers:    2", "connected:    1"],
    "set_stats": ["active:"],
    "updtr_task": ["u", "200ms"],
    "updtr_match_list name=u": ["schema meminfo"],
    "update_time_stats": ["samp/meminfo"],
    "store_time_stats": ["samp/meminfo"],
    "plugn_sets": [],
    "thread_stats": ["I/O threads", "Worker threads"],
    "log_status": ["ldmsd (default)"],
}


def test_answers_are_shown(agg):
    known = run("ctl", "help").stdout.split()
    wait_for(lambda: "component_id" in ctl(agg, "strgp_status").stdout, "the store")
    for command, words in QUESTIONS.items():
        if command.split()[0] not in known:
            continue
        r = ctl(agg, *command.split())
        assert (r.returncode, r.stderr) == (0, ""), command
        for w in words:
            assert w in r.stdout, (command, r.stdout)
        raw = json.loads(ctl(agg, "--json", *command.split()).stdout)
        assert isinstance(raw, (dict, list)), command


def test_the_raw_answer_is_the_daemons(agg):
    verbs = {"prdcr_status": 0x104, "updtr_status": 0x304, "plugn_status": 0x504, "daemon_status": 0x603, "version": 0x604}
    w = Wire(agg.port).accepted()
    for verb, number in verbs.items():
        assert json.loads(ctl(agg, "--json", verb).stdout) == w.status(number), verb


def test_changes_are_made(agg):
    for command in ("prdcr_stop name=dead", "updtr_stop name=u", "updtr_start name=u interval=1s",
                    "strgp_stop name=mem", "strgp_metric_del name=mem metric=MemFree",
                    "strgp_metric_add name=mem metric=MemFree", "strgp_start name=mem",
                    "prdcr_add name=new type=active xprt=sock host=localhost port=1 reconnect=1s",
                    "bridge_add name=b xprt=sock host=localhost port=1 reconnect=1s",
                    "advertiser_add name=adv xprt=sock host=localhost port=1 reconnect=1s",
                    "prdcr_start_regex regex=^new$", "load name=meminfo",
                    "config name=meminfo producer=agg instance=agg/meminfo component_id=7",
                    "start name=meminfo interval=1s offset=0", "stop name=meminfo", "publish name=foo hello there"):
        r = ctl(agg, *command.split())
        assert r.returncode == 0 and r.stderr == "", (command, r.stderr)
    answer = {p["name"]: p for p in json.loads(ctl(agg, "--json", "prdcr_status").stdout)}
    assert set(answer) == {"p1", "dead", "new", "b", "adv"} and answer["dead"]["state"] == "STOPPED" and answer["b"]["type"] == "bridge"
    assert answer["adv"]["type"] == "advertiser"
    assert json.loads(ctl(agg, "--json", "updtr_status").stdout)[0]["interval"] == "1000000"
    assert "foo" in ctl(agg, "stream_status").stdout


@pytest.mark.parametrize("command, name, words", [
    ("prdcr_start name=zz", "ENOENT", "The producer specified does not exist."),
    ("updtr_prdcr_add name=u regex=x", "EBUSY", "Configuration changes cannot be made while the updater is running."),
    ("strgp_status name=zz", "ENOENT", "strgp 'zz' doesn't exist."),
    ("stop name=zz", "ENOENT", "Sampler instance 'zz' not found."),
])
def test_errors_are_said(agg, command, name, words):
    r = ctl(agg, *command.split())
    assert r.returncode == 1 and re.search(rf": {name}: {re.escape(words)}$", r.stderr, re.M), r.stderr


def test_their_own_controller_sees_the_same(cluster, agg):
    assert ctl(agg, "prdcr_stop", "name=dead").returncode == 0
    script = cluster.write("questions", "prdcr_status\n")
    out = subprocess.run([os.path.join(PREFIX, "sbin/ldmsctl"), "-h", "localhost", "-p", str(agg.port), "-x", "sock", "-s",
                          script], capture_output=True, text=True, env=env(), timeout=PATIENCE_S).stdout
    assert re.search(r"^dead .* STOPPED ", out, re.M), out


def test_stats(agg):
    r = ctl(agg, "stats")
    assert r.returncode == 0 and re.search(r"^ +1  producers not connected +dead$", r.stdout, re.M), (r.stdout, r.stderr)
    assert re.search(r"^ +-  samples dropped", r.stdout, re.M), r.stdout  # it does not count them


def test_it_goes_on_command(agg):
    assert ctl(agg, "daemon_exit").returncode == 0
    wait_for(lambda: not agg.alive(), "its end")
