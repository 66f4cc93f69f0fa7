"""What the conformance suite tells: its matrix, and a TADA server."""
import contextlib
import hashlib
import json
import os
import re
import socket
import subprocess
import sys

import pytest

import conformance
import tada
import vcluster
from ldms import PATIENCE_S, ROOT

HERE = os.path.join(ROOT, "tests/integration")

CASES = '''
from conformance import case

@case(2, "passes", "all is well", "sampler tool", ["one", "two"])
def test_passes(c):
    d = c.ldmsd("sampler", "node1", c.sampler("meminfo", "node1"))
    c.check("two", lambda: c.values(d) != {})
    c.check("one", 1, 1)

@case(1, "fails", "one check is wrong", "sampler tool", ["first", "second", "third", "fourth"])
def test_fails(c):
    c.check("first", 5, 5)
    c.check("third", [5], [6], go_on=True)
    c.check("second", lambda: 7, 7)

@case(3, "ends", "its daemon ends", "sampler tool", ["first", "second"])
def test_ends(c):
    d = c.ldmsd("sampler", "node1", "bogus")
    c.check("first", lambda: c.sets(d) != set())

@case(4, "later", "it cannot run yet", "sampler tool", ["first"], waits="a part that is to come")
def test_later(c):
    c.check("first", False)
'''


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The datagrams of a run of these cases, and what it printed."""
    if vcluster.why_not():
        pytest.skip(vcluster.why_not())
    folder = tmp_path_factory.mktemp("cases")
    (folder / "test_cases.py").write_text(CASES)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        r = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest", "--rootdir", folder,
                            f"--basetemp={folder}/base", "--tada", f"127.0.0.1:{s.getsockname()[1]}", folder / "test_cases.py"],
                           env={**{k: v for k, v in os.environ.items() if k != "LDMSD_PREFIX"}, "PYTHONPATH": HERE}, cwd=folder,
                           capture_output=True, text=True, timeout=PATIENCE_S * 3)
        s.setblocking(False)  # all is there: who sent it has ended
        got = []
        with contextlib.suppress(BlockingIOError):
            while True:
                got.append(json.loads(s.recv(1 << 17)))
    return got, r.stdout


def test_the_matrix(told):
    matrix = re.findall(r"^ +(\d+) (\w+) +(\w+) +\S+ +- +- +\S+$", told[1], re.M)  # an ldmsd may be installed here
    assert matrix == [("1", "fails", "failed"), ("2", "passes", "passed"), ("3", "ends", "failed"), ("4", "later", "skipped")]
    assert "later (ours): waits for a part that is to come\n" in told[1]
    assert "check 3: third: it is [5], not [6]" in told[1]
    assert "node1 ended" in told[1] and "unknown verb 'bogus'" in told[1]


def test_what_a_server_hears(told):
    """Of each case: its start, an assertion when it is decided, at the end those that were not, its end."""
    cases = {}
    for m in told[0]:
        cases.setdefault(m["test-id"], []).append(m)
    cases = {i: c for i, c in cases.items() if not c[0].get("test-name", "").endswith("ldmsd)")}
    for i, (first, *_, last) in cases.items():
        assert first["msg-type"] == "test-start" and last["msg-type"] == "test-finish" and last.keys() == {
            "msg-type", "test-id", "timestamp"}
        key = [first[k] for k in ("test-suite", "test-type", "test-name", "test-user", "commit-id")]
        assert hashlib.sha256(":".join([*key, str(int(first["timestamp"]))]).encode()).hexdigest() == i
        assert last["timestamp"] >= first["timestamp"]
    starts = {c[0]["test-name"]: c[0] for c in cases.values()}
    assert set(starts) == {"passes", "fails", "ends", "later"}
    assert starts["fails"]["test-desc"] == "one check is wrong" and starts["fails"]["commit-id"] == tada.commit()
    assert starts["fails"]["test-suite"] == "LDMSD" and starts["fails"]["test-type"] == "FVT"
    said = {c[0]["test-name"]: [(m["assert-no"], m["assert-desc"], m["test-status"], m["assert-cond"]) for m in c[1:-1]]
            for c in cases.values()}
    assert said["passes"] == [(2, "two", "passed", "True == True"), (1, "one", "passed", "1 == 1")]
    assert said["fails"] == [(1, "first", "passed", "5 == 5"), (3, "third", "failed", "[5] == [6]"),
                             (2, "second", "passed", "7 == 7"), (4, "fourth", "skipped", "none")]
    assert [(n, status) for n, _, status, _ in said["ends"]] == [(1, "failed"), (2, "skipped")]
    assert said["later"] == [(1, "first", "skipped", "none")]
    assert {m["msg-type"] for c in cases.values() for m in c[1:-1]} == {"assert-status"}


def test_a_long_condition_fits_a_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(PATIENCE_S)
        t = tada.Tada(f"127.0.0.1:{s.getsockname()[1]}").test("long", "a long one", ["c"])
        t.decide(1, True, "x" * (1 << 20))
        t.finish()
        kinds = [json.loads(s.recv(1 << 17)) for _ in range(3)]
    assert [m["msg-type"] for m in kinds] == ["test-start", "assert-status", "test-finish"]
    assert set(kinds[1]["assert-cond"]) == {"x"}


def test_nobody_needs_to_listen():
    t = tada.Tada("127.0.0.1:1").test("alone", "", ["c"])
    for _ in range(3):  # the refusal of the one before is an error of the next
        t.decide(1, True, "")
    t.finish()


@pytest.mark.parametrize("text, want", [("127.0.0.1", ("127.0.0.1", 9862)), ("127.0.0.1:99", ("127.0.0.1", 99)),
                                        ("[::1]:99", ("::1", 99)), ("[::1]", ("::1", 9862))])
def test_addresses(text, want):
    assert tada.where(text)[4][:2] == want


@pytest.mark.parametrize("text, words", [("127.0.0.1:x", "'x' is no port; write HOST:PORT"), ("127.0.0.1:0", "'0' is no port"),
                                         ("127.0.0.1:65536", "is no port"), ("no.such.host.invalid:99", "no.such.host.invalid: ")])
def test_addresses_that_are_none(text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        tada.where(text)


def test_known_defects_of_a_check():
    """They do not fail the case; others do."""
    one = conformance.Case(0, "known", "", "sampler tool", ["a", "b"], defects={"sampler": {"a": "it does not"}})
    run = conformance.Run(one, "sampler", None, conformance.NoReport())
    run.check("a", 1, 2)
    run.check("b", 1, 2, go_on=True)
    assert run.known == ["it does not"] and run.failed == ["check 2: b: it is 1, not 2"]
    run = conformance.Run(one, "tool", None, conformance.NoReport())
    run.check("a", 1, 2, go_on=True)
    assert run.known == [] and len(run.failed) == 1


def test_the_list_of_cases():
    r = subprocess.run([sys.executable, os.path.join(HERE, "conformance.py"), "--list"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    picks = [int(line.split()[0]) for line in r.stdout.splitlines()]
    assert picks == sorted(picks) and set(range(1, 21)) <= set(picks)
    assert re.search(r"^  2 agg_test 1-2 +sampler agg1 agg2 tool +sets of four samplers", r.stdout, re.M)
