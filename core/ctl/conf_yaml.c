/* conf_yaml.c - cluster files (YAML): what they say for one daemon, as commands.  See conf.h and man ldms.conf.
 *
 * The file describes all daemons of a cluster; each takes its part: its environment and options, its ports, its
 * samplers, and what it collects and stores.  Producers are shared out over the aggregators of a group.  Every word of
 * a command keeps the place of the value that it came from, so that complaints point there.
 *
 * Unlike ldmsd's converter: names keep the order of writing (it sorts them as text, and pairs them with hosts that are
 * sorted as text, too: where that makes a difference there is a warning), mode pull does not follow hints, and an
 * updater of one peer entry does not read the producers of others.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/hostlist.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/base/yaml.h"
#include "core/ctl/conf_impl.h"

#define WORK_MAX 5000000 /* names and members looked at; aliases of aliases make more of a small file */

typedef const struct yaml_node *ynode;

/* A name that was used or defined; for what is to be said once. */
struct once {
	UT_hash_handle hh;
	char name[];
};

/* Where an endpoint listens. */
struct endpoint {
	UT_hash_handle hh;
	char *host, *port;
	ynode spec;
	char name[];
};

struct gen {
	struct conf *cf;
	const char *file;
	const char *self; /* the daemon that asks */
	ynode root;
	struct endpoint *endpoints;
	struct once *auths, *plugins;
	unsigned int updtrs; /* of the whole file so far */
	unsigned int work;
	bool stop;
};

/* -- complaints and words ------------------------------------------------------------------------------------------ */

static struct conf_pos pos_of(ynode n)
{
	return (struct conf_pos){ .line = n->line, .col = n->col, .value = true };
}

static void bad(struct gen *g, ynode n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void bad(struct gen *g, ynode n, const char *fmt, ...)
{
	char *words = NULL;
	va_list ap;

	if (g->stop)
		return;
	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		abort();
	va_end(ap);
	conf_error(g->cf, -EINVAL, g->file, pos_of(n), "%s", words);
	g->cf->holes = true;
	free(words);
}

/* Is there an end to it? */
static bool works(struct gen *g, ynode n, size_t amount)
{
	if (g->stop)
		return false;
	g->work += amount < WORK_MAX ? (unsigned int)amount + 1 : WORK_MAX;
	if (g->work <= WORK_MAX)
		return true;
	bad(g, n, "the file makes too much of its aliases: more than %d names", WORK_MAX);
	g->stop = true;
	return false;
}

/* A word of the command language has no blanks. */
static bool is_word(struct gen *g, ynode n, const char *text)
{
	for (const char *p = text; *p; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p)) {
			bad(g, n, "'%.64s': blanks cannot stand in a value", text);
			return false;
		}
	return true;
}

static void word(struct gen *g, ynode n, const char *text)
{
	if (is_word(g, n, text))
		conf_word(g->cf, conf_text_keep(g->cf, xstrdup(text)), pos_of(n));
}

/* A command begins. */
static void verb(struct gen *g, ynode n, const char *name)
{
	g->cf->words_n = 0;
	word(g, n, name);
}

static void attr(struct gen *g, ynode n, const char *name, const char *value)
{
	if (is_word(g, n, value))
		conf_word(g->cf, conf_text_keep(g->cf, xasprintf("%s=%s", name, value)), pos_of(n));
}

static void end(struct gen *g)
{
	conf_command(g->cf, g->file);
}

static bool first_time(struct once **set, const char *name)
{
	struct once *o = NULL;
	size_t n = strlen(name);

	HASH_FIND_STR(*set, name, o);
	if (o)
		return false;
	o = xcalloc(1, sizeof(*o) + n + 1);
	memcpy(o->name, name, n);
	HASH_ADD_KEYPTR(hh, *set, o->name, n, o);
	return true;
}

static void once_free(struct once **set)
{
	struct once *o, *next;

	HASH_ITER(hh, *set, o, next) {
		HASH_DEL(*set, o);
		free(o);
	}
}

/* -- values -------------------------------------------------------------------------------------------------------- */

/* A text member; NULL when absent, or when it is no text: that is said. */
static const char *text_of(struct gen *g, ynode map, const char *key, ynode *ret)
{
	ynode n = yaml_get(map, key);

	if (!n)
		return NULL;
	if (n->kind != YAML_TEXT) {
		bad(g, n, "%s: wants a single value, no list or mapping", key);
		return NULL;
	}
	*ret = n;
	return n->text;
}

static ynode required(struct gen *g, ynode map, const char *key, const char *section)
{
	ynode n = yaml_get(map, key);

	if (!n)
		bad(g, map, "The \"%s\" attribute is required in %s entry", key, section);
	return n;
}

/* The members of a list; a single one stands for itself. */
static size_t members(ynode n)
{
	return !n ? 0 : n->kind == YAML_LIST ? n->n : 1;
}

static ynode member(ynode n, size_t i)
{
	return n->kind == YAML_LIST ? n->values[i] : n;
}

static bool is_true(ynode map, const char *key)
{
	ynode n = yaml_get(map, key);
	bool yes = false;

	return n && n->kind == YAML_TEXT && !unit_bool(n->text, &yes, NULL) && yes;
}

