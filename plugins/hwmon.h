/* hwmon.h - the folders of the kernel's hardware monitoring: files temp1_input, temp1_label, fan2_input ... */
#ifndef PLUGINS_HWMON_H
#define PLUGINS_HWMON_H

#include "core/base/err.h"

struct hwmon_kind {
	const char *name; /* "temp" */
	const char *unit; /* "C" */
	double divisor;   /* of the file's number: 1000 */
};

/* PATH/hwmon/hwmonN, or NULL; yours. */
char *hwmon_below(const char *path);
/* fn for each sensor in the folder, by kind and number. */
int hwmon_sensors(const char *dir,
		  void (*fn)(void *owner, const char *dir, const struct hwmon_kind *kind, unsigned int no), void *owner,
		  struct err *err);

#endif
