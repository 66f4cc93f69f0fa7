/* daemons_slurm.c - Slurm in a cluster: its configuration on every node, and nodes that are ready for jobs */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/cluster/daemon_rec.h"
#include "core/cluster/daemons_impl.h"

#define SLURM_DIR "/run/slurm"
#define CTLD_PORT 6817

static const struct spec_daemon *slurmd_of(const struct spec_node *n)
{
	for (size_t i = 0; i < n->n_daemons; i++)
		if (n->daemons[i].type == SPEC_SLURMD)
			return &n->daemons[i];
	return NULL;
}

/* Commands want it on every node, also where no daemon of Slurm runs. */
static int conf_write(struct daemons *ds, size_t node, struct err *err)
{
	const struct spec_daemon *slurmd = slurmd_of(&ds->spec->nodes[node]);
	struct buf conf = { 0 }, plugins = { 0 };
	int rc;

	spec_slurm_conf(ds->spec, &conf);
	rc = daemon_file_write(ds, node, SPEC_SLURM_CONF, 0644, &conf, err);
	if (!rc && slurmd && slurmd->plugstack) {
		buf_addf(&plugins, "%s", slurmd->plugstack);
		rc = daemon_file_write(ds, node, SLURM_DIR "/plugstack.conf", 0644, &plugins, err);
	}
	buf_fini(&conf);
	buf_fini(&plugins);
	return rc;
}

int slurm_prepare(struct daemons *ds, const struct job *j, struct err *err)
{
	const char *dir = j->d->type == SPEC_SLURMD ? SLURM_DIR "/d" : SLURM_DIR "/ctld";
	int rc;

	if (ds->c->user)
		return err_set(
			err, -EPERM,
			"node %s: %s: Slurm takes on the user of each job, which may not be in a cluster that was "
			"made without root; make it as root",
			j->sn->name, j->d->name);
	rc = daemon_dir_make(ds, j->node, dir, 0755, err);
	if (rc || j->d->type == SPEC_SLURMD)
		return rc ? rc : conf_write(ds, j->node, err);
	for (size_t i = 0; i < ds->spec->n_nodes && !rc; i++)
		rc = conf_write(ds, i, err);
	return rc;
}

void slurmctld_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	words_add(argv, "slurmctld");
	words_add(argv, "-D");
	words_add(argv, "-f");
	words_add(argv, SPEC_SLURM_CONF);
}

void slurmd_command(const struct daemons *ds, const struct job *j, struct spec_words *argv, struct kv *env)
{
	words_add(argv, "slurmd");
	words_add(argv, "-D");
	words_add(argv, "-f");
	words_add(argv, SPEC_SLURM_CONF);
}

/* All nodes' states are asked for at once, and once for all that are awaited. */
static const char *states(struct daemons *ds)
{
	char *const argv[] = { "sinfo", "-h", "-N", "-o", "%N %t", NULL };
	size_t head = (size_t)(spec_slurm_head(ds->spec) - ds->spec->nodes);
	struct buf b = { 0 };

	if (!ds->slurm_states) {
		if (node_ask(ds, head, argv, &b, NULL))
			buf_reset(&b);
		ds->slurm_states = xstrndup(buf_str(&b), b.len);
		buf_fini(&b);
	}
	return ds->slurm_states;
}

/* What sinfo says of a node, "idle" or "unk*"; nothing when it does not know it.  Yours. */
static char *state_of(struct daemons *ds, const char *node)
{
	size_t len = strlen(node);
	const char *p = states(ds);

	while (p && (strncmp(p, node, len) || p[len] != ' ')) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return p ? xstrndup(p + len + 1, strcspn(p + len + 1, "\n")) : xstrdup("nothing");
}

static bool is_running(const struct daemons *ds, size_t node, const char *name)
{
	bool running = false;
	size_t n;
	struct daemon_rec *recs = daemon_rec_list(ds->c, node, &n);

	for (size_t i = 0; i < n; i++)
		running |= !strcmp(recs[i].name, name) && daemon_rec_alive(&recs[i]);
	daemon_rec_free(recs, n);
	return running;
}

/* One that comes back has to find the nodes that are there. */
bool slurmctld_is_up(struct daemons *ds, const struct job *j, char **ret_what)
{
	static const unsigned short port = CTLD_PORT;
	unsigned short missing;
	bool up = ports_listen(ds->c, j->node, j->pid, &port, 1, &missing);

	if (!up)
		*ret_what = xasprintf("to listen on port %u", missing);
	for (size_t i = 0; i < ds->spec->n_nodes && up; i++) {
		const struct spec_daemon *slurmd = slurmd_of(&ds->spec->nodes[i]);
		char *state = slurmd && is_running(ds, i, slurmd->name) ? state_of(ds, ds->spec->nodes[i].name) : NULL;

		/* "unk*" is one that it could not find, "unk" one that it has not looked for */
		up = !state || (strcmp(state, "unk") && strcmp(state, "nothing"));
		if (!up)
			*ret_what = xasprintf("to find node %s", ds->spec->nodes[i].name);
		free(state);
	}
	return up;
}

bool slurmd_is_up(struct daemons *ds, const struct job *j, char **ret_what)
{
	static const char *const good[] = { "idle", "mix", "alloc", "comp" };
	char *state = state_of(ds, j->sn->name);
	bool up = false;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good) && !up; i++)
		up = !strcmp(state, good[i]);
	if (!up)
		*ret_what = xasprintf("to be ready for jobs (sinfo says %s)", state);
	free(state);
	return up;
}
