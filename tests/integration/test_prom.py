"""The sampler prom: a Prometheus exporter scraped into a list of records; a small server here, and node_exporter where
it is installed."""
import http.server
import json
import os
import shutil
import socket
import socketserver
import threading
import urllib.request

import pytest

from ldms import CONFINED_ENV, PATIENCE_S, free_port, run, wait_for

NODE_EXPORTER = shutil.which("prometheus-node-exporter", path=os.environ["PATH"] + ":/usr/bin")
TEXT = """# HELP hits How many.
# TYPE hits counter
hits{path="/a b",code="200"} 5
hits{path="C:\\\\x \\"y\\"",code="500",} 1 1395066363000
# TYPE load gauge
load NaN
# TYPE took histogram
took_bucket{le="+Inf"} 3
took_sum 1.5
took_count 3
free 1e3
"""
RECORDS = [("hits", 'path="/a b",code="200"', 5, "counter"), ("hits", 'path="C:\\\\x \\"y\\"",code="500"', 1, "counter"),
           ("load", "", None, "gauge"), ("took_bucket", 'le="+Inf"', 3, "histogram"), ("took_sum", "", 1.5, "histogram"),
           ("took_count", "", 3, "histogram"), ("free", "", 1000, "untyped")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        e = self.server.exporter
        e.asked.append((self.path, self.headers["Accept"], self.client_address))
        e.answers.wait()  # until the test lets it
        body = e.text.encode() if isinstance(e.text, str) else e.text
        self.send_response(e.status)
        if e.status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # it had enough

    def log_message(self, *args):
        pass

    def address_string(self):
        return "a client"


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address, daemon_threads = True, True


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Exporter:
    def __init__(self, where):
        self.text, self.status, self.asked, self.answers = TEXT, 200, [], threading.Event()
        self.answers.set()
        self.server = (UnixServer if isinstance(where, str) else Server)(where, Handler)
        self.server.exporter = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.answers.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def exporter():
    started = []

    def start(where=None):
        e = Exporter(where or ("127.0.0.1", free_port()))
        started.append(e)
        if not where:
            e.url = f"http://127.0.0.1:{e.server.server_address[1]}/metrics"
        return e
    yield start
    for e in started:
        e.stop()


def samp(cluster, attrs, *args):
    port = free_port()
    conf = cluster.write("c.conf", f"load name=prom\nconfig name=prom {attrs}\nstart name=prom interval=50ms\n"
                         "load name=loadavg\nconfig name=loadavg\nstart name=loadavg interval=50ms\n")
    return cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf, *args], port)


def records(d):
    rows = d.values("n1/prom").get("n1/prom", {}).get("sample_list")
    return rows if rows is None else [tuple(r[k] for k in ("name", "labels", "value", "kind")) for r in rows]


def status(d, name):
    def ask():
        r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", "plugn_status")
        return r.returncode == 0 and json.loads(r.stdout)
    return next(r for r in wait_for(ask, "the daemon to answer") if r["name"] == name)


def same(got):
    """NaN is not itself, and JSON has no word for it."""
    return got and [(n, l, None if k == "gauge" else v, k) for n, l, v, k in got] == RECORDS


def test_what_an_exporter_says(cluster, exporter):
    e = exporter()
    d = samp(cluster, f"url={e.url} deadline=1m")
    wait_for(lambda: same(records(d)), "its samples")
    assert {a[:2] for a in e.asked} == {("/metrics", "text/plain;version=0.0.4;q=1,*/*;q=0.1")}
    assert len({a[2] for a in e.asked}) == 1  # one connection
    # other values, fewer, and more and longer than there was room for
    e.text = "a 1\nb{c=\"d\"} -2.5\n"
    wait_for(lambda: records(d) == [("a", "", 1, "untyped"), ("b", 'c="d"', -2.5, "untyped")], "two others")
    e.text = "".join(f'{"a" * 60}{{n="{i}",text="{"x" * 200}"}} {i}\n' for i in range(500))
    wait_for(lambda: len(records(d) or ()) == 500, "five hundred")
    assert records(d)[499] == ("a" * 60, f'n="499",text="{"x" * 200}"', 499, "untyped")
    # what is wrong is said, and what was there stays; then it goes on
    for text, code, words in (
            ("a 1\nb one\n", 200, "line 2 has no number as its value: b one"),
            (b"a{b=\"\xff\"} 1\n", 200, "line 1 is no UTF-8"),
            ("a 1\nb 2", 200, "line 2 has no end: the text was cut"), ("no", 503, "answers with status 503, not 200"),
            (TEXT, 302, "answers with status 302, not 200"), (b"a 1\n" * (5 << 20), 200, "answers with more than 16M")):
        e.text, e.status = text, code
        wait_for(lambda: words in status(d, "prom")["why"], words)
        e.text, e.status = TEXT, 200
        wait_for(lambda: not status(d, "prom")["degraded"], "it to be well")
    wait_for(lambda: same(records(d)), "its samples")


