/* samp_lustre.c - the samplers of Lustre: mounts, connections, targets and jobs that come and go, and odd statistics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

#define DEBUG "/sys/kernel/debug/lustre"
#define PROC  "/proc/fs/lustre"
#define HEAD  "snapshot_time             1690000000.123456789 secs.nsecs\n"
#define STATS                                                                                                          \
	HEAD "read_bytes                10 samples [bytes] 4096 1048576 12345678 99\n"                                 \
	     "write_bytes               4 samples [bytes] 1 2 777\n"                                                   \
	     "open                      5 samples [regs]\n"                                                            \
	     "close                     6 samples [usec] 1 2 3\n"

static void put(struct fixture *f, const char *dir, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	sysroot_make(f->root, path, text);
}

static bool there(struct fixture *f, const char *name)
{
	struct set *set = setdb_find(f->env.sets, name);

	set_put(set);
	return set;
}

static void check_text(struct fixture *f, const char *name, const char *want)
{
	const char *text;
	size_t len = value_text(value(f, name), &text);

	if (len != strlen(want) || memcmp(text, want, len))
		fail_msg("%s: %.*s, not %s", name, (int)len, text, want);
}

static void check_s64(struct fixture *f, const char *name, int64_t want)
{
	if (value_s64(value(f, name), 0) != want)
		fail_msg("%s: %lld, not %lld", name, (long long)value_s64(value(f, name), 0), (long long)want);
}

/* -- lustre_client ------------------------------------------------------------------------------------------------- */

#define A DEBUG "/llite/scratch-ffff8881234"
#define B DEBUG "/llite/a-b-ffff99"

static void test_client(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "lustre_client", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, DEBUG "/llite and " PROC "/llite: cannot be opened"));
	put(f, A, "stats", STATS);
	config(f, "lustre_client", "");
	sample(f, "node-1/scratch-ffff8881234");
	check_digest(f, "lustre_client", "0ABA9C81823F81730CE88F05BE591C9FABEF114F06444ECDEBC3C0999E4F0C0F");
	check_u64(f, "component_id", 7);
	check_text(f, "fs_name", "scratch");
	check_text(f, "llite", "scratch-ffff8881234");
	check_u64(f, "read_bytes.sum", 12345678);
	check_u64(f, "write_bytes.sum", 777);
	check_u64(f, "open", 5);
	check_u64(f, "close", 6);
	check_u64(f, "inode_permission", 0);

	/* another mount, with the old place still looked at for nothing */
	put(f, B, "stats", STATS);
	put(f, PROC "/llite/c-1", "stats", STATS);
	put(f, A, "stats",
	    HEAD "read_bytes                1000 samples [bytes] 1 2 3 4\nopen 6 samples [regs]\nclose 6 samples "
		 "[usec] 9 9 9\n"
		 "ioctl 8 samples [reqs]\n");
	sample(f, "node-1/a-b-ffff99");
	check_text(f, "fs_name", "a-b");
	look(f, "node-1/scratch-ffff8881234");
	check_u64(f, "read_bytes.sum", 3);
	check_u64(f, "write_bytes.sum", 0); /* cleared */
	check_u64(f, "open", 6);
	check_u64(f, "ioctl", 8);
	assert_false(there(f, "node-1/c-1"));

	/* one goes, then all */
	sysroot_del_tree(f->root, A);
	sample(f, "node-1/a-b-ffff99");
	assert_false(there(f, "node-1/scratch-ffff8881234"));
	assert_int_equal(status(f).errors, 0);
	sysroot_del_tree(f->root, DEBUG);
	sysroot_del_tree(f->root, PROC);
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
	assert_int_equal(setdb_count(f->env.sets), 0);
	put(f, B, "stats", STATS);
	sample(f, "node-1/a-b-ffff99");
	check_u64(f, "open", 5);
	assert_false(status(f).degraded);
}

