/* yaml_put.h - writing YAML: texts, mappings and lists one after the other, by libyaml.
 *
 * After a failure nothing is written any more; `rc` and the words of the first one are kept.
 */
#ifndef CORE_MAESTRO_YAML_PUT_H
#define CORE_MAESTRO_YAML_PUT_H

#include <yaml.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/yaml.h"

struct yaml_put {
	yaml_emitter_t out;
	size_t nodes; /* copied so far */
	int rc;
	struct err *err;
};

/* A document begins, and ends; yaml_put_fini() in any case. */
void yaml_put_init(struct yaml_put *w, struct buf *to, struct err *err);
void yaml_put_end(struct yaml_put *w);
void yaml_put_fini(struct yaml_put *w);

/* It cannot go on, because of that place in the tree that is being copied. */
void yaml_put_fail(struct yaml_put *w, int rc, const struct yaml_node *at, const char *words);
/* `plain`: without quotes, where it can be. */
void yaml_put_text(struct yaml_put *w, const char *text, bool plain);
void yaml_put_map(struct yaml_put *w);
void yaml_put_map_end(struct yaml_put *w);
/* `flow`: on one line, if it fits. */
void yaml_put_list(struct yaml_put *w, bool flow);
void yaml_put_list_end(struct yaml_put *w);
/* A part of a tree as it is, aliases written out.  -ELOOP, -E2BIG: they have no end. */
void yaml_put_node(struct yaml_put *w, const struct yaml_node *n);

#endif
