"""What the verbs on objects answer, row by row: errno and text, as ldmsd 4.5.3 has them where that says something.

The rows are sent to one daemon, in this order: test_answers.py sends them to ours, test_real_answers.py to an installed
ldmsd, the conformance suite to either.  `ours` is our text where it is another one than ldmsd's, with the reason beside it.
"""
INVALID, MISSING, EXISTS, BUSY = 22, 2, 17, 16
NO_PRDCR = "The producer specified does not exist."
NO_UPDTR = "The updater specified does not exist."
NO_STRGP = "The storage policy specified does not exist."
UPDTR_RUNS = "Configuration changes cannot be made while the updater is running."
STRGP_RUNS = "Configuration changes cannot be made while the storage policy is running."
BAD_REGEX = "22Invalid regular expression\n"
ADD = "prdcr_add name=p type=active xprt=sock host=localhost port=5000"
SHARE = "The absolute value of the offset value must not be larger than the half of the update interval."


class Row:
    def __init__(self, line, code=0, theirs="", ours=None, ours_code=None, only=None):
        self.line, self.only = line, only  # only: "ours" or "theirs"; the other one is not asked
        self.theirs = (code, theirs)
        self.ours = (code if ours_code is None else ours_code, theirs if ours is None else ours)


PRODUCERS = [
    Row("prdcr_status name=zz", MISSING, "prdcr 'zz' doesn't exist."),
    Row("prdcr_hint_tree name=zz", MISSING, "prdcr 'zz' not found"),
    Row("prdcr_set_status producer=zz", 0, "[]"),
    Row("prdcr_set_status schema=zz", 0, "[]"),
    Row("prdcr_set_status instance=zz", 0, "[]"),
    Row("prdcr_add", INVALID, "The attribute 'name' is required."),
    Row("prdcr_add name=p", INVALID, "The attribute 'type' is required."),
    Row("prdcr_add name=p type=active xprt=sock", INVALID, "The attribute 'host' is required."),
    Row(ADD + " reconnect=foo", INVALID, "The given 'reconnect' is invalid."),
    Row(ADD + " reconnect=-1", INVALID, "The reconnect interval must be a positive number."),
    Row(ADD + " reconnect=0", INVALID, "The reconnect interval must be a positive number."),
    Row(ADD.replace("active", "bogus") + " reconnect=1s", INVALID, "The attribute type 'bogus' is invalid."),
    *[Row(ADD.replace("5000", port) + " reconnect=1s", INVALID, "The attribute 'port' is required.")
      for port in ("-5", "70000", "abc")],
    *[Row(ADD + f" reconnect=1s rail={n}", INVALID, f"'rail' attribute must be a positive integer, got '{n}'")
      for n in ("0", "x")],
    Row(ADD + " reconnect=1s quota=-5", INVALID, "'quota' attribute must be greater than -2, got '-5'"),
    Row(ADD + " reconnect=1s auth=nope", MISSING, "Authentication name not found, check the auth_add configuration."),
    Row(ADD + " reconnect=1s"),
    Row(ADD + " reconnect=1s", EXISTS, "The prdcr p already exists."),
    Row(ADD.replace("name=p", "name=pi") + " interval=1s"),
    Row("prdcr_add name=pp type=passive xprt=sock host=localhost port=5000 reconnect=1s", 0,
        "Ignore the given port 5000 because the type of producer pp is passive."),
    Row("prdcr_status name=pp", 0, '/.*"name":"pp","type":"passive".*"state":"STOPPED".*/'),
    Row(ADD.replace("name=p", "name=ph").replace("localhost", "no.such.host") + " reconnect=1s"),
    Row(ADD.replace("name=p", "name=pn") + " reconnect=1s perm=None"),
    Row("prdcr_start", INVALID, "The attribute 'name' is required by prdcr_start."),
    Row("prdcr_start name=zz", MISSING, NO_PRDCR),
    Row("prdcr_start name=samp1", BUSY, "The producer is already running."),
    Row("prdcr_start name=p reconnect=foo", INVALID, "The 'reconnect' value (foo) is invalid."),
    Row("prdcr_start name=p reconnect=-1", 2 ** 32 - INVALID, "The 'reconnect' interval must be a positive interval.",
        ours_code=INVALID),  # ldmsd forgets the sign
    Row("prdcr_stop", INVALID, "The attribute 'name' is required by prdcr_stop."),
    Row("prdcr_stop name=zz", MISSING, NO_PRDCR),
    Row("prdcr_stop name=p"),
    Row("prdcr_del", INVALID, "The attribute 'name' is required by prdcr_del."),
    Row("prdcr_del name=zz", MISSING, NO_PRDCR),
    Row("prdcr_del name=samp1", BUSY, "The producer is in use."),
    Row("prdcr_del name=pp"),
    Row("prdcr_start_regex", INVALID, "The attribute 'regex' is required by prdcr_start_regex."),
    Row("prdcr_start_regex regex=[", 2, BAD_REGEX),
    Row("prdcr_start_regex regex=(", 8, "22Unmatched ( or \\(\n"),
    Row("prdcr_start_regex regex=nothing"),
    Row("prdcr_start_regex regex=samp1"),  # it runs
    Row("prdcr_stop_regex", INVALID, "The attribute 'regex' is required by prdcr_stop_regex."),
    Row("prdcr_stop_regex regex=[", 2, BAD_REGEX),
    Row("prdcr_stop_regex regex=nothing"),
    Row("bridge_add name=b type=bridge xprt=sock host=localhost port=5000 reconnect=1s"),
    Row("prdcr_status name=b", 0, '/.*"type":"bridge".*"state":"STOPPED".*/'),
    Row("bridge_stop name=b"),
    Row("bridge_del name=b"),
]

