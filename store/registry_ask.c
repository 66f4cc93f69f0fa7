/* registry_ask.c - a schema registry is asked, and what its answer says */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/json_put.h"
#include "core/base/unit.h"
#include "store/registry_impl.h"

#define ANSWER_MAX  (64u << 10)
#define DEADLINE_US (2 * SEC_US) /* for one server */
#define CONFLICT    409          /* not compatible with the subject's earlier ones */
#define NO_SCHEMA   422

void registry_request(struct buf *to, const char *schema)
{
	buf_addf(to, "{\"schema\":");
	json_put_str(to, schema);
	buf_u8(to, '}');
}

int registry_answer_id(const char *body, size_t len, uint32_t *ret, struct err *err)
{
	json_t *root = json_loadb(body, len, 0, NULL), *id = json_object_get(root, "id");
	int rc = 0;

	if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX)
		rc = err_set(err, -EPROTO, "answers without the number of a schema");
	else
		*ret = (uint32_t)json_integer_value(id);
	json_decref(root);
	return rc;
}

void registry_answer_words(const char *body, size_t len, char *to, size_t size)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const char *message = json_string_value(json_object_get(root, "message"));

	snprintf(to, size, "%.200s", message ? message : "no reason given");
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	json_decref(root);
}

static int understand(const struct lookup *l, const char *url, const struct http_answer *answer, uint32_t *ret,
		      struct err *err)
{
	char words[256];
	int rc;

	registry_answer_words((const char *)answer->body.p, answer->body.len, words, sizeof(words));
	if (answer->status == 200) {
		rc = registry_answer_id((const char *)answer->body.p, answer->body.len, ret, err);
		return rc ? err_prefix(err, rc, "%s: ", url) : 0;
	}
	if (answer->status == CONFLICT || answer->status == NO_SCHEMA)
		return err_set(
			err, -EINVAL,
			"%s: subject %s: the registry refuses the schema (%u: %s); set the subject's "
			"compatibility to NONE, or give the row schema another name, then start the policy again",
			url, l->subject, answer->status, words);
	return err_set(err, -EREMOTEIO, "%s: subject %s: the registry answers with status %u: %s", url, l->subject,
		       answer->status, words);
}

int registry_ask(struct lookup *l, const char *url, uint32_t *ret, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/vnd.schemaregistry.v1+json",
					       "Accept: application/vnd.schemaregistry.v1+json", NULL };
	const struct registry *r = l->registry;
	const struct http_conf conf = {
		.url = url,
		.headers = headers,
		.user = r->user,
		.password = r->password,
		.tls = { .ca = r->ca, .cert = r->cert, .key = r->key, .no_verify = r->no_verify },
		.body_max = ANSWER_MAX,
	};
	struct http_answer answer = { 0 };
	struct buf path = { 0 };
	struct http *http = NULL;
	int rc = http_open(&conf, &http, err);

	buf_addf(&path, "%s/subjects/", url);
	http_quote(&path, l->subject);
	buf_addf(&path, "/versions");
	if (!rc) {
		lookup_show(l, http);
		rc = http_ask(http,
			      &(struct http_req){ .method = "POST",
						  .url = buf_str(&path),
						  .body = l->body.p,
						  .body_len = l->body.len,
						  .deadline_us = DEADLINE_US },
			      &answer, err);
		lookup_show(l, NULL);
		if (rc == -ETIMEDOUT)
			err_set(err, rc, "%s: subject %s: has not answered within %d s", url, l->subject,
				(int)(DEADLINE_US / SEC_US));
	}
	if (!rc)
		rc = understand(l, url, &answer, ret, err);
	http_close(http);
	http_answer_fini(&answer);
	buf_fini(&path);
	return rc;
}
