/* image_file.h - a set image of tests/data/images in memory, in buffers that end where it ends (after cmocka.h) */
#ifndef TESTS_UNIT_IMAGE_FILE_H
#define TESTS_UNIT_IMAGE_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/image.h"

struct image_file {
	struct set_meta *meta;
	uint8_t *data; /* all data elements */
	size_t meta_len, data_len;
};

static inline struct image_file image_file_load(const char *name)
{
	char *path = xasprintf("tests/data/images/%s.bin", name);
	struct image_file im = { 0 };
	struct set_meta head;
	FILE *f = fopen(path, "rb");

	if (!f || fread(&head, META_HDR_SZ, 1, f) != 1)
		fail_msg("%s: cannot read it; run this in the repository's root", path);
	im.meta_len = le32toh(head.meta_sz);
	im.meta = xmalloc(im.meta_len);
	fseek(f, 0, SEEK_END);
	im.data_len = (size_t)ftell(f) - im.meta_len;
	im.data = xmalloc(im.data_len);
	rewind(f);
	if (fread(im.meta, im.meta_len, 1, f) != 1 || fread(im.data, im.data_len, 1, f) != 1)
		fail_msg("%s: cut short", path);
	fclose(f);
	free(path);
	return im;
}

static inline void image_file_fini(struct image_file *im)
{
	free(im->meta);
	free(im->data);
}

/* The k-th data element. */
static inline struct image image_file_elem(const struct image_file *im, uint32_t k)
{
	return (struct image){ im->meta, (const void *)(im->data + (size_t)k * le32toh(im->meta->data_sz)) };
}

#endif
