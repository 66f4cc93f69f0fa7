"""Store csv in a daemon that ends as it should not: rows are neither lost nor doubled."""
import calendar
import glob
import os
import signal

import pytest
from ldms import SANITIZED, free_port, run, wait_for
from munge import fake_clock


def rows(folder):
    """(file, line) of all data below."""
    return [(os.path.join(at, name), line) for at, _, names in os.walk(folder) for name in names
            if not name.startswith(".") for line in open(os.path.join(at, name)) if not line.startswith("#")]


def closed(folder):
    return [f for f, _ in rows(folder) if "/done/" in f]


def test_rolls_over_a_kill(cluster):
    folder = cluster.path("rows")
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    conf = cluster.write("s.conf", f"load name=csv plugin=store_csv\nconfig name=csv path={folder} buffer=0 rolltype=3 "
                         "rollover=5 rename_template=%D/done/%B\n"
                         "strgp_add name=all plugin=csv container=c schema=loadavg\nstrgp_prdcr_add name=all regex=.*\n"
                         "strgp_start name=all\n")
    agg = cluster.agg("a", [samp], "--interval", "100ms", "--offset", "50ms", "-c", conf)
    wait_for(lambda: len(closed(folder)) > 3 and len(rows(folder)) > len(closed(folder)), "a closed file and an open one")
    agg.stop(signal.SIGKILL)
    before = rows(folder)
    left = {f for f, _ in before if "/done/" not in f}
    assert left
    agg.start()
    wait_for(lambda: len(rows(folder)) > len(before) + 3, "more rows")
    agg.stop()
    after = rows(folder)
    lines = [line for _, line in after]
    newest = max(line for _, line in before)  # a new daemon reads the set once more, which may not have changed
    assert all(lines.count(line) == 1 for line in set(lines) - {newest}) and lines.count(newest) <= 2
    assert {line for _, line in before} <= set(lines)
    assert all("/done/" in f for f, _ in after)
    assert all(line.endswith("\n") and line.count(",") == lines[0].count(",") for line in lines)


def test_attributes_of_one_file_follow_those_of_all(cluster):
    samp = cluster.samp("n1", "loadavg")
    samp.says("is ready")
    lines = [f"config name=csv path={cluster.path('x')}", "config name=csv container=c schema=loadavg altheader=1"]
    for line in ["load name=csv plugin=store_csv", *lines]:
        assert run("ctl", "-p", samp.port, *line.split()).returncode == 0
    again = run("ctl", "-p", samp.port, "config", "name=csv", "path=/tmp/y")
    assert again.returncode and "it is configured already" in again.stdout + again.stderr
    text = run("ctl", "-p", samp.port, "dump_cfg").stdout
    assert all(line.split(" ", 2)[2] in text for line in lines)


# -- what the clock calls for: a clock that runs faster, from some seconds before midnight on

MIDNIGHT = calendar.timegm((2026, 11, 21, 0, 0, 0))
CLOCK = {"LD_PRELOAD": fake_clock() or "", "FAKETIME": "@2026-11-20 23:59:40 x20", "TZ": "UTC"}
needs_fake_clock = pytest.mark.skipif(not fake_clock() or SANITIZED,
                                      reason="no faketime is installed" if not SANITIZED else "sanitizers come first")
TIMED = {"every": "rolltype=1 rollover=15", "daily": "rolltype=2 rollover=30", "again": "rolltype=5 rollover=5 rollagain=20",
         "empty": "rolltype=1 rollover=12 rollempty=1"}


def timed(folder):
    """Policies of files that roll over by the clock."""
    return "".join(f"load name={n} plugin=store_csv\nconfig name={n} path={folder}/{n} buffer=0 {attrs}\n"
                   f"strgp_add name={n} plugin={n} container=c schema=loadavg\nstrgp_prdcr_add name={n} regex=.*\n"
                   f"strgp_start name={n}\n" for n, attrs in TIMED.items())


def began(folder, name):
    """When files began, in order."""
    return sorted(int(p.rsplit(".", 1)[1]) for p in glob.glob(f"{folder}/{name}/c/loadavg.*"))


def check_timed(folder):
    """Nothing is said of how late a roll is: only that there is one for each time, and never two."""
    wait_for(lambda: len(began(folder, "again")) > 3 and len(began(folder, "daily")) > 1 and len(began(folder, "every")) > 3 and
             len(began(folder, "empty")) > 3, f"files in {folder}")
    for name, least in ("every", 15 - 1), ("empty", 12 - 1):  # what they are called is cut to seconds
        times = began(folder, name)[1:]  # ldmsd counts from before the first
        assert all(b - a >= least for a, b in zip(times, times[1:])), (name, times)
    first, second, *more = began(folder, "daily")
    assert first < MIDNIGHT + 30 <= second and not more
    slots = [(t - MIDNIGHT - 5) // 20 for t in began(folder, "again")]
    assert slots == sorted(set(slots)) and slots[0] < 0
    for name in TIMED:
        lines, times = [], began(folder, name)
        for t in times:
            with open(f"{folder}/{name}/c/loadavg.{t}") as f:
                text = f.read().split("\n")
            head, rows = text[0], text[1:-1]  # without what is being written
            assert head.startswith("#Time,") or (not rows and (name == "empty" or t == times[-1]))
            lines += rows
        assert lines and lines == sorted(set(lines), key=lambda r: float(r.split(",")[0])), name


@needs_fake_clock
def test_timed_rolls(cluster):
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    folder, port = cluster.path("rows"), free_port()
    agg = cluster.daemon("a", ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", "a", "--prdcr", samp.addr(), "--interval", "2s",
                               "-c", cluster.write("a.conf", timed(folder))], port, env={**os.environ, **CLOCK})
    check_timed(folder)
    agg.stop()
    assert all(open(p).read().count("\n#") == 0 for p in glob.glob(f"{folder}/*/c/*"))
