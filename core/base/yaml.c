/* yaml.c - see yaml.h: libyaml's document, made into our tree */
#include "core/base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "core/base/xalloc.h"

#define NODES_MAX   1000000 /* in one file */
#define MEMBERS_MAX 100000  /* of one mapping with merges */
#define MERGE_DEPTH 32      /* mappings merged into mappings */

struct yaml {
	yaml_document_t doc;
	struct yaml_node *nodes; /* in the document's order */
	size_t n;
};

static const struct yaml_node *at(const struct yaml *y, int item)
{
	return &y->nodes[item - 1];
}

static void node_fill(struct yaml *y, struct yaml_node *to, const yaml_node_t *from)
{
	to->line = (unsigned int)from->start_mark.line + 1;
	to->col = (unsigned int)from->start_mark.column + 1;
	if (from->type == YAML_SCALAR_NODE) {
		to->kind = YAML_TEXT;
		to->text = (const char *)from->data.scalar.value;
		to->plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	} else if (from->type == YAML_SEQUENCE_NODE) {
		to->kind = YAML_LIST;
		to->n = (size_t)(from->data.sequence.items.top - from->data.sequence.items.start);
		to->values = xcalloc(to->n + 1, sizeof(*to->values));
		for (size_t i = 0; i < to->n; i++)
			to->values[i] = at(y, from->data.sequence.items.start[i]);
	} else {
		to->kind = YAML_MAP;
		to->n = (size_t)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
		to->values = xcalloc(to->n + 1, sizeof(*to->values));
		to->keys = xcalloc(to->n + 1, sizeof(*to->keys));
		for (size_t i = 0; i < to->n; i++) {
			to->keys[i] = at(y, from->data.mapping.pairs.start[i].key);
			to->values[i] = at(y, from->data.mapping.pairs.start[i].value);
		}
	}
}

static bool key_is(const struct yaml_node *key, const char *word)
{
	return key->kind == YAML_TEXT && !strcmp(key->text, word);
}

static bool has(const struct yaml_node *map, const struct yaml_node *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (key->kind == YAML_TEXT && key_is(map->keys[i], key->text))
			return true;
	return false;
}

static int merge(struct yaml_node *to, const struct yaml_node *from, struct err *err)
{
	for (size_t i = 0; i < from->n; i++) {
		if (has(to, from->keys[i]))
			continue;
		if (to->n >= MEMBERS_MAX)
			return err_set(err, -E2BIG, "a mapping of more than %d members", MEMBERS_MAX);
		to->keys = xrealloc(to->keys, (to->n + 1) * sizeof(*to->keys));
		to->values = xrealloc(to->values, (to->n + 1) * sizeof(*to->values));
		to->keys[to->n] = from->keys[i];
		to->values[to->n++] = from->values[i];
	}
	return 0;
}

