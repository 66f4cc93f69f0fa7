/* The verbs on sets: owner and permission, groups; and who may use which verb. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/verb.h"
#include "core/daemon/daemon.h"
#include "core/daemon/setgroup.h"

#define WORDS 16

static struct daemon *d;
static uint32_t as_uid;      /* who asks */
static char answer[ERR_MAX]; /* the reply, or what was wrong */

static int setup(void **state)
{
	const struct daemon_conf dc = { .name = "d" };
	struct err err = { "" };

	(void)state;
	log_level_set(LOG_QUIET_);
	as_uid = 0;
	if (daemon_new(&dc, &d, &err))
		fail_msg("%s", err.msg);
	d->uid = d->gid = 500;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_free(d, 1000000);
	return 0;
}

/* "verb name=value ...", as a file or a request would have it. */
static int say(const char *line)
{
	struct ctl c = { .d = d, .uid = as_uid, .gid = as_uid };
	char *copy = xstrdup(line), *at = copy, *word;
	const struct verb *v = verb_find(strsep(&at, " "));
	struct ctl_arg args[WORDS];
	struct err err = { "" };
	size_t n = 0;
	int rc;

	assert_non_null(v);
	while ((word = strsep(&at, " "))) {
		args[n++] = (struct ctl_arg){ .name = word, .value = strchr(word, '=') + 1 };
		*strchr(word, '=') = '\0';
	}
	rc = ctl_run(&c, v, args, n, &err);
	snprintf(answer, sizeof(answer), "%s", rc ? err.msg : c.reply.len ? buf_str(&c.reply) : "");
	ctl_fini(&c);
	free(copy);
	return rc;
}

static struct set_owner owner_of(const char *name)
{
	struct set *s = setdb_find(d->sets, name);
	struct set_owner o = set_owner(s);

	set_put(s);
	return o;
}

static void check_owner(const char *name, uint32_t uid, uint32_t gid, uint32_t perm)
{
	const struct set_owner o = owner_of(name);

	assert_int_equal(o.uid, uid);
	assert_int_equal(o.gid, gid);
	assert_int_equal(o.perm, perm);
}

/* The info pairs of a set, "key=value;..." */
static const char *info_of(const char *name)
{
	static char text[4096];
	struct set *s = setdb_find(d->sets, name);
	size_t n = 0;

	text[0] = '\0';
	for (uint16_t i = 0; i < s->info_n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s=%s;", s->info[i].key, s->info[i].value);
	set_put(s);
	return text;
}

static void test_default_authz(void **state)
{
	(void)state;
	assert_int_equal(say("metric_sets_default_authz uid=root gid=7 perm=400"), 0);
	assert_string_equal(answer, "defaults: uid=0, gid=7, perm=400");
	assert_int_equal(say("metric_sets_default_authz"), 0);
	assert_string_equal(answer, "defaults: uid=0, gid=7, perm=400");
	assert_int_equal(say("setgroup_add name=g"), 0);
	check_owner("g", 0, 7, 0400);
	assert_int_equal(say("metric_sets_default_authz perm=0666"), 0);
	check_owner("g", 0, 7, 0400); /* what is there stays */
	assert_int_equal(say("metric_sets_default_authz perm=888"), -EINVAL);
	assert_int_equal(say("metric_sets_default_authz perm=1000"), -EINVAL);
	assert_int_equal(say("metric_sets_default_authz perm=-1"), -EINVAL);
	assert_int_equal(say("metric_sets_default_authz uid=nobody-of-that-name"), -EINVAL);
	assert_non_null(strstr(answer, "there is no such user here"));
	assert_int_equal(say("metric_sets_default_authz"), 0);
	assert_string_equal(answer, "defaults: uid=0, gid=7, perm=666");
}

static void test_sec_mod(void **state)
{
	(void)state;
	say("metric_sets_default_authz uid=1 gid=1 perm=0440");
	say("setgroup_add name=n/a");
	say("setgroup_add name=n/b");
	assert_int_equal(say("set_sec_mod regex=/a$ perm=400"), 0);
	check_owner("n/a", 1, 1, 0400);
	check_owner("n/b", 1, 1, 0440);
	assert_int_equal(say("set_sec_mod regex=^n/ uid=2 gid=3"), 0);
	check_owner("n/a", 2, 3, 0400);
	check_owner("n/b", 2, 3, 0440);
	assert_int_equal(say("set_sec_mod regex=nothing perm=777"), 0); /* they may come later */
	assert_int_equal(say("set_sec_mod regex=n"), -EINVAL);
	assert_non_null(strstr(answer, "uid=, gid= or perm="));
	assert_int_equal(say("set_sec_mod regex=( perm=400"), -EINVAL);
}

static void test_groups(void **state)
{
	char line[400];
	struct set *s;

	(void)state;
	assert_int_equal(say("setgroup_add name=g producer=p interval=2s offset=100ms"), 0);
	assert_string_equal(info_of("g"), "updt_hint_us=2000000:100000;");
	s = setdb_find(d->sets, "g");
	assert_string_equal(image_schema((struct set_meta *)s->image), "ldmsd_grp_schema");
	assert_string_equal(((struct set_meta *)s->image)->producer, "p");
	set_put(s);
	say("setgroup_add name=r1/g1");
	s = setdb_find(d->sets, "r1/g1");
	assert_int_equal(s->meta_sz, 208); /* as ldmsd's of that name */
	assert_int_equal(s->data_sz, 96);
	set_put(s);
	assert_int_equal(say("setgroup_add name=g"), -EEXIST);
	assert_string_equal(answer, "A set or a group existed with the given name.");
	assert_int_equal(say("setgroup_ins name=g instance=n/a,n/b,,n/a"), 0);
	assert_string_equal(info_of("g"), "updt_hint_us=2000000:100000;    grp_member: n/a=-;    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_rm name=g instance=n/a,n/absent"), 0);
	assert_string_equal(info_of("g"), "updt_hint_us=2000000:100000;    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_mod name=g interval=3s"), 0);
	assert_string_equal(info_of("g"), "updt_hint_us=3000000:;    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_mod name=g"), 0);
	assert_string_equal(info_of("g"), "    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_add name=h interval=1s offset=2s"), -EINVAL);
	assert_int_equal(say("setgroup_add name=h interval=-1s"), -EINVAL);
	assert_int_equal(say("setgroup_ins name=g"), -EINVAL);
	/* one that does not fit, and nothing is changed */
	snprintf(line, sizeof(line), "setgroup_ins name=g instance=n/c,%0250d", 7);
	assert_int_equal(say(line), -EINVAL);
	assert_string_equal(info_of("g"), "    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_ins name=g instance=n/c,n\"d"), -EINVAL);
	assert_string_equal(info_of("g"), "    grp_member: n/b=-;");
	assert_int_equal(say("setgroup_ins name=absent instance=a"), -ENOENT);
	assert_int_equal(say("setgroup_del name=absent"), -ENOENT);
	assert_int_equal(say("setgroup_del name=g"), 0);
	assert_int_equal(say("setgroup_del name=g"), -ENOENT);
	assert_int_equal(say("load name=loadavg"), 0);
	assert_int_equal(say("config name=loadavg string=x"), -EINVAL);
}

