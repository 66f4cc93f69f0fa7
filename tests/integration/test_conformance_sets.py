"""What travels with a set: its owner, its digest, lists and records, its info, rings of samples, groups; and sets that
come and go."""
import re

from conformance import PORT, case

SAMP, L1, L2 = "node1", "node2", "node3"
NAMES = {"sampler": SAMP, "aggregator": L1, "second level": L2}


class Chain:
    """A sampler with two levels above it; the lines are the sampler's, in front of what it samples."""

    def __init__(self, c, plugins="meminfo", lines="", behind="", interval="200ms", l1="", l2="", samp_args=(), **attrs):
        self.c = c
        self.samp = c.ldmsd("sampler", SAMP, lines + "".join(c.sampler(p, SAMP, interval, **attrs) for p in plugins.split())
                            + behind, *samp_args)
        self.l1 = c.ldmsd("agg1", L1, l1 + c.aggregator([SAMP]))
        self.l2 = c.ldmsd("agg2", L2, l2 + c.aggregator([L1], offset="90ms"))
        self.all = dict(zip(NAMES, (self.samp, self.l1, self.l2)))

    def row(self, where, name, *keys):
        """What ldms_ls -v -v says of a set."""
        got = self.c.look(self.all[where], "-v", "-v").get(name, {})
        return tuple(got.get(k) for k in keys)


def everywhere(what):
    return [f"{what} on the {n}" for n in NAMES]


# -- owners

NOBODY, NOGROUP = "65534", "65534"
MOD = {"by number": ("uid=1000 gid=1001 perm=0640", ("1000", "1001", "-rw-r-----")),
       "by name": ("uid=nobody gid=nogroup perm=0444", (NOBODY, NOGROUP, "-r--r--r--")),
       "the permission alone": ("perm=0400", (NOBODY, NOGROUP, "-r--------"))}
BAD = {"an unknown user": ("uid=no-such-user", "Unknown user 'no-such-user'"),
       "an unknown group": ("gid=no-such-group", "Unknown group 'no-such-group'"),
       "no permission": ("perm=0900", "String to permission bits conversion failed.")}
NAIVE = "auth_add name=who plugin=naive uid=0 gid=0\nlisten xprt=sock port={} auth=who\n"


def as_user(c, daemon, uid, *args):
    r = c.tool("ldms_ls", "-x", "sock", "-h", daemon.node.name, "-p", PORT + 1, "-a", "naive", "-A", f"uid={uid}", "-A",
               f"gid={uid}", *args)
    return set(r.stdout.split())


@case(22, "set_sec_mod_test", "owners and permissions of sets change, two levels learn of it, clients see what they may",
      "sampler agg1 agg2 tool",
      checks=[f"refused: {b}" for b in BAD] + [w for m in MOD for w in everywhere(f"changed {m}")]
      + [f"who may sees it on the {n}" for n in NAMES] + [f"who may not does not see it on the {n}" for n in NAMES]
      + ["another set is as before"])
def test_owners(c):
    more = NAIVE.format(PORT + 1)
    t = Chain(c, "meminfo vmstat", more, l1=more, l2=more, perm="0777")
    name, other = f"{SAMP}/meminfo", f"{SAMP}/vmstat"
    c.until(lambda: c.sets(t.l2) == {name, other}, "both sets on the second level")
    before = t.row("second level", other, "uid", "gid", "perm")
    for what, (how, words) in BAD.items():
        c.check(f"refused: {what}", c.say(t.samp, f"set_sec_mod regex=.* {how}"), (22, words))
    for what, (how, want) in MOD.items():
        assert c.say(t.samp, f"set_sec_mod regex=meminfo$ {how}") == (0, "")
        for n in NAMES:
            c.check(f"changed {what} on the {n}", lambda: t.row(n, name, "uid", "gid", "perm"), want)
    for n, d in t.all.items():
        c.check(f"who may sees it on the {n}", as_user(c, d, NOBODY), {name, other})
        c.check(f"who may not does not see it on the {n}", as_user(c, d, 1000), {other})
    c.check("another set is as before", t.row("second level", other, "uid", "gid", "perm"), before)


# -- digests

SAME = ["the digest of one schema is one on two samplers", "one metric more is another digest"]


@case(23, "ldms_schema_digest_test", "the digest of a schema is the same everywhere, and no other has it",
      "sampler agg1 agg2 tool",
      checks=["no digest with -v", *everywhere("a digest with -v -v"), *everywhere("the same digest"), *SAME])
