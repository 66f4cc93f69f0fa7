/* spool_strays.h - spools that nobody reads any more: their policy was renamed, or is gone. */
#ifndef CORE_DAEMON_SPOOL_STRAYS_H
#define CORE_DAEMON_SPOOL_STRAYS_H

struct daemon;

/* Say which spools, beside those of the daemon's policies, have something in them, and are of no policy of this daemon
 * and in no daemon's use.  When all policies are there: once the daemon is ready, and after a reload. */
void spool_strays_say(const struct daemon *d);

#endif
