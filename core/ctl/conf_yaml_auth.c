/* conf_yaml_auth.c - auth of a cluster file: a domain, or the name of one. */
#include <string.h>

#include "core/ctl/conf_yaml_impl.h"

const char *ygen_auth(struct ygen *g, ynode map)
{
	ynode auth = yaml_get(map, "auth"), n = NULL, conf = NULL;
	const char *name, *plugin, *text;

	if (!auth)
		return NULL;
	if (auth->kind == YAML_TEXT)
		return auth->text;
	name = ygen_required(g, auth, "name", "auth") ? ygen_text(g, auth, "name", &n) : NULL;
	if (!name || mark_add(&g->auths, name, NULL))
		return name;
	ygen_verb(g, auth, "auth_add");
	ygen_attr(g, n, "name", name);
	plugin = ygen_text(g, auth, "plugin", &n);
	if (plugin)
		ygen_attr(g, n, "plugin", plugin);
	text = ygen_text(g, auth, "conf", &conf);
	if (text && *text)
		strchr(text, '=') ? ygen_word(g, conf, text) : ygen_attr(g, conf, "conf", text);
	ygen_end(g);
	return name;
}

void ygen_attr_auth(struct ygen *g, ynode map, const char *as, const char *name)
{
	if (name)
		ygen_attr(g, yaml_get(map, "auth"), as, name);
}