static void test_what_is_no_group(void **state)
{
	struct schema *sc = schema_new("one", NULL), *grp = schema_new(SETGROUP_SCHEMA, NULL);
	struct set *s, *mirror;

	(void)state;
	schema_add(sc, "m", V_U64, NULL, NULL);
	set_new(d->pool, sc, "n/a", "p", 0, 0, 0777, &s, NULL);
	setdb_add(d->sets, s, NULL);
	assert_int_equal(say("setgroup_ins name=n/a instance=b"), -EINVAL);
	assert_string_equal(answer, "Not a group");
	assert_int_equal(say("setgroup_add name=n/a"), -EEXIST);
	set_put(s);
	set_new(d->pool, grp, "n/g", "p", 0, 0, 0777, &s, NULL);
	set_mirror_new(d->pool, (struct set_meta *)s->image, &mirror, NULL);
	setdb_add(d->sets, mirror, NULL);
	assert_int_equal(say("setgroup_ins name=n/g instance=b"), -EINVAL);
	assert_non_null(strstr(answer, "change it where it is made"));
	set_put(s);
	set_put(mirror);
	schema_free(sc);
	schema_free(grp);
}

static void test_members_max(void **state)
{
	struct buf b = { 0 };

	(void)state;
	say("setgroup_add name=g");
	buf_addf(&b, "setgroup_ins name=g instance=0");
	for (int i = 1; i < SETGROUP_MEMBERS_MAX; i++)
		buf_addf(&b, ",%d", i);
	assert_int_equal(say(buf_str(&b)), 0);
	assert_int_equal(say("setgroup_ins name=g instance=7"), 0);
	assert_int_equal(say("setgroup_ins name=g instance=more"), -E2BIG);
	buf_fini(&b);
}

/* -- who may ------------------------------------------------------------------------------------------------------- */

static void test_verbs(void **state)
{
	(void)state;
	as_uid = 1000;
	assert_int_equal(say("prdcr_status"), 0);
	assert_int_equal(say("version"), 0);
	assert_int_equal(say("updtr_add name=u interval=1s"), -EPERM);
	assert_string_equal(answer, "Operation not permitted.");
	assert_int_equal(say("setgroup_add name=g"), -EPERM);
	assert_int_equal(say("set_sec_mod regex=. perm=777"), -EPERM);
	as_uid = 500;
	assert_int_equal(say("updtr_add name=u interval=1s"), 0);
	as_uid = 0;
	assert_int_equal(say("updtr_del name=u"), 0);
}

/* Objects belong to who made them; perm= says who else may change them.  501 may use verbs: it is in the daemon's
 * group. */
