/* query_time.c - times of `ldms query`, and what its axes make of any range and values */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/query.h"
#include "core/base/xalloc.h"
#include "store/keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), label[QUERY_LABEL_MAX], when[QUERY_TIME_MAX];
	struct err err = { "" };
	struct query_axis a;
	struct keep keep;
	int64_t us, first;
	double v[2];

	if (!query_time_parse(text, INT64_C(1795289466000000), &us, &err)) {
		query_time_text(us, when);
		assert(query_axis_times(us, us + 86400000000, 8, &first) > 0);
		query_axis_time(us, 1, label);
	} else {
		assert(*err.msg);
	}
	keep_parse(text, &keep, &err);
	if (size >= sizeof(v)) {
		memcpy(v, data, sizeof(v));
		if (isfinite(v[0]) && isfinite(v[1]) && fabs(v[0]) < 1e300 && fabs(v[1]) < 1e300) {
			a = query_axis_values(fmin(v[0], v[1]), fmax(v[0], v[1]), 5);
			query_axis_value(v[0], a.step, label);
		}
	}
	free(text);
	return 0;
}
