/* ctl_daemon.c - the verbs on the daemon itself */
#include <errno.h>
#include <stdlib.h>

#include "core/base/caps.h"
#include "core/base/kv.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/listener.h"

int ctl_listen(struct ctl *c, struct err *err)
{
	struct kv args = { 0 };
	struct listener_conf conf = {
		.xprt = ctl_text(c, ATTR_XPRT, "sock"),
		.host = ctl_text(c, ATTR_HOST, NULL),
		.port = (unsigned short)ctl_num(c, ATTR_PORT, 411),
		.auth = ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT),
	};
	int rc = ctl_quota(c, &conf.quota, err);

	kv_parse(&args, ctl_text(c, ATTR_STRING, ""));
	conf.auth_args = args.n ? &args : NULL;
	if (!rc)
		rc = listener_add(c->d, &conf, err);
	kv_fini(&args);
	if (rc)
		c->d->listen_failed = true;
	return rc == -EACCES ? confine_blame(c->d->confine, rc, err) : rc;
}

int ctl_listen_del(struct ctl *c, struct err *err)
{
	char name[64];

	snprintf(name, sizeof(name), "%.32s:%lld", ctl_text(c, ATTR_XPRT, "sock"), (long long)ctl_num(c, ATTR_PORT, 0));
	if (!c->itself && node_find(c->d->listeners, name) && HASH_COUNT(c->d->listeners) == 1)
		return err_set(err, -EBUSY,
			       "listen %s: it is the last port: nobody could reach this daemon any more; open another "
			       "one first",
			       name);
	return listener_shut(c->d, name, err);
}

int ctl_env_put(const char *text, struct err *err)
{
	struct kv kv = { 0 };
	int rc = 0;

	kv_parse(&kv, text);
	for (size_t i = 0; i < kv.n && !rc; i++)
		if (!kv.v[i].value || setenv(kv.v[i].key, kv.v[i].value, 1))
			rc = err_set(err, -EINVAL, "env: '%s' is no NAME=VALUE", kv.v[i].key);
	kv_fini(&kv);
	return rc;
}

int ctl_env(struct ctl *c, struct err *err)
{
	if (!ctl_has(c, ATTR_STRING))
		return err_set(err, -EINVAL, "No environment names/values are given.");
	return ctl_env_put(ctl_text(c, ATTR_STRING, ""), err);
}

int ctl_daemon_name(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, "");
	struct daemon *d = c->d;

	if (d->name_fixed) {
		log_error("config", "the name was already set to '%s' on the command line; '%s' is ignored", d->name,
			  name);
		return 0;
	}
	if (d->ready || d->samps)
		return err_set(err, -EBUSY, "daemon_name: the name is in use; set it before the first load");
	free(d->name);
	d->name = xstrdup(name);
	d->samp.producer = d->name;
	return 0;
}

int ctl_memory(struct ctl *c, struct err *err)
{
	const uint64_t bytes = (uint64_t)ctl_num(c, ATTR_SIZE, 0);

	(void)err;
	if (c->d->mem_fixed)
		log_error("config",
			  "the ceiling of set memory was already set on the command line; %llu bytes are ignored",
			  (unsigned long long)bytes);
	else
		pool_ceiling_set(c->d->pool, bytes);
	return 0;
}

int ctl_pid_file(struct ctl *c, struct err *err)
{
	const char *path = ctl_text(c, ATTR_PATH, "");

	if (c->d->ready)
		return err_set(err, -EBUSY,
			       "pid_file: %s: it is written when the daemon starts; set it in a configuration file",
			       path);
	if (c->d->pid_file) {
		log_error("config", "the pid file was already set to '%s'; '%s' is ignored", c->d->pid_file, path);
		return 0;
	}
	c->d->pid_file = xstrdup(path);
	return 0;
}

/* -- option: settings written as ldmsd's command line has them -------------------------------------------------------- */

#define AUTH_LETTER     "-a"
#define AUTH_NAME       "--default_auth"
#define AUTH_ARG_LETTER "-A"
#define AUTH_ARG_NAME   "--default_auth_args"

