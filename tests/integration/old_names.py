"""The executable under the names of LDMS's own programs."""
import os
import subprocess

from ldms import LDMS, PATIENCE_S, SANITIZED

NAMES = ("ldms_ls", "ldms_msg_publish", "ldms_msg_subscribe", "ldmsctl", "ldmsd", "ldmsd_controller",
         "ldmsd_stream_publish", "ldmsd_stream_subscribe")


def link(cluster, name):
    path = cluster.path(name)
    if not os.path.islink(path):
        os.symlink(LDMS, path)
    return path


def tool(cluster, name, *args, **kw):
    kw.setdefault("stdin" if "input" not in kw else "text", subprocess.DEVNULL if "input" not in kw else True)
    return subprocess.run([link(cluster, name), *map(str, args)], capture_output=True, cwd=cluster.dir,
                          timeout=PATIENCE_S * (2 if SANITIZED else 1), **{"text": True, **kw})


def daemon(cluster, name, args, port=None, program="ldmsd", **kw):
    return cluster.daemon(name, args, port, program=[link(cluster, program)], **kw)
