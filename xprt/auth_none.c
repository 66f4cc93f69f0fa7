/* auth_none.c - authentication `none`: everybody is root and nothing is said. */
#include "xprt/auth.h"

static void none_begin(struct auth_run *a)
{
	auth_approve(a, 0, 0);
}

extern const struct auth_type auth_none; /* auth.c's table */
const struct auth_type auth_none = {
	.name = "none",
	.begin = none_begin,
};