static int text_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Runs of digits by their number, then as text. */
static int natural_cmp(const void *pa, const void *pb)
{
	const char *a = *(char *const *)pa, *b = *(char *const *)pb;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t na, nb;
			int order;

			a += strspn(a, "0");
			b += strspn(b, "0");
			na = strspn(a, "0123456789");
			nb = strspn(b, "0123456789");
			order = na == nb ? strncmp(a, b, na) : na < nb ? -1 : 1;
			if (order)
				return order;
			a += na;
			b += nb;
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a - (unsigned char)*b;
		a++;
		b++;
	}
	if (*a || *b)
		return (unsigned char)*a - (unsigned char)*b;
	return text_cmp(pa, pb);
}

static bool sorted(const struct hostlist *hl)
{
	for (size_t i = 1; i < hl->n; i++)
		if (strcmp(hl->names[i - 1], hl->names[i]) > 0)
			return false;
	return true;
}

/* The names that a value stands for: a host list, or a list of them.  False when it is none: that is said. */
static bool names_of(struct gen *g, ynode n, struct hostlist *ret)
{
	struct buf b = { 0 };
	struct err err = { "" };
	bool good = true;

	*ret = (struct hostlist){ 0 };
	for (size_t i = 0; i < members(n) && good; i++) {
		ynode m = member(n, i);

		good = works(g, m, 0);
		if (good && m->kind != YAML_TEXT) {
			bad(g, m, "wants names");
			good = false;
		}
		if (good)
			buf_addf(&b, "%s%s", i ? "," : "", m->text);
	}
	if (good && hostlist_parse(buf_str(&b), ret, &err)) {
		bad(g, n, "%s", err.msg);
		*ret = (struct hostlist){ 0 };
		good = false;
	}
	buf_fini(&b);
	if (good && !works(g, n, ret->n)) {
		hostlist_fini(ret);
		*ret = (struct hostlist){ 0 };
		return false;
	}
	return good;
}

static bool name_at(const struct hostlist *hl, const char *name, size_t *ret)
{
	for (size_t i = 0; i < hl->n; i++)
		if (!strcmp(hl->names[i], name)) {
			*ret = i;
			return true;
		}
	return false;
}

/* Does a section hold for this daemon?  *ret_i: as which of its daemons. */
static bool is_for(struct gen *g, ynode map, const char *key, const char *section, size_t *ret_i, size_t *ret_n)
{
	ynode n = required(g, map, key, section);
	struct hostlist hl;
	bool is;

	if (!n || !names_of(g, n, &hl))
		return false;
	is = name_at(&hl, g->self, ret_i);
	if (ret_n)
		*ret_n = hl.n;
	hostlist_fini(&hl);
	return is;
}

/* A time: microseconds, a unit in either case, or a variable. */
static void attr_time(struct gen *g, ynode map, const char *key)
{
	ynode n = NULL;
	const char *text = text_of(g, map, key, &n);
	struct err err = { "" };
	char low[64], us[32];
	int64_t v;
	size_t k = 0;

	if (!text)
		return;
	if (strstr(text, "${")) {
		attr(g, n, key, text);
		return;
	}
	if (*text == '$') {
		char *var = xasprintf("${%s}", text + 1);

		attr(g, n, key, var);
		free(var);
		return;
	}
	for (; text[k] && k < sizeof(low) - 1; k++)
		low[k] = (char)tolower((unsigned char)text[k]);
	low[k] = '\0';
	if (text[k] || unit_time_us(low, &v, &err)) {
		bad(g, n, "%s: %s", key, text[k] ? "is no time" : err.msg);
		return;
	}
	snprintf(us, sizeof(us), "%lld", (long long)v);
	attr(g, n, key, us);
}

/* A permission: "rw-r-----", or octal. */
static void attr_perm(struct gen *g, ynode map)
{
	static const char letters[] = "rw-rw-rw-";
	ynode n = NULL;
	const char *text = text_of(g, map, "perm", &n);
	unsigned int bits = 0;
	char octal[16];

	if (!text)
		return;
	if (strlen(text) == 9) {
		for (size_t i = 0; i < 9; i++) {
			if (text[i] != '-' && text[i] != letters[i]) {
				bad(g, n, "perm: '%s' is neither as rw-r----- nor octal", text);
				return;
			}
			bits = bits << 1 | (text[i] != '-');
		}
	} else {
		char *end_;

		bits = (unsigned int)strtoul(text, &end_, 8);
		if (!*text || *end_ || strlen(text) > 4 || bits > 0777) {
			bad(g, n, "perm: '%s' is neither as rw-r----- nor octal", text);
			return;
		}
	}
	snprintf(octal, sizeof(octal), "0%o", bits);
	attr(g, n, "perm", octal);
}

static void attr_if(struct gen *g, ynode map, const char *key, const char *as)
{
	ynode n = NULL;
	const char *text = text_of(g, map, key, &n);

	if (text && *text)
		attr(g, n, as, text);
}

/* -- known keys ---------------------------------------------------------------------------------------------------- */

