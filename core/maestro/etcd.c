/* etcd.c - see etcd.h
 *
 *	/v3/auth/authenticate  {"name":"x","password":"y"}  -> {"token":"..."}: goes into a header of what is asked then
 *
 * A token that is not known any more is answered with 401.
 */
#include "core/maestro/etcd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/http.h"
#include "core/base/json_put.h"
#include "core/base/secret_file.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/base/yaml.h"

#define ANSWER_MAX  (64u << 10) /* bytes: a lease, or a key and its value */
#define FILE_MAX    (1u << 20)
#define MEMBERS_MAX 32

struct etcd {
	char *urls[MEMBERS_MAX];
	size_t n, at; /* the one that answered last */
	struct http *http;
	char *ca, *cert, *key;
	char *user, *password_file, *token_file;
	struct buf token; /* "Authorization: ..."; empty: there is none */
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

struct reading {
	struct etcd *e;
	const char *path;
	struct err *err;
};

static int bad(const struct reading *r, const struct yaml_node *n, const char *words, const char *word)
{
	return err_set(r->err, -EINVAL, "--cluster %s:%u:%u: %s%s", r->path, n->line, n->col, words, word);
}

static int keys_check(const struct reading *r, const struct yaml_node *map, const char *const *known)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *k = map->keys[i];
		bool is = false;

		for (size_t j = 0; known[j] && k->kind == YAML_TEXT && !is; j++)
			is = !strcmp(k->text, known[j]);
		if (!is)
			return bad(r, k, "there is no such key; did you mean ",
				   nearest(k->kind == YAML_TEXT ? k->text : "", known)
					   ? nearest(k->text, known)
					   : "one of tls, user, password_file, token_file?");
	}
	return 0;
}

/* A member of a mapping that is a text, in *ret; it may be missing. */
static int text_take(const struct reading *r, const struct yaml_node *map, const char *key, char **ret)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (n && n->kind != YAML_TEXT)
		return bad(r, n, key, ": wants a single word");
	if (n)
		*ret = xstrdup(n->text);
	return 0;
}

static int file_take(const struct reading *r, const struct yaml_node *map, const char *key, char **ret)
{
	int rc = text_take(r, map, key, ret);
	const struct yaml_node *n = yaml_get(map, key);

	if (!rc && *ret && access(*ret, R_OK))
		rc = err_set(r->err, -errno, "--cluster %s:%u:%u: %s: %s: %s", r->path, n->line, n->col, key, *ret,
			     err_name(errno));
	return rc;
}

static int tls_take(const struct reading *r, const struct yaml_node *tls)
{
	static const char *const known[] = { "ca", "cert", "key", NULL };
	struct etcd *e = r->e;
	bool yes = false;
	int rc;

	if (tls->kind == YAML_TEXT)
		return unit_bool(tls->text, &yes, NULL) || !yes
			       ? bad(r, tls, "tls: wants {ca: FILE, cert: FILE, key: FILE}, or true", "")
			       : 0;
	if (tls->kind != YAML_MAP)
		return bad(r, tls, "tls: wants {ca: FILE, cert: FILE, key: FILE}, or true", "");
	rc = keys_check(r, tls, known);
	if (!rc)
		rc = file_take(r, tls, "ca", &e->ca);
	if (!rc)
		rc = file_take(r, tls, "cert", &e->cert);
	if (!rc)
		rc = file_take(r, tls, "key", &e->key);
	if (!rc && !e->cert != !e->key)
		rc = bad(r, tls, "tls: a certificate and its key go together: cert, key", "");
	return rc;
}

static int members_take(const struct reading *r, const struct yaml_node *root, const char *scheme)
{
	static const char *const known[] = { "host", "port", NULL };
	const struct yaml_node *members = yaml_get(root, "members");
	struct etcd *e = r->e;
	int rc = 0;

	if (!members || members->kind != YAML_LIST || !members->n || members->n > MEMBERS_MAX)
		return err_set(r->err, -EINVAL,
			       "--cluster %s: it needs `members: [{host: HOST, port: PORT}, ...]`, 1 to %d", r->path,
			       MEMBERS_MAX);
	for (size_t i = 0; i < members->n && !rc; i++) {
		const struct yaml_node *m = members->values[i], *host = yaml_get(m, "host"),
				       *port = yaml_get(m, "port");

		if (!host || host->kind != YAML_TEXT || (port && port->kind != YAML_TEXT))
			return bad(r, m, "a member has a host and a port", "");
		rc = keys_check(r, m, known);
		if (!rc)
			e->urls[e->n++] = xasprintf(strchr(host->text, ':') ? "%s://[%s]:%s" : "%s://%s:%s", scheme,
						    host->text, port ? port->text : "2379");
	}
	return rc;
}