SUBSCRIPTIONS = [
    # ldmsd names another verb
    Row("prdcr_subscribe", INVALID, "The attribute 'regex' is required by prdcr_stop_regex.",
        ours="The attribute 'regex' is required by prdcr_subscribe."),
    Row("prdcr_unsubscribe", INVALID, "The attribute 'regex' is required by prdcr_stop_regex.",
        ours="The attribute 'regex' is required by prdcr_unsubscribe."),
    *[Row(v + " regex=.*", INVALID, "One of the 'stream' or `msg` attributes is required.")
      for v in ("prdcr_subscribe", "prdcr_unsubscribe")],
    Row("prdcr_subscribe regex=.* stream=a message_tag=b", INVALID,
        "Only one of the 'stream' or `msg` attributes can be specified. Got: stream=a and message=b"),
    Row("prdcr_subscribe regex=[ stream=a", 2, BAD_REGEX),
    Row("prdcr_subscribe regex=samp1 stream=a"),
    Row("prdcr_subscribe regex=samp1 stream=a"),
    Row("prdcr_unsubscribe regex=samp1 stream=a"),
]

ADVERTISERS = [  # who connects to whom
    Row("prdcr_listen_add", INVALID, "The attribute 'name' is required."),
    Row("prdcr_listen_add name=l type=bogus", INVALID, "The type value 'bogus' is invalid."),
    Row("prdcr_listen_add name=l type=active", INVALID,
        "The attribute 'advertiser_port' is required for the 'active' mode."),
    Row("prdcr_listen_add name=l type=active advertiser_port=411 advertiser_xprt=sock", INVALID,
        "The attribute 'reconnect' is required for the 'active' mode."),
    Row("prdcr_listen_add name=l ip=bogus", INVALID, "The given CIDR string 'bogus' is invalid.",
        ours="/The given CIDR string 'bogus' is invalid; .*/"),
    Row("prdcr_listen_add name=l regex=[", INVALID, "The regular expression string '[' is invalid."),
    Row("prdcr_listen_add name=l regex=node.* ip=10.0.0.0/8"),
    Row("prdcr_listen_add name=l", EXISTS, "The prdcr listener l already exists."),
    Row("prdcr_listen_start", INVALID, "The attribute 'name' is required,"),
    Row("prdcr_listen_start name=zz", MISSING, "The listen_producer 'zz' does not exist."),
    Row("prdcr_listen_start name=l"),
    Row("prdcr_listen_start name=l"),
    Row("prdcr_listen_stop", INVALID, "The attribute 'name' is required,"),
    Row("prdcr_listen_stop name=zz", MISSING, "The listen_producer 'zz' does not exist."),
    Row("prdcr_listen_stop name=l"),
    Row("prdcr_listen_del", INVALID, "The attribute 'name' is required,"),
    Row("prdcr_listen_del name=zz", MISSING, "The producer listen 'zz' does not exist.\n"),
    Row("prdcr_listen_del name=l", only="ours"),  # ldmsd never lets go of it
    Row("advertiser_add name=adv xprt=sock host=localhost port=411 reconnect=1s type=advertiser"),
    Row("advertiser_add name=adv xprt=sock host=localhost port=411 reconnect=1s type=advertiser", EXISTS,
        "The prdcr adv already exists."),
    Row("advertiser_start name=adv"),
    Row("advertiser_start name=adv", BUSY, "The advertiser is already running."),
    Row("advertiser_start", INVALID, "The attribute 'name' is required by advertiser_start.", only="ours"),  # it crashes
    Row("advertiser_del name=adv", BUSY, "The advertiser is in use."),
    Row("advertiser_del name=zz", MISSING, "The advertiser specified does not exist."),
    Row("advertiser_stop name=zz", MISSING, "The advertiser specified does not exist."),
    Row("advertiser_stop name=adv"),
]

