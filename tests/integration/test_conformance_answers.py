"""What commands answer: the rows of answers.py, as LDMS's tests of single commands ask them, and the objects they show."""
import os

import answers
from conformance import PORT, Case, case, runs
from control import fits

SAMP, AGG, BARE = "node1", "node2", "node3"
NOBODY = PORT + 1


def ask(c, daemon, row):
    """A row's answer and what it is to be; None where this daemon is not to be asked."""
    who = "ours" if daemon.ours else "theirs"
    if row.only not in (None, who):
        return None
    return c.say(daemon, row.line), getattr(row, who)


class Asked:
    """A case that asks the rows of some verbs; the others of their table are sent, as the rows build on each other."""

    def __init__(self, table, *verbs):
        self.table, self.verbs, seen = table, verbs, {}
        self.names = {}
        for i, row in enumerate(table):
            if row.line.split()[0] in verbs:
                seen[row.line] = n = seen.get(row.line, 0) + 1
                self.names[i] = row.line + (f" (time {n})" if n > 1 else "")

    def checks(self, *more):
        return [*self.names.values(), *more]

    def run(self, c, daemon):
        for i, row in enumerate(self.table[:max(self.names) + 1]):
            got = ask(c, daemon, row)
            if got and i in self.names:
                (code, text), (want, words) = got
                c.check(self.names[i], (code, words if fits(text, words) else text), (want, words), go_on=True)


def everything(c):
    """A daemon that has one of everything."""
    return c.ldmsd("agg1", AGG, answers.config(c.folder("rows"), PORT, NOBODY, host=SAMP), "-n", "agg")


def pair(c):
    """... and the sampler that it reads."""
    c.ldmsd("sampler", SAMP, c.sampler("meminfo", SAMP) + c.sampler("vmstat", SAMP))
    return everything(c)


def stored(c, agg):
    """Wait for the first row."""
    c.until(lambda: c.status(agg, "strgp_status name=mem")[0]["metrics"], "the first row")


def element(what):
    return "status element of " + what


ACTIVE = {"name": "samp1", "type": "active", "host": SAMP, "port": PORT, "transport": "sock", "auth": "DEFAULT", "rail": "1",
          "quota": "-1", "rx_rate": "-1", "reconnect_us": "200000", "state": "CONNECTED"}
SETS = [{"inst_name": f"{SAMP}/{s}", "schema_name": s} for s in ("meminfo", "vmstat")]
UPDATER = {"name": "u1", "interval": "200000", "offset": "20000", "sync": "true", "mode": "Pull", "auto": "false",
           "state": "RUNNING"}
POLICY = {"name": "mem", "container": "c1", "schema": "meminfo", "regex": "-", "plugin": "store_csv", "flush": "0.000000",
          "state": "RUNNING", "decomp": "-", "producers": []}
PLUGIN = {"name": "vmstat", "plugin": "vmstat"}


def pick(got, want):
    """Those members of a status that are compared."""
    return {k: got.get(k) for k in want}


PRDCR = Asked(answers.PRODUCERS + answers.SUBSCRIPTIONS, "prdcr_add", "prdcr_del", "prdcr_start", "prdcr_stop", "prdcr_status",
              "prdcr_start_regex", "prdcr_stop_regex", "prdcr_subscribe", "prdcr_unsubscribe", "prdcr_hint_tree",
              "prdcr_set_status")


@case(5, "prdcr_config_cmd", "return codes and states of every producer command", "sampler agg1",
      PRDCR.checks("no producers", element("an active producer"), "sets of a producer"))
def test_producers(c):
    agg = pair(c)
    bare = c.ldmsd("agg1", BARE, "")
    c.check("no producers", lambda: c.say(bare, "prdcr_status"), (0, "[]"))
    stored(c, agg)
    got, = c.status(agg, "prdcr_status name=samp1")
    c.check(element("an active producer"), pick(got, ACTIVE), ACTIVE)
    c.check("sets of a producer", sorted((pick(s, SETS[0]) for s in got["sets"]), key=str), SETS)
    PRDCR.run(c, agg)


