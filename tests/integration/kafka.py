"""Brokers of Kafka for tests: a real one, from its jars, and librdkafka's own in a process (tests/kafka/mock.c); who reads
their topics is kcat; and a schema registry of forty lines, which is no real one."""
import collections
import concurrent.futures
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import urllib.request

from ldms import BUILD, PATIENCE_S, ROOT, free_port, wait_for

JARS = os.path.join(ROOT, "tests/kafka/jars.txt")
CACHE = os.environ.get("LDMS_KAFKA_CACHE", os.path.expanduser("~/.cache/ldms-tests/kafka"))
CENTRAL = os.environ.get("LDMS_MAVEN", "https://repo1.maven.org/maven2")
FETCH_S, ANSWER_S = 60, 10  # for all jars, 47 MB; for a part of one to come
MOCK = os.path.join(BUILD, "tests/kafka/mock")

Message = collections.namedtuple("Message", "partition offset key headers value")


def kcat(brokers, *args, **kw):
    return subprocess.run(["kcat", "-b", brokers, *args], capture_output=True, timeout=PATIENCE_S * 3, **kw)


def topics(brokers):
    r = kcat(brokers, "-L", "-J")
    return {t["topic"]: len(t["partitions"]) for t in json.loads(r.stdout)["topics"]} if r.returncode == 0 else {}


def consume(brokers, topic, *args):
    """All messages of a topic, partition by partition."""
    r = kcat(brokers, "-t", topic, "-C", "-e", "-q", "-X", "fetch.wait.max.ms=10", "-o", "beginning",
             "-f", "%p %o %k %h %S %s\\n", *args)
    assert r.returncode == 0, r.stderr
    got, text, at = [], r.stdout, 0
    while at < len(text):
        head = text[at:at + 512].split(b" ", 5)
        at += sum(map(len, head[:5])) + 5
        size = int(head[4])
        got.append(Message(int(head[0]), int(head[1]), head[2].decode(), head[3].decode(), text[at:at + size]))
        at += size + 1
    return sorted(got, key=lambda m: (m.partition, m.offset))


def rows(brokers, topic, *args):
    return [json.loads(m.value) for m in consume(brokers, topic, *args)]


def why_no_mock():
    for what in (MOCK, shutil.which("kcat")):
        if not what or not os.access(what, os.X_OK):
            return "no mock brokers, or no kcat: librdkafka-dev and kcat are wanted"
    return None


