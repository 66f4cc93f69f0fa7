/* record.h - control messages on the wire: what travels inside SEND_MSG (man ldms-wire, "records").
 *
 *   offset  size  field     meaning (all big endian)
 *      0     4    marker    0xffffffff
 *      4     4    type      1 request, 2 response
 *      8     4    flags     1 first record of the message, 2 last
 *     12     4    msg_no    the requester's number; the response repeats it
 *     16     4    code      request: the verb's number; response: a positive errno, 0 for good
 *     20     4    rec_len   of this record, these 24 bytes included
 *     24          attributes: u32 1 · u32 id · u32 length · value; ended by a u32 0
 */
#ifndef CORE_CTL_RECORD_H
#define CORE_CTL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/ctl/attr.h"

#define RECORD_MARKER   0xffffffffu
#define RECORD_HDR_SZ   24
#define RECORD_MAX      1048516 /* bytes of one record: what one SEND_MSG carries */
#define RECORD_ATTR_SZ  12      /* in front of an attribute's value */
#define RECORD_END_SZ   4
#define RECORD_REQUEST  1
#define RECORD_RESPONSE 2
#define RECORD_FIRST    1
#define RECORD_LAST     2

struct record {
	uint32_t type, flags, msg_no, code;
	const uint8_t *body; /* behind the header; borrowed */
	size_t body_len;
};

/* Look at one record.  -EPROTO: no marker; -E2BIG, -EINVAL: a length that does not fit, the rest of *ret but for the
 * body is good. */
int record_parse(const void *bytes, size_t len, struct record *ret, struct err *err);

struct record_attr {
	uint32_t id;
	const char *value; /* NUL-terminated; NULL when empty (a keyword) */
	uint32_t len;      /* the NUL included */
};
/* The attributes of a whole message's body, up to max; what stands behind the end of the list is passed over, as ldmsd
 * does.  Their number, or -EINVAL for a body that does not hold together or a value that does not end in NUL. */
int record_attrs(const uint8_t *body, size_t len, struct record_attr *attrs, size_t max, struct err *err);

/* Append a whole message, cut into records of at most RECORD_MAX; each is handed to `send`. */
void record_send(uint32_t type, uint32_t msg_no, uint32_t code, const struct buf *body,
		 void (*send)(void *arg, const void *rec, size_t len), void *arg);
/* One attribute at the end of a body; end it with record_end(). */
void record_put(struct buf *body, uint32_t id, const void *value, size_t len);
void record_end(struct buf *body);

#endif
