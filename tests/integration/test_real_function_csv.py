"""Files of store function_csv beside those of an installed ldmsd 4.5.3: one sampler, both aggregators.

Of counters that only grow: ldmsd does not flag the rate of one that fell.
"""
import os

from real import needs_ldmsd
from test_real_csv import both, by_time, compare, lines

pytestmark = needs_ldmsd

DEFINITIONS = """# SCHEMA NAME FUNCTION COUNT METRICS SCALE WRITTEN
loadavg L_RATE RATE 1 newest_pid 1000 1
loadavg L_SUB SUB_AB 2 newest_pid,runnable 1 1
loadavg L_LESS SUB_AB 2 runnable,newest_pid 1 1
loadavg L_DIV DIV_AB 2 newest_pid,runnable 1 1
loadavg L_MUL MUL_AB 2 newest_pid,runnable 2 1
loadavg L_SUMN SUM_N 3 newest_pid,runnable,component_id 1 1
loadavg L_AVGN AVG_N 3 newest_pid,runnable,component_id 1 1
loadavg L_MAXN MAX_N 3 newest_pid,runnable,component_id 1 1
loadavg L_MINN MIN_N 3 newest_pid,runnable,component_id 1 1
loadavg L_GE THRESH_GE 1 newest_pid 100 1
loadavg L_LT THRESH_LT 1 newest_pid 100 1
loadavg L_HIDDEN RAW 1 newest_pid 1 0
loadavg L_TWICE RAW 1 L_HIDDEN 2 1
array_example A_RAW RAW 1 u64_array 1 1
array_example A_DELTA DELTA 1 u64_array 1 1
array_example A_RATE RATE 1 u64_array 1 1
array_example A_MAX MAX 1 u64_array 1 1
array_example A_MIN MIN 1 u64_array 1 1
array_example A_SUM SUM 1 u64_array 1 1
array_example A_AVG AVG 1 u64_array 1 1
array_example A_ADD SUM_VS 2 u64_array,component_id 1 1
array_example A_DIV DIV_VS 2 u64_array,component_id 1 1
"""


def test_function_csv(cluster):
    schemas = ("loadavg", "array_example")
    definitions = cluster.write("derived", DEFINITIONS)

    def conf(path):
        os.makedirs(path, exist_ok=True)
        return (f"load name=store_function_csv\nconfig name=store_function_csv path={path} derivedconf={definitions} "
                "buffer=0\n" + "".join(f"strgp_add name={s} plugin=store_function_csv container=c schema={s}\n"
                                       f"strgp_prdcr_add name={s} regex=.*\nstrgp_start name={s}\n" for s in schemas))

    (theirs, ours), _ = both(cluster, conf, schemas)
    for schema in schemas:
        compare("", f"{theirs}/c/{schema}", f"{ours}/c/{schema}")
    assert all(len(rows) == 1 for rows in by_time(lines(f"{ours}/c/loadavg")).values())
