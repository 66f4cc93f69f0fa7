/* spec_value.c - values of a specification: texts, numbers, lists, and keys that nobody reads */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/spec_impl.h"

#define NAME_LEN_MAX 63 /* bytes: those of a part of a host name */

void sread_bad(struct sread *r, snode_t at, const char *fmt, ...)
{
	char words[ERR_MAX];
	va_list ap;

	if (r->rc)
		return;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	r->rc = spec_tree_bad(r->tree, at->line, at->col, r->err, "%s", words);
}

void sread_warn(struct sread *r, unsigned int line, unsigned int col, const char *fmt, ...)
{
	char words[ERR_MAX], *all;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	all = xasprintf("%s:%u:%u: %s", r->file, line, col, words);
	words_add(&r->spec->warnings, all);
	free(all);
}

const char *snode_text(struct sread *r, snode_t n, const char *what)
{
	if (n->kind == YAML_TEXT && !n->null)
		return n->text;
	sread_bad(r, n, "%s: wants a single value, no %s", what,
		  n->null                ? "null"
		  : n->kind == YAML_LIST ? "list"
					 : "object");
	return NULL;
}

const char *sread_text(struct sread *r, snode_t map, const char *key)
{
	snode_t n = r->rc ? NULL : snode_get(map, key);

	return n ? snode_text(r, n, key) : NULL;
}

char *sread_dup(struct sread *r, snode_t map, const char *key, const char *dflt)
{
	const char *text = sread_text(r, map, key);

	return xstrdup(text ? text : dflt);
}

const char *sread_need(struct sread *r, snode_t map, const char *key, const char *what)
{
	const char *text = sread_text(r, map, key);

	if (!text || !*text)
		sread_bad(r, map, "%s: wants \"%s\"", what, key);
	return text;
}

bool sread_bool(struct sread *r, snode_t map, const char *key)
{
	const char *text = sread_text(r, map, key);
	struct err err = { "" };
	bool yes = false;

	if (text && unit_bool(text, &yes, &err))
		sread_bad(r, snode_get(map, key), "%s: %s", key, err.msg);
	return yes;
}

unsigned short snode_port(struct sread *r, snode_t n)
{
	const char *text = snode_text(r, n, "port");
	uint64_t port = 0;

	if (text && (unit_u64(text, &port, NULL) || !port || port > UINT16_MAX)) {
		sread_bad(r, n, "'%.64s' is no port; wants a number from 1 to %d", text, UINT16_MAX);
		port = 0;
	}
	return (unsigned short)port;
}

void sread_each(struct sread *r, snode_t map, const char *key, void (*fn)(struct sread *r, snode_t m, void *arg),
		void *arg)
{
	snode_t n = snode_get(map, key);
	size_t count = !n ? 0 : n->kind == YAML_LIST ? n->n : 1;

	for (size_t i = 0; i < count && !r->rc; i++) {
		snode_t m = n->kind == YAML_LIST ? n->values[i] : n;

		if (m->kind == YAML_MAP)
			fn(r, m, arg);
		else
			sread_bad(r, m, "%s: wants a list of objects", key);
	}
}

void sread_words(struct sread *r, snode_t map, const char *key, struct spec_words *to)
{
	snode_t n = snode_get(map, key);
	size_t count = !n ? 0 : n->kind == YAML_LIST ? n->n : 1;

	for (size_t i = 0; i < count && !r->rc; i++) {
		const char *text = snode_text(r, n->kind == YAML_LIST ? n->values[i] : n, key);

		if (text)
			words_add(to, text);
	}
}

void sread_env(struct sread *r, snode_t map, const char *key, struct kv *to)
{
	snode_t n = snode_get(map, key);

	if (n && n->kind != YAML_MAP)
		sread_bad(r, n, "%s: wants an object of variables and their values", key);
	for (size_t i = 0; n && i < n->n && !r->rc; i++) {
		const char *name = n->keys[i]->text, *text;

		if (n->values[i]->null)
			continue;
		text = snode_text(r, n->values[i], name);
		if (!*name || strchr(name, '='))
			sread_bad(r, n->values[i], "%s: '%.64s' is no name of a variable", key, name);
		else if (text)
			env_set(to, name, text);
	}
}

