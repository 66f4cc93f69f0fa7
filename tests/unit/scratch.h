/* scratch.h - a folder for one test, and what is in it. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"

/* Yours. */
static inline char *scratch_new(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/ldms-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!mkdtemp(dir))
		fail_msg("%s: cannot be made", dir);
	return dir;
}

static inline void scratch_free(char *dir)
{
	char *cmd = xasprintf("rm -rf '%s'", dir);

	assert_int_equal(system(cmd), 0);
	free(cmd);
	free(dir);
}

#endif
