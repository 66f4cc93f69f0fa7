/* ctl_scribe.c - verbs about instances of stores of messages. */
#include "core/ctl/ctl_scribe.h"

#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/ctl_plugin.h"
#include "core/ctl/reply.h"

struct scribe_node *ctl_scribe_find(struct ctl *c, const char *name)
{
	return node_find(c->d->scribes, name);
}

void ctl_scribe_load(struct ctl *c, const struct scribe_type *type, const char *name)
{
	struct scribe_node *n = xcalloc(1, sizeof(*n));

	n->scribe = scribe_new(&c->d->scribe, type, name);
	n->node.name = xstrdup(name);
	node_add(&c->d->scribes, &n->node);
}

int ctl_scribe_config(struct ctl *c, struct scribe_node *n, const struct kv *attrs, struct err *err)
{
	const struct scribe_type *type = scribe_type(n->scribe);
	int rc = ctl_store_paths(c, n->node.name, type->dir_attr, type->file_attr, attrs, err);

	return rc ? rc : scribe_config(n->scribe, attrs, err);
}

void ctl_scribe_term(struct ctl *c, struct scribe_node *n)
{
	node_del(&c->d->scribes, &n->node);
	scribe_drop(n->scribe);
	free((char *)n->node.name);
	free(n);
}

void ctl_scribe_status(struct ctl *c, struct scribe_node *n)
{
	struct scribe_status st;

	scribe_status(n->scribe, &st);
	buf_addf(&c->reply,
		 ",\"state\":\"%s\",\"messages\":%llu,\"stored\":%llu,\"queued\":%llu,\"dropped\":%llu,"
		 "\"refused\":%llu,\"queued_bytes\":%llu,\"why\":",
		 st.state, (unsigned long long)st.msgs, (unsigned long long)st.stored, (unsigned long long)st.queued,
		 (unsigned long long)st.dropped, (unsigned long long)st.refused, (unsigned long long)st.queued_bytes);
	reply_string(&c->reply, st.why);
	if (st.retry_us > 0)
		buf_addf(&c->reply, ",\"retry_in_us\":%lld", (long long)st.retry_us);
}