static int who_take(const struct reading *r, const struct yaml_node *root)
{
	struct etcd *e = r->e;
	int rc = text_take(r, root, "user", &e->user);

	if (!rc)
		rc = file_take(r, root, "password_file", &e->password_file);
	if (!rc)
		rc = file_take(r, root, "token_file", &e->token_file);
	if (!rc && yaml_get(root, "password"))
		rc = bad(r, yaml_get(root, "password"), "a password stands in a file of its own: password_file", "");
	if (!rc && (!e->user != !e->password_file || (e->user && e->token_file)))
		rc = bad(r, root, "either user and password_file, or token_file", "");
	return rc;
}

static int root_take(const struct reading *r, const struct yaml_node *root)
{
	static const char *const known[] = { "cluster",  "members",       "maestro_members", "tls", "user",
					     "password", "password_file", "token_file",      NULL };
	const struct yaml_node *tls = yaml_get(root, "tls");
	int rc = root && root->kind == YAML_MAP ? keys_check(r, root, known) : 0;

	if (!rc && tls)
		rc = tls_take(r, tls);
	if (!rc)
		rc = members_take(r, root, tls ? "https" : "http");
	return rc ? rc : who_take(r, root);
}

int etcd_parse(const char *origin, const char *text, size_t len, struct etcd **ret, struct err *err)
{
	struct etcd *e = xcalloc(1, sizeof(*e));
	const struct reading r = { e, origin, err };
	const struct yaml_node *root = NULL;
	struct yaml *y = NULL;
	unsigned int line = 0, col = 0;
	int rc = yaml_tree_parse(text, len, &y, &root, &line, &col, err);

	if (rc)
		err_prefix(err, rc, "--cluster %s:%u:%u: ", origin, line, col);
	else
		rc = root_take(&r, root);
	yaml_tree_free(y);
	if (rc)
		etcd_close(e);
	else
		*ret = e;
	return rc;
}

static int file_read(const char *path, struct etcd **ret, struct err *err)
{
	struct buf text = { 0 };
	FILE *f = fopen(path, "re");
	int rc = f ? buf_slurp(&text, f, FILE_MAX) : -errno;

	if (rc)
		err_set(err, rc, "--cluster %s: %s", path, err_name(rc));
	else
		rc = etcd_parse(path, (const char *)text.p, text.len, ret, err);
	buf_fini(&text);
	if (f)
		fclose(f);
	return rc;
}

/* -- asking one of them -------------------------------------------------------------------------------------------- */

static int http_get(struct etcd *e, struct err *err)
{
	const struct http_conf conf = { .url = e->urls[e->at],
					.tls = { .ca = e->ca, .cert = e->cert, .key = e->key },
					.body_max = ANSWER_MAX };

	return e->http ? 0 : http_open(&conf, &e->http, err);
}

/* *ret_status: what it answered, also when that is a failure. */
static int post(struct etcd *e, const char *path, const struct buf *body, int64_t deadline_us, json_t **ret,
		unsigned int *ret_status, struct err *err)
{
	const char *headers[] = { e->token.len ? (const char *)e->token.p : NULL, NULL };
	char *url = xasprintf("%s%s", e->urls[e->at], path);
	const struct http_req req = { .method = "POST",
				      .url = url,
				      .headers = headers,
				      .body = body->p,
				      .body_len = body->len,
				      .deadline_us = deadline_us - clock_us(CLOCK_MONOTONIC) };
	struct http_answer a = { 0 };
	json_error_t why;
	int rc = req.deadline_us > 0 ? http_get(e, err) : err_set(err, -ETIMEDOUT, "%s: no answer in time", url);

	*ret_status = 0;
	if (!rc)
		rc = http_ask(e->http, &req, &a, err);
	if (!rc)
		*ret_status = a.status;
	if (!rc && a.status / 100 != 2)
		rc = err_set(err, -EREMOTEIO, "%s: status %u: %.200s%s", url, a.status, buf_str(&a.body),
			     e->user || e->token_file ? "" : "; if it wants to know who asks: user, password_file");
	if (!rc) {
		*ret = json_loadb((const char *)a.body.p, a.body.len, JSON_DISABLE_EOF_CHECK, &why);
		if (!*ret)
			rc = err_set(err, -EPROTO, "%s: its answer is no JSON: %s", url, why.text);
	}
	secret_forget(&a.body);
	http_answer_fini(&a);
	free(url);
	return rc;
}

