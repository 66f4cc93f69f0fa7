"""Files of store csv, byte for byte beside those of an installed ldmsd 4.5.3: one sampler, both aggregators."""
import os
import re
import stat

import pytest

from ldms import free_port, wait_for
from real import PREFIX, env, needs_ldmsd, real_agg, real_samp
from test_csv import CLOCK, check_timed, needs_fake_clock, timed

pytestmark = needs_ldmsd

SETS = ("all_example", "array_example", "loadavg", "meminfo", "procnetdev2", "procstat2")
LISTS = ("procnetdev2", "procstat2")  # their KIND is wrong in ldmsd

# what is configured, and what is at its end in both
MODES = {
    "plain": "",
    "alt1": "altheader=1 typeheader=1",
    "alt2": "altheader=1 typeheader=2 buffer=5 buffertype=3",
    "ud2": "userdata=1 typeheader=2",
    "ud1": "userdata=1 typeheader=1 ietfcsv=1 altheader=1",
    "ms": "time_format=1 ietfcsv=1 buffer=1",
    "na": "expand_array=0",
    "sep": "expand_array=0 array_sep=; array_lquote=[ array_rquote=] altheader=1",
    "kb": "time_format=1 altheader=1 buffer=4 buffertype=4",
    "msud": "time_format=1 userdata=1 ietfcsv=1 typeheader=1",
    "naud": "expand_array=0 ietfcsv=1 typeheader=2",  # with typeheader=1 ldmsd has a kind for each element, but one column
    "perm": "create_perm=640 altheader=1 typeheader=2",
    "group": "create_gid=1 create_perm=751",
}


def config(path, modes, buffer=True):
    """Both read the same lines."""
    text = ""
    for mode, attrs in modes.items():
        if "buffer=" not in attrs and buffer:
            attrs += " buffer=0"
        text += f"load name={mode} plugin=store_csv\nconfig name={mode} path={path}/{mode} {attrs}\n"
    return text


def policies(modes, schemas, extra=""):
    return "".join(f"strgp_add name={m}-{s} plugin={m} container=c/{m} schema={s} {extra}\n"
                   f"strgp_prdcr_add name={m}-{s} regex=.*\nstrgp_start name={m}-{s}\n" for m in modes for s in schemas)


def both(cluster, config_of, samplers=SETS):
    """Folders of both, filled by the lines of config_of(folder)."""
    samp = real_samp(cluster, "r1", samplers, "200000")
    folders = cluster.path("theirs"), cluster.path("ours")
    theirs = real_agg(cluster, "ra", [samp], config_of(folders[0]))
    conf = cluster.write("oa.conf", config_of(folders[1]))
    ours = cluster.agg("oa", [samp], "--interval", "200ms", "--offset", "50ms", "-c", conf)
    return folders, (theirs, ours)


def lines(path):
    return open(path, newline="").read().splitlines(True) if os.path.exists(path) else []


def fix(mode, text):
    """What is a mistake of ldmsd's: arrays of s64 have commas and double quotes, whatever the attributes say."""
    marks = {"na": '":"', "naud": '":"', "sep": "[;]"}.get(mode)
    if not marks:
        return text
    left, sep, right = marks
    return re.sub(r'"(-?\d+(,-?\d+)+)"', lambda m: left + m.group(1).replace(",", sep) + right, text)


def by_time(rows):
    groups = {}
    for row in rows:
        if not row.startswith("#"):
            groups.setdefault(tuple(row.split(",")[:2]), []).append(row)
    return groups


def compare(mode, theirs, ours, whole=True):
    """Headers, and all samples that both have whole, once there are some."""
    def common():
        a, b = by_time(lines(theirs)), by_time(lines(ours))
        times = sorted(set(a) & set(b))[1:-1]  # those at the ends may be partly there
        return len(times) > 2 and (a, b, times)

    a, b, times = wait_for(common, lambda: f"samples that both stored; {theirs}: {len(by_time(lines(theirs)))}, "
                                           f"{ours}: {len(by_time(lines(ours)))}")
    for t in times if whole else ():
        assert [fix(mode, row) for row in a[t]] == b[t]
    heads = [[row for row in lines(p) if row.startswith("#")] for p in (theirs, ours)]
    assert heads[0] == heads[1]
    for side in ".HEADER", ".KIND":
        assert os.path.exists(theirs + side) == os.path.exists(ours + side)
        if os.path.exists(theirs + side) and not (side == ".KIND" and os.path.basename(theirs) in LISTS):
            assert wait_for(lambda p=theirs + side: lines(p), theirs + side) == lines(ours + side), side


def test_every_mode(cluster):
    (theirs, ours), daemons = both(cluster, lambda path: config(path, MODES) + policies(MODES, SETS))
    for mode in MODES:
        for schema in SETS:
            compare(mode, f"{theirs}/{mode}/c/{mode}/{schema}", f"{ours}/{mode}/c/{mode}/{schema}")
    assert all(d.alive() for d in daemons)


