/* conf_yaml_impl.h - what the files of the cluster file share.
 *
 * It is read once: conf_yaml_daemon.c (daemons and endpoints), conf_yaml_section.c (whom samplers, aggregators and stores
 * are for), conf_yaml_group.c (aggregators and their producers), conf_yaml_tree.c (who collects from whom).  Then the
 * commands of a daemon are made, again and again: conf_yaml_self.c (its environment, options and ports), _samp.c,
 * _agg.c, _updtr.c, _store.c, and what several of them have (_auth.c, _plugin.c, _advert.c).  All of them take values
 * from the tree by conf_yaml_value.c, and make commands of them by conf_yaml_cmd.c.
 */
#ifndef CORE_CTL_CONF_YAML_IMPL_H
#define CORE_CTL_CONF_YAML_IMPL_H

#include <stdint.h>

#include "core/base/hostlist.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/conf_mark.h"
#include "core/ctl/conf_yaml.h"

typedef const struct yaml_node *ynode;

#define YREGEX_MAX 1500 /* bytes of an expression for names of producers: far from what is too much for ldmsd */

/* One of an entry's endpoints: it gives each of its daemons one. */
struct yspec {
	ynode map;
	struct yendpoint **of; /* as many as the entry has daemons; NULL where something is wrong with it */
};

struct yentry {
	ynode map;
	struct hostlist names, hosts;
	struct hostlist *lists; /* of all specs: what endpoints point into */
	size_t n_lists;
	struct yspec *specs;
	size_t n_specs;
};

enum ykind { Y_SAMPLERS, Y_AGGREGATORS, Y_STORES };

/* An entry of samplers, aggregators or stores. */
struct ysection {
	enum ykind kind;
	ynode map;
	const char *name; /* of a store's policy */
	size_t group;     /* of aggregators */
	size_t *daemons, n;
};

/* A section that is for a daemon, as its pos-th. */
struct yref {
	uint32_t section, pos;
};

struct ygen {
	struct conf *cf; /* complaints, and commands */
	const char *origin, *file;
	struct yaml *y;
	ynode root;
	unsigned int work;
	bool stop; /* it was too much work: no more complaints */
	bool mute; /* at work on what does not concern `only` */
	const char *only;

	/* what was read */
	struct yentry **entries;
	size_t n_entries;
	struct ydaemon **daemons, *by_name;
	size_t n_daemons;
	struct yendpoint *endpoints;
	struct ysection *sections;
	size_t n_sections;
	struct ygroup **groups;
	size_t n_groups;
	struct yref *refs; /* by daemon, then by section */
	size_t *refs_of;   /* of daemon i: from refs_of[i] to refs_of[i + 1] */

	/* the commands in the making */
	const char *self; /* the daemon whose they are */
	size_t self_i;
	const struct yshare *share;
	struct mark *auths, *plugins; /* that were made: what many endpoints name is made once */
	struct buf *lines;            /* as text; NULL: into cf */
	bool line_begun;
	bool line_bad; /* something of it was complained of */
	bool skip_now;
};

/* -- complaints and commands (conf_yaml_cmd.c) -- */
void ygen_bad(struct ygen *g, ynode n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void ygen_doubt(struct ygen *g, ynode n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
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
/* Warn of keys that are not among `known` (ended by NULL). */
void ygen_keys_check(struct ygen *g, ynode map, const char *section, const char *const *known);
bool ygen_is_among(const char *const *words, const char *w);
/* A list of mappings; calls fn with each, its keys checked when `known` is not NULL. */
void ygen_each_map(struct ygen *g, ynode n, const char *section, const char *const *known,
		   void (*fn)(struct ygen *g, ynode map, void *arg), void *arg);

/* -- reading -- */
extern const char *const ygen_daemon_keys[]; /* others are options */
void ygen_read_daemons(struct ygen *g);
void ygen_daemons_free(struct ygen *g);
void ygen_read_sections(struct ygen *g);
void ygen_sections_free(struct ygen *g);
/* The daemons of a value; unknown ones are said to be.  False: there is none. */
bool ygen_daemons_of(struct ygen *g, ynode n, const char *section, size_t **ret, size_t *ret_n);
/* An entry of aggregators, for those daemons. */
void ygen_read_group(struct ygen *g, ynode map, const size_t *aggs, size_t n_aggs, unsigned int *updtr);
void ygen_group_free(struct ygroup *gr);
/* Are balance and rebalance words that mean something? */
void ygen_balance_check(struct ygen *g, ynode map);
/* Levels; who collects from himself in the end is said to. */
void ygen_read_tree(struct ygen *g);
/* Is the mapping of `advertise` all right, for so many daemons? */
void ygen_advertise_check(struct ygen *g, ynode map, size_t daemons);
/* For exactly the producers of that entry of peers. */
const struct ypeer *ygen_peer_regexes(struct ygroup *gr, size_t peer);

/* -- the commands of a daemon -- */
/* Make the domain of auth, once; its name, NULL when none is asked for.  Then the attribute with that name. */
const char *ygen_auth(struct ygen *g, ynode map);
void ygen_attr_auth(struct ygen *g, ynode map, const char *as, const char *name);
/* Load and configure an instance, and start it when it is a sampler, once; its name, NULL when it has none. */
const char *ygen_plugin(struct ygen *g, ynode ref, bool sampler);
void ygen_advertise(struct ygen *g, ynode map);
void ygen_self(struct ygen *g);
void ygen_sampler(struct ygen *g, const struct ysection *s);
void ygen_aggregator(struct ygen *g, const struct ysection *s, size_t agg);
/* The updaters of an entry of peers or prdcr_listen; `alone`: no others' producers are there. */
void ygen_updaters(struct ygen *g, struct ygroup *gr, bool listen, size_t entry, bool alone);
/* `pos`: which one of the section's daemons. */
void ygen_store(struct ygen *g, const struct ysection *s, size_t pos);

#endif
