/* none.c - a store that discards: to measure what comes before it, and to try policies out. */
#include <stdlib.h>
#include <time.h>

#include "core/base/xalloc.h"
#include "store/store.h"

struct none {
	uint64_t delay_us;
};

struct store_sink {
	const struct none *none;
};

static const struct store_attr none_attrs[] = {
	{ "delay", "0", "microseconds that each row takes, for trying out slow stores", "number" },
	{ 0 },
};

static int none_config(struct store *st, struct err *err)
{
	struct none *none = store_state(st);

	return store_attr_u64(st, "delay", 0, &none->delay_us, err);
}

static int none_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct store_sink *sk = xcalloc(1, sizeof(*sk));

	sk->none = store_state(st);
	*ret = sk;
	return 0;
}

static int none_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	const uint64_t us = sk->none->delay_us;
	struct timespec ts = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };

	if (us)
		nanosleep(&ts, NULL);
	return 0;
}

static int none_flush(struct store_sink *sk, struct err *err)
{
	return 0;
}

static void none_close(struct store_sink *sk)
{
	free(sk);
}

static void none_fini(struct store *st)
{
}

static const struct store_to none_to[] = {
	{ .word = "none", .form = "", .help = "nowhere: to measure what comes before" },
	{ 0 },
};

static const struct store_about none_about = {
	.example = "load name=none plugin=none\n"
		   "strgp_add name=none plugin=none container=none regex=.*\n"
		   "strgp_start name=none\n",
	.flush = "all that comes is stored at once, nowhere",
	.once = "nothing is kept",
};

const struct store_type store_none = {
	.name = "none",
	.brief = "discards all rows",
	.about = &none_about,
	.to = none_to,
	.attrs = none_attrs,
	.state_size = sizeof(struct none),
	.config = none_config,
	.open = none_open,
	.row = none_row,
	.flush = none_flush,
	.close = none_close,
	.fini = none_fini,
};
