"""The tools at a daemon, its configuration and its secrets."""
import glob
import os
import signal

from conformance import OPERATOR, PORT, case

SAMP, AGG, AGAIN = "node1", "node2", "node3"
SET = f"{SAMP}/meminfo"
REFUSED = "Connection failed/rejected."
NOBODY = "10.77.200.200"  # no node has it
NEIGHBOURS = "/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms"


def outcome(r):
    """Of a tool that failed: whether its exit status says so, and what it printed."""
    return r.returncode != 0, r.stdout.strip()


DEAD, UNREACHABLE, UNKNOWN = "ldms_ls at a dead daemon", "ldms_ls at a dead host", "ldms_ls at a host that does not resolve"


@case(1, "direct_ldms_ls_conn_test", "ldms_ls at a sampler that lives, that died, and at hosts that are not there", "sampler tool",
      ["ldms_ls at a live sampler", "its values", "ldms_ls -v at a daemon without sets", DEAD, UNREACHABLE, UNKNOWN])
def test_ls(c):
    samp = c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP))
    c.check("ldms_ls at a live sampler", lambda: c.sets(samp), {SET})
    c.check("its values", lambda: c.values(samp).get(SET, {}).get("MemTotal", 0) > 0)
    bare = c.ldmsd("sampler", AGG, "")
    head = c.until(lambda: (r := c.ls(bare, "-v")).returncode == 0 and r.stdout, "the empty daemon to answer").splitlines()
    c.check("ldms_ls -v at a daemon without sets", [line.split()[0] for line in head], ["Schema", "--------------"])
    samp.stop(signal.SIGKILL)
    c.check(DEAD, outcome(c.ls(samp)), (True, REFUSED))
    at = ("-x", "sock", "-p", PORT, "-h")
    c.hosts.node(OPERATOR).run(["sh", "-c", f"echo 50 >{NEIGHBOURS}"])  # to know it in a moment, not in seconds
    c.check(UNREACHABLE, outcome(c.tool("ldms_ls", *at, NOBODY)), (True, REFUSED))
    r = c.tool("ldms_ls", *at, "no.such.host")
    # ldmsd's has other words where no name server can be asked
    c.matches(UNKNOWN, r.stdout + r.stderr, r"(ldms_ls: no\.such\.host does not resolve\.|\S*ldms_ls: Error '-\d+' in resolving "
              r"host 'no\.such\.host', port '10000'\.)")
    assert r.returncode


BANNER = "Welcome to the LDMSD control processor"
SAID = {  # what the controller prints
    "prdcr_start name=bogus": "Error starting prdcr bogus: The producer specified does not exist.",
    "bogus": "*** Unknown syntax: bogus",
    "updtr_start name=bogus": "Error starting updtr bogus: The updater specified does not exist.",
    "strgp_start name=bogus": "Error starting storage policy bogus: The storage policy does not exist.",
    "start name=bogus interval=1000000": "Error starting bogus plugin: Sampler instance 'bogus' not found.",
    "config name=bogus a=b": "Error configuring the 'bogus' plugin: The specified plugin instance 'bogus' does not exist.",
}


@case(17, "ldmsd_ctrl_test", "ldmsd_controller at a terminal: its words, and an aggregator made by hand", "sampler agg1 tool",
      ["banner", *SAID, "loading a plugin that does not exist", "commands collect sets", "prdcr_status", "updtr_status",
       "quit leaves"])