def test_attributes_of_one_file(cluster):
    opt = cluster.write("opt", "store_csv altheader=1 typeheader=1\ncontainer=c/opt schema=loadavg time_format=1 altheader=0\n")

    def conf(path):
        return (config(path, {"opt": f"opt_file={opt}", "over": ""}) +
                "config name=over container=c/over schema=meminfo altheader=1 ietfcsv=1 buffer=0\n" +
                policies(("opt", "over"), ("loadavg", "meminfo")))

    (theirs, ours), _ = both(cluster, conf, ("loadavg", "meminfo"))
    for name in "opt/c/opt/loadavg", "opt/c/opt/meminfo", "over/c/over/loadavg", "over/c/over/meminfo":
        compare("", f"{theirs}/{name}", f"{ours}/{name}")


def test_decompositions(cluster):
    as_is = cluster.write("as_is.json", '{"type":"as_is"}')
    static = cluster.write("static.json", """{"type":"static","rows":[{"schema":"row","cols":[
        {"src":"timestamp","dst":"when","type":"ts"}, {"src":"producer","type":"char_array"},
        {"src":"instance","dst":"inst","type":"char_array"}, {"src":"load1min","dst":"one"},
        {"src":"newest_pid","dst":"pid","type":"d64"}, {"src":"none","type":"u32_array","fill":[1,2,3]},
        {"src":"text","type":"char_array","fill":"x"}, {"src":"M_duration","dst":"took"}]}]}""")
    modes = {"d1": "altheader=1 typeheader=1", "d2": "time_format=1 ietfcsv=1 typeheader=2",
             "d3": "userdata=1 typeheader=1"}

    def conf(path):
        return (config(path, modes) + "".join(
            f"strgp_add name={m} plugin={m} container=c regex=. decomposition={as_is}\n"
            f"strgp_prdcr_add name={m} regex=.*\nstrgp_start name={m}\n"
            f"strgp_add name={m}-s plugin={m} container=s schema=loadavg decomposition={static}\n"
            f"strgp_prdcr_add name={m}-s regex=.*\nstrgp_start name={m}-s\n" for m in modes))

    (theirs, ours), _ = both(cluster, conf, ("all_example", "loadavg", "procnetdev2"))
    for mode in modes:
        names = wait_for(lambda m=mode: os.path.isdir(f"{theirs}/{m}/c") and
                         len(n := [x for x in os.listdir(f"{theirs}/{m}/c") if "." not in x]) == 3 and n, "three files")
        for name in names:
            # ldmsd writes user data in front of scalars only, and headers that have it everywhere
            compare("", f"{theirs}/{mode}/c/{name}", f"{ours}/{mode}/c/{name}", mode != "d3" or "loadavg" in name)
        # ... and has one kind for the two fields of a duration
        if mode != "d3":
            compare_rows = [by_time(lines(f"{p}/{mode}/s/row")) for p in (theirs, ours)]
            times = set(compare_rows[0]) & set(compare_rows[1])
            assert times
            duration = re.compile(r",[^,]*,[^,]*$")  # each has its own
            assert all(duration.sub("", compare_rows[0][t][0]) == duration.sub("", compare_rows[1][t][0])
                       for t in sorted(times)[:-1])
        heads = [wait_for(lambda p=p: h if (h := [x for x in lines(f"{p}/{mode}/s/row") + lines(f"{p}/{mode}/s/row.HEADER")
                                                  if x[0] == "#"]) else None, "a header") for p in (theirs, ours)]
        assert heads[0] == heads[1]
        kinds = [lines(f"{p}/{mode}/s/row.KIND") for p in (theirs, ours)]
        assert [kinds[0][0].rstrip("\n").removesuffix(",u64,timestamp").removesuffix(",timestamp") + ",timestamp,u64\n"] == \
            kinds[1]


@pytest.mark.parametrize("rolls", ["rolltype=3 rollover=3", "rolltype=4 rollover=1024", "rolltype=1 rollover=10"])
def test_names_of_closed_files(cluster, rolls):
    attrs = f"{rolls} altheader=1 typeheader=1 rename_perm=640 rename_template=%D/spool/%C.%S.%T.%B.%s"
    (theirs, ours), daemons = both(cluster, lambda path: config(path, {"rc": attrs}) + policies(("rc",), ("loadavg",)),
                                   ("loadavg",))

    def data(path):
        folder = f"{path}/rc/c/rc"
        found = [os.path.join(f, n) for f, _, names in os.walk(folder) for n in names
                 if "HEADER" not in n and "KIND" not in n]
        return sorted(row for p in found for row in lines(p) if not row.startswith("#"))

    wait_for(lambda: all(len(data(p)) > 5 for p in (theirs, ours)), "rows")
    for d in daemons:
        d.stop()
    rows = [data(p) for p in (theirs, ours)]
    assert len(set(rows[1])) == len(rows[1])
    shared = sorted(set(r.split(",")[0] for r in rows[0]) & set(r.split(",")[0] for r in rows[1]))
    assert len(shared) > 3
    assert [r for r in rows[0] if r.split(",")[0] in shared] == [r for r in rows[1] if r.split(",")[0] in shared]
    folder = "rc/c/rc/spool"

    def spool(path):  # container c/rc: it is a folder of the new name, too
        return sorted({re.sub(r"\d{10}", "N", os.path.relpath(os.path.join(f, n), path))
                       for f, _, names in os.walk(f"{path}/{folder}") for n in names})

    assert spool(theirs) == spool(ours) != []