class Mock:
    """One broker; topics come when they are asked for, with four partitions."""

    def __init__(self, *names):
        self.proc = subprocess.Popen([MOCK, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                     text=True)
        self.brokers = self.proc.stdout.readline().strip()
        assert self.brokers

    def tell(self, words):
        self.proc.stdin.write(words + "\n")
        self.proc.stdin.flush()
        assert self.proc.stdout.readline() == "ok\n"

    def down(self):
        self.tell("down")

    def up(self):
        self.tell("up")

    def end(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()


# -- a real one ---------------------------------------------------------------------------------------------------------


def fetch(line):
    """A jar of that name and contents, from the cache or from Maven Central."""
    digest, path = line.split()
    file = os.path.join(CACHE, os.path.basename(path))
    if os.path.exists(file):
        with open(file, "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() == digest:
                return file
    with urllib.request.urlopen(f"{CENTRAL}/{path}", timeout=ANSWER_S) as r:
        data = r.read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise OSError(f"{path} is not what it was")
    part = f"{file}.{os.getpid()}"
    with open(part, "wb") as f:
        f.write(data)
    os.rename(part, file)
    return file


def jars():
    """The jars of a broker, or OSError."""
    os.makedirs(CACHE, exist_ok=True)
    with open(JARS) as f:
        lines = f.read().splitlines()
    pool = concurrent.futures.ThreadPoolExecutor(8)
    try:
        return list(pool.map(fetch, lines, timeout=FETCH_S))
    except concurrent.futures.TimeoutError:
        raise OSError(f"the jars did not come within {FETCH_S} s") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},TLS://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{control}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SASL_SSL
inter.broker.listener.name=PLAINTEXT
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location={dir}/broker.pem
listener.name.tls.sasl.enabled.mechanisms=PLAIN
listener.name.tls.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ldms="very secret";
log.dirs={dir}/logs
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
auto.create.topics.enable=true
"""
LOG4J = """log4j.rootLogger=WARN,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d %p %m%n
"""


class Broker:
    """A real one, of one node; down() is kill -9."""

    def __init__(self, folder):
        self.dir = str(folder)
        self.jars = ":".join(jars())
        self.port, self.tls = free_port(), free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self.tls_brokers = f"127.0.0.1:{self.tls}"
        self.ca = os.path.join(self.dir, "ca.pem")
        self.certificate()
        self.write("log4j.properties", LOG4J)
        self.conf = self.write("server.properties",
                               PROPERTIES.format(dir=self.dir, port=self.port, tls=self.tls, control=free_port()))
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.conf),
                       check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S * 3)
        self.up()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def certificate(self):
        key, cert = os.path.join(self.dir, "key.pem"), self.ca
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                       stderr=subprocess.DEVNULL)
        with open(key) as k, open(cert) as c:
            self.write("broker.pem", k.read() + c.read())

    def java(self, *args):
        return ["java", "-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", self.jars,
                f"-Dlog4j.configuration=file:{self.dir}/log4j.properties", *args]

    def up(self):
        with open(os.path.join(self.dir, "broker.log"), "ab") as log:
            self.proc = subprocess.Popen(self.java("kafka.Kafka", self.conf), stdout=log, stderr=log)
        wait_for(lambda: self.proc.poll() is not None or kcat(self.brokers, "-L", "-m", "1").returncode == 0, "the broker",
                 patience=PATIENCE_S * 3)
        if self.proc.poll() is not None:
            with open(os.path.join(self.dir, "broker.log")) as f:
                raise OSError(f"the broker ended: {f.read()[-2000:]}")

    def down(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait()

    def end(self):
        if self.proc.poll() is None:
            self.down()


def why_no_broker():
    for what in ("java", "kcat", "openssl"):
        if not shutil.which(what):
            return f"no real broker: {what} is not there"
    return None


# -- a schema registry --------------------------------------------------------------------------------------------------


class Registry:
    """Says the numbers of schemas; `answer` is (status, text) where it shall say something else; who asks for a subject in
    `hung` waits until it is released."""

    def __init__(self, port=0):
        self.schemas, self.asked, self.answer, self.hung = [], [], None, ()
        self.released = threading.Event()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                registry.asked.append((self.path, self.headers, body))
                if self.path.split("/")[2] in registry.hung:
                    registry.released.wait()
                status, text = registry.answer or (200, json.dumps({"id": registry.number(json.loads(body)["schema"])}))
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def number(self, schema):
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1

    def end(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


# -- Avro, as its specification says ------------------------------------------------------------------------------------


def avro_long(data):
    value, shift = 0, 0
    while True:
        byte = data.pop(0)
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)


def avro_value(kind, data):
    import struct

    if isinstance(kind, dict) and kind["type"] == "array":
        items = []
        while n := avro_long(data):
            items += [avro_value(kind["items"], data) for _ in range(n)]
        return items
    kind = kind["type"] if isinstance(kind, dict) else kind
    if kind in ("int", "long"):
        return avro_long(data)
    size = {"float": 4, "double": 8}.get(kind) or avro_long(data)
    raw = bytes(data.pop(0) for _ in range(size))
    return raw.decode() if kind == "string" else struct.unpack("<f" if kind == "float" else "<d", raw)[0]


def avro_row(registry, value):
    """A message's row, by the schema that the registry has for it."""
    data = bytearray(value)
    assert data[0] == 0
    schema = json.loads(registry.schemas[int.from_bytes(data[1:5], "big") - 1])
    del data[:5]
    row = {f["name"]: avro_value(f["type"], data) for f in schema["fields"]}
    assert not data
    return row
