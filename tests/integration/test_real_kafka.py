"""Messages of store kafka beside those of an installed ldmsd 4.5.3: one sampler, both aggregators, brokers of their own."""
import json
import os

import pytest
from kafka import Mock, consume, topics, why_no_mock
from ldms import wait_for
from real import PREFIX, needs_ldmsd
from test_real_csv import both

pytestmark = [needs_ldmsd, pytest.mark.skipif(bool(why_no_mock()), reason=str(why_no_mock())),
              pytest.mark.skipif(not PREFIX or not os.path.exists(f"{PREFIX}/lib/ovis-ldms/libstore_kafka.so"),
                                 reason="that ldmsd has no store_kafka")]


def by_time(messages):
    times = {}
    for m in messages:
        times.setdefault(json.loads(m.value)["timestamp"], []).append(m.value)
    return times


def test_messages(cluster):
    """The same topics, and for the same sample the same bytes."""
    brokers = []
    decomp = cluster.write("as_is.json", '{"type":"as_is"}')

    def conf(path):
        brokers.append(Mock())
        return ("load name=store_kafka\nconfig name=store_kafka\n"
                f"strgp_add name=k plugin=store_kafka container={brokers[-1].brokers} regex=.* decomposition={decomp} "
                "flush=100ms\nstrgp_prdcr_add name=k regex=.*\nstrgp_start name=k\n")

    _, daemons = both(cluster, conf, ("all_example", "loadavg", "procnetdev2"))
    try:
        def got():
            """Of each topic the values of both for the same times."""
            names = [set(topics(b.brokers)) for b in brokers]
            if len(names[0]) < 3 or names[0] != names[1]:
                return None
            both_of = []
            for t in sorted(names[0]):
                a, b = [by_time(consume(b.brokers, t)) for b in brokers]
                both_of.append([(sorted(a[k]), sorted(b[k])) for k in sorted(a.keys() & b.keys())])
            return min(map(len, both_of)) > 3 and both_of

        for pairs in wait_for(got, "messages of both"):
            assert all(theirs == ours for theirs, ours in pairs[:-1])  # the last may not be there whole
        for d in daemons:
            d.stop()
    finally:
        for b in brokers:
            b.end()
