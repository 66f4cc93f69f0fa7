/* samp_publish.c - what samplers publish; see plugins/samp.h */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/daemon/samp_impl.h"
#include "core/daemon/stream.h"
#include "xprt/bus.h"

static int stream_out(struct samp *sp, const char *name, bool json, const char *text, struct err *err)
{
	const struct stream_msg m = {
		.name = name,
		.type = json ? STREAM_JSON : STREAM_STRING,
		.data = text,
		.len = strlen(text) + 1,
		.uid = geteuid(),
		.gid = getegid(),
	};

	return sp->env->streams ? stream_publish(sp->env->streams, &m, NULL, err) : 0;
}

static int msg_out(struct samp *sp, const char *name, bool json, const char *text, struct err *err)
{
	const struct bus_msg m = {
		.channel = name,
		.type = json ? BUS_JSON : BUS_STRING,
		.data = text,
		.len = (uint32_t)strlen(text) + 1,
		.uid = geteuid(),
		.gid = getegid(),
		.perm = sp->perm,
	};

	return sp->env->bus ? bus_publish(sp->env->bus, &m, err) : 0;
}

int samp_publish(struct samp *sp, enum samp_via via, const char *name, bool json, const char *text, struct err *err)
{
	int rc;

	if (strlen(text) >= UINT32_MAX)
		return err_set(err, -EMSGSIZE, "%s: a message of more than 4 GiB", name);
	pthread_mutex_lock(&sp->lock); /* an orphan must not touch the daemon's objects */
	if (sp->orphan)
		rc = err_set(err, -ECANCELED, "%s: its sampler has been removed", name);
	else
		rc = via == SAMP_STREAM ? stream_out(sp, name, json, text, err) : msg_out(sp, name, json, text, err);
	pthread_mutex_unlock(&sp->lock);
	return rc;
}
