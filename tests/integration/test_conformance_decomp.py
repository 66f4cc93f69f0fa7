"""Sets that become rows as files of JSON say."""
import json
import os

from conformance import case

SAMP, AGG = "node1", "node2"
LOADAVG = ("8BE378143DF8894C6C911EE1934E5BF166BAD9C012013D1E9F1361F0ACC249E1", "loadavg_8be3781")

STATIC = {"type": "static", "rows": [
    {"schema": "load", "cols": [
        {"src": "timestamp", "dst": "ts"}, {"src": "producer"}, {"src": "load1min", "dst": "l1"},
        {"src": "load1min", "dst": "whole", "type": "s32"}, {"src": "nosuch", "type": "s64", "fill": -7}]},
    {"schema": "meta", "cols": [{"src": "timestamp"}, {"src": "instance"}, {"src": "M_schema"}, {"src": "M_digest"}]}]}
NET = {"type": "static", "rows": [
    {"schema": "net", "cols": [
        {"src": "timestamp", "dst": "ts"}, {"src": "netdev_list", "rec_member": "name", "dst": "name"},
        {"src": "netdev_list[rx_bytes]", "dst": "rx"}, {"src": "netdev_list[rx_bytes]", "dst": "rx_diff", "op": "diff"},
        {"src": "netdev_list[rx_bytes]", "dst": "rx_max", "op": "max"}],
     "group": {"limit": 3, "index": ["name"], "order": ["ts"], "timeout": "60s"}}]}


def lines(folder, schema):
    """The header, and the fields of the rows so far."""
    try:
        with open(os.path.join(folder, "c", schema)) as f:
            got = [line.rstrip("\n") for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return "", []
    return (got[0], [line.split(",") for line in got[1:]]) if got else ("", [])


def storing(c, folder, plugins, policies):
    """A sampler, and an aggregator with these policies: (name, attribute, decomposition)."""
    c.ldmsd("sampler", SAMP, "".join(c.sampler(p, SAMP) for p in plugins))
    conf = f"load name=store_csv\nconfig name=store_csv path={folder} buffer=0\n" + c.aggregator([SAMP])
    for name, what, decomposition in policies:
        path = os.path.join(folder, name + ".json")
        with open(path, "w") as f:
            json.dump(decomposition, f)
        conf += (f"strgp_add name={name} plugin=store_csv container=c {what} decomposition={path}\n"
                 f"strgp_prdcr_add name={name} regex=.*\nstrgp_start name={name}\n")
    return c.ldmsd("agg1", AGG, conf)


@case(39, "ldmsd_decomp_test", "rows of as_is, static and flex decompositions in CSV", "sampler agg1 tool", checks=[
    "static: the header", "static: values, conversions and fills", "static: what is known of the set",
    "static: a list gives a row for each entry", "static: operators look at the rows before",
    "as_is: the name has the digest, and every metric is a column", "strgp_status names the files"])
def test_decomposition(c):
    folder = c.folder("rows")
    agg = storing(c, folder, ["loadavg", "procnetdev2", "clock"], [
        ("static", "schema=loadavg", STATIC), ("net", "schema=procnetdev2", NET), ("asis", "regex=^loadavg$", {"type": "as_is"})])
    c.check("static: the header", lambda: lines(folder, "load")[0], "#Time,Time_usec,producer,l1,whole,nosuch")
    c.check("static: values, conversions and fills", lambda: (rows := lines(folder, "load")[1]) and all(
        r[2] == SAMP and int(float(r[3])) == int(r[4]) and r[5] == "-7" for r in rows))
    c.check("static: what is known of the set", lambda: (rows := lines(folder, "meta")[1]) and rows[0][2:],
            [f"{SAMP}/loadavg", "loadavg", LOADAVG[0]])
    c.check("static: a list gives a row for each entry", lambda: (rows := lines(folder, "net")[1]) and all(
        [r[2] for r in rows if r[0] == t].count("lo") == 1 for t in {r[0] for r in rows[:-8]}))

    def lo():
        rows = [r for r in lines(folder, "net")[1] if r[2] == "lo"]
        rx = [int(r[3]) for r in rows]
        return len(rx) > 4 and rows[0][4] == "0" and all(
            int(rows[i][4]) == rx[i] - rx[i - 1] and int(rows[i][5]) == max(rx[max(0, i - 2):i + 1]) for i in range(1, len(rx)))

    c.check("static: operators look at the rows before", lo)
    c.check("as_is: the name has the digest, and every metric is a column", lambda: lines(folder, LOADAVG[1])[0],
            "#Time,Time_usec,component_id,job_id,app_id,load1min,load5min,load15min,runnable,scheduling_entities,newest_pid")
    c.check("strgp_status names the files", {s["name"]: s["decomp"] for s in c.status(agg, "strgp_status")},
            {n: os.path.join(folder, n + ".json") for n in ("static", "net", "asis")})


@case(40, "ldmsd_flex_decomp_test", "decompositions chosen by digest", "sampler agg1 tool", checks=[
    "a digest's decompositions are all applied", "a match is applied", "the default is for what nothing matches",
    "and for nothing else", "a digest that is none is refused"])
def test_flex_decomposition(c):
    folder = c.folder("rows")
    flex = {"type": "flex", "decomposition": {
        "dflt": {"type": "as_is"}, "la": {"type": "static", "rows": STATIC["rows"][:1]},
        "cl": {"type": "static", "rows": [{"schema": "clk", "cols": [{"src": "timestamp"}, {"src": "null_tick", "dst": "tick"}]}]}},
        "digest": {LOADAVG[0]: ["la", "dflt"]},
        "matches": [{"schema": "^clo", "instance": f"^{SAMP}/", "apply": "cl"}], "default": "dflt"}
    agg = storing(c, folder, ["loadavg", "clock", "procnetdev2"], [("flex", "regex=.*", flex)])

    def files():
        return sorted(f.rsplit("_", 1)[0] if f.startswith("procnetdev2_") else f
                      for f in (os.listdir(os.path.join(folder, "c")) if os.path.isdir(os.path.join(folder, "c")) else []))

    c.check("a digest's decompositions are all applied", lambda: bool(lines(folder, "load")[1] and lines(folder, LOADAVG[1])[1]))
    c.check("a match is applied", lambda: bool(lines(folder, "clk")[1]))
    c.check("the default is for what nothing matches", lambda: "procnetdev2" in files())
    c.check("and for nothing else", files(), ["clk", "load", LOADAVG[1], "procnetdev2"])
    bad = os.path.join(folder, "bad.json")
    with open(bad, "w") as f:
        json.dump({**flex, "digest": {"00": "la"}}, f)
    c.check("a digest that is none is refused",
            c.say(agg, f"strgp_add name=bad plugin=store_csv container=c regex=.* decomposition={bad}")[1].strip(),
            "Invalid digest key '00'.")
