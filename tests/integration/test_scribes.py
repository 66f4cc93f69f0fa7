"""Stores of messages: from a publisher to their files, what they account for, and what happens when they cannot write."""
import glob
import json
import os
import re
import struct

from ldms import CONFINED_ENV, ROOT, run, wait_for
from test_csv import CLOCK, needs_fake_clock
from test_msg import BOTH, at, pub
from test_streams import conf, wire

PERF = '{"job-id":10364,"rank":1,"x":1.25,"perf":[{"name":"A","count":0},{"name":"B","count":1}]}'


def lines(folder):
    return f"""{BOTH}load name=stream_csv_store
config name=stream_csv_store path={folder} container=csv stream=perf,other buffer=0
load name=bs plugin=blob_stream_writer
config name=bs path={folder} container=bs stream=perf stream=text timing=1 types=1 spool=1
start name=bs interval=1000000
load name=bm plugin=blob_msg_writer
config name=bm path={folder} container=bm message_tag=tag message_channel=more types=1
start name=bm interval=1000000
load name=dump plugin=stream_dump
config name=dump op=stream_subscribe stream=text path={folder}/dump
config name=dump op=msg_subscribe message_channel=^t path={folder}/dump
"""


def ctl(d, *words):
    return run("ctl", *at(d), *words)


def stores(d):
    """plugn_status of those that have such numbers, by name."""
    r = ctl(d, "--json", "plugn_status")
    found = {s["name"]: s for s in json.loads(r.stdout) if "refused" in s} if r.returncode == 0 else {}
    for s in found.values():
        assert s["messages"] == s["stored"] + s["queued"] + s["dropped"] + s["refused"]
    return found


def stored(d, name, n):
    return wait_for(lambda: (s := stores(d).get(name)) and s["stored"] == n and s, f"{n} messages in {name}")


def content(pattern, mode=""):
    """Of the only file with that name."""
    found = glob.glob(pattern)
    assert len(found) == 1, found
    with open(found[0], "r" + mode) as f:
        return f.read()


def say(d, kind, channel, text, *args):
    assert pub(d, *(["--stream"] if kind == "stream" else []), *args, channel, text).returncode == 0


def test_all_of_them(cluster):
    folder = cluster.path("m")
    d = conf(cluster, "d", lines(folder))
    wire(d)
    say(d, "stream", "perf", PERF, "--json")
    say(d, "stream", "perf", '{"rank":2,"perf":[],"more":1}', "--json")
    say(d, "stream", "perf", '[1]', "--json")
    say(d, "stream", "text", "a text")
    say(d, "msg", "tag", '{"a":1}', "--json")
    say(d, "msg", "tag", "b")
    say(d, "msg", "other", "nobody wants it")
    stored(d, "stream_csv_store", 2)
    assert stores(d)["stream_csv_store"]["refused"] == 1 and "no JSON object" in stores(d)["stream_csv_store"]["why"]
    d.says('stream perf: "more" has no column')
    stored(d, "bs", 4)
    stored(d, "bm", 2)
    stored(d, "dump", 3)
    assert content(f"{folder}/csv/perf.*") == ('#job-id,rank,x,perf:name,perf:count\n10364,1,1.250000,"A",0\n'
                                                '10364,1,1.250000,"B",1\n,2,,,\n')
    dat, offset = content(f"{folder}/bm/tag.DAT.*", "b"), content(f"{folder}/bm/tag.OFFSET.*", "b")
    assert dat == b'blobdat\0{"a":1}\0b\0'
    assert offset == b"bloboff\0" + struct.pack("<QQ", 8, 16)
    assert content(f"{folder}/bm/tag.TYPE.*", "b") == b"blobtyp\0js"
    dumped = content(f"{folder}/dump").splitlines()
    assert all(line[0] == "\x01" for line in dumped)
    assert sorted(line.split(": ", 1)[1] for line in dumped) == ["a text", "b", '{"a":1}']
    # stopped, what it has written is moved, and it hears nothing
    assert ctl(d, "stop", "name=bs").returncode == 0
    wait_for(lambda: stores(d)["bs"]["state"] == "CONFIGURED", "bs to stop")
    assert content(f"{folder}/bs/spool/text.DAT.*", "b") == b"blobdat\0a text\0" and not glob.glob(f"{folder}/bs/*.*")
    seconds = struct.unpack("<Q", content(f"{folder}/bs/spool/text.TIMING.*", "b")[8:16])[0]
    assert int(glob.glob(f"{folder}/bs/spool/text.DAT.*")[0].rsplit(".")[-1]) - seconds in (0, 1)
    say(d, "stream", "text", "unheard")
    stored(d, "dump", 4)
    assert stores(d)["bs"]["messages"] == 4
    # gone, it writes what it has
    say(d, "msg", "tag", "last")
    assert ctl(d, "term", "name=bm").returncode == 0
    wait_for(lambda: content(f"{folder}/bm/tag.DAT.*", "b").endswith(b"last\0"), "the last message")
    text = ctl(d, "usage", "name=dump").stdout
    assert "stream_dump - " in text and "queue_bytes" in text
    # what it is doing is a file that says the same
    dumped = ctl(d, "dump_cfg").stdout
    assert all(line.split(" ", 1)[1] in dumped for line in lines(folder).splitlines() if "name=stream_csv" in line)
    assert run("check", cluster.write("again.conf", dumped)).returncode == 0
    # its end: nothing is lost
    say(d, "stream", "perf", '{"rank":3}', "--json")
    d.stop()
    assert content(f"{folder}/csv/perf.*").endswith("\n,3,,,\n")


