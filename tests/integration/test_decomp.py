"""Policies with a decomposition: from the file to the rows, and what is said of mistakes."""
import json
import os
import re

import pytest
from ldms import CONFINED_ENV, ROOT, free_port, run, wait_for

DATA = os.path.join(ROOT, "tests/data/decomp")


def storing(cluster, decomposition, what="regex=.*", samplers="loadavg procnetdev2", *args, env=None):
    """A storage daemon with one policy, `dc`, of samples in quick succession."""
    port, samp = free_port(), cluster.samp("n1", samplers, "--interval", "100ms")
    conf = cluster.write("store.conf", f"load name=store_csv\nconfig name=store_csv path={cluster.path('csv')} buffer=0\n"
                         f"strgp_add name=dc plugin=store_csv container=c {what} decomposition={decomposition}\n"
                         "strgp_start name=dc\n")
    return cluster.daemon("a1", ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", "a1", "--prdcr", samp.addr(), "--interval", "100ms",
                                 "--offset", "20ms", "-c", conf, *args], port, env=env)


def ctl(daemon, *words):
    return run("ctl", "-p", daemon.port, "-h", "127.0.0.1", *words)


def files(cluster):
    d = cluster.path("csv/c")
    return sorted(os.listdir(d)) if os.path.isdir(d) else []


def lines(cluster, name):
    with open(cluster.path("csv/c/" + name)) as f:
        return f.read().splitlines()


def test_what_ls_prints_can_be_used(cluster):
    """`ldms ls -d` prints a decomposition to begin with: it is one."""
    samp = cluster.samp("n0", "loadavg procnetdev2")
    wait_for(lambda: "n0/loadavg" in samp.ls() and '"lo"' in samp.ls_run("-l", "n0/procnetdev2").stdout,
             "a sample: what a list holds is seen in its entries")
    path = cluster.write("d.json", samp.ls_run("-d").stdout)
    agg = storing(cluster, path)
    wait_for(lambda: "loadavg" in files(cluster) and "procnetdev2" in files(cluster), "rows")
    wait_for(lambda: any(",lo," in line for line in lines(cluster, "procnetdev2")), "a row of lo")
    st, = json.loads(ctl(agg, "--json", "strgp_status").stdout)
    assert st["decomp"] == path and st["errors"] == 0
    r = ctl(agg, "strgp_metric_add", "name=dc", "metric=x")
    assert r.returncode
    ctl(agg, "strgp_stop", "name=dc")
    r = ctl(agg, "strgp_metric_add", "name=dc", "metric=x")
    assert "decomposition" in r.stderr
    # operators and shapes begin anew
    assert ctl(agg, "strgp_start", "name=dc").returncode == 0
    n = len(lines(cluster, "loadavg"))
    wait_for(lambda: len(lines(cluster, "loadavg")) > n, "more rows")


def test_what_is_missing_is_said_once_and_silences_nothing(cluster):
    path = cluster.write("d.json", json.dumps({"type": "static", "rows": [
        {"schema": "a", "cols": [{"src": "timestamp"}, {"src": "load1min"}, {"src": "gone"}]},
        {"schema": "b", "cols": [{"src": "load5min"}]}]}))
    agg = storing(cluster, path, "schema=loadavg")
    wait_for(lambda: files(cluster) == ["a", "b"] and len(lines(cluster, "b")) > 4, "rows of both")
    assert lines(cluster, "a")[0] == "#Time,Time_usec,load1min,gone"
    assert all(line.endswith(",") for line in lines(cluster, "a")[1:])
    said = [line for line in agg.text().splitlines() if "gone" in line]
    assert len(said) == 1 and "schema loadavg" in said[0] and "row schema a" in said[0] and "no such metric" in said[0]


