/* msg_put.c - a message on a line, as `ldms msg sub` prints it. */
#include <arpa/inet.h>
#include <inttypes.h>

#include "cmd/msg.h"
#include "core/base/json_put.h"
#include "core/base/json_scan.h"

/* As a value: JSON as it is, on one line (a line end in JSON can only stand between its parts); else a text. */
static void put_data(struct buf *b, const struct msg_shown *m)
{
	size_t from = b->len;

	if (!m->json || json_check(m->data, m->len, NULL)) {
		json_put_text(b, m->data, m->len);
		return;
	}
	buf_add(b, m->data, m->len);
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] == '\n' || b->p[i] == '\r')
			b->p[i] = ' ';
}

static void put_time(struct buf *b, const char *key, int64_t ns)
{
	if (ns)
		buf_addf(b, "\"%s\":%" PRId64 ".%09" PRId64, key, ns / 1000000000, ns % 1000000000);
	else
		buf_addf(b, "\"%s\":null", key);
}

static void put_bus(struct buf *b, const struct bus_msg *m)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (m->src.family)
		inet_ntop(m->src.family, m->src.addr, ip, sizeof(ip));
	if (*ip)
		buf_addf(b, ",\"source\":\"%s%s%s:%u\"", m->src.family == AF_INET6 ? "[" : "", ip,
			 m->src.family == AF_INET6 ? "]" : "", m->src.port);
	else
		buf_addf(b, ",\"source\":null"); /* a process on the host of the first daemon */
	buf_addf(b, ",\"number\":%" PRIu64 ",\"uid\":%u,\"gid\":%u,\"perm\":\"0%o\",\"hops\":[", m->gn, m->uid, m->gid,
		 m->perm);
	for (uint32_t i = 0; i <= m->hop_cnt && i < BUS_HOPS; i++) {
		buf_addf(b, "%s{", i ? "," : "");
		put_time(b, "recv", m->hops[i].recv_ns);
		buf_addf(b, ",");
		put_time(b, "send", m->hops[i].send_ns);
		buf_addf(b, "}");
	}
	buf_addf(b, "]");
}

const char *msg_type_name(const struct msg_shown *m)
{
	if (m->bus && m->bus->type == BUS_AVRO)
		return "avro";
	return m->json ? "json" : "string";
}

void msg_put_line(const struct sub_opts *o, struct buf *b, const struct msg_shown *m)
{
	if (o->json) {
		buf_addf(b, "{\"channel\":");
		json_put_str(b, m->channel);
		buf_addf(b, ",\"type\":\"%s\"", msg_type_name(m));
		if (m->bus)
			put_bus(b, m->bus);
		buf_addf(b, ",\"data\":");
		put_data(b, m);
		buf_addf(b, "}");
	} else {
		buf_add(b, m->data, m->len && m->data[m->len - 1] == '\n' ? m->len - 1 : m->len);
	}
	buf_u8(b, '\n');
}
