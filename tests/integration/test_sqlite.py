"""Store sqlite in running daemons: what is in the database, killing, retention, and what `ldms query` says of it."""
import csv
import json
import os
import signal
import sqlite3
import subprocess

import pytest
from ldms import CONFINED_ENV, LDMS, free_port, run, wait_for

pytestmark = pytest.mark.skipif("built without libsqlite3" in run("query", os.devnull).stderr, reason="built without SQLite")


def ask(path, sql, *args):
    """The rows of a statement; [] while there is no such table."""
    if not os.path.exists(path):
        return []
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(sql, args).fetchall()
    except sqlite3.OperationalError as e:
        if "no such table" in str(e):
            return []
        raise
    finally:
        db.close()


def query(*args, status=0):
    r = run("query", *args)
    assert r.returncode == status, r.stderr
    return r.stdout if status == 0 else r.stderr


def test_daemon_stores(cluster):
    """Rows of several schemas from one daemon; the same as CSV has."""
    db, rows = cluster.path("db/ldms.db"), cluster.path("rows")
    samp = cluster.samp("n1", "loadavg procstat2", "--interval", "100ms", "--to", f"sqlite:{db}", "--to", f"csv:{rows}")
    wait_for(lambda: len(ask(db, "SELECT 1 FROM loadavg")) > 4 and ask(db, "SELECT 1 FROM procstat2"), "rows")
    assert samp.stop() == 0
    got = ask(db, "SELECT time, producer, load1min, runnable FROM loadavg ORDER BY time")
    with open(os.path.join(rows, "loadavg")) as f:
        lines = list(csv.DictReader(f))
    assert [(float(r["load1min"]), int(r["runnable"]), r["ProducerName"]) for r in lines] == \
           [(one, run, producer) for _, producer, one, run in got]
    entries = ask(db, "SELECT DISTINCT cpu_list_entry_idx, cpu_list_name FROM procstat2 ORDER BY 1")
    assert entries[0] == (0, "cpu") and entries[1] == (1, "cpu0")
    assert ask(db, "PRAGMA integrity_check") == [("ok",)]
    # `ldms query` says the same of both
    for more in (["--csv"], ["--agg", "max", "--csv"], ["--every", "1s", "--agg", "count", "--json"]):
        ours = query(db, "loadavg", "--metric", "load1min,runnable", *more)
        assert ours == query(rows, "loadavg", "--metric", "load1min,runnable", *more)
        assert "n1" in ours


def test_indices_are_used(cluster):
    db = cluster.path("ldms.db")
    cluster.samp("n1", "loadavg", "--interval", "100ms", "--to", f"sqlite:{db}")
    wait_for(lambda: ask(db, "SELECT 1 FROM loadavg"), "rows")
    for where in ("time>1 AND time<9", "producer='n1' AND time>1", "job_id=17 AND time>1"):
        assert "USING INDEX" in ask(db, f"EXPLAIN QUERY PLAN SELECT * FROM loadavg WHERE {where}")[0][3]


def test_killed_daemon(cluster):
    """What a reader has seen is there afterwards, once, whenever the daemon is killed (tests/unit/sqlite.c: fifty times)."""
    db = cluster.path("ldms.db")
    d = cluster.samp("n1", "loadavg", "--interval", "20ms", "--to", f"sqlite:{db}")
    for i in range(5):
        before = len(ask(db, "SELECT 1 FROM loadavg"))
        seen = wait_for(lambda: (rows := ask(db, "SELECT time FROM loadavg")) and len(rows) > before + i * 10 and rows, "rows")
        d.stop(signal.SIGKILL)
        assert ask(db, "PRAGMA integrity_check") == [("ok",)]
        now = ask(db, "SELECT time FROM loadavg")
        assert now[:len(seen)] == seen and len(set(now)) == len(now)
        if i < 4:
            d.start()


def test_broken_database_is_said_and_recovers(cluster):
    db = cluster.write("ldms.db", "this is no database\n" * 100)
    d = cluster.samp("n1", "loadavg", "--interval", "100ms", "--to", f"sqlite:{db}")
    d.says("no database of SQLite; move it away")
    os.rename(db, db + ".old")
    wait_for(lambda: ask(db, "SELECT 1 FROM loadavg"), "rows")
    d.says("stores again")


def test_sandbox(cluster):
    """Its file, and those that SQLite puts beside it, are in reach."""
    db = cluster.path("db/ldms.db")
    port = free_port()
    # what a sanitizer does at the end to find leaks is no business of a sandboxed process
    d = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "--samp", "loadavg", "--interval", "100ms", "--to",
                              f"sqlite:{db}", "--sandbox"], port, env=CONFINED_ENV)
    wait_for(lambda: len(ask(db, "SELECT 1 FROM loadavg")) > 3, "rows")
    assert d.stop() == 0
    assert os.listdir(cluster.path("db")) == ["ldms.db"]


