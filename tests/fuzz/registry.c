/* registry.c - what a schema registry answers
 *
 * Reaches: registry_answer_id() and registry_answer_words() of store/registry.c.
 * Input: the body of an answer.
 */
#include <assert.h>

#include "store/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err err = { "" };
	uint32_t id = UINT32_MAX;
	char words[64];

	if (!registry_answer_id((const char *)in, len, &id, &err))
		assert(id <= INT32_MAX);
	else
		assert(*err.msg && id == UINT32_MAX);
	registry_answer_words((const char *)in, len, words, sizeof(words));
	for (const char *p = words; *p; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	return 0;
}