/* A key that nobody reads is most often a typing error. */
static void keys_check(struct gen *g, ynode map, const char *section, const char *const *known)
{
	if (map->kind != YAML_MAP)
		return;
	for (size_t i = 0; i < map->n && works(g, map, 0); i++) {
		const char *key = map->keys[i]->kind == YAML_TEXT ? map->keys[i]->text : NULL, *near;
		size_t k = 0;

		while (key && known[k] && strcmp(known[k], key))
			k++;
		if (key && known[k])
			continue;
		near = key ? nearest(key, known) : NULL;
		conf_warn(g->cf, g->file, pos_of(map->keys[i]), "%s: '%s' means nothing here%s%s%s", section,
			  key ? key : "?", near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
}

/* A list of mappings; calls fn with each. */
static void each_map(struct gen *g, ynode n, const char *section, const char *const *known,
		     void (*fn)(struct gen *g, ynode map, void *arg), void *arg)
{
	if (!n)
		return;
	if (n->kind == YAML_TEXT) {
		bad(g, n, "%s: wants a list of mappings, each begun by \"-\"", section);
		return;
	}
	for (size_t i = 0; i < members(n) && works(g, n, 0); i++) {
		ynode m = member(n, i);

		if (m->kind != YAML_MAP) {
			bad(g, m, "%s: wants a list of mappings, each begun by \"-\"", section);
			continue;
		}
		if (known)
			keys_check(g, m, section, known);
		fn(g, m, arg);
	}
}

/* A mapping by name, or a list of mappings with name= (the older form). */
static ynode by_name(struct gen *g, ynode n, const char *name)
{
	if (!n || n->kind == YAML_MAP)
		return yaml_get(n, name);
	for (size_t i = 0; n->kind == YAML_LIST && i < n->n && works(g, n, 0); i++) {
		ynode own = yaml_get(n->values[i], "name");

		if (own && own->kind == YAML_TEXT && !strcmp(own->text, name))
			return n->values[i];
	}
	return NULL;
}

/* -- authentication and ports -------------------------------------------------------------------------------------- */

/* Make the domain, once; *ret is its name, NULL when none is asked for. */
static const char *auth_make(struct gen *g, ynode map)
{
	ynode auth = yaml_get(map, "auth"), n = NULL, conf = NULL;
	const char *name, *plugin, *text;

	if (!auth)
		return NULL;
	if (auth->kind == YAML_TEXT)
		return auth->text;
	name = required(g, auth, "name", "auth") ? text_of(g, auth, "name", &n) : NULL;
	if (!name || !first_time(&g->auths, name))
		return name;
	verb(g, auth, "auth_add");
	attr(g, n, "name", name);
	plugin = text_of(g, auth, "plugin", &n);
	if (plugin)
		attr(g, n, "plugin", plugin);
	text = text_of(g, auth, "conf", &conf);
	if (text && *text)
		strchr(text, '=') ? word(g, conf, text) : attr(g, conf, "conf", text);
	end(g);
	return name;
}

static void attr_auth(struct gen *g, ynode map, const char *as, const char *name)
{
	if (name)
		attr(g, yaml_get(map, "auth"), as, name);
}

/* -- daemons: who, where, which ports ------------------------------------------------------------------------------ */

struct group { /* an entry of daemons */
	struct hostlist names, hosts;
	ynode map;
};

static const char *host_of(const struct group *gr, size_t i)
{
	size_t each = gr->hosts.n ? gr->names.n / gr->hosts.n : 0;

	return each ? gr->hosts.names[i / each] : "";
}

static bool group_read(struct gen *g, ynode map, struct group *ret)
{
	ynode names = required(g, map, "names", "daemons"), hosts = required(g, map, "hosts", "daemons");

	*ret = (struct group){ .map = map };
	if (!names || !hosts || !names_of(g, names, &ret->names))
		return false;
	if (!names_of(g, hosts, &ret->hosts)) {
		hostlist_fini(&ret->names);
		return false;
	}
	if (!ret->hosts.n || ret->names.n % ret->hosts.n) {
		bad(g, hosts, "hosts: %zu for %zu daemons: each host takes as many of them", ret->hosts.n,
		    ret->names.n);
		hostlist_fini(&ret->names);
		hostlist_fini(&ret->hosts);
		return false;
	}
	if (sorted(&ret->names) != sorted(&ret->hosts))
		conf_warn(g->cf, g->file, pos_of(names),
			  "names and hosts are paired in the order of writing; ldmsd pairs them sorted as text, and so "
			  "otherwise; write numbers with as many digits in both");
	return true;
}

static void group_fini(struct group *gr)
{
	hostlist_fini(&gr->names);
	hostlist_fini(&gr->hosts);
}

static void endpoint_add(struct gen *g, ynode map, const char *name, const char *host, const char *port)
{
	struct endpoint *e = NULL;
	size_t n = strlen(name);

	HASH_FIND_STR(g->endpoints, name, e);
	if (e) {
		bad(g, map, "endpoint %s: there is another one of that name", name);
		return;
	}
	e = xcalloc(1, sizeof(*e) + n + 1);
	memcpy(e->name, name, n);
	e->host = xstrdup(host);
	e->port = xstrdup(port);
	e->spec = map;
	HASH_ADD_KEYPTR(hh, g->endpoints, e->name, n, e);
}

static const char *const endpoint_keys[] = {
	"names", "ports", "hosts", "xprt", "maestro_comm", "bind_all", "auth", NULL
};

/* The endpoints of all daemons: peers refer to them by name. */
static void endpoint_read(struct gen *g, ynode map, void *arg)
{
	const struct group *gr = arg;
	ynode names = required(g, map, "names", "endpoints"), ports = required(g, map, "ports", "endpoints");
	struct hostlist en = { 0 }, ep = { 0 }, eh = { 0 };

	if (!names || !ports || !names_of(g, names, &en) || !names_of(g, ports, &ep))
		goto out;
	if (yaml_get(map, "hosts") && !names_of(g, yaml_get(map, "hosts"), &eh))
		goto out;
	if (!ep.n)
		bad(g, ports, "ports: there is none");
	else if (en.n != gr->names.n)
		bad(g, names, "names: %zu for %zu daemons; each has one", en.n, gr->names.n);
	else
		for (size_t i = 0; i < en.n; i++)
			endpoint_add(g, map, en.names[i], eh.n ? eh.names[i % eh.n] : host_of(gr, i),
				     ep.names[i % ep.n]);
out:
	hostlist_fini(&en);
	hostlist_fini(&ep);
	hostlist_fini(&eh);
}

static void group_endpoints(struct gen *g, ynode map, void *arg)
{
	struct group gr;

	(void)arg;
	if (!group_read(g, map, &gr))
		return;
	each_map(g, yaml_get(map, "endpoints"), "endpoints", endpoint_keys, endpoint_read, &gr);
	group_fini(&gr);
}

static void listen_line(struct gen *g, ynode map, void *arg)
{
	size_t i = *(size_t *)arg;
	struct hostlist names;
	struct endpoint *e = NULL;
	const char *auth, *xprt;
	ynode n = map;

	if (!yaml_get(map, "names") || !names_of(g, yaml_get(map, "names"), &names))
		return;
	if (i < names.n)
		HASH_FIND_STR(g->endpoints, names.names[i], e);
	hostlist_fini(&names);
	if (!e || e->spec != map)
		return; /* it was said why */
	auth = auth_make(g, map);
	xprt = text_of(g, map, "xprt", &n);
	verb(g, map, "listen");
	attr(g, n, "xprt", xprt ? xprt : "sock");
	attr(g, yaml_get(map, "ports"), "port", e->port);
	attr_auth(g, map, "auth", auth);
	attr(g, map, "host", is_true(map, "bind_all") ? "0.0.0.0" : e->host);
	end(g);
}

static const char *const daemon_keys[] = { "names",         "hosts",      "endpoints", "environment",
					   "stream_enable", "msg_enable", NULL };

static bool is_among(const char *const *words, const char *w)
{
	for (; *words; words++)
		if (!strcmp(*words, w))
			return true;
	return false;
}

static void pairs(struct gen *g, ynode map)
{
	for (size_t i = 0; i < map->n && works(g, map, 0); i++) {
		ynode k = map->keys[i], v = map->values[i];

		if (k->kind != YAML_TEXT || v->kind != YAML_TEXT)
			bad(g, v, "wants KEY: VALUE, no list or mapping");
		else if (!strcmp(k->text, "perm"))
			attr_perm(g, map);
		else if (yaml_is_null(v))
			word(g, k, k->text);
		else
			attr(g, v, k->text, v->text);
	}
}

static void environment(struct gen *g, ynode env)
{
	if (!env)
		return;
	if (env->kind != YAML_MAP) {
		bad(g, env, "environment: wants NAME: VALUE");
		return;
	}
	for (size_t i = 0; i < env->n && works(g, env, 0); i++) {
		if (env->keys[i]->kind != YAML_TEXT || env->values[i]->kind != YAML_TEXT) {
			bad(g, env->values[i], "environment: wants NAME: VALUE");
			continue;
		}
		verb(g, env->keys[i], "env");
		attr(g, env->values[i], env->keys[i]->text, env->values[i]->text);
		end(g);
	}
}

/* All other keys are options of the daemon, or commands. */
static void options(struct gen *g, ynode map)
{
	for (size_t i = 0; i < map->n && works(g, map, 0); i++) {
		ynode k = map->keys[i], v = map->values[i];

		if (k->kind != YAML_TEXT || is_among(daemon_keys, k->text) || yaml_is_null(v))
			continue;
		if (v->kind == YAML_LIST) {
			bad(g, v, "%s: wants a single value, or a mapping", k->text);
			continue;
		}
		if (v->kind == YAML_MAP) {
			verb(g, k, k->text);
			pairs(g, v);
		} else {
			char *name = xasprintf("--%s", k->text);

			verb(g, k, "option");
			word(g, k, name);
			word(g, v, v->text);
			free(name);
		}
		end(g);
	}
}

struct self {
	bool found;
};

static void self_lines(struct gen *g, ynode map, void *arg)
{
	struct self *self = arg;
	struct group gr;
	size_t i;

	if (self->found || !group_read(g, map, &gr))
		return;
	self->found = name_at(&gr.names, g->self, &i);
	group_fini(&gr);
	if (!self->found)
		return;
	environment(g, yaml_get(map, "environment"));
	options(g, map);
	if (is_true(map, "stream_enable"))
		verb(g, yaml_get(map, "stream_enable"), "stream_enable"), end(g);
	if (is_true(map, "msg_enable"))
		verb(g, yaml_get(map, "msg_enable"), "msg_enable"), end(g);
	each_map(g, yaml_get(map, "endpoints"), "endpoints", NULL, listen_line, &i);
}

/* -- plugins ------------------------------------------------------------------------------------------------------- */

static const char *const plugin_keys[] = { "name", "config", "interval", "offset", "perm", "exclusive_thread", NULL };

/* One member of a plugin's config: key=value, a keyword, or a key several times. */
static void config_pair(struct gen *g, ynode k, ynode v)
{
	if (k->kind != YAML_TEXT || v->kind == YAML_MAP) {
		bad(g, v, "config: wants KEY: VALUE");
		return;
	}
	if (yaml_is_null(v)) {
		word(g, k, k->text);
		return;
	}
	for (size_t i = 0; i < members(v) && works(g, v, 0); i++) {
		ynode m = member(v, i);

		if (m->kind == YAML_TEXT)
			attr(g, m, k->text, m->text);
		else
			bad(g, m, "config: wants KEY: VALUE");
	}
}

static void config_text(struct gen *g, ynode n)
{
	char *copy = xstrdup(n->text), *at = copy;

	for (char *w; (w = strtok_r(at, LINE_BLANKS, &at));)
		word(g, n, w);
	free(copy);
}

/* The first mapping of a sampler gets a producer and an instance. */
static void config_line(struct gen *g, ynode n, const char *instance, bool fill)
{
	char *own = xasprintf("%s/%s", g->self, instance);

	verb(g, n, "config");
	attr(g, n, "name", instance);
	if (n->kind == YAML_TEXT)
		config_text(g, n);
	for (size_t i = 0; n->kind == YAML_MAP && i < n->n && works(g, n, 0); i++)
		config_pair(g, n->keys[i], n->values[i]);
	if (n->kind == YAML_LIST)
		bad(g, n, "config: wants mappings or texts");
	if (fill && !yaml_get(n, "producer"))
		attr(g, n, "producer", g->self);
	if (fill && !yaml_get(n, "instance"))
		attr(g, n, "instance", own);
	end(g);
	free(own);
}

/* `ref` names an entry of plugins, or is the plugin itself (the older form); *ret_name is its instance. */
static ynode plugin_spec(struct gen *g, ynode ref, const char **ret_name)
{
	ynode spec = ref, name = NULL;

	if (ref->kind == YAML_TEXT) {
		*ret_name = ref->text;
		spec = by_name(g, yaml_get(g->root, "plugins"), ref->text);
		if (!spec)
			bad(g, ref,
			    "Configuration for plugin instance \"%s\" is not defined in the top level "
			    "\"plugins\" dictionary",
			    ref->text);
		return spec;
	}
	if (ref->kind != YAML_MAP) {
		bad(g, ref, "plugins: wants names of entries of \"plugins\"");
		return NULL;
	}
	*ret_name = required(g, ref, "name", "plugins") ? text_of(g, ref, "name", &name) : NULL;
	return *ret_name ? spec : NULL;
}

/* Load and configure an instance, once; *ret is its name. */
static const char *plugin_lines(struct gen *g, ynode ref, bool sampler)
{
	const char *instance = NULL, *plugin;
	ynode spec = plugin_spec(g, ref, &instance), n = ref, config;
	bool fill = sampler;

	if (!spec || !first_time(&g->plugins, instance))
		return instance;
	if (spec->kind != YAML_MAP) {
		bad(g, spec, "plugins: %s: must be a dictionary, with keys referencing a plugin instance name",
		    instance);
		return instance;
	}
	keys_check(g, spec, "plugins", plugin_keys);
	plugin = required(g, spec, "name", "plugins") ? text_of(g, spec, "name", &n) : NULL;
	if (!plugin)
		return instance;
	verb(g, ref, "load");
	attr(g, ref, "name", instance);
	attr(g, n, "plugin", plugin);
	end(g);
	config = yaml_get(spec, "config");
	if (!config && sampler)
		config_line(g, spec == ref ? n : ref, instance, false);
	for (size_t i = 0; i < members(config) && works(g, config, 0); i++) {
		ynode m = member(config, i);

		config_line(g, m, instance, fill && m->kind == YAML_MAP);
		fill &= m->kind != YAML_MAP;
	}
	if (!sampler)
		return instance;
	verb(g, ref, "start");
	attr(g, ref, "name", instance);
	if (yaml_get(spec, "interval"))
		attr_time(g, spec, "interval");
	else
		attr(g, ref, "interval", "1s");
	attr_time(g, spec, "offset");
	end(g);
	return instance;
}

/* -- advertising --------------------------------------------------------------------------------------------------- */

static const char *const advertise_keys[] = { "names", "hosts", "xprt",  "port",    "reconnect", "auth",
					      "perm",  "rail",  "quota", "rx_rate", NULL };

static void advertise(struct gen *g, ynode map)
{
	static const char *const wanted[] = { "hosts", "xprt", "port", "reconnect" };
	struct hostlist hosts;
	const char *auth;
	bool good = true;

	if (!map)
		return;
	keys_check(g, map, "advertise", advertise_keys);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		good &= !!required(g, map, wanted[i], "advertise");
	if (!good || !names_of(g, yaml_get(map, "hosts"), &hosts))
		return;
	auth = auth_make(g, map);
	for (size_t i = 0; i < hosts.n; i++) {
		char *name = xasprintf("%s-%s", g->self, hosts.names[i]);

		verb(g, map, "advertiser_add");
		attr(g, map, "name", name);
		attr(g, yaml_get(map, "hosts"), "host", hosts.names[i]);
		attr_if(g, map, "xprt", "xprt");
		attr_if(g, map, "port", "port");
		attr_time(g, map, "reconnect");
		attr_auth(g, map, "auth", auth);
		attr_perm(g, map);
		attr_if(g, map, "rail", "rail");
		attr_if(g, map, "quota", "quota");
		attr_if(g, map, "rx_rate", "rx_rate");
		end(g);
		verb(g, map, "advertiser_start");
		attr(g, map, "name", name);
		end(g);
		free(name);
	}
	hostlist_fini(&hosts);
}

static const char *const sampler_keys[] = { "daemons", "plugins", "advertise", NULL };

static void sampler_lines(struct gen *g, ynode map, void *arg)
{
	ynode plugins;
	size_t i;

	(void)arg;
	if (!is_for(g, map, "daemons", "samplers", &i, NULL))
		return;
	advertise(g, yaml_get(map, "advertise"));
	plugins = required(g, map, "plugins", "samplers");
	for (i = 0; i < members(plugins) && works(g, plugins, 0); i++)
		plugin_lines(g, member(plugins, i), true);
}

/* -- aggregators --------------------------------------------------------------------------------------------------- */

static const char *const aggregator_keys[] = { "daemons",   "peers", "prdcr_listen", "subscribe", "plugins",
					       "advertise", NULL };
static const char *const peer_keys[] = { "daemons", "endpoints", "reconnect", "type",     "updaters", "perm",
					 "rail",    "quota",     "rx_rate",   "cache_ip", "regex",    NULL };
static const char *const updater_keys[] = { "interval", "offset", "mode", "perm", "producers", "sets", NULL };
static const char *const set_keys[] = { "regex", "field", NULL };
static const char *const listen_keys[] = { "name",
					   "regex",
					   "ip",
					   "disable_start",
					   "rail",
					   "quota",
					   "rx_rate",
					   "reconnect",
					   "type",
					   "advertiser_xprt",
					   "advertiser_port",
					   "advertiser_auth",
					   "auth",
					   "perm",
					   "updaters",
					   NULL };
static const char *const subscribe_keys[] = { "regex", "stream", "message_tag", "message_channel", "rx_rate", NULL };

/* The aggregator at work: which one of how many it is, and the producers of the peer entry at hand. */
struct agg {
	size_t i, n;
	bool mine;              /* this daemon is one of them; else updaters are only counted */
	bool alone;             /* there is one peer entry: its updaters take whatever producers there are */
	struct hostlist prdcrs; /* of the entry, those that are ours */
	size_t from, to;        /* of its names */
};

static void prdcr_lines(struct gen *g, ynode map, const char *name)
{
	struct endpoint *e = NULL;
	const char *auth, *xprt, *type;
	ynode at = yaml_get(map, "endpoints"), n = at;

	HASH_FIND_STR(g->endpoints, name, e);
	if (!e) {
		bad(g, at, "endpoints: there is no endpoint '%s' among those of the daemons", name);
		return;
	}
	auth = auth_make(g, e->spec);
	verb(g, map, "prdcr_add");
	attr(g, at, "name", name);
	type = text_of(g, map, "type", &n);
	if (type)
		attr(g, n, "type", type);
	attr(g, at, "host", e->host);
	attr(g, at, "port", e->port);
	n = at;
	xprt = text_of(g, e->spec, "xprt", &n);
	attr(g, n, "xprt", xprt ? xprt : "sock");
	attr_time(g, map, "reconnect");
	attr_auth(g, e->spec, "auth", auth);
	attr_perm(g, map);
	attr_if(g, map, "rail", "rail");
	attr_if(g, map, "quota", "quota");
	attr_if(g, map, "rx_rate", "rx_rate");
	attr_if(g, map, "cache_ip", "cache_ip");
	end(g);
	verb(g, map, "prdcr_start");
	attr(g, at, "name", name);
	end(g);
}

/* Producers in the order of their numbers, in blocks of the same size or one more. */
static bool prdcrs_share(struct gen *g, ynode map, struct agg *a)
{
	ynode endpoints = yaml_get(map, "endpoints");
	size_t q, r;

	if (!endpoints || !names_of(g, endpoints, &a->prdcrs))
		return false;
	qsort(a->prdcrs.names, a->prdcrs.n, sizeof(*a->prdcrs.names), natural_cmp);
	q = a->prdcrs.n / a->n;
	r = a->prdcrs.n % a->n;
	a->from = a->i * q + (a->i < r ? a->i : r);
	a->to = a->from + q + (a->i < r);
	return true;
}

static void updtr_set(struct gen *g, ynode map, void *arg)
{
	if (!required(g, map, "regex", "sets"))
		return;
	verb(g, map, "updtr_match_add");
	attr(g, map, "name", arg);
	attr_if(g, map, "regex", "regex");
	attr_if(g, map, "field", "match");
	end(g);
}

static void updtr_mode(struct gen *g, ynode map)
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
	const char *mode = text_of(g, map, "mode", &n);

	for (size_t i = 0; mode && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].mode, mode))
			continue;
		if (modes[i].attr)
			attr(g, n, modes[i].attr, modes[i].value);
		return;
	}
	if (mode)
		bad(g, n, "mode: '%s' is not one of pull|auto|push|onchange", mode);
}