UPDATERS = [
    Row("updtr_status name=zz", MISSING, "updtr 'zz' doesn't exist."),
    Row("update_time_stats name=zz", MISSING, "updtr 'zz' doesn't exist."),
    Row("updtr_task name=zz", MISSING, "updtr 'zz' not found"),
    Row("updtr_match_list name=zz", MISSING, "updtr 'zz' does not exist."),
    Row("updtr_add", INVALID, "The attribute 'name' is required."),
    Row("updtr_add name=u", INVALID, "The 'interval' attribute is required."),
    Row("updtr_add name=u interval=foo", INVALID, "The given update interval value (foo) is invalid."),
    Row("updtr_add name=u interval=0", INVALID, "The update interval value must be larger than 0."),
    Row("updtr_add name=u interval=-1", INVALID, "The update interval value must be larger than 0."),
    Row("updtr_add name=u interval=1s offset=foo", INVALID, "The given update offset value (foo) is invalid."),
    Row("updtr_add name=u interval=1s offset=600ms", INVALID, SHARE),
    Row("updtr_add name=u interval=1s offset=-1000"),
    Row("updtr_add name=u interval=1s", EXISTS, "The updtr u already exists."),
    Row("updtr_add name=u3 interval=1s push=foo", INVALID,
        'The valud push options are "onchange", "true" or "yes"\n'),
    Row("updtr_add name=u3 interval=1s push=true auto_interval=true", INVALID,
        "auto_interval and push are incompatible options"),
    Row("updtr_add name=u3 interval=1s auto_interval=foo", INVALID,
        "The auto_interval option requires either 'true', or 'false'\n"),
    Row("updtr_add name=#u interval=1s", INVALID, "#u is an invalid updtr name"),
    Row("updtr_add name=u4 interval=1s perm=None"),
    Row("updtr_prdcr_add", INVALID, "The attribute 'name' is required by updtr_prdcr_add."),
    Row("updtr_prdcr_add name=u", INVALID, "The attribute 'regex' is required by updtr_prdcr_add."),
    Row("updtr_prdcr_add name=zz regex=x", MISSING, NO_UPDTR),
    # ldmsd does not say what is wrong
    Row("updtr_prdcr_add name=u regex=[", INVALID, "Error 22 EINVAL", ours="/.*'\\['.*Invalid regular expression/"),
    Row("updtr_prdcr_add name=u regex=x", 0, "0\n"),
    Row("updtr_prdcr_add name=u regex=.*", 0, "0\n"),
    Row("updtr_prdcr_add name=u1 regex=x", BUSY, UPDTR_RUNS),
    Row("updtr_prdcr_del name=u", INVALID, "The attribute 'regex' is required by updtr_prdcr_del."),
    Row("updtr_prdcr_del name=zz regex=x", MISSING, NO_UPDTR),
    Row("updtr_prdcr_del name=u regex=[", INVALID, "Error 22 EINVAL", ours="/.*'\\['.*Invalid regular expression/"),
    Row("updtr_prdcr_del name=u regex=nothing"),
    Row("updtr_prdcr_del name=u regex=samp1"),
    Row("updtr_prdcr_del name=u1 regex=samp1", BUSY, UPDTR_RUNS[:-1] + ","),
    Row("updtr_match_add name=u", INVALID, "The attribute 'regex' is required by updtr_match_add."),
    Row("updtr_match_add name=zz regex=x", MISSING, NO_UPDTR),
    Row("updtr_match_add name=u regex=[", INVALID, "The regex value '[' is invalid."),
    Row("updtr_match_add name=u regex=x match=foo", INVALID, "The value 'foo' for match= is invalid."),
    Row("updtr_match_add name=u regex=x match=inst"),
    Row("updtr_match_list name=u", 0, '[{"name":"u","match":[{"regex":"x","selector":"inst"}]}]'),
    Row("updtr_match_add name=u1 regex=x", BUSY, UPDTR_RUNS),
    Row("updtr_match_del name=u", INVALID, "The attribute 'regex' is required by updtr_match_del."),
    *[Row("updtr_match_del name=u regex=" + r, MISSING, "The specified regex does not match any condition.")
      for r in ("[", "nothing", "x match=schema")],
    Row("updtr_match_del name=u regex=x match=foo", INVALID, "Unrecognized match type 'foo'"),
    Row("updtr_match_del name=u regex=x"),
    Row("updtr_match_del name=u1 regex=x", BUSY, UPDTR_RUNS),
    Row("updtr_start", INVALID, "The updater name must be specified."),
    Row("updtr_start name=zz", MISSING, NO_UPDTR),
    Row("updtr_start name=u1", BUSY, "The updater is already running."),
    Row("updtr_start name=u interval=foo", INVALID, "The given update interval value (foo) is invalid."),
    Row("updtr_start name=u interval=-1000000", INVALID, "The update interval must be a positive interval. (-1000000)"),
    Row("updtr_start name=u interval=0", INVALID, "The update interval must be a positive interval. (0)"),
    Row("updtr_start name=u offset=foo", INVALID, "The given update offset value (foo) is invalid."),
    Row("updtr_start name=u offset=600ms", INVALID, "Error 22 EINVAL", ours=SHARE + " (i=1000000,o=600000)"),
    Row("updtr_start name=u interval=1000000 offset=2000000", INVALID, SHARE + " (i=1000000,o=2000000)"),
    Row("updtr_start name=u"),
    Row("updtr_start name=u", BUSY, "The updater is already running."),
    Row("updtr_status name=u", 0, '/.*"state":"RUNNING".*/'),
    Row("updtr_stop", INVALID, "The updater name must be specified."),
    Row("updtr_stop name=zz", MISSING, NO_UPDTR),
    Row("updtr_stop name=u"),
    Row("updtr_status name=u", 0, '/.*"state":"STOPPED".*/'),
    Row("updtr_stop name=u"),
    Row("updtr_del", INVALID, "The attribute 'name' is required by updtr_del."),
    Row("updtr_del name=zz", MISSING, NO_UPDTR),
    Row("updtr_del name=u1", BUSY, "The updater is in use."),
    Row("updtr_del name=u"),
    Row("updtr_del name=u", MISSING, NO_UPDTR),
]