/* Take over what `<<` names, innermost first. */
static int merges(struct yaml_node *map, unsigned int depth, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *what = map->values[i];
		size_t n = what->kind == YAML_LIST ? what->n : 1;

		if (!map->keys[i]->plain || !key_is(map->keys[i], "<<"))
			continue;
		if (depth == MERGE_DEPTH)
			return err_set(err, -E2BIG, "mappings merged into each other more than %d deep", MERGE_DEPTH);
		/* drop it, so that nothing is merged twice */
		map->n--;
		memmove(map->keys + i, map->keys + i + 1, (map->n - i) * sizeof(*map->keys));
		memmove(map->values + i, map->values + i + 1, (map->n - i) * sizeof(*map->values));
		i--;
		for (size_t k = 0; k < n && !rc; k++) {
			const struct yaml_node *from = what->kind == YAML_LIST ? what->values[k] : what;

			if (from->kind != YAML_MAP || from == map)
				return err_set(err, -EINVAL, "<<: wants another mapping");
			rc = merges((struct yaml_node *)from, depth + 1, err);
			if (!rc)
				rc = merge(map, from, err);
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int key_cmp(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a, *y = *(const struct yaml_node *const *)b;
	int order = strcmp(x->text, y->text);

	if (!order)
		order = x->line < y->line ? -1 : x->line > y->line;
	return order ? order : x->col < y->col ? -1 : x->col > y->col;
}

/* Readers disagree on which of two is meant, and the other one would be lost without a word. */
static int keys_check(const struct yaml_node *map, unsigned int *line, unsigned int *col, struct err *err)
{
	const struct yaml_node **keys = xcalloc(map->n + 1, sizeof(*keys));
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < map->n; i++)
		if (map->keys[i]->kind == YAML_TEXT && !(map->keys[i]->plain && key_is(map->keys[i], "<<")))
			keys[n++] = map->keys[i];
	if (n > 1)
		qsort(keys, n, sizeof(*keys), key_cmp);
	for (size_t i = 1; i < n && !rc; i++)
		if (!strcmp(keys[i]->text, keys[i - 1]->text)) {
			*line = keys[i]->line;
			*col = keys[i]->col;
			rc = err_set(err, -EINVAL, "'%.64s' stands twice in one mapping, first in line %u; keep one",
				     keys[i]->text, keys[i - 1]->line);
		}
	free(keys);
	return rc;
}

static int tree_make(struct yaml *y, unsigned int *line, unsigned int *col, struct err *err)
{
	size_t n = (size_t)(y->doc.nodes.top - y->doc.nodes.start);
	int rc = 0;

	if (n > NODES_MAX)
		return err_set(err, -E2BIG, "more than %d values in one file", NODES_MAX);
	y->nodes = xcalloc(n + 1, sizeof(*y->nodes));
	y->n = n;
	for (size_t i = 0; i < n; i++)
		node_fill(y, &y->nodes[i], &y->doc.nodes.start[i]);
	for (size_t i = 0; i < n && !rc; i++)
		rc = y->nodes[i].kind == YAML_MAP ? keys_check(&y->nodes[i], line, col, err) : 0;
	for (size_t i = 0; i < n && !rc; i++) {
		*line = y->nodes[i].line;
		*col = y->nodes[i].col;
		rc = y->nodes[i].kind == YAML_MAP ? merges(&y->nodes[i], 0, err) : 0;
	}
	return rc;
}

int yaml_tree_parse(const char *text, size_t len, struct yaml **ret, const struct yaml_node **ret_root,
		    unsigned int *line, unsigned int *col, struct err *err)
{
	struct yaml *y = xcalloc(1, sizeof(*y));
	yaml_parser_t parser;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		abort(); /* no memory */
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &y->doc)) {
		*line = (unsigned int)parser.problem_mark.line + 1;
		*col = (unsigned int)parser.problem_mark.column + 1;
		rc = err_set(err, -EINVAL, "no YAML: %s%s%s", parser.context ? parser.context : "",
			     parser.context ? ": " : "", parser.problem ? parser.problem : "it cannot be read");
		yaml_parser_delete(&parser);
		free(y);
		return rc;
	}
	yaml_parser_delete(&parser);
	rc = tree_make(y, line, col, err);
	if (rc) {
		yaml_tree_free(y);
		return rc;
	}
	*ret = y;
	*ret_root = y->n ? &y->nodes[0] : NULL;
	return 0;
}

void yaml_tree_free(struct yaml *y)
{
	if (!y)
		return;
	for (size_t i = 0; i < y->n; i++) {
		free(y->nodes[i].keys);
		free(y->nodes[i].values);
	}
	free(y->nodes);
	yaml_document_delete(&y->doc);
	free(y);
}

bool yaml_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_TEXT && n->plain && (!*n->text || !strcmp(n->text, "~") || !strcasecmp(n->text, "null"));
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
		if (key_is(map->keys[i], key))
			return yaml_is_null(map->values[i]) ? NULL : map->values[i];
	return NULL;
}
