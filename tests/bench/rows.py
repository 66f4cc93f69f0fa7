"""rows.py - what a stored CSV row costs: an aggregator that stores, less the same one that does not"""
import os
import tempfile

import updates
from daemons import conf_csv

METRICS = 57  # as many as meminfo has
SETS = 1000


def stored(bench, make, sources, measure):
    """measure() with the store, less without; the rows are counted in the file."""
    folder = tempfile.mkdtemp(prefix=f"csv-{make.title}-", dir=bench.yard.dir)
    with_store = measure(bench, make, sources, conf_csv(folder, "synth"))
    with open(os.path.join(folder, "c", "synth"), "rb") as f:
        rows = sum(1 for line in f if not line.startswith(b"#"))
    if rows < SETS * 2:
        bench.report.note(f"{make.title}: {rows} rows are in the file, not {SETS} of each round")
    return with_store - measure(bench, make, sources)


def run(bench):
    sources = updates.Sources(bench.yard, 1, SETS, METRICS)
    try:
        bench.compare("CSV: instructions per row", "instructions",
                      lambda make: stored(bench, make, sources, updates.instructions), part=1 / 5)
        bench.compare("CSV: CPU per row", "ns", lambda make: stored(bench, make, sources, updates.cpu), part=1 / 5)
    finally:
        sources.end()
