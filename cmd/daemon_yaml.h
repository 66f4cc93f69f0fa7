/* daemon_yaml.h - daemons that take their part of a cluster file: which one they are, and when the file changes. */
#ifndef CMD_DAEMON_YAML_H
#define CMD_DAEMON_YAML_H

#include "cmd/daemon_opts.h"
#include "core/daemon/daemon.h"

/* Without -n: the daemon that the cluster files mean on this host.  `collects`: rather one that collects. */
int daemon_yaml_self(struct daemon_opts *o, bool collects, struct err *err);

struct follow;
/* Look at the cluster files, before they are read; NULL when there are none. */
struct follow *follow_new(const struct daemon_opts *o);
/* Reload when one of them has changed since; on the main loop.  Stopped before the daemon ends.  NULL is fine. */
void follow_start(struct follow *f, struct daemon *d);
void follow_stop(struct follow *f);
void follow_free(struct follow *f);

#endif