static void token_set(struct etcd *e, const char *token)
{
	secret_forget(&e->token);
	buf_addf(&e->token, "Authorization: %s", token);
	buf_str(&e->token);
}

static int token_ask(struct etcd *e, int64_t deadline_us, struct err *err)
{
	struct buf password = { 0 }, body = { 0 };
	json_t *got = NULL;
	unsigned int status;
	const char *token;
	int rc = secret_file_read(e->password_file, &password, err);

	if (!rc) {
		buf_addf(&body, "{\"name\":");
		json_put_str(&body, e->user);
		buf_addf(&body, ",\"password\":");
		json_put_str(&body, buf_str(&password));
		buf_addf(&body, "}");
		rc = post(e, "/v3/auth/authenticate", &body, deadline_us, &got, &status, err);
	}
	token = rc ? NULL : json_string_value(json_object_get(got, "token"));
	if (token && !strpbrk(token, "\r\n"))
		token_set(e, token);
	else if (!rc)
		rc = err_set(err, -EPROTO, "%s: it gives %s no token", e->urls[e->at], e->user);
	json_decref(got);
	secret_forget(&body);
	secret_forget(&password);
	return rc;
}

/* Say who we are. */
static int introduce(struct etcd *e, int64_t deadline_us, struct err *err)
{
	struct buf token = { 0 };
	int rc;

	secret_forget(&e->token);
	if (e->user)
		return token_ask(e, deadline_us, err);
	if (!e->token_file)
		return 0;
	rc = secret_file_read(e->token_file, &token, err); /* it may have been renewed */
	if (!rc)
		token_set(e, buf_str(&token));
	secret_forget(&token);
	return rc;
}

static int ask_one(struct etcd *e, const char *path, const struct buf *body, int64_t deadline_us, json_t **ret,
		   struct err *err)
{
	unsigned int status = 401;
	int rc = 0;

	if (e->token.len)
		rc = post(e, path, body, deadline_us, ret, &status, err);
	if (status / 100 == 4) { /* who asks is not known yet, or not any more */
		rc = introduce(e, deadline_us, err);
		if (!rc)
			rc = post(e, path, body, deadline_us, ret, &status, err);
	}
	return rc;
}

/* -- asking them --------------------------------------------------------------------------------------------------- */

int etcd_ask(struct etcd *e, const char *path, const char *body, int64_t deadline_us, json_t **ret, struct err *err)
{
	struct buf text = { 0 };
	int rc = -ETIMEDOUT;

	buf_addf(&text, "%s", body);
	for (size_t i = 0; i < e->n; i++) {
		int64_t now_us = clock_us(CLOCK_MONOTONIC), left_us = deadline_us - now_us;

		if (left_us <= 0) {
			rc = err_set(err, -ETIMEDOUT, "%s: no time is left to ask", e->urls[e->at]);
			break;
		}
		rc = ask_one(e, path, &text, now_us + left_us / (int64_t)(e->n - i), ret, err);
		if (!rc)
			break;
		http_close(e->http);
		e->http = NULL;
		e->at = (e->at + 1) % e->n;
	}
	buf_fini(&text);
	return rc;
}

const char *etcd_url(const struct etcd *e)
{
	return e->urls[e->at];
}

int etcd_open(const char *path, struct etcd **ret, struct err *err)
{
	int rc = file_read(path, ret, err);

	if (rc)
		return rc;
	rc = http_get(*ret, err); /* is there a library, and a URL that it takes? */
	if (rc)
		etcd_close(*ret);
	return rc;
}

void etcd_close(struct etcd *e)
{
	if (!e)
		return;
	http_close(e->http);
	for (size_t i = 0; i < e->n; i++)
		free(e->urls[i]);
	free(e->ca);
	free(e->cert);
	free(e->key);
	free(e->user);
	free(e->password_file);
	free(e->token_file);
	secret_forget(&e->token);
	free(e);
}
