/* spec_ldmsd.c - an ldmsd of a specification: its configuration file and what stands on its command line
 *
 * The file has, in this order: the quota, authentication domains, listeners, samplers, advertisers, listeners for
 * advertisers, producers, and the lines of `config`.  Objects of those lists are commands: the name first, then all
 * their members as attributes, in order of writing.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/spec_impl.h"

#define SAMP_INTERVAL "2000000" /* microseconds */

struct ldmsd_read {
	struct spec_daemon *d;
	struct buf conf;
	const char *what;  /* the list that is walked, */
	const char *add;   /* its command, */
	const char *start; /* and the one that starts what it made, with "start": true; or NULL */
};

static void put_attr(struct sread *r, struct buf *to, const char *name, snode_t value)
{
	const char *text = value ? snode_word(r, value, name) : NULL;

	if (text)
		buf_addf(to, " %s=%s", name, text);
}

static bool among(const char *const *words, const char *word)
{
	for (; words && *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

/* All members as attributes, those of `first` at the front; without those of `skip` and null ones. */
static void put_attrs(struct sread *r, struct buf *to, snode_t map, const char *const *first, const char *const *skip)
{
	for (const char *const *f = first; *f; f++)
		put_attr(r, to, *f, snode_get(map, *f));
	for (size_t i = 0; i < map->n && !r->rc; i++)
		if (!map->values[i]->null && !among(first, map->keys[i]->text) && !among(skip, map->keys[i]->text))
			put_attr(r, to, map->keys[i]->text, map->values[i]);
}

static void on_auth(struct sread *r, snode_t map, void *arg)
{
	static const char *const first[] = { "name", "plugin", NULL };
	struct ldmsd_read *l = arg;

	sread_need(r, map, "name", "auth");
	buf_addf(&l->conf, "auth_add");
	put_attrs(r, &l->conf, map, first, NULL);
	buf_addf(&l->conf, "\n");
}

static void on_listen(struct sread *r, snode_t map, void *arg)
{
	static const char *const first[] = { "xprt", "port", NULL };
	struct ldmsd_read *l = arg;
	const char *xprt = sread_need(r, map, "xprt", "listen");
	snode_t port = snode_get(map, "port");
	unsigned short number;

	if (!port)
		sread_bad(r, map, "listen: wants \"port\"");
	if (r->rc)
		return;
	number = snode_port(r, port);
	if (!strcmp(xprt, "sock"))
		port_add(l->d, number);
	buf_addf(&l->conf, "listen");
	put_attrs(r, &l->conf, map, first, NULL);
	buf_addf(&l->conf, "\n");
}

static void time_check(struct sread *r, snode_t map, const char *key)
{
	const char *text = sread_text(r, map, key);
	struct err err = { "" };
	int64_t us;

	if (text && unit_time_us(text, &us, &err))
		sread_bad(r, snode_get(map, key), "%s: %s", key, err.msg);
}

static const char *const samp_keys[] = { "name",  "plugin",           "interval", "offset",
					 "start", "exclusive_thread", "config",   NULL };

static void on_sampler(struct sread *r, snode_t map, void *arg)
{
	struct ldmsd_read *l = arg;
	const char *plugin = sread_need(r, map, "plugin", "sampler"), *own = sread_text(r, map, "name");
	const char *name = own ? own : plugin, *interval = sread_text(r, map, "interval");
	struct spec_words config = { .n = 0 };

	if (r->rc)
		return;
	snode_word(r, snode_get(map, "plugin"), "plugin");
	time_check(r, map, "interval");
	time_check(r, map, "offset");
	buf_addf(&l->conf, "load name=%s", name);
	if (own)
		put_attr(r, &l->conf, "plugin", snode_get(map, "plugin"));
	buf_addf(&l->conf, "\nconfig name=%s", name);
	sread_words(r, map, "config", &config);
	for (size_t i = 0; i < config.n; i++) {
		if (strpbrk(config.v[i], "\r\n"))
			sread_bad(r, snode_get(map, "config"), "config of %s: attributes stand on one line", name);
		buf_addf(&l->conf, " %s", config.v[i]);
	}
	buf_addf(&l->conf, "\n");
	words_fini(&config);
	if (sread_bool(r, map, "start")) {
		buf_addf(&l->conf, "start name=%s interval=%s", name, interval ? interval : SAMP_INTERVAL);
		put_attr(r, &l->conf, "offset", snode_get(map, "offset"));
		put_attr(r, &l->conf, "exclusive_thread", snode_get(map, "exclusive_thread"));
		buf_addf(&l->conf, "\n");
	}
	sread_keys(r, map, "sampler", samp_keys);
}

static void on_object(struct sread *r, snode_t map, void *arg)
{
	static const char *const first[] = { "name", NULL }, *const skip[] = { "start", NULL };
	struct ldmsd_read *l = arg;
	const char *name = sread_need(r, map, "name", l->what);

	buf_addf(&l->conf, "%s", l->add);
	put_attrs(r, &l->conf, map, first, skip);
	buf_addf(&l->conf, "\n");
	if (!r->rc && sread_bool(r, map, "start"))
		buf_addf(&l->conf, "%s name=%s\n", l->start, name);
}

static void put_objects(struct sread *r, snode_t map, struct ldmsd_read *l, const char *key, const char *add,
			const char *start)
{
	l->what = key;
	l->add = add;
	l->start = start;
	sread_each(r, map, key, on_object, l);
}

static void put_config(struct sread *r, snode_t map, struct buf *to)
{
	struct spec_words lines = { .n = 0 };

	sread_words(r, map, "config", &lines);
	for (size_t i = 0; i < lines.n; i++)
		buf_addf(to, "%s\n", lines.v[i]);
	words_fini(&lines);
}

/* -x and -a: an older way to say where it listens. */
static void command_line_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	const char *xprt = sread_text(r, map, "listen_xprt");
	snode_t port = snode_get(map, "listen_port");
	unsigned short number = port ? snode_port(r, port) : 0;
	char *path;

	if (xprt && !port)
		sread_bad(r, map, "%s: listen_xprt wants a \"listen_port\", too", d->name);
	if (port) {
		d->xprt = xasprintf("%s:%u", xprt ? xprt : "sock", number);
		if (!xprt || !strcmp(xprt, "sock"))
			port_add(d, number);
	}
	d->auth = sread_dup(r, map, "listen_auth", "none");
	d->log_level = sread_dup(r, map, "log_level", "INFO");
	path = xasprintf("/run/ldms/%s.conf", d->name);
	d->conf_path = sread_file(r, map, "config_file", path);
	free(path);
}

void spec_ldmsd_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	struct ldmsd_read l = { .d = d };
	const char *prefix = sread_text(r, map, "ovis_prefix");
	snode_t quota = snode_get(map, "quota");

	d->prefix = xstrdup(prefix ? prefix : r->prefix);
	command_line_read(r, map, d);
	if (quota) {
		buf_addf(&l.conf, "default_quota");
		put_attr(r, &l.conf, "quota", quota);
		buf_addf(&l.conf, "\n");
	}
	sread_each(r, map, "auth", on_auth, &l);
	sread_each(r, map, "listen", on_listen, &l);
	sread_each(r, map, "samplers", on_sampler, &l);
	put_objects(r, map, &l, "advertisers", "advertiser_add", "advertiser_start");
	put_objects(r, map, &l, "prdcr_listen", "prdcr_listen_add", "prdcr_listen_start");
	put_objects(r, map, &l, "prdcrs", "prdcr_add", "prdcr_start");
	put_config(r, map, &l.conf);
	d->conf = xstrndup(buf_str(&l.conf), l.conf.len);
	buf_fini(&l.conf);
}
