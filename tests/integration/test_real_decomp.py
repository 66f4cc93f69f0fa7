"""Decompositions beside an installed ldmsd: one sampler, both aggregators, the same files of JSON; the rows that both
stored are the same bytes."""
import json
import os
import re

from ldms import ROOT, free_port, run, wait_for
from real import needs_ldmsd, real_agg

pytestmark = needs_ldmsd

FILES = os.path.join(ROOT, "tests/data/decomp")
OPERATORS = {"netdev2_small"}  # what they print depends on the rows before
WINDOW = 3

ALL = [{"src": s} for s in ("timestamp", "producer", "component_id", "char", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64",
                            "f32", "d32", "char_array", "u8_array", "s16_array", "u64_array", "float_array", "double_array",
                            "M_duration")]
CONVERTED = [{"src": s, "dst": f"{s}_{t}", "type": t} for s in ("u8", "s16", "u64", "f32", "d32")
             for t in ("u8", "s8", "u16", "s32", "u64", "s64", "f32", "d64")]
# members of records, those of arrays, and negative numbers
RECORDS = {"type": "static", "rows": [{"schema": "records", "cols": [
    {"src": "timestamp"}, {"src": "round"}, {"src": "device_list", "rec_member": "LDMS_V_U8"},
    {"src": "device_list[LDMS_V_S32]"}, {"src": "device_list[LDMS_V_S32]", "dst": "low", "type": "u8"},
    {"src": "device_list[LDMS_V_S64]", "dst": "wide", "type": "u64"}, {"src": "device_list[LDMS_V_D64]", "dst": "cut", "type": "s16"},
    {"src": "device_list[LDMS_V_S32_ARRAY]", "dst": "arr", "type": "d64_array"},
    {"src": "device_list[LDMS_V_CHAR_ARRAY]", "dst": "text"},
    {"src": "nolist[x]", "dst": "n", "type": "u64", "fill": 3}]}]}
FILLS = [{"src": "timestamp"}, *[{"src": "none", "dst": f"f{i}", "type": t, "fill": fill} for i, (t, fill) in enumerate([
    ("u8", 300), ("u8", 1.5), ("s8", -1), ("u64", -1), ("f32", 2), ("d64", 0.25), ("char", "xyz"), ("char[]", ""),
    ("f32[]", [0.5, 1.25]), ("u8_array", [1, 257])])]]