static void updtr_takes(struct gen *g, ynode at, const char *updtr, const char *regex)
{
	verb(g, at, "updtr_prdcr_add");
	attr(g, at, "name", updtr);
	attr(g, at, "regex", regex);
	end(g);
}

/* A dot in a name is no wildcard. */
static char *exactly(const char *name)
{
	struct buf b = { 0 };

	buf_u8(&b, '^');
	for (; *name; name++) {
		if (strchr(".[]()*+?{}|\\^$", *name))
			buf_u8(&b, '\\');
		buf_u8(&b, (uint8_t)*name);
	}
	buf_u8(&b, '$');
	buf_str(&b);
	return (char *)b.p;
}

static void updtr_takes_names(struct gen *g, ynode at, const char *updtr, const struct hostlist *hl, size_t from,
			      size_t to)
{
	for (size_t i = from; i < to; i++) {
		char *regex = exactly(hl->names[i]);

		updtr_takes(g, at, updtr, regex);
		free(regex);
	}
}

static void updtr_prdcrs(struct gen *g, ynode map, const char *updtr, const struct agg *a)
{
	ynode list = yaml_get(map, "producers");
	struct hostlist hl = { 0 };

	if (!list && (a->alone || !a->prdcrs.n)) {
		updtr_takes(g, map, updtr, ".*");
		return;
	}
	if (!list) {
		updtr_takes_names(g, map, updtr, &a->prdcrs, a->from, a->to);
		return;
	}
	if (list->kind == YAML_TEXT && hostlist_parse(list->text, &hl, NULL))
		hl = (struct hostlist){ 0 }; /* then it is an expression */
	else if (list->kind != YAML_TEXT)
		names_of(g, list, &hl);
	if (list->kind == YAML_TEXT && hl.n < 2)
		updtr_takes(g, list, updtr, list->text);
	else if (works(g, list, hl.n))
		updtr_takes_names(g, list, updtr, &hl, 0, hl.n);
	hostlist_fini(&hl);
}

