"""Stores kafka and avro_kafka: what brokers get, and that nothing is lost or comes twice while they are dead.

The same tests on a real broker, started once, and on librdkafka's own in a process, see kafka.py."""
import collections
import json
import os
import re
import signal

import pytest
from kafka import Broker, Mock, Registry, avro_row, consume, rows, topics, why_no_broker, why_no_mock
from ldms import CONFINED_ENV, free_port, lacks, policy, run, wait_for

pytestmark = [pytest.mark.skipif(bool(why_no_mock()), reason=str(why_no_mock())),
              pytest.mark.skipif(bool(lacks("kafka")), reason=str(lacks("kafka")))]

SETS = """load name=synth.{i} plugin=synth
config name=synth.{i} producer=n{i} instance=n{i}/synth component_id=${{RUN}}
start name=synth.{i} interval={interval} offset=0
"""
AGG = """prdcr_add name=me type=local reconnect=1s
prdcr_start name=me
updtr_add name=all interval={interval} offset=5ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
listen xprt=sock host=127.0.0.1 port={port}
"""
AS_IS = '{"type":"as_is"}'


class Store:
    """A daemon that samples and stores."""

    def __init__(self, cluster, policies, sets=3, interval="20ms", more="", name="store", args=(), env=None):
        self.port = free_port()
        cluster.write("as_is.json", AS_IS)
        text = "".join(SETS.format(i=i, interval=interval) for i in range(sets)) if sets else ""
        conf = cluster.write(name + ".conf", more + text + AGG.format(interval=interval, port=self.port) +
                             policies.format(dir=cluster.dir))
        self.d = cluster.daemon(name, ["store", "-n", name, "-c", conf, *args], self.port,
                                env={**(env or os.environ), "RUN": "1"})

    def killed(self):
        """Another process goes on; what it samples says so."""
        self.d.env["RUN"] = str(int(self.d.env["RUN"]) + 1)
        self.d.restart()

    def status(self, name="k"):
        return policy(self.port, name)

    def wait(self, condition, what, name="k"):
        return wait_for(lambda: (s := self.status(name)) and condition(s) and s, f"{what}; {self.status(name)}")

    def still(self, name="k"):
        """Nothing more is sampled; what there is has gone its way."""
        r = run("ctl", "-h", "127.0.0.1", "-p", self.port, input="updtr_stop name=all\n")
        assert r.returncode == 0, r.stderr
        return self.wait(lambda s: s["stored"] + s["dropped"] == s["produced"], "all of it", name)

    def ctl(self, line):
        r = run("ctl", "-h", "127.0.0.1", "-p", self.port, *line.split())
        assert r.returncode == 0, r.stderr


def numbers(got):
    """What each producer's messages count, in the order of its partition: key -> [m0, ...]."""
    by = collections.defaultdict(list)
    for m in got:
        by[m.key].append(json.loads(m.value)["m0"])
    return by


def in_order(got):
    """Every producer's rows follow each other, none comes twice."""
    for key, ns in numbers(got).items():
        assert ns == sorted(set(ns)), (key, ns)


def runs_of(got):
    """The same of a daemon that was killed: its samplers count anew in each process."""
    by = collections.defaultdict(list)
    for m in got:
        row = json.loads(m.value)
        by[m.key, row["component_id"]].append(row["m0"])
    return list(by.values())


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if why_no_broker():
        pytest.skip(why_no_broker())
    try:
        b = Broker(tmp_path_factory.mktemp("broker"))
    except OSError as e:
        pytest.skip(f"no real broker: {e}")
    yield b
    b.end()


@pytest.fixture(scope="module")
def mock():
    m = Mock()
    yield m
    m.end()


