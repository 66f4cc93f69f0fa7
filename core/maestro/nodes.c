/* nodes.c - see nodes.h */
#include "core/maestro/nodes.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uthash.h>

#include "core/base/hostlist.h"
#include "core/base/xalloc.h"

void nodes_fini(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		free(nodes->v[i].name);
		free(nodes->v[i].host);
	}
	free(nodes->v);
	*nodes = (struct nodes){ 0 };
}

static void node_add(struct nodes *nodes, const char *name, const char *host)
{
	if (!(nodes->n & (nodes->n + 1)))
		nodes->v = xrealloc(nodes->v, 2 * (nodes->n + 1) * sizeof(*nodes->v));
	nodes->v[nodes->n++] = (struct node_name){ xstrdup(name), xstrdup(host) };
}

/* -- words --------------------------------------------------------------------------------------------------------- */

/* Comments and newlines become blanks. */
static char *flat(const char *text, size_t len)
{
	char *s = xstrndup(text, len);
	bool comment = false, begins = true;

	for (char *p = s; *p; p++) {
		bool end = *p == '\n';

		comment = end ? false : comment || (begins && *p == '#');
		begins = end || (begins && isspace((unsigned char)*p));
		if (comment || isspace((unsigned char)*p))
			*p = ' ';
	}
	return s;
}

static int words_parse(const char *text, size_t len, struct nodes *ret, struct err *err)
{
	char *words = flat(text, len);
	struct hostlist hl;
	int rc = hostlist_parse(words, &hl, err);

	for (size_t i = 0; !rc && i < hl.n; i++)
		node_add(ret, hl.names[i], hl.names[i]);
	if (!rc)
		hostlist_fini(&hl);
	free(words);
	return rc;
}

/* -- host maps ----------------------------------------------------------------------------------------------------- */

static const char *member_by_name(const char *name)
{
	static const char *const by_addr[] = { "nid", "service", "workflow", "login" };

	for (size_t i = 0; i < sizeof(by_addr) / sizeof(*by_addr); i++)
		if (strstr(name, by_addr[i]))
			return "hostaddr";
	return strstr(name, "ncn-") ? "hostname" : "ip_address";
}

static bool is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p) || strchr(",[]{}<>\"", *p))
			return false;
	return *text;
}

struct name_seen {
	UT_hash_handle hh;
	char name[];
};

static bool seen(struct name_seen **all, const char *name)
{
	struct name_seen *s = NULL;
	size_t len = strlen(name);

	HASH_FIND(hh, *all, name, len, s);
	if (s)
		return true;
	s = xcalloc(1, sizeof(*s) + len + 1);
	memcpy(s->name, name, len);
	HASH_ADD_KEYPTR(hh, *all, s->name, len, s);
	return false;
}

static void seen_free(struct name_seen **all)
{
	struct name_seen *s, *next;

	HASH_ITER(hh, *all, s, next) {
		HASH_DEL(*all, s);
		free(s);
	}
}

static int member_take(const json_t *o, size_t i, struct name_seen **names, struct name_seen **hosts, struct nodes *ret,
		       struct err *err)
{
	const char *name = json_string_value(json_object_get(o, "hostname")), *key, *host;

	if (!name || !is_word(name))
		return err_set(err, -EINVAL, "node %zu of the list has no \"hostname\" that could be one", i + 1);
	key = member_by_name(name);
	host = json_string_value(json_object_get(o, key));
	if (!host || !is_word(host))
		return err_set(err, -EINVAL, "%.64s: has no \"%s\" that could be one, where it would be reached", name,
			       key);
	if (seen(names, name))
		return 0;
	if (seen(hosts, host))
		return err_set(err, -EINVAL, "%.64s: another node is reached at %.64s, too", name, host);
	node_add(ret, name, host);
	return 0;
}

static int map_parse(const char *text, size_t len, struct nodes *ret, struct err *err)
{
	json_error_t je;
	json_t *list = json_loadb(text, len, 0, &je), *o;
	struct name_seen *names = NULL, *hosts = NULL;
	int rc = 0;
	size_t i;

	if (!list)
		return err_set(err, -EINVAL, "%d:%d: no JSON: %s", je.line, je.column, je.text);
	if (json_array_size(list) > HOSTLIST_MAX)
		rc = err_set(err, -E2BIG, "more than %d nodes", HOSTLIST_MAX);
	for (i = 0; !rc && (o = json_array_get(list, i)); i++)
		rc = member_take(o, i, &names, &hosts, ret, err);
	seen_free(&names);
	seen_free(&hosts);
	json_decref(list);
	return rc;
}

/* "[{" begins JSON; "[1-3]" is a list of hosts. */
static bool is_json(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && isspace((unsigned char)text[i]))
		i++;
	if (i == len || text[i++] != '[')
		return false;
	while (i < len && isspace((unsigned char)text[i]))
		i++;
	return i < len && text[i] == '{';
}

int nodes_parse(const char *origin, const char *text, size_t len, struct nodes *ret, struct err *err)
{
	int rc;

	*ret = (struct nodes){ 0 };
	if (memchr(text, 0, len))
		rc = err_set(err, -EINVAL, "holds NUL bytes; is it text?");
	else
		rc = is_json(text, len) ? map_parse(text, len, ret, err) : words_parse(text, len, ret, err);
	if (!rc && !ret->n)
		rc = err_set(err, -EINVAL, "names no node");
	if (!rc)
		return 0;
	nodes_fini(ret);
	return err_prefix(err, rc, "%s: ", origin);
}
