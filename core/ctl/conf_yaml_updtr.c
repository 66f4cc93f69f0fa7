/* conf_yaml_updtr.c - updaters of a cluster file: what is collected from the producers of an entry, and when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/regex_names.h"
#include "core/ctl/conf_yaml_impl.h"

/* The updaters of an entry at work. */
struct work {
	struct ygroup *gr;
	size_t entry;
	bool listen, alone;
	unsigned int number; /* of the next one */
};

static void set_line(struct ygen *g, ynode map, void *arg)
{
	if (!ygen_required(g, map, "regex", "sets"))
		return;
	ygen_verb(g, map, "updtr_match_add");
	ygen_attr(g, map, "name", arg);
	ygen_attr_if(g, map, "regex", "regex");
	ygen_attr_if(g, map, "field", "match");
	ygen_end(g);
}

static void mode_attr(struct ygen *g, ynode map)
{
	static const struct {
		const char *mode, *attr, *value;
	} modes[] = {
		{ "pull", NULL, NULL },
		{ "auto", "auto_interval", "true" },
		{ "auto_interval", "auto_interval", "true" },
		{ "push", "push", "true" },
		{ "onchange", "push", "onchange" },
	};
	ynode n = NULL;
	const char *mode = ygen_text(g, map, "mode", &n);

	for (size_t i = 0; mode && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].mode, mode))
			continue;
		if (modes[i].attr)
			ygen_attr(g, n, modes[i].attr, modes[i].value);
		return;
	}
	if (mode)
		ygen_bad(g, n, "mode: '%s' is not one of pull|auto|push|onchange", mode);
}

static void takes(struct ygen *g, ynode at, const char *updtr, const char *regex)
{
	ygen_verb(g, at, "updtr_prdcr_add");
	ygen_attr(g, at, "name", updtr);
	ygen_attr(g, at, "regex", regex);
	ygen_end(g);
}

/* `producers`: an expression, or names. */
static void takes_written(struct ygen *g, ynode list, const char *updtr)
{
	struct hostlist hl = { 0 };
	char **regexes = NULL;
	size_t n = 0;

	if (list->kind == YAML_TEXT && hostlist_parse(list->text, &hl, NULL))
		hl = (struct hostlist){ 0 }; /* then it is an expression */
	else if (list->kind != YAML_TEXT)
		ygen_names(g, list, &hl);
	if (list->kind == YAML_TEXT && hl.n < 2)
		takes(g, list, updtr, list->text);
	else if (hl.n && ygen_works(g, list, hl.n))
		regex_names((const char *const *)hl.names, hl.n, YREGEX_MAX, &regexes, &n);
	for (size_t i = 0; i < n; i++) {
		takes(g, list, updtr, regexes[i]);
		free(regexes[i]);
	}
	free(regexes);
	hostlist_fini(&hl);
}

/* All of the entry, wherever in the group they run: who takes over one more needs no other updater. */
static void producers(struct ygen *g, ynode map, const char *updtr, const struct work *w)
{
	ynode list = yaml_get(map, "producers");
	const struct ypeer *p;

	if (list) {
		takes_written(g, list, updtr);
		return;
	}
	if (w->alone || w->listen) {
		takes(g, map, updtr, ".*");
		return;
	}
	p = ygen_peer_regexes(w->gr, w->entry);
	for (size_t i = 0; i < p->n_regexes; i++)
		takes(g, map, updtr, p->regexes[i]);
}

static void updater_lines(struct ygen *g, ynode map, void *arg)
{
	struct work *w = arg;
	char name[32];

	snprintf(name, sizeof(name), "updtr_%u", w->number++);
	if (!yaml_get(map, "interval"))
		return; /* that was said */
	ygen_verb(g, map, "updtr_add");
	ygen_attr(g, map, "name", name);
	mode_attr(g, map);
	ygen_attr_time(g, map, "interval");
	ygen_attr_time(g, map, "offset");
	ygen_attr_perm(g, map);
	ygen_end(g);
	producers(g, map, name, w);
	ygen_each_map(g, yaml_get(map, "sets"), "sets", NULL, set_line, name);
	ygen_verb(g, map, "updtr_start");
	ygen_attr(g, map, "name", name);
	ygen_end(g);
}

void ygen_updaters(struct ygen *g, struct ygroup *gr, bool listen, size_t entry, bool alone)
{
	struct ypeer *p = listen ? &gr->listens[entry] : &gr->peers[entry];
	struct work w = { .gr = gr, .entry = entry, .listen = listen, .alone = alone, .number = p->updtr };

	ygen_each_map(g, yaml_get(p->map, "updaters"), "updaters", NULL, updater_lines, &w);
}
