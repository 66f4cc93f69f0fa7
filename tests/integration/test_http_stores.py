"""Stores over HTTP, influx and remote_write: what InfluxDB, VictoriaMetrics and Prometheus hold afterwards, and servers
that fail."""
import csv
import gzip
import json
import os
import re
import signal
import ssl
import subprocess
import time

import pytest

import engines
from engines import Answers, Influx, Prometheus, VictoriaMetrics, fetch
from ldms import CONFINED_ENV, free_port, run, wait_for

_check = run("check", "/dev/stdin", input="load name=influx\n")
pytestmark = pytest.mark.skipif("built without" in _check.stdout + _check.stderr, reason="built without libcurl")


def conf(cluster, stores, interval="50ms", samplers=("synth",), policy=""):
    """A daemon that samples, and stores what it samples; `stores`: {plugin: attributes, ...} by instance."""
    port = free_port()
    lines = [f"listen xprt=sock host=127.0.0.1 port={port}"]
    for s in samplers:
        lines += [f"load name={s}", f"config name={s} producer=n1 instance=n1/{s} component_id=7", f"start name={s} interval={interval} offset=0"]
    lines += ["prdcr_add name=me type=local reconnect=1s", "prdcr_start name=me", f"updtr_add name=all interval={interval} offset=5ms",
              "updtr_prdcr_add name=all regex=.*", "updtr_start name=all"]
    for name, attrs in stores.items():
        lines += [f"load name={name} plugin={attrs.split()[0]}", f"config name={name} {' '.join(attrs.split()[1:])}",
                  f"strgp_add name={name} plugin={name} container=c regex=.* flush=50ms {policy}", f"strgp_start name={name}"]
    return cluster.write("store.conf", "\n".join(lines) + "\n"), port


def daemon(cluster, stores, *args, env=None, **kw):
    path, port = conf(cluster, stores, **kw)
    return cluster.daemon("store", ["store", "-c", path, *args], port, env=env)


def stored(d, n=1, name=None):
    return wait_for(lambda: (st := d.policy(name)) and st["stored"] >= n and not st["why"] and st, f"{n} samples stored")


def by_csv(cluster, schema):
    with open(cluster.path(f"rows/c/{schema}")) as f:
        return list(csv.DictReader(f))


@pytest.fixture
def server():
    started = []

    def start(*args, **kw):
        started.append(Answers(*args, **kw))
        return started[-1]

    yield start
    for s in started:
        s.stop()


def lines_of(server):
    return [line for _, _, body in server.posts for line in body.decode().splitlines()]


# -- the real ones: what is asked back is what was sampled