POLICIES = [
    Row("strgp_status name=zz", MISSING, "strgp 'zz' doesn't exist."),
    Row("store_time_stats name=zz", MISSING, "strgp 'zz' doesn't exist."),
    # ldmsd crashes
    Row("strgp_add plugin=store_csv schema=a", INVALID, "The attribute 'name' is required by strgp_add.", only="ours"),
    Row("strgp_add name=x", INVALID, "The attribute 'plugin' is required by strgp_add."),
    Row("strgp_add name=x plugin=store_csv container=c", INVALID,
        "The attribute 'schema' or 'regex' is required by strgp_add."),
    Row("strgp_add name=x plugin=store_csv container=c schema=a regex=b", INVALID,
        "The attributes 'schema' and 'regex' are mutually exclusive."),
    # ours needs none: every metric is a column
    Row("strgp_add name=x plugin=store_csv container=c regex=b", INVALID,
        "The attributes 'decomposition' is required when 'regex' is used.", only="theirs"),
    Row("strgp_add name=x plugin=store_csv container=c regex=b decomposition=/none", INVALID, "decomposer: json parser error: "
        "line -1 column: -1 cannot open file: unable to open /none: No such file or directory\n",
        ours="decomposer: json parser error: line -1 column: -1 cannot open file: unable to open /none: No such file or directory"),
    Row("strgp_add name=x plugin=nope container=c schema=a", MISSING, "The plugin nope does not exist. Forgot load?\n"),
    Row("strgp_add name=x plugin=store_csv container=c schema=a flush=foo", MISSING,
        'The specified flush interval, "foo", is invalid.'),
    Row("strgp_add name=x plugin=store_csv container=c schema=a perm=None"),
    # ldmsd ends the policy that exists
    Row("strgp_add name=x plugin=store_csv container=c schema=a", EXISTS, "The strgp x already exists.", only="ours"),
    Row("strgp_add name=mem plugin=store_csv container=c schema=a", EXISTS, "The strgp mem already exists."),
    Row("strgp_prdcr_add name=x", INVALID, "The attribute 'regex' is required by strgp_prdcr_add."),
    Row("strgp_prdcr_add name=zz regex=a", MISSING, NO_STRGP),
    # misleading
    Row("strgp_prdcr_add name=x regex=[", MISSING, NO_STRGP, ours="/.*'\\['.*Invalid regular expression/",
        ours_code=INVALID),
    Row("strgp_prdcr_add name=x regex=a"),
    Row("strgp_prdcr_add name=mem regex=a", BUSY, STRGP_RUNS),
    Row("strgp_prdcr_del name=x", INVALID, "The attribute 'regex' is required by strgp_prdcr_del."),
    Row("strgp_prdcr_del name=zz regex=a", MISSING, NO_STRGP),
    Row("strgp_prdcr_del name=x regex=b", MISSING, "The specified regex does not match any condition."),
    Row("strgp_prdcr_del name=x regex=a"),
    Row("strgp_prdcr_del name=mem regex=a", BUSY, STRGP_RUNS),
    Row("strgp_metric_add name=x", INVALID, "The attribute 'metric' is required by strgp_metric_add."),
    Row("strgp_metric_add name=zz metric=a", MISSING, NO_STRGP),
    Row("strgp_metric_add name=x metric=a"),
    Row("strgp_metric_add name=x metric=a", EXISTS, "The specified metric is already present."),
    Row("strgp_metric_add name=mem metric=a", BUSY, STRGP_RUNS),
    Row("strgp_metric_del name=x", INVALID, "The attribute 'metric' is required by strgp_metric_del."),
    Row("strgp_metric_del name=zz metric=a", MISSING, NO_STRGP),
    Row("strgp_metric_del name=x metric=b", MISSING, "The specified metric was not found."),
    Row("strgp_metric_del name=x metric=a"),
    Row("strgp_start", INVALID, "22The attribute 'name' is required by strgp_start.",
        ours="The attribute 'name' is required by strgp_start."),
    Row("strgp_start name=zz", MISSING, "The storage policy does not exist."),
    Row("strgp_start name=mem", BUSY, "The storage policy is already running."),
    Row("strgp_stop", INVALID, "The attribute 'name' is required by strgp_stop."),
    Row("strgp_stop name=zz", MISSING, "The storage policy does not exist."),
    Row("strgp_stop name=x", BUSY, "The storage policy is not running."),
    Row("strgp_del", INVALID, "The attribute 'name' is requiredby strgp_del.",
        ours="The attribute 'name' is required by strgp_del."),
    Row("strgp_del name=zz", MISSING, NO_STRGP),
    Row("strgp_del name=mem", BUSY, "The storage policy is in use."),
    Row("strgp_del name=x"),
]

