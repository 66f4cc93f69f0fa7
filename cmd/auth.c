/* auth.c - `ldms auth`: what authentication needs beforehand; now a secret file for `ovis` */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/base/xalloc.h"
#include "xprt/secret.h"

#define SECRET_BYTES 32 /* random ones; each is two characters of the word */

struct auth_opts {
	bool force, help;
};

#define AT(field) offsetof(struct auth_opts, field)
static const struct opt opts[] = {
	{ 'f', "force", OPT_FLAG, NULL, AT(force), "replace FILE if it is there" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_auth = {
	.synopsis = "ldms auth gen [--force] FILE",
	.brief = "make a secret for authentication ovis",
	.about = "Writes a new random secret word to FILE, which only its owner may read.  The same file goes to every "
		 "host whose daemons and tools are to trust each other.",
	.opts = opts,
	.examples = "ldms auth gen /etc/ldmsauth.conf\n"
		    "ldms samp -a ovis -A conf=/etc/ldmsauth.conf --samp loadavg",
};

/* A line with a word that nobody knows. */
static int secret_line(char *line, size_t cap, struct err *err)
{
	uint8_t bytes[SECRET_BYTES];
	int n;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set(err, -errno, "no random bytes: %s", err_name(errno));
	n = snprintf(line, cap, "%s", SECRET_KEY);
	for (size_t i = 0; i < sizeof(bytes); i++)
		n += snprintf(line + n, cap - (size_t)n, "%02x", bytes[i]);
	snprintf(line + n, cap - (size_t)n, "\n");
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static int write_new(const char *path, const char *text, struct err *err)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST,
			       "%s: is there already; --force replaces it (then every host needs the new one)", path);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s%s", path, err_name(errno),
			       errno == ENOENT ? "; make its folder first" : "");
	if (fchmod(fd, 0600) || write(fd, text, len) != (ssize_t)len || fsync(fd))
		rc = err_set(err, -errno, "%s: cannot be written: %s", path, err_name(errno));
	close(fd);
	if (rc)
		unlink(path);
	return rc;
}

/* Beside the old one, then in its place: whoever reads meanwhile finds one or the other, whole. */
static int replace(const char *path, const char *text, struct err *err)
{
	char *beside = xasprintf("%s.new.%d", path, getpid());
	int rc = write_new(beside, text, err);

	if (!rc && rename(beside, path)) {
		rc = err_set(err, -errno, "%s: cannot be replaced: %s", path, err_name(errno));
		unlink(beside);
	}
	free(beside);
	return rc;
}

static int gen(const char *path, bool force, struct err *err)
{
	char line[sizeof(SECRET_KEY) + 2 * SECRET_BYTES + 1], *full;
	int rc = secret_line(line, sizeof(line), err);

	if (!rc)
		rc = force ? replace(path, line, err) : write_new(path, line, err);
	explicit_bzero(line, sizeof(line));
	if (rc)
		return rc;
	full = realpath(path, NULL);
	printf("%s: a new secret, mode 0600.\n"
	       "Copy it to every host, owned by the user that runs the daemon or the tool there, mode 0600.  Then:\n"
	       "  ldms samp -a ovis -A conf=%s ...\n"
	       "  ldms ls -a ovis -A conf=%s\n",
	       path, full ? full : path, full ? full : path);
	free(full);
	return 0;
}

int cmd_auth(int argc, char **argv)
{
	struct auth_opts o = { 0 };
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n >= 0 && o.help) {
		opt_help(stdout, &usage_auth);
		return 0;
	}
	if (n >= 0 && (n != 2 || strcmp(argv[1], "gen")))
		n = err_set(&err, -EINVAL,
			    n && strcmp(argv[1], "gen")
				    ? "'%s' is no action; write `ldms auth gen FILE`"
				    : "which file? Write `ldms auth gen FILE`; `ldms help auth` says more",
			    n ? argv[1] : "");
	else if (n >= 0)
		n = gen(argv[2], o.force, &err);
	if (n < 0)
		fprintf(stderr, "ldms auth: %s\n", err.msg);
	return n < 0;
}
