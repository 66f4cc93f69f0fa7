/* ctl.c - from arguments to a handler: the checks that every verb shares.  See verb.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/ids.h"
#include "core/base/kv.h"
#include "core/base/regex.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/book_line.h"
#include "core/ctl/object.h"
#include "core/ctl/verb.h"
#include "core/ctl/words.h"
#include "core/daemon/failover.h"
#include "core/set/perm.h"

#define VERBS_MAX 256 /* to look for a near one in */

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

const struct verb *verb_by_id(uint16_t id)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (v->id == id && !(v->flags & VERB_FILE_ONLY))
			return v;
	return NULL;
}

const char *verb_nearest(const char *word)
{
	const char *names[VERBS_MAX + 1];
	size_t n = 0;

	for (const struct verb *v = verbs; v->name && n < VERBS_MAX; v++)
		names[n++] = v->name;
	names[n] = NULL;
	return nearest(word, names);
}

const char *ctl_text(const struct ctl *c, enum attr_id id, const char *dflt)
{
	return c->text[id] ? c->text[id] : dflt;
}

int64_t ctl_num(const struct ctl *c, enum attr_id id, int64_t dflt)
{
	return c->text[id] ? c->num[id] : dflt;
}

bool ctl_has(const struct ctl *c, enum attr_id id)
{
	return c->text[id];
}

char *ctl_expand(const char *text)
{
	struct buf b = { 0 };
	char *ret;

	while (*text) {
		const char *end = text + 2;

		if (text[0] == '$' && text[1] == '{') {
			while (isalnum((unsigned char)*end) || *end == '_')
				end++;
			if (*end == '}' && end > text + 2) {
				char *name = xstrndup(text + 2, (size_t)(end - text - 2));
				const char *value = getenv(name);

				if (value)
					buf_add(&b, value, strlen(value));
				free(name);
				text = end + 1;
				continue;
			}
		}
		buf_u8(&b, (uint8_t)*text++);
	}
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

static bool word_among(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *w = words; w && *w;) {
		size_t k = strcspn(w, "|");

		if (k == n && !strncmp(w, word, n))
			return true;
		w += k + (w[k] == '|');
	}
	return false;
}

int ctl_value(const struct verb *v, const struct attr_use *u, const char *value, int64_t *num, struct err *err)
{
	struct err why = { "" };
	struct rx rx = { 0 };
	uint64_t n = 0;
	uint32_t id = 0;
	bool yes = false;
	char *end;
	int rc = 0;

	switch (u->type) {
	case AT_TEXT:
	case AT_FLAG:
	case AT_REST:
		break;
	case AT_WORD:
		if (!word_among(u->words, value))
			return err_set(err, -EINVAL, "%s: attribute '%s': '%s' is not one of %s", v->name, u->name,
				       value, u->words);
		break;
	case AT_TIME:
		rc = unit_time_us(value, num, &why);
		break;
	case AT_SIZE:
		if (!strcmp(value, "-1"))
			*num = -1;
		else
			rc = unit_size(value, &n, &why), *num = rc ? 0 : (int64_t)n;
		break;
	case AT_NUM:
		rc = unit_u64(value, &n, &why);
		*num = (int64_t)n;
		break;
	case AT_PORT:
		rc = unit_u64(value, &n, &why);
		*num = (int64_t)n;
		if (!rc && n > 65535)
			rc = err_set(&why, -EINVAL, "%s is no port; ports are 0 to 65535", value);
		break;
	case AT_PERM:
		*num = strtol(value, &end, 0);
		if (!*value || *end || *num < 0 || *num > 0777)
			rc = err_set(&why, -EINVAL, "'%s' is no permission; write it octal, as 0770", value);
		break;
	case AT_OCTAL:
		*num = strtol(value, &end, 8);
		if (!isdigit((unsigned char)*value) || *end || *num > 0777)
			rc = err_set(&why, -EINVAL, "'%s' is no permission; write it octal, as 0440", value);
		break;
	case AT_USER:
	case AT_GROUP:
		rc = (u->type == AT_USER ? ids_user : ids_group)(value, &id, &why);
		*num = id;
		break;
	case AT_BOOL:
		rc = unit_bool(value, &yes, &why);
		*num = yes;
		break;
	case AT_REGEX:
		rc = rx_init(&rx, value, &why);
		rx_fini(&rx);
		break;
	}
	return rc ? err_set(err, rc, "%s: attribute '%s': %s", v->name, u->name, why.msg) : 0;
}

static const struct attr_use *use_find(const struct verb *v, const struct ctl_arg *arg)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (arg->name ? !strcmp(u->name, arg->name) : u->id == arg->id)
			return u;
	return NULL;
}