PLUGINS = [  # behind ldmsd's words we say why
    Row("load", INVALID, "The attribute 'name' is required by load."),
    Row("load name=aaa", MISSING, "/Error 2 plugin 'aaa': failed to load the plugin, .*/"),
    Row("load name=store_csv", EXISTS, "Error 17 adding store named 'store_csv' with plugin 'store_csv'\n"),
    Row("load name=store_csv2 plugin=store_csv"),
    Row("load name=meminfo"),
    Row("load name=meminfo", EXISTS, "Error 17 adding sampler named 'meminfo' with plugin 'meminfo'\n"),
    Row("plugn_sets name=meminfo", 0, '[{"plugin":"meminfo","sets":[]}]'),
    Row("plugn_sets name=vmstat", 0, '[{"plugin":"vmstat","sets":["agg/vmstat"]}]'),
    Row("plugn_sets name=zz", 0, "[]"),
    Row("usage name=zz", MISSING, "Plugin 'zz' not loaded."),
    Row("usage name=vmstat", 0, "/vmstat\n.*config name=vmstat.*producer .*instance .*/"),
    Row("config", INVALID, "The attribute 'name' is required by config."),
    Row("config name=zz string=a=b", MISSING, "The specified plugin instance 'zz' does not exist."),
    Row("config name=store_csv string=path=/tmp", INVALID, "/Error 22 configuring plugin instance 'store_csv'\\..*/"),
    Row("config name=vmstat string=producer=x", INVALID, "The sampler 'vmstat' does not support multiple configurations.\n",
        ours="/Error 16 configuring plugin instance 'vmstat'\\. .*configured already.*/", ours_code=BUSY),
    Row("start", INVALID, "The attribute 'name' is required by start."),
    Row("start name=zz interval=1s", MISSING, "Sampler instance 'zz' not found."),
    Row("start name=vmstat", INVALID, "The attribute 'interval' is required by start."),
    Row("start name=vmstat interval=foo", INVALID, "interval 'foo' invalid"),
    # ldmsd divides by it and dies
    Row("start name=vmstat interval=0", INVALID, "interval '0' invalid", only="ours"),
    Row("start name=vmstat interval=-1", INVALID, "interval '-1' invalid", only="ours"),
    Row("start name=vmstat interval=1s offset=foo", INVALID, "The given 'offset' (foo) is invalid."),
    Row("start name=vmstat interval=1s offset=600ms", INVALID, "Sampler parameters interval and offset are incompatible."),
    Row("stop", INVALID, "The attribute 'name' is required by stop."),
    Row("stop name=zz", MISSING, "Sampler instance 'zz' not found."),
    Row("stop name=vmstat", INVALID, "The sampler instance 'vmstat' is not running."),
    Row("start name=vmstat interval=1s"),
    Row("start name=vmstat interval=1s", BUSY, "Sampler instance 'vmstat' is already running."),
    Row("term", INVALID, "The attribute 'name' is required by term."),
    Row("term name=zz", MISSING, "plugin instance 'zz' not found."),
    Row("term name=vmstat", BUSY, "/Failed to terminate the plugin instance 'vmstat'\\..*/"),
    Row("term name=store_csv", BUSY, "/Failed to terminate the plugin instance 'store_csv'\\..*/"),
    Row("term name=store_csv2"),
]

