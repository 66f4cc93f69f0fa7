"""Called by the names of LDMS's own programs: their options, words and exit status."""
import os
import re
import signal
import subprocess

import pytest

from ldms import ROOT, free_port, lacks, wait_for
from old_names import NAMES, daemon, tool

SAMPLER = ("load name=meminfo\nconfig name=meminfo producer=n1 instance=n1/meminfo component_id=1 perm=0777\n"
           "start name=meminfo interval=200ms\n")


def ldmsd(cluster, name, conf, *args, **kw):
    port = free_port()
    return daemon(cluster, name, ["-x", f"sock:{port}:localhost", "-c", cluster.write(name + ".conf", conf), *args], port,
                  **kw)


@pytest.fixture
def samp(cluster):
    d = ldmsd(cluster, "d", "msg_enable\nstream_enable\n" + SAMPLER)
    wait_for(lambda: "n1/meminfo" in d.ls() and d.values(), "its set")
    yield d
    assert d.stop() == 0


@pytest.mark.parametrize("name", NAMES)
def test_help_and_unknown_options(cluster, name):
    r = tool(cluster, name, "--help")
    assert r.returncode == 0 and r.stdout.startswith(f"usage: {name}") and "\n  -A" in r.stdout
    r = tool(cluster, name, "--hepl")
    assert r.returncode == 1 and "did you mean --help?" in r.stderr and f"`{name} --help`" in r.stderr
    with open(os.path.join(ROOT, "man/ldms-names.7")) as f:
        assert re.search(rf"^\.(It|Ss|Nm).*\b{name}\b", f.read(), re.M)


def test_install_makes_a_link_for_each():
    r = subprocess.run(["make", "-s", "-n", "install"], cwd=ROOT, capture_output=True, text=True, check=True)
    line, = [line for line in r.stdout.splitlines() if "ln -sf ldms" in line]
    assert all(re.search(rf"\b{n}\b", line) for n in NAMES)


# -- ldmsd ---------------------------------------------------------------------------------------------------------


ENDED = "         : ldmsd: LDMSD_ LDMS Daemon exiting...status {}, "
CLEAN = "         : ldmsd: LDMSD_ cleanup end.\n"


@pytest.mark.parametrize("args, status, words", [
    ((), 101, " CRITICAL: ldmsd: A config file (-c) or listening port (-x) is required."),
    (("-B", "1"), 22, " CRITICAL: ldmsd: The option `-B` is obsolete. Please specify `banner mode=<0|1|2>` in a"),
    (("-k",), 22, "`publish_kernel path="),
    (("-P", "2"), 22, "`worker_threads num="),
    (("-C", "2"), 22, "`default_quota quota="),
    (("-x", "sock:20411", "-m", "much"), 22, "\"much\""),
    (("-x", "sock"), 22, "-x sock: is not XPRT:PORT[:HOST]"),
    (("-x", "nothing:20411"), 7, "transport nothing: unknown"),
    (("-x", "sock:20411", "-a", "nothing"), 7, "authentication nothing: unknown"),
    (("-x", "sock:20411", "-A", "nothing"), 22, "'nothing' is no NAME=VALUE"),
    (("-x", "sock:20411", "-v", "WARN"), 22, "WARN"),
    (("-c", "not-there"), 2, "not-there"),
])
def test_ldmsd_that_does_not_start(cluster, args, status, words):
    r = tool(cluster, "ldmsd", *args)
    assert (r.returncode, r.stderr) == (status, "") and words in r.stdout
    assert ENDED.format(status) in r.stdout and r.stdout.endswith(CLEAN)


def test_ldmsd_version(cluster):
    r = tool(cluster, "ldmsd", "-V")
    assert r.returncode == 0 and re.fullmatch(
        "LDMSD Version: 4.5.3\nLDMS Protocol Version: 4.2.0.0\nLDMSD Plugin Interface Version: 3.2.2.0\n"
        "git-SHA: ldms-.*\n", r.stdout)


def test_ldmsd_runs_with_its_pid_file_and_banner(cluster):
    pid = cluster.path("pid")
    d = ldmsd(cluster, "d", SAMPLER, "-F", "-r", pid, "-n", "n17", "-v", "INFO")
    wait_for(lambda: os.path.exists(pid) and open(pid).read() == f"{d.proc.pid}\n", "the pid file")
    wait_for(lambda: os.path.exists(pid + ".version"), "the banner")
    assert "LDMS Protocol Version 4.2.0.0." in open(pid + ".version").read()
    assert os.stat(pid + ".version").st_mode & 0o777 == 0o600
    wait_for(lambda: d.values(), "its set")
    assert d.stop() == 0
    assert not os.path.exists(pid) and not os.path.exists(pid + ".version")
    assert "     INFO: ldmsd: Listening on sock:" in d.text() and d.text().endswith(ENDED.format(0) + "\n" + CLEAN)


