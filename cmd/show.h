/* show.h - tables for people, out of JSON.
 *
 * A table says where its rows are in the text and what stands in its columns; a walk fills it.  Paths are members'
 * names with '>' between them; '*' is every element of an array, or every member of an object; "." is the value itself.
 * In columns, "@0" is the name of the member that the last '*' of the row's path is at, "@1" of the one before it.
 */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

enum show_form {
	SHOW_TEXT,
	SHOW_NUM,
	SHOW_US,        /* microseconds as a time: 200ms */
	SHOW_SEC,       /* seconds as a time */
	SHOW_SIZE,      /* bytes: 4.2M */
	SHOW_WHEN,      /* seconds since 1970 as a date, in the local zone */
	SHOW_SHARE,     /* of one, in per cent */
	SHOW_LIST,      /* an array of texts in a row */
	SHOW_PAIR_WHEN, /* members PATH.sec and PATH.usec: a date */
	SHOW_PAIR_SPAN, /* ... a time */
};

struct show_col {
	const char *title, *path;
	enum show_form form;
};

struct show_table {
	const char *rows;              /* where; of a sub-table, in the row it belongs to */
	const struct show_col *cols;   /* ended by one without title; those that no row has are left out */
	const struct show_table *subs; /* behind each row; ended by one without rows.  NULL: none */
	const char *title;             /* a line above; NULL: none.  Then a table without rows is left out */
	bool facts;                    /* "title: value", a line each, instead of a row */
};

/* Append the tables (ended by one without rows) as lines.  -EINVAL: the text is no JSON; -ENODATA: there is something
 * in it, but nothing that the tables know. */
int show_tables(struct buf *to, const struct show_table *tables, const char *json, size_t len, struct err *err);
/* Append the JSON, indented. */
int show_json(struct buf *to, const char *json, size_t len, struct err *err);

/* Seconds since 1970 as a date, in the local zone; "-" for 0. */
void show_when(struct buf *to, double sec);

#endif
