/* cluster_daemons.c - daemons in nodes, as the host sees them: their files, the end of their logs, their ports */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/cluster/daemons_impl.h"

/* A path in the node is in the folder of the node or of the last mount that covers it. */
static void test_files(void **state)
{
	static char *mounts[] = { "/srv/a:/tmp/a:ro", "/srv/b:/tmp/a/b", "/srv/log:/var/log" };
	static const struct {
		const char *node, *host;
	} paths[] = {
		{ "/run/ldms/x.conf", "/c/nodes/n1/run/ldms/x.conf" },
		{ "/tmp/x", "/c/nodes/n1/tmp/x" },
		{ "/tmp/a/x", "/srv/a/x" },
		{ "/tmp/a/b/x", "/srv/b/x" },
		{ "/tmp/ab/x", "/c/nodes/n1/tmp/ab/x" },
		{ "/var/log/x", "/srv/log/x" },
		{ "/var/logs", "/var/logs" },
		{ "/etc/hosts", "/etc/hosts" },
	};
	struct cluster_node node = { .name = "n1" };
	struct cluster c = { .dir = "/c", .nodes = &node, .n = 1 };
	struct daemons ds = { .c = &c, .mounts = { mounts, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char *host = daemon_file(&ds, 0, paths[i].node);

		assert_string_equal(host, paths[i].host);
		free(host);
	}
}

/* From where this run began, whole lines, not more than a screenful. */
static void test_log_end(void **state)
{
	char path[] = "/tmp/ldms-log-XXXXXX";
	struct buf b = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "of old\nnew\nlines\n");
	daemon_log_end(path, strlen("of old\n"), &b);
	assert_string_equal(buf_str(&b), "new\nlines\n");
	buf_reset(&b);
	for (int i = 0; i < 1000; i++)
		dprintf(fd, "line %d\n", i);
	daemon_log_end(path, 0, &b);
	assert_true(b.len > 1000 && b.len <= 2000);
	assert_memory_equal(b.p, "line ", 5);
	assert_string_equal(buf_str(&b) + b.len - strlen("line 999\n"), "line 999\n");
	close(fd);
	unlink(path);
	buf_reset(&b);
	daemon_log_end(path, 0, &b);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

/* Only what the process itself listens on counts. */
static void test_ports(void **state)
{
	struct cluster_node node = { .name = "n1", .pid = getpid() };
	struct cluster c = { .nodes = &node, .n = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned short ports[2], missing = 0;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	ports[0] = ports[1] = ntohs(a.sin_port);
	assert_false(ports_listen(&c, 0, getpid(), ports, 2, &missing));
	assert_int_equal(missing, ports[0]);
	assert_int_equal(listen(fd, 1), 0);
	assert_true(ports_listen(&c, 0, getpid(), ports, 2, &missing));
	ports[1] = ports[0] == 1 ? 2 : 1;
	assert_false(ports_listen(&c, 0, getpid(), ports, 2, &missing));
	assert_int_equal(missing, ports[1]);
	assert_true(ports_listen(&c, 0, getpid(), ports, 0, &missing));
	close(fd);
	assert_false(ports_listen(&c, 0, getpid(), ports, 1, &missing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_log_end),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
