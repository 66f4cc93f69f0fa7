"""Who may read sets: owner, group and permission, from files and by request."""
from ldms import free_port, wait_for
from wire import Wire

REGEX, PERM, UID, GID = 4, 27, 32, 33
SEC_MOD, DEFAULT_AUTHZ = 0x613, 0x611


def text(value):
    return value.encode() + b"\0"


def owner(row):
    return row["uid"], row["gid"], row["perm"]


def samp(cluster):
    port = free_port()
    conf = cluster.write("n1.conf", f"""listen port={port} host=127.0.0.1
load name=meminfo
config name=meminfo producer=n1 instance=n1/meminfo uid=root gid=7 perm=0400
start name=meminfo interval=100ms
metric_sets_default_authz uid=5 gid=6 perm=0640
load name=loadavg
config name=loadavg producer=n1 instance=n1/loadavg
start name=loadavg interval=100ms
setgroup_add name=n1/g
""")
    return cluster.daemon("n1", ["samp", "-c", conf], port)


def test_owners_and_mirrors(cluster):
    s = samp(cluster)
    agg = cluster.agg("agg", [s], "--interval", "100ms")
    want = {"n1/meminfo": (0, 7, "-r--------"), "n1/loadavg": (5, 6, "-rw-r-----"), "n1/g": (5, 6, "-rw-r-----")}
    for d in (s, agg):
        wait_for(lambda: {n: owner(r) for n, r in d.sets().items()} == want, f"owners at {d.name}: {want}")
    line = next(x for x in s.ls_run("-v").stdout.splitlines() if "n1/loadavg" in x).split()
    assert line[6:9] == ["5", "6", "-rw-r-----"]
    # changed at the source, it changes at every level, in the data path too
    w = Wire(s.port).accepted()
    assert w.control(SEC_MOD, [(REGEX, text("mem")), (PERM, text("444")), (UID, text("9"))]) == (0, "")
    for d in (s, agg):
        wait_for(lambda: owner(d.sets()["n1/meminfo"]) == (9, 7, "-r--r--r--"), "the new owner at " + d.name)
    # a mirror that was given an owner here keeps it
    wa = Wire(agg.port).accepted()
    assert wa.control(SEC_MOD, [(REGEX, text("^n1/loadavg$")), (PERM, text("0600"))]) == (0, "")
    assert owner(agg.sets()["n1/loadavg"]) == (5, 6, "-rw-------")
    assert w.control(SEC_MOD, [(REGEX, text("load")), (GID, text("8"))]) == (0, "")
    before = agg.sets()["n1/loadavg"]["update"]
    wait_for(lambda: agg.sets()["n1/loadavg"]["update"] > before, "more samples")
    assert owner(agg.sets()["n1/loadavg"]) == (5, 6, "-rw-------")


def test_requests(cluster):
    s = samp(cluster)
    wait_for(lambda: len(s.ls()) == 3)
    w = Wire(s.port).accepted()
    assert w.control(DEFAULT_AUTHZ) == (0, "defaults: uid=5, gid=6, perm=640")
    assert w.control(DEFAULT_AUTHZ, [(PERM, text("440"))]) == (0, "defaults: uid=5, gid=6, perm=440")
    code, words = w.control(DEFAULT_AUTHZ, [(PERM, text("999"))])
    assert code == 22 and "permission bits" in words
    code, words = w.control(DEFAULT_AUTHZ, [(UID, text("nobody-of-that-name"))])
    assert code == 22 and "is not a valid UID or user name" in words
    assert w.control(SEC_MOD, [(REGEX, text("nothing")), (PERM, text("400"))]) == (0, "")
    assert w.control(SEC_MOD, [(REGEX, text("(")), (PERM, text("400"))])[0] == 22
    assert w.control(SEC_MOD, [(REGEX, text("."))])[0] == 22
    assert w.control(SEC_MOD, [(PERM, text("400"))])[0] == 22
