"""The same requests to an installed ldmsd and to ours, in the same configuration: what do they answer?"""
import json
import re

import pytest

from answers import ROWS, SHAPES
from control import Shaped, fits, say
from ldms import free_port, wait_for
from real import needs_ldmsd, real
from test_answers import conf_of, our_agg, when_stored

pytestmark = needs_ldmsd

# Questions, and what of the answers differs from one run to the next (any depth).
QUESTIONS = [
    ("prdcr_status", {"port"}),
    ("prdcr_status name=samp1", {"port"}),
    ("prdcr_set_status", {"timestamp.sec", "timestamp.usec", "duration.sec", "duration.usec"}),
    ("prdcr_set_status producer=samp1 schema=meminfo", {"timestamp.sec", "timestamp.usec", "duration.sec", "duration.usec"}),
    ("prdcr_hint_tree", set()),
    ("prdcr_hint_tree name=samp1", set()),
    ("prdcr_stats", {"compute_time"}),
    # what the memory is used for, and how much there is, is each one's own affair
    ("set_stats", {"compute_time", "mem_total_kb", "mem_free_kb", "mem_used_kb", "set_load"}),
    ("set_stats summary=true", {"compute_time"}),
    ("updtr_status", {"port"}),
    ("updtr_status name=u2", {"port"}),
    ("updtr_task", set()),
    ("updtr_match_list", set()),
    ("update_time_stats", {"min", "max", "avg", "cnt", "oversampled_cnt", "skipped_cnt"}),
    ("update_time_stats name=u1 reset=true", {"min", "max", "avg", "cnt", "oversampled_cnt", "skipped_cnt"}),
    ("strgp_status", set()),
    ("strgp_status name=mem", set()),
    ("store_time_stats", {"min", "min_ts", "max", "max_ts", "avg", "count", "start_ts", "end_ts", "thread_id", "threads"}),
    # ours may all be loaded several times, and stand in no library
    ("plugn_status", {"libpath", "type"}),
    ("plugn_sets", set()),
]


def real_agg(cluster, samp):
    port = free_port()
    return real(cluster, "real", cluster.write("real.conf", conf_of(cluster, samp, "real")), port)


@pytest.fixture
def pair(cluster):
    """Sessions with both, when both have stored something."""
    samp = cluster.samp("n1", "meminfo vmstat", "--interval", "200ms")
    wait_for(samp.ls)
    daemons = our_agg(cluster, samp), real_agg(cluster, samp)
    return [when_stored(d.port) for d in daemons]


def test_rows(pair):
    """What the table says ldmsd answers, it does."""
    _, theirs = pair
    wrong = []
    for row in ROWS:
        if row.only == "ours":
            continue
        code, text = say(theirs, row.line)
        if code != row.theirs[0] or not fits(text, row.theirs[1]):
            wrong.append((row.line, (code, text), row.theirs))
    assert wrong == []


def test_shapes(pair):
    _, theirs = pair
    w = Shaped(theirs)
    for line, shape in SHAPES.items():
        say(w, line)
        assert w.shape() == shape, line


def differences(theirs, ours, volatile, path=""):
    """Ours has every field of theirs, of the same type and with the same value; it may have more."""
    if type(theirs) is not type(ours) and not (isinstance(theirs, (int, float)) and isinstance(ours, (int, float))):
        return [(path, theirs, ours)]
    if isinstance(theirs, dict):
        out = [(f"{path}.{k}", "missing") for k in theirs if k not in ours]
        for k in set(theirs) & set(ours):
            if k in volatile:
                out += [] if type(theirs[k]) is type(ours[k]) else [(f"{path}.{k}", theirs[k], ours[k])]
            else:
                out += differences(theirs[k], ours[k], volatile, f"{path}.{k}")
        return out
    if isinstance(theirs, list):
        if len(theirs) != len(ours):
            return [(path, theirs, ours)]
        return [d for i, (t, o) in enumerate(zip(theirs, ours)) for d in differences(t, o, volatile, f"{path}[{i}]")]
    return [] if theirs == ours else [(path, theirs, ours)]


def shape(text):
    """How it is written: a controller that does not parse, but cuts, must find the same."""
    return re.match(r'[\[{ ]*"?[^"]*', text).group()


@pytest.mark.parametrize("line,volatile", QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_questions(pair, line, volatile):
    def ask():
        (our_code, ours), (their_code, theirs) = (say(w, line) for w in pair)
        assert our_code == their_code == 0
        return differences(json.loads(theirs), json.loads(ours), volatile) or shape(theirs) != shape(ours), ours, theirs

    # both go through the same states, each at its own time
    wait_for(lambda: not ask()[0], f"the same answer to {line}; got {ask()}")
