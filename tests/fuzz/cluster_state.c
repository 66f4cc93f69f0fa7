/* cluster_state.c - the files of a virtual cluster's folder, and what operators write of faults and mounts
 *
 * Reaches cluster_state_parse(), faults_parse(), faults_put(), faults_heal(), cluster_mount_parse() and the parsers of
 * losses, rates and clocks.  The first byte says which; faults that were read come out as they were read again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/cluster/fault.h"
#include "core/cluster/impl.h"

#define NODES 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cluster *five(void)
{
	struct cluster *c = cluster_new("/base", "c");
	char name[] = "n1";

	for (int i = 0; i < NODES; i++, name[1]++)
		cluster_node_add(c, name, "10.77.1.2", NULL);
	return c;
}

static void try_state(char *text)
{
	struct cluster *c = cluster_new("/base", "c");

	if (!cluster_state_parse(c, text))
		assert(c->keeper > 1 && c->n <= CLUSTER_NODES_MAX);
	cluster_close(c);
}

static void try_faults(char *text)
{
	static const bool some[NODES] = { true, false, true };
	struct cluster *c = five();
	struct buf once = { 0 }, twice = { 0 };
	struct faults f, again;

	if (!faults_parse(c, text, &f, NULL)) {
		char *copy;

		faults_put(c, &f, &once);
		copy = xstrdup(buf_str(&once));
		assert(!faults_parse(c, copy, &again, NULL));
		faults_put(c, &again, &twice);
		assert(!strcmp(buf_str(&once), buf_str(&twice)));
		faults_heal(&again, some);
		faults_fini(&again);
		faults_fini(&f);
		free(copy);
	}
	buf_fini(&once);
	buf_fini(&twice);
	cluster_close(c);
}

static void try_words(const char *text)
{
	struct err err = { "" };
	struct cluster_mount m;
	uint32_t ppm;
	uint64_t bits;
	int64_t s;
	char *copy;

	if (!cluster_mount_parse(text, &m, &copy, &err))
		assert(*m.src && m.dst[0] == '/');
	free(copy);
	assert(fault_loss_parse(text, &ppm, &err) || ppm <= FAULT_PPM);
	assert(fault_rate_parse(text, &bits, &err) || !bits || bits >= 8);
	(void)fault_clock_parse(text, &s, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? xstrndup((const char *)data + 1, size - 1) : NULL;

	switch (size ? data[0] % 3 : -1) {
	case 0:
		try_state(text);
		break;
	case 1:
		try_faults(text);
		break;
	case 2:
		try_words(text);
		break;
	}
	free(text);
	return 0;
}
