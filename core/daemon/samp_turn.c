/* samp_turn.c - an instance's turns: the plugin is opened, sampled, told of messages, and closed, on the thread that runs
 * it; what fails is tried again.  See samp_impl.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/samp_impl.h"

/* A missing source is looked for after so long, then after twice that, and so on; never more often than every interval. */
#define OPEN_RETRY_MIN_US (1 * SEC_US)
#define OPEN_RETRY_MAX_US (60 * SEC_US)
#define RETRY_TEXT        128

/* Only one thread adds to it, others look. */
static void count(atomic_uint_fast64_t *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

void samp_shut(struct samp *sp)
{
	sp->type->close(sp);
	samp_mail_shut(sp);
	samp_sets_free(sp);
	sp->opened = false;
}

/* The line of `config` that is the newest: the plugin takes it. */
static int plugin_more(struct samp *sp, struct err *err)
{
	int rc;

	err->msg[0] = 0;
	sp->set_rc = 0;
	rc = sp->type->more(sp, err);
	return rc && sp->set_rc ? sp->set_rc : rc;
}

static int plugin_open(struct samp *sp, struct err *err)
{
	int rc;

	memset(sp->plugin, 0, sp->type->state_size);
	sp->set_rc = 0;
	rc = sp->n_lines > 1 ? samp_conf_read(sp, &sp->lines[0], err) : 0;
	if (!rc)
		rc = sp->type->open(sp, err);
	for (size_t i = 1; !rc && i < sp->n_lines; i++)
		if (!(rc = samp_conf_read(sp, &sp->lines[i], err)))
			rc = plugin_more(sp, err);
	if (!rc) {
		sp->opened = true;
		sp->retry_us = sp->patience_us = 0;
		return 0;
	}
	if (sp->set_rc)
		rc = sp->set_rc; /* it knows better than the plugin */
	samp_shut(sp);
	sp->patience_us = sp->patience_us ? 2 * sp->patience_us : OPEN_RETRY_MIN_US;
	if (sp->patience_us > OPEN_RETRY_MAX_US)
		sp->patience_us = OPEN_RETRY_MAX_US;
	sp->retry_us = mono_us() + sp->patience_us;
	return rc;
}

/* How often what failed is tried again, in words. */
static const char *retry_text(const struct samp *sp, int64_t interval_us, char text[RETRY_TEXT])
{
	const char *when = interval_us ? "" : "once it is started, ";
	char from[32], to[32];

	unit_time_text(sp->opened || interval_us > OPEN_RETRY_MIN_US ? interval_us : OPEN_RETRY_MIN_US, from);
	unit_time_text(interval_us > OPEN_RETRY_MAX_US ? interval_us : OPEN_RETRY_MAX_US, to);
	if (sp->opened && !interval_us)
		snprintf(text, RETRY_TEXT, "every interval");
	else if (sp->opened || !strcmp(from, to))
		snprintf(text, RETRY_TEXT, "%severy %s", when, from);
	else
		snprintf(text, RETRY_TEXT, "%severy %s, later every %s", when, from, to);
	return text;
}

void samp_degrade(struct samp *sp, const struct err *err)
{
	bool was = atomic_exchange(&sp->degraded, true);
	size_t len = strlen(err->msg);
	int64_t interval_us;
	char retry[RETRY_TEXT];

	pthread_mutex_lock(&sp->lock);
	memcpy(sp->why, err->msg, sizeof(sp->why));
	interval_us = sp->interval_us;
	pthread_mutex_unlock(&sp->lock);
	count(&sp->errors);
	if (was)
		return;
	log_error("sampler", "%s: %s%s retrying %s", sp->name, err->msg, len && err->msg[len - 1] == '?' ? "" : ";",
		  retry_text(sp, interval_us, retry));
}

static void recover(struct samp *sp)
{
	if (!atomic_load_explicit(&sp->degraded, memory_order_relaxed))
		return;
	atomic_store(&sp->degraded, false);
	log_info("sampler", "%s: %s is there again, errors=%llu", sp->name, sp->type->source,
		 (unsigned long long)sp->errors);
}

static int plugin_sample(struct samp *sp, struct err *err)
{
	int rc = sp->type->sample ? sp->type->sample(sp, err) : 0;

	if (rc != -ESTALE)
		return rc;
	log_info("sampler", "%s: %s; its sets are made anew", sp->name, err->msg);
	samp_mail_keep(sp);
	samp_shut(sp);
	rc = plugin_open(sp, err);
	samp_mail_sweep(sp);
	if (!rc)
		rc = sp->type->sample(sp, err);
	return rc == -ESTALE ? -EAGAIN : rc; /* once is enough at a time */
}

int samp_turn(struct samp *sp, bool sample, struct err *err)
{
	int rc;

	err->msg[0] = 0;
	sp->turn++;
	rc = sp->opened ? 0 : plugin_open(sp, err);
	if (!rc && sample)
		rc = plugin_sample(sp, err);
	if (rc && sample)
		samp_degrade(sp, err);
	if (rc || !sample)
		return rc;
	recover(sp);
	count(&sp->samples);
	return 0;
}

void samp_run(struct samp_task *t)
{
	struct samp *sp = samp_of(t);

	samp_mail_deliver(sp);
	if (t->due && sp->more) {
		sp->more = false;
		sp->last_rc = sp->opened ? plugin_more(sp, &sp->last_err) : plugin_open(sp, &sp->last_err);
	} else if (t->due && (sp->opened || mono_us() >= sp->retry_us))
		sp->last_rc = samp_turn(sp, sp->sampling, &sp->last_err);
}

void samp_turn_now(struct samp *sp)
{
	sp->task.due = true;
	samp_run(&sp->task);
	sp->task.due = false;
}

void samp_overdue(struct samp_task *t, int64_t held_us)
{
	struct samp *sp = samp_of(t);
	char held[32];

	if (held_us)
		log_warning("sampler", "%s: its source (%s) has not answered for %s; the others go on", sp->name,
			    sp->type->source, unit_time_text(held_us, held));
	else
		log_info("sampler", "%s: its source (%s) has answered", sp->name, sp->type->source);
}
