/* samp.c - `ldms samp`: sample this node, and serve the sets; or list the samplers, or print one sample */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/daemon.h"
#include "cmd/print.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/daemon/samp.h"
#include "core/set/perm.h"
#include "core/set/snap.h"

#define ONCE_SETS_MAX 1024 /* sets of one instance that --once prints */

static const struct opt opts[] = {
	{ 'l', "list", OPT_FLAG, NULL, DAEMON_OPT(list), "list the samplers and end" },
	{ 0, "once", OPT_TEXT, "NAME", DAEMON_OPT(once), "print one sample of this sampler and end" },
	{ 0, "json", OPT_FLAG, NULL, DAEMON_OPT(json), "with --once: as JSON" },
	DAEMON_OPTS_COMMON,
	{ 0 },
};

const struct cmd_usage usage_samp = {
	.synopsis = "ldms samp [-x XPRT:PORT] --samp LIST [option ...]\n"
		    "ldms samp -c FILE [option ...]\n"
		    "ldms samp -l | --once NAME [--json] [ATTRIBUTE=VALUE ...]",
	.brief = "a sampler daemon: measures this node and serves the sets",
	.about = "Samples on multiples of the interval (plus the offset) of the wall clock, so that all nodes sample in "
		 "step, and serves the sets to aggregators and to `ldms ls`.",
	.opts = opts,
	.examples = "ldms samp -x sock:411 --samp \"loadavg meminfo\"\n"
		    "ldms samp --samp vmstat --interval 100ms --name n17\n"
		    "ldms samp --samp \"loadavg meminfo\" --to agg-1,agg-2:412\n"
		    "ldms samp -x sock:411 --samp meminfo --user ldms --sandbox\n"
		    "ldms samp --once procnetdev2",
};

static int list_samplers(const char *root)
{
	for (size_t i = 0; samp_types[i]; i++) {
		const struct samp_type *t = samp_types[i];
		char path[512];
		bool there = true;

		if (t->source && *t->source == '/') {
			snprintf(path, sizeof(path), "%s%s", root ? root : "", t->source);
			there = !access(path, R_OK);
		}
		printf("%-12s %-46s %s%s%s\n", t->name, t->brief, t->source ? t->source : "",
		       there ? "" : " (not here)", t->needs ? " (not in this build)" : "");
	}
	return 0;
}

/* A set as the directory would tell of it. */
static void print_snap(struct print *p, const struct snap *sn)
{
	const struct set_meta *m = sn->im.meta;
	const struct set_data *d = sn->im.data;
	char digest[2 * DIGEST_LEN + 1], perm[11];
	bool whole = le32toh(d->flags) == SET_TRANS_DONE;
	struct dir_set ds = {
		.name = image_instance(m),
		.schema = image_schema(m),
		.digest = digest,
		.flags = whole ? "CL " : " L ",
		.perm = perm,
		.meta_size = le32toh(m->meta_sz),
		.data_size = le32toh(m->data_sz),
		.heap_size = le32toh(m->heap_sz),
		.uid = le32toh(m->uid),
		.gid = le32toh(m->gid),
		.card = image_card(m),
		.array_card = le32toh(m->array_card),
		.meta_gn = le64toh(m->meta_gn),
		.data_gn = le64toh(d->gn),
		.ts_sec = le32toh(d->ts_sec),
		.ts_usec = le32toh(d->ts_usec),
		.dur_sec = le32toh(d->dur_sec),
		.dur_usec = le32toh(d->dur_usec),
	};

	digest_hex(image_digest(m), digest);
	perm_text(le32toh(m->perm), perm);
	print_contents(p, &ds, &sn->im);
}

static void print_sets(struct samp *sp, bool json)
{
	struct print p = { .format = json ? &print_json : &print_text, .contents = true, .now_us = wall_us() };
	struct set *sets[ONCE_SETS_MAX];
	unsigned int n = samp_sets(sp, sets, ONCE_SETS_MAX);

	print_begin(&p);
	print_contents_begin(&p);
	for (unsigned int i = 0; i < n && i < ONCE_SETS_MAX; i++) {
		struct snap *sn = snap_new(sets[i]);

		print_snap(&p, sn);
		snap_put(sn);
		set_put(sets[i]);
	}
	print_end(&p);
	fwrite(p.out.p, 1, p.out.len, stdout);
	if (json)
		putchar('\n');
	buf_fini(&p.out);
}

static int once(const struct daemon_opts *o, int argc, char **argv)
{
	struct err err = { "" };
	struct samp_env env = {
		.pool = pool_new(0),
		.sets = setdb_new(),
		.producer = o->self,
		.component_id = o->compid == UNSET_NUM ? 0 : o->compid,
		.uid = geteuid(),
		.gid = getegid(),
		.perm = 0440,
		.sysroot = o->sysroot ? o->sysroot : "",
	};
	const struct samp_type *type = samp_type_find(o->once);
	struct samp *sp = type ? samp_new(&env, type, o->once, &err) : NULL;
	struct kv attrs = { 0 };
	int rc = sp ? 0 : type ? -ENOSYS : samp_type_unknown(o->once, &err);

	log_level_set(LOG_QUIET_); /* what goes wrong is said below, once */
	for (int i = 1; i <= argc; i++)
		kv_parse(&attrs, argv[i]);
	kv_add(&attrs, "required", "true");
	if (!rc)
		rc = samp_config(sp, &attrs, &err);
	if (!rc)
		rc = samp_once(sp, &err);
	if (!rc)
		print_sets(sp, o->json);
	else
		fprintf(stderr, "ldms samp: %s\n", err.msg);
	kv_fini(&attrs);
	samp_free(sp);
	setdb_free(env.sets);
	pool_free(env.pool);
	return rc ? 1 : 0;
}

int cmd_samp(int argc, char **argv)
{
	static const struct daemon_role role = { .name = "samp" };
	struct daemon_opts o;
	struct err err = { "" };
	int n;

	daemon_opts_init(&o);
	n = opt_parse(opts, argc, argv, &o, &err);
	if (n > 0 && !o.once)
		n = err_set(&err, -EINVAL, "'%s' is left over; lists with blanks want quotes", argv[1]);
	if (!n && !o.help && !o.list && !o.once && !o.samp.n && !o.conf.n && !o.yaml.n)
		n = err_set(&err, -EINVAL, "nothing to sample: give --samp LIST or -c FILE");
	if (n < 0) {
		fprintf(stderr, "ldms samp: %s; `ldms help samp` says more\n", err.msg);
		daemon_opts_fini(&o);
		return 1;
	}
	daemon_opts_defaults(&o);
	if (o.help)
		opt_help(stdout, &usage_samp), n = 0;
	else if (o.list)
		n = list_samplers(o.sysroot);
	else if (o.once)
		n = once(&o, n, argv);
	else
		n = daemon_main(&role, &o);
	daemon_opts_fini(&o);
	return n;
}