def test_what_cannot_be_written_waits(cluster):
    folder = cluster.write("m", "a file in its place")
    d = conf(cluster, "d", f"stream_enable\nload name=csv plugin=stream_csv_store\n"
             f"config name=csv path={folder} container=c stream=s\nload name=small plugin=stream_csv_store\n"
             f"config name=small path={folder} container=small stream=many queue_bytes=4k\n")
    wire(d)
    d.says("store csv: folder")
    d.says("store small: folder")
    say(d, "stream", "s", '{"n":1}', "--json")
    why = wait_for(lambda: (s := stores(d)["csv"])["queued"] == 1 and s, "a message that waits")
    assert "something above it is a file" in why["why"] and why["retry_in_us"] > 0
    # as many as there is room for, the newest; and all are accounted for
    text = "".join(f'{{"n":{i}}}\n' for i in range(200))
    assert pub(d, "--stream", "--json", "--line", "many", input=text).returncode == 0
    full = wait_for(lambda: (s := stores(d)["small"])["messages"] == 200 and s, "all of them")
    assert full["dropped"] > 100 and full["queued"] == 200 - full["dropped"] and full["queued_bytes"] <= 4096
    d.says("store small: its queue is full (4096 bytes)")
    os.unlink(folder)
    stored(d, "csv", 1)
    stored(d, "small", full["queued"])
    assert content(f"{folder}/small/many.*") == "#n\n" + "".join(
        f"{i}\n" for i in range(full["dropped"], 200))
    d.says("store csv: writes again")
    assert content(f"{folder}/c/s.*") == "#n\n1\n"


SLIPS = [
    ("config name=csv path=/tmp/x container=c", "path, container and stream are required"),
    ("config name=csv path=/tmp/x container=c steam=s", "did you mean 'stream'?"),
    ("config name=blob path=/tmp/x stream=s", "path and container are required"),
    ("config name=blob path=/tmp/x container=c stream=s rolltype=1", "rolltype given without rollover"),
    ("config name=msg path=/tmp/x container=c message_tag=a.*", "and no expression"),
    ("config name=dump", "op="),
    ("config name=dump op=stream_subscribe stream=s", "path is required"),
    ("config name=dump op=msg_close message_channel=x", "x is not written"),
    ("start name=blob interval=1s", "it has no config yet"),
    ("stop name=blob", "is not running"),
    ("load name=new plugin=stream_csv_stor", "did you mean 'stream_csv_store'?"),
    ("load name=csv plugin=stream_dump", "Error 17 adding store named 'csv'"),
    ("strgp_add name=s plugin=csv container=c schema=x", "The plugin csv does not exist. Forgot load?"),
]


