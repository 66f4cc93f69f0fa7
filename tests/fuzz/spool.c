/* spool.c - feeds a segment of a spool to its reader: records as they stand in the file, torn and spoilt ones.
 *
 * Reaches: core/daemon/spool*.c, core/set/image_check*.c.
 * Input: the file.  What is read, passed as spoilt and cut off must be as many records as there are numbers.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "core/daemon/spool.h"
#include "core/daemon/spool_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* Checksums that fit, where sizes allow: else nothing behind them is reached. */
static void sums_make(uint8_t *p, size_t len)
{
	while (len >= SPOOL_RECORD_HDR) {
		uint32_t size = spool_record_size(p), sum;

		if (!size || size > len)
			return;
		sum = htole32(crc32c(p + 8, size - 8));
		if (!(p[27] & 0x80)) /* the input says which are to be spoilt */
			memcpy(p + 4, &sum, 4);
		p += size;
		len -= size;
	}
}

static void file_write(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, p, len) != (ssize_t)len)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	char dir[] = "/tmp/ldms-fuzz-spool-XXXXXX", path[96], account[64];
	uint8_t *copy = malloc(len + 1);
	uint64_t lost, seen = 0;
	struct spool *sp;
	struct snap *sn;

	log_level_set(LOG_QUIET_);
	memcpy(copy, in, len);
	sums_make(copy, len);
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/0000000000000000.spool", dir);
	snprintf(account, sizeof(account), "%s/account", dir);
	file_write(path, copy, len);
	if (!spool_open(dir, SPOOL_BYTES_MIN, &sp, &lost, NULL)) {
		file_write(path, copy, len); /* the end that was cut off is there again, and is not looked at */
		while (!spool_peek(sp, &sn, NULL) && sn) {
			spool_pass(sp);
			seen++;
		}
		if (seen + spool_spoilt(sp) != spool_tail(sp))
			abort();
		spool_counts(sp)->taken = spool_tail(sp);
		spool_close(sp);
	}
	unlink(path);
	unlink(account);
	rmdir(dir);
	free(copy);
	return 0;
}
