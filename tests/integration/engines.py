"""Databases that take rows over HTTP, as programs of the tests: InfluxDB, VictoriaMetrics, Prometheus; and a server that
answers what a test wants, for failures that they do not have."""
import contextlib
import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from ldms import free_port, wait_for

PATH = os.environ["PATH"] + ":/usr/bin:/usr/sbin"


def program(*names):
    """The first of these that is installed, or None."""
    return next(filter(None, (shutil.which(n, path=PATH) for n in names)), None)


def fetch(url, data=None, **query):
    """What the server answers; None while it does not, or with a failure."""
    if query:
        url += "?" + urllib.parse.urlencode(query)
    try:
        with urllib.request.urlopen(url, data, timeout=20) as r:
            return r.read().decode()
    except (urllib.error.URLError, OSError):
        return None


class Engine:
    """One process, with all that it writes below `folder`."""

    ready = None

    def __init__(self, folder, *args):
        self.dir, self.port = str(folder), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.args = [*self.command(), *args]
        self.start()

    def start(self):
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.proc = subprocess.Popen(self.args, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.dir)
        wait_for(lambda: fetch(self.url + self.ready) is not None, f"{self.args[0]}, see {self.dir}/log")
        return self

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)
        self.proc.wait()


class Influx(Engine):
    ready, program = "/ping", program("influxd")

    def command(self):
        conf = os.path.join(self.dir, "influx.conf")
        with open(conf, "w") as f:
            f.write(f"""reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{self.dir}/meta"
[data]
dir = "{self.dir}/data"
wal-dir = "{self.dir}/wal"
[http]
bind-address = "127.0.0.1:{self.port}"
[monitor]
store-enabled = false
""")
        return [self.program, "-config", conf]

    def ask(self, q, db=None, **more):
        """Rows of a query, each a dictionary; tags stand in it as columns do."""
        got = json.loads(fetch(self.url + "/query", b"" if db is None else None, q=q, db=db or "", epoch="ns", **more) or "{}")
        return [dict(zip(s["columns"], row), **s.get("tags", {})) for r in got.get("results", [])
                for s in r.get("series", []) for row in s["values"]]


class VictoriaMetrics(Engine):
    ready, program = "/health", program("victoria-metrics")

    def command(self):
        return [self.program, f"-storageDataPath={self.dir}/vm", f"-httpListenAddr=127.0.0.1:{self.port}",
                "-search.latencyOffset=0s", "-memory.allowedBytes=256MB", "-influxListenAddr="]

    def samples(self, match):
        """{labels: {milliseconds: value}} of what it has."""
        fetch(self.url + "/internal/force_flush")
        text = fetch(self.url + "/api/v1/export", **{"match[]": match}) or ""
        got = {}
        for line in text.splitlines():
            s = json.loads(line)
            got.setdefault(frozenset(s["metric"].items()), {}).update(zip(s["timestamps"], s["values"]))
        return got


class Prometheus(Engine):
    ready, program = "/-/ready", program("prometheus")

    def command(self):
        conf = os.path.join(self.dir, "prom.yml")
        with open(conf, "w") as f:
            f.write("global: {scrape_interval: 1h}\n")
        return [self.program, f"--config.file={conf}", f"--storage.tsdb.path={self.dir}/prom",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn", "--web.enable-remote-write-receiver"]

    def samples(self, match):
        got = json.loads(fetch(self.url + "/api/v1/query", query=match + "[1h]") or '{"data":{"result":[]}}')
        return {frozenset(s["metric"].items()): {round(t * 1000): float(v) for t, v in s["values"]}
                for s in got["data"]["result"]}


@contextlib.contextmanager
def running(engine, folder, *args):
    e = engine(folder, *args)
    try:
        yield e
    finally:
        if e.proc.poll() is None:
            e.kill()


# -- a server that answers what a test wants


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one

    def do_POST(self):
        server = self.server.owner
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.connections.add(self.client_address)
        server.posts.append((self.path, dict(self.headers), body))
        status, headers, text = server.answer(self.path, dict(self.headers), body)
        if status == "reset":
            self.close_connection = True
            self.connection.shutdown(2)
            return
        if status == "hang":
            server.hang.wait()
            self.close_connection = True
            return
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text[:-1] if headers.get("X-Torn") else text)
            self.wfile.flush()
        self.close_connection |= "X-Torn" in headers

    def log_message(self, *args):
        pass

    def address_string(self):
        return "a client"


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address, daemon_threads = True, True

    def handle_error(self, request, client_address):
        pass


class Answers:
    """answer(path, headers, body) -> (status or "reset" or "hang", headers, body); what was posted is in `posts`."""

    def __init__(self, answer=None, tls=None):
        self.ok = lambda *_: (204, {}, b"")
        self.answer, self.posts, self.connections, self.hang = answer or self.ok, [], set(), threading.Event()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()