def test_owners_and_modes(cluster):
    """Of files, and the modes of the folders that are made for them (which stay ldmsd's own, where ours follow the files)."""
    modes = {"none": "", "perm": "create_perm=640 altheader=1 typeheader=1", "wide": "create_perm=777", "ids": "create_uid=1 create_gid=2",
             "tight": "create_perm=600 create_gid=3"}
    (theirs, ours), _ = both(cluster, lambda path: config(path, modes) + policies(modes, ("loadavg",)), ("loadavg",))

    def looks(path):
        found = {os.path.relpath(os.path.join(at, n), path): os.stat(os.path.join(at, n))
                 for at, folders, names in os.walk(path) for n in folders + names}
        return {n: (oct(st.st_mode & 0o777), *((st.st_uid, st.st_gid) if stat.S_ISREG(st.st_mode) else ()))
                for n, st in found.items() if "/" in n}

    wait_for(lambda: all(len(lines(f"{p}/{m}/c/{m}/loadavg")) > 1 for p in (theirs, ours) for m in modes), "rows")
    assert looks(ours) == looks(theirs)


def test_two_policies_one_file(cluster):
    """Every row is there twice."""
    (theirs, ours), _ = both(cluster, lambda path: config(path, {"x": ""}) + policies(("x",), ("loadavg",)) +
                             policies(("x",), ("loadavg",)).replace("x-loadavg", "again"), ("loadavg",))
    compare("x", f"{theirs}/x/c/x/loadavg", f"{ours}/x/c/x/loadavg")
    for p in theirs, ours:
        rows = by_time(lines(f"{p}/x/c/x/loadavg"))
        assert all(len(rows[t]) == 2 for t in sorted(rows)[1:-1])


def test_words_of_a_template(cluster, monkeypatch):
    """The environment, and what is no word."""
    monkeypatch.setenv("GOOD", "a.b-c")
    monkeypatch.setenv("BAD", "a b")
    modes = {"env": "rename_template=%D/x/%{GOOD}.%{NONE}.%q.%B", "bad": "rename_template=%D/x/%{BAD}.%B",
             "plain": "rename_template=%D/x/%S.%T.%s"}  # without rolltype there are no seconds
    attrs = {m: a + " altheader=1" for m, a in modes.items()}
    (theirs, ours), daemons = both(cluster, lambda path: config(path, attrs) + policies(attrs, ("loadavg",)), ("loadavg",))
    wait_for(lambda: all(len(lines(f"{p}/{m}/c/{m}/loadavg")) > 1 for p in (theirs, ours) for m in modes), "rows")
    for d in daemons:
        d.stop()
    names = [sorted(os.path.relpath(os.path.join(at, n), p) for at, _, found in os.walk(p) for n in found if n[0] != ".")
             for p in (theirs, ours)]
    assert names[0] == names[1]
    assert "env/c/env/x/a.b-c..%q.loadavg" in names[1]


@needs_fake_clock
def test_timed_rolls(cluster):
    """Both read one sampler, with clocks that run faster."""
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    lines_of = "".join(f"{line}\n" for line in (
        f"prdcr_add name=p type=active xprt=sock host=127.0.0.1 port={samp.port} interval=2000000", "prdcr_start name=p",
        "updtr_add name=u interval=2000000 offset=50000", "updtr_prdcr_add name=u regex=.*", "updtr_start name=u"))
    folders = cluster.path("theirs"), cluster.path("ours")
    for name, folder, program, more in (("ra", folders[0], [os.path.join(PREFIX, "sbin/ldmsd")], env()),
                                        ("oa", folders[1], None, os.environ)):
        port = free_port()
        conf = cluster.write(name + ".conf", lines_of + timed(folder))
        args = ["-x", f"sock:{port}:127.0.0.1", "-c", conf, "-m", "16M"]
        cluster.daemon(name, args if program else ["agg", *args[:4]], port, program=program, env={**more, **CLOCK})
    for folder in folders:
        check_timed(folder)
