/* daemon_opts.c - see daemon_opts.h
 *
 * Options are nothing but short forms of configuration lines: there is one way into the daemon, and it is the one that
 * `ldms.conf` describes.
 */
#include "cmd/daemon_opts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/daemon_to.h"
#include "core/base/hostlist.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "plugins/samp.h"

int daemon_opts_no_blanks(const char *option, const char *value, struct err *err)
{
	if (value[strcspn(value, " \t\r\n")])
		return err_set(err, -EINVAL, "--%s: '%s': blanks cannot stand here", option, value);
	return 0;
}

/* Call fn for each word of each occurrence of a list option. */
int daemon_opts_words(const struct opt_list *list, int (*fn)(const char *word, void *arg, struct err *err), void *arg,
		      struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < list->n && !rc; i++) {
		char *copy = xstrdup(list->v[i]), *at = copy;

		for (char *w; !rc && (w = strtok_r(at, " \t\n,", &at));)
			rc = fn(w, arg, err);
		free(copy);
	}
	return rc;
}

/* component_id: given, or the digits at the end of the name. */
static uint64_t compid(const struct daemon_opts *o)
{
	const char *p = o->self + strlen(o->self);
	uint64_t id = 0;

	if (o->compid != UNSET_NUM)
		return o->compid;
	while (p > o->self && isdigit((unsigned char)p[-1]))
		p--;
	return str_digits(&p, &id) ? id : 0;
}

struct gen {
	const struct daemon_opts *o;
	struct buf *b;
	unsigned int n;
};

static int samp_lines(const char *word, void *arg, struct err *err)
{
	struct gen *g = arg;
	const struct daemon_opts *o = g->o;

	if (!samp_type_find(word))
		return err_prefix(err, samp_type_unknown(word, err), "--samp: ");
	buf_addf(g->b, "load name=%s\nconfig name=%s producer=%s instance=%s/%s component_id=%llu\n", word, word,
		 o->self, o->self, word, (unsigned long long)compid(o));
	buf_addf(g->b, "start name=%s interval=%lld offset=%lld\n", word, (long long)o->interval_us,
		 (long long)o->offset_us);
	g->n++;
	return 0;
}

static int prdcr_line(const struct daemon_opts *o, struct buf *b, const char *text, struct err *err)
{
	unsigned short port = LDMS_PORT;
	char *host;
	int rc = hostport_parse(text, &host, &port, err);

	if (rc)
		return err_prefix(err, rc, "--prdcr: ");
	/* named by the host, as the container scripts do; with the port where that is not the usual one */
	buf_addf(b, "prdcr_add name=%s type=active xprt=sock host=%s port=%u reconnect=%lld\n",
		 port == LDMS_PORT ? host : text, host, port, (long long)o->reconnect_us);
	buf_addf(b, "prdcr_start name=%s\n", port == LDMS_PORT ? host : text);
	free(host);
	return 0;
}

static int prdcr_lines(struct gen *g, struct err *err)
{
	const struct daemon_opts *o = g->o;
	struct hostlist hl;
	int rc = 0;

	for (size_t i = 0; i < o->prdcr.n && !rc; i++) {
		rc = hostlist_parse(o->prdcr.v[i], &hl, err);
		if (rc)
			return err_prefix(err, rc, "--prdcr: ");
		for (size_t k = 0; k < hl.n && !rc; k++) {
			rc = prdcr_line(o, g->b, hl.names[k], err);
			g->n++;
		}
		hostlist_fini(&hl);
	}
	return rc;
}

/* A range of addresses has a '/', which no host's name has. */
static int accept_lines(struct gen *g, struct err *err)
{
	const struct daemon_opts *o = g->o;
	int rc = 0;

	for (size_t i = 0; i < o->accept.n && !rc; i++) {
		rc = daemon_opts_no_blanks("accept", o->accept.v[i], err);
		buf_addf(g->b, "prdcr_listen_add name=accept.%zu %s=%s\nprdcr_listen_start name=accept.%zu\n", i,
			 strchr(o->accept.v[i], '/') ? "ip" : "regex", o->accept.v[i], i);
		g->n++;
	}
	return rc;
}

int daemon_opts_lines(const struct daemon_opts *o, struct buf *lines, struct err *err)
{
	struct gen samps = { .o = o, .b = lines }, prdcrs = { .o = o, .b = lines };
	size_t stores = 0;
	int rc = daemon_opts_no_blanks("name", o->self, err);

	if (!rc && (o->interval_us <= 0 || o->reconnect_us <= 0))
		rc = err_set(err, -EINVAL, "--%s: must be more than 0, as 1s",
			     o->interval_us <= 0 ? "interval" : "reconnect");
	if (!rc)
		rc = daemon_to_stores(o, lines, &stores, err);
	if (!rc)
		rc = daemon_opts_words(&o->samp, samp_lines, &samps, err);
	if (!rc)
		rc = prdcr_lines(&prdcrs, err);
	if (!rc)
		rc = accept_lines(&prdcrs, err);
	if (!rc)
		rc = daemon_to_adverts(o, lines, err);
	if (rc)
		return rc;
	if (samps.n && stores) /* what is sampled here is stored here as well */
		buf_addf(lines,
			 "prdcr_add name=local:%s type=local reconnect=1s\nprdcr_start name=local:%s\n"
			 "updtr_add name=updtr_local interval=%lld auto_interval=true\n"
			 "updtr_prdcr_add name=updtr_local regex=^local:\nupdtr_start name=updtr_local\n",
			 o->self, o->self, (long long)o->interval_us);
	if (prdcrs.n)
		buf_addf(lines,
			 "updtr_add name=updtr interval=%lld offset=%lld%s\n"
			 "updtr_prdcr_add name=updtr regex=.*\nupdtr_start name=updtr\n",
			 (long long)o->interval_us, (long long)o->offset_us, o->push ? " push=onchange" : "");
	return 0;
}

