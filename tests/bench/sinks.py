"""sinks.py - stores that go dead and come back, for outage.py: each says what is in it afterwards, row by row

A sink has the line of the storing daemon's configuration and what its policy is given, is told when that runs, goes down
and up, and yields (producer, number) of each row that it holds, in its order.
"""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

from daemons import GaveUp, HOST, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import fulldisk  # noqa: E402
import kafka  # noqa: E402


class Sink:
    """What most of them have."""
    wrap, metrics, container, policy = (), 50, "c", ""

    def started(self, daemon):
        pass

    def end(self):
        pass


class Disk(Sink):
    def __init__(self, yard):
        self.disk = fulldisk.FullDisk(yard.path("disk"))
        self.wrap, self.down, self.up = self.disk.wrap, self.disk.down, self.disk.up

    def started(self, daemon):
        self.disk.started(daemon.pid)


class Csv(Disk):
    def conf(self):
        return f"plugin=csv path={self.disk.dir}"

    def rows(self):
        with open(os.path.join(self.disk.seen, "c", "synth")) as f:
            for line in f:
                if line[0] != "#":
                    _, _, producer, number, _ = line.split(",", 4)
                    yield producer, int(number)


class Sqlite(Disk):
    def conf(self):
        return f"plugin=sqlite path={self.disk.dir}/rows.db"

    def rows(self):
        with tempfile.TemporaryDirectory() as folder:  # SQLite would follow /proc/PID/root
            shutil.copytree(self.disk.seen, folder, dirs_exist_ok=True)
            yield from self.rows_of(os.path.join(folder, "rows.db"))

    def rows_of(self, path):
        db = sqlite3.connect(path)
        if (verdict := db.execute("PRAGMA quick_check").fetchall()) != [("ok",)]:
            raise GaveUp(f"the database is spoilt: {verdict}")
        yield from db.execute("SELECT producer, m0 FROM synth ORDER BY rowid")
        db.close()


class Kafka(Sink):
    """A real broker, killed; messages are read with kcat, each partition in its order."""

    def __init__(self, yard):
        if kafka.why_no_broker():
            raise GaveUp(kafka.why_no_broker())
        os.makedirs(yard.path("broker"))
        self.broker = kafka.Broker(yard.path("broker"))
        self.container = self.broker.brokers
        self.policy = "decomposition=" + yard.write("as_is.json", '{"type":"as_is"}')
        self.down, self.up, self.end = self.broker.down, self.broker.up, self.broker.end

    def conf(self):
        return "plugin=kafka topic=rows"

    def rows(self):
        pattern = re.compile(rb'^(\S+) .*?"m0":(\d+)')
        with subprocess.Popen(["kcat", "-b", self.container, "-t", "rows", "-C", "-e", "-q", "-o", "beginning", "-f",
                               "%k %s\\n"], stdout=subprocess.PIPE) as p:
            for line in p.stdout:
                yield (m := pattern.match(line))[1], int(m[2])


class Influx(Sink):
    """A VictoriaMetrics that ends and is started again; rows of five metrics: it is to keep up with five times as many as
    come, on the same machine."""
    metrics = 5

    def __init__(self, yard):
        if not shutil.which("victoria-metrics"):
            raise GaveUp("victoria-metrics is not there")
        self.folder, self.log, self.port, self.proc = yard.path("victoria"), yard.path("victoria.log"), yard.port(), None
        self.up()

    def conf(self):
        return f"plugin=influx url=http://{HOST}:{self.port}"

    def ask(self, path):
        return urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=600)

    def answers(self):
        try:
            return self.ask("/health").status == 200
        except OSError:
            return False

    def up(self):
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen(["victoria-metrics", "-storageDataPath", self.folder, "-retentionPeriod", "100y",
                                          "-httpListenAddr", f"{HOST}:{self.port}", "-search.maxExportDuration=1h",
                                          "-memory.allowedBytes=1GB"], stdout=log, stderr=log)
        wait_for(self.answers, "VictoriaMetrics")

    def down(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(60)

    def rows(self):
        self.ask("/internal/force_flush").read()
        with self.ask("/api/v1/export?match[]=synth_m0") as r:
            for line in r:
                series = json.loads(line)
                for _, value in sorted(zip(series["timestamps"], series["values"])):
                    yield series["metric"]["producer"], int(value)

    def end(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


SINKS = {"csv-on-full-tmpfs": Csv, "influx": Influx, "kafka": Kafka, "sqlite-on-full-tmpfs": Sqlite}
