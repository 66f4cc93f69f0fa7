/* old_tables.c - what a peer may answer to a control verb, as the old controllers' tables have it.
 *
 * Reaches cmd/old_tables.c with every table.  Input: one byte that chooses the program and the verb, then the answer.
 */
#include <stdint.h>

#include "cmd/old_tables.h"

static const char *const asked[] = { "daemon_status", "plugn_status", "prdcr_set_status", "prdcr_status",
				     "strgp_status",  "updtr_status", "version" };

#define ASKED (sizeof(asked) / sizeof(*asked))

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct buf out = { 0 };

	if (!len)
		return 0;
	old_tables_put(&out, in[0] & 0x80 ? OLD_CTL : OLD_CONTROLLER, asked[(in[0] & 0x7f) % ASKED],
		       (const char *)in + 1, len - 1);
	buf_fini(&out);
	return 0;
}
