"""Set groups: served, listed with their members, mirrored and updated through aggregators."""
from ldms import free_port, wait_for
from wire import Wire

NAME, INTERVAL, OFFSET, PRODUCER, INSTANCE, PERM, REGEX = 1, 2, 3, 6, 7, 27, 4
ADD, MOD, DEL, INS, RM = 0x800, 0x801, 0x802, 0x803, 0x804
MEMBER = "    grp_member: "


def text(value):
    return value.encode() + b"\0"


def ctl(daemon, code, **attrs):
    ids = {"name": NAME, "interval": INTERVAL, "offset": OFFSET, "producer": PRODUCER, "instance": INSTANCE}
    return Wire(daemon.port).accepted().control(code, [(ids[k], text(v)) for k, v in attrs.items()])


def samp_conf(name, samplers="loadavg meminfo vmstat", groups=""):
    return "metric_sets_default_authz perm=0777\n" + "".join(
        f"load name={s}\nconfig name={s} producer={name} instance={name}/{s}\nstart name={s} interval=100ms\n"
        for s in samplers.split()) + groups


def samp(cluster, name="n1", groups="setgroup_add name=n1/g\nsetgroup_ins name=n1/g instance=n1/loadavg,n1/meminfo\n"):
    port = free_port()
    conf = cluster.write(name + ".conf", f"listen port={port} host=127.0.0.1\n" + samp_conf(name, groups=groups))
    return cluster.daemon(name, ["samp", "-c", conf], port)


def agg(cluster, name, producer, match="/g$", how=""):
    port = free_port()
    conf = cluster.write(name + ".conf", f"""listen port={port} host=127.0.0.1
prdcr_add name=p type=active host=127.0.0.1 port={producer.port} reconnect=100ms
prdcr_start name=p
updtr_add name=u interval=100ms offset=20ms {how}
updtr_prdcr_add name=u regex=.*
updtr_match_add name=u regex={match}
updtr_start name=u
""")
    return cluster.daemon(name, ["agg", "-c", conf], port)


def members(daemon, group="n1/g"):
    info = daemon.sets().get(group, {}).get("info", {})
    return {k[len(MEMBER):] for k in info if k.startswith(MEMBER)}


def names(daemon):
    return set(daemon.sets())


def updated(daemon, name):
    """It is there, and its data move."""
    def moves():
        now = daemon.sets().get(name, {"flags": "", "update": ""})
        was, moves.was = moves.was, now["update"]
        return "C" in now["flags"] and was not in (None, now["update"])
    moves.was = None
    return wait_for(moves, f"{name} to move")


def test_a_group_is_a_set(cluster):
    s = samp(cluster)
    wait_for(lambda: "n1/g" in s.ls())
    row = s.sets()["n1/g"]
    assert (row["schema"], row["flags"].strip(), row["info"]) == (
        "ldmsd_grp_schema", "L", {MEMBER + "n1/loadavg": "-", MEMBER + "n1/meminfo": "-"})
    assert sorted(s.ls("n1/g")) == ["n1/g", "n1/loadavg", "n1/meminfo"]
    wait_for(lambda: set(s.values("n1/g")) == {"n1/loadavg", "n1/meminfo"}, "the members' first samples")


def test_a_group_through_two_levels(cluster):
    s = samp(cluster)
    l1 = agg(cluster, "l1", s)
    l2 = agg(cluster, "l2", l1)
    for name in ("n1/loadavg", "n1/meminfo"):
        updated(l2, name)
    assert names(l2) == names(l1) == {"n1/g", "n1/loadavg", "n1/meminfo"}
    assert l2.sets()["n1/g"]["flags"].strip() == "R"
    assert sorted(l2.ls("n1/g")) == ["n1/g", "n1/loadavg", "n1/meminfo"]
    # members come and go
    assert ctl(s, INS, name="n1/g", instance="n1/vmstat,n1/later") == (0, "")
    updated(l2, "n1/vmstat")
    assert members(l2) == {"n1/loadavg", "n1/meminfo", "n1/vmstat", "n1/later"}
    assert ctl(s, RM, name="n1/g", instance="n1/loadavg,n1/later") == (0, "")
    wait_for(lambda: members(l2) == {"n1/meminfo", "n1/vmstat"})
    # a member that is made later
    assert ctl(s, INS, name="n1/g", instance="n1/h") == (0, "")
    assert ctl(s, ADD, name="n1/h") == (0, "")
    wait_for(lambda: "n1/h" in names(l2), "a member that came later")
    # the sampler comes back, with the group of its file
    s.restart()
    wait_for(lambda: members(l2) == {"n1/loadavg", "n1/meminfo"}, "the group to be back")
    updated(l2, "n1/loadavg")
    # and the group goes
    assert ctl(s, DEL, name="n1/g") == (0, "")
    wait_for(lambda: "n1/g" not in names(l2))


def test_a_group_whose_members_are_pushed(cluster):
    s = samp(cluster)
    a = agg(cluster, "a", s, how="push=onchange")
    for name in ("n1/loadavg", "n1/meminfo"):
        updated(a, name)
    assert ctl(s, INS, name="n1/g", instance="n1/vmstat") == (0, "")
    updated(a, "n1/vmstat")
    assert "P" in s.sets()["n1/vmstat"]["flags"] and "P" not in s.sets()["n1/g"]["flags"]
    assert ctl(s, RM, name="n1/g", instance="n1/vmstat") == (0, "")
    wait_for(lambda: "P" not in s.sets()["n1/vmstat"]["flags"], "its pushes to end")


def test_what_is_wrong_is_said(cluster):
    s = samp(cluster)
    wait_for(lambda: "n1/g" in s.ls())
    assert ctl(s, ADD) == (22, "missing `name` attribute")
    assert ctl(s, ADD, name="n1/g") == (17, "A set or a group existed with the given name.")
    assert ctl(s, INS, name="n1/loadavg", instance="x") == (22, "Not a group")
    assert ctl(s, INS, name="n1/g")[0] == 22
    assert ctl(s, INS, name="nobody", instance="x")[0] == 2
    assert ctl(s, DEL, name="nobody")[0] == 2
    code, words = ctl(s, INS, name="n1/g", instance="good," + "x" * 300)
    assert code == 22 and "set group n1/g" in words and "shorten" in words
    assert members(s) == {"n1/loadavg", "n1/meminfo"}
    a = agg(cluster, "a", s)
    wait_for(lambda: "n1/g" in names(a))
    code, words = ctl(a, INS, name="n1/g", instance="x")
    assert code == 22 and "change it where it is made" in words


def test_schedule_of_a_group(cluster):
    s = samp(cluster, groups="setgroup_add name=n1/g interval=2s offset=100ms producer=me\n")
    wait_for(lambda: s.sets().get("n1/g", {}).get("info") == {"updt_hint_us": "2000000:100000"})
    assert ctl(s, MOD, name="n1/g", interval="3000000") == (0, "")
    assert s.sets()["n1/g"]["info"] == {"updt_hint_us": "3000000:"}
    assert ctl(s, MOD, name="n1/g", interval="1s", offset="5s")[0] == 22