def test_digests(c):
    t = Chain(c, "array_example", num_metrics=1, type="u64_array")
    twin = c.ldmsd("sampler", "node4", c.sampler("array_example", "node4", num_metrics=1, type="u64_array"))
    more = c.ldmsd("sampler", "node5", c.sampler("array_example", "node5", num_metrics=2, type="u64_array"))
    name = f"{SAMP}/array_example"
    c.until(lambda: c.values(t.l2), "values on the second level")
    c.check("no digest with -v", c.look(t.samp, "-v")[name].get("digest"), None)
    digest, = t.row("sampler", name, "digest")
    for n in NAMES:
        got = c.until(lambda: t.row(n, name, "digest")[0], "the set")
        c.check(f"a digest with -v -v on the {n}", len(got.strip("-")), 64)
        c.check(f"the same digest on the {n}", got, digest)

    def of(daemon, host):
        return c.until(lambda: c.look(daemon, "-v", "-v").get(f"{host}/array_example"), "the set")["digest"]
    c.check(SAME[0], of(twin, "node4"), digest)
    c.check(SAME[1], of(more, "node5") != digest)


# -- lists and records

STEPS = ["one entry", "an entry more", "unchanged", "two entries more", "an entry less", "one entry again"]


def interface(c, verb, name):
    r = c.hosts.node(SAMP).run(["ip", "link", verb, "name" if verb == "add" else "dev", name,
                                *(["type", "bridge"] if verb == "add" else [])])
    assert r.returncode == 0, r.stderr


def steps(c, t, see):
    """Interfaces come and go; the list of them follows on all levels: see(daemon) is what is seen of it."""
    base = c.until(lambda: see(t.samp), "the list")
    present = []
    try:
        for step, (come, go) in zip(STEPS, (((), ()), (["x1"], ()), ((), ()), (["x2", "x3"], ()), ((), ["x1"]),
                                            ((), ["x2", "x3"]))):
            for name in come:
                interface(c, "add", name)
            for name in go:
                interface(c, "del", name)
            present = [n for n in present + list(come) if n not in go]
            for n, d in t.all.items():
                c.check(f"{step} on the {n}", lambda: see(d), base | set(present))
    finally:
        for name in present:
            interface(c, "del", name)


LISTS = [w for s in STEPS for w in everywhere(s)]


@case(24, "ldms_list_test", "a list grows, stays and shrinks, and is the same on two levels", "sampler agg1 agg2 tool",
      checks=[*LISTS, "the values of the entries are the sampler's"])
def test_lists(c):
    t = Chain(c, "procnetdev2")
    name = f"{SAMP}/procnetdev2"

    def entries(daemon):
        return c.values(daemon).get(name, {}).get("netdev_list", [])
    steps(c, t, lambda d: {e["name"] for e in entries(d)})

    def same():
        now = [c.look(d, "-l").get(name, {}) for d in (t.samp, t.l2, t.samp)]
        return now[0].get("at") == now[1].get("at") == now[2].get("at") and now[0]["metrics"] == now[1]["metrics"]
    c.check("the values of the entries are the sampler's", same)


MEMBERS = ["members and their types on the " + n for n in NAMES]


@case(25, "ldms_record_test", "records: their members on two levels, and lists of them that change", "sampler agg1 agg2 tool",
      checks=[*LISTS, *MEMBERS])
def test_records(c):
    t = Chain(c, "procnetdev2")
    name = f"{SAMP}/procnetdev2"

    def entry(daemon, interface="lo"):
        rows = c.values(daemon).get(name, {}).get("netdev_list", [])
        return next((r for r in rows if r["name"] == interface), {})
    members = c.until(lambda: list(entry(t.samp)), "a record")
    for n, d in t.all.items():
        c.check("members and their types on the " + n, lambda: list(entry(d)), members)
    steps(c, t, lambda d: {e["name"] for e in c.values(d).get(name, {}).get("netdev_list", []) if len(e) > 2})


# -- every type, laid out by a sampler of ours: an ldmsd is installed without such a one at most places

TYPES = ("char", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "d64")


def laid_out(c, metrics, instance):
    """A set of these metrics, on two levels."""
    samp = c.hosts.node(SAMP).daemon(
        f"load name=test_sampler\nconfig name=test_sampler action=add_schema schema=laid_out metrics={','.join(metrics)}\n"
        f"config name=test_sampler action=add_set schema=laid_out instance={instance} producer={SAMP}\n"
        "start name=test_sampler interval=600ms offset=0\n")
    return samp, c.ldmsd("agg1", L1, c.aggregator([SAMP])), c.ldmsd("agg2", L2, c.aggregator([L1], offset="90ms"))


def same_values(c, samp, daemon, name):
    """Of the same sample, on both."""
    now = [c.look(d, "-l").get(name, {}) for d in (samp, daemon, samp)]
    return all(s.get("state") == "consistent" and s["at"] == now[0]["at"] for s in now) and now[0] == now[1]


LEVELS = ["values of the first level", "values of the second level"]


