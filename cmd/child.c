/* child.c - `ldms child`: what a daemon runs for samplers whose libraries may crash or hang (plugins/child.h); nobody
 * types it, so no list of commands shows it
 */
#include "cmd/cmd.h"
#include "plugins/child.h"

const struct cmd_usage usage_child = {
	.synopsis = "ldms child TYPE",
	.about = "A daemon begins this for samplers whose libraries may crash or hang.  It is of no use by hand.",
};

int cmd_child(int argc, char **argv)
{
	return child_main(argc, argv);
}