@pytest.mark.parametrize("attrs, words", [
    ("", "path is required"),
    ("path=/tmp/x.db keep=7", "has no unit; write 30d or 20G"),
    ("path=/tmp/x.db sync=often", "normal or full goes there"),
    ("path=/tmp/x.db busy=2h", "at most 60s"),
    ("path=/tmp/x.db create_perm=9", "an octal mode"),
    ("path=/tmp/x.db kep=1d", "did you mean 'keep'"),
])
def test_bad_attributes(cluster, attrs, words):
    conf = cluster.write("x.conf", f"load name=db plugin=sqlite\nconfig name=db {attrs}\n")
    r = run("check", conf)
    assert words in r.stdout + r.stderr


# -- ldms query ---------------------------------------------------------------------------------------------------------

BEGIN = 1795200000  # a whole minute


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two minutes of three nodes, one second apart: a gauge, a counter that begins anew, and texts, two jobs."""
    path = str(tmp_path_factory.mktemp("query") / "made.db")
    db = sqlite3.connect(path)
    db.execute('CREATE TABLE "made"(time INTEGER NOT NULL, producer TEXT NOT NULL, job_id INTEGER, gauge REAL, '
               'counter INTEGER, device TEXT, "odd ""name" INTEGER)')
    db.execute('CREATE INDEX i ON made(time)')
    for s in range(120):
        for n in range(3):
            for device in ("a", "b"):
                db.execute("INSERT INTO made VALUES(?,?,?,?,?,?,?)",
                           ((BEGIN + s) * 1000000 + n, f"n{n + 1}", 17 if s >= 60 else 5, s * (n + 1) / 2,
                            (s % 100) * 10 * (n + 1), device, None if s else n))
    db.commit()
    db.close()
    return path


def table(text):
    return [dict(zip(rows[0], row)) for rows in [list(csv.reader(text.splitlines()))] for row in rows[1:]]


def test_list(made):
    text = query(made)
    assert text.startswith("made: ") and "gauge" in text
    assert "counter" in query("--list", made, "made")


def test_rows(made):
    rows = table(query(made, "made", "--csv"))
    assert len(rows) == 720 and list(rows[0]) == ["time", "producer", "job_id", "gauge", "counter", "device", 'odd "name']
    assert rows[0]["time"] == f"{BEGIN}.000000" and rows[6]['odd "name'] == ""
    some = json.loads(query(made, "made", "--json", "--metric", "gauge,device", "--node", "n[2-3]", "--since", BEGIN + 10,
                            "--until", BEGIN + 12))
    assert [(r["producer"], r["gauge"]) for r in some[::2]] == [("n2", 10.0), ("n3", 15.0), ("n2", 11.0), ("n3", 16.5)]
    assert len(table(query(made, "made", "--csv", "--job", "17"))) == 360
    text = query(made, "made", "--metric", "gauge")
    assert text.splitlines()[0].split() == ["time", "producer", "gauge"] and len(text.splitlines()) == 721


@pytest.mark.parametrize("fn, first, last", [("avg", 14.75, 44.75), ("min", 0, 30), ("max", 29.5, 59.5), ("count", 120, 120),
                                             ("sum", 14.75 * 120, 44.75 * 120), ("last", 29.5, 59.5)])
def test_functions(made, fn, first, last):
    rows = table(query(made, "made", "--csv", "--metric", "gauge", "--every", "1m", "--agg", fn))
    assert [float(r["gauge"]) for r in rows if r["producer"] == "n1"] == [first, last]
    assert len(rows) == 6


def test_rate(made):
    """Of each device; the counter begins anew at 100 s, which is no growth."""
    rows = table(query(made, "made", "--csv", "--metric", "counter", "--agg", "rate", "--every", "1m", "--by", "device"))
    assert {r["device"] for r in rows} == {"a", "b"}
    # 10, 20 and 30 a second
    assert [float(r["counter"]) for r in rows] == [60, 60, 60, 60]
    rows = table(query(made, "made", "--csv", "--metric", "counter", "--agg", "rate", "--by", "device", "--node", "n2"))
    assert [float(r["counter"]) for r in rows] == [20, 20] and "producer" not in rows[0]


def test_by_none(made):
    rows = table(query(made, "made", "--csv", "--metric", "gauge", "--agg", "max", "--by", "none"))
    assert [float(r["gauge"]) for r in rows] == [178.5]


def test_rows_that_are_not_there_are_said(made):
    r = run("query", made, "made", "--node", "nobody")
    assert r.returncode == 0 and len(r.stdout.splitlines()) == 1 and "no rows match; `ldms query PATH` says" in r.stderr
    assert run("query", made, "made", "--node", "nobody", "--csv").stderr == ""


def test_damage_is_not_said_to_be_no_rows(made, tmp_path):
    path = str(tmp_path / "damaged.db")
    with open(made, "rb") as f:
        pages = f.read()
    with open(path, "wb") as f:
        f.write(pages[:4096] + b"\xff" * (len(pages) - 4096))
    r = run("query", path, "made")
    assert r.returncode == 1 and "it is damaged" in r.stderr and "no rows match" not in r.stderr


def test_many_nodes(made):
    """More than an index is asked of: they are picked while all is read."""
    rows = table(query(made, "made", "--csv", "--metric", "gauge", "--agg", "max", "--node", "n[2-900]"))
    assert {r["producer"]: float(r["gauge"]) for r in rows} == {"n2": 119, "n3": 178.5}


def test_plot(made):
    text = run("query", made, "made", "--metric", "gauge", "--plot", env={**os.environ, "COLUMNS": "100"}).stdout
    lines = text.splitlines()
    assert "made: gauge, avg, every" in lines[0] and "n1" in lines[-1] and "n3" in lines[-1]
    assert len(lines) == 20 and max(map(len, lines)) <= 100
    assert any(0x2800 < ord(c) < 0x2900 for c in text) and "\033" not in text


def test_svg(made, tmp_path):
    import xml.etree.ElementTree as tree

    picture = tmp_path / "x.svg"
    query(made, "made", "--metric", "gauge", "--svg", picture)
    root = tree.parse(picture).getroot()
    titles = [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["n1", "n2", "n3"]
    assert query(made, "made", "--metric", "gauge", "--svg", "-") == picture.read_text()


@pytest.mark.parametrize("args, status, words", [
    ([], 1, "name the database"),
    (["/nowhere.db"], 8, "No such file"),
    (["{db}", "mad"], 8, "did you mean 'made'"),
    (["{db}", "made\"; DROP TABLE made; --"], 8, "no schema"),
    (["{db}", "made", "--metric", "gaug"], 8, "did you mean 'gauge'"),
    (["{db}", "made", "--metric", "device", "--plot"], 1, "is text"),
    (["{db}", "made", "--agg", "mean"], 1, "no function 'mean'"),
    (["{db}", "made", "--since", "yesterday"], 1, "is no time"),
    (["{db}", "made", "--node", "n[1-"], 1, "--node"),
    (["{db}", "made", "--job", "x"], 1, "--job"),
    (["{db}", "made", "--csv", "--json"], 1, "one of"),
    (["{db}", "made", "--every", "1us", "--agg", "max"], 1, "make --every longer"),
    (["{db}", "made", "--by", "nobody"], 8, "no metric 'nobody'"),
    (["{db}", "made", "--node", "n9", "--plot"], 8, "no values"),
])
def test_mistakes(made, args, status, words):
    assert words in query(*(a.format(db=made) for a in args), status=status)
    assert len(ask(made, "SELECT 1 FROM made")) == 720


def test_no_database(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("no database\n" * 100)
    assert "no database of SQLite" in query(path, status=1)


def test_hostile_names(tmp_path):
    """Names that peers made up move nobody's cursor."""
    path, evil = str(tmp_path / "evil.db"), "\x1b[31m\x07\u202e"
    db = sqlite3.connect(path)
    db.execute(f'CREATE TABLE "s{evil}" (time INTEGER, producer TEXT, "m{evil}" INTEGER)')
    for i in range(40):
        db.execute(f'INSERT INTO "s{evil}" VALUES(?,?,?)', (i * 1000000, f"n{evil}{i}", i))
    db.commit()
    db.close()
    for args in ([path], ["--list", path, f"s{evil}"], [path, f"s{evil}"], [path, f"s{evil}", "--plot"],
                 [path, f"s{evil}", "--plot", "--by", "none"], [path, f"s{evil}", "--every", "9s"]):
        assert "\\x1b[31m\\x07\\u202e" in (text := query(*args)) and not set(text) & set("\x1b\x07\u202e")
    text = query(path, f"s{evil}X", status=8)
    assert "did you mean 's\\x1b" in text and "\x1b" not in text


def test_output_that_nobody_takes(tmp_path):
    """A pager that is left open does not keep the database's log from being brought in, and gets all rows."""
    path = str(tmp_path / "rows.db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE s (time INTEGER, producer TEXT, m TEXT)")
    db.executemany("INSERT INTO s VALUES(?,?,?)", ((i, "n1", "x" * 100) for i in range(20000)))
    with subprocess.Popen([LDMS, "query", path, "s", "--csv"], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "time,producer,m\n"
        db.execute("INSERT INTO s VALUES(20000,'n1','')")
        wait_for(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "the log to be brought in")
        assert len(p.stdout.readlines()) == 20000
    assert p.returncode == 0
    db.close()


def test_output_that_is_full(made):
    for args in (["made", "--csv"], ["made"], ["made", "--every", "1m"], ["made", "--metric", "gauge", "--plot"], []):
        with open("/dev/full", "w") as full:
            r = subprocess.run([LDMS, "query", made, *args], stdout=full, stderr=subprocess.PIPE, text=True)
        assert r.returncode == 1 and "No space left on device" in r.stderr, (args, r)
