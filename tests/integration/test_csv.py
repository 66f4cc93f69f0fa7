"""Store csv in a daemon that ends as it should not: rows are neither lost nor doubled."""
import os
import signal

from ldms import run, wait_for


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
