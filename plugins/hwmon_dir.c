/* hwmon_dir.c - see hwmon.h */
#include "plugins/hwmon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/dirscan.h"
#include "plugins/proc.h"

static const struct hwmon_kind kinds[] = {
	{ "temp", "C", 1e3 },   { "in", "V", 1e3 },  { "curr", "A", 1e3 },     { "power", "W", 1e6 },
	{ "energy", "J", 1e6 }, { "fan", "RPM", 1 }, { "humidity", "%", 1e3 }, { "freq", "Hz", 1 },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

struct found {
	unsigned int kind, no;
};

char *hwmon_below(const char *path)
{
	char *dir = xasprintf("%s/hwmon", path), *ret = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirscan d;

	if (fd >= 0)
		for (dirscan_begin(&d, fd); !ret && dirscan_next(&d);)
			if (!strncmp(d.name, "hwmon", 5))
				ret = xasprintf("%s/%s", dir, d.name);
	if (fd >= 0)
		close(fd);
	free(dir);
	return ret;
}

/* Is that the file with a sensor's value, KINDn_input?  Some chips of power have KINDn_average alone. */
static bool is_sensor(const char *name, struct found *ret)
{
	size_t n = strcspn(name, "0123456789");
	char *end;

	for (unsigned int k = 0; k < KINDS; k++) {
		if (strlen(kinds[k].name) != n || memcmp(kinds[k].name, name, n) || !name[n])
			continue;
		ret->kind = k;
		ret->no = (unsigned int)strtoul(name + n, &end, 10);
		return !strcmp(end, "_input") || !strcmp(end, "_average");
	}
	return false;
}

static int by_kind(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : (x->no > y->no) - (x->no < y->no);
}

int hwmon_sensors(const char *dir,
		  void (*fn)(void *owner, const char *dir, const struct hwmon_kind *kind, unsigned int no), void *owner,
		  struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct found *v = NULL, one;
	struct dirscan d;
	size_t n = 0;

	if (fd < 0)
		return err_set(err, -errno, "%s: cannot be opened: %s; was the device removed?", dir, err_name(errno));
	for (dirscan_begin(&d, fd); dirscan_next(&d);) {
		if (!is_sensor(d.name, &one))
			continue;
		v = xrealloc(v, (n + 1) * sizeof(*v));
		v[n++] = one;
	}
	close(fd);
	if (n)
		qsort(v, n, sizeof(*v), by_kind);
	for (size_t i = 0; i < n; i++)
		if (!i || by_kind(&v[i - 1], &v[i]))
			fn(owner, dir, &kinds[v[i].kind], v[i].no);
	free(v);
	return 0;
}
