/* ctl_plugin_stat.c - what is answered about instances of samplers and stores */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/ctl_scribe.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/samp.h"
#include "core/daemon/strgp.h"

/* `prefix`: of the plugin's name in ldmsd. */
static void status_one(struct ctl *c, const char *name, const char *prefix, const char *plugin, const char *type,
		       const char *path, const char **sep)
{
	char *full = xasprintf("%s%s", prefix, plugin);

	buf_addf(&c->reply, "%s{\"name\":", *sep);
	reply_string(&c->reply, name);
	buf_addf(&c->reply, ",\"plugin\":");
	reply_string(&c->reply, full);
	free(full);
	buf_addf(&c->reply, ",\"type\":\"%s[M]\",\"libpath\":", type);
	reply_string(&c->reply, path ? path : "built in");
	*sep = ",\n";
}

static void put_counts(struct buf *b, const struct samp_status *st)
{
	buf_addf(b, ",\"late_p50_us\":%llu,\"late_p99_us\":%llu,\"late_max_us\":%llu",
		 (unsigned long long)st->late.p50_us, (unsigned long long)st->late.p99_us,
		 (unsigned long long)st->late.max_us);
	buf_addf(b, ",\"messages\":%llu,\"message_errors\":%llu,\"messages_lost\":%llu", (unsigned long long)st->msgs,
		 (unsigned long long)st->msg_errors, (unsigned long long)st->msg_lost);
}

int ctl_plugn_status(struct ctl *c, struct err *err)
{
	static const char *const states[] = { "LOADED", "CONFIGURED", "RUNNING" };
	const char *sep = "";

	(void)err;
	c->json = true;
	buf_addf(&c->reply, "[");
	node_sort(&c->d->samps);
	NODE_EACH(n, c->d->samps) {
		struct samp *sp = ((struct samp_node *)n)->samp;
		struct samp_status st;

		samp_status(sp, &st);
		status_one(c, n->name, "", samp_type(sp)->name, "sampler", samp_type(sp)->path, &sep);
		buf_addf(&c->reply,
			 ",\"state\":\"%s\",\"degraded\":%s,\"overdue\":%s,\"samples\":%llu,\"errors\":%llu,"
			 "\"missed\":%llu,\"sets\":%u,\"why\":",
			 states[st.state], st.degraded ? "true" : "false", st.overdue ? "true" : "false",
			 (unsigned long long)st.samples, (unsigned long long)st.errors, (unsigned long long)st.missed,
			 st.sets);
		reply_string(&c->reply, st.why);
		if (st.degraded && st.retry_us >= 0)
			buf_addf(&c->reply, ",\"retry_in_us\":%lld", (long long)st.retry_us);
		put_counts(&c->reply, &st);
		buf_addf(&c->reply, "}");
	}
	node_sort(&c->d->stores);
	NODE_EACH(n, c->d->stores) {
		const struct store_type *t = store_type(((struct store_node *)n)->store);

		status_one(c, n->name, t->path ? "" : "store_", t->name, "store", t->path, &sep);
		buf_addf(&c->reply, "}");
	}
	node_sort(&c->d->scribes);
	NODE_EACH(n, c->d->scribes) {
		struct scribe_node *sc = (struct scribe_node *)n;

		status_one(c, n->name, "", scribe_type(sc->scribe)->name, "store", NULL, &sep);
		ctl_scribe_status(c, sc);
		buf_addf(&c->reply, "}");
	}
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- plugn_sets ---------------------------------------------------------------------------------------------------- */

static bool is_asked(const struct ctl *c, const char *name)
{
	return !strcmp(ctl_text(c, ATTR_NAME, name), name);
}

static void sets_one(struct buf *b, struct samp *sp)
{
	unsigned int max = samp_sets(sp, NULL, 0), n;
	struct set **v = xcalloc(max + 1, sizeof(struct set *));

	n = samp_sets(sp, v, max);
	buf_addf(b, "{\"plugin\":");
	reply_string(b, samp_name(sp));
	buf_addf(b, ",\"sets\":[");
	for (unsigned int i = 0; i < n && i < max; i++) {
		buf_addf(b, i ? "," : "");
		reply_string(b, v[i]->name);
		set_put(v[i]);
	}
	buf_addf(b, "]}");
	free(v);
}

int ctl_plugn_sets(struct ctl *c, struct err *err)
{
	const char *sep = "";

	(void)err;
	c->json = true;
	node_sort(&c->d->samps);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->samps) {
		struct samp *sp = ((struct samp_node *)n)->samp;

		if (!is_asked(c, n->name))
			continue;
		buf_addf(&c->reply, "%s", sep);
		sep = ",";
		sets_one(&c->reply, sp);
	}
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- usage --------------------------------------------------------------------------------------------------------- */

static void usage_attr(struct buf *b, const char *name, const char *dflt, const char *help)
{
	buf_addf(b, "    %-16s %s", name, help);
	if (dflt)
		buf_addf(b, " (default: %s)", dflt);
	buf_addf(b, "\n");
}

static void usage_head(struct buf *b, const char *name, const char *plugin, const char *brief)
{
	buf_addf(b, "%s\n%s - %s\nconfig name=%s, and of these:\n", name, plugin, brief, name);
}

static void usage_samp(struct buf *b, const char *name, const struct samp_type *type)
{
	usage_head(b, name, type->name, type->brief);
	for (const struct samp_attr *a = samp_common_attrs; a->name; a++)
		usage_attr(b, a->name, a->dflt, a->help);
	for (const struct samp_attr *a = type->attrs; a && a->name; a++)
		usage_attr(b, a->name, a->dflt, a->help);
}

static void usage_store(struct buf *b, const char *name, const struct store_type *type)
{
	usage_head(b, name, type->name, type->brief);
	for (const struct store_attr *a = type->attrs; a && a->name; a++)
		usage_attr(b, a->name, a->dflt, a->help);
}

static void usage_scribe(struct buf *b, const char *name, const struct scribe_type *type)
{
	usage_head(b, name, type->name, type->brief);
	for (const struct store_attr *a = type->attrs; a->name; a++)
		usage_attr(b, a->name, a->dflt, a->help);
	for (const struct store_attr *a = scribe_common_attrs; a->name; a++)
		usage_attr(b, a->name, a->dflt, a->help);
}

int ctl_usage(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);

	if (name && !node_find(c->d->samps, name) && !node_find(c->d->stores, name) && !ctl_scribe_find(c, name))
		return err_set(err, -ENOENT, "Plugin '%s' not loaded.", name);
	node_sort(&c->d->samps);
	node_sort(&c->d->stores);
	NODE_EACH(n, c->d->samps) {
		if (is_asked(c, n->name))
			usage_samp(&c->reply, n->name, samp_type(((struct samp_node *)n)->samp));
	}
	NODE_EACH(n, c->d->stores) {
		if (is_asked(c, n->name))
			usage_store(&c->reply, n->name, store_type(((struct store_node *)n)->store));
	}
	node_sort(&c->d->scribes);
	NODE_EACH(n, c->d->scribes) {
		if (is_asked(c, n->name))
			usage_scribe(&c->reply, n->name, scribe_type(((struct scribe_node *)n)->scribe));
	}
	return 0;
}