def test_ldmsd_says_errors_alone(cluster, samp):
    samp.stop(signal.SIGINT)
    assert samp.text() == ENDED.format(0) + "\n" + CLEAN


def test_ldmsd_takes_memory_from_the_environment(cluster):
    conf = cluster.write("c.conf", SAMPLER)
    env = {**os.environ, "LDMSD_MEM_SZ": "nonsense"}
    r = tool(cluster, "ldmsd", "-c", conf, env=env)
    assert r.returncode == 22 and "LDMSD_MEM_SZ: size \"nonsense\"" in r.stdout
    d = ldmsd(cluster, "d", SAMPLER, "-m", "4M", env=env)
    wait_for(lambda: d.values(), "the set: the option wins")


def test_ldmsd_with_a_secret_from_the_environment(cluster):
    secret = cluster.write("secret", "secretword=a-long-secret\n")
    os.chmod(secret, 0o600)
    d = ldmsd(cluster, "d", SAMPLER, "-a", "ovis", env={**os.environ, "LDMS_AUTH_FILE": secret})
    at = ("-h", "localhost", "-p", d.port, "-a", "ovis", "-A", f"conf={secret}")
    wait_for(lambda: tool(cluster, "ldms_ls", *at).stdout == "n1/meminfo\n", "its set")
    assert tool(cluster, "ldms_ls", "-h", "localhost", "-p", d.port).stdout == "Connection failed/rejected.\n"


# -- configurations as they are written for ldmsd ------------------------------------------------------------------

RUN = {
    "a sampler of a YAML file": """
        auth_add name=none
        listen xprt=sock port={port} auth=none host=localhost
        load name=meminfo1 plugin=meminfo
        config name=meminfo1 component_id=1 job_set=x producer=samp-3 instance=samp-3/meminfo1
        start name=meminfo1 interval=1000000 offset=0""",
    "an aggregator that stores": """
        listen xprt=sock port={port} host=localhost
        auth_add name=none plugin=none
        prdcr_add name=s-3 host=localhost port={other} xprt=sock type=active reconnect=20000000 auth=none
        prdcr_start name=s-3
        updtr_add name=updtr_0 auto_interval=True interval=1000000 offset=200000
        updtr_prdcr_add name=updtr_0 regex=s-3
        updtr_start name=updtr_0
        load name=store_csv1 plugin=store_csv
        config name=store_csv1 path={dir}
        strgp_add name=st1 plugin=store_csv1 container=c  schema=meminfo flush=10000000
        strgp_start name=st1""",
    "a sampler with variables": """
        env COMPID=7
        auth_add name=site plugin=none
        listen xprt=sock port={port} auth=site host=localhost
        load name=meminfo1 plugin=meminfo
        config name=meminfo1 schema=meminfo component_id=${{COMPID}} perm=0777 producer=samp-1 instance=samp-1/meminfo1
        start name=meminfo1 interval=1000000 offset=0
        load name=vmstat1 plugin=vmstat
        config name=vmstat1 schema=vmstat producer=samp-1 instance=samp-1/vmstat1
        start name=vmstat1 interval=8000000""",
    "an aggregator of aggregators, with pushes": """
        auth_add name=site plugin=none
        listen xprt=sock port={port} auth=site host=localhost
        prdcr_add name=agg-11-ep host=localhost port={other} xprt=sock type=active reconnect=20000000 auth=site
        prdcr_start name=agg-11-ep
        updtr_add name=updtr_1 push=onchange interval=1000000
        updtr_prdcr_add name=updtr_1 regex=agg-11-ep
        updtr_start name=updtr_1
        load name=csv1 plugin=store_csv
        config name=csv1 path={dir} altheader=0
        strgp_add name=csv-meminfo plugin=csv1 container=ldms_data  schema=meminfo flush=10000000
        strgp_start name=csv-meminfo""",
    "a container's sampler": """
        listen port={port} xprt=sock
        load name=meminfo
        config name=meminfo producer=${{HOSTNAME}} instance=${{HOSTNAME}}/meminfo component_id=01
        start name=meminfo interval=1000000 offset=0
        load name=vmstat
        config name=vmstat producer=${{HOSTNAME}} instance=${{HOSTNAME}}/vmstat component_id=01
        start name=vmstat interval=1000000 offset=0""",
    "an aggregator of a machine": """
        listen xprt=sock port={port}
        auth_add name=site plugin=none
        updtr_add name=nodes interval=10000000 auto_interval=true  #(Honor hints if true)
        prdcr_add name=nid001 host=localhost type=active xprt=sock port={other} interval=60000000 auth=site
        prdcr_start name=nid001
        updtr_prdcr_add name=nodes regex=nid001
        updtr_start name=nodes""",
    "a store with a decomposition": """
        listen port={port} xprt=sock
        load name=csv1 plugin=store_csv
        config name=csv1 path={dir} altheader=0
        strgp_add name=csv-decomp plugin=csv1 container=ldms_data  decomposition={dir}/decomp.json regex=.* perm=0640""",
    "messages that are kept": """
        listen port={port} xprt=sock
        msg_enable
        stream_enable
        load name=stream_csv_store
        config name=stream_csv_store path={dir}/store container=csv stream=foo,bar buffer=1 flushtime=120 rolltype=2 rollover=0
        load name=blob_stream_writer
        config name=blob_stream_writer path={dir} container=blobs stream=foo stream=slurm stream=kokkos debug=1 timing=1
        start name=blob_stream_writer interval=1000000 offset=0
        load name=blob_msg_writer
        config name=blob_msg_writer path={dir} container=blobs message_channel=foo message_tag=slurm rolltype=1 rollover=86400 spool=1
        start name=blob_msg_writer interval=1000000
        load name=dump plugin=stream_dump
        config name=dump op=msg_subscribe message_channel=.* path={dir}/all""",
    "a store of messages of Kafka": """
        listen port={port} xprt=sock
        load name=store_avro_kafka
        config name=store_avro_kafka encoding=json topic=nersc-ldms
        strgp_add name=kafka regex=.* plugin=store_avro_kafka container=localhost:{other} decomposition={dir}/decomp.json
        strgp_start name=kafka""",
}

