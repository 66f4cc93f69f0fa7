/* daemon_yaml.h - daemons that take their part of a cluster file: which one they are, and when the file changes. */
#ifndef CMD_DAEMON_YAML_H
#define CMD_DAEMON_YAML_H

#include "cmd/daemon_opts.h"
#include "core/daemon/daemon.h"

/* Without -n: the daemon that the cluster files mean on this host.  `collects`: rather one that collects. */
int daemon_yaml_self(struct daemon_opts *o, bool collects, struct err *err);

struct follow;
/* Reload when one of the cluster files has changed.  NULL when there are none.  On the main loop. */
struct follow *follow_new(struct daemon *d, const struct daemon_opts *o);
void follow_free(struct follow *f); /* NULL is fine */

#endif