UPDTR = {v: Asked(answers.UPDATERS, *v.split()) for v in (
    "updtr_add", "updtr_start", "updtr_stop", "updtr_del", "updtr_match_add updtr_match_list", "updtr_match_del",
    "updtr_prdcr_add", "updtr_prdcr_del")}


@runs(*[Case(6 + i, v.split()[0], f"return codes of {v.replace(' ', ' and ')}", "agg1", asked.checks())
        for i, (v, asked) in enumerate(UPDTR.items())])
def test_updaters(c):
    agg = everything(c)
    next(a for a in UPDTR.values() if c.case.name in a.verbs).run(c, agg)


STATUS = Asked(answers.UPDATERS, "updtr_status", "updtr_task", "update_time_stats")


@case(14, "updtr_status", "what updaters say of themselves", "sampler agg1",
      STATUS.checks("no updaters", element("an updater"), "producers of an updater", "all updaters"))
def test_status_of_updaters(c):
    agg = pair(c)
    bare = c.ldmsd("agg1", BARE, "")
    c.check("no updaters", lambda: c.say(bare, "updtr_status"), (0, "[]"))
    stored(c, agg)
    got, = c.status(agg, "updtr_status name=u1")
    c.check(element("an updater"), pick(got, UPDATER), UPDATER)
    c.check("producers of an updater", sorted(got["producers"], key=lambda p: p["name"]), [
        {"name": "dead", "host": SAMP, "port": NOBODY, "transport": "sock", "state": "DISCONNECTED"},
        {"name": "samp1", "host": SAMP, "port": PORT, "transport": "sock", "state": "CONNECTED"}])
    c.check("all updaters", sorted(u["name"] for u in c.status(agg, "updtr_status")), ["u1", "u2"])
    STATUS.run(c, agg)


STRGP = Asked(answers.POLICIES, "strgp_add", "strgp_del", "strgp_start", "strgp_stop", "strgp_status", "strgp_prdcr_add",
              "strgp_prdcr_del", "strgp_metric_add", "strgp_metric_del", "store_time_stats")


@case(15, "strgp_config_cmd", "return codes of every storage-policy command; rows appear behind strgp_start", "sampler agg1",
      STRGP.checks("no policies", element("a policy"), "metrics of a policy", "rows in its file"))
def test_policies(c):
    agg = pair(c)
    bare = c.ldmsd("agg1", BARE, "")
    c.check("no policies", lambda: c.say(bare, "strgp_status"), (0, "[]"))
    stored(c, agg)
    got, = c.status(agg, "strgp_status name=mem")
    c.check(element("a policy"), pick(got, POLICY), POLICY)
    c.check("metrics of a policy", {"component_id", "MemTotal", "MemFree"} <= set(got["metrics"]))
    path = os.path.join(c.hosts.path("rows"), "c1", "meminfo")
    c.check("rows in its file", lambda: os.path.exists(path) and bool(open(path).readlines()))
    STRGP.run(c, agg)


PLUGN = Asked(answers.PLUGINS + answers.STILL_THERE, "load", "config", "start", "stop", "term", "plugn_sets", "usage")


@case(16, "plugin_config_cmd", "return codes of load, config, start, stop, term; states", "sampler agg1",
      PLUGN.checks("no plugins", element("a plugin")))
def test_plugins(c):
    agg = pair(c)
    bare = c.ldmsd("agg1", BARE, "")
    c.check("no plugins", lambda: c.say(bare, "plugn_status"), (0, "[]"))
    got = {p["name"]: p for p in c.status(agg, "plugn_status")}
    c.check(element("a plugin"), pick(got["vmstat"], PLUGIN), PLUGIN)
    stored(c, agg)
    PLUGN.run(c, agg)
