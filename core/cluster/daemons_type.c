/* daemons_type.c - what is special to munged, etcd and LDMS: their files and command lines, and when they are up */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemons_impl.h"

#define MUNGE_DIR       "/run/munge"
#define MUNGE_SOCKET    MUNGE_DIR "/munge.socket.2" /* where libmunge looks for it */
#define MUNGE_KEY_LEAST 32                          /* bytes; munged takes no shorter key */

#define GRACE_US          (10 * SEC_US)
#define GRACE_ETCD_US     SEC_US /* members that all end at once wait for each other; what they know is on disk */
#define PATIENCE_US       (30 * SEC_US)
#define PATIENCE_SLURM_US (60 * SEC_US) /* three kinds of daemons find each other */

__attribute__((format(printf, 2, 3))) static void words_addf(struct spec_words *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	words_add(w, text);
}

/* -- munged -------------------------------------------------------------------------------------------------------- */

/* A file of a munged's domain. */
static char *munge_file(const struct spec_daemon *d, const char *what)
{
	if (!strcmp(what, "sock") && !d->dom)
		return xstrdup(MUNGE_SOCKET);
	return xasprintf(MUNGE_DIR "/%s.%s", d->dom ? d->dom : "munge", what);
}

/* A short key is repeated: these clusters keep no secrets. */
static void key_of_text(const char *text, struct buf *to)
{
	do
		buf_add(to, text, strlen(text));
	while (to->len < MUNGE_KEY_LEAST);
}

static int munged_prepare(struct daemons *ds, const struct job *j, struct err *err)
{
	char *path = munge_file(j->d, "key");
	struct buf key = { 0 };
	int rc = daemon_dir_make(ds, j->node, MUNGE_DIR, 0755, err);

	if (!rc && j->d->key)
		key_of_text(j->d->key, &key);
	else if (!rc)
		rc = munge_key(ds, &key, err);
	if (!rc)
		rc = daemon_file_write(ds, j->node, path, 0400, &key, err);
	buf_fini(&key);
	free(path);
	return rc;
}

/* -f: in a user namespace folders above ours belong to nobody that it knows. */
static void munged_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	static const char *const files[][2] = {
		{ "--key-file", "key" }, { "--socket", "sock" }, { "--pid-file", "pid" }, { "--seed-file", "seed" }
	};

	words_add(argv, "munged");
	words_add(argv, "-F");
	words_add(argv, "-f");
	words_add(argv, "--num-threads=2");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = munge_file(j->d, files[i][1]);

		words_addf(argv, "%s=%s", files[i][0], path);
		free(path);
	}
}

static bool munged_is_up(struct daemons *ds, const struct job *j, char **ret_what)
{
	char *sock = munge_file(j->d, "sock"), *host = daemon_file(ds, j->node, sock);
	char *const argv[] = { "munge", "-n", "-S", sock, NULL };
	bool up = !access(host, F_OK) && !node_ask(ds, j->node, argv, NULL, NULL);

	if (!up)
		*ret_what = xasprintf("to make a credential (%s)", sock);
	free(sock);
	free(host);
	return up;
}

/* -- etcd ---------------------------------------------------------------------------------------------------------- */

#define ETCD_DIR "/run/etcd"

static int etcd_prepare(struct daemons *ds, const struct job *j, struct err *err)
{
	return daemon_dir_make(ds, j->node, ETCD_DIR, 0700, err);
}

/* All members of the cluster's etcd: "a=http://10.77.1.2:2380,..." */
static char *etcd_members(const struct daemons *ds)
{
	struct buf b = { 0 };
	char *text;

	for (size_t i = 0; i < ds->spec->n_nodes; i++)
		for (size_t k = 0; k < ds->spec->nodes[i].n_daemons; k++)
			if (ds->spec->nodes[i].daemons[k].type == SPEC_ETCD)
				buf_addf(&b, "%s%s=http://%s:2380", b.len ? "," : "", ds->spec->nodes[i].name,
					 ds->c->nodes[i].addr);
	text = xstrndup(buf_str(&b), b.len);
	buf_fini(&b);
	return text;
}

static void etcd_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	const struct cluster_node *n = &ds->c->nodes[j->node];
	char *members = etcd_members(ds), *list = xasprintf("--initial-cluster=%s", members);

	words_add(argv, "etcd");
	words_add(argv, "--data-dir=" ETCD_DIR);
	words_addf(argv, "--name=%s", n->name);
	words_add(argv, "--listen-client-urls=http://0.0.0.0:2379");
	words_addf(argv, "--advertise-client-urls=http://%s:2379", n->addr);
	words_add(argv, "--listen-peer-urls=http://0.0.0.0:2380");
	words_addf(argv, "--initial-advertise-peer-urls=http://%s:2380", n->addr);
	words_add(argv, list);
	words_add(argv, "--logger=zap");
	words_add(argv, "--log-outputs=stderr");
	free(list);
	free(members);
}

