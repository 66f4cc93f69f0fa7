/* yaml_put.c - see yaml_put.h */
#include "core/maestro/yaml_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 40
#define NODES_MAX 1000000 /* written; aliases of aliases make more of a small file */
#define WIDTH     120

void yaml_put_fail(struct yaml_put *w, int rc, const struct yaml_node *at, const char *words)
{
	if (!w->rc)
		w->rc = err_set(w->err, rc, "%u:%u: %s", at->line, at->col, words);
}

static int on_bytes(void *arg, unsigned char *p, size_t n)
{
	buf_add(arg, p, n);
	return 1;
}

/* `made`: could libyaml make the event?  It cannot only without memory. */
static void emit(struct yaml_put *w, yaml_event_t *ev, int made)
{
	if (!made)
		abort();
	if (w->rc) {
		yaml_event_delete(ev);
		return;
	}
	if (!yaml_emitter_emit(&w->out, ev))
		w->rc = err_set(w->err, -EINVAL, "cannot be written as YAML: %s",
				w->out.problem ? w->out.problem : "no memory");
}

void yaml_put_text(struct yaml_put *w, const char *text, bool plain)
{
	yaml_event_t ev;

	emit(w, &ev,
	     yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), plain, 1,
					  plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

void yaml_put_map(struct yaml_put *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

void yaml_put_map_end(struct yaml_put *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_mapping_end_event_initialize(&ev));
}

void yaml_put_list(struct yaml_put *w, bool flow)
{
	yaml_event_t ev;

	emit(w, &ev,
	     yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
						  flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE));
}

void yaml_put_list_end(struct yaml_put *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_sequence_end_event_initialize(&ev));
}

static bool is_of_texts(const struct yaml_node *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->values[i]->kind != YAML_TEXT)
			return false;
	return true;
}

static void put(struct yaml_put *w, const struct yaml_node *n, unsigned int depth)
{
	if (depth > DEPTH_MAX || ++w->nodes > NODES_MAX)
		yaml_put_fail(w, depth > DEPTH_MAX ? -ELOOP : -E2BIG, n, "aliases without end");
	if (w->rc)
		return;
	if (n->kind == YAML_TEXT) {
		yaml_put_text(w, n->text, n->plain);
		return;
	}
	if (n->kind == YAML_LIST)
		yaml_put_list(w, is_of_texts(n));
	else
		yaml_put_map(w);
	for (size_t i = 0; i < n->n && !w->rc; i++) {
		if (n->kind == YAML_MAP)
			put(w, n->keys[i], depth + 1);
		put(w, n->values[i], depth + 1);
	}
	if (n->kind == YAML_LIST)
		yaml_put_list_end(w);
	else
		yaml_put_map_end(w);
}

void yaml_put_node(struct yaml_put *w, const struct yaml_node *n)
{
	put(w, n, 0);
}

void yaml_put_init(struct yaml_put *w, struct buf *to, struct err *err)
{
	yaml_event_t ev;

	*w = (struct yaml_put){ .err = err };
	if (!yaml_emitter_initialize(&w->out))
		abort(); /* no memory */
	yaml_emitter_set_output(&w->out, on_bytes, to);
	yaml_emitter_set_unicode(&w->out, 1);
	yaml_emitter_set_width(&w->out, WIDTH);
	emit(w, &ev, yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING));
	emit(w, &ev, yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1));
}

void yaml_put_end(struct yaml_put *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_document_end_event_initialize(&ev, 1));
	emit(w, &ev, yaml_stream_end_event_initialize(&ev));
}

void yaml_put_fini(struct yaml_put *w)
{
	yaml_emitter_delete(&w->out);
}
