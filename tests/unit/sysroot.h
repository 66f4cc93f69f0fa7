/* sysroot.h - a folder that stands for / in a test: begins as a copy of tests/data/proc, and goes away at the end */
#ifndef TESTS_UNIT_SYSROOT_H
#define TESTS_UNIT_SYSROOT_H

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"

static inline char *sysroot_path(const char *root, const char *path)
{
	return xasprintf("%s%s", root, path);
}

/* Replace what the file holds, in place: those who have it open see it. */
static inline void sysroot_put_bytes(const char *root, const char *path, const void *bytes, size_t len)
{
	char *full = sysroot_path(root, path);
	FILE *f = fopen(full, "w");

	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		abort();
	free(full);
}

static inline void sysroot_put(const char *root, const char *path, const char *text)
{
	sysroot_put_bytes(root, path, text, strlen(text));
}

/* The text of a file; yours. */
static inline char *sysroot_get(const char *root, const char *path)
{
	char *full = sysroot_path(root, path), *text = xcalloc(1, 1 << 20);
	FILE *f = fopen(full, "r");

	if (!f)
		abort();
	text[fread(text, 1, (1 << 20) - 1, f)] = 0;
	fclose(f);
	free(full);
	return text;
}

/* The file with all folders above it. */
static inline void sysroot_make(const char *root, const char *path, const char *text)
{
	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		char *dir = xasprintf("%s%.*s", root, (int)(slash - path), path);

		mkdir(dir, 0700);
		free(dir);
	}
	sysroot_put(root, path, text);
}

static inline void sysroot_del(const char *root, const char *path)
{
	char *full = sysroot_path(root, path);

	unlink(full);
	free(full);
}

static inline char *sysroot_new(void)
{
	static const char *const files[] = { "/proc/loadavg", "/proc/meminfo", "/proc/vmstat", "/proc/stat",
					     "/proc/net/dev" };
	static const char *const dirs[] = { "/proc", "/proc/net" };
	const char *tmp = getenv("TMPDIR");
	char *root = xasprintf("%s/sysroot-XXXXXX", tmp ? tmp : "/tmp");

	if (!mkdtemp(root))
		abort();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		char *path = sysroot_path(root, dirs[i]);

		mkdir(path, 0700);
		free(path);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *text = sysroot_get("tests/data", files[i]);

		sysroot_put(root, files[i], text);
		free(text);
	}
	return root;
}

static inline int sysroot_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

/* A folder with all that is in it. */
static inline void sysroot_del_tree(const char *root, const char *path)
{
	char *full = sysroot_path(root, path);

	nftw(full, sysroot_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(full);
}

static inline void sysroot_free(char *root)
{
	nftw(root, sysroot_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(root);
}

#endif