@case(24, "ldms_list_test, types", "lists of every type, and of records, have their values on two levels", "agg1 agg2 tool",
      checks=LEVELS)
def test_lists_of_types(c):
    name = f"{SAMP}/lists"
    # without units: ldms_ls puts that of a list on a line of its own
    lists = [f"l_{t}:data:list:[{t}:{'x' if t == 'char' else 1}:1]:4:" for t in TYPES]
    arrays = [f"a_{t}:data:list:[{t}_array:{'x' if t == 'char' else 1}:3]:2:" for t in TYPES]
    record = ["r:data:record:{x:u64:1:1:u;y:char_array:q:8:u}:", "lr:data:list:[record:r:]:3:"]
    samp, *levels = laid_out(c, lists + arrays + record, name)
    for what, d in zip(LEVELS, levels):
        c.check(what, lambda: same_values(c, samp, d, name))
    got = c.values(levels[1])[name]
    assert {f"l_{t}" for t in TYPES} <= set(got) and "lr" in got, got


@case(25, "ldms_record_test, types", "records with members of every type, scalars and arrays, in lists and arrays",
      "agg1 agg2 tool", checks=LEVELS)
def test_records_of_types(c):
    name = f"{SAMP}/records"
    # but for a single char: ldms_ls prints that of a record without its quote while it is 0
    members = ";".join([f"m_{t}:{t}:1:1:u" for t in TYPES[1:]]
                       + [f"v_{t}:{t}_array:{'x' if t == 'char' else 1}:3:u" for t in TYPES])
    samp, *levels = laid_out(c, [f"r:data:record:{{{members}}}:", "lr:data:list:[record:r:]:3:",
                                 "ar:data:record_array:r:3:", "end:data:u64:1:1:u"], name)
    for what, d in zip(LEVELS, levels):
        c.check(what, lambda: same_values(c, samp, d, name))


# -- info

INFO = ["a key", "a second key", "a key is unset", "a key is reset"]


@case(26, "ldms_set_info_test", "keys of a set's info: set, reset, unset, and copied over two levels",
      "sampler agg1 agg2 tool", checks=[w for i in INFO for w in everywhere(i)])
def test_set_info(c):
    t = Chain(c, behind=f"setgroup_add name={SAMP}/group producer={SAMP}\n")
    name = f"{SAMP}/group"

    def keys(where):
        """Those that an operator made: an aggregator's schedule replaces the hint."""
        info, = t.row(where, name, "info")
        return {k.strip() for k in re.findall(r'"([^"]*)"="', info or "") if "grp_member" in k}
    a, b = f"grp_member: {SAMP}/meminfo", f"grp_member: {SAMP}/none"
    for what, line, want in ((INFO[0], f"setgroup_ins name={name} instance={SAMP}/meminfo", {a}),
                             (INFO[1], f"setgroup_ins name={name} instance={SAMP}/none", {a, b}),
                             (INFO[2], f"setgroup_rm name={name} instance={SAMP}/meminfo", {b}),
                             (INFO[3], f"setgroup_ins name={name} instance={SAMP}/none", {b})):
        c.until(lambda: c.say(t.samp, line)[0] == 0, line)
        for n in NAMES:
            c.check(f"{what} on the {n}", lambda: keys(n), want)


# -- rings of samples

ARRAY = ["updates before the first sample are answered", "no update is left hanging before the first sample",
         "samples of a ring arrive", "updates without new samples are answered", "samples arrive again"]


@case(27, "set_array_hang_test", "updates of a ring of samples are answered before the first sample and without a new one",
      "sampler agg1 tool", checks=ARRAY)
def test_set_array(c):
    samp = c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP, "20s", set_array_card=3).rsplit("start", 1)[0])
    agg = c.ldmsd("agg1", L1, c.aggregator([SAMP], "100ms", "20ms"))
    name = f"{SAMP}/meminfo"

    def times():
        return c.status(agg, "update_time_stats")["all"].get(SAMP, {}).get(name, {})

    def state():
        sets = c.status(agg, "prdcr_set_status")
        return sets and sets[0]["state"]
    c.check(ARRAY[0], lambda: state() == "READY")
    c.check(ARRAY[1], times().get("skipped_cnt", 0), 0)
    assert c.say(samp, "start name=meminfo interval=50ms offset=0")[0] == 0
    c.check(ARRAY[2], lambda: c.values(agg).get(name, {}).get("MemTotal", 0) > 0)
    c.until(lambda: times().get("cnt", 0) > 2, "updates")
    assert c.say(samp, "stop name=meminfo")[0] == 0
    before = times()["oversampled_cnt"]
    c.check(ARRAY[3], lambda: times()["oversampled_cnt"] > before + 2)
    at = c.look(agg, "-l")[name]["at"]
    assert c.say(samp, "start name=meminfo interval=50ms offset=0")[0] == 0
    c.check(ARRAY[4], lambda: c.look(agg, "-l")[name]["at"] != at)