/* Before the port is open. */
static int limit_lines(const struct daemon_opts *o, struct buf *lines, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < o->limit.n && !rc; i++) {
		rc = daemon_opts_no_blanks("limit", o->limit.v[i], err);
		buf_addf(lines, "limits %s\n", o->limit.v[i]);
	}
	return rc;
}

int daemon_opts_auth(const struct daemon_opts *o, struct buf *lines, struct err *err)
{
	size_t args_n = o->auth_arg.n;
	int rc;

	if (!o->auth && o->auth_arg.n)
		return err_set(err, -EINVAL, "-A %s: say which authentication it is for, too: -a METHOD",
			       o->auth_arg.v[0]);
	if (!o->auth)
		return 0;
	rc = daemon_opts_no_blanks("auth", o->auth, err);
	buf_addf(lines, "default_auth plugin=%s", o->auth);
	if (o->auth_arg.n && !strcmp(o->auth, "none")) { /* scripts give both, whatever the method is */
		log_warning("config", "-A %s: authentication none takes no options; it is ignored", o->auth_arg.v[0]);
		args_n = 0;
	}
	for (size_t i = 0; i < args_n && !rc; i++) {
		rc = daemon_opts_no_blanks("auth-arg", o->auth_arg.v[i], err);
		buf_addf(lines, " %s", o->auth_arg.v[i]);
	}
	buf_addf(lines, "\n");
	return rc;
}

int daemon_opts_listen(const struct daemon_opts *o, struct buf *lines, struct err *err)
{
	int rc = limit_lines(o, lines, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < o->xprt.n; i++) {
		char *copy = xstrdup(o->xprt.v[i]), *at = copy;
		char *xprt = strsep(&at, ":"), *port = strsep(&at, ":");

		rc = daemon_opts_no_blanks("xprt", o->xprt.v[i], err);
		if (!rc && (!port || !*port))
			rc = err_set(err, -EINVAL, "-x %s: is not XPRT:PORT[:HOST], as sock:411", o->xprt.v[i]);
		if (!rc)
			buf_addf(lines, "listen xprt=%s port=%s%s%s\n", xprt, port, at && *at ? " host=" : "",
				 at ? at : "");
		free(copy);
		if (rc)
			return rc;
	}
	if (!o->xprt.n && !o->conf.n && !o->yaml.n)
		buf_addf(lines, "listen xprt=sock port=%d\n", LDMS_PORT);
	return 0;
}

static int level_set(const char *option, struct err *err)
{
	const char *words = strrchr(option, '=');
	char *name = words ? xstrndup(option, (size_t)(words - option)) : NULL;
	uint32_t mask;
	int rc = log_levels_parse(words ? words + 1 : option, &mask);

	if (rc)
		err_set(err, rc,
			"--log-level %s: use DEBUG, INFO, WARNING, ERROR, CRITICAL or QUIET, a list as INFO,ERROR, or "
			"SUBSYSTEM=LEVEL",
			option);
	else if ((rc = log_levels_set(name, NULL, mask)))
		err_set(err, rc, "--log-level %s: no subsystem has this name; log_status lists them", option);
	free(name);
	return rc;
}

void daemon_opts_levels(const struct daemon_opts *o, struct buf *lines)
{
	buf_addf(lines, "log_level level=%s\n", o->level_dflt);
	for (size_t i = 0; i < o->log_level.n; i++) {
		const char *option = o->log_level.v[i], *words = strrchr(option, '=');

		if (words)
			buf_addf(lines, "log_level level=%s name=%.*s\n", words + 1, (int)(words - option), option);
		else
			buf_addf(lines, "log_level level=%s\n", option);
	}
	if (o->quiet)
		buf_addf(lines, "log_level level=QUIET\n");
}

int daemon_opts_log(const struct daemon_opts *o, struct err *err)
{
	int rc = log_format_set(o->log_format ? o->log_format : "text", err);

	if (!rc)
		rc = level_set(o->level_dflt, err);
	for (size_t i = 0; i < o->log_level.n && !rc; i++)
		rc = level_set(o->log_level.v[i], err);
	if (!rc && o->quiet)
		rc = level_set("QUIET", err);
	return rc;
}

void daemon_opts_fini(struct daemon_opts *o)
{
	opt_list_fini(&o->xprt);
	opt_list_fini(&o->conf);
	opt_list_fini(&o->yaml);
	opt_list_fini(&o->auth_arg);
	opt_list_fini(&o->samp);
	opt_list_fini(&o->prdcr);
	opt_list_fini(&o->accept);
	opt_list_fini(&o->strgp);
	opt_list_fini(&o->to);
	opt_list_fini(&o->limit);
	opt_list_fini(&o->sandbox_allow);
	opt_list_fini(&o->log_level);
	free(o->self);
}
