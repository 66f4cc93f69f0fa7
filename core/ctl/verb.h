/* verb.h - control verbs, described once as data: files, the wire, `ldms check` and the manual read the same rows.
 *
 * To add one: a row in verbs.c (name, wire number, permission, attributes, handler) and the handler in its ctl_*.c; when
 * it configures something, a row in book_verbs.c, so that dump_cfg and a reload know of it.  CONTRIBUTING.md has an example.
 */
#ifndef CORE_CTL_VERB_H
#define CORE_CTL_VERB_H

#include "core/base/buf.h"
#include "core/ctl/attr.h"
#include "core/daemon/daemon.h"

struct ctl;
struct ctl_arg;

enum verb_flag {
	VERB_PRIO = 1, /* carried out in a file's first pass, before everything else */
	VERB_DEFER = 2, /* in files: after everything else (the starts) */
	VERB_ALL = 4, /* any authenticated user may; without it the owner and group of the daemon */
	VERB_FILE_ONLY = 8, /* not over the network */
	VERB_MODIFIES = 16, /* counts as a change of configuration */
	VERB_PLUGIN = 32, /* in files: behind the settings already, unless it is about a sampler that was loaded */
	/* changes the object name=, or those that regex= matches: who asks needs write access to each (object.c) */
	VERB_PRDCR = 256,
	VERB_UPDTR = 512,
	VERB_STRGP = 1024,
	VERB_ADVERTISER = 2048,
	VERB_PRDCR_LISTEN = 4096,
	VERB_PAIRED = 16384, /* a change of configuration that may be made while failover is started */
	VERB_UNSUPPORTED = 8192, /* keeps its name and number; the answer is the row's help: why, and what to use */
};

struct verb {
	const char *name;
	uint16_t id; /* on the wire; frozen */
	uint16_t flags;
	uint8_t order; /* VERB_DEFER, VERB_PRIO: which kind first */
	const struct attr_use *attrs; /* ended by a row without name; NULL: none */
	int (*run)(struct ctl *c, struct err *err);
	const char *help; /* one line */
};

extern const struct verb verbs[]; /* ended by a row without name */
const struct verb *verb_find(const char *name);
const struct verb *verb_by_id(uint16_t id);
/* The nearest verb's name, or NULL. */
const char *verb_nearest(const char *word);

/* A request on its way to its handler. */
struct ctl {
	struct daemon *d;
	const struct verb *verb;
	const char *text[ATTR_IDS]; /* values, ${} expanded; NULL when absent */
	int64_t num[ATTR_IDS]; /* of the types that are numbers */
	const struct ctl_arg *args; /* as they came, while the handler runs */
	size_t args_n;
	uint32_t uid, gid; /* who asks */
	bool itself; /* the daemon asks, at a reload: it may change whatever is there */
	int (*run)(struct ctl *c, struct err *err); /* in the place of the handler, for a trial (conf_try.c); or NULL */
	void *trial;
	struct request *from; /* the peer that asks (session.h); NULL: a file */
	void (*after)(struct ctl *c); /* the handler wants this called once its answer has left */
	void *after_arg;
	struct buf reply; /* text or JSON for the answer */
	bool deferred; /* it is answered later (session.h) */
	bool tell; /* the reply goes in front of the words of a failure */
	bool json, nul; /* the answer is JSON; a NUL is counted in its length */
	bool raw; /* the answer is attributes already (record_put()) */
};

/* Values by attribute; the default when absent. */
const char *ctl_text(const struct ctl *c, enum attr_id id, const char *dflt);
int64_t ctl_num(const struct ctl *c, enum attr_id id, int64_t dflt);
bool ctl_has(const struct ctl *c, enum attr_id id);

/* An attribute as given: by number (wire) or name (files); value NULL for a keyword. */
struct ctl_arg {
	enum attr_id id;
	const char *name; /* NULL when only the number is known */
	const char *value;
};

/* Check the arguments against the verb's row (all complaints in one message), expand variables, check the permission,
 * and run the handler.  The reply is in c->reply; on failure err has the words that go back to whoever asked. */
int ctl_run(struct ctl *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err);
/* May who asks have this verb carried out at all? */
bool ctl_may(const struct ctl *c, const struct verb *v);
/* All of that but the permission and the handler. */
int ctl_prepare(struct ctl *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err);
/* The checks alone (`ldms check`, files before anything runs). */
int ctl_check(const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err);
/* Does the value suit the attribute?  *num gets it as a number where it is one. */
int ctl_value(const struct verb *v, const struct attr_use *u, const char *value, int64_t *num, struct err *err);
/* One argument by itself (*ret_unknown: the verb has none of that name), and whether an attribute is there that must be. */
int ctl_check_arg(const struct verb *v, const struct ctl_arg *arg, bool *ret_unknown, struct err *err);
int ctl_check_required(const struct verb *v, const struct attr_use *u, const struct ctl_arg *args, size_t n,
		       struct err *err);
void ctl_fini(struct ctl *c);
/* Text with ${NAME} replaced from the environment; yours. */
char *ctl_expand(const char *text);
/* Set environment variables from "A=1 B=2". */
int ctl_env_put(const char *text, struct err *err);

#endif