static void test_client_extras(void **state)
{
	static const struct {
		const char *attrs, *schema;
		uint32_t card;
	} rows[] = {
		{ "extra215=1", "lustre_client_1", 3 + 37 + 15 },
		{ "extratimes=1", "lustre_client_2", 3 + 37 + 2 },
		{ "extra215=1 extratimes=true", "lustre_client_3", 3 + 37 + 17 },
		{ "extra215=0 schema=mine", "mine", 3 + 37 },
	};
	struct fixture *f = *state;
	struct err err;

	put(f, "/elsewhere/x-1", "stats",
	    HEAD "start_time                1689999000.5 secs.nsecs\nelapsed_time              1000.123 secs.nsecs\n"
		 "read 3 samples [usecs] 1 2 3 4\nhybrid_read_bytes 3 samples [bytes] 1 2 44 4\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *conf = xasprintf("%s test_path=/elsewhere", rows[i].attrs);

		config(f, "lustre_client", conf);
		free(conf);
		sample(f, "node-1/x-1");
		assert_string_equal(image_schema(f->sn->im.meta), rows[i].schema);
		assert_int_equal(image_card(f->sn->im.meta), rows[i].card);
		if (strstr(rows[i].attrs, "215=1")) {
			check_u64(f, "read", 3);
			check_u64(f, "hybrid_read_bytes.sum", 44);
		}
		if (strstr(rows[i].attrs, "times")) {
			check_u64(f, "start_time", 1689999000);
			check_u64(f, "elapsed_time", 1000);
			put(f, "/elsewhere/x-1", "stats",
			    HEAD "start_time 1689999000.5 secs.nsecs\nelapsed_time 1001.1 secs.nsecs\n");
			sample(f, "node-1/x-1");
			check_u64(f, "elapsed_time", 1001);
			put(f, "/elsewhere/x-1", "stats",
			    HEAD "start_time 1689999000.5 secs.nsecs\nelapsed_time 1000.1 secs.nsecs\n"
				 "read 3 samples [usecs] 1 2 3 4\nhybrid_read_bytes 3 samples [bytes] 1 2 44 4\n");
		}
		stop(f);
	}
	assert_int_equal(try_config(f, "lustre_client", "extra215=maybe", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "extra215=: "));
}

/* Whatever stands in a line, and however it changes, is as a full look at the new file would find it. */
static void test_odd_lines(void **state)
{
	static const struct {
		const char *text;
		uint64_t open, close, read;
	} rows[] = {
		{ "open 5 samples [regs]\n", 5, 0, 0 },
		{ "open 55 samples [regs]\n", 55, 0, 0 },
		{ "open 5 samples [usec] 1 2 3\n", 5, 0, 0 },
		{ "open 6 samples [usec] 1 2 3 4\nclose", 6, 0, 0 },
		{ "close 7\nread_bytes 3 samples [bytes] 1 2 9\n", 0, 7, 9 },
		{ "close 8\nread_bytes 3 samples [bytes] 1 2 10 11\n", 0, 8, 10 },
		{ "close 8\nread_bytes 3 samples [bytes]\n", 0, 8, 0 },
		{ "close 8\nread_bytes 3 samples [bytes] 1 2 12", 0, 8, 12 },
		{ "close 8\nread_bytes 3 samples [bytes] 1 2 -12\n", 0, 8, -12ull },
		{ "close 8\nread_bytes 3 samples [bytes] 1 2 -13\n", 0, 8, -13ull },
		{ "close 8\nread_bytes 3 samples [bytes] 1 2 13\n", 0, 8, 13 },
		{ "closet 8\nread_bytes x\nopen 9\n", 9, 0, 0 },
		{ "open 9\nopen 10\n", 10, 0, 0 },
		{ "", 0, 0, 0 },
	};
	struct fixture *f = *state;
	char text[512];
	struct err err;

	put(f, A, "stats", HEAD);
	config(f, "lustre_client", "");
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		size_t k = i * 5 % (sizeof(rows) / sizeof(*rows));

		snprintf(text, sizeof(text), "%s%s", HEAD, rows[k].text);
		put(f, A, "stats", text);
		for (int again = 0; again < 2; again++) {
			sample(f, "node-1/scratch-ffff8881234");
			check_u64(f, "open", rows[k].open);
			check_u64(f, "close", rows[k].close);
			check_u64(f, "read_bytes.sum", rows[k].read);
		}
	}
	put(f, A, "stats", "open 5 samples [regs]\n");
	put(f, B, "stats", STATS);
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, A "/stats: does not begin with snapshot_time"));
	look(f, "node-1/a-b-ffff99"); /* the others go on */
	check_u64(f, "open", 5);
	assert_true(status(f).degraded);
}

