/* setgroup.c - see setgroup.h.  Groups are the main loop's: nobody else changes their info pairs. */
#include "core/daemon/setgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"

#define MEMBER_KEY "    grp_member: "
#define HINT_KEY   "updt_hint_us"
#define HINT_SIZE  48  /* two numbers of 64 bits, and a colon */
#define KEY_MAX    254 /* bytes of an info key that a lookup carries */
#define MEMBER_MAX (KEY_MAX - (sizeof(MEMBER_KEY) - 1))

const char *setgroup_member(const char *info_key)
{
	size_t n = strlen(MEMBER_KEY);

	return strncmp(info_key, MEMBER_KEY, n) ? NULL : info_key + n;
}

/* -- the group ----------------------------------------------------------------------------------------------------- */

/* With a reference. */
static struct set *group_get(struct daemon *d, const char *name, int *rc, struct err *err)
{
	struct set *s = setdb_find(d->sets, name);

	if (!s) {
		*rc = err_set(err, -ENOENT, "set group %s: there is none of that name; setgroup_add it first", name);
		return NULL;
	}
	if (!strcmp(image_schema((const struct set_meta *)s->image), SETGROUP_SCHEMA) && s->local)
		return s;
	*rc = err_set(err, -EINVAL,
		      s->local ? "Not a group" : "Not a group of this daemon's: change it where it is made");
	set_put(s);
	return NULL;
}

static void hint_text(const struct setgroup_schedule *sched, char text[HINT_SIZE])
{
	int n = snprintf(text, HINT_SIZE, "%lld:", (long long)sched->interval_us);

	if (sched->has_offset)
		snprintf(text + n, HINT_SIZE - (size_t)n, "%lld", (long long)sched->offset_us);
}

static int schedule_check(const char *name, const struct setgroup_schedule *sched, struct err *err)
{
	if (sched->interval_us < 0)
		return err_set(err, -EINVAL, "set group %s: interval must be more than 0, as in interval=1s", name);
	if (llabs(sched->offset_us) > sched->interval_us)
		return err_set(err, -EINVAL, "set group %s: offset must be smaller than interval", name);
	return 0;
}

int setgroup_add(struct daemon *d, const char *name, const char *producer, const struct setgroup_schedule *sched,
		 struct err *err)
{
	struct schema *schema;
	char hint[HINT_SIZE];
	struct set *s;
	int rc;

	rc = schedule_check(name, sched, err);
	if (rc)
		return rc;
	s = setdb_find(d->sets, name);
	set_put(s);
	if (s)
		return err_set(err, -EEXIST, "A set or a group existed with the given name.");
	schema = schema_new(SETGROUP_SCHEMA, err);
	if (!schema)
		return -EINVAL;
	rc = set_new(d->pool, schema, name, producer, d->samp.uid, d->samp.gid, d->samp.perm, &s, err);
	schema_free(schema);
	if (rc)
		return rc;
	hint_text(sched, hint);
	if (sched->interval_us)
		set_info_put(s, HINT_KEY, hint);
	rc = setdb_add(d->sets, s, err);
	set_put(s);
	return rc;
}

int setgroup_del(struct daemon *d, const char *name, struct err *err)
{
	int rc = 0;
	struct set *s = group_get(d, name, &rc, err);

	if (s)
		setdb_del(d->sets, s);
	set_put(s);
	return rc;
}

int setgroup_mod(struct daemon *d, const char *name, const struct setgroup_schedule *sched, struct err *err)
{
	int rc = schedule_check(name, sched, err);
	struct set *s = rc ? NULL : group_get(d, name, &rc, err);
	char hint[HINT_SIZE];

	hint_text(sched, hint);
	if (s)
		setdb_info_put(d->sets, s, HINT_KEY, sched->interval_us ? hint : NULL);
	set_put(s);
	return rc;
}

/* -- members ------------------------------------------------------------------------------------------------------- */

struct names { /* the info pairs of a group as they shall be */
	struct info_pair *v;
	unsigned int n;
};

static int member_check(const char *group, const char *member, struct err *err)
{
	int rc = schema_name_check("member", member, MEMBER_MAX, err);

	return rc ? err_prefix(err, rc, "set group %s: ", group) : 0;
}

static void pair_add(struct names *to, const char *key, const char *value)
{
	to->v = xrealloc(to->v, (to->n + 1) * sizeof(*to->v));
	to->v[to->n++] = (struct info_pair){ .key = xstrdup(key), .value = xstrdup(value) };
}

static int pair_find(const struct names *names, const char *key)
{
	for (unsigned int i = 0; i < names->n; i++)
		if (!strcmp(names->v[i].key, key))
			return (int)i;
	return -1;
}

static int ins(struct names *names, const char *group, const char *key, struct err *err)
{
	if (pair_find(names, key) >= 0)
		return 0;
	if (names->n >= SETGROUP_MEMBERS_MAX)
		return err_set(err, -E2BIG, "set group %s: more than %d members; make a second group", group,
			       SETGROUP_MEMBERS_MAX);
	pair_add(names, key, SETGROUP_VALUE);
	return 0;
}

static int rm(struct names *names, const char *group, const char *key, struct err *err)
{
	int i = pair_find(names, key);

	(void)group;
	(void)err;
	if (i < 0)
		return 0;
	free(names->v[i].key);
	free(names->v[i].value);
	names->n--;
	memmove(&names->v[i], &names->v[i + 1], (names->n - (unsigned int)i) * sizeof(*names->v));
	return 0;
}

/* Put the group's pairs through fn for each member of the list, and take the result as a whole. */
static int change(struct daemon *d, const char *name, const char *members,
		  int (*fn)(struct names *names, const char *group, const char *key, struct err *err), struct err *err)
{
	int rc = 0;
	struct set *s = group_get(d, name, &rc, err);
	char *list, *at, *member;
	struct names names = { 0 };

	if (!s)
		return rc;
	names.v = setdb_info_copy(d->sets, s, &names.n);
	at = list = xstrdup(members);
	while (!rc && (member = strsep(&at, ","))) {
		char *key;

		if (!*member)
			continue;
		rc = member_check(name, member, err);
		if (rc)
			break;
		key = xasprintf(MEMBER_KEY "%s", member);
		rc = fn(&names, name, key, err);
		free(key);
	}
	if (!rc)
		setdb_info_replace(d->sets, s, names.v, names.n);
	free(list);
	info_copy_free(names.v, names.n);
	set_put(s);
	return rc;
}

int setgroup_ins(struct daemon *d, const char *name, const char *members, struct err *err)
{
	return change(d, name, members, ins, err);
}

int setgroup_rm(struct daemon *d, const char *name, const char *members, struct err *err)
{
	return change(d, name, members, rm, err);
}