static void test_objects(void **state)
{
	static const char *const lines[] = {
		"prdcr_start name=p",
		"prdcr_stop name=p",
		"prdcr_start_regex regex=^p$",
		"prdcr_stop_regex regex=.",
		"prdcr_del name=p",
		"updtr_prdcr_add name=u regex=.*",
		"updtr_prdcr_del name=u regex=.*",
		"updtr_match_add name=u regex=x",
		"updtr_match_del name=u regex=x",
		"updtr_start name=u",
		"updtr_stop name=u",
		"updtr_del name=u",
		"bridge_start name=b",
		"bridge_stop name=b",
		"bridge_del name=b",
		"advertiser_start name=a",
		"advertiser_stop name=a",
		"advertiser_del name=a",
		"prdcr_listen_start name=l",
		"prdcr_listen_stop name=l",
		"prdcr_listen_del name=l",
		"strgp_prdcr_add name=s regex=.*",
		"strgp_prdcr_del name=s regex=.*",
		"strgp_metric_add name=s metric=x",
		"strgp_metric_del name=s metric=x",
		"strgp_start name=s",
		"strgp_stop name=s",
		"strgp_del name=s",
	};

	(void)state;
	as_uid = 500;
	assert_int_equal(say("prdcr_add name=p type=active host=127.0.0.1 port=1 perm=0700"), 0);
	assert_int_equal(say("prdcr_add name=open type=active host=127.0.0.1 port=1 perm=0777"), 0);
	assert_int_equal(say("bridge_add name=b host=127.0.0.1 port=1 perm=0700"), 0);
	assert_int_equal(say("advertiser_add name=a host=127.0.0.1 port=1 perm=0700"), 0);
	assert_int_equal(say("prdcr_listen_add name=l perm=0700"), 0);
	assert_int_equal(say("updtr_add name=u interval=1s perm=0755"), 0);
	assert_int_equal(say("load name=none"), 0);
	assert_int_equal(say("config name=none"), 0);
	assert_int_equal(say("strgp_add name=s plugin=none schema=x perm=0500"), 0);
	d->gid = 501;
	as_uid = 501;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (say(lines[i]) != -EACCES)
			fail_msg("%s", lines[i]);
		assert_string_equal(answer, "Permission denied.");
	}
	assert_int_equal(say("prdcr_start name=absent"), -ENOENT);
	assert_int_equal(say("prdcr_start_regex regex=^absent"), 0);
	assert_int_equal(say("prdcr_start_regex regex=("), -EINVAL);
	assert_int_equal(say("prdcr_stop name=open"), 0);
	assert_int_equal(say("prdcr_stop_regex regex=open"), 0);
	as_uid = 0; /* root may */
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (say(lines[i]))
			fail_msg("%s: %s", lines[i], answer);
}

/* A verb that changes objects says of which kind they are; those that make one have none yet. */
static void test_verbs_name_their_objects(void **state)
{
	static const struct {
		const char *prefix, *maker;
		uint16_t flag;
	} kinds[] = {
		{ "prdcr_listen_", "prdcr_listen_add", VERB_PRDCR_LISTEN },
		{ "prdcr_", "prdcr_add", VERB_PRDCR },
		{ "bridge_", "bridge_add", VERB_PRDCR },
		{ "advertiser_", "advertiser_add", VERB_ADVERTISER },
		{ "updtr_", "updtr_add", VERB_UPDTR },
		{ "strgp_", "strgp_add", VERB_STRGP },
	};

	(void)state;
	for (const struct verb *v = verbs; v->name; v++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
			if (strncmp(v->name, kinds[i].prefix, strlen(kinds[i].prefix)))
				continue;
			if (v->flags & VERB_MODIFIES && strcmp(v->name, kinds[i].maker) && !(v->flags & kinds[i].flag))
				fail_msg("%s: its row in verbs.c does not say which kind of object it changes",
					 v->name);
			break;
		}
}

/* With write permission for the group its members may, too; strgp s has none even for its owner. */
static void test_objects_of_a_group(void **state)
{
	(void)state;
	d->gid = 600;
	as_uid = 500;
	assert_int_equal(say("updtr_add name=u interval=1s perm=0770"), 0); /* made by 500:500 */
	as_uid = 600;
	assert_int_equal(say("updtr_match_add name=u regex=x"), -EACCES);
	assert_int_equal(say("updtr_add name=v interval=1s"), 0); /* 0770 is what it is without perm= */
	assert_int_equal(say("updtr_match_add name=v regex=x"), 0);
	assert_int_equal(say("load name=none"), 0);
	assert_int_equal(say("config name=none"), 0);
	assert_int_equal(say("strgp_add name=s plugin=none schema=x perm=0500"), 0);
	assert_int_equal(say("strgp_metric_add name=s metric=x"), -EACCES);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_default_authz),
		TEST(test_sec_mod),
		TEST(test_groups),
		TEST(test_what_is_no_group),
		TEST(test_members_max),
		TEST(test_verbs),
		TEST(test_objects),
		TEST(test_objects_of_a_group),
		TEST(test_verbs_name_their_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