def test_controller(c):
    c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP))
    agg = c.ldmsd("agg1", AGG, "")
    c.until(lambda: agg.ls_run().returncode == 0, "the aggregator to listen")
    t = c.prompt(agg)
    c.check("banner", BANNER in t.ready())

    def says(command):
        """Without what the terminal echoes."""
        return t.says(command).replace("\r", "").partition("\n")[2].strip()

    for command, words in SAID.items():
        c.check(command, says(command), words, go_on=True)
    said = says("load name=bogus")
    c.check("loading a plugin that does not exist", said.startswith("Error 2 plugin 'bogus': failed to load the plugin"),
            go_on=True)
    for command in (f"prdcr_add name=p host={SAMP} port={PORT} xprt=sock type=active reconnect=200000", "prdcr_start name=p",
                    "updtr_add name=u interval=200000 offset=50000", "updtr_prdcr_add name=u regex=.*", "updtr_start name=u"):
        assert says(command) == "", command
    c.check("commands collect sets", lambda: set(c.values(agg)), {SET})
    c.matches("prdcr_status", says("prdcr_status"), rf"p +{SAMP} +{PORT} sock .* CONNECTED +active *\n +{SET} +meminfo +(READY|UPDATING)")
    c.matches("updtr_status", says("updtr_status"), rf"u +0\.2s:50\.0ms +false +Pull +RUNNING *\n +p +{SAMP} +{PORT} sock +CONN")
    c.check("quit leaves", t.end(), 0)


LINE, ATTRIBUTE = 64 << 10, 1100000


@case(18, "ldmsd_long_config_test", "a line of 64 KiB in a file, and an attribute of 1.1 MB over the network", "sampler tool",
      ["the line of the file", "the attribute over the network"])
def test_long_lines(c):
    """Both are names of metrics that a policy stores: those come back whole."""
    first, second = "a" * LINE, "b" * ATTRIBUTE
    d = c.ldmsd("sampler", SAMP, f"load name=store_csv\nconfig name=store_csv path={c.folder('rows')}\n"
                "strgp_add name=s plugin=store_csv container=c schema=meminfo\n"
                f"strgp_metric_add name=s metric={first}\n")

    def metrics():
        return c.status(d, "strgp_status name=s")[0]["metrics"]

    c.check("the line of the file", metrics() == [first])
    assert c.controller(d, "strgp_metric_add name=s metric=" + second).strip() == ""
    c.check("the attribute over the network", metrics() == [first, second])


def everything(c):
    """One of each; a plugin, producers and a policy of its own."""
    return f"""env ROWS={c.folder('rows')}
auth_add name=someone plugin=naive
listen xprt=sock port={PORT + 1} auth=someone
msg_enable
stream_enable
load name=meminfo
config name=meminfo producer={AGG} instance={AGG}/meminfo component_id=7
start name=meminfo interval=200000 offset=0
prdcr_add name=n1 type=active xprt=sock host={SAMP} port={PORT} reconnect=200000
prdcr_start name=n1
prdcr_subscribe regex=^n1$ stream=s
updtr_add name=u interval=200000 offset=50000
updtr_match_add name=u regex=meminfo match=schema
updtr_prdcr_add name=u regex=.*
updtr_start name=u
load name=store_csv
config name=store_csv path=${{ROWS}}
strgp_add name=s plugin=store_csv container=c schema=meminfo
strgp_prdcr_add name=s regex=^n
strgp_start name=s
"""


def dump(c):
    """What dump_cfg of a daemon that has everything writes, when its sets are there."""
    c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP))
    agg = c.ldmsd("agg1", AGG, everything(c))
    c.until(lambda: set(agg.values()) == {SET, f"{AGG}/meminfo"}, "its sets")
    folder = c.folder("dump")
    assert c.say(agg, f"dump_cfg path={folder}") == (0, "")
    file, = glob.glob(os.path.join(folder, "*.conf"))
    with open(file) as f:
        return f.read()


DUMPED = {
    "options": r"msg_enable",
    "an authentication domain": r"auth_add (?=.*name=someone\b).*plugin=naive\b",
    "a listener": rf"listen (?=.*port={PORT + 1}\b).*auth=someone\b",
    "a plugin": r"load name=meminfo( plugin=meminfo)?",
    "its configuration": rf"config name=meminfo (?=.*instance={AGG}/meminfo\b).*component_id=7\b",
    "its schedule": r"start name=meminfo interval=(200000|200ms)\b",
    "a producer": rf"prdcr_add name=n1 (?=.*type=active\b)(?=.*port={PORT}\b).*host={SAMP}\b",
    "its start": r"prdcr_start name=n1",
    "its subscription": r"prdcr_subscribe (?=.*regex=\^n1\$).*stream=s\b",
    "an updater": r"updtr_add name=u (?=.*interval=(200000|200ms)\b).*offset=(50000|50ms)\b",
    "what it matches": r"updtr_match_add name=u (?=.*regex=\^?meminfo\b).*match=schema\b",
    "whom it reads": r"updtr_prdcr_add name=u regex=\S+",
    "a policy": r"strgp_add name=s (?=.*plugin=store_csv\b)(?=.*container=c\b).*schema=meminfo\b",
    "whose sets it stores": r"strgp_prdcr_add name=s regex=\S*n\S*",
    "that it runs": r"strgp_start name=s",
}