void sread_keys(struct sread *r, snode_t map, const char *what, const char *const *known)
{
	for (size_t i = 0; i < map->n && !r->rc; i++) {
		const struct yaml_node *key = map->keys[i];
		const char *near;
		size_t k = 0;

		while (known[k] && strcmp(known[k], key->text))
			k++;
		if (known[k] || spec_tree_is_used(r->tree, map->values[i]))
			continue;
		near = nearest(key->text, known);
		if (near)
			r->rc = spec_tree_bad(r->tree, key->line, key->col, r->err,
					      "%s: '%.64s' means nothing here; did you mean '%s'?", what, key->text,
					      near);
		else
			sread_warn(r, key->line, key->col,
				   "%s: '%.64s' means nothing here, and no %%%.64s%% stands for it", what, key->text,
				   key->text);
	}
}

const char *snode_word(struct sread *r, snode_t n, const char *what)
{
	const char *text = snode_text(r, n, what);

	if (text && text[strcspn(text, " \t\r\n")]) {
		sread_bad(r, n, "%s: '%.64s' has blanks, which cannot be written in a configuration", what, text);
		return NULL;
	}
	return text;
}

bool sread_name_is_good(struct sread *r, snode_t at, const char *what, const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || (name[n] && strchr("_-.", name[n])))
		n++;
	if (!name[n] && n && n <= NAME_LEN_MAX && isalnum((unsigned char)*name))
		return true;
	sread_bad(r, at,
		  "%s: '%.80s': a name has 1 to %d letters, digits, '-', '_' and '.', and begins with one of the first "
		  "two",
		  what, name, NAME_LEN_MAX);
	return false;
}

static bool is_below(const char *path, const char *dir, size_t len)
{
	return !strncmp(path, dir, len) && path[len] == '/' && path[len + 1];
}

static bool is_writable(const struct spec *s, const char *path)
{
	static const char *const own[] = { "/run", "/tmp", "/var/log" };
	bool is = false;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		is |= is_below(path, own[i], strlen(own[i]));
	for (size_t i = 0; i < s->mounts.n; i++) { /* the last one counts */
		const char *dst = strchr(s->mounts.v[i], ':') + 1;

		if (is_below(path, dst, strcspn(dst, ":")))
			is = !strstr(dst, ":ro");
	}
	return is && !strstr(path, "/../");
}

char *sread_file(struct sread *r, snode_t map, const char *key, const char *dflt)
{
	const char *path = sread_text(r, map, key);

	if (path && !is_writable(r->spec, path))
		sread_bad(
			r, snode_get(map, key),
			"%s: '%.200s' is no file of the node's own; write a path below /run, /tmp, /var/log or a mount "
			"that is not \"ro\"",
			key, path);
	return xstrdup(path ? path : dflt);
}

void words_add(struct spec_words *w, const char *text)
{
	w->v = xrealloc(w->v, (w->n + 1) * sizeof(*w->v));
	w->v[w->n++] = xstrdup(text);
}

void words_fini(struct spec_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct spec_words){ .n = 0 };
}

void env_set(struct kv *env, const char *name, const char *value)
{
	for (size_t i = 0; i < env->n; i++)
		if (!strcmp(env->v[i].key, name)) {
			free(env->v[i].value);
			env->v[i].value = xstrdup(value);
			return;
		}
	kv_add(env, name, value);
}

void port_add(struct spec_daemon *d, unsigned short port)
{
	d->ports = xrealloc(d->ports, (d->n_ports + 1) * sizeof(*d->ports));
	d->ports[d->n_ports++] = port;
}
