/* fault_net.c - faults of wires: ports that are off, packets that are dropped (nft), late or few (tc).
 *
 * A node's wire has two ends: what comes to the node leaves the end at the bridge, what goes leaves the end in the node.
 * Queues work where packets leave, so that both ends get one.  Who may not reach whom is told the bridge, which sees
 * every packet once.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/fault.h"
#include "core/cluster/impl.h"
#include "core/cluster/net.h"
#include "core/cluster/report.h"

#define TABLE      "ldms"
#define SAID_MAX   300  /* bytes of what a tool said */
#define BURST_MIN  5000 /* bytes: some packets of full size */
#define BURST_DIV  800  /* 10 ms of the rate: 1/8 for bytes, 1/100 of a second */
#define LATENCY_MS 50   /* that long a packet waits for its turn before it is dropped */

/* -- a tool runs in a network -------------------------------------------------------------------------------------- */

struct tool {
	const char *const *argv;
	const char *package; /* that has it */
};

static const struct tool nft = { (const char *const[]){ "nft", "-f", "-", NULL }, "nftables" };
static const struct tool tc = { (const char *const[]){ "tc", "-batch", "-", NULL }, "iproute2" };

/* In a process of its own: the network and, where that is needed, the user of keeper or node; the files stay ours. */
static int enter(const struct cluster *c, pid_t pid, uint64_t born, struct err *err)
{
	int fd = proc_pidfd(pid, born), rc = fd < 0 ? fd : 0;

	if (!rc && setns(fd, CLONE_NEWNET | (c->user ? CLONE_NEWUSER : 0)))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc ? err_set(err, rc, "the network of process %d of cluster %s cannot be entered: %s", (int)pid, c->name,
			    err_name(rc))
		  : 0;
}

static void become(const struct tool *t, const int *io, struct err *err)
{
	if (dup2(io[0], 0) >= 0 && dup2(io[1], 1) >= 0 && dup2(io[1], 2) >= 0)
		execvp(t->argv[0], (char *const *)(uintptr_t)t->argv);
	err_set(err, -errno, "%s cannot be started: %s; install the package %s", t->argv[0], err_name(errno),
		t->package);
}

/* What it said, in one line. */
static void said(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[n < 0 ? 0 : n] = '\0';
	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
}

static int io_open(const struct buf *input, int *io)
{
	io[0] = memfd_create("in", MFD_CLOEXEC);
	io[1] = io[0] < 0 ? -1 : memfd_create("out", MFD_CLOEXEC);
	if (io[1] < 0)
		return -errno;
	return pwrite(io[0], input->p, input->len, 0) == (ssize_t)input->len ? 0 : -EIO;
}

/* Run it with this input in the network of that process; -EPERM with what it said when it does not like that. */
static int tool_run(const struct cluster *c, pid_t pid, uint64_t born, const struct tool *t, const struct buf *input,
		    struct err *err)
{
	int sv[2], io[2] = { -1, -1 }, rc = report_pair(sv, err), status = 0;
	char words[SAID_MAX];
	struct report r;
	pid_t child;

	if (rc)
		return rc;
	rc = io_open(input, io);
	child = rc ? -1 : fork();
	if (!child) {
		struct err why = { "" };

		if (!enter(c, pid, born, &why))
			become(t, io, &why);
		report_send(sv[1], 0, -EIO, &why);
		_exit(1);
	}
	close(sv[1]);
	if (child < 0)
		rc = err_set(err, rc ? rc : -errno, "%s cannot be started: %s", t->argv[0], err_name(rc ? rc : errno));
	else if (!report_receive(sv[0], &r, &(pid_t){ 0 }))
		rc = err_set(err, r.rc, "%s", r.msg);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc && status) {
		said(io[1], words, sizeof(words));
		rc = err_set(err, -EPERM, "%s failed: %s", t->argv[0], words);
	}
	close(sv[0]);
	for (int i = 0; i < 2; i++)
		if (io[i] >= 0)
			close(io[i]);
	return rc;
}

/* -- ports --------------------------------------------------------------------------------------------------------- */

static int ports_set(const struct faults *f, const bool *which, struct err *err)
{
	struct net net;
	char port[32];
	int rc = net_open(&net, err);

	for (size_t i = 0; i < f->n && !rc; i++)
		if (which[i])
			rc = net_port_set(&net, net_port(i, port), !f->nodes[i].cut, err);
	net_close(&net);
	return rc;
}

static int ports_apply(const struct cluster *c, const struct faults *f, const bool *which, struct err *err)
{
	int sv[2], rc = report_pair(sv, err);
	struct report r;
	pid_t child;

	if (rc)
		return rc;
	child = fork();
	if (!child) {
		struct err why = { "" };

		rc = enter(c, c->keeper, c->born, &why);
		if (!rc)
			rc = ports_set(f, which, &why);
		report_send(sv[1], 0, rc, &why);
		_exit(0);
	}
	close(sv[1]);
	if (child < 0)
		rc = err_set(err, -errno, "no process more: %s", err_name(errno));
	else
		rc = report_receive(sv[0], &r, &(pid_t){ 0 });
	if (!rc && r.rc)
		rc = err_set(err, r.rc, "%s", r.msg);
	else if (rc == -EPIPE)
		rc = err_set(err, rc, "cluster %s: its ports were not set: the process ended", c->name);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	close(sv[0]);
	return rc;
}

/* -- who reaches whom ---------------------------------------------------------------------------------------------- */

