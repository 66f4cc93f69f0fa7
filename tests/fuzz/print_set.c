/* print_set.c - a set image that passes the checks is printed in every format.
 *
 * Reaches: cmd/print*.c, core/set/value_text.c, core/set/value_json.c, core/base/json_put.c.
 * Input: 4 bytes, little endian: bytes of metadata; the metadata; a data element, zeros where the input ends.
 */
#include <stdlib.h>

#include "cmd/print.h"
#include "tests/json_valid.h"

#define DATA_MAX 16384u

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void print_try(const struct print_format *format, const struct dir_set *d, const struct image *im)
{
	struct print p = { .format = format, .contents = true, .udata = true, .verbose = 2 };

	p.peer.host = p.peer.xprt = "x";
	print_begin(&p);
	print_listing(&p, &d, 1);
	print_contents_begin(&p);
	print_contents(&p, d, im);
	print_contents(&p, d, im);
	print_end(&p);
	if (format == &print_json && !json_valid(p.out.p, p.out.len))
		abort();
	if (format == &print_decomp && !json_valid_spaced(p.out.p, p.out.len))
		abort();
	buf_fini(&p.out);
}

static void image_try(const struct image *im)
{
	struct info_pair info = { .key = (char *)image_instance(im->meta), .value = (char *)image_schema(im->meta) };
	struct dir_set d = { .name = info.key,
			     .schema = info.value,
			     .digest = "",
			     .flags = "CL ",
			     .perm = "-",
			     .info = &info,
			     .info_n = 1 };

	print_try(&print_text, &d, im);
	print_try(&print_decomp, &d, im);
	print_try(&print_json, &d, im);
	print_try(&print_tab, &d, im);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	const struct set_meta *meta;
	uint8_t *mem, *data = NULL;
	uint32_t n, data_sz;

	if (len < sizeof(n))
		return 0;
	memcpy(&n, in, sizeof(n));
	n = le32toh(n);
	in += sizeof(n);
	len -= sizeof(n);
	if (n > len)
		n = (uint32_t)len;
	mem = malloc(n + 1);
	memcpy(mem, in, n);
	meta = (const struct set_meta *)mem;
	if (image_check_meta(mem, n, NULL))
		goto out;
	data_sz = le32toh(meta->data_sz);
	if (data_sz > DATA_MAX)
		goto out;
	data = calloc(1, data_sz);
	memcpy(data, in + n, len - n < data_sz ? len - n : data_sz);
	if (!image_check_data(meta, data, true, NULL))
		image_try(&(struct image){ meta, (const struct set_data *)data });
out:
	free(data);
	free(mem);
	return 0;
}