MISSING = {
    "store_sos": """
        listen port={port} xprt=sock
        load name=store_sos
        config name=store_sos path={dir}
        strgp_add name=strgp_loadavg plugin=store_sos container=loadavg schema=loadavg
        strgp_start name=strgp_loadavg""",
}


def written(cluster, text, port):
    cluster.write("decomp.json", '{"type": "as_is"}')
    lines = text.format(port=port, other=free_port(), dir=cluster.dir)
    return cluster.write("site.conf", "\n".join(line.strip() for line in lines.splitlines()) + "\n")


@pytest.mark.parametrize("what", RUN)
def test_configurations_of_sites_run(cluster, what):
    port = free_port()
    if "Kafka" in what and lacks("kafka"):
        pytest.skip(lacks("kafka"))
    d = daemon(cluster, "d", ["-c", written(cluster, RUN[what], port), "-v", "INFO"], port,
               env={**os.environ, "HOSTNAME": "n1"})
    wait_for(lambda: d.ls_run().returncode == 0 or not d.alive(), "it to listen")
    wait_for(lambda: d.ls() or "sampler" not in what, "its sets")
    assert d.stop() == 0, d.text()


@pytest.mark.parametrize("what", MISSING)
def test_configurations_that_want_what_is_not_here(cluster, what):
    r = tool(cluster, "ldmsd", "-c", written(cluster, MISSING[what], free_port()))
    assert r.returncode and what in r.stdout and re.search(r"site\.conf:\d+", r.stdout), r.stdout


# -- ldms_ls -------------------------------------------------------------------------------------------------------


def test_ldms_ls(cluster, samp):
    at = ("-h", "localhost", "-x", "sock", "-p", samp.port)

    def ls(*args, **kw):
        r = tool(cluster, "ldms_ls", *at, *args, **kw)
        return r.returncode, r.stdout

    assert ls() == (0, "n1/meminfo\n")
    assert ls("nothing") == (0, "ldms_ls: No metric sets matched the given criteria\n")
    assert ls("-f", "xml") == (0, "WARNING: format unknown: xml\nn1/meminfo\n")
    assert ls("-f", "json", "nothing") == (0, '{"sets":[]}\n')
    assert ls("-V") == (0, "LDMS_LS Version: 4.5.3\nLDMS Protocol Version: 4.2.0.0\n")
    assert ls("-A", "x") == (1, "ERROR: Expecting -A name=value\n")
    assert ls(env={**os.environ, "LDMS_LS_MEM_SZ": "x"})[0] == 1
    assert ls("-z")[0] == 1
    status, text = ls("-l", "-P")
    assert status == 0 and re.match(r"n1/meminfo: consistent, last update: .* \[\d+us\] PUSH LAST \n", text)
    status, text = ls("-d")
    assert status == 0 and '{ "src" : "MemTotal", "dst" : "MemTotal", "type" : "u64" }' in text


