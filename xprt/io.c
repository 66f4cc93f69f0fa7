/* io.c - see io.h */
#include "xprt/io.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"

/* The loop is about to wait: send what the callbacks of this turn have gathered. */
static void prepare_cb(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct io *io = w->data;
	struct io_flush *f;

	while ((f = TAILQ_FIRST(&io->flushes))) {
		io_flush_del(io, f);
		f->fn(f);
	}
}

static void io_free(void *arg)
{
	struct io *io = arg;

	ev_ref(loop_ev(io->loop));
	ev_prepare_stop(loop_ev(io->loop), &io->prepare);
	if (io->lobby >= 0) {
		ev_ref(loop_ev(io->loop));
		ev_io_stop(loop_ev(io->loop), &io->lobby_io);
		close(io->lobby);
	}
	while (io->spares_n)
		buf_fini(&io->spares[--io->spares_n]);
	buf_fini(&io->text);
	buf_fini(&io->stash);
	free(io->scratch);
	free(io);
}

struct io *io_of(struct loop *l)
{
	struct io *io = loop_io(l);

	if (io)
		return io;
	io = xcalloc(1, sizeof(*io));
	io->loop = l;
	io->lobby = -1;
	io->scratch = xmalloc(IO_SCRATCH);
	TAILQ_INIT(&io->flushes);
	LIST_INIT(&io->xprts);
	LIST_INIT(&io->told);
	TAILQ_INIT(&io->guests);
	ev_prepare_init(&io->prepare, prepare_cb);
	io->prepare.data = io;
	ev_prepare_start(loop_ev(l), &io->prepare);
	ev_unref(loop_ev(l)); /* it alone does not keep the loop turning */
	loop_io_set(l, io, io_free);
	return io;
}

void io_flush_add(struct io *io, struct io_flush *f)
{
	if (f->queued)
		return;
	f->queued = true;
	TAILQ_INSERT_TAIL(&io->flushes, f, entry);
}

void io_flush_del(struct io *io, struct io_flush *f)
{
	if (!f->queued)
		return;
	f->queued = false;
	TAILQ_REMOVE(&io->flushes, f, entry);
}

struct buf io_buf_take(struct io *io)
{
	struct buf b = { 0 };
	struct io_flush *f = TAILQ_FIRST(&io->flushes);

	/* many peers at once: who was first gives his buffer back by sending now */
	if (!io->spares_n && f) {
		io_flush_del(io, f);
		f->fn(f);
	}
	io->lent++;
	if (io->spares_n)
		return io->spares[--io->spares_n];
	buf_reserve(&b, IO_BUF);
	return b;
}

void io_buf_put(struct io *io, struct buf *b)
{
	if (b->p)
		io->lent--;
	if (b->p && b->cap <= IO_BUF_MAX && io->spares_n < IO_SPARES) {
		buf_reset(b);
		io->spares[io->spares_n++] = *b;
		*b = (struct buf){ 0 };
		return;
	}
	buf_fini(b);
}
