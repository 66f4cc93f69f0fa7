"""Side by side with an installed ldmsd 4.5.3: sets that come and go while a sampler of ours samples."""
import os

from ldms import wait_for
from real import needs_ldmsd, real_agg
from test_plugin import daemon, installed, spool  # noqa: F401

pytestmark = needs_ldmsd


def test_a_real_aggregator_follows_sets_that_come_and_go(cluster, spool):  # noqa: F811
    samp = daemon(cluster, spool, "metric_sets_default_authz perm=0777")
    agg = real_agg(cluster, "ra", [samp])
    wait_for(lambda: {"n1/loadavg", "n1/spool"} <= set(agg.values()), "the sets that stay")
    for round_ in range(3):
        cluster.write("dir/a", "x" * (round_ + 1))
        wait_for(lambda: agg.values("n1/a").get("n1/a", {}).get("size") == round_ + 1, "the new set")
        before = agg.sets()["n1/loadavg"]["update"]
        os.unlink(cluster.path("dir/a"))
        wait_for(lambda: (s := agg.sets()) and "n1/a" not in s and "n1/loadavg" in s, "the set to go")
        wait_for(lambda: agg.sets()["n1/loadavg"]["update"] != before, "the others to go on")