/* -- lustre2_client ------------------------------------------------------------------------------------------------ */

static void test_client2(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "lustre2_client", "required=true", &err), -ENOENT);
	put(f, A, "stats", STATS);
	put(f, B, "stats", STATS);
	put(f, DEBUG "/osc/s-OST0000-osc-ff1", "stats", HEAD "req_waittime 100 samples [usec] 1 50 1000 20000\n");
	put(f, DEBUG "/mdc/s-MDT0000-mdc-ff1", "stats", HEAD "mds_close 3 samples [usec] 1 50 1000 20000\n");
	assert_int_equal(try_config(f, "lustre2_client", "required=true llite=nosuch", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "nothing of that name is there"));
	config(f, "lustre2_client", "llite=scratch,c osc=* mdc=s-MDT0000-mdc");
	sample(f, "node-1/lustre2_client");
	assert_string_equal(image_schema(f->sn->im.meta), "Lustre_Client");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 103 + 103 + 35 + 2);
	check_u64(f, "client.status#llite.scratch-ffff8881234", 1);
	check_u64(f, "client.read_bytes#llite.scratch-ffff8881234", 12345678);
	check_u64(f, "client.open#llite.scratch-ffff8881234", 5);
	check_u64(f, "client.close#llite.scratch-ffff8881234", 3);
	check_u64(f, "client.req_waittime#osc.s-OST0000-osc-ff1", 1000);
	check_u64(f, "client.mds_close#mdc.s-MDT0000-mdc-ff1", 1000);
	assert_int_equal(value(f, "client.read_bytes.rate#llite.scratch-ffff8881234").type, V_F32);
	assert_true(value_d64(value(f, "client.read_bytes.rate#llite.scratch-ffff8881234"), 0) == 0);
	put(f, A, "stats", HEAD "read_bytes 11 samples [bytes] 1 2 12345679\n");
	sample(f, "node-1/lustre2_client");
	assert_true(value_d64(value(f, "client.read_bytes.rate#llite.scratch-ffff8881234"), 0) > 0);
	check_u64(f, "client.open#llite.scratch-ffff8881234", 0);

	/* a file that cannot be read; then its mount goes, and another comes */
	put(f, A, "stats", "");
	assert_int_equal(samp_once(f->sp, &err), -ENODATA);
	look(f, "node-1/lustre2_client");
	check_u64(f, "client.status#llite.scratch-ffff8881234", 0);
	check_u64(f, "client.status#osc.s-OST0000-osc-ff1", 1);
	sysroot_del_tree(f->root, A);
	put(f, DEBUG "/llite/c-ff", "stats", STATS);
	sample(f, "node-1/lustre2_client");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 103 + 103 + 35 + 2);
	check_u64(f, "client.open#llite.c-ff", 5);
	sysroot_del_tree(f->root, DEBUG);
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
}

/* -- lustre_mdc ---------------------------------------------------------------------------------------------------- */

#define MDC  "/mdc/scratch-MDT0000-mdc-ffff888"
#define NAME "node-1/scratch-MDT0000-mdc-ffff888"

