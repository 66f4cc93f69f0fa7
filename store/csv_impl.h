/* csv_impl.h - the inside of an instance of store csv, shared by csv.c and csv_tick.c.
 *
 * Locks, outer first: csv.lock, store_sink.lock, csv.opening.
 */
#ifndef STORE_CSV_IMPL_H
#define STORE_CSV_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/csv.h"

/* Attributes of one file. */
struct csv_over {
	struct csv_over *next;
	char *container, *schema;
	struct kv attrs;
	struct csv_conf conf; /* stays where it is: files point to it */
};

struct csv {
	struct store *store;
	const char *path, *name_template; /* the folder; may be NULL */
	struct csv_conf conf;
	struct keep keep;
	struct kv file_attrs; /* of opt_file */

	pthread_mutex_t opening; /* two policies that open one file: only one writes its header */
	struct csv_over *overs;  /* the newest first */
	struct csv_list *list;   /* opened with the first file that needs it */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct store_sink *sinks;
	pthread_t ticker;
	bool ticking, stopping, woken;
	_Atomic int64_t wake_s; /* when the ticker looks again */
};

struct store_sink {
	struct store_sink *next;
	struct csv *csv;
	char *container, *dir;
	struct csv_name *name;
	pthread_mutex_t lock;   /* the worker's, and now and then the ticker's */
	struct csv_file *files; /* the one of the last row first */
	size_t n_files;
	bool made; /* a file, just now */
	struct undo *undo;
};

/* -- csv_inst.c: as store.h says ----------------------------------------------------------------------------------- */

int csv_config(struct store *st, struct err *err);
int csv_config_more(struct store *st, const struct kv *attrs, struct err *err);
void csv_fini(struct store *st);
/* How that file is set up.  For this and the next, the lock `opening` is held. */
const struct csv_conf *csv_conf_of(const struct csv *csv, const char *container, const char *schema);
/* See that there is a list where the configuration needs one, and that what is left open in it is closed. */
int csv_list_get(struct csv *csv, struct err *err);

/* -- csv_tick.c ---------------------------------------------------------------------------------------------------- */

/* Let the clock be watched where the configuration wants that; nothing when it is already.  For this and the others,
 * no sink is locked by the caller. */
void csv_tick_start(struct csv *csv);
void csv_tick_stop(struct csv *csv);
void csv_tick_wake(struct csv *csv); /* a file's time is nearer than what it waits for */
void csv_prune(struct csv *csv);     /* delete what keep= does not keep */
/* Roll a file over; what cannot be done now is tried again, and said once.  Its sink is locked. */
void csv_roll_now(struct csv_file *f);

#endif
