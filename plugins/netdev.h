/* netdev.h - the lines of /proc/net/dev: what its samplers share. */
#ifndef PLUGINS_NETDEV_H
#define PLUGINS_NETDEV_H

#include "core/set/schema.h"
#include "plugins/proc.h"

#define NETDEV_SOURCE "/proc/net/dev"
#define NETDEV_NAME   16 /* bytes of a name, the NUL included: IFNAMSIZ */
enum { NETDEV_COUNTERS = 16 };

/* The name, then the counters of a line, with units; ended by a row without name. */
extern const struct metric_def netdev_members[];

/* The line at p, when it is an interface's: behind its colon, and its name; else (two lines of headings) NULL. */
static inline const char *netdev_line(const char *p, const char **name, size_t *len)
{
	*name = proc_blanks(p);
	*len = proc_word(*name, ':');
	return *len && (*name)[*len] == ':' ? *name + *len + 1 : NULL;
}

/* The interface's line at or behind p; NULL behind the last one. */
static inline const char *netdev_next(const char *p, const char **name, size_t *len)
{
	for (; *p; p = proc_next_line(p)) {
		const char *counters = netdev_line(p, name, len);

		if (counters)
			return counters;
	}
	return NULL;
}

/* The counters at *p, little endian; *p behind them.  False when the line has fewer. */
static inline bool netdev_counters(const char **p, uint64_t to[NETDEV_COUNTERS])
{
	bool whole = true;

	for (int i = 0; i < NETDEV_COUNTERS; i++) {
		uint64_t v;

		whole &= proc_number(p, &v);
		to[i] = htole64(v);
	}
	return whole;
}

#endif
