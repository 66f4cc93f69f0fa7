/* etcd.h - asking an etcd cluster, by its v3 HTTP gateway.
 *
 * The file that names it is YAML:
 *
 *	members: [{host: HOST, port: PORT}, ...]          asked in turn, from the one that answered last
 *	tls: {ca: FILE, cert: FILE, key: FILE}            https; each may be left out; `tls: true`: none of them
 *	user: NAME                                        with password_file; a token is asked for, and again when it is
 *	password_file: FILE                               over; or
 *	token_file: FILE                                  a token of somebody else's making (JWT)
 */
#ifndef CORE_MAESTRO_ETCD_H
#define CORE_MAESTRO_ETCD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct etcd;

int etcd_open(const char *path, struct etcd **ret, struct err *err);
/* The same for a text, and nobody is asked. */
int etcd_parse(const char *origin, const char *text, size_t len, struct etcd **ret, struct err *err);
void etcd_close(struct etcd *e); /* NULL is fine */
/* The URL of the member that answered last, for messages. */
const char *etcd_url(const struct etcd *e);
/* POST, to the members in turn; an answer is a JSON value, yours.  deadline_us is monotonic. */
int etcd_ask(struct etcd *e, const char *path, const char *body, int64_t deadline_us, json_t **ret, struct err *err);

#endif