SETS = [
    Row("udata instance=zz metric=x udata=1", MISSING, "Set 'zz' not found."),
    Row("udata instance=agg/vmstat metric=zz udata=1", 2 ** 32 - MISSING, "Metric 'zz' not found in Set 'agg/vmstat'.",
        ours_code=MISSING),
    Row("udata instance=agg/vmstat metric=nr_free_pages udata=zz", INVALID, "User data 'zz' is invalid."),
    Row("udata instance=agg/vmstat metric=nr_free_pages", INVALID, "The attribute 'udata' is required."),
    Row("udata instance=agg/vmstat udata=1", INVALID, "The attribute 'metric' is required."),
    Row("udata metric=x udata=1", INVALID, "The attribute 'instance' is required."),
    Row("udata instance=agg/vmstat metric=nr_free_pages udata=0x10"),
    Row("udata_regex instance=zz regex=x base=1", MISSING, "Set 'zz' not found."),
    Row("udata_regex instance=agg/vmstat regex=nr_.* base=zz", INVALID, "User data base 'zz' invalid."),
    Row("udata_regex instance=agg/vmstat regex=[ base=1", 2, BAD_REGEX),
    Row("udata_regex instance=agg/vmstat base=1", INVALID, "The attribute 'regex' is required."),
    Row("udata_regex instance=agg/vmstat regex=x", INVALID, "The attribute 'base' is required."),
    Row("udata_regex regex=x base=1", INVALID, "The attribute 'instance' is required."),
    Row("udata_regex instance=agg/vmstat regex=^pgfault$ base=100 incr=2"),
]

