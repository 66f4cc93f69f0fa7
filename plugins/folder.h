/* folder.h - the entries of a folder that come and go, devices or mounts, and what a sampler keeps of each.
 *
 *	folder_look(&f, sp, err);
 *	folder_each(&f, sp, fn, err);
 *
 * The first finds those that came and ends those that went; the second makes what is new and calls fn for each.  One
 * that fails does not keep the others from their turn.
 */
#ifndef PLUGINS_FOLDER_H
#define PLUGINS_FOLDER_H

#include "plugins/names.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

struct folder_type {
	const char *const *places; /* paths, ended by NULL: the first that is there counts */
	const char *prefix;        /* of the names that count; NULL: any */
	bool files;                /* entries are files, not folders and links to such */
	const char *hint;          /* what to do when there is none: "is ... loaded?" */
	/* `path` is that of the entry, `name` the end of it; what it makes is never NULL on success */
	int (*make)(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err);
	void (*end)(struct samp *sp, void *item);
};

struct folder {
	const struct folder_type *type;
	void *owner; /* for make() */
	char *root;
	const char *const *places;
	char *own; /* folder_init_at()'s path */
	const char *only[2];
	const char *path; /* the place that is open, without root; NULL: none */
	int fd;
	struct names names;
	struct folder_item {
		void *p; /* NULL: not made so far */
		bool seen;
		bool good; /* has fn succeeded since it was made? */
	} * items;         /* of the names */
	uint32_t cap;
	uint32_t *order; /* numbers of the entries, by name: cpu2 before cpu10 */
};

/* Is one of its places below `root`?  For samp_type.probe. */
int folder_probe(const struct folder_type *type, const char *root, struct err *err);

/* `places` in place of the type's; NULL: those.  They are borrowed. */
void folder_init(struct folder *f, const struct folder_type *type, const char *root, const char *const *places,
		 void *owner);
/* The folder at `path`, which has the root in front. */
void folder_init_at(struct folder *f, const struct folder_type *type, const char *path, void *owner);
/* -ENOENT and others: the folder cannot be read, and everything in it has been ended. */
int folder_look(struct folder *f, struct samp *sp, struct err *err);
/* The first failure, of those that are still there; in the order of their names.  fn may be NULL.  It says -ENODEV of
 * an entry that has become another one (a driver was loaded anew): that is ended, made again, and has its turn. */
int folder_each(struct folder *f, struct samp *sp, int (*fn)(struct samp *sp, void *item, struct err *err),
		struct err *err);
/* A list that fn writes anew, with rows_next() for each entry or none or several; it says -ENOSPC where there is no
 * room, and the end of that is -ESTALE with words. */
int folder_rows(struct folder *f, struct samp *sp, struct rows *rows,
		int (*fn)(struct samp *sp, void *item, struct err *err), struct err *err);
/* Is entry i still there? */
bool folder_has(const struct folder *f, uint32_t i);
void folder_close(struct folder *f, struct samp *sp);

#endif