static void updtr_lines(struct gen *g, ynode map, void *arg)
{
	const struct agg *a = arg;
	char name[32];

	snprintf(name, sizeof(name), "updtr_%u", g->updtrs++);
	if (!a->mine || !required(g, map, "interval", "updaters"))
		return;
	verb(g, map, "updtr_add");
	attr(g, map, "name", name);
	updtr_mode(g, map);
	attr_time(g, map, "interval");
	attr_time(g, map, "offset");
	attr_perm(g, map);
	end(g);
	updtr_prdcrs(g, map, name, a);
	each_map(g, yaml_get(map, "sets"), "sets", set_keys, updtr_set, name);
	verb(g, map, "updtr_start");
	attr(g, map, "name", name);
	end(g);
}

static void peer_lines(struct gen *g, ynode map, void *arg)
{
	struct agg *a = arg;

	a->prdcrs = (struct hostlist){ 0 };
	if (a->mine) {
		required(g, map, "endpoints", "peers");
		required(g, map, "type", "peers");
		required(g, map, "reconnect", "peers");
		if (prdcrs_share(g, map, a))
			for (size_t i = a->from; i < a->to && works(g, map, 0); i++)
				prdcr_lines(g, map, a->prdcrs.names[i]);
	}
	each_map(g, yaml_get(map, "updaters"), "updaters", a->mine ? updater_keys : NULL, updtr_lines, a);
	hostlist_fini(&a->prdcrs);
	a->prdcrs = (struct hostlist){ 0 };
}