@case(19, "dump_cfg_test", "dump_cfg writes down all that runs", "sampler agg1", ["the dump has " + what for what in DUMPED])
def test_dump(c):
    lines = dump(c)
    for what, line in DUMPED.items():
        c.matches("the dump has " + what, lines, line, go_on=True)


@case(19, "dump_cfg_test, taken", "what dump_cfg writes, another daemon runs", "sampler agg1 agg2",
      ["sets of the other daemon", "its producer", "its updater", "its policy", "its rows"],
      defects={"agg1": "what ldmsd dumps nobody can read: default_credits is no verb, plugins are loaded twice"})
def test_dump_again(c):
    lines = dump(c)
    for d in c.hosts.daemons:
        if d.node.name == AGG:
            d.stop()
    d = c.ldmsd("agg2", AGG, lines.replace(f"listen xprt=sock port={PORT}\n", ""), name="again")
    c.check("sets of the other daemon", lambda: set(d.values()), {SET, f"{AGG}/meminfo"})
    p, = c.status(d, "prdcr_status")
    c.check("its producer", (p["name"], p["host"], p["state"]), ("n1", SAMP, "CONNECTED"))
    u, = c.status(d, "updtr_status")
    c.check("its updater", (u["name"], u["interval"], u["offset"], u["state"]), ("u", "200000", "50000", "RUNNING"))
    s, = c.status(d, "strgp_status")
    c.check("its policy", (s["name"], s["schema"], s["state"]), ("s", "meminfo", "RUNNING"))
    rows = os.path.join(c.hosts.path("rows"), "c", "meminfo")
    was = os.path.getsize(rows)
    c.check("its rows", lambda: os.path.getsize(rows) > was)


NONE, WRONG = "without authentication: refused", "with another secret: refused"


@case(20, "ldmsd_auth_ovis_test", "a shared secret: who has it sees and reads sets that only their owner may", "sampler agg1 tool",
      [NONE, WRONG, "with the secret: directory", "with the secret: values", "aggregator with another secret: nothing",
       "aggregator with the secret: values"])
def test_secret(c):
    good, bad = (("-a", "ovis", "-A", "conf=" + secret(c, name)) for name in ("good", "bad"))
    samp = c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP, perm="0600"), *good)
    c.check("with the secret: directory", lambda: set(c.look(samp, *good)), {SET})
    c.check("with the secret: values", lambda: "MemTotal" in c.ls(samp, "-l", *good).stdout)
    c.check(NONE, outcome(c.ls(samp)), (True, REFUSED))
    c.check(WRONG, outcome(c.ls(samp, *bad)), (True, REFUSED))
    for node, word, check in ((AGAIN, bad, "aggregator with another secret: nothing"),
                              (AGG, good, "aggregator with the secret: values")):
        conf = f"auth_add name=site plugin=ovis {word[-1]}\n" + c.aggregator([SAMP]).replace(" reconnect", " auth=site reconnect")
        agg = c.ldmsd("agg1", node, conf)
        if word == good:
            c.check(check, lambda: c.values(agg).get(SET, {}).get("MemTotal", 0) > 0)
            continue
        c.until(lambda: c.status(agg, "prdcr_status")[0]["state"] == "DISCONNECTED", "the refusal")
        c.check(check, c.sets(agg), set())


def secret(c, name):
    path = c.hosts.write(name, f"secretword={name}-and-long-enough\n")
    os.chmod(path, 0o600)
    return path
