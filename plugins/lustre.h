/* lustre.h - the statistics files of Lustre: a line for each operation that was seen
 *
 *	snapshot_time             1690000000.123456789 secs.nsecs
 *	read_bytes                10 samples [bytes] 4096 1048576 12345678 99
 *	open                      5 samples [reqs]
 *
 * NAME COUNT samples [UNIT], and, for some, MIN MAX SUM, and SUMSQ.  Lines come with the first event, and go when an
 * administrator clears the counters.
 */
#ifndef PLUGINS_LUSTRE_H
#define PLUGINS_LUSTRE_H

#include "plugins/cells.h"
#include "plugins/samp.h"

#define LUSTRE_NAME 64 /* bytes of fs_name and its like; ldmsd's */

enum lustre_col { LUSTRE_COUNT, LUSTRE_MIN, LUSTRE_MAX, LUSTRE_SUM, LUSTRE_SUMSQ, LUSTRE_COLS };

struct lustre_key {
	char word[48]; /* the name with the blank behind it; the rest is for proc_starts() */
	uint32_t len;
	int16_t at[LUSTRE_COLS]; /* which slot; -1: not wanted */
	bool either;             /* at[LUSTRE_COUNT] takes the sum of a line that has one */
};

struct lustre_keys {
	struct lustre_key *v;
	size_t n, cap;
	size_t slots; /* that they fill, 0 to slots - 1 */
};

/* One more slot, for the metric of that name: "open" counts, "read_bytes.sum" and "open__max" take other columns. */
void lustre_keys_add(struct lustre_keys *keys, const char *metric);
void lustre_keys_either(struct lustre_keys *keys, const char *name);
void lustre_keys_fini(struct lustre_keys *keys);

struct lustre_stats {
	struct proc_file file;
	struct cells cells;
	uint64_t spare; /* where numbers go that nobody wants */
};

int lustre_stats_open(struct lustre_stats *st, const char *path, struct err *err);
/* Write all slots; those without a line are 0. */
int lustre_stats_read(struct lustre_stats *st, const struct lustre_keys *keys, uint64_t *slots, struct err *err);
void lustre_stats_close(struct lustre_stats *st);

/* The name of the file system, which is what stands before the last dash: of scratch-OST0001 or scratch-ffff8881234. */
size_t lustre_fs_name(const char *name, size_t len);

#endif