static void prdcr_listen_lines(struct gen *g, ynode map, void *arg)
{
	static const char *const texts[] = { "regex",           "ip",   "quota", "rx_rate", "type", "advertiser_xprt",
					     "advertiser_port", "rail", NULL };
	struct agg *a = arg;
	ynode n = NULL;
	const char *name = a->mine && required(g, map, "name", "prdcr_listen") ? text_of(g, map, "name", &n) : NULL;

	if (name) {
		const char *auth = auth_make(g, map);

		verb(g, map, "prdcr_listen_add");
		attr(g, n, "name", name);
		if (yaml_get(map, "disable_start"))
			attr(g, yaml_get(map, "disable_start"), "disable_start",
			     is_true(map, "disable_start") ? "true" : "false");
		for (size_t i = 0; texts[i]; i++)
			attr_if(g, map, texts[i], texts[i]);
		attr_auth(g, map, "advertiser_auth", auth);
		attr_if(g, map, "advertiser_auth", "advertiser_auth");
		attr_time(g, map, "reconnect");
		attr_perm(g, map);
		end(g);
		verb(g, map, "prdcr_listen_start");
		attr(g, n, "name", name);
		end(g);
	}
	each_map(g, yaml_get(map, "updaters"), "updaters", a->mine ? updater_keys : NULL, updtr_lines, a);
}