STILL_THERE = [  # what was there before
    Row("stop name=vmstat"),
    Row("prdcr_status name=samp1", 0, '/.*"state":"CONNECTED".*/'),
    Row("updtr_status name=u1", 0, '/.*"state":"RUNNING".*/'),
    Row("strgp_status name=mem", 0, '/.*"state":"RUNNING".*/'),
]

ROWS = [*PRODUCERS, *SUBSCRIPTIONS, *ADVERTISERS, *UPDATERS, *POLICIES, *PLUGINS, *SETS, *STILL_THERE]

CONFIG = """prdcr_add name=samp1 type=active xprt=sock host={host} port={samp} reconnect=200ms
prdcr_add name=dead type=active xprt=sock host={host} port={dead} reconnect=5s
prdcr_start name=samp1
prdcr_start name=dead
updtr_add name=u1 interval=200ms offset=20ms
updtr_prdcr_add name=u1 regex=.*
updtr_match_add name=u1 regex=meminfo match=schema
updtr_start name=u1
updtr_add name=u2 interval=5s auto_interval=true
updtr_prdcr_add name=u2 regex=samp.*
load name=store_csv
config name=store_csv path={rows}
strgp_add name=mem plugin=store_csv container=c1 schema=meminfo
strgp_start name=mem
load name=vmstat
config name=vmstat producer=agg instance=agg/vmstat
"""


def config(rows, samp, dead, host="localhost"):
    """A daemon with one of each: `rows` is a folder, the others are ports of a sampler and of nobody."""
    return CONFIG.format(rows=rows, samp=samp, dead=dead, host=host)


STRING, JSON = 16, 26
SHAPES = {"prdcr_stats": (JSON, True), "set_stats": (JSON, True), "prdcr_status": (JSON, False),
          "prdcr_set_status": (JSON, False), "prdcr_hint_tree": (JSON, False), "prdcr_listen_status": (JSON, False),
          "updtr_status": (JSON, False), "updtr_task": (JSON, False), "updtr_match_list": (JSON, False),
          "strgp_status": (JSON, False), "plugn_status": (JSON, False), "plugn_sets": (JSON, False),
          "update_time_stats": (STRING, True), "store_time_stats": (STRING, True), "strgp_del name=zz": (STRING, True)}
