/* failover.c - what a failover peer says that it has: attributes of its records, and what is made of them.
 *
 * Reaches core/ctl/failover_take.c, failover_keep.c and, through the verbs that it uses, the making of producers, updaters and storage
 * policies.  Input: pieces (feed.h); the selector says what the bytes become: 0 all was told, 1 forget, else the
 * attributes of 0x707, 0x708 or 0x709.
 */
#include "tests/fuzz/feed.h"

#include "core/ctl/failover_keep.h"

#define ATTRS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static struct daemon *d;
	const struct daemon_conf conf = { .name = "fuzz", .draft = true };
	struct rd r = rd_over(in, len);
	struct record_attr attrs[ATTRS_MAX];
	struct failover_keeper *k;
	struct piece p;

	if (!d) {
		log_level_set(LOG_QUIET_);
		if (daemon_new(&conf, &d, NULL))
			abort();
		failover_keep_open(d);
		failover_config(d->failover, &(struct failover_conf){ "h", "sock", "p", 1, 1, 2, true }, NULL);
	}
	k = failover_keeper(d->failover);
	while (feed_piece(&r, &p)) {
		struct err err = { "" };
		int n;

		if (p.sel % 8 == 0) {
			k->told(k);
		} else if (p.sel % 8 == 1) {
			k->forget(k);
		} else {
			n = record_attrs(p.p, p.len, attrs, ATTRS_MAX, &err);
			if (n > 0 && failover_keep_take(d, FAILOVER_CFGPRDCR + p.sel % 3, attrs, n, &err) && !*err.msg)
				abort();
		}
	}
	k->forget(k);
	if (d->prdcrs || d->updtrs || d->strgps)
		abort();
	loop_lock(d->main);
	ev_run(loop_ev(d->main), EVRUN_NOWAIT); /* producers are freed there */
	loop_unlock(d->main);
	return 0;
}