def test_ldms_ls_that_gets_nothing(cluster):
    def ls(*args):
        r = tool(cluster, "ldms_ls", *args)
        return r.returncode, r.stdout

    assert ls("-p", free_port(), "-h", "localhost") == (1, "Connection failed/rejected.\n")
    assert ls("-h", "no-such-host.invalid") == (1, "ldms_ls: no-such-host.invalid does not resolve.\n")
    status, text = ls()
    assert status == 1 and text.startswith("usage: ldms_ls")


# -- streams and messages ------------------------------------------------------------------------------------------


STREAM = ("stream", "ldmsd_stream_subscribe", "ldmsd_stream_publish", "-s")
BUS = ("bus", "ldms_msg_subscribe", "ldms_msg_publish", "-m")


@pytest.mark.parametrize("kind, sub, pub, channel, expected", [
    (*STREAM, 'EVENT:{"type":"string","size":6,"event":a\nbb\n}\nEVENT:{"type":"json","size":9,"event":{"a":1}\n}\n'
              'EVENT:{"type":"string","size":3,"event":a\n}\nEVENT:{"type":"string","size":4,"event":bb\n}\n'),
    (*BUS, "name: ch\nhop : 1\ntype: LDMS_MSG_STRING\ndata: a\nbb\n\n" '{"a":1}\n'
           "name: ch\nhop : 1\ntype: LDMS_MSG_STRING\ndata: a\n\nname: ch\nhop : 1\ntype: LDMS_MSG_STRING\ndata: bb\n\n"),
], ids=["stream", "bus"])
def test_publish_and_subscribe(cluster, kind, sub, pub, channel, expected):
    port, text, out = free_port(), cluster.write("text", "a\nbb\n"), cluster.path("out")
    json_text = cluster.write("json", '{"a":1}\n')
    d = daemon(cluster, "sub", ["-x", "sock", "-h", "localhost", "-p", port, channel, "ch", "-f", out], port, program=sub)
    at = ("-x", "sock", "-h", "localhost", "-p", port, channel, "ch")
    wait_for(lambda: d.ls_run("-w", "1").returncode != 3, "it to listen")
    assert tool(cluster, pub, *at, "-f", text).returncode == 0
    assert tool(cluster, pub, *at, "-f", json_text, "-t", "json").returncode == 0
    assert tool(cluster, pub, *at, "-l", input="a\nbb\n").returncode == 0
    wait_for(lambda: open(out).read() == expected, f"{expected!r}; there was {open(out).read()!r}")
    r = tool(cluster, pub, *at, "-f", text, "-r", 3, "-i", 1)
    assert r.returncode == 0
    assert r.stdout == ("loop: 1 returned 0\nloop: 2 returned 0\n" if kind == "stream" else "")
    wait_for(lambda: open(out).read().count("bb") == 5, "three more")
    r = tool(cluster, pub, *at, "-r", 2)
    assert r.returncode == 1 and "-f" in r.stdout
    assert tool(cluster, pub, *at, "-t", "xml").returncode == 1
    assert d.stop() == 0


def test_publishers_that_find_nobody(cluster):
    text, port = cluster.write("text", "a\n"), free_port()
    r = tool(cluster, "ldmsd_stream_publish", "-h", "localhost", "-p", port, "-s", "ch", "-f", text)
    assert (r.returncode, r.stdout) == (111, "Error 111 connecting to remote peer\nError 111 publishing file.\n")
    r = tool(cluster, "ldmsd_stream_publish", "-h", "nobody.invalid", "-p", port, "-s", "ch", "-f", text)
    assert (r.returncode, r.stdout) == (113, f"Error 113 connecting to nobody.invalid:{port}\nError 113 publishing file.\n")
    r = tool(cluster, "ldms_msg_publish", "-h", "localhost", "-p", port, "-m", "ch", "-f", text)
    assert (r.returncode, r.stdout) == (0, "") and "refused" in r.stderr