def test_slips_change_nothing(cluster):
    loads = "".join(f"load name={n} plugin={p}\n" for n, p in (("csv", "stream_csv_store"), ("blob", "blob_stream_writer"),
                                                             ("msg", "blob_msg_writer"), ("dump", "stream_dump")))
    d = conf(cluster, "d", BOTH + loads)
    wire(d)
    for line, words in SLIPS:
        r = ctl(d, *line.split())
        assert r.returncode and words in r.stderr, (line, r.stderr)
    assert {s["state"] for s in stores(d).values()} == {"LOADED"}
    with open(os.path.join(ROOT, "man/ldms-stores.7")) as f:
        told = set(re.findall(r"^\.It Cm (\w+) Ns = Ns", f.read(), re.M))
    assert set(re.findall(r"^    (\w+) ", ctl(d, "usage").stdout, re.M)) <= told
    folder = cluster.path("m")
    for line in (f"config name=blob path={folder} container=c stream=s", "start name=blob interval=1s"):
        assert ctl(d, *line.split()).returncode == 0
    for line, words in (("start name=blob interval=1s", "already running"),
                        ("config name=blob path=/tmp/x container=c stream=t", "it is configured already")):
        r = ctl(d, *line.split())
        assert r.returncode and words in r.stderr, (line, r.stderr)
    say(d, "stream", "s", "x")
    stored(d, "blob", 1)


def test_check_and_reload(cluster):
    folder = cluster.path("m")
    one = f"load name=csv plugin=stream_csv_store\nconfig name=csv path={folder} container=%s stream=s\n"
    d = conf(cluster, "d", "stream_enable\n" + one % "a" + "load name=b plugin=blob_stream_writer\n"
             f"config name=b path={folder} container=b stream=s\n")
    wire(d)
    r = run("check", cluster.path("d.conf"))
    assert "store b writes nothing: there is no start" in r.stdout + r.stderr
    assert stores(d)["b"]["state"] == "CONFIGURED"
    say(d, "stream", "s", '{"n":1}', "--json")
    stored(d, "csv", 1)
    text = open(cluster.path("d.conf")).read()
    cluster.write("d.conf", text.replace("container=a", "container=z").replace(
        "container=b stream=s\n", "container=b stream=s\nstart name=b interval=1s\n"))
    assert ctl(d, "reload").returncode == 0
    wait_for(lambda: stores(d)["b"]["state"] == stores(d)["csv"]["state"] == "RUNNING", "both to run")
    say(d, "stream", "s", '{"n":2}', "--json")
    stored(d, "csv", 1)
    stored(d, "b", 1)
    assert content(f"{folder}/a/s.*") == "#n\n1\n" and content(f"{folder}/z/s.*") == "#n\n2\n"
    bad = open(cluster.path("d.conf")).read().replace("stream=s\n", "stream=\n", 1)
    cluster.write("d.conf", bad)
    r = ctl(d, "reload")
    assert r.returncode and "path, container and stream are required" in r.stderr
    assert stores(d)["csv"]["state"] == "RUNNING"


def test_sandbox(cluster):
    folder = cluster.path("m")
    d = conf(cluster, "d", f"stream_enable\nload name=csv plugin=stream_csv_store\n"
             f"config name=csv path={folder} container=c stream=s\nload name=dump plugin=stream_dump\n"
             f"config name=dump op=stream_subscribe stream=s path={folder}/dump\n", "--sandbox", env=CONFINED_ENV)
    wire(d)
    say(d, "stream", "s", '{"n":1}', "--json")
    stored(d, "csv", 1)
    stored(d, "dump", 1)
    r = ctl(d, "config", "name=dump", "op=stream_subscribe", "stream=t", f"path={cluster.path('elsewhere')}/dump")
    assert r.returncode and "sandbox" in r.stderr


