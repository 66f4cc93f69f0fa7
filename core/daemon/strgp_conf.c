/* strgp_conf.c - what a storage policy takes: of which producers, which schemas, which metrics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/strgp_impl.h"

/* Lock its configuration for a change; the words are those that ldmsd's tools know. */
static int conf_change(struct strgp *sg, struct err *err)
{
	pthread_mutex_lock(&sg->conf_lock);
	if (strgp_state(sg) == STRGP_STOPPED)
		return 0;
	pthread_mutex_unlock(&sg->conf_lock);
	return err_set(err, -EBUSY, "Configuration changes cannot be made while the storage policy is running.");
}

int strgp_prdcr_add(struct strgp *sg, const char *regex, struct err *err)
{
	struct rx rx;
	int rc = conf_change(sg, err);

	if (rc)
		return rc;
	rc = rx_init(&rx, regex, err);
	if (!rc) {
		sg->prdcrs = xrealloc(sg->prdcrs, (sg->n_prdcrs + 1) * sizeof(*sg->prdcrs));
		sg->prdcrs[sg->n_prdcrs++] = rx;
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc ? err_prefix(err, rc, "storage policy %s: ", sg->conf.name) : 0;
}

int strgp_prdcr_del(struct strgp *sg, const char *regex, struct err *err)
{
	int rc = conf_change(sg, err);
	size_t i;

	if (rc)
		return rc;
	for (i = 0; i < sg->n_prdcrs && strcmp(sg->prdcrs[i].text, regex); i++)
		;
	if (i < sg->n_prdcrs) {
		rx_fini(&sg->prdcrs[i]);
		memmove(&sg->prdcrs[i], &sg->prdcrs[i + 1], (--sg->n_prdcrs - i) * sizeof(*sg->prdcrs));
	} else {
		rc = err_set(err, -ENOENT, "The specified regex does not match any condition.");
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

static size_t metric_index(const struct strgp *sg, const char *metric)
{
	size_t i;

	for (i = 0; i < sg->n_metrics && strcmp(sg->metrics[i], metric); i++)
		;
	return i;
}

int strgp_metric_add(struct strgp *sg, const char *metric, struct err *err)
{
	int rc = conf_change(sg, err);

	if (rc)
		return rc;
	if (sg->conf.decomp) {
		rc = err_set(err, -EINVAL,
			     "strgp '%s': its decomposition says which metrics are stored; change %s, or leave "
			     "decomposition= out",
			     sg->conf.name, sg->conf.decomposition);
	} else if (metric_index(sg, metric) < sg->n_metrics) {
		rc = err_set(err, -EEXIST, "The specified metric is already present.");
	} else {
		sg->metrics = xrealloc(sg->metrics, (sg->n_metrics + 1) * sizeof(*sg->metrics));
		sg->metrics[sg->n_metrics++] = xstrdup(metric);
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

int strgp_metric_del(struct strgp *sg, const char *metric, struct err *err)
{
	int rc = conf_change(sg, err);
	size_t i;

	if (rc)
		return rc;
	i = metric_index(sg, metric);
	if (i < sg->n_metrics) {
		free(sg->metrics[i]);
		memmove(&sg->metrics[i], &sg->metrics[i + 1], (--sg->n_metrics - i) * sizeof(*sg->metrics));
	} else {
		rc = err_set(err, -ENOENT, "The specified metric was not found.");
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

/* Expressions on producers are those of the peer where the policy is: without the mark. */
static bool matches(const struct strgp *sg, const char *prdcr, const char *schema)
{
	if (is_mirrored(prdcr) != is_mirrored(sg->conf.name))
		return false;
	prdcr += is_mirrored(prdcr);
	if (sg->conf.schema && strcmp(sg->conf.schema, schema))
		return false;
	if (sg->conf.schema_regex && !rx_match(&sg->schema_rx, schema))
		return false;
	for (size_t i = 0; i < sg->n_prdcrs; i++)
		if (rx_match(&sg->prdcrs[i], prdcr))
			return true;
	return !sg->n_prdcrs;
}

bool strgp_wants(struct strgp *sg, const char *prdcr, const char *schema, const char *set)
{
	bool wants;

	pthread_mutex_lock(&sg->conf_lock);
	wants = strgp_state(sg) == STRGP_RUNNING && matches(sg, prdcr, schema) && shard_takes(&sg->conf.shard, set);
	pthread_mutex_unlock(&sg->conf_lock);
	return wants;
}
