/* conf_yaml_impl.h - what the files of the cluster file share.  conf_yaml.c reads it whole; one file each holds a section
 * (conf_yaml_daemon.c, _samp.c, _agg.c, _store.c) or what several sections have (_auth.c, _plugin.c, _advert.c); all
 * of them take values from the tree by conf_yaml_value.c, and make commands of them by conf_yaml_cmd.c. */
#ifndef CORE_CTL_CONF_YAML_IMPL_H
#define CORE_CTL_CONF_YAML_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "core/base/hostlist.h"
#include "core/base/yaml.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/conf_mark.h"

typedef const struct yaml_node *ynode;

/* Where an endpoint listens. */
struct endpoint {
	UT_hash_handle hh;
	char *host, *port;
	ynode spec;
	char name[];
};

/* The commands of one daemon in the making. */
struct ygen {
	struct conf *cf;
	const char *file;
	const char *self; /* the daemon that asks */
	ynode root;
	struct endpoint *endpoints;
	struct mark *auths, *plugins; /* that were made: what many endpoints name is made once */
	unsigned int updtrs; /* of the whole file so far */
	unsigned int work;
	bool stop; /* it was too much work: no more complaints */
};

void ygen_fini(struct ygen *g);

/* -- complaints and commands (conf_yaml_cmd.c) -- */
void ygen_bad(struct ygen *g, ynode n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Is there an end to it?  Counts `amount` names or members more; false, once said, when they are too many. */
bool ygen_works(struct ygen *g, ynode n, size_t amount);
/* A command begins, has words and name=value (in the place of `n`), and ends. */
void ygen_verb(struct ygen *g, ynode n, const char *name);
void ygen_word(struct ygen *g, ynode n, const char *text);
void ygen_attr(struct ygen *g, ynode n, const char *name, const char *value);
void ygen_end(struct ygen *g);
/* An attribute from the value of a key, if there is one: a text (as `as`), a time, the permission. */
void ygen_attr_if(struct ygen *g, ynode map, const char *key, const char *as);
void ygen_attr_time(struct ygen *g, ynode map, const char *key);
void ygen_attr_perm(struct ygen *g, ynode map);

/* -- values (conf_yaml_value.c) -- */
struct conf_pos ynode_pos(ynode n);
/* The members of a list; a single one stands for itself. */
size_t ynode_members(ynode n);
ynode ynode_member(ynode n, size_t i);
bool ynode_is_true(ynode map, const char *key);
/* A text member; NULL when absent, or when it is no text: that is said. */
const char *ygen_text(struct ygen *g, ynode map, const char *key, ynode *ret);
/* A member that has to be there; NULL when it is not: that is said. */
ynode ygen_required(struct ygen *g, ynode map, const char *key, const char *section);
/* The names that a value stands for: a host list, or a list of them.  False when it is none: that is said. */
bool ygen_names(struct ygen *g, ynode n, struct hostlist *ret);
bool ygen_name_at(const struct hostlist *hl, const char *name, size_t *ret);
/* Does a section hold for this daemon?  *ret_i: as which of its *ret_n (may be NULL) daemons. */
bool ygen_is_for(struct ygen *g, ynode map, const char *key, const char *section, size_t *ret_i, size_t *ret_n);
/* Warn of keys that are not among `known` (ended by NULL). */
void ygen_keys_check(struct ygen *g, ynode map, const char *section, const char *const *known);
bool ygen_is_among(const char *const *words, const char *w);
/* A list of mappings; calls fn with each, its keys checked when `known` is not NULL. */
void ygen_each_map(struct ygen *g, ynode n, const char *section, const char *const *known,
		   void (*fn)(struct ygen *g, ynode map, void *arg), void *arg);

/* -- what several sections have -- */
/* Make the domain of auth, once; its name, NULL when none is asked for.  Then the attribute with that name. */
const char *ygen_auth(struct ygen *g, ynode map);
void ygen_attr_auth(struct ygen *g, ynode map, const char *as, const char *name);
/* Load and configure an instance, and start it when it is a sampler, once; its name, NULL when it has none. */
const char *ygen_plugin(struct ygen *g, ynode ref, bool sampler);
void ygen_advertise(struct ygen *g, ynode map);

/* -- the sections -- */
/* The endpoints of all daemons, and what is said of this one; false when it is not among them: that is said. */
bool ygen_daemons(struct ygen *g);
void ygen_samplers(struct ygen *g);
void ygen_aggregators(struct ygen *g);
void ygen_stores(struct ygen *g);

#endif