/* The method takes all of its arguments at once, wherever they stand. */
static int option_auth(struct ctl *c, const char *value, struct err *err)
{
	struct kv kv = { 0 }, args = { 0 };
	int rc;

	kv_parse(&kv, ctl_text(c, ATTR_STRING, ""));
	for (size_t i = 0; i < kv.n; i++) {
		if (strcmp(kv.v[i].key, AUTH_ARG_LETTER) && strcmp(kv.v[i].key, AUTH_ARG_NAME))
			continue;
		if (kv.v[i].value)
			kv_parse(&args, kv.v[i].value);
		else if (++i < kv.n)
			kv_add(&args, kv.v[i].key, kv.v[i].value ? kv.v[i].value : "");
	}
	rc = auth_default_set(c->d, value, &args, err);
	kv_fini(&kv);
	kv_fini(&args);
	return rc;
}

/* Taken with -a. */
static int option_auth_arg(struct ctl *c, const char *value, struct err *err)
{
	struct kv kv = { 0 };
	bool there;

	(void)value;
	kv_parse(&kv, ctl_text(c, ATTR_STRING, ""));
	there = kv_has(&kv, AUTH_LETTER) || kv_has(&kv, AUTH_NAME);
	kv_fini(&kv);
	return there ? 0 : err_set(err, -EINVAL, "option: " AUTH_ARG_LETTER " wants -a METHOD in the same line");
}

static int option_ignored(struct ctl *c, const char *value, struct err *err)
{
	(void)c;
	(void)value;
	(void)err;
	return 0;
}

static int option_xprt(struct ctl *c, const char *value, struct err *err)
{
	(void)c;
	(void)value;
	return err_set(err, -EINVAL,
		       "The 'option' command does not support 'x' or 'xprt'. Use the 'listen' command instead.");
}

static int option_log_config(struct ctl *c, const char *value, struct err *err)
{
	(void)c;
	return err_set(err, -ENOSYS, "option: -L %s: not supported by ldms: log_level=DEBUG has requests in the log",
		       value);
}

/* Most are another way to write a verb. */
static const struct option_row {
	const char *letter, *name;
	const char *verb; /* with this one attribute, or NULL */
	enum attr_id attr;
	int (*set)(struct ctl *c, const char *value, struct err *err);
} options[] = {
	{ AUTH_ARG_LETTER, AUTH_ARG_NAME, NULL, 0, option_auth_arg },
	{ AUTH_LETTER, AUTH_NAME, NULL, 0, option_auth },
	{ "-B", "--banner", "banner", ATTR_LEVEL, NULL },
	{ "-C", "--default_quota", "default_quota", ATTR_QUOTA, NULL },
	{ "-c", "--config", NULL, 0, option_ignored }, /* as ldmsd does */
	{ "-k", "--publish_kernel", "publish_kernel", ATTR_PATH, NULL },
	{ "-L", "--log_config", NULL, 0, option_log_config },
	{ "-l", "--log_file", "log_file", ATTR_PATH, NULL },
	{ "-m", "--set_memory", "memory", ATTR_SIZE, NULL },
	{ "-n", "--daemon_name", "daemon_name", ATTR_NAME, NULL },
	{ "-P", "--worker_threads", "worker_threads", ATTR_SIZE, NULL },
	{ "-r", "--pid_file", "pid_file", ATTR_PATH, NULL },
	{ "-s", "--kernel_file", "publish_kernel", ATTR_PATH, NULL },
	{ "-v", "--log_level", "log_level", ATTR_LEVEL, NULL },
	{ "-x", "--xprt", NULL, 0, option_xprt },
};

static int option_set(struct ctl *c, const struct option_row *o, const char *value, struct err *err)
{
	struct ctl verb = {
		.d = c->d, .uid = c->uid, .gid = c->gid, .from = c->from, .run = c->run, .trial = c->trial
	};
	const struct ctl_arg arg = { .id = o->attr, .value = value };
	int rc;

	if (!value)
		return err_set(err, -EINVAL, "option: %s wants a value", o->name);
	if (!o->verb)
		return o->set(c, value, err);
	rc = ctl_run(&verb, verb_find(o->verb), &arg, 1, err);
	ctl_fini(&verb);
	return rc;
}

