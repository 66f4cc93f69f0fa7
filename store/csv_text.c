/* csv_text.c - what files that are there already hold: which header? */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "store/csv.h"

#define TAIL_MAX (8u << 20) /* bytes from the end that are searched for a header; ldmsd writes one at each start */
#define CHUNK    65536

/* -- headers of existing files ------------------------------------------------------------------------------------- */

/* Does this line (with its newline) stand in the file at `off`? */
static bool line_is_at(int fd, off_t off, const struct buf *line)
{
	uint8_t chunk[4096];
	size_t done = 0;

	while (done < line->len) {
		size_t want = line->len - done < sizeof(chunk) ? line->len - done : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, off + (off_t)done);

		if (n <= 0 || memcmp(chunk, line->p + done, (size_t)n))
			return false;
		done += (size_t)n;
	}
	return true;
}

/* The last '#' at the beginning of a line in p[0..n), or -1.  p[0] begins a line when `first`. */
static ssize_t last_header_in(const char *p, size_t n, bool first)
{
	while (n) {
		const char *hash = memrchr(p, '#', n);

		if (!hash)
			break;
		n = (size_t)(hash - p);
		if (n ? hash[-1] == '\n' : first)
			return (ssize_t)n;
	}
	return -1;
}

/* Where the last header of a file of `size` bytes begins: no row begins with '#'.  The file's beginning when there is
 * none in its tail. */
static off_t last_header(int fd, off_t size)
{
	off_t limit = size > TAIL_MAX ? size - TAIL_MAX : 0, end = size;
	char chunk[CHUNK];

	while (end > limit) {
		off_t from = end - limit > CHUNK ? end - CHUNK : limit;
		ssize_t n = pread(fd, chunk, (size_t)(end - from), from), at;

		if (n <= 0)
			return 0;
		at = last_header_in(chunk, (size_t)n, from == 0);
		if (at >= 0)
			return from + at;
		if (from == limit)
			return 0;
		end = from + 1; /* once more the first byte, whose predecessor we have not seen */
	}
	return 0;
}

bool csv_text_is(const char *path, const struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool same;

	if (fd < 0)
		return false;
	same = !fstat(fd, &st) && st.st_size == (off_t)text->len && line_is_at(fd, 0, text);
	close(fd);
	return same;
}

/* Is what the file holds ours to go on with?  Its last header says so, or when it has none, the one beside it. */
bool csv_text_is_ours(int fd, off_t size, const char *path, const struct buf *header)
{
	off_t at = last_header(fd, size);
	char *header_path, first;
	bool ours;

	if (pread(fd, &first, 1, at) == 1 && first == '#')
		return line_is_at(fd, at, header);
	header_path = xasprintf("%s.HEADER", path);
	ours = csv_text_is(header_path, header);
	free(header_path);
	return ours;
}
