/* image.h - the memory image of a set as the wire carries it: metadata, then data elements; and looking into one.
 *
 *   0         64   producer name, NUL padded
 *   64        8    meta_gn             metadata generation, from 1; 0 in no finished set
 *   72        4    version             04 02 00 00
 *   76        1    flags               2 = little endian
 *   77        3    -
 *   80        4    card                metrics
 *   84        4    meta_sz             of this section, a multiple of 8
 *   88        4    data_sz             of one data element, heap included, a multiple of 8
 *   92/96/100 4    uid gid perm
 *   104       4    array_card          data elements, >= 1
 *   108       4    heap_sz             0 without lists
 *   112       28   reserved
 *   140       4*card  dict             offset of each metric's descriptor from the start of the image
 *   then           instance name, schema name with digest; descriptors on multiples of 8; META values
 *   meta_sz        data element 0, 1, ...: a header of 96 bytes, values, heap
 *
 * All integers little endian (wire: man ldms-wire, "set image").
 *
 * An image that came from a peer is checked once, whole: image_check_meta() when the metadata arrives,
 * image_check_data() for each data element that holds lists.  After that the accessors below need no checks.  One thing
 * is looked at each time, because a known defect of ldmsd 4.5.x makes it happen in honest sets: a metric whose value
 * lies outside its element is "unavailable" (type V_NONE), the others of that set are fine.
 *
 * Data that were checked hold with the metadata that they were checked against, and with others of the same shape
 * (dictionary, descriptors, record types).  The checks take bytes at any address; the accessors want metadata and data
 * at multiples of 8, as sets and snapshots have them.
 */
#ifndef CORE_SET_IMAGE_H
#define CORE_SET_IMAGE_H

#include <assert.h>

#include "core/base/err.h"
#include "core/set/schema.h"
#include "core/set/value.h"

#define SET_NAME_MAX     254          /* bytes of an instance name, without NUL */
#define SET_PRODUCER_MAX 63           /* bytes of a producer name, without NUL */
#define SET_META_MAX     (64u << 20)  /* bytes of metadata that we accept from a peer */
#define SET_DATA_MAX     (256u << 20) /* bytes of all data elements together, from a peer */
#define LIST_DEPTH_MAX   8            /* lists within lists that we accept from a peer; ldmsd's own samplers use 2 */
#define META_HDR_SZ      140
#define DATA_HDR_SZ      96

struct set_meta { /* wire layout; use the accessors below or le32toh() */
	char producer[64];
	uint64_t meta_gn;
	uint8_t version[4];
	uint8_t flags;
	uint8_t pad[3];
	uint32_t card;
	uint32_t meta_sz;
	uint32_t data_sz;
	uint32_t uid;
	uint32_t gid;
	uint32_t perm;
	uint32_t array_card;
	uint32_t heap_sz;
	uint8_t reserved[28];
	uint32_t dict[];
} __attribute__((packed, aligned(4)));

/* The head of a data element; wire layout. */
struct set_data {
	uint32_t ts_sec, ts_usec; /* end of the sample, wall clock */
	uint32_t dur_sec, dur_usec;
	uint32_t flags;    /* enum set_trans */
	uint32_t set_off;  /* of this element from the start of the image */
	uint64_t gn;       /* data generation */
	uint64_t size;     /* data_sz */
	uint64_t meta_gn;  /* copy of the metadata's */
	uint32_t curr_idx; /* the newest element of the ring */
	uint32_t pad1;
	uint32_t heap_grain;
	uint32_t pad2;
	uint64_t heap_sz;
	uint32_t heap_gn;
	uint32_t pad3;
	uint64_t heap_size_tree, heap_addr_tree;
};

enum set_trans { SET_TRANS_NEVER = 0, SET_TRANS_OPEN = 1, SET_TRANS_DONE = 2 };

static_assert(offsetof(struct set_meta, dict) == META_HDR_SZ, "not 144");
static_assert(sizeof(struct set_data) == DATA_HDR_SZ, "wire");

/* A whole consistent image to look into: metadata and one data element.  Borrowed memory; see snap.h for one that you
 * own. */
struct image {
	const struct set_meta *meta;
	const struct set_data *data;
};

/* Does this metadata (meta_len bytes) hold together: sizes, dictionary, names, descriptors, types, record types?
 * -EPROTO with words about the first thing wrong. */
int image_check_meta(const void *meta, size_t meta_len, struct err *err);
/* Does this data element (data_sz bytes) fit that (checked) metadata: header, heap signature, lists without loops,
 * entries and records inside the heap?  Cheap for sets without lists.  -EPROTO with words; -EAGAIN when it does not, but
 * says itself that a sample was being written into it (flags SET_TRANS_OPEN): an honest peer may send that. */
int image_check_data(const struct set_meta *meta, const void *data, bool linked, struct err *err);
/* Are there lists or record arrays in sets of that (checked) metadata?  Only these must be looked at in each data element:
 * who checks many elements asks once and hands it to image_check_data(). */
bool image_is_linked(const struct set_meta *meta);

/* Of the metadata. */
const char *image_instance(const struct set_meta *m);
const char *image_schema(const struct set_meta *m);
const uint8_t *image_digest(const struct set_meta *m); /* DIGEST_LEN bytes, or NULL (older sets have none) */

static inline uint32_t image_card(const struct set_meta *m)
{
	return le32toh(m->card);
}

/* A metric by its index (< card). */
struct metric {
	const char *name;     /* borrowed */
	const char *unit;     /* "" when there is none */
	bool has_unit;        /* one was given, be it an empty one */
	enum value_type type; /* V_NONE: unavailable (see above) */
	bool meta;            /* a META attribute (not DATA) */
	uint32_t count;       /* array length; records of a record array; heap bytes of a list; 1 for scalars */
	uint64_t user_data;
};
struct metric image_metric(const struct set_meta *m, uint32_t i);
/* Index by name, or -ENOENT; linear. */
int image_find(const struct set_meta *m, const char *name);
/* Its value in that image; type V_NONE when unavailable.  For lists and record arrays use the calls below on it. */
struct value image_value(const struct image *im, uint32_t i);

/* Lists.  `list` is a value of type V_LIST (of a metric, or an entry of another list). */
struct list_it {
	uint32_t off; /* of the entry from the heap's base; 0: at the end */
};
uint32_t list_len(struct value list);
struct list_it list_first(struct value list);
struct list_it list_next(const struct image *im, struct list_it it);
/* The entry's value; of type V_RECORD_INST for records. */
struct value list_value(const struct image *im, struct list_it it);

/* Records.  A record type is a metric of type V_RECORD_TYPE; `rec` a value of type V_RECORD_INST. */
uint32_t record_type_of(struct value rec);                     /* the index of its type's metric */
uint32_t record_card(const struct set_meta *m, uint32_t type); /* members */
struct metric record_member(const struct set_meta *m, uint32_t type, uint32_t i);
struct value record_value(const struct image *im, struct value rec, uint32_t i);
/* Record arrays: how many, of which type, and the i-th. */
uint32_t record_array_len(struct value arr);
uint32_t record_array_type(struct value arr);
struct value record_array_get(const struct image *im, struct value arr, uint32_t i);

/* 64 upper-case hexadecimal digits and NUL; "" for no digest. */
void digest_hex(const uint8_t *digest, char hex[2 * DIGEST_LEN + 1]);

#endif
