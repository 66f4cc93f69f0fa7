"""Files of store flatfile beside those of an installed ldmsd 4.5.3: one sampler, both aggregators."""
import os

from ldms import wait_for
from real import needs_ldmsd
from test_real_csv import both

pytestmark = needs_ldmsd


def test_flatfile(cluster):
    schemas = ("all_example", "loadavg")
    (theirs, ours), daemons = both(cluster, lambda path: f"load name=store_flatfile\nconfig name=store_flatfile path={path}\n" +
                                   "".join(f"strgp_add name={s} plugin=store_flatfile container=c schema={s} flush=100ms\n"
                                           f"strgp_prdcr_add name={s} regex=.*\nstrgp_start name={s}\n" for s in schemas),
                                   schemas)

    def lines(path, metric):
        name = f"{path}/c/{metric}"
        return open(name).read().splitlines() if os.path.exists(name) else []

    metrics = [f"loadavg/{m}" for m in ("load1min", "component_id", "newest_pid")] + [
        f"all_example/{m}" for m in ("u8", "s64", "f32", "d32", "char_array")]
    wait_for(lambda: all(len(set(lines(theirs, m)) & set(lines(ours, m))) > 3 for m in metrics), "rows in both")
    for d in daemons:
        d.stop()
    for metric in metrics:
        a, b = lines(theirs, metric), lines(ours, metric)
        times = {x.split()[0] for x in a} & {x.split()[0] for x in b}
        assert len(times) > 3
        assert [x for x in a if x.split()[0] in times] == [x for x in b if x.split()[0] in times]
    # ldmsd makes empty files of arrays and single characters: we none of the former, and write the latter
    assert not os.path.exists(f"{ours}/c/all_example/u8_array")
    assert lines(ours, "all_example/char")[0].endswith(" r1 1 L")
