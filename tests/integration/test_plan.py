"""`ldms plan`: lists of nodes as sites have them become cluster files that maestro takes, split evenly, with numbers."""
import json
import os
import re

import pytest

from ldms import run

MAP = [{"hostname": f"nid{i:03d}", "hostaddr": f"x1000c0s{i}b0n0h0", "ip_address": f"10.0.0.{i}", "role": "Compute"}
       for i in range(1, 6)]


def draft(tmp_path, *args, **kw):
    r = run("plan", *args, **kw)
    assert r.returncode == 0, r.stderr
    path = tmp_path / "cluster.yaml"
    path.write_text(r.stdout)
    return str(path), r.stdout


def plans(path):
    r = run("maestro", "plan", path)
    assert r.returncode == 0, r.stderr
    parts = re.split(r"^# (\S+)\n", r.stdout, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def prdcrs(text):
    return re.findall(r"prdcr_add name=(\S+) type=active host=(\S+) port=(\d+)", text)


def test_even_shares(tmp_path):
    path, text = draft(tmp_path, "--nodes", "n[001-128] login[1-2]", "--aggs", "4", "--agg-hosts", "head[1-2]",
                       "--samp", "meminfo,loadavg", "--interval", "500ms", "--to", f"csv:{tmp_path}", "-a", "none")
    got = plans(path)
    assert len(got) == 134 and [len(prdcrs(got[f"agg-{i}"])) for i in range(1, 5)] == [33, 33, 32, 32]
    assert sorted(p for i in range(1, 5) for p, _, _ in prdcrs(got[f"agg-{i}"])) == sorted(
        [f"n{i:03d}" for i in range(1, 129)] + ["login1", "login2"])
    assert [re.search(r"listen .*port=(\d+).*host=(\S+)", got[f"agg-{i}"]).groups() for i in range(1, 5)] == [
        ("411", "head1"), ("412", "head1"), ("411", "head2"), ("412", "head2")]
    assert "start name=loadavg interval=500000 offset=0" in got["n001"] and "set_memory" in got["agg-2"]
    assert "strgp_add name=loadavg plugin=rows container=loadavg schema=loadavg\n" in got["agg-3"]
    assert "# all: 130 nodes, 260 sets, 520 sets/s" in text and "as on this machine" in text
    assert "# an aggregator when one is down: 44 nodes, 88 sets, 176 sets/s" in text
    r = run("check", path)
    assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("to, lines", [
    ("kafka:b:9092,c:9092/ldms.%S,key=none", ["load name=rows plugin=store_kafka", "config name=rows topic=ldms.%S key=none",
                                              "strgp_add name=meminfo plugin=rows container=b:9092,c:9092 "]),
    ("influx:https://db:8086,org=hpc,bucket=b", ["config name=rows url=https://db:8086 org=hpc bucket=b",
                                                 "strgp_add name=meminfo plugin=rows container=ldms "]),
    ("/usr/lib/x.so:dir=/y", ["load name=rows path=/usr/lib/x.so", "config name=rows dir=/y",
                              "strgp_add name=meminfo plugin=rows container=meminfo "]),
])
def test_where_rows_go(tmp_path, to, lines):
    """As daemons take it."""
    path, _ = draft(tmp_path, "--nodes", "n[1-2]", "--to", to)
    got = plans(path)["agg-1"].splitlines()
    assert all(any(line.startswith(x) for line in got) for x in lines), got


def test_stores_share_the_rows(tmp_path):
    path, _ = draft(tmp_path, "--nodes", "n[1-30]", "--aggs", "3", "--stores", "2", "--to", f"sqlite:{tmp_path}/x.db")
    got = plans(path)
    assert len(got) == 39
    for i in range(1, 4):
        for k in (1, 2):
            text = got[f"store-{i}-{k}"]
            assert [p for p, _, _ in prdcrs(text)] == [f"agg-{i}"] and f"shard={k}/2" in text
    assert "strgp_add" not in got["agg-1"]
    graph = run("maestro", "graph", path).stdout
    assert "store-2-1 (sock:store-2-1:411)\n`- agg-2 (sock:agg-2:411)\n   `- n[11-20]: 10\n" in graph


def test_host_maps_are_split_exactly(tmp_path):
    """As NERSC's generator takes them; it makes three aggregators of two for five nodes."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps(MAP))
    file, text = draft(tmp_path, "-f", str(path), "--aggs", "2", "--port", "6002", "--agg-port", "6001", "-a", "munge",
                       "-A", "socket=/run/x/munge.socket")
    got = plans(file)
    assert prdcrs(got["agg-1"]) == [(f"nid{i:03d}", f"x1000c0s{i}b0n0h0", "6002") for i in (1, 2, 3)]
    assert prdcrs(got["agg-2"]) == [(f"nid{i:03d}", f"x1000c0s{i}b0n0h0", "6002") for i in (4, 5)]
    assert "auth_add name=munge plugin=munge socket=/run/x/munge.socket" in got["nid001"]
    assert "hosts: \"x1000c0s1b0n0h0," in text
    assert draft(tmp_path, "--run", f"cat {path}", "--aggs", "2", "--port", "6002", "--agg-port", "6001", "-a", "munge",
                 "-A", "socket=/run/x/munge.socket")[1].split("\n", 1)[1] == text.split("\n", 1)[1]
    path.write_text(json.dumps([{"hostname": "ncn-w1", "ip_address": "10.0.0.9"}, {"hostname": "other", "ip_address": "10.0.0.3"}]))
    assert "hosts: \"ncn-w1,10.0.0.3\"" in draft(tmp_path, "-f", str(path))[1]


def test_slurm_and_lists(tmp_path):
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "scontrol").write_text('#!/bin/sh\n[ "$1 $2" = "show hostnames" ] || exit 3\nfor i in 1 2 3; do echo "${3:-job}$i"; done\n')
    (bin_ / "scontrol").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
    assert 'names: &nodes "job[1-3]"' in draft(tmp_path, "--slurm", env=env)[1]
    assert 'names: &nodes "x[1-3]"' in draft(tmp_path, "--slurm=x", env=env)[1]
    names = tmp_path / "names"
    names.write_text("# ours\nn2 n1\n  n[5-7],\nn1\n")
    assert 'names: &nodes "n2,n1,n5,n6,n7"' in draft(tmp_path, "-f", str(names))[1]
    assert 'names: &nodes "a"' in draft(tmp_path, "-f", "-", input="a\n")[1]
    (bin_ / "scontrol").write_text("#!/bin/sh\nexit 3\n")
    r = run("plan", "--slurm", env=env)
    assert r.returncode == 1 and "scontrol: failed with status 3" in r.stderr


def test_as_many_as_it_takes(tmp_path):
    _, text = draft(tmp_path, "--nodes", "n[00001-30000]", "--samp", "meminfo loadavg", "--rate", "10000")
    assert '"agg-[1-6]"' in text and "# an aggregator: 5000 nodes, 10 k sets, 10 k sets/s" in text


@pytest.mark.parametrize("args,words", [
    ([], "which nodes?"),
    (["--nodes", "a", "-f", "b"], "come from one place"),
    (["--nodes", "n[1-"], "host list"),
    (["--nodes", " , "], "names no node"),
    (["--nodes", "a", "--aggs", "2"], "2 aggregators for 1 nodes"),
    (["--nodes", "a", "--aggs", "1", "--rate", "5"], "one of them"),
    (["--nodes", "a", "--rate", "0"], "may get nothing"),
    (["--nodes", "n[1-9]", "--aggs", "3", "--agg-hosts", "h[1-2]"], "2 hosts for 3 aggregators"),
    (["--nodes", "n[1-9]", "--aggs", "9", "--agg-hosts", "h", "--agg-port", "65530"], "there are no such ports"),
    (["--nodes", "a", "--port", "x"], "is no port"),
    (["--nodes", "a", "--to", "nowhere:x"], "is not STORE:PATH"),
    (["--nodes", "a", "--to", "csv:a b"], "blanks, quotes"),
    (["--nodes", "a", "-A", "x=y"], "-a METHOD"),
    (["--nodes", "a", "--interval", "0"], "not more than nothing"),
    (["-f", "/nowhere"], "No such file"),
    (["a"], "is left over"),
])
def test_words(args, words):
    r = run("plan", *args)
    assert r.returncode == 1 and words in r.stderr and not r.stdout


@pytest.mark.parametrize("text,words", [
    ('[{"hostname": "a"}]', 'a: has no "ip_address"'),
    ('[{"ip_address": "10.0.0.1"}]', 'no "hostname"'),
    ('[{"hostname": "a", "ip_address": "x"}, {"hostname": "b", "ip_address": "x"}]', "another node is reached at x"),
    ('[{"hostname": "a",', "no JSON"),
    ('[{"hostname": "a b", "ip_address": "x"}]', 'no "hostname"'),
])
def test_bad_maps(tmp_path, text, words):
    path = tmp_path / "map.json"
    path.write_text(text)
    r = run("plan", "-f", str(path))
    assert r.returncode == 1 and words in r.stderr and str(path) in r.stderr


def test_another_makers_sampler_is_guessed(tmp_path):
    r = run("plan", "--nodes", "n[1-4]", "--samp", "dcgm")
    assert r.returncode == 0 and "no sampler 'dcgm' in this program" in r.stderr and "a guess" in r.stdout