def test_flex_keeps_what_it_does_not_know(cluster):
    path = cluster.write("d.json", json.dumps({
        "type": "flex", "decomposition": {"a": {"type": "static", "rows": [{"schema": "a", "cols": [{"src": "load1min"}]}]}},
        "digest": {"0" * 64: "a"}}))
    agg = storing(cluster, path)
    wait_for(lambda: files(cluster) == ["loadavg_8be3781", "procnetdev2_e8b9cc8"], "rows as they are")
    wait_for(lambda: len(lines(cluster, "loadavg_8be3781")) > 4, "more rows")
    assert agg.text().count("nothing in the decomposition is for it") == 2


def test_sandbox(cluster):
    """The file of a policy can be read, and none that the configuration does not name."""
    os.mkdir(cluster.path("else"))
    path = cluster.write("else/d.json", json.dumps({"type": "as_is"}))
    other = cluster.write("other.json", json.dumps({"type": "as_is"}))
    agg = storing(cluster, path, "regex=.*", "loadavg", "--sandbox",
                  env=CONFINED_ENV)
    wait_for(lambda: files(cluster) == ["loadavg_8be3781"], "rows")
    r = ctl(agg, "strgp_add", "name=x", "plugin=store_csv", "schema=a", f"decomposition={other}")
    status = json.loads(ctl(agg, "--json", "daemon_status").stdout)
    assert (r.returncode == 0) == (status["sandbox"] == "off"), r.stderr + str(status)


def test_examples_of_the_manual(tmp_path):
    with open(os.path.join(ROOT, "man/ldms-decomposition.5")) as f:
        examples = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", f.read(), re.M | re.S)
    assert len(examples) == 3
    conf = f"load name=store_csv\nconfig name=store_csv path={tmp_path}\n"
    for i, text in enumerate(examples):
        (tmp_path / f"{i}.json").write_text(text)
        conf += f"strgp_add name=s{i} plugin=store_csv regex=.* decomposition={tmp_path}/{i}.json\nstrgp_start name=s{i}\n"
    (tmp_path / "x.conf").write_text(conf)
    r = run("check", tmp_path / "x.conf")
    assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("text, line, words", [
    ('{"type":"static",\n "rows":[', 2, "unexpected end of file"),
    ('{"type":"static",\n "rows":[\n  {"schema":"a",\n   "cols":[{"src":"a","fill":3}]}]}', 4, "'fill' error, 'type' is required."),
    ('{"type":"flex","decomposition":{"a":{"type":"as_is"}},\n"digest":{\n"00":"a"}}', 3, "Invalid digest key '00'."),
])
def test_check_names_the_line(tmp_path, text, line, words):
    bad, conf = tmp_path / "bad.json", tmp_path / "x.conf"
    bad.write_text(text)
    conf.write_text(f"load name=store_csv\nconfig name=store_csv path={tmp_path}\n"
                    f"strgp_add name=s plugin=store_csv container=c regex=.* decomposition={bad}\n")
    r = run("check", conf)
    assert r.returncode == 1
    assert f"{conf}:3:" in r.stderr and f"{bad}:{line}: " in r.stderr and words in r.stderr


def test_a_reader_over_the_network_hears_ldmsds_words(cluster):
    port = free_port()
    d = cluster.daemon("d", ["store", "-x", f"sock:{port}:127.0.0.1", "--to", "csv:" + cluster.path("csv"), "--prdcr",
                             f"127.0.0.1:{free_port()}"], port)
    bad = cluster.write("bad.json", '{"type":"static",\n"rows":[{"schema":"a","cols":[{"src":"a","op":"diff"}]}]}')
    wait_for(lambda: ctl(d, "load", "name=store_csv").returncode == 0 or d.ls_run().returncode == 0, "it to listen")
    plugin = json.loads(ctl(d, "--json", "strgp_status").stdout)[0]["plugin"]
    r = ctl(d, "strgp_add", "name=s", f"plugin={plugin}", "container=c", "schema=a", f"decomposition={bad}")
    assert "s: row: 0, The 'group' clause is required if functional operators are in use." in r.stderr and bad not in r.stderr
    d.says(f"{bad}:2: ")