def rows(path):
    """The header, and lines by their time."""
    try:
        with open(path) as f:
            lines = [line for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return None, {}
    by_time = {}
    for line in lines[1:]:
        by_time.setdefault(line.split(",")[0], []).append(line)
    return lines[0] if lines else None, by_time


def both(cluster, samplers, policies, wanted):
    """Run both; `policies` are (schema or regex attribute, path of the decomposition).  Compare the files of these row
    schemas: {row schema: its header and lines as ours are}."""
    samp = cluster.samp("node-1", samplers, "--interval", "200ms")
    lines = {side: f"load name=store_csv\nconfig name=store_csv path={cluster.path(side)} buffer=0 typeheader=1\n" + "".join(
        f"strgp_add name=s{i} plugin=store_csv container=c {what} decomposition={path}\nstrgp_prdcr_add name=s{i} regex=.*\n"
        f"strgp_start name=s{i}\n" for i, (what, path) in enumerate(policies)) for side in ("ours", "theirs")}
    theirs = real_agg(cluster, "ra", [samp], lines["theirs"])
    ours = cluster.agg("oa", [samp], "--interval", "200ms", "--offset", "50ms", "-c", cluster.write("oa.conf", lines["ours"]))
    got = {}
    for schema in wanted:
        at = {side: cluster.path(f"{side}/c/{schema}") for side in lines}
        skip = WINDOW if schema in OPERATORS else 0

        def common():
            assert ours.alive() and theirs.alive()
            a, b = rows(at["ours"]), rows(at["theirs"])
            seen = [set(sorted(x[1])[skip:-1]) for x in (a, b)]  # the last one may be half written
            times = sorted(seen[0] & seen[1])
            return len(times) > 2 and (a, b, times)

        a, b, times = wait_for(common, f"rows of {schema} that both stored")
        # ours calls a second time by its name
        assert re.sub(r",\w+,\w+_usec$", "", a[0]) == re.sub(r"(,Time,Time_usec|,\w+,\w+_usec)$", "", b[0])
        assert [a[1][t] for t in times] == [b[1][t] for t in times]
        kinds = [open(path + ".KIND").read() for path in at.values()]
        # ldmsd counts the bytes of a fill for a char
        assert re.sub(",u64|,char(?=,)", "", kinds[0]) == re.sub(",u64|,char(?=,)", "", kinds[1])
        got[schema] = a
    return got


def test_static(cluster):
    more = cluster.write("all.json", json.dumps({"type": "static", "rows": [
        {"schema": "all_row", "cols": ALL}, {"schema": "fills", "cols": FILLS}, {"schema": "converted", "cols": [{"src": "timestamp"}, *CONVERTED]}]}))
    got = both(cluster, "meminfo procnetdev2 loadavg all_example record_sampler", [
        ("schema=meminfo", f"{FILES}/meminfo_static.json"), ("schema=procnetdev2", f"{FILES}/netdev2_static.json"),
        ("schema=loadavg", f"{FILES}/meta_static.json"), ("schema=all_example", more),
        ("schema=record_sampler", cluster.write("records.json", json.dumps(RECORDS)))],
        ["meminfo_filter", "meminfo_dm", "netdev2_small", "meta_row", "all_row", "converted",
         "fills", "records"])
    assert got["meminfo_dm"][0] == "#Time,Time_usec,comp_id,dm4k,nosuch,nosuch_arr0,nosuch_arr1,nosuch_arr2,nosuch_str\n"


def test_as_is_and_flex(cluster):
    flex = json.load(open(f"{FILES}/flex.json"))
    flex["matches"][0]["instance"] = "^node-1/.*"
    samplers = "loadavg procstat2 procnetdev2 record_sampler clock jobid"
    got = both(cluster, samplers, [
        ("regex=^(loadavg|procstat2|procnetdev2|record_sampler)$", f"{FILES}/as_is.json"),
        ("regex=^(clock|loadavg|jobid)$", cluster.write("flex.json", json.dumps(flex)))],
        ["procstat2_78935b2", "procnetdev2_e8b9cc8", "record_sampler_e1f021f", "la_row", "clk_row", "jobid_3f8abe6"])
    assert got["la_row"][0] == "#Time,Time_usec,l1\n"
    for side in ("ours", "theirs"):
        assert not [f for f in os.listdir(cluster.path(side + "/c")) if f.startswith("clock_")]


def static(row):
    return '{"type":"static","rows":[%s]}' % row


def col(more):
    return static('{"schema":"a","cols":[{"src":"a"%s}]}' % more)


def group(more):
    return static('{"schema":"a","cols":[{"src":"a","op":"diff"}],"group":{%s}}' % more)


def flex(more):
    return '{"type":"flex","decomposition":{"a":{"type":"as_is"}}%s}' % more


# (the installed one crashes on some more)
MISTAKES = [
    "", '{"type":"static",\n "rows":[', '{"type":"static",\n "rows":[}', '{"type" "static"}', '{"type":"as_is"} x', "[]", "{}",
    '{"type":"as_is","x":1e9999}', '{"type":"nope"}', '{"type":"static"}', static("5"), static('{"cols":[{"src":"a"}]}'),
    static('{"schema":"a"}'), static('{"schema":"a","cols":[]}'), static('{"schema":"a","cols":[4]}'),
    static('{"schema":"a","cols":[{"dst":"x"}]}'), static('{"schema":"a","cols":[{"src":"a["}]}'), col(',"rec_member":3'),
    col(',"type":3'), col(',"fill":3'), col(',"type":"u64","fill":"x"'), col(',"type":"char_array","fill":3'),
    col(',"type":"u64","fill":[3]'), col(',"type":"u64_array","fill":3'), col(',"type":"u8","fill":true'), col(',"op":"foo"'),
    col(',"op":"diff"'), group('"order":["a"]'), group('"index":["a"]'), group('"index":["z"],"order":["a"]'),
    group('"index":["a"],"order":["z"]'), group('"index":["a"],"order":["a"],"timeout":"foo"'),
    group('"index":["a"],"order":["a"],"timeout":5'), static('{"schema":"a","cols":[{"src":"a"}],"indices":{}}'),
    static('{"schema":"a","cols":[{"src":"a"}],"indices":[3]}'),
    static('{"schema":"a","cols":[{"src":"a"}],"indices":[{"cols":["a"]}]}'),
    static('{"schema":"a","cols":[{"src":"a"}],"indices":[{"name":"i"}]}'),
    static('{"schema":"a","cols":[{"src":"a"}],"indices":[{"name":"i","cols":["zz"]}]}'),
    '{"type":"as_is","indices":{}}', '{"type":"as_is","indices":[{"name":"x"}]}', '{"type":"as_is","indices":[{"cols":["x"]}]}',
    '{"type":"flex"}', '{"type":"flex","decomposition":[]}', '{"type":"flex","decomposition":{"a":3}}',
    '{"type":"flex","decomposition":{"a":{}}}', '{"type":"flex","decomposition":{"a":{"type":"static"}}}',
    flex(',"digest":{"00":"a"}'), flex(',"digest":{"*":"z"}'), flex(',"digest":[]'), flex(',"matches":{}'),
    flex(',"matches":[{"schema":"a"}]'), flex(',"matches":[{"apply":"a"}]'), flex(',"matches":[{"schema":"a","apply":"z"}]'),
    flex(',"matches":[{"schema":3,"apply":"a"}]'), flex(',"default":3'),
]


def test_mistakes_have_the_same_words(cluster):
    lines = "load name=store_csv\nconfig name=store_csv path=%s\n"
    theirs = real_agg(cluster, "ra", [], lines % cluster.path("theirs"))
    port = free_port()
    ours = cluster.daemon("oa", ["samp", "-x", f"sock:{port}:127.0.0.1", "-c",
                                 cluster.write("oa.conf", lines % cluster.path("ours"))], port)
    said = {}
    for d in (ours, theirs):
        wait_for(lambda: d.ls_run().returncode == 0, f"{d.name} to listen")
        ask = cluster.write(d.name + ".ask", "".join(
            f"strgp_add name=s{i} plugin=store_csv container=c schema=a decomposition=" +
            cluster.write(f"{i}.json", text) + "\n" for i, text in enumerate(MISTAKES)))
        r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "-k", "-f", ask)
        # behind the error's name: theirs is at times that of another one
        said[d.name] = [re.sub(r"^.*?: E[A-Z]+: ", "", line) for line in r.stderr.splitlines() if "strgp_add" in line]
    assert len(said["oa"]) == len(MISTAKES)
    assert said["oa"] == said["ra"]