static void test_mdc(void **state)
{
	struct fixture *f = *state;
	struct err err;
	char *text;

	put(f, PROC MDC, "md_stats", HEAD "close 7 samples [reqs]\ncreate 8 samples [usecs] 1 2 3 4\n");
	config(f, "lustre_mdc", "");
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "mdc_timing=1: "));
	put(f, DEBUG MDC, "stats", HEAD "req_waittime 100 samples [usec] 1 50 1000 20000\n");
	sample(f, NAME);
	check_digest(f, "lustre_mdc_ops_timing", "9E86D8F6059EB047DBCD280032F8992C4B07B275CE7E63520D859C2905927BF6");
	check_text(f, "fs_name", "scratch");
	check_text(f, "mdc", "scratch-MDT0000");
	check_s64(f, "close", 7);
	check_s64(f, "create", 8); /* 0 in ldmsd */
	check_s64(f, "req_waittime__count", 100);
	check_s64(f, "req_waittime__min", 1);
	check_s64(f, "req_waittime__max", 50);
	check_s64(f, "req_waittime__sum", 1000);
	check_s64(f, "req_waittime__sumsqs", 20000);
	assert_int_equal(value_u64(value(f, "last_reset"), 0), 0);

	/* an overflow clears both files, once it was sampled */
	put(f, DEBUG MDC, "stats", HEAD "req_waittime 100 samples [usec] 1 50 1000 -20000\n");
	sample(f, NAME);
	check_s64(f, "req_waittime__sumsqs", -20000);
	assert_true(value_u64(value(f, "last_reset"), 0) > 1000000000);
	text = sysroot_get(f->root, DEBUG MDC "/stats");
	assert_int_equal(strncmp(text, "0\n", 2), 0);
	free(text);
	stop(f);

	put(f, PROC MDC, "md_stats", HEAD "close -7 samples [reqs]\n");
	config(f, "lustre_mdc", "mdc_timing=0 auto_reset=0");
	sample(f, NAME);
	assert_string_equal(image_schema(f->sn->im.meta), "lustre_mdc_ops");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3 + 15);
	text = sysroot_get(f->root, PROC MDC "/md_stats");
	assert_int_equal(strncmp(text, "snap", 4), 0);
	free(text);
}

/* -- targets and jobs ---------------------------------------------------------------------------------------------- */

#define OST PROC "/obdfilter/scratch-OST0001"
#define OSD PROC "/osd-ldiskfs/scratch-OST0001"
#define JOB1                                                                                                           \
	"- job_id:          sleep.1000\n  snapshot_time:   1690000000\n"                                               \
	"  read_bytes:      { samples:           3, unit: bytes, min:    4096, max:    4096, sum:          123456 }\n" \
	"  getattr:         { samples:           3, unit:  reqs }\n"                                                   \
	"  punch:           { samples:           1, unit:  reqs }\n"
#define JOB2                                                                                                           \
	"- job_id:          \"a b\"\n  snapshot_time:   1690000001.5 secs.nsecs\n"                                     \
	"  write_bytes:     { samples: 3, unit: bytes, min: 4096, max: 4096, sum: 6, sumsq: 9 }\n"

static uint64_t generation(struct fixture *f, const char *name)
{
	struct set *set = setdb_find(f->env.sets, name);
	uint64_t gn = set_gn(set);

	set_put(set);
	return gn;
}

