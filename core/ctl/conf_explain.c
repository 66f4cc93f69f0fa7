/* conf_explain.c - which object has which value, and from which line: see conf.h */
#include <stdlib.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_impl.h"

/* What a verb is about, by how it begins; the first row that fits. */
static const struct {
	const char *prefix, *kind;
} families[] = {
	{ "advertiser_", "advertiser" },
	{ "auth_", "authentication domain" },
	{ "bridge_", "producer" },
	{ "config", "plugin" },
	{ "load", "plugin" },
	{ "prdcr_listen_", "prdcr_listen" },
	{ "prdcr_", "producer" },
	{ "setgroup_", "set group" },
	{ "start", "plugin" },
	{ "stop", "plugin" },
	{ "strgp_", "storage policy" },
	{ "term", "plugin" },
	{ "updtr_", "updater" },
};

struct entry {
	const struct cmd *cmd;
	const char *kind; /* "daemon": what names no object */
	char *name;
	size_t first; /* of the commands about the same object */
	UT_hash_handle hh;
	char *key;
};

static const char *kind_of(const struct cmd *cmd)
{
	if (!strcmp(cmd->verb->name, "log_level") || !strcmp(cmd->verb->name, "loglevel"))
		return NULL;
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (!strncmp(cmd->verb->name, families[i].prefix, strlen(families[i].prefix)))
			return families[i].kind;
	return NULL;
}

static struct entry *entries_make(const struct conf *cf)
{
	struct entry *list = xcalloc(cf->n + 1, sizeof(*list)), *known = NULL;

	for (size_t i = 0; i < cf->n; i++) {
		struct entry *e = &list[i], *same = NULL;
		const char *name = cmd_arg(&cf->cmds[i], "name"), *kind = kind_of(&cf->cmds[i]);

		e->cmd = &cf->cmds[i];
		e->kind = kind && name ? kind : "daemon";
		e->name = kind && name ? ctl_expand(name) : xstrdup("");
		e->key = xasprintf("%s %s", e->kind, e->name);
		e->first = i;
		HASH_FIND_STR(known, e->key, same);
		if (same)
			e->first = same->first;
		else
			HASH_ADD_KEYPTR(hh, known, e->key, strlen(e->key), e);
	}
	HASH_CLEAR(hh, known);
	return list;
}

static int by_object(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->cmd < b->cmd ? -1 : 1;
}

/* What an attribute is when nobody says so: the rows that tell it, once for each number. */
static const char *dflt_of(const struct cmd *cmd, const struct attr_use *u)
{
	if (!u->dflt || u->type == AT_REST)
		return NULL;
	for (size_t i = 0; i < cmd->n; i++)
		for (const struct attr_use *k = cmd->verb->attrs; k && k->name; k++)
			if (k->id == u->id && !strcmp(k->name, cmd->args[i].name))
				return NULL;
	return u->dflt;
}

static void text_line(struct buf *to, const char *name, const char *value, const char *from)
{
	char *left = xasprintf("%s%s%s", name, value && *name ? " = " : "", value ? value : "");

	buf_addf(to, "\t%-40s  %s\n", left, from);
	free(left);
}

static void explain_text(struct buf *to, const struct cmd *cmd)
{
	char *from = xasprintf("%s:%u", cmd->file, cmd->pos.line);

	text_line(to, cmd->verb->name, NULL, from);
	for (size_t i = 0; i < cmd->n; i++) {
		char *value = cmd->args[i].value ? ctl_expand(cmd->args[i].value) : NULL;
		char *name = xasprintf("    %s", cmd->args[i].name);
		char *at = xasprintf("%s:%u:%u", cmd->file, cmd->arg_pos[i].line, cmd->arg_pos[i].col);

		if (strcmp(cmd->args[i].name, "name"))
			text_line(to, name, value, at);
		free(at);
		free(name);
		free(value);
	}
	for (const struct attr_use *u = cmd->verb->attrs; u && u->name; u++) {
		const char *dflt = dflt_of(cmd, u);
		char *name = xasprintf("    %s", u->name);

		if (dflt)
			text_line(to, name, dflt, "default");
		free(name);
	}
	free(from);
}

static void explain_json(struct buf *to, const struct cmd *cmd)
{
	buf_addf(to, "{\"verb\":\"%s\",\"file\":", cmd->verb->name);
	json_put_str(to, cmd->file);
	buf_addf(to, ",\"line\":%u,\"column\":%u,\"attributes\":[", cmd->pos.line, cmd->pos.col);
	for (size_t i = 0; i < cmd->n; i++) {
		char *value = cmd->args[i].value ? ctl_expand(cmd->args[i].value) : NULL;

		buf_addf(to, "%s{\"name\":", i ? "," : "");
		json_put_str(to, cmd->args[i].name);
		buf_addf(to, ",\"value\":");
		value ? json_put_str(to, value) : buf_addf(to, "null");
		buf_addf(to, ",\"line\":%u,\"column\":%u}", cmd->arg_pos[i].line, cmd->arg_pos[i].col);
		free(value);
	}
	buf_addf(to, "]}");
}

static void object_begin(struct buf *to, const struct entry *e, bool json, bool first)
{
	if (!json) {
		buf_addf(to, "%s%s%s%s\n", first ? "" : "\n", e->kind, *e->name ? " " : "", e->name);
		return;
	}
	buf_addf(to, "%s{\"kind\":\"%s\",\"name\":", first ? "" : ",\n", e->kind);
	json_put_str(to, e->name);
	buf_addf(to, ",\"lines\":[");
}

void conf_explain(const struct conf *cf, struct buf *to, bool json)
{
	struct entry *list = entries_make(cf);

	qsort(list, cf->n, sizeof(*list), by_object);
	if (json)
		buf_addf(to, "[");
	for (size_t i = 0; i < cf->n; i++) {
		bool begins = !i || list[i].first != list[i - 1].first;

		if (begins && i && json)
			buf_addf(to, "]}");
		if (begins)
			object_begin(to, &list[i], json, !i);
		else if (json)
			buf_addf(to, ",");
		json ? explain_json(to, list[i].cmd) : explain_text(to, list[i].cmd);
	}
	if (json)
		buf_addf(to, "%s]", cf->n ? "]}" : "");
	for (size_t i = 0; i < cf->n; i++) {
		free(list[i].name);
		free(list[i].key);
	}
	free(list);
}