static void subscribe_line(struct gen *g, ynode map, void *arg)
{
	(void)arg;
	if (!required(g, map, "regex", "subscribe"))
		return;
	verb(g, map, "prdcr_subscribe");
	attr_if(g, map, "stream", "stream");
	attr_if(g, map, yaml_get(map, "message_tag") ? "message_tag" : "message_channel", "message_tag");
	attr_if(g, map, "rx_rate", "rx_rate");
	attr_if(g, map, "regex", "regex");
	end(g);
}

static void aggregator_lines(struct gen *g, ynode map, void *arg)
{
	struct agg a = { 0 };
	ynode plugins = yaml_get(map, "plugins"), peers = yaml_get(map, "peers");

	(void)arg;
	a.mine = is_for(g, map, "daemons", "aggregators", &a.i, &a.n);
	a.alone = members(peers) + members(yaml_get(map, "prdcr_listen")) < 2;
	each_map(g, peers, "peers", a.mine ? peer_keys : NULL, peer_lines, &a);
	each_map(g, yaml_get(map, "prdcr_listen"), "prdcr_listen", a.mine ? listen_keys : NULL, prdcr_listen_lines, &a);
	if (!a.mine)
		return;
	advertise(g, yaml_get(map, "advertise"));
	each_map(g, yaml_get(map, "subscribe"), "subscribe", subscribe_keys, subscribe_line, NULL);
	for (size_t i = 0; i < members(plugins) && works(g, plugins, 0); i++)
		plugin_lines(g, member(plugins, i), false);
}

/* -- stores -------------------------------------------------------------------------------------------------------- */

static const char *const store_keys[] = { "name",          "daemons", "plugin", "container", "schema", "regex",
					  "decomposition", "decomp",  "flush",  "perm",      NULL };