def test_a_burst(cluster):
    """More than one turn of the worker, in order, from an aggregator's producer."""
    folder, n = cluster.path("m"), 5000
    samp = conf(cluster, "samp", BOTH)
    agg = conf(cluster, "agg", f"{BOTH}load name=bm plugin=blob_msg_writer\n"
               f"config name=bm path={folder} container=c message_tag=s rolltype=4 rollover=20000\nstart name=bm interval=1s\n"
               f"prdcr_add name=p type=active xprt=sock host=127.0.0.1 port={samp.port} reconnect=100ms\n"
               "prdcr_subscribe regex=.* message_tag=s\nprdcr_start name=p\n")
    wire(samp)
    wire(agg)
    wait_for(lambda: '"s"' in ctl(samp, "--json", "msg_client_stats").stdout, "the aggregator to subscribe")
    text = "".join(f"{i}\n" for i in range(n))
    assert pub(samp, "--line", "s", input=text).returncode == 0
    st = wait_for(lambda: (s := stores(agg)["bm"])["messages"] == n and s["stored"] == n and s, "all messages")
    assert st["dropped"] == 0
    agg.stop()
    got, files = [], sorted(glob.glob(f"{folder}/c/s.DAT.*"))
    for path in files:
        with open(path, "rb") as f, open(path.replace(".DAT.", ".OFFSET."), "rb") as o:
            dat, offsets = f.read(), o.read()
        assert dat[:8] == b"blobdat\0" and offsets[:8] == b"bloboff\0"
        places = [*struct.unpack(f"<{len(offsets) // 8 - 1}Q", offsets[8:]), len(dat)]
        got += [int(dat[a:b].rstrip(b"\0\n")) for a, b in zip(places, places[1:])]
    assert got == list(range(n))


@needs_fake_clock
def test_timed_rolls(cluster):
    """A clock that runs faster: files end, also when nothing comes any more, and no message is in two of them."""
    folder = cluster.path("m")
    d = conf(cluster, "d", f"stream_enable\nload name=bs plugin=blob_stream_writer\n"
             f"config name=bs path={folder} container=bs stream=s rolltype=1 rollover=20 spool=1\nstart name=bs interval=1s\n"
             "load name=csv plugin=stream_csv_store\n"
             f"config name=csv path={folder} container=csv stream=s rolltype=1 rollover=20 rollempty=1\n",
             env={**os.environ, **CLOCK})
    wire(d)
    said = []

    def say_one():
        say(d, "stream", "s", f'{{"n":{len(said)}}}', "--json")
        said.append(len(said))
        return len(glob.glob(f"{folder}/bs/spool/s.DAT.*")) > 1

    wait_for(say_one, "files that are closed")
    stored(d, "bs", len(said))
    wait_for(lambda: not glob.glob(f"{folder}/bs/s.*"), "the last one to be closed, though nothing comes")
    wait_for(lambda: b"".join(open(p, "rb").read() for p in sorted(glob.glob(f"{folder}/csv/s.*"))[-1:]) == b"#n\n",
             "a file without messages")
    d.stop()
    dat = b"".join(open(p, "rb").read()[8:] for p in sorted(glob.glob(f"{folder}/bs/spool/s.DAT.*")))
    assert [json.loads(m)["n"] for m in dat.split(b"\0")[:-1]] == said
    text = "".join(open(p).read() for p in sorted(glob.glob(f"{folder}/csv/s.*")))
    assert [int(line) for line in text.split("\n")[:-1] if line != "#n"] == said
    times = [int(p.rsplit(".", 1)[1]) for p in sorted(glob.glob(f"{folder}/csv/s.*"))]
    assert all(b - a >= 20 - 1 for a, b in zip(times, times[1:]))
