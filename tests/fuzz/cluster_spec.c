/* cluster_spec.c - fuzzes specifications of virtual clusters: any YAML or JSON, its templates and references, what is
 * written for ldmsd and Slurm. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/cluster/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct buf b = { 0 };
	struct err err = { "" };
	struct spec *s = NULL;

	if (!spec_parse("fuzz", text, strlen(text), &s, &err)) {
		if (spec_slurm_head(s))
			spec_slurm_conf(s, &b);
		spec_free(s);
	} else if (!*err.msg) {
		abort(); /* a complaint has words */
	}
	buf_fini(&b);
	free(text);
	return 0;
}