static void store_lines(struct gen *g, ynode map, const char *name)
{
	ynode plugin;
	const char *instance;
	size_t i;

	keys_check(g, map, "stores", store_keys);
	if (!is_for(g, map, "daemons", "stores", &i, NULL))
		return;
	plugin = required(g, map, "plugin", "stores");
	instance = plugin ? plugin_lines(g, plugin, false) : NULL;
	if (!instance)
		return;
	verb(g, map, "strgp_add");
	attr(g, map, "name", name);
	attr(g, plugin, "plugin", instance);
	attr_if(g, map, "container", "container");
	attr_if(g, map, yaml_get(map, "decomposition") ? "decomposition" : "decomp", "decomposition");
	attr_if(g, map, "schema", "schema");
	attr_if(g, map, "regex", "regex");
	attr_perm(g, map);
	attr_time(g, map, "flush");
	end(g);
	verb(g, map, "strgp_start");
	attr(g, map, "name", name);
	end(g);
}

static void stores_lines(struct gen *g, ynode stores)
{
	for (size_t i = 0; stores && i < stores->n && works(g, stores, 0); i++) {
		ynode map = stores->values[i], n = NULL;
		const char *name;

		if (map->kind != YAML_MAP) {
			bad(g, map, "stores: must be a dictionary of policies");
			continue;
		}
		if (stores->kind == YAML_MAP)
			name = stores->keys[i]->kind == YAML_TEXT ? stores->keys[i]->text : NULL;
		else
			name = required(g, map, "name", "stores") ? text_of(g, map, "name", &n) : NULL;
		if (name)
			store_lines(g, map, name);
	}
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

static const char *const top_keys[] = { "daemons", "aggregators", "samplers", "plugins", "stores", NULL };

/* Other keys are for anchors; but one that is nearly one of ours is a typing error. */
static void top_check(struct gen *g)
{
	for (size_t i = 0; i < g->root->n; i++) {
		ynode k = g->root->keys[i];
		const char *near =
			k->kind == YAML_TEXT && !is_among(top_keys, k->text) ? nearest(k->text, top_keys) : NULL;

		if (near)
			conf_warn(g->cf, g->file, pos_of(k), "'%s' means nothing here; did you mean '%s'?", k->text,
				  near);
	}
}

static void all_lines(struct gen *g)
{
	struct self self = { false };

	if (!required(g, g->root, "daemons", "the top level"))
		return;
	top_check(g);
	each_map(g, yaml_get(g->root, "daemons"), "daemons", NULL, group_endpoints, NULL);
	each_map(g, yaml_get(g->root, "daemons"), "daemons", NULL, self_lines, &self);
	if (!self.found) {
		bad(g, yaml_get(g->root, "daemons"), "daemons: there is no daemon '%s'; its name is given with -n",
		    g->self);
		return;
	}
	each_map(g, yaml_get(g->root, "samplers"), "samplers", sampler_keys, sampler_lines, NULL);
	each_map(g, yaml_get(g->root, "aggregators"), "aggregators", aggregator_keys, aggregator_lines, NULL);
	stores_lines(g, yaml_get(g->root, "stores"));
}

static void gen_fini(struct gen *g)
{
	struct endpoint *e, *next;

	HASH_ITER(hh, g->endpoints, e, next) {
		HASH_DEL(g->endpoints, e);
		free(e->host);
		free(e->port);
		free(e);
	}
	once_free(&g->auths);
	once_free(&g->plugins);
	g->cf->words_n = 0;
}

void conf_text_yaml(struct conf *cf, const char *origin, const char *text, size_t len, const char *daemon)
{
	struct gen g = { .cf = cf, .file = conf_origin(cf, origin), .self = daemon };
	struct conf_pos pos = { .line = 1, .col = 1 };
	struct err err = { "" };
	struct yaml *y = NULL;
	int rc = yaml_tree_parse(text, len, &y, &g.root, &pos.line, &pos.col, &err);

	if (!rc && (!g.root || g.root->kind != YAML_MAP))
		rc = err_set(&err, -EINVAL, "wants a mapping with the key \"daemons\"");
	if (rc) {
		conf_error(cf, rc, g.file, pos, "%s", err.msg);
		cf->unsafe = cf->holes = true;
	} else {
		all_lines(&g);
	}
	gen_fini(&g);
	yaml_tree_free(y);
}

int conf_read_yaml(struct conf *cf, const char *path, const char *daemon, struct err *err)
{
	struct buf b = { 0 };
	int rc = conf_slurp(cf, path, &b, err);

	if (!rc) {
		cf->depth++;
		conf_text_yaml(cf, path, (const char *)b.p, b.len, daemon);
		cf->depth--;
	}
	buf_fini(&b);
	return rc;
}

int conf_yaml_daemons(const char *path, void (*fn)(void *arg, const char *daemon), void *arg, struct err *err)
{
	struct conf *cf = conf_new(NULL, NULL);
	struct buf b = { 0 };
	const struct yaml_node *root = NULL, *list;
	unsigned int line = 0, col = 0;
	struct yaml *y = NULL;
	int rc = conf_slurp(cf, path, &b, err);

	if (!rc)
		rc = yaml_tree_parse((const char *)b.p, b.len, &y, &root, &line, &col, err);
	list = rc ? NULL : yaml_get(root, "daemons");
	for (size_t i = 0; i < members(list); i++) {
		ynode names = yaml_get(member(list, i), "names");
		struct hostlist hl;

		for (size_t k = 0; k < members(names); k++) {
			ynode m = member(names, k);

			if (m->kind != YAML_TEXT || hostlist_parse(m->text, &hl, NULL))
				continue; /* reading it for a daemon says so */
			for (size_t j = 0; j < hl.n; j++)
				fn(arg, hl.names[j]);
			hostlist_fini(&hl);
		}
	}
	yaml_tree_free(y);
	buf_fini(&b);
	conf_free(cf);
	return rc;
}