def test_a_publisher_that_waits_for_its_peer(cluster):
    port, out = free_port(), cluster.path("out")
    text = cluster.write("text", "late\n")
    p = daemon(cluster, "pub", ["-h", "localhost", "-p", port, "-m", "ch", "-f", text, "-W", "20", "-v"],
               program="ldms_msg_publish")
    daemon(cluster, "sub", ["-p", port, "-f", out], port, program="ldms_msg_subscribe")
    assert p.proc.wait(20) == 0 and "Connected to peer localhost:" in p.text()
    wait_for(lambda: "late" in open(out).read(), "the message")


def test_a_subscriber_in_the_background(cluster):
    port, out = free_port(), cluster.path("out")
    text = cluster.write("text", "hello\n")
    args = ("-x", "sock", "-h", "localhost", "-p", port, "-s", "ch", "-f", out, "-D", "-E")
    assert tool(cluster, "ldmsd_stream_subscribe", *args).returncode == 0
    pid, = [int(p) for p in os.listdir("/proc") if p.isdigit() and
            str(port) in read(f"/proc/{p}/cmdline") and "stream_subscribe" in read(f"/proc/{p}/cmdline")]
    try:
        r = tool(cluster, "ldmsd_stream_subscribe", *args)
        assert r.returncode == 1 and str(port) in r.stderr
        assert tool(cluster, "ldmsd_stream_publish", "-h", "localhost", "-p", port, "-s", "ch", "-f", text).returncode == 0
        wait_for(lambda: open(out).read() == "hello\n\n", "the message")
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not read(f"/proc/{pid}/cmdline"), "it to end")


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


# -- controllers ---------------------------------------------------------------------------------------------------


@pytest.fixture
def agg(cluster, samp):
    dead = free_port()
    d = ldmsd(cluster, "agg", f"""prdcr_add name=dead host=localhost port={dead} xprt=sock type=active reconnect=5s
prdcr_add name=s1 host=localhost port={samp.port} xprt=sock type=active reconnect=200ms
prdcr_start name=s1
updtr_add name=u1 interval=1s offset=200ms
updtr_prdcr_add name=u1 regex=s1
updtr_start name=u1
""")
    wait_for(lambda: d.values(), "the set there")
    d.dead = dead
    return d


def test_ldmsd_controller(cluster, samp, agg):
    def ctl(*args, **kw):
        r = tool(cluster, "ldmsd_controller", "-h", "localhost", "-x", "sock", "-p", agg.port, *args, **kw)
        assert r.returncode == 0
        return r.stdout

    title = ("Name             Host             Port         Transport    auth             Rail quota    rx_rate  State   "
             "     Type                \n---------------- ---------------- ------------ ------------ ---------------- ---- "
             "-------- -------- ------------ --------------------\n")
    dead = f"dead             localhost        {agg.dead:12} sock         DEFAULT             1       -1       -1 STOPPED      active    \n"
    s1 = f"s1               localhost        {samp.port:12} sock         DEFAULT             1       -1       -1 CONNECTED    active    \n"
    sets = "    n1/meminfo       meminfo          READY\n"
    assert ctl("--cmd", "prdcr_status") == title + dead + s1 + sets
    updtr = ("Name             Interval:Offset  Auto   Mode            State\n"
             "---------------- ---------------- ------ --------------- ---------------\n"
             "u1               1.0s:200.0ms     false  Pull            RUNNING   \n"
             f"    s1               localhost        {samp.port:12} sock         CONNECTED   \n")
    script = cluster.write("script", "say hello\n# nothing\nupdtr_status name=u1\n")
    assert ctl("--source", script) == "hello\n" + updtr
    assert ctl("--script", f"cat {script}") == "hello\n" + updtr
    assert ctl(input=f"source path={script}\nprdcr_stop name=zz\nfoo\nprdcr_stop\nprdcr_start name=dead\n!echo out\nquit\nsay no\n") == (
        "hello\n" + updtr + "Error stopping prdcr zz: The producer specified does not exist.\n*** Unknown syntax: foo\n"
        "Error: The attribute(s) {'name'} are required by prdcr_stop\nout\n")
    assert ctl("--cmd", "daemon_status") == "Deamon State: ready\n"
    assert "prdcr_add" in ctl("--cmd", "help") and "name=" in ctl("--cmd", "help prdcr_add")
    gone = free_port()
    r = tool(cluster, "ldmsd_controller", "-p", gone, "--cmd", "prdcr_status")
    assert r.returncode == 0 and r.stdout.startswith(
        f"[Errno 103] Connect error: ECONNABORTED(103): connecting to localhost on port {gone} using sock with auth none\n")


