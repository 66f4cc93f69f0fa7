/* etcd.c - fuzzes the file that names an etcd cluster: any YAML. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/maestro/etcd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { "" };
	struct etcd *e = NULL;

	if (!etcd_parse("fuzz", (const char *)data, size, &e, &err))
		etcd_close(e);
	else if (!*err.msg)
		abort(); /* a complaint has words */
	return 0;
}