@pytest.mark.skipif(not Influx.program, reason="influxd is not installed")
def test_influxdb(cluster, tmp_path):
    with engines.running(Influx, tmp_path) as db:
        db.ask("CREATE DATABASE c")
        d = daemon(cluster, {"csv": f"store_csv path={cluster.path('rows')}", "in": f"influx url={db.url}", "old": f"influx host_port=127.0.0.1:{db.port} db=old",
                             "zip": f"influx url={db.url}/ db=zipped gzip=1 notags=instance tags=newest_pid"},
                   samplers=("loadavg", "procstat2", "all_example"))
        # a database that is not there is said, and nothing is lost meanwhile
        st = wait_for(lambda: (s := d.policy("old")) and s["why"] and s, "why")
        assert 'answers with status 404: database not found: "old"' in st["why"] and not st["dropped"]
        db.ask("CREATE DATABASE old")
        db.ask("CREATE DATABASE zipped")
        for name in ("in", "old", "zip"):
            stored(d, 12, name)
        # a field of another type than before: these rows are refused with the server's words, the others stored
        fetch(db.url + "/write?db=zipped", b'loadavg,component_id=7 runnable="text"')
        assert d.stop() == 0
        assert "lost" not in d.text()
        rows = by_csv(cluster, "loadavg")
        got = db.ask("SELECT * FROM loadavg", "c")
        assert [(g["time"] // 1000, g["load1min"], g["runnable"], g["scheduling_entities"]) for g in got] == \
               [(round(float(r["#Time"]) * 1e6), float(r["load1min"]), int(r["runnable"]), int(r["scheduling_entities"])) for r in rows]
        assert {(g["producer"], g["instance"], g["component_id"], g["job_id"]) for g in got} == {("n1", "n1/loadavg", "7", "0")}
        cpus = by_csv(cluster, "procstat2")
        got = db.ask("SELECT * FROM procstat2", "c")
        assert sorted((g["time"] // 1000, g["cpu_list_entry_idx"], g["cpu_list_name"], g["cpu_list_user"]) for g in got) == \
               sorted((round(float(r["#Time"]) * 1e6), r["cpu_list_entry_idx"], r["cpu_list_name"], int(r["cpu_list_user"])) for r in cpus)
        row, = db.ask("SELECT * FROM all_example ORDER BY time DESC LIMIT 1", "c")
        assert row["char_array"] == "LLL" and row["float_array_0"] == row["u64_array_2"] == row["s8"] == row["char"] and row["u8_array_3"] == 0
        # the form of ldmsd's own store
        tags = {t["tagKey"] for t in db.ask("SHOW TAG KEYS FROM loadavg", "old")}
        assert tags == {"component_id", "job_id"}
        assert {(g["component_id"], g["job_id"]) for g in db.ask("SELECT * FROM loadavg", "old")} == {("7i", "0i")}
        assert not any("array_0" in f["fieldKey"] for f in db.ask("SHOW FIELD KEYS FROM all_example", "old"))
        tags = {t["tagKey"] for t in db.ask("SHOW TAG KEYS FROM loadavg", "zipped")}
        assert tags == {"component_id", "job_id", "producer", "newest_pid"}


@pytest.mark.skipif(not Influx.program, reason="influxd is not installed")
def test_influxdb_refuses_rows_for_good(cluster, tmp_path):
    with engines.running(Influx, tmp_path) as db:
        db.ask("CREATE DATABASE c")
        assert fetch(db.url + "/write?db=c", b'loadavg runnable="a text"') == ""
        d = daemon(cluster, {"in": f"influx url={db.url}"}, samplers=("loadavg", "clock"))
        d.says("policy in: rows were refused and are lost")
        assert "partial write: field type conflict" in d.text()
        wait_for(lambda: (s := d.policy()) and s["refused"] > 3 and s["rows"] > 3, "refused and other rows")
        assert len(db.ask("SELECT * FROM clock", "c")) > 3
        assert [r["runnable"] for r in db.ask("SELECT runnable FROM loadavg", "c")] == ["a text"]


@pytest.mark.skipif(not VictoriaMetrics.program, reason="victoria-metrics is not installed")
def test_victoria_metrics_over_kills(cluster, tmp_path):
    """Both protocols; the server is killed and away for a while, hangs, is stopped and away once more: nothing is lost but
    what it had in its memory when it was killed, and it catches up."""
    both = ("line", "rw")

    def spooled():
        wait_for(lambda: all((s := d.policy(n)) and s["spooled"] > 10 for n in both), "samples in the spools")

    def caught_up():
        wait_for(lambda: all((s := d.policy(n)) and not s["spooled"] and not s["why"] for n in both), "empty spools")

    with engines.running(VictoriaMetrics, tmp_path) as vm:
        d = daemon(cluster, {"csv": f"store_csv path={cluster.path('rows')}", "line": f"influx url={vm.url} u64=uint deadline=300ms",
                             "rw": f"remote_write url={vm.url} prefix=nersc_ldms_ deadline=300ms"}, samplers=("loadavg", "procstat2"),
                   policy=f"spool={cluster.path('spool')}")
        stored(d, 10, "rw")
        vm.kill()
        killed_ms = time.time() * 1000
        spooled()
        vm.start()
        caught_up()
        vm.proc.send_signal(signal.SIGSTOP)
        d.says("has not answered within 300ms (deadline=)")
        vm.proc.send_signal(signal.SIGCONT)
        vm.kill(signal.SIGTERM)
        spooled()
        vm.start()
        caught_up()
        assert d.stop() == 0
        assert "dropped=0" in d.text() and not re.search("dropped=[1-9]", d.text())
        at_ms = {r["#Time"]: int(r["#Time"].split(".")[0]) * 1000 + int(r["#Time"].split(".")[1]) // 1000
                 for schema in ("loadavg", "procstat2") for r in by_csv(cluster, schema)}
        rows = {at_ms[r["#Time"]]: float(r["load1min"]) for r in by_csv(cluster, "loadavg") if at_ms[r["#Time"]] > killed_ms}
        labels = {"job_id": "0", "component_id": "7", "instance": "n1/loadavg"}
        for metric, more in (("loadavg_load1min", {"producer": "n1", "db": "c"}), ("nersc_ldms_loadavg_load1min", {"hostname": "n1"})):
            series = frozenset({**labels, **more, "__name__": metric}.items())
            wait_for(lambda: rows.items() <= vm.samples(metric).get(series, {}).items(), "all rows of " + metric)
            assert len(vm.samples(metric)) == 1
        cpus = {dict(k)["cpu_list_name"]: v for k, v in vm.samples("nersc_ldms_procstat2_cpu_list_user").items()}
        for r in by_csv(cluster, "procstat2"):
            assert at_ms[r["#Time"]] <= killed_ms or cpus[r["cpu_list_name"]][at_ms[r["#Time"]]] == int(r["cpu_list_user"])


@pytest.mark.skipif(not Prometheus.program, reason="prometheus is not installed")
def test_prometheus(cluster, tmp_path):
    with engines.running(Prometheus, tmp_path) as prom:
        d = daemon(cluster, {"csv": f"store_csv path={cluster.path('rows')}", "rw": f"remote_write url={prom.url}"}, samplers=("loadavg", "all_example"))
        stored(d, 10, "rw")
        assert d.stop() == 0
        (labels, got), = prom.samples("loadavg_load5min").items()
        assert dict(labels) == {"__name__": "loadavg_load5min", "hostname": "n1", "instance": "n1/loadavg", "component_id": "7", "job_id": "0"}
        rows = by_csv(cluster, "loadavg")
        assert list(got.values()) == [float(r["load5min"]) for r in rows]
        got = prom.samples("all_example_s16_array")
        assert sorted(dict(k)["index"] for k in got) == ["0", "1", "2", "3"]


# -- servers that fail


def test_failing_servers(cluster, server):
    """Nothing is lost while the server as a whole does not do, and each failure is said in words."""
    s = server()
    kinds = {
        "500": (lambda *_: (500, {}, b"engine: \x1b[31mcache\nfull"), "answers with status 500: engine: [31mcache full"),
        "429": (lambda *_: (429, {"Retry-After": "1"}, b'{"code":"too many requests","message":"slow \\"down\\""}'), 'status 429: slow "down"'),
        "400": (lambda *_: (400, {}, b"Client sent an HTTP request to an HTTPS server.\n"),
                "HTTP request to an HTTPS server.; it has taken nothing so far: see url=, and whether it is https://"),
        "401": (lambda *_: (401, {}, b""), "status 401; see token_file="),
        "moved": (lambda *_: (301, {"Location": "/elsewhere"}, b""), "status 301; give the new address in url="),
        "torn": (lambda *_: (200, {"X-Torn": "1"}, b"xyz"), "/write: "),
        "reset": (lambda *_: ("reset", {}, b""), "/write: "),
        "hang": (lambda *_: ("hang", {}, b""), "has not answered within 200ms (deadline=)"),
    }
    servers = {name: server(answer) for name, (answer, _) in kinds.items()}
    stores = {"w" + name: f"influx url={x.url} deadline=200ms" for name, x in servers.items()}
    stores["wnone"] = f"influx url=http://127.0.0.1:{free_port()}"
    d = daemon(cluster, {**stores, "wok": f"influx url={s.url}"})
    stored(d, 10, "wok")
    for name, (_, words) in kinds.items():
        st = wait_for(lambda: (x := d.policy("w" + name)) and x["why"] and x, f"what {name} gives")
        assert words in st["why"] and not st["stored"] and not st["dropped"] and not st["refused"], st
    assert "onnect" in wait_for(lambda: d.policy("wnone")["why"], "why")
    for x in servers.values():
        x.hang.set()
        x.answer = x.ok
    for name in servers:
        assert stored(d, 10, "w" + name)["dropped"] == 0
    assert d.stop() == 0
    times = [line.split()[-1] for line in lines_of(s)]
    assert times == sorted(set(times)), "a row twice, or out of order"
    for name, x in servers.items():  # each was asked more than once, and has each row in the end
        assert set(times) <= {line.split()[-1] for line in lines_of(x)}, name
    assert len(s.connections) == 1, "the connection is not kept"


def test_bad_rows_are_found(cluster, server):
    """A batch is halved until the bad line is alone; a batch that is too long until it is not."""
    seen = {}

    def answer(path, headers, body):
        lines = body.decode().splitlines()
        if len(lines) > 3:
            return 413, {}, b"too long"
        bad = [x for x in lines if int(x.split()[-1]) % 3 == 0]
        seen.update((x, x not in bad) for x in lines if x not in bad or len(lines) == 1)
        return (400, {}, json.dumps({"error": f"cannot take {bad[0]}"}).encode()) if bad else (204, {}, b"")

    s = server(lambda *_: (503, {}, b"not yet"))
    d = daemon(cluster, {"in": f"influx url={s.url}"}, interval="10ms")
    wait_for(lambda: (st := d.policy()) and st["queued"] > 30, "samples in the queue")
    s.answer = answer
    d.says("rows were refused and are lost")
    assert "answers with status 400: cannot take synth" in d.text()
    wait_for(lambda: (st := d.policy()) and st["refused"] > 5 and st["rows"] > 20, "rows")
    assert d.stop() == 0
    refused = [x for x, ok in seen.items() if not ok]
    assert refused and all(int(x.split()[-1]) % 3 == 0 for x in refused)
    final = int(re.findall(r"refused=(\d+)", d.text())[-1])
    assert final <= len(refused)


def test_how_many_were_left_out(cluster, server):
    """InfluxDB says so behind names that peers have chosen."""
    bad, left = [], 'partial write: field type conflict: input field " dropped=3" on measurement "synth" is type string, already exists dropped=1'

    def answer(path, headers, body):
        if body.count(b"\n") < 4 or len(bad) == 3:
            return 204, {}, b""
        bad.append(body)
        return 400, {}, json.dumps({"error": left}).encode()

    s = server(lambda *_: (503, {}, b"not yet"))
    d = daemon(cluster, {"in": f"influx url={s.url} batch=8"}, interval="10ms")
    wait_for(lambda: (st := d.policy()) and st["queued"] > 30, "samples in the queue")
    s.answer = answer
    wait_for(lambda: len(bad) == 3 and stored(d, 40), "rows")
    assert d.policy()["refused"] == 3


def test_a_slow_server_gets_less_at_once(cluster, server):
    """A batch that took longer than the deadline is halved, and not sent again and again as it is."""
    answers, sizes = [503, "hang"], []

    def answer(path, headers, body):
        sizes.append(body.count(b"\n"))
        return answers.pop(0) if answers and (answers[0] == 503 or sizes[-1] == 16) else 204, {}, b""

    s = server(answer)
    d = daemon(cluster, {"in": f"influx url={s.url} batch=16 deadline=1s"}, interval="10ms")
    wait_for(lambda: not answers, "a batch that hangs")
    d.says("stores again after")
    assert stored(d, 16)["dropped"] == 0
    assert sizes[sizes.index(16) + 1] == 8


def test_memory_is_bounded(cluster, server):
    """With a server that hangs, all but a batch waits in the queue, which drops its oldest; all of it is counted."""
    s = server(lambda *_: ("hang", {}, b""))
    d = daemon(cluster, {"in": f"influx url={s.url} batch=10 deadline=100ms"}, interval="10ms", policy="queue_bytes=64k")
    st = wait_for(lambda: (st := d.policy()) and st["dropped"] > 20 and st, "drops")
    assert st["stored"] == 0 and st["rows"] <= 10 and st["queued_bytes"] < 128 << 10


def test_stopping_while_a_server_hangs(cluster, server):
    """What is in memory goes to the spool, though the worker waits for an answer for minutes to come; nothing is lost."""
    s = server(lambda *_: ("hang", {}, b""))
    d = daemon(cluster, {"csv": f"store_csv path={cluster.path('rows')}", "in": f"influx url={s.url} deadline=5m", "rw": f"remote_write url={s.url} deadline=5m"},
               policy=f"spool={cluster.path('spool')}")
    wait_for(lambda: len(s.posts) == 2 and all((st := d.policy(n)) and st["queued"] > 10 for n in ("in", "rw")), "samples in the queues")
    assert d.stop() == 0
    assert "left behind" not in d.text()
    s.answer = s.ok
    n = len(s.posts)
    d.start()
    wait_for(lambda: all((st := d.policy(n)) and st["stored"] and not st["spooled"] for n in ("in", "rw")), "empty spools")
    assert [d.policy(n)["dropped"] for n in ("in", "rw")] == [0, 0]
    assert d.stop() == 0
    times = [round(float(r["#Time"]) * 1e6) for r in by_csv(cluster, "synth")]
    got = [int(line.split()[-1]) // 1000 for path, _, body in s.posts[n:] if path.startswith("/write") for line in body.decode().splitlines()]
    assert got == times


# -- configuration


@pytest.mark.skipif(not engines.program("openssl"), reason="openssl is not installed")
def test_credentials_and_tls(cluster, server, tmp_path):
    key, cert = cluster.path("key.pem"), cluster.path("cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    v2 = server(lambda path, headers, body: (204 if headers.get("Authorization") == "Token new" else 401, {}, b'{"message":"unauthorized access"}'), tls=tls)
    basic, bearer = server(), server()
    os.mkdir(cluster.path("secrets"))
    token, password = cluster.write("secrets/token", "old\n"), cluster.write("password", "pa:ss word\n")
    d = daemon(cluster, {"two": f"influx url={v2.url} org=my%org bucket=a&b token_file={token} ca={cert}",
                         "blind": f"influx url={v2.url}/api/v2/write?bucket=x&org=y api=2 verify=0 token_file={token} gzip=9",
                         "strict": f"influx url={v2.url} org=o token_file={token}",
                         "basic": f"influx url={basic.url}/influx db=d rp=weekly user=ldms password_file={password}",
                         "bearer": f"remote_write url={bearer.url} token_file={token}",
                         "lost": f"remote_write url={bearer.url} token_file={cluster.path('nothing')}"}, "--sandbox", env=CONFINED_ENV)
    st = wait_for(lambda: (x := d.policy("two")) and x["why"] and x, "why")
    assert "status 401: unauthorized access; see token_file=" in st["why"]
    assert "certificate" in wait_for(lambda: d.policy("strict")["why"], "why").lower()
    assert "nothing: No such file" in wait_for(lambda: d.policy("lost")["why"], "why")
    os.rename(cluster.write("secrets/next", "new\n"), token)
    for name in ("two", "blind", "basic", "bearer"):
        stored(d, 3, name)
    d.stop()
    assert v2.posts[0][1]["Authorization"] == "Token old"
    assert {p for p, h, _ in v2.posts} == {"/api/v2/write?bucket=a%26b&org=my%25org", "/api/v2/write?bucket=x&org=y"}
    zipped = next(body for p, h, body in v2.posts if h.get("Content-Encoding") == "gzip")
    assert gzip.decompress(zipped).startswith(b"synth,")
    assert {(p, h["Authorization"]) for p, h, _ in basic.posts} == {("/influx/write?db=d&rp=weekly", "Basic bGRtczpwYTpzcyB3b3Jk")}
    path, headers, body = bearer.posts[0]
    assert path == "/api/v1/write" and headers["Authorization"] == "Bearer old" and headers["Content-Encoding"] == "snappy"
    assert "pa:ss" not in d.text() and "old" not in d.text().split()


def test_slips(cluster):
    def check(plugin, words):
        r = run("check", cluster.write("slip.conf", f"load name=x plugin={plugin}\nconfig name=x {words}\n"))
        return r.stdout + r.stderr

    for plugin, words, said in (
            ("influx", "", "url is required"), ("influx", "url=h:8086", "must begin with http:// or https://"),
            ("influx", "url=http://u:p@h", "a user and password do not go there"), ("influx", "url=http://h api=3", "api=3: one of these goes there: 1, 2"),
            ("influx", "url=http://h bucket=b", "org is required"), ("influx", "url=http://h org=o db=x", "leave out two"),
            ("influx", "url=http://h/write?db=x db=y", "says itself where rows go"), ("influx", "url=http://h gzip=10", "gzip=10: from 0 to 9"),
            ("influx", "url=http://h user=u", "user= and password_file= go together"), ("influx", "url=http://h cert=c", "cert= and key= go together"),
            ("influx", "url=http://h tags=a,b notags=b", "b is in tags= and in notags="), ("influx", "url=http://h batch=0", "batch=0: from 1 to"),
            ("influx", "url=http://h deadline=0", "deadline=0: from 1ms to 10m"), ("influx", "host_port=a/b", "HOST:PORT goes there"), ("influx", "host_port=h:99999", "HOST:PORT goes there"),
            ("influx", "url=http://h bacth=1", "did you mean 'batch'"), ("remote_write", "url=http://h prefix=a-b", "letters, digits, _ and : go there"),
            ("remote_write", "url=http://h prefix=1", "cannot begin with a digit"), ("remote_write", "url=http://h verify=perhaps", "verify: ")):
        assert said in check(plugin, words), (plugin, words)
    for words in ("url=http://h/write?p=secret db=y", "url=http://h/?p=secret#", "url=ftp://u:secret@h", "url=http:///?p=secret"):
        said = check("influx", words)
        assert "url=" in said and "secret" not in said, said


def test_short_forms(cluster, server):
    """--to influx:URL and vm:URL."""
    a, b = server(), server()
    d = cluster.samp("n1", "loadavg", "--interval", "50ms", "--to", f"influx:{a.url}", "--to", f"vm:{b.url}")
    wait_for(lambda: a.posts and b.posts, "rows")
    assert d.stop() == 0
    assert a.posts[0][0] == "/write?db=ldms" and b.posts[0][0] == "/api/v1/write"
    assert lines_of(a)[0].startswith("loadavg,component_id=1,instance=n1/loadavg,job_id=0,producer=n1 ")


def test_rows_that_no_tag_tells_apart(cluster, server):
    """Entries of a list by a decomposition without their names: the database would keep one of them, which is said; also
    where failures make rows come again, those with a tag of their own are not meant."""
    def decomp(name, *cols):
        return cluster.write(name, json.dumps({"type": "static", "rows": [{"schema": "cpus", "cols": [
            {"src": "timestamp", "dst": "ts", "type": "ts"}, {"src": "producer", "dst": "who", "type": "char_array"},
            *({"src": "cpu_list", "rec_member": c, "dst": c, "type": t} for c, t in cols)]}]}))

    answers = iter([(503, {}, b"busy")] * 2)
    s = server(lambda *_: next(answers, (204, {}, b"")))
    same, apart = decomp("same.json", ("user", "u64")), decomp("apart.json", ("name", "char_array"), ("user", "u64"))
    lines = [f"load name={n} plugin={p}\nconfig name={n} url={s.url} {more}\nstrgp_add name={n} plugin={n} container=c regex=.* "
             f"decomposition={d} flush=50ms\nstrgp_start name={n}\n" for n, p, d, more in (
                 ("apart", "influx", apart, "batch=1"), ("apart_rw", "remote_write", apart, "batch=1"), ("tags", "influx", same, "tags=user"),
                 ("same", "influx", same, ""), ("same_rw", "remote_write", same, ""))]
    path, port = conf(cluster, {}, samplers=("procstat2",))
    with open(path, "a") as f:
        f.writelines(lines)
    d = cluster.daemon("store", ["store", "-c", path], port)
    for name in ("same", "same_rw"):
        d.says(f"store {name}: rows of cpus come with the same tags at the same time (set n1/procstat2)")
    for name in ("apart", "apart_rw"):
        stored(d, 3, name)
    assert d.stop() == 0
    assert d.text().count("come with the same tags") - d.text().count("store tags: rows of") == 2
    assert any("busy" in line for line in d.text().splitlines())