int ctl_option(struct ctl *c, struct err *err)
{
	struct kv kv = { 0 };
	int rc = 0;

	if (!ctl_has(c, ATTR_STRING))
		return err_set(err, -EINVAL, "No options are given.");
	kv_parse(&kv, ctl_text(c, ATTR_STRING, ""));
	for (size_t i = 0; i < kv.n && !rc; i++) {
		const char *value = kv.v[i].value; /* --name=value, or the next word */
		const struct option_row *o = NULL;

		for (size_t k = 0; k < sizeof(options) / sizeof(*options); k++)
			if (!strcmp(kv.v[i].key, options[k].letter) || !strcmp(kv.v[i].key, options[k].name))
				o = &options[k];
		if (!o) {
			rc = err_set(err, -ENOENT,
				     "Unknown cmd-line option or it must be given at the command line: %s\n",
				     kv.v[i].key);
			break;
		}
		if (!value && i + 1 < kv.n)
			value = kv.v[++i].key;
		rc = option_set(c, o, value, err);
	}
	kv_fini(&kv);
	return rc;
}

/* -- questions ---------------------------------------------------------------------------------------------------------- */

/* Who the daemon is, where that is not who started it with all its rights. */
static void put_confined(struct buf *b, const struct confine *c)
{
	char user[CAPS_TEXT_MAX], caps[CAPS_TEXT_MAX], sandbox[CAPS_TEXT_MAX];

	confine_status(c, user, caps, sandbox);
	buf_addf(b, ",\"user\":");
	reply_string(b, user);
	buf_addf(b, ",\"caps\":\"%s\",\"sandbox\":\"%s\"", caps, sandbox);
}

/* How late samples begin, when there are any. */
static void put_late(struct buf *b, const struct daemon *d)
{
	struct samp_lateness late = { 0 };

	if (d->samp.sched)
		samp_sched_lateness(d->samp.sched, &late);
	if (late.n)
		buf_addf(b,
			 ",\"samples\":{\"count\":%llu,\"late_p50_us\":%llu,\"late_p99_us\":%llu,"
			 "\"late_max_us\":%llu}",
			 (unsigned long long)late.n, (unsigned long long)late.p50_us, (unsigned long long)late.p99_us,
			 (unsigned long long)late.max_us);
}

int ctl_daemon_status(struct ctl *c, struct err *err)
{
	struct buf refused = { 0 };

	(void)err;
	c->json = true;
	/* where there is nothing more to say, it is ldmsd's answer to the byte */
	buf_addf(&c->reply, "{\"state\":\"%s\"", c->d->ready ? "ready" : "starting");
	if (c->d->confine)
		put_confined(&c->reply, c->d->confine);
	put_late(&c->reply, c->d);
	if (ctl_put_refused(&refused, &c->d->xprt))
		buf_addf(&c->reply, ",\"refused\":%s", buf_str(&refused));
	if (ctl_has(c, ATTR_STRING)) {
		buf_addf(&c->reply, ",\n\"thread_stats\":");
		ctl_put_threads(&c->reply, c->d);
		buf_addf(&c->reply, "\n");
	}
	buf_addf(&c->reply, "}");
	buf_fini(&refused);
	return 0;
}

int ctl_version(struct ctl *c, struct err *err)
{
	(void)err;
	buf_addf(&c->reply,
		 "{ \"LDMSD Version\":\"4.5.3\",  \"LDMS Protocol Version\": \"4.2.0.0\",  \"LDMSD Plugin Interface "
		 "Version\": \"3.2.2.0\",  \"git-SHA\": \"ldms-%s\"}",
		 LDMS_VERSION);
	return 0;
}

int ctl_config_count(struct ctl *c, struct err *err)
{
	(void)err;
	buf_addf(&c->reply, "%u", atomic_load(&c->d->changes));
	return 0;
}

/* What is not here (VERB_UNSUPPORTED): the row's help says what to use. */
int ctl_unsupported(struct ctl *c, struct err *err)
{
	return ctl_check(c->verb, NULL, 0, err);
}

/* What ldmsd needs and ldms does not: said, and passed over. */
int ctl_needless(struct ctl *c, struct err *err)
{
	(void)err;
	log_warning("config", "%s: has no effect in ldms; the line can go", c->verb->name);
	return 0;
}

int ctl_daemon_exit(struct ctl *c, struct err *err)
{
	(void)err;
	buf_addf(&c->reply, "exit daemon request received");
	loop_stop(c->d->main);
	return 0;
}
