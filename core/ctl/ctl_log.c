/* ctl_log.c - the verbs on the log: how much of it, where it goes.  Words of errors are ldmsd's. */
#include <errno.h>

#include "core/base/log.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"

/* -EINVAL in ldmsd's words for what are no levels; name and regex may be NULL. */
static int levels_set(const char *words, const char *name, const char *regex, struct err *err)
{
	uint32_t mask;
	int rc = log_levels_parse(words, &mask);

	if (rc)
		return err_set(err, rc, "The given level %s is invalid.", words);
	rc = log_levels_set(name, regex, mask);
	if (rc == -ENOENT && regex)
		err_set(err, rc, "The regular expression doesn't match any logs.");
	else if (rc == -ENOENT)
		err_set(err, rc, "The given log %s does not exist.", name);
	else if (rc)
		err_set(err, rc, "The regular expression '%s' is invalid.", regex);
	return rc;
}

/* A line of every level, to see which of them arrive. */
static void levels_try(const char *name)
{
	for (int level = LOG_DEBUG_; level < LOG_QUIET_; level++)
		log_at((enum log_level)level, name, "log_level: a line of level %s",
		       log_level_name((enum log_level)level));
}

int ctl_log_level(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);
	int rc = levels_set(ctl_text(c, ATTR_LEVEL, ""), name, ctl_text(c, ATTR_REGEX, NULL), err);

	if (!rc && ctl_has(c, ATTR_TEST))
		levels_try(name ? name : "ldmsd");
	return rc;
}

int ctl_log_file(struct ctl *c, struct err *err)
{
	return confine_log(c->d->confine, ctl_text(c, ATTR_PATH, ""), err);
}

int ctl_logrotate(struct ctl *c, struct err *err)
{
	(void)c;
	return log_rotate(err);
}

struct status {
	struct buf *b;
	const char *only;
	bool found;
};

/* The default one leads every answer, as ldmsd's does. */
static void put_subsys(void *arg, const char *name, const char *desc, const char *levels)
{
	struct status *s = arg;
	bool dflt = !s->b->len;

	if (s->only && !strcmp(s->only, name))
		s->found = true;
	else if (s->only && !dflt)
		return;
	buf_addf(s->b, "%s{\"name\":\"%s%s\",\"desc\":\"%s\",\"level\":\"%s\"}", dflt ? "[" : ",", name,
		 dflt ? " (default)" : "", desc, levels);
}

int ctl_log_status(struct ctl *c, struct err *err)
{
	struct status s = { .b = &c->reply, .only = ctl_text(c, ATTR_NAME, NULL) };

	log_subsys_each(put_subsys, &s);
	if (s.only && !s.found) {
		buf_reset(&c->reply);
		return err_set(err, -ENOENT, "Failed to get the list of log information.");
	}
	buf_addf(&c->reply, "]");
	c->json = true;
	return 0;
}