@pytest.fixture(params=["mock", "real"])
def broker(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def registry():
    r = Registry()
    yield r
    r.end()


POLICY = """load name=kf plugin=store_kafka
config name=kf topic={topic}.%S {config}
strgp_add name=k plugin=kf container={brokers} regex=.* decomposition={{dir}}/as_is.json flush=200ms {strgp}
strgp_start name=k
"""


def test_rows(cluster, broker, registry):
    """JSON, Avro and the plain cut, by the names that ldmsd has for them; nothing comes twice."""
    props = cluster.write("props.json", '{"compression.codec":"lz4","linger.ms":"5"}')
    serdes = cluster.write("serdes.conf", f"schema.registry.url={registry.url}\n")
    s = Store(cluster, POLICY.format(topic="rows", config=f"path={props}", brokers=broker.brokers, strgp="") + f"""
load name=av plugin=store_avro_kafka
config name=av encoding=avro topic="%F.%S" serdes_conf={serdes} key=instance header=none
strgp_add name=a plugin=av container={broker.brokers} regex=.* decomposition={{dir}}/as_is.json
strgp_start name=a
strgp_add name=b plugin=av container={broker.brokers} regex=.*
strgp_start name=b
""")
    for name in "kab":
        s.wait(lambda st: st["stored"] > 60, f"rows of {name}", name)
    st = s.still()
    avro = s.wait(lambda st: st["stored"] == st["produced"], "avro rows", "a")
    got = consume(broker.brokers, "rows.synth_2ed3dd6")
    assert len(got) == st["stored"] == st["rows"]
    in_order(got)
    assert len(numbers(got)) == 3 and all(len({m.partition for m in got if m.key == k}) == 1 for k in numbers(got))
    assert re.fullmatch("digest=[0-9A-F]{64}", got[0].headers) and len({m.headers for m in got}) == 1
    as_json = {(m.key, json.loads(m.value)["m0"]): json.loads(m.value, parse_float=str) for m in got}
    got = consume(broker.brokers, "avro.synth_2ed3dd6")
    assert len(got) == avro["stored"] and {m.key for m in got} == {f"n{i}/synth" for i in range(3)} and not got[0].headers
    both = 0
    for m in got:
        row = avro_row(registry, m.value)
        like = as_json.get((m.key.split("/")[0], row["m0"]))
        if like:
            sec, usec = like.pop("timestamp").split(".")
            assert row.pop("timestamp") == int(sec) * 1000 + int(usec) // 1000
            assert row == like
            both += 1
    assert both > 50
    plain = avro_row(registry, consume(broker.brokers, "avro.synth")[0].value)
    assert list(plain)[:3] == ["timestamp", "producer", "component_id"]
    # each schema once, though two policies and three producers ask
    assert sorted(path for path, _, _ in registry.asked) == ["/subjects/synth/versions", "/subjects/synth_2ed3dd6/versions"]
    assert registry.asked[0][1]["Content-Type"] == "application/vnd.schemaregistry.v1+json"


def test_outage(cluster, broker):
    """The broker is killed at a high rate, and one of two daemons with it: rows wait on disk, and come in order, each once;
    of the daemon that was killed all that it had said to be stored is there, and all is accounted for."""
    props = cluster.write("props", "compression.codec=lz4\n")  # the mock keeps some MB of a topic
    s, t = [Store(cluster, POLICY.format(topic=name, config=f"kafka_conf={props}", brokers=broker.brokers,
                                         strgp=f"spool={{dir}}/spool.{name}"), sets=sets, interval=interval, name=name)
            for name, sets, interval in (("outage", 5, "10ms"), ("killed", 3, "20ms"))]
    before = t.wait(lambda st: st["stored"] > 20, "rows")
    t.killed()
    t.wait(lambda st: st["stored"] > before["stored"] + 20, "more rows")
    s.wait(lambda st: st["stored"] > 100, "rows")
    broker.down()
    try:
        down = t.wait(lambda st: st["spooled"] > 20, "rows on disk")
        t.killed()
        st = s.wait(lambda st: st["spooled"] > 200, "rows on disk")
        assert "are not delivered" in st["why"] and broker.brokers in st["why"] and st["dropped"] == 0
        t.wait(lambda st: st["spooled"] > down["spooled"] + 20, "more rows on disk")
    finally:
        broker.up()
    for one in (s, t):
        one.wait(lambda st: not st["spooled"] and not st["why"], "rows from the disk")
    st = s.still()
    assert st["dropped"] == st["refused"] == 0
    got = consume(broker.brokers, "outage.synth_2ed3dd6")
    in_order(got)
    assert len(got) == st["stored"] == st["produced"]
    st = t.still()
    got = consume(broker.brokers, "killed.synth_2ed3dd6")
    runs = runs_of(got)
    alike = {(m.partition, m.key, m.headers, m.value) for m in got}  # twins are, to the byte
    assert len(alike) == sum(len(set(ns)) for ns in runs)
    for ns in runs:
        first = list(dict.fromkeys(ns))  # some may be there twice
        assert first == sorted(first), ns
    assert len(runs) == 9 and st["stored"] <= sum(len(set(ns)) for ns in runs) <= st["produced"]
    assert down["spooled"] + before["stored"] <= st["stored"]


def test_drop_oldest(cluster, mock):
    """A broker that hangs, and no spool: the oldest are dropped, and the count is exact."""
    props = cluster.write("props", "queue.buffering.max.messages=100\n")
    s = Store(cluster, POLICY.format(topic="drop", config=f"kafka_conf={props}", brokers=mock.brokers, strgp="queue_bytes=100k"),
              interval="10ms")
    s.wait(lambda st: st["stored"] > 50, "rows")
    mock.proc.send_signal(signal.SIGSTOP)
    try:
        s.wait(lambda st: st["dropped"] > 300 and "messages=" in st["why"] and "are not delivered" in st["why"], "dropped ones")
    finally:
        mock.proc.send_signal(signal.SIGCONT)
    s.wait(lambda st: "delivered" not in st["why"], "rows")
    st = s.still()
    got = consume(mock.brokers, "drop.synth_2ed3dd6")
    in_order(got)
    assert len(got) == st["stored"] == st["produced"] - st["dropped"]
    missing = sum(ns[-1] - ns[0] + 1 - len(ns) for ns in numbers(got).values())
    assert missing >= st["dropped"] > 300  # the sampler's own misses are among these


def test_stop_while_it_hangs(cluster, mock):
    """A policy whose broker hangs is stopped while it waits for it: what was not acknowledged is on disk, and comes when the
    policy is started again."""
    s = Store(cluster, POLICY.format(topic="hung", config="", brokers=mock.brokers, strgp="spool={dir}/spool.hung"))
    s.wait(lambda st: st["stored"] > 20, "rows")
    mock.proc.send_signal(signal.SIGSTOP)
    try:
        at = s.status()["produced"]
        s.wait(lambda st: st["produced"] > at + 20, "rows that it does not acknowledge")
        run("ctl", "-h", "127.0.0.1", "-p", s.port, "strgp_stop", "name=k")
        st = s.wait(lambda st: st["state"] == "STOPPED", "its end")
        assert st["spooled"] > 0 and not st["dropped"]
        assert st["stored"] + st["spooled"] == st["produced"]
    finally:
        mock.proc.send_signal(signal.SIGCONT)
    s.ctl("strgp_start name=k")
    st = s.wait(lambda st: not st["spooled"] and st["stored"] > at, "rows from the disk")
    st = s.still()
    assert st["stored"] == st["produced"]
    by = numbers(consume(mock.brokers, "hung.synth_2ed3dd6"))
    assert sum(len(set(ns)) for ns in by.values()) == st["stored"]
    for ns in by.values():
        first = list(dict.fromkeys(ns))  # what was on its way may be there twice
        assert first == sorted(first), ns


def test_errors(cluster, mock):
    """A batch that the broker finds too large is sent once more, in smaller ones; what is too large alone is lost, and said. An
    error of the topic loses nothing: a new producer tries again when the policy does."""
    s = Store(cluster, POLICY.format(topic="errors", config="", brokers=mock.brokers, strgp=""), sets=1)
    at = s.wait(lambda st: st["stored"] > 10, "rows")["stored"]
    mock.tell("fail 1 10")
    at = s.wait(lambda st: st["stored"] > at + 20, "rows")["stored"]
    mock.tell("fail 1000 29")  # not authorized for the topic
    try:
        s.wait(lambda st: "uthoriz" in st["why"], "why")
    finally:
        mock.tell("fail 0 0")
    st = s.wait(lambda st: not st["why"] and st["stored"] > at, "rows again")
    assert st["refused"] == st["dropped"] == 0
    mock.tell("fail 1000 10")  # batches on their way together, ever smaller ones, and what is sent alone then
    try:
        s.wait(lambda st: st["refused"], "a refused one")
    finally:
        mock.tell("fail 0 0")
    s.d.says("Message size too large; see message.max.bytes")
    st = s.still()
    got = consume(mock.brokers, "errors.synth_2ed3dd6")
    assert len({json.loads(m.value)["m0"] for m in got}) == st["rows"] == st["stored"] - st["refused"]


def test_topic_of_others(cluster, mock):
    """Rows of a topic that is not for us: all wait for it, and it is said what to do; with refuse=topic the others go on."""
    s = Store(cluster, POLICY.format(topic="mine", config="", brokers=mock.brokers, strgp="") + f"""
load name=go plugin=kafka
config name=go topic=go.%S refuse=topic
strgp_add name=go plugin=go container={mock.brokers} regex=.*
strgp_start name=go
""", sets=1)
    for name in ("k", "go"):
        s.wait(lambda st: st["stored"] > 10, "rows", name)
    s.ctl("strgp_stop name=go")
    mock.tell("fail 1000 29")
    try:
        s.wait(lambda st: "Topic authorization failed; create it, or let this client write to it" in st["why"], "why")
        s.ctl("strgp_stop name=k")
        s.ctl("strgp_start name=go")
        st = s.wait(lambda st: st["refused"] > 5, "refused ones", "go")
        assert not st["why"] and "Topic authorization failed; create it, or let this client write to it" in st["refused_why"]
    finally:
        mock.tell("fail 0 0")  # it is the other tests', too
    at = st["rows"]
    s.wait(lambda st: st["rows"] > at + 20, "rows again", "go")
    s.still("go")
    st = s.status("go")
    assert st["rows"] == st["stored"] - st["refused"] == len(consume(mock.brokers, "go.synth")) and not st["dropped"]


def test_no_broker(cluster):
    """It is no mistake of the configuration: the policy runs, and says what it waits for."""
    s = Store(cluster, "strgp_add name=k plugin=store_kafka container=127.0.0.1:1 regex=.*\nstrgp_start name=k\n",
              more="load name=store_kafka\n")
    st = s.wait(lambda st: "Connection refused" in st["why"], "why")
    assert "store store_kafka: Kafka 127.0.0.1:1: " in st["why"] and st["state"] == "RUNNING" and not st["stored"]


def test_tls_and_password(cluster, real):
    """Properties go through to librdkafka: encryption, and who we are."""
    good = ("security.protocol=sasl_ssl\nsasl.mechanism=PLAIN\nsasl.username=ldms\nsasl.password=very secret\n"
            f"ssl.ca.location={real.ca}\n")
    bad = cluster.write("bad", good.replace("very", "no"))
    s = Store(cluster, POLICY.format(topic="tls", config=f"kafka_conf={cluster.write('good', good)}", brokers=real.tls_brokers,
                                     strgp="") +
              f"load name=no plugin=kafka\nconfig name=no kafka_conf={bad}\n"
              f"strgp_add name=no plugin=no container={real.tls_brokers} regex=.*\nstrgp_start name=no\n")
    s.wait(lambda st: st["stored"] > 20, "rows")
    s.wait(lambda st: "uthentication" in st["why"], "why", "no")
    assert "secret" not in s.d.text()
    assert len(consume(real.brokers, "tls.synth_2ed3dd6")) > 20


def test_registry_is_late(cluster, mock):
    """Rows wait for a schema registry; one that refuses a schema is said, and those rows are dropped."""
    port = free_port()
    serdes = cluster.write("serdes.conf", f"# none yet\nschema.registry.url=http://127.0.0.1:{port}\n")
    s = Store(cluster, f"""load name=av plugin=avro_kafka
config name=av topic=late.%S serdes_conf={serdes}
strgp_add name=k plugin=av container={mock.brokers} regex=.*
strgp_start name=k
""", sets=1)
    st = s.wait(lambda st: st["why"], "why")
    assert f"store av: schema registry http://127.0.0.1:{port}" in st["why"]
    r = Registry(port)
    r.answer = 409, '{"error_code":409,"message":"not like the last one"}'
    s.wait(lambda st: st["dropped"], "dropped ones")
    s.d.says("refuses the schema (409: not like the last one); set the subject's compatibility")
    r.answer = None
    s.ctl("strgp_stop name=k")
    s.ctl("strgp_start name=k")
    s.wait(lambda st: st["stored"] > 10, "rows")
    r.end()


def test_registry_hangs(cluster, mock, registry):
    """Who wants to know of a schema does not keep those that know theirs, nor the daemon's other policies: there are more that
    wait than threads that store.  Its rows come when it answers, and a daemon that it has not answered ends all the same."""
    registry.hung = ("synth_2ed3dd6",)
    serdes = cluster.write("serdes.conf", f"schema.registry.url={registry.url}\n")
    waiting = [f"w{i}" for i in range(5)]
    policies = f"load name=av plugin=avro_kafka\nconfig name=av topic=hangs.%S serdes_conf={serdes}\n"
    policies += f"strgp_add name=b plugin=av container={mock.brokers} regex=.*\nstrgp_start name=b\n"
    for w in waiting:
        policies += (f"strgp_add name={w} plugin=av container={mock.brokers} schema=synth decomposition={{dir}}/as_is.json\n"
                     f"strgp_start name={w}\n")
    policies += POLICY.format(topic="goes", config="", brokers=mock.brokers, strgp="") + f"""
load name=loss plugin=avro_kafka
config name=loss topic=loss.%S serdes_conf={serdes} refuse=schema
strgp_add name=r plugin=loss container={mock.brokers} regex=.* decomposition={{dir}}/as_is.json
strgp_start name=r
"""
    loadavg = "load name=loadavg\nconfig name=loadavg producer=n9 instance=n9/loadavg\nstart name=loadavg interval=20ms offset=0\n"
    s = Store(cluster, policies, sets=1, more=loadavg)
    st = s.wait(lambda st: st["refused"] > 20 and st["rows"] > 20, "rows of another schema", "r")
    assert not st["why"] and not st["dropped"] and "subject synth_2ed3dd6" in st["refused_why"]
    assert "loss.synth_2ed3dd6" not in topics(mock.brokers)
    for w in waiting:
        st = s.wait(lambda st: "has not answered" in st["why"], "why", w)
        assert f"store av: schema registry {registry.url}" in st["why"] and "synth_2ed3dd6" in st["why"]
    at = {name: s.status(name)["stored"] for name in "bk"}
    for name in "bk":
        s.wait(lambda st: st["stored"] > at[name] + 20, "rows beside those that wait", name)
    s.ctl("strgp_stop name=b")
    s.ctl("strgp_start name=b")
    before = s.status("b")["stored"]
    s.wait(lambda st: st["stored"] > before, "rows of a schema that is known", "b")
    assert not any(s.status(w)["stored"] for w in waiting)
    registry.hung = ()
    registry.released.set()
    for w in waiting:
        s.wait(lambda st: st["stored"] > 20 and not st["why"], "rows that waited", w)
    wait_for(lambda: "loss.synth_2ed3dd6" in topics(mock.brokers), "rows that are not lost any more")
    assert {path.split("/")[2] for path, _, _ in registry.asked} == {"synth", "synth_2ed3dd6", "loadavg_8be3781", "loadavg"}
    registry.hung = ("synth",)
    registry.released.clear()
    end = Store(cluster, policies, sets=1, name="end")
    end.wait(lambda st: "has not answered" in st["why"], "why", "b")
    assert end.d.stop() == 0


def test_topics_of_each_set(cluster, mock):
    """Short form, no file: a topic for each set, as the owner's name has it."""
    port = free_port()
    d = cluster.samp("n1", "loadavg meminfo", "--interval", "50ms", "--to", f"kafka:{mock.brokers}/%P.%I.%u.%A", port=port)
    want = {f"n1.n1.{s}.root.0{p}" for s in ("loadavg", "meminfo") for p in ("440", "777", "444")} if os.geteuid() == 0 else None
    seen = wait_for(lambda: (t := {t for t in topics(mock.brokers) if t.startswith("n1.n1.")}) and len(t) == 2 and t, "topics")
    assert want is None or seen <= want
    row = wait_for(lambda: [r for t in seen if "loadavg" in t for r in rows(mock.brokers, t)], "rows")[0]
    assert row["producer"] == "n1" and "load1min" in row and list(row)[0] == "timestamp"
    assert d.stop() == 0


def test_sandbox(cluster, mock):
    """The policy's worker opens the broker's connections when all else is out of reach."""
    props = cluster.write("kafka.json", json.dumps({"client.id": "sandboxed"}))
    s = Store(cluster, POLICY.format(topic="sandboxed", config=f"path={props}", brokers=mock.brokers, strgp=""), 1, "50ms",
              args=["--sandbox"], env=CONFINED_ENV)
    s.wait(lambda st: st["stored"] > 3, "rows")
    assert s.d.stop() == 0


@pytest.mark.parametrize("attrs, words", [
    ("kafka_conf=/nowhere", "/nowhere: cannot be opened: No such file"),
    ("encoding=xml", "encoding=xml: one of json, avro goes there"),
    ("refuse=rows", "one of nothing, topic, schema, both goes there"),
    ("key=host", "one of producer, instance, none goes there"),
    ("topic=%S.%Z", "'%Z' is not known"),
    ("topik=x", "did you mean 'topic'"),
    ("path={dir}/bad.json", "line 2, column"),
    ("kafka_conf={dir}/bad.conf", 'No such configuration property: "acs"'),
    ("encoding=avro serdes_conf={dir}/bad.conf", "there is no property 'acs'"),
])
def test_bad_attributes(cluster, attrs, words):
    cluster.write("bad.json", '{"acks":\n')
    cluster.write("bad.conf", "acs=1\n")
    conf = cluster.write("x.conf", f"load name=k plugin=store_kafka\nconfig name=k {attrs.format(dir=cluster.dir)}\n")
    r = run("check", conf)
    assert words in r.stdout + r.stderr
