/* post_conf.c - the attributes that all stores over HTTP have. */
#include <errno.h>

#include "core/base/unit.h"
#include "store/post.h"

#define BATCH_DFLT    5000
#define BATCH_MAX     1000000
#define DEADLINE_DFLT (5 * SEC_US)
#define DEADLINE_MAX  (600 * SEC_US)

static int tls_read(struct store *st, struct http_tls *tls, struct err *err)
{
	const char *verify = store_attr(st, "verify");
	bool yes = true;
	int rc = verify ? unit_bool(verify, &yes, err) : 0;

	if (rc)
		return err_prefix(err, rc, "verify: ");
	*tls = (struct http_tls){ .ca = store_attr(st, "ca"),
				  .cert = store_attr(st, "cert"),
				  .key = store_attr(st, "key"),
				  .no_verify = !yes };
	if (!tls->cert != !tls->key)
		rc = err_set(err, -EINVAL, "cert= and key= go together");
	return rc;
}

static int conf_read(struct store *st, struct post_conf *c, struct err *err)
{
	const char *deadline = store_attr(st, "deadline");
	int rc = deadline ? unit_time_us(deadline, &c->deadline_us, err) : 0;

	if (!rc && (c->deadline_us < MSEC_US || c->deadline_us > DEADLINE_MAX))
		rc = err_set(err, -EINVAL, "deadline=%s: from 1ms to 10m", deadline);
	if (!rc && (c->batch < 1 || c->batch > BATCH_MAX))
		rc = err_set(err, -EINVAL, "batch=%s: from 1 to %d rows", store_attr(st, "batch"), BATCH_MAX);
	if (!rc)
		rc = tls_read(st, &c->tls, err);
	if (!rc && !c->user != !c->password_file)
		rc = err_set(err, -EINVAL, "user= and password_file= go together");
	if (!rc && c->user && c->token_file)
		rc = err_set(err, -EINVAL, "user= and token_file=: one of them, please");
	return rc;
}

int post_conf_read(struct store *st, struct post_conf *ret, struct err *err)
{
	struct post_conf c = { .deadline_us = DEADLINE_DFLT,
			       .user = store_attr(st, "user"),
			       .password_file = store_attr(st, "password_file"),
			       .token_file = store_attr(st, "token_file") };
	int rc = store_attr_u64(st, "batch", BATCH_DFLT, &c.batch, err);

	if (rc)
		return rc;
	rc = conf_read(st, &c, err);
	if (rc)
		return err_prefix(err, rc, "store %s: ", store_name(st));
	*ret = c;
	return 0;
}

int post_url_read(struct store *st, const char **ret_url, const char **ret_path, const char **ret_query,
		  struct err *err)
{
	const char *url = store_attr(st, "url"), *host, *path;
	int rc;

	if (!url)
		return err_set(err, -EINVAL, "store %s: url is required, as url=http://localhost:8428", store_name(st));
	rc = http_url_check(url, err);
	if (rc)
		return err_prefix(err, rc, "store %s: ", store_name(st));
	host = strstr(url, "://") + 3;
	if (strcspn(host, "@") < strcspn(host, "/?#"))
		return err_set(err, -EINVAL,
			       "store %s: url=: a user and password do not go there, where everybody reads them; write "
			       "user=NAME password_file=FILE",
			       store_name(st));
	if (strchr(url, '#'))
		return err_set(err, -EINVAL, "store %s: url=%.*s: a # has no meaning there; write %%23 for one",
			       store_name(st), (int)strcspn(url, "?"), url);
	path = host + strcspn(host, "/?");
	*ret_url = url;
	*ret_query = strchr(url, '?');
	*ret_path = *path == '/' && path[1] && path[1] != '?' ? path : NULL;
	return 0;
}