def test_one_that_hangs(cluster, exporter):
    e = exporter()
    d = samp(cluster, f"url={e.url} deadline=1s")
    wait_for(lambda: same(records(d)), "its samples")
    e.answers.clear()
    d.says(f"{e.url}: has not answered within 1s (deadline=)")
    n = status(d, "loadavg")["samples"]
    wait_for(lambda: status(d, "loadavg")["samples"] > n + 3, "the other sampler to go on")
    assert status(d, "prom")["degraded"]
    e.answers.set()
    wait_for(lambda: not status(d, "prom")["degraded"], "it to be back")


def test_one_that_comes_later(cluster, exporter):
    port = free_port()
    d = samp(cluster, f"url=http://127.0.0.1:{port}/metrics")
    wait_for(lambda: status(d, "prom")["degraded"], "it to be degraded")
    assert f"http://127.0.0.1:{port}/metrics: " in status(d, "prom")["why"]
    exporter(("127.0.0.1", port))
    wait_for(lambda: same(records(d)), "its samples")


def test_unix_socket_and_choice(cluster, exporter):
    path = cluster.path("exporter.sock")
    e = exporter(path)
    d = samp(cluster, f"url=http://localhost/m?x=1 socket={path} include=^(hits|took) exclude=code=\"500\"|_sum")
    wait_for(lambda: records(d) == [RECORDS[0], RECORDS[3], RECORDS[5]], "those that are wanted")
    assert e.asked[0][0] == "/m?x=1"


def test_too_many(cluster, exporter):
    e = exporter()
    r = run("samp", "--once", "prom", f"url={e.url}", "max=3")
    assert r.returncode and "gives more than 3 samples; leave some out with include= or exclude=, or raise max=" in r.stderr
    assert run("samp", "--once", "prom", f"url={e.url}", "max=7").returncode == 0


def test_in_the_sandbox(cluster, exporter):
    e = exporter()
    port = free_port()
    conf = cluster.write("c.conf", f"load name=prom\nconfig name=prom url={e.url}\nstart name=prom interval=50ms\n")
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf, "--sandbox"], port,
                       env=CONFINED_ENV)
    wait_for(lambda: same(records(d)), "its samples")


@pytest.mark.skipif(not NODE_EXPORTER, reason="prometheus-node-exporter is not installed")
def test_node_exporter(cluster):
    port = free_port()
    e = cluster.daemon("node_exporter", [f"--web.listen-address=127.0.0.1:{port}"], port, program=[NODE_EXPORTER])
    url = f"http://127.0.0.1:{port}/metrics"

    def text():
        try:
            return urllib.request.urlopen(url, timeout=PATIENCE_S).read().decode()
        except OSError:
            return ""
    first = wait_for(text, "the exporter")
    d = samp(cluster, f"url={url}")
    rows = wait_for(lambda: records(d), "its samples")
    kinds = dict(line.split()[2:4] for line in first.splitlines() if line.startswith("# TYPE"))
    names = {line.split("{")[0].split()[0] for line in first.splitlines() if line and line[0] != "#"}
    assert {r[0] for r in rows} >= names - {n for n in names if n.startswith(("go_", "process_", "promhttp_"))}
    assert {r[3] for r in rows if r[0] in kinds} >= {"counter", "gauge"}
    assert all(r[3] == kinds[r[0]] for r in rows if r[0] in kinds)
    with open("/proc/meminfo") as f:
        total = int(f.readline().split()[1]) * 1024
    assert ("node_memory_MemTotal_bytes", "", total, "gauge") in rows
    assert e.stop() is not None