static void test_ost(void **state)
{
	static const char *const space[] = { "filesfree", "filestotal", "kbytesavail", "kbytesfree", "kbytestotal" };
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "lustre_ost", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "does this server have an OST that is mounted?"));
	put(f, OST, "stats", STATS "setattr 3 samples [reqs]\nstatfs 9 samples [usecs] 1 2 3 4\n");
	config(f, "lustre_ost", "");
	sample(f, "node-1/scratch-OST0001");
	check_digest(f, "lustre_ost", "7D3D68CBDCA1DFAF6364C6A6336FDB78927B3D7CADD857C84D2FD46375CB2E5C");
	check_u64(f, "component_id", 7);
	check_text(f, "fs_name", "scratch");
	check_u64(f, "read_bytes.sum", 12345678);
	check_u64(f, "statfs", 9);
	check_u64(f, "filesfree", 0);
	for (int i = 0; i < 5; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%d\n", 10 + i);
		put(f, OSD, space[i], text);
	}
	sample(f, "node-1/scratch-OST0001");
	for (int i = 0; i < 5; i++)
		check_u64(f, space[i], 10 + (uint64_t)i);
	put(f, OSD, "kbytesfree", "many\n");
	put(f, OST, "stats", STATS "setattr 4 samples [reqs]\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, OSD "/kbytesfree: begins with no number"));
	look(f, "node-1/scratch-OST0001");
	check_u64(f, "setattr", 4);
	check_u64(f, "kbytestotal", 14);
}

#define SLEEP "node-1/scratch-OST0001/sleep.1000"
#define SPACE "node-1/scratch-OST0001/a b"

static void test_ost_jobs(void **state)
{
	struct fixture *f = *state;
	uint64_t gn;

	put(f, OST, "stats", STATS);
	put(f, OST, "job_stats", "job_stats:\n" JOB1 JOB2);
	config(f, "lustre_ost", "");
	sample(f, SLEEP);
	check_digest(f, "lustre_ost_job_stats", "E55284A673C5440CD941706F793D8CC6160D27B5F092518DB78BF046A347A88F");
	check_text(f, "fs_name", "scratch");
	check_text(f, "ost", "scratch-OST0001");
	check_text(f, "job_id", "sleep.1000");
	check_u64(f, "snapshot_time", 1690000000);
	check_u64(f, "read_bytes_sum", 123456);
	check_u64(f, "getattr", 3);
	check_u64(f, "punch", 1);
	look(f, SPACE);
	check_text(f, "job_id", "a b");
	check_u64(f, "snapshot_time", 1690000001);
	check_u64(f, "write_bytes_sum", 6);

	/* a job that did nothing stays as it is; the other has moved by a fraction of a second */
	gn = generation(f, SLEEP);
	put(f, OST, "job_stats",
	    "job_stats:\n" JOB1 "- job_id:          \"a b\"\n  snapshot_time:   1690000001.6 secs.nsecs\n"
	    "  punch:           { samples:           2, unit:  reqs }\n");
	sample(f, SPACE);
	check_u64(f, "punch", 2);
	check_u64(f, "write_bytes_sum", 0);
	assert_true(generation(f, SLEEP) == gn);

	/* names that no set can have, and lines that mean nothing */
	put(f, OST, "job_stats",
	    "job_stats:\n- job_id:          it's \\x07\n  snapshot_time:   5\n  x: {\n  punch:  { samples: 9\n- "
	    "job_id:");
	sample(f, "node-1/scratch-OST0001/it_s _x07");
	check_text(f, "job_id", "it's \\x07");
	check_u64(f, "punch", 9);
	assert_false(there(f, SLEEP));
	assert_false(there(f, SPACE));
	put(f, OST, "job_stats", "");
	sample(f, "node-1/scratch-OST0001");
	assert_int_equal(setdb_count(f->env.sets), 1);
	assert_int_equal(status(f).errors, 0);
	put(f, OST, "job_stats", "job_stats:\n" JOB1);
	sample(f, SLEEP);
	sysroot_del_tree(f->root, OST); /* with its jobs */
	assert_int_equal(samp_once(f->sp, NULL), 0);
	assert_int_equal(setdb_count(f->env.sets), 0);
}

