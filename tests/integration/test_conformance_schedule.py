"""Updaters that follow the schedule of what they read."""
import os

from conformance import case

SAMP, L1, L2 = "node1", "node2", "node3"
NAME = f"{SAMP}/meminfo"
INTERVALS = {"300 ms": 300000, "400 ms": 400000, "350 ms": 350000}  # more than two levels are later than the sampler
LEVELS = {"first": "agg1", "second": "agg2"}


def rows(path):
    """The times of the rows so far, in microseconds."""
    try:
        with open(path) as f:
            return [round(float(line.split(",")[0]) * 1e6) for line in f if line.endswith("\n") and not line.startswith("#")]
    except FileNotFoundError:
        return []


CHECKS = [f"{i}: {what}" for i in INTERVALS for what in (
    "the hint is on the sampler", *[f"it is the interval on the {level} level" for level in LEVELS],
    "rows are that far apart", "no sample is read twice")]


@case(31, "ldmsd_autointerval_test", "hints travel two levels, and schedules follow a sampler that changes its own",
      "sampler agg1 agg2 tool", checks=CHECKS)
def test_hints(c):
    folder = c.folder("rows")
    auto = {h: c.aggregator([h]).replace("interval=200ms offset=50ms", "interval=1s auto_interval=true") for h in (SAMP, L1)}
    first = next(iter(INTERVALS.values()))
    samp = c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP, first))
    l1 = c.ldmsd("agg1", L1, auto[SAMP])
    l2 = c.ldmsd("agg2", L2, f"load name=store_csv\nconfig name=store_csv path={folder} buffer=0\n" + auto[L1]
                 + "strgp_add name=s plugin=store_csv container=c schema=meminfo\nstrgp_start name=s\n")
    path = os.path.join(folder, "c", "meminfo")

    def hint(daemon):
        info = c.look(daemon, "-v", "-v").get(NAME, {}).get("info") or ""
        return info.split('"updt_hint_us"="')[-1].split(":")[0]

    def tasks(daemon):
        return {int(t["interval_us"]) for t in c.status(daemon, "updtr_task")[0]["tasks"] if t["default_task"] == "false"}

    def oversampled(daemon):
        return next(iter(c.status(daemon, "update_time_stats")["all"].values()), {}).get(NAME, {}).get("oversampled_cnt")
    def quiet():
        """For two rows: the change itself may make a reader come too early once."""
        before, begin = [oversampled(d) for d in (l1, l2)], len(rows(path))
        c.until(lambda: len(rows(path)) > begin + 1, "more rows")
        return [oversampled(d) for d in (l1, l2)] == before
    for what, us in INTERVALS.items():
        if us != first:
            for line in ("stop name=meminfo", f"start name=meminfo interval={us} offset=0"):
                assert c.say(samp, line)[0] == 0, line
        c.check(f"{what}: the hint is on the sampler", lambda: hint(samp), str(us))
        for level, d in zip(LEVELS, (l1, l2)):
            c.check(f"{what}: it is the interval on the {level} level", lambda: us in tasks(d) and hint(d) == str(us))
        n = len(rows(path))

        def apart():
            """The last four rows."""
            last = rows(path)[n:][-4:]
            return len(last) == 4 and all(abs(b - a - us) < us // 2 for a, b in zip(last, last[1:]))
        c.check(f"{what}: rows are that far apart", apart)
        c.check(f"{what}: no sample is read twice", quiet)