static int unknown(const struct verb *v, const struct ctl_arg *arg, struct err *err)
{
	const char *names[ATTR_IDS + 1], *near;
	size_t n = 0;

	if (!arg->name)
		return 0; /* over the network: attributes that a verb does not know are ignored, as ldmsd does */
	for (const struct attr_use *u = v->attrs; u && u->name && n < ATTR_IDS; u++)
		names[n++] = u->name;
	names[n] = NULL;
	near = nearest(arg->name, names);
	return err_set(err, -EINVAL, "%s: unknown attribute '%s'%s%s%s", v->name, arg->name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The words of the line that no attribute took: where only some may stand, others are typing errors. */
static int rest_check(const struct verb *v, const struct attr_use *u, const char *value, struct err *err)
{
	struct kv kv = { 0 };
	int rc = 0;

	kv_parse(&kv, value);
	for (size_t i = 0; i < kv.n && !rc; i++)
		if (!word_among(u->words, kv.v[i].key))
			rc = unknown(v, &(struct ctl_arg){ .name = kv.v[i].key }, err);
	kv_fini(&kv);
	return rc;
}

/* No value, an empty one, or the "None" of maestro and ldmsd_controller where they were told nothing. */
static bool is_absent(const struct attr_use *u, const char *value)
{
	return !value || !*value || ((u->type == AT_PERM || u->type == AT_BOOL) && !strcmp(value, "None"));
}

static int missing(const struct verb *v, const struct attr_use *u, bool wire, struct err *err)
{
	if (wire)
		return words_missing(v, u, -EINVAL, err);
	return err_set(err, -EINVAL, "The attribute '%s' is required by %s.", u->name, v->name);
}

int ctl_check_arg(const struct verb *v, const struct ctl_arg *arg, bool *ret_unknown, struct err *err)
{
	const struct attr_use *u = use_find(v, arg);
	int64_t num;
	int rc;

	if (!u) {
		*ret_unknown = true;
		return unknown(v, arg, err);
	}
	if (is_absent(u, arg->value) || strstr(arg->value, "${"))
		return 0; /* with a variable it is known when it is carried out */
	if (u->type != AT_REST || !u->words)
		return ctl_value(v, u, arg->value, &num, err);
	rc = rest_check(v, u, arg->value, err);
	*ret_unknown = rc;
	return rc;
}

int ctl_check_required(const struct verb *v, const struct attr_use *u, const struct ctl_arg *args, size_t n,
		       struct err *err)
{
	for (size_t i = 0; i < n && u->required; i++) {
		const struct attr_use *of = use_find(v, &args[i]);

		if (of && of->id == u->id && (of->type == AT_FLAG || !is_absent(of, args[i].value)))
			return 0;
	}
	return u->required ? missing(v, u, false, err) : 0;
}

/* `wire`: the answer goes to a peer, which may know ldmsd's words. */
static int check(const struct verb *v, const struct ctl_arg *args, size_t n, bool wire, struct err *err)
{
	if (v->flags & VERB_UNSUPPORTED)
		return err_set(err, -ENOSYS, "%s: not supported by ldms: %s", v->name, v->help);
	for (size_t i = 0; i < n; i++) {
		bool is_unknown = false;
		int rc = ctl_check_arg(v, &args[i], &is_unknown, err);

		if (rc)
			return wire && !is_unknown ? words_bad(v, use_find(v, &args[i]), args[i].value, rc, err) : rc;
	}
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (ctl_check_required(v, u, args, n, err))
			return missing(v, u, wire, err);
	return 0;
}

int ctl_check(const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err)
{
	return check(v, args, n, false, err);
}

static int take(struct ctl *c, const struct ctl_arg *args, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct attr_use *u = use_find(c->verb, &args[i]);
		char *value;
		int rc;

		if (!u || c->text[u->id] || (u->type != AT_FLAG && is_absent(u, args[i].value)))
			continue; /* the first one counts */
		value = ctl_expand(args[i].value ? args[i].value : "");
		if (u->type != AT_FLAG && is_absent(u, value)) {
			free(value);
			continue;
		}
		if (strchr(value, LINE_SEP)) {
			free(value);
			return err_set(err, -EINVAL, "%s: attribute '%s': holds a control character", c->verb->name,
				       u->name);
		}
		rc = ctl_value(c->verb, u, value, &c->num[u->id], err);
		if (rc) {
			rc = c->from ? words_bad(c->verb, u, value, rc, err) : rc;
			free(value);
			return rc;
		}
		c->text[u->id] = value;
	}
	for (const struct attr_use *u = c->verb->attrs; u && u->name; u++)
		if (u->required && !c->text[u->id])
			return missing(c->verb, u, c->from, err);
	return 0;
}

bool ctl_may(const struct ctl *c, const struct verb *v)
{
	return perm_allows(c->uid, c->gid, 0111, c->d->uid, c->d->gid, v->flags & VERB_ALL ? 0111 : 0110);
}

/* A draft gets its objects, and nothing that would be felt outside. */
static bool may_run(const struct ctl *c)
{
	const struct book_verb *bv = c->d->draft ? book_verb_find(c->verb->name) : NULL;

	return !c->d->draft || (bv && bv->draft);
}

int ctl_prepare(struct ctl *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err)
{
	int rc = check(v, args, n, c->from, err);

	c->verb = v;
	return rc ? rc : take(c, args, n, err);
}

int ctl_run(struct ctl *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct err *err)
{
	int rc;

	c->verb = v;
	if (!c->itself && !ctl_may(c, v))
		return err_set(err, -EPERM, "Operation not permitted.");
	if (v->flags & VERB_MODIFIES && !(v->flags & VERB_PAIRED) && !c->itself && c->from &&
	    failover_state(c->d->failover) != FAILOVER_STOP)
		return err_set(err, -EBUSY, "Daemon busy."); /* the peer has been told what there is */
	rc = ctl_prepare(c, v, args, n, err);
	if (!rc && !c->itself)
		rc = object_check(c, err);
	if (rc)
		return rc;
	c->args = args;
	c->args_n = n;
	if (c->run)
		rc = c->run(c, err);
	else if (may_run(c))
		rc = v->run(c, err);
	c->args = NULL;
	c->args_n = 0;
	if (rc || !c->d->book)
		return rc;
	rc = book_note(c->d->book, c, c->d->draft ? err : NULL);
	return c->d->draft ? rc : 0; /* what runs has the last word */
}

void ctl_fini(struct ctl *c)
{
	for (size_t i = 0; i < ATTR_IDS; i++)
		free((char *)c->text[i]);
	buf_fini(&c->reply);
}
