/* ldms.c - finds the subcommand, or the old program that it was called by the name of, and runs it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/old.h"

/* What was printed and did not get there is a failure (a full disk), unless nobody wants it any more. */
static int printed(int rc)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int why = fflush(stdout) ? errno : 0;

	if (rc || (!why && !ferror(stdout)) || (poll(&out, 1, 0) == 1 && out.revents & POLLERR))
		return rc;
	fprintf(stderr, "ldms: standard output is not whole: %s\n", why ? strerror(why) : "it could not be written");
	return 1;
}

static int run(int argc, char **argv)
{
	const char *self = strrchr(argv[0], '/');
	const struct cmd *cmd = old_find(self ? self + 1 : argv[0]);

	if (cmd)
		return cmd->run(argc, argv);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(argc > 1 ? argc - 1 : 0, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return cmd_version(argc - 1, argv + 1);
	cmd = cmd_find(argv[1]);
	if (!cmd)
		return cmd_unknown(argv[1]);
	return cmd->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	return printed(run(argc, argv));
}
