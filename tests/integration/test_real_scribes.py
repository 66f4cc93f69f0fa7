"""Stores of messages beside those of an installed ldmsd 4.5.3: the same lines of configuration, the same publishers."""
import glob
import os
import signal
import struct

from ldms import wait_for
from real import needs_ldmsd, real_publish
from test_msg import BOTH
from test_real_msg import program, real_conf, real_pub
from test_scribes import ctl
from test_streams import conf, wire

pytestmark = needs_ldmsd

MESSAGES = [  # stream, type, text
    ("perf", "json", '{"job-id":10364,"rank":1,"flag":true,"nul":null,"x":1.25,"perf":[{"name":"A","count":0,"time":0.5},'
                     '{"name":"B","count":1,"time":0.25}]}\n'),
    ("perf", "json", '{"rank":2,"job-id":10365,"perf":[]}\n'),
    ("perf", "json", '{"perf":[{"time":1e-9,"name":"only"}],"x":1e10}'),
    ("perf", "string", "a line of its own"),
    ("values", "json", '{"a":1,"b":-2.5,"c":"text, with","d":true,"e":null,"f":-9223372036854775808}'),
    ("values", "json", '{"f":"now a text","a":"\\\\n stays","b":7,"c":8,"d":null,"e":false}'),
    ("values", "json", '{"c":"back\\\\slash \\n"}'),
    ("values", "json", '{"a":"\u00e9"}'),
    ("text", "string", "one\n"),
    ("text", "string", "two"),
    ("text", "json", '{"k":1}'),
]
STREAMS = sorted({s for s, _, _ in MESSAGES})


def lines(folder):
    streams = " ".join(f"stream={s}" for s in STREAMS)
    return f"""{BOTH}load name=stream_csv_store
config name=stream_csv_store path={folder} container=csv stream={",".join(STREAMS)} buffer=0
load name=blob_stream_writer
config name=blob_stream_writer path={folder} container=bs {streams} timing=1 types=1
start name=blob_stream_writer interval=1000000
load name=blob_msg_writer
config name=blob_msg_writer path={folder} container=bm message_tag=tag message_tag=other types=1
start name=blob_msg_writer interval=1000000
load name=dump plugin=stream_dump
config name=dump op=stream_subscribe stream=text path={folder}/dump
config name=dump op=msg_subscribe message_channel=^t path={folder}/dump_msg
"""


def content(pattern):
    """Of the files with that name, in order; b"" while there is none."""
    return b"".join(open(p, "rb").read() for p in sorted(glob.glob(pattern)))


def publish(d, stream, kind, text):
    r = real_publish(program("ldmsd_stream_publish"), d.port, "-s", stream, "-t", kind, input=text)
    assert r.returncode == 0, r


def fields(text):
    """Lines of CSV as ldmsd's own reader of them would: its fields are never quoted within."""
    rows = []
    for line in text.splitlines():
        row, quoted = [""], False
        for c in line:
            quoted ^= c == '"'
            if c == "," and not quoted:
                row.append("")
            else:
                row[-1] += c
        rows.append(row)
    return rows


def by_name(rows):
    """Rows as columns are called: their order is ldmsd's hash's there."""
    head = [rows[0][0].removeprefix("#"), *rows[0][1:]]
    return sorted(head), [sorted(zip(head, row)) if len(row) == len(head) else row for row in rows[1:]]


def test_side_by_side(cluster):
    folders = theirs, ours = cluster.path("theirs"), cluster.path("ours")
    for f in folders:
        os.makedirs(f)
    real, mine = real_conf(cluster, "rd", lines(theirs)), conf(cluster, "od", lines(ours))
    wire(mine)
    for d in (real, mine):
        for message in MESSAGES:
            publish(d, *message)
        for text in ('{"a":1}\n', '{"a":2}'):
            real_pub((), d.port, "tag", text)
    n = sum(s == "text" for s, _, _ in MESSAGES)
    for f in folders:  # what each has at its end
        wait_for(lambda f=f: content(f"{f}/dump").count(b"\x01") == n and content(f"{f}/dump_msg").count(b"\x01") == 2,
                 "the last messages")
    for d in (real, mine):
        for name in "blob_stream_writer", "blob_msg_writer":
            assert ctl(d, "stop", f"name={name}").returncode == 0
    real.kill(signal.SIGTERM)  # it writes them at its end
    dat = {f"bs/{s}": b"".join(t.encode() + b"\0" for x, _, t in MESSAGES if x == s) for s in STREAMS}
    for name, want in dat.items():
        wait_for(lambda name=name: all(content(f"{f}/{name}.OFFSET.*") for f in folders), name)
        both = [content(f"{f}/{name}.DAT.*") for f in folders]
        assert both[0] == both[1] and both[0].replace(b"\n\0", b"\0") == b"blobdat\0" + want.replace(b"\n\0", b"\0")
    for name in [*dat, "bm/tag"]:
        for kind in "DAT", "OFFSET", "TYPE":
            wait_for(lambda: all(content(f"{f}/{name}.{kind}.*") for f in folders), name)
            both = [content(f"{f}/{name}.{kind}.*") for f in folders]
            assert both[0] == both[1] != b"", (name, kind)
        times = [content(f"{f}/{name}.TIMING.*") for f in folders]
        assert len(times[0]) == len(times[1])
        for t in filter(None, times):
            assert t[:8] == b"blobtim\0" and all(us < 1000000 for _, us in struct.iter_unpack("<QQ", t[8:]))
    names = [sorted(os.path.basename(p).rsplit(".", 1)[0] for p in glob.glob(f"{f}/b?/*")) for f in folders]
    assert names[0] == names[1]
    for name in STREAMS:
        a, b = (fields(wait_for(lambda f=f: content(f"{f}/csv/{name}.*"), name).decode()) for f in folders)
        if name == "text":  # begins with strings
            assert a[:3] == b[:3] == [["one"], [""], ["two"]]
            a, b = a[3:], b[3:]
        assert by_name(a) == by_name(b)
    for name in "dump", "dump_msg":
        a, b = ([part.split(b": ", 1)[1] for part in content(f"{f}/{name}").split(b"\x01")[1:]] for f in folders)
        assert a == b