# -- sets that come and go

QUICK = ["a set that lives shorter than an interval leaves no trace", "the log of the aggregator is empty",
         "one that stays is collected", "sets that replace each other are followed", "its log is empty at the end"]


@case(28, "quick_set_add_rm_test", "sets that come and go between two updates", "sampler agg1 tool", checks=QUICK)
def test_quick_sets(c):
    samp = c.ldmsd("sampler", SAMP, c.sampler("loadavg", SAMP, "100ms"))
    agg = c.ldmsd("agg1", L1, c.aggregator([SAMP], "1s", "500ms"), "-v", "ERROR")
    c.until(lambda: c.sets(agg) == {f"{SAMP}/loadavg"}, "the first set")

    def begun():
        return "".join(line for line in agg.text().splitlines(True) if "ERROR" in line or "CRITICAL" in line)
    assert begun() == ""
    for _ in range(3):
        for line in ("load name=vmstat", f"config name=vmstat string=producer={SAMP}%20instance={SAMP}/vmstat",
                     "term name=vmstat"):
            assert c.say(samp, line)[0] == 0, line
    c.check(QUICK[0], lambda: c.sets(agg), {f"{SAMP}/loadavg"})
    c.check(QUICK[1], begun(), "")
    for line in ("load name=meminfo", f"config name=meminfo string=producer={SAMP}%20instance={SAMP}/meminfo",
                 "start name=meminfo interval=100ms offset=0"):
        assert c.say(samp, line)[0] == 0, line
    c.check(QUICK[2], lambda: set(c.values(agg)), {f"{SAMP}/loadavg", f"{SAMP}/meminfo"})
    for line in ("stop name=meminfo", "term name=meminfo"):
        assert c.say(samp, line)[0] == 0, line
    c.check(QUICK[3], lambda: c.sets(agg), {f"{SAMP}/loadavg"})
    c.check(QUICK[4], begun(), "")


# -- groups

GROUP = ["the group and its members on the first level", "the group and its members on the second level",
         "a member that is taken out goes from the first level", "a member that is taken out goes from the second level",
         "a member that is put in comes to the first level", "a member that is put in comes to the second level",
         "members are updated on the second level"]


@case(29, "setgroup_test", "a group reaches two levels, and who joins or leaves it follows", "sampler agg1 agg2 tool",
      checks=GROUP)
def test_groups(c):
    group = f"{SAMP}/group"
    samp = c.ldmsd("sampler", SAMP, "".join(c.sampler(p, SAMP) for p in ("meminfo", "vmstat", "loadavg"))
                   + f"setgroup_add name={group} producer={SAMP} interval=200000 offset=0\n"
                   f"setgroup_ins name={group} instance={SAMP}/meminfo,{SAMP}/vmstat\n")
    only = "updtr_match_add name=all regex=/group$ match=inst\nupdtr_start name=all\n"
    conf = {h: c.aggregator([h], offset=o).replace("updtr_start name=all\n", only) for h, o in ((SAMP, "50ms"), (L1, "90ms"))}
    l1, l2 = c.ldmsd("agg1", L1, conf[SAMP]), c.ldmsd("agg2", L2, conf[L1])

    def group_of(daemon, *plugins):
        """Do just these have data there?"""
        return {n for n, s in c.look(daemon, "-l").items() if s["state"] == "consistent" and n != group} == {
            f"{SAMP}/{p}" for p in plugins}
    for what, d in zip(GROUP, (l1, l2)):
        c.check(what, lambda: group in c.sets(d) and group_of(d, "meminfo", "vmstat"))

    def fresh(daemon, name):
        return c.look(daemon, "-l").get(name, {}).get("at")

    def still(daemon, name, of):
        """Is it updated no more, while another one is?"""
        was = fresh(daemon, name), fresh(daemon, of)
        c.until(lambda: fresh(daemon, of) != was[1], f"{of} to be updated")
        return fresh(daemon, name) == was[0]
    assert c.say(samp, f"setgroup_rm name={group} instance={SAMP}/vmstat")[0] == 0
    for what, d in zip(GROUP[2:], (l1, l2)):
        c.check(what, lambda: still(d, f"{SAMP}/vmstat", f"{SAMP}/meminfo"))
    assert c.say(samp, f"setgroup_ins name={group} instance={SAMP}/loadavg")[0] == 0
    for what, d in zip(GROUP[4:], (l1, l2)):
        c.check(what, lambda: c.values(d).get(f"{SAMP}/loadavg", {}).get("component_id") is not None)
    at = fresh(l2, f"{SAMP}/loadavg")
    c.check(GROUP[6], lambda: fresh(l2, f"{SAMP}/loadavg") != at)