static bool etcd_is_up(struct daemons *ds, const struct job *j, char **ret_what)
{
	char *const argv[] = { "env",      "ETCDCTL_API=3", "etcdctl", "--endpoints=127.0.0.1:2379",
			       "endpoint", "health",        NULL };
	static const unsigned short port = 2379;
	unsigned short missing;
	bool up = ports_listen(ds->c, j->node, j->pid, &port, 1, &missing) && !node_ask(ds, j->node, argv, NULL, NULL);

	if (!up)
		*ret_what = xstrdup("to be healthy (etcdctl endpoint health)");
	return up;
}

/* -- LDMS ---------------------------------------------------------------------------------------------------------- */

static int ldmsd_prepare(struct daemons *ds, const struct job *j, struct err *err)
{
	char *program = j->d->prefix ? xasprintf("%s/sbin/ldmsd", j->d->prefix) : NULL;
	struct buf text = { 0 };
	int rc = 0;

	if (program && access(program, X_OK))
		rc = err_set(err, -ENOENT,
			     "node %s: %s: there is no %s; correct \"ovis_prefix\", or leave it out to run this ldms "
			     "instead",
			     j->sn->name, j->d->name, program);
	buf_addf(&text, "%s", j->d->conf);
	if (!rc)
		rc = daemon_file_write(ds, j->node, j->d->conf_path, 0644, &text, err);
	buf_fini(&text);
	free(program);
	return rc;
}

/* The first of PREFIX/lib64 and PREFIX/lib that has plugins. */
static void installed_env(const char *prefix, struct kv *env)
{
	char *lib = xasprintf("%s/lib64", prefix), *plugins = xasprintf("%s/ovis-ldms", lib), *path;
	const char *was = getenv("PATH");

	if (access(plugins, F_OK)) {
		free(lib);
		free(plugins);
		lib = xasprintf("%s/lib", prefix);
		plugins = xasprintf("%s/ovis-ldms", lib);
	}
	path = xasprintf("%s/sbin:%s/bin:%s", prefix, prefix, was ? was : "/usr/sbin:/usr/bin:/sbin:/bin");
	kv_add(env, "PATH", path);
	kv_add(env, "LD_LIBRARY_PATH", lib);
	kv_add(env, "ZAP_LIBPATH", plugins);
	kv_add(env, "LDMSD_PLUGIN_LIBPATH", plugins);
	free(path);
	free(lib);
	free(plugins);
}

static void ldmsd_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	const struct spec_daemon *d = j->d;

	if (d->prefix) {
		installed_env(d->prefix, env);
		words_addf(argv, "%s/sbin/ldmsd", d->prefix);
	} else {
		words_add(argv, "ldmsd");
	}
	if (d->xprt) {
		words_add(argv, "-x");
		words_add(argv, d->xprt);
	}
	words_add(argv, "-a");
	words_add(argv, d->auth);
	words_add(argv, "-c");
	words_add(argv, d->conf_path);
	words_add(argv, "-l");
	words_add(argv, d->log);
	words_add(argv, "-v");
	words_add(argv, d->log_level);
}

static int ldms_prepare(struct daemons *ds, const struct job *j, struct err *err)
{
	return 0;
}

static void ldms_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	words_add(argv, "ldms");
	for (size_t i = 0; i < j->d->command.n; i++)
		words_add(argv, j->d->command.v[i]);
}

static bool ldms_is_up(struct daemons *ds, const struct job *j, char **ret_what)
{
	unsigned short missing;
	bool up = ports_listen(ds->c, j->node, j->pid, j->d->ports, j->d->n_ports, &missing);

	if (!up)
		*ret_what = xasprintf("to listen on port %u", missing);
	return up;
}

const struct daemon_type daemon_types[SPEC_TYPES] = {
	[SPEC_MUNGED] = { "munge", GRACE_US, PATIENCE_US, munged_prepare, munged_command, munged_is_up },
	[SPEC_ETCD] = { "etcd-server and etcd-client", GRACE_ETCD_US, PATIENCE_US, etcd_prepare, etcd_command,
			etcd_is_up },
	[SPEC_SLURMCTLD] = { "slurmctld, slurm-client and slurm-wlm-basic-plugins", GRACE_US, PATIENCE_SLURM_US,
			     slurm_prepare, slurmctld_command, slurmctld_is_up },
	[SPEC_SLURMD] = { "slurmd, slurm-client and slurm-wlm-basic-plugins", GRACE_US, PATIENCE_SLURM_US,
			  slurm_prepare, slurmd_command, slurmd_is_up },
	[SPEC_LDMSD] = { NULL, GRACE_US, PATIENCE_US, ldmsd_prepare, ldmsd_command, ldms_is_up },
	[SPEC_LDMS] = { NULL, GRACE_US, PATIENCE_US, ldms_prepare, ldms_command, ldms_is_up },
};