/* As long as many jobs make it. */
static void test_many_jobs(void **state)
{
	struct fixture *f = *state;
	char *text = xstrdup("job_stats:\n");

	for (int i = 0; i < 300; i++) {
		char *longer = xasprintf("%s- job_id: job.%d\n  snapshot_time:   %d\n"
					 "  getattr:         { samples:           %d, unit:  reqs }\n",
					 text, i, 1 + i, i);

		free(text);
		text = longer;
	}
	put(f, OST, "stats", STATS);
	put(f, OST, "job_stats", text);
	free(text);
	config(f, "lustre_ost", "");
	sample(f, "node-1/scratch-OST0001/job.299");
	check_u64(f, "getattr", 299);
	assert_int_equal(setdb_count(f->env.sets), 301);
}

static void test_mdt(void **state)
{
	struct fixture *f = *state;

	put(f, PROC "/mdt/scratch-MDT0000", "md_stats",
	    HEAD "open 20 samples [reqs]\nclose 19 samples [usecs] 1 9 90 999\nmknod 1 samples [usecs] 5 5 5 25\n"
		 "crossdir_rename 2 samples [reqs]\n");
	put(f, PROC "/mdt/scratch-MDT0000", "job_stats",
	    "job_stats:\n- job_id:          cp.0\n  snapshot_time:   1690000000\n"
	    "  open:            { samples:          10, unit:  reqs }\n"
	    "  read_bytes:      { samples: 1, unit: bytes, min: 8, max: 8, sum: 8 }\n");
	put(f, "/sys/fs/lustre/osd-zfs/scratch-MDT0000", "filesfree", "5\n");
	for (int i = 0; i < 4; i++)
		put(f, "/sys/fs/lustre/osd-zfs/scratch-MDT0000",
		    (const char *const[]){ "filestotal", "kbytesavail", "kbytesfree", "kbytestotal" }[i], "6\n");
	config(f, "lustre_mdt", "");
	sample(f, "node-1/scratch-MDT0000");
	assert_string_equal(image_schema(f->sn->im.meta), "lustre_mdt");
	check_text(f, "mdt", "scratch-MDT0000");
	check_u64(f, "open", 20);
	check_u64(f, "close", 19);
	check_u64(f, "close.sum", 90);
	check_u64(f, "mknod.sum", 5);
	check_u64(f, "crossdir_rename", 2);
	check_u64(f, "filesfree", 5);
	check_u64(f, "kbytestotal", 6);
	look(f, "node-1/scratch-MDT0000/cp.0");
	check_u64(f, "open", 10);
	check_u64(f, "read_bytes_sum", 8);
}

/* -- lnet_stats ---------------------------------------------------------------------------------------------------- */

static void test_lnet(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "lnet_stats", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/sys/kernel/debug/lnet/stats: cannot be opened"));
	put(f, "/proc/sys/lnet", "stats", "1 2 3 4 5 6 7 8 9 10 11\n");
	config(f, "lnet_stats", "");
	sample(f, "node-1/lnet_stats");
	check_digest(f, "lnet_stats", "E759F5A52DEC7C8819AB0922F1DBDCA603857E0D042C777F2706FFAD50C1F704");
	check_u64(f, "msgs_alloc", 1);
	check_u64(f, "drop_length", 11);
	put(f, "/proc/sys/lnet", "stats", "1 2 3\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "has 3 numbers, not 11"));
	stop(f);
	put(f, "/sys/kernel/debug/lnet", "stats", "21 2 3 4 5 6 7 8 9 10 11\n");
	config(f, "lnet_stats", "");
	sample(f, "node-1/lnet_stats");
	check_u64(f, "msgs_alloc", 21);
	stop(f);
	put(f, "/x", "y", "31 2 3 4 5 6 7 8 9 10 11\n");
	config(f, "lnet_stats", "file=/x/y");
	sample(f, "node-1/lnet_stats");
	check_u64(f, "msgs_alloc", 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_client), T(test_client_extras), T(test_odd_lines), T(test_client2), T(test_mdc),
		T(test_ost),    T(test_ost_jobs),      T(test_many_jobs), T(test_mdt),     T(test_lnet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
