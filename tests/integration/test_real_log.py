"""The log beside that of an installed ldmsd: the same lines, and the same answers about levels."""
import json
import re

from ldms import free_port, wait_for
from real import needs_ldmsd, real
from wire import Wire

LOG_LEVEL, LOGROTATE, LOG_STATUS, PRDCR_DEL = 0x602, 0x608, 0x614, 0x101
NAME, REGEX, LEVEL = 1, 4, 20

LEVELS = ["INFO", "debug", "WARN", "CRIT", "FOO", "INFO,ERROR", "WARN,INFO", "DEBUG,", "INFO,FOO", ",", "QUIET,INFO",
          "INFO,,ERROR", "QUIET", "default", "reset", "CRITICAL"]


def text(value):
    return value.encode() + b"\0"


def both(cluster, lines=""):
    port = free_port()
    conf = cluster.write("real.conf", f"log_level level=INFO\n{lines}")
    r = real(cluster, "real", conf, port)
    port = free_port()
    o = cluster.daemon("ours", ["samp", "-x", f"sock:{port}:127.0.0.1", "-c", conf, "--log-format", "ldmsd"], port)
    return wait_for(lambda: connect(r)), wait_for(lambda: connect(o)), r, o


def connect(d):
    try:
        return Wire(d.port).accepted()
    except OSError:
        return None


@needs_ldmsd
def test_levels(cluster):
    """Every level is answered and shown as there."""
    r, o, _, _ = both(cluster)
    for level in LEVELS:
        attrs = [(LEVEL, text(level)), (NAME, text("store"))]
        assert o.control(LOG_LEVEL, attrs) == r.control(LOG_LEVEL, attrs), level
        shown = [{s["name"]: s["level"] for s in json.loads(w.control(LOG_STATUS, [(NAME, text("store"))])[1])}
                 for w in (o, r)]
        assert shown[0] == shown[1], level
    for attrs in ([(LEVEL, text("INFO")), (NAME, text("nosuch"))], [(LEVEL, text("INFO")), (REGEX, text("nosuch"))],
                  [(LEVEL, text("INFO")), (REGEX, text("("))], [(LEVEL, text("INFO")), (REGEX, text("^st"))],
                  [(LEVEL, text("DEBUG,")), (NAME, text("xprt.zap.sock"))],
                  [(LEVEL, text("DEBUG,")), (NAME, text("ldms.msg"))],
                  [(LEVEL, text("INFO")), (NAME, text("store")), (REGEX, text("nosuch"))]):
        assert o.control(LOG_LEVEL, attrs) == r.control(LOG_LEVEL, attrs), attrs
    assert o.control(LOGROTATE) == r.control(LOGROTATE)
    assert o.control(LOG_STATUS, [(NAME, text("no"))]) == r.control(LOG_STATUS, [(NAME, text("no"))])
    # every subsystem that is described there is known here, if not by this name
    assert [s["name"] for s in json.loads(r.control(LOG_STATUS)[1])
            if o.control(LOG_LEVEL, [(LEVEL, text("INFO")), (NAME, text(s["name"].replace(" (default)", "")))])[0]] == []


@needs_ldmsd
def test_lines(cluster):
    """A line that both have is the same to the byte, but for the port."""
    r, o, real_d, ours_d = both(cluster, "log_level name=config level=QUIET\n")
    for d in (real_d, ours_d):
        d.says("Listening on")
    lines = [re.sub(r"\d{5}", "PORT", next(x for x in d.text().splitlines() if "Listening on" in x))
             for d in (real_d, ours_d)]
    assert lines[0] == lines[1]
    assert all(re.match(r" +[A-Z]+: [a-z.]+: ", x) for x in ours_d.text().splitlines())
