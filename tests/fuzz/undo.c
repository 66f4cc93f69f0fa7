/* undo.c - feeds notes of what was written to their reader, beside the files that they may speak of.
 *
 * Reaches: store/undo_apply.c.
 * Input: three bytes (records taken, tail, how long the file is), then the notes.  No file may grow, and none goes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "store/undo.h"
#include "store/undo_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void file_write(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, p, len) != (ssize_t)len)
		abort();
	close(fd);
}

/* Checksums that fit, the file's own number, and names that are there: else nothing behind them is reached. */
static void notes_mend(uint8_t *p, size_t len, uint64_t ino)
{
	struct undo_head head = { .end = 0 };
	struct undo_note n;

	memcpy(&head, p, len < sizeof(head) ? len : sizeof(head));
	for (size_t at = UNDO_UNIT; at + sizeof(n) <= len; at += n.size) {
		memcpy(&n, p + at, sizeof(n));
		if (n.size < UNDO_UNIT || n.size > len - at)
			return;
		if (!(n.pad[0] & 1) && n.path_len <= n.size - UNDO_UNIT && n.to_len <= n.size - UNDO_UNIT - n.path_len)
			n.sum = crc32c(p + at + UNDO_UNIT, n.path_len + n.to_len);
		if (!(n.pad[0] & 2))
			n.ino = ino;
		if (!(n.pad[0] & 4))
			n.round = head.round;
		memcpy(p + at, &n, sizeof(n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	char dir[] = "/tmp/ldms-fuzz-undo-XXXXXX", text[256];
	uint8_t *notes;
	struct undo *u;
	struct stat st;

	if (len < 3)
		return 0;
	log_level_set(LOG_QUIET_);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 8 ? 'a' : '\n';
	if (!mkdtemp(dir) || chdir(dir))
		abort();
	file_write("a", text, in[2]);
	if (stat("a", &st))
		abort();
	notes = malloc(len);
	memcpy(notes, in + 3, len - 3);
	notes_mend(notes, len - 3, st.st_ino);
	file_write("undo", notes, len - 3);
	if (!undo_open("undo", &u, NULL)) {
		undo_apply(u, in[0], in[1]);
		undo_close(u);
	}
	if (stat("a", &st) || st.st_size > in[2])
		abort();
	free(notes);
	unlink("a");
	unlink("undo");
	if (chdir("/tmp") || rmdir(dir))
		abort();
	return 0;
}
