/* kafka_topic.c - what a row's topic is called: a template, as "%F.%S" */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/set/image.h"
#include "core/set/perm.h"
#include "store/kafka.h"

#define TOPIC_MAX 249  /* characters, Kafka's rule */
#define NAMES_SZ  4096 /* what the user database may need for one entry */

static const char tokens[] = "FSPIuUgGaA";

int kafka_topic_check(const char *template, struct err *err)
{
	for (const char *p = template; *p; p++) {
		if (*p != '%')
			continue;
		p++;
		if (!*p || !strchr(tokens, *p))
			return err_set(
				err, -EINVAL,
				"topic=%s: '%%%.1s' is not known; there are %%F format, %%S row schema, %%P producer, "
				"%%I instance, %%u and %%U owner, %%g and %%G group, %%a and %%A permissions",
				template, p);
	}
	return *template ? 0 : err_set(err, -EINVAL, "topic: is empty; leave it out for the name of the row schema");
}

bool kafka_topic_is_of_schema(const char *template)
{
	for (const char *p = strchr(template, '%'); p; p = strchr(p + 2, '%'))
		if (p[1] != 'S' && p[1] != 'F')
			return false;
	return true;
}

static char *user_name(uint32_t uid)
{
	struct passwd pw, *got = NULL;
	char room[NAMES_SZ];

	return !getpwuid_r(uid, &pw, room, sizeof(room), &got) && got ? xstrdup(pw.pw_name) : xasprintf("%u", uid);
}

static char *group_name(uint32_t gid)
{
	struct group gr, *got = NULL;
	char room[NAMES_SZ];

	return !getgrgid_r(gid, &gr, room, sizeof(room), &got) && got ? xstrdup(gr.gr_name) : xasprintf("%u", gid);
}

/* The name of a number, or the number, as it was when it was met first: the user database is a file, or far away. */
static const char *name_of(struct kafka_name *names, uint32_t id, char *(*find)(uint32_t id))
{
	struct kafka_name *n = &names[id % KAFKA_NAMES_N];

	if (!n->name || n->id != id) {
		free(n->name);
		*n = (struct kafka_name){ id, find(id) };
	}
	return n->name;
}

void kafka_names_fini(struct kafka_names *names)
{
	for (size_t i = 0; i < KAFKA_NAMES_N; i++) {
		free(names->users[i].name);
		free(names->groups[i].name);
	}
	*names = (struct kafka_names){ 0 };
}

static void add_str(struct buf *to, const char *text)
{
	buf_add(to, text, strlen(text));
}

static void add_token(struct buf *to, char token, const char *format, struct kafka_names *names, const struct row *row)
{
	const struct set_meta *m = row->im ? row->im->meta : NULL;
	uint32_t uid = m ? le32toh(m->uid) : 0, gid = m ? le32toh(m->gid) : 0, perm = m ? le32toh(m->perm) : 0;
	char text[11];

	switch (token) {
	case 'F':
		add_str(to, format);
		break;
	case 'S':
		add_str(to, row->schema->name);
		break;
	case 'P':
		add_str(to, row->producer);
		break;
	case 'I':
		add_str(to, row->instance);
		break;
	case 'u':
		add_str(to, name_of(names->users, uid, user_name));
		break;
	case 'U':
		buf_addf(to, "%u", uid);
		break;
	case 'g':
		add_str(to, name_of(names->groups, gid, group_name));
		break;
	case 'G':
		buf_addf(to, "%u", gid);
		break;
	case 'a':
		perm_text(perm, text);
		add_str(to, text);
		break;
	case 'A':
		buf_addf(to, "0%o", perm);
		break;
	}
}

int kafka_topic_expand(const char *template, const char *format, struct kafka_names *names, const struct row *row,
		       struct buf *to, struct err *err)
{
	const char *name;

	buf_reset(to);
	for (const char *p = template; *p; p++) {
		if (*p == '%')
			add_token(to, *++p, format, names, row);
		else
			buf_u8(to, (uint8_t)*p);
	}
	for (size_t i = 0; i < to->len; i++)
		if (!isalnum(to->p[i]) && !strchr("._-", to->p[i]))
			to->p[i] = '.';
	name = buf_str(to);
	if (!to->len || to->len > TOPIC_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(
			err, -EINVAL,
			"set %s: topic \"%.64s%s\" is none that Kafka takes (1 to %d characters, and not \".\" or "
			"\"..\"); change topic= or the row schema's name",
			row->instance, name, to->len > 64 ? "..." : "", TOPIC_MAX);
	return 0;
}