static void put_ports(const struct faults *f, const uint8_t *split, enum fault_side side, struct buf *to)
{
	const char *between = "{ ";
	char port[32];

	for (size_t i = 0; i < f->n; i++)
		if (split[i] == side) {
			buf_addf(to, "%s\"%s\"", between, net_port(i, port));
			between = ", ";
		}
	buf_addf(to, " }");
}

static void put_split(const struct faults *f, const uint8_t *split, enum fault_side from, enum fault_side to_side,
		      struct buf *to)
{
	buf_addf(to, "\t\tiifname ");
	put_ports(f, split, from, to);
	buf_addf(to, " oifname ");
	put_ports(f, split, to_side, to);
	buf_addf(to, " counter drop\n");
}

/* The whole table: what was there before is replaced in one step. */
static bool rules_put(const struct faults *f, struct buf *to)
{
	bool any = f->n_splits;
	char port[32];

	buf_addf(to, "add table bridge " TABLE "\ndelete table bridge " TABLE "\n");
	buf_addf(to, "table bridge " TABLE " {\n\tchain faults {\n\t\ttype filter hook forward priority 0;\n");
	for (size_t i = 0; i < f->n_splits; i++) {
		put_split(f, f->splits[i], SIDE_A, SIDE_B, to);
		put_split(f, f->splits[i], SIDE_B, SIDE_A, to);
	}
	for (size_t i = 0; i < f->n; i++) {
		if (!f->nodes[i].loss_ppm)
			continue;
		any = true;
		for (int in = 0; in < 2; in++) {
			buf_addf(to, "\t\t%s \"%s\" ", in ? "iifname" : "oifname", net_port(i, port));
			if (f->nodes[i].loss_ppm < FAULT_PPM)
				buf_addf(to, "numgen random mod %d < %u ", FAULT_PPM, f->nodes[i].loss_ppm);
			buf_addf(to, "counter drop\n");
		}
	}
	buf_addf(to, "\t}\n}\n");
	return any;
}

static int rules_apply(const struct cluster *c, const struct faults *was, const struct faults *f, struct err *err)
{
	struct buf b = { 0 }, before = { 0 };
	bool any = rules_put(f, &b), had = rules_put(was, &before);
	int rc = 0;

	/* nft is wanted only where there is something to say */
	if ((any || had) && (b.len != before.len || memcmp(b.p, before.p, b.len)))
		rc = tool_run(c, c->keeper, c->born, &nft, &b, err);
	buf_fini(&b);
	buf_fini(&before);
	return rc;
}

/* -- late and few -------------------------------------------------------------------------------------------------- */

static bool has_queue(const struct fault_node *n)
{
	return n->delay_us || n->bits;
}

static void queue_put(const char *dev, const struct fault_node *was, const struct fault_node *n, struct buf *to)
{
	uint64_t burst = n->bits / BURST_DIV > BURST_MIN ? n->bits / BURST_DIV : BURST_MIN;

	if (has_queue(was))
		buf_addf(to, "qdisc del dev %s root\n", dev);
	if (n->delay_us) {
		buf_addf(to, "qdisc add dev %s root netem delay %lldus %lldus", dev, (long long)n->delay_us,
			 (long long)n->jitter_us);
		if (n->bits)
			buf_addf(to, " rate %llubit", (unsigned long long)n->bits);
		buf_addf(to, "\n");
	} else if (n->bits) {
		buf_addf(to, "qdisc add dev %s root tbf rate %llubit burst %llu latency %dms\n", dev,
			 (unsigned long long)n->bits, (unsigned long long)burst, LATENCY_MS);
	}
}

static bool queue_differs(const struct fault_node *a, const struct fault_node *b)
{
	return a->delay_us != b->delay_us || a->jitter_us != b->jitter_us || a->bits != b->bits;
}

static int queue_failed(int rc, struct err *err)
{
	if (err &&
	    (strstr(err->msg, "kind is unknown") || strstr(err->msg, "qdisc kind") || strstr(err->msg, "No such file")))
		return err_set(
			err, -EOPNOTSUPP,
			"this machine's kernel cannot delay packets: it has no netem; load the module sch_netem, or "
			"run the "
			"cluster in a virtual machine whose kernel has it, as those of distributions do; cut, loss, "
			"bandwidth and pause work here");
	return rc;
}

static int queues_apply(const struct cluster *c, const struct faults *was, const struct faults *f, const bool *which,
			struct err *err)
{
	struct buf b = { 0 };
	char port[32];
	bool delays = false;
	int rc = 0;

	for (size_t i = 0; i < f->n; i++)
		if (which[i] && queue_differs(&was->nodes[i], &f->nodes[i])) {
			queue_put(net_port(i, port), &was->nodes[i], &f->nodes[i], &b);
			delays |= f->nodes[i].delay_us;
		}
	if (b.len)
		rc = tool_run(c, c->keeper, c->born, &tc, &b, err);
	for (size_t i = 0; i < f->n && !rc; i++) {
		if (!which[i] || !queue_differs(&was->nodes[i], &f->nodes[i]))
			continue;
		buf_reset(&b);
		queue_put(NET_ETH, &was->nodes[i], &f->nodes[i], &b);
		rc = tool_run(c, c->nodes[i].pid, c->nodes[i].born, &tc, &b, err);
	}
	buf_fini(&b);
	return rc && delays ? queue_failed(rc, err) : rc;
}

int fault_net_apply(const struct cluster *c, const struct faults *was, const struct faults *f, const bool *which,
		    struct err *err)
{
	int rc = ports_apply(c, f, which, err);

	if (!rc)
		rc = rules_apply(c, was, f, err);
	if (!rc)
		rc = queues_apply(c, was, f, which, err);
	return rc;
}