# -- what ldmsd_controller says of commands that failed, beside LDMS's own in test_real_controller.py

FAILURES = {
    "prdcr_add name=x type=bogus xprt=sock host=localhost port=1 reconnect=1s":
        "Error adding prdcr x: The attribute type 'bogus' is invalid.",
    "prdcr_start name=zz": "Error starting prdcr zz: The producer specified does not exist.",
    "prdcr_start_regex regex=[": "Error starting prdcr(s) with regex [: 22Invalid regular expression",
    "prdcr_subscribe regex=[ stream=a": "Error subscribing to stream a: 22Invalid regular expression",
    "prdcr_subscribe regex=[ message_tag=a": "Error subscribing to stream None: 22Invalid regular expression",
    "bridge_stop name=zz": "Error stopping prdcr zz: The producer specified does not exist.",
    "prdcr_listen_del name=zz": "Error deleting producer listen zz: The producer listen 'zz' does not exist.",
    "updtr_start name=zz": "Error starting updtr zz: The updater specified does not exist.",
    "updtr_stop name=zz": "Error stopping updater zz: The updater specified does not exist.",
    "updtr_del name=zz": "Error removing updater: The updater specified does not exist.",
    "updtr_match_add name=zz regex=x match=schema":
        "Error adding match condition schema to zz: The updater specified does not exist.",
    "updtr_status name=zz": "Error 2: updtr 'zz' doesn't exist.",
    "strgp_metric_add name=zz metric=x":
        "Error adding metric x to storage policy zz: The storage policy specified does not exist.",
    "config name=zz a=b": "Error configuring the 'zz' plugin: The specified plugin instance 'zz' does not exist.",
    "start name=zz interval=1s": "Error starting zz plugin: Sampler instance 'zz' not found.",
    "set_sec_mod regex=x uid=nobodyatall": "Error changing sets' security parameters. Unknown user 'nobodyatall'",
    "log_level level=FOO": "Error changing log level to FOO: The given level FOO is invalid.",
    "listen xprt=foo port=1": "Error adding listener foo on port 1: Failed to listen on the endpoint foo:1. "
                              "transport foo: unknown; there are: mem sock",
    "stream_status": "Error 38: The stream service is DISABLED on this system.",
    "msg_stats": "msg_stats error: 95, msg: The message service is disabled.",
}


def test_failures_of_ldmsd_controller(cluster, agg):
    r = tool(cluster, "ldmsd_controller", "-h", "localhost", "-x", "sock", "-p", agg.port,
             input="\n".join([*FAILURES, "load name=zz", "updtr_add name=u2 interval=1500 offset=0", "updtr_status name=u2", ""]))
    said = [line for line in r.stdout.splitlines() if line]
    assert dict(zip(FAILURES, said)) == FAILURES
    assert said[len(FAILURES)].startswith("Error 2 plugin 'zz': failed to load the plugin")
    assert said[-1].startswith("u2               0.0015s:0.0ms ")


def test_ldmsctl(cluster, samp, agg):
    def ctl(*args, **kw):
        r = tool(cluster, "ldmsctl", "-h", "localhost", "-x", "sock", "-p", agg.port, *args, **kw)
        assert r.returncode == 0
        return r.stdout

    expected = ("Name             Host             Port         Transport    State\n"
                "---------------- ---------------- ------------ ------------ ------------\n"
                f"dead             localhost        {agg.dead}       sock         STOPPED     \n"
                f"s1               localhost        {samp.port}       sock         CONNECTED   \n"
                "    n1/meminfo       meminfo          READY\n")
    assert ctl(input="prdcr_status\nfoo\nprdcr_stop name=zz\nquit\n") == (
        expected + "Unrecognized command 'foo'\nThe producer specified does not exist.\nbye ... :)\n")
    assert ctl("-s", cluster.write("script", "daemon_status\n")) == "Daemon State: ready\n"
    r = tool(cluster, "ldmsctl", "-h", "localhost")
    assert r.returncode == 0 and r.stdout.startswith("Please specify the connection type.\n")
    r = tool(cluster, "ldmsctl", "-h", "localhost", "-x", "sock", "-p", free_port())
    assert (r.returncode, r.stdout) == (0, "Connection error\n")
