/* samp_hw.c - the samplers of hardware that is plain files: sensors, energy, networks, ZFS; devices that come and go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

static void put(struct fixture *f, const char *text, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	sysroot_make(f->root, path, text);
}

static bool there(struct fixture *f, const char *name)
{
	struct set *set = setdb_find(f->env.sets, name);

	set_put(set);
	return set;
}

/* Member m of the record of a list that has this text in one of its members; fails when there is none. */
static struct value member(struct fixture *f, const char *list, const char *text, const char *m)
{
	const struct image *im = &f->sn->im;
	struct value v = value(f, list);

	for (struct list_it it = list_first(v); it.off; it = list_next(im, it)) {
		struct value rec = list_value(im, it);
		uint32_t type = record_type_of(rec), card = record_card(im->meta, type);
		bool found = false;
		int at = -1;

		for (uint32_t i = 0; i < card; i++) {
			struct value one = record_value(im, rec, i);
			const char *p;

			if (!strcmp(record_member(im->meta, type, i).name, m))
				at = (int)i;
			if (one.type == V_CHAR_ARRAY && value_text(one, &p) == strlen(text) &&
			    !strncmp(p, text, strlen(text)))
				found = true;
		}
		if (found && at >= 0)
			return record_value(im, rec, (uint32_t)at);
	}
	fail_msg("%s: no record of %s with %s", list, text, m);
	return v;
}

static double number(struct fixture *f, const char *list, const char *text, const char *m)
{
	return value_d64(member(f, list, text, m), 0);
}

static void check_word(struct fixture *f, const char *list, const char *text, const char *m, const char *want)
{
	const char *p;
	size_t len = value_text(member(f, list, text, m), &p);

	if (len != strlen(want) || memcmp(p, want, len))
		fail_msg("%s of %s: %.*s, not %s", m, text, (int)len, p, want);
}

/* -- coretemp ------------------------------------------------------------------------------------------------------ */

#define PLATFORM "/sys/devices/platform"

static void core_put(struct fixture *f, int package, int core, const char *temp)
{
	char label[24];

	snprintf(label, sizeof(label), "Core %d\n", core);
	put(f, temp, PLATFORM "/coretemp.%d/hwmon/hwmon%d/temp%d_input", package, package + 2, core);
	put(f, label, PLATFORM "/coretemp.%d/hwmon/hwmon%d/temp%d_label", package, package + 2, core);
	put(f, "84000\n", PLATFORM "/coretemp.%d/hwmon/hwmon%d/temp%d_max", package, package + 2, core);
	put(f, "100000\n", PLATFORM "/coretemp.%d/hwmon/hwmon%d/temp%d_crit", package, package + 2, core);
	put(f, "1\n", PLATFORM "/coretemp.%d/hwmon/hwmon%d/temp%d_crit_alarm", package, package + 2, core);
}

static void test_coretemp(void **state)
{
	struct fixture *f = *state;
	struct err err;

	put(f, "", PLATFORM "/other/x");
	assert_int_equal(try_config(f, "coretemp", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "has no coretemp.N"));
	core_put(f, 0, 2, "45000\n");
	core_put(f, 0, 10, "46000\n");
	core_put(f, 10, 1, "-5500\n");
	core_put(f, 1, 1, "48000\n");
	config(f, "coretemp", "");
	sample(f, "node-1/coretemp");
	check_digest(f, "coretemp", "2CAFD02F53B6B804931B6AA3B4D91DFAD9FC7488B1F944D417BC040DF0A0199E");
	/* 67 is the C of the label */
	check_records(f, "core_list", " 2 67 84 100 1 45| 10 67 84 100 1 46| 1 67 84 100 1 48| 1 67 84 100 1 -5.5");
	assert_int_equal(number(f, "core_list", "Core 10", "package_no"), 0);
	core_put(f, 0, 2, "99000\n"); /* stays what it was in ldmsd */
	sample(f, "node-1/coretemp");
	assert_true(number(f, "core_list", "Core 2", "current_temp") == 99);

	/* a package goes; the sensors of another are others */
	sysroot_del_tree(f->root, PLATFORM "/coretemp.10");
	sysroot_put(f->root, PLATFORM "/coretemp.1/hwmon/hwmon3/temp1_input", "");
	sample(f, "node-1/coretemp");
	assert_int_equal(list_len(value(f, "core_list")), 2);
	for (int i = 20; i < 40; i++)
		core_put(f, 2, i, "1000\n");
	sample(f, "node-1/coretemp");
	assert_int_equal(list_len(value(f, "core_list")), 22);
	assert_int_equal(status(f).errors, 0);
}

/* -- hwmon --------------------------------------------------------------------------------------------------------- */

#define HWMON "/sys/class/hwmon"

static void test_hwmon(void **state)
{
	static const char *const files[][2] = {
		{ "name", "nct6775\n" },         { "temp1_input", "-1500\n" },   { "temp1_label", "SYSTIN \n" },
		{ "in0_input", "1008\n" },       { "fan2_input", "1234\n" },     { "power1_average", "4500000\n" },
		{ "power2_input", "1000000\n" }, { "curr1_input", "250\n" },     { "energy1_input", "5000000\n" },
		{ "freq1_input", "1000000\n" },  { "humidity1_input", "500\n" }, { "pwm1", "255\n" },
		{ "temp1_max", "80000\n" },      { "intrusion0_alarm", "0\n" },  { "power2_average", "7\n" },
	};
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "hwmon", "required=true", &err), -ENOENT);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		put(f, files[i][1], HWMON "/hwmon1/%s", files[i][0]);
	put(f, "nvme\n", HWMON "/hwmon0/name");
	put(f, "35850\n", HWMON "/hwmon0/temp1_input");
	config(f, "hwmon", "");
	sample(f, "node-1/hwmon");
	assert_int_equal(list_len(value(f, "hwmon_list")), 10);
	assert_true(number(f, "hwmon_list", "nvme", "value") == 35.85);
	check_word(f, "hwmon_list", "SYSTIN", "unit", "C");
	check_word(f, "hwmon_list", "SYSTIN", "device", "hwmon1");
	assert_true(number(f, "hwmon_list", "SYSTIN", "value") == -1.5);
	assert_true(number(f, "hwmon_list", "in0", "value") == 1.008);
	assert_true(number(f, "hwmon_list", "fan2", "value") == 1234);
	check_word(f, "hwmon_list", "fan2", "unit", "RPM");
	assert_true(number(f, "hwmon_list", "power1", "value") == 4.5);
	assert_true(number(f, "hwmon_list", "power2", "value") == 1);
	assert_true(number(f, "hwmon_list", "curr1", "value") == 0.25);
	assert_true(number(f, "hwmon_list", "energy1", "value") == 5);
	assert_true(number(f, "hwmon_list", "freq1", "value") == 1000000);
	assert_true(number(f, "hwmon_list", "humidity1", "value") == 0.5);

	/* one that sleeps; a chip that goes; one that comes */
	sysroot_put(f->root, HWMON "/hwmon1/fan2_input", "");
	sysroot_del_tree(f->root, HWMON "/hwmon0");
	put(f, "amdgpu\n", HWMON "/hwmon2/name");
	put(f, "50000\n", HWMON "/hwmon2/temp1_input");
	put(f, "edge\n", HWMON "/hwmon2/temp1_label");
	sample(f, "node-1/hwmon");
	assert_int_equal(list_len(value(f, "hwmon_list")), 9);
	assert_true(number(f, "hwmon_list", "edge", "value") == 50);
	/* the driver is loaded anew, and numbers its devices in another order */
	sysroot_del_tree(f->root, HWMON "/hwmon2");
	put(f, "spd5118\n", HWMON "/hwmon2/name");
	put(f, "30000\n", HWMON "/hwmon2/temp1_input");
	sysroot_put(f->root, HWMON "/hwmon1/fan2_input", "77\n");
	sample(f, "node-1/hwmon");
	assert_true(number(f, "hwmon_list", "fan2", "value") == 77);
	assert_int_equal(status(f).errors, 0);
	stop(f);

	config(f, "hwmon", "chips=nvme,spd5118");
	sample(f, "node-1/hwmon");
	assert_int_equal(list_len(value(f, "hwmon_list")), 1);
	stop(f);
	for (int i = 0; i < 60; i++)
		put(f, "1\n", HWMON "/hwmon3/in%d_input", i);
	config(f, "hwmon", "");
	sample(f, "node-1/hwmon");
	for (int i = 60; i < 300; i++)
		put(f, "1\n", HWMON "/hwmon4/in%d_input", i);
	sample(f, "node-1/hwmon"); /* made anew: they did not fit */
	assert_int_equal(list_len(value(f, "hwmon_list")), 10 + 300);
}

/* -- rapl ---------------------------------------------------------------------------------------------------------- */

#define RAPL "/sys/class/powercap/intel-rapl"

static void zone_put(struct fixture *f, const char *zone, const char *name, const char *energy)
{
	put(f, name, RAPL "%s/name", zone);
	put(f, "1000\n", RAPL "%s/max_energy_range_uj", zone);
	put(f, energy, RAPL "%s/energy_uj", zone);
}

static void test_rapl(void **state)
{
	struct fixture *f = *state;
	struct err err;

	put(f, "1\n", RAPL "/enabled");
	put(f, "1\n", "/sys/class/powercap/dtpm/enabled");
	zone_put(f, ":0", "package-0\n", "100\n");
	zone_put(f, ":1", "package-1\n", "900\n");
	zone_put(f, ":0:0", "core\n", "50\n");
	zone_put(f, ":1:0", "dram\n", "7\n");
	config(f, "rapl", "");
	sample(f, "node-1/rapl");
	assert_int_equal(list_len(value(f, "rapl_list")), 4);
	assert_true(number(f, "rapl_list", "intel-rapl:1", "energy") == 900);
	assert_true(number(f, "rapl_list", "intel-rapl:1", "power") == 0);
	check_word(f, "rapl_list", "intel-rapl:1:0", "package", "package-1");
	check_word(f, "rapl_list", "intel-rapl:1:0", "name", "dram");
	check_word(f, "rapl_list", "intel-rapl:1", "package", "package-1");
	zone_put(f, ":1", "package-1\n", "50\n"); /* round: 100 to the end, 50 on */
	zone_put(f, ":0", "package-0\n", "101\n");
	sample(f, "node-1/rapl");
	assert_true(number(f, "rapl_list", "intel-rapl:1", "energy") == 1050);
	assert_true(number(f, "rapl_list", "intel-rapl:1", "power") > 0);
	assert_true(number(f, "rapl_list", "intel-rapl:0", "energy") == 101);
	zone_put(f, ":1", "package-1\n", "40\n"); /* once more */
	sysroot_del_tree(f->root, RAPL ":0:0");
	sample(f, "node-1/rapl");
	assert_true(number(f, "rapl_list", "intel-rapl:1", "energy") == 2040);
	assert_int_equal(list_len(value(f, "rapl_list")), 3);
	zone_put(f, ":0", "package-0\n", "\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, RAPL ":0/energy_uj: begins with no number"));
	stop(f);
	sysroot_del_tree(f->root, "/sys/class/powercap");
	put(f, "1\n", "/sys/class/powercap/dtpm/enabled");
	assert_int_equal(try_config(f, "rapl", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "has no intel-rapl:N"));
}

/* -- InfiniBand and Omni-Path -------------------------------------------------------------------------------------- */

#define IB "/sys/class/infiniband"

static void port_put(struct fixture *f, const char *ca, int port, const char *data)
{
	put(f, data, IB "/%s/ports/%d/counters/port_xmit_data", ca, port);
	put(f, "5\n", IB "/%s/ports/%d/counters/symbol_error", ca, port);
	put(f, "6\n", IB "/%s/ports/%d/counters/unicast_rcv_packets", ca, port);
	put(f, "7\n", IB "/%s/ports/%d/counters/VL15_dropped", ca, port);
}

static void test_sysclassib(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "sysclassib", "required=true", &err), -ENOENT);
	assert_int_equal(try_config(f, "sysclassib", "metrics_type=3", &err), -EINVAL);
	port_put(f, "mlx5_0", 1, "1000\n");
	port_put(f, "mlx5_1", 1, "2000\n");
	port_put(f, "mlx5_1", 2, "3000\n");
	put(f, "99999999999\n", IB "/mlx5_1/ports/2/counters_ext/port_xmit_data_64");
	config(f, "sysclassib", "");
	sample(f, "node-1/sysclassib");
	assert_string_equal(image_schema(f->sn->im.meta), "sysclassib");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3 * 2 * 22);
	check_u64(f, "ib.port_xmit_data#mlx5_0.1", 1000);
	check_u64(f, "ib.port_xmit_data#mlx5_1.2", 99999999999);
	check_u64(f, "ib.port_unicast_rcv_packets#mlx5_1.1", 6);
	check_u64(f, "ib.VL15_dropped#mlx5_1.1", 7);
	check_u64(f, "ib.COUNTER_SELECT2_F#mlx5_1.1", 0);
	check_u64(f, "ib.port_xmit_wait#mlx5_1.1", 0);
	assert_int_equal(value(f, "ib.port_xmit_data.rate#mlx5_0.1").type, V_F32);
	assert_true(value_d64(value(f, "ib.port_xmit_data.rate#mlx5_0.1"), 0) == 0);
	port_put(f, "mlx5_0", 1, "1100\n");
	sample(f, "node-1/sysclassib");
	check_u64(f, "ib.port_xmit_data#mlx5_0.1", 1100);
	assert_true(value_d64(value(f, "ib.port_xmit_data.rate#mlx5_0.1"), 0) > 0);
	assert_true(value_d64(value(f, "ib.symbol_error.rate#mlx5_0.1"), 0) == 0);
	sysroot_del_tree(f->root, IB "/mlx5_0");
	sample(f, "node-1/sysclassib");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 2 * 2 * 22);
	port_put(f, "hfi1_0", 1, "5\n");
	sample(f, "node-1/sysclassib");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3 * 2 * 22);
	stop(f);

	config(f, "sysclassib", "ports=mlx5_1.2,mlx9_0.1 metrics_type=1");
	sample(f, "node-1/sysclassib");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 22);
	check_u64(f, "ib.symbol_error#mlx5_1.2", 5);
	stop(f);
	config(f, "sysclassib", "ports=* metrics_type=2");
	sample(f, "node-1/sysclassib");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3 * 22);
	stop(f);
	assert_int_equal(try_config(f, "sysclassib", "required=true ports=mlx5_7.1", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "ports=mlx5_7.1: no port of that name"));
}

static void test_opa2(void **state)
{
	struct fixture *f = *state;
	struct err err;

	port_put(f, "mlx5_0", 1, "1\n");
	assert_int_equal(try_config(f, "opa2", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "has no hfi1_N"));
	port_put(f, "hfi1_0", 1, "1000\n");
	config(f, "opa2", "instance=ignored");
	sample(f, "node-1/hfi1_0/1");
	assert_string_equal(image_schema(f->sn->im.meta), "opa2");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 2 + 8);
	check_u64(f, "port_xmit_data", 1000);
	check_u64(f, "port_unicast_rcv_packets", 6);
	assert_int_equal(value_u64(value(f, "port"), 0), 1);
	port_put(f, "hfi1_1", 1, "2000\n");
	sample(f, "node-1/hfi1_1/1");
	check_u64(f, "port_xmit_data", 2000);
	sysroot_del_tree(f->root, IB "/hfi1_0");
	sample(f, "node-1/hfi1_1/1");
	assert_false(there(f, "node-1/hfi1_0/1"));
	port_put(f, "hfi1_1", 1, "x\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
}

/* -- zfs ----------------------------------------------------------------------------------------------------------- */

#define KSTAT "/proc/spl/kstat/zfs"
#define ARC                                                                                                            \
	"13 1 0x01 123 33456 4534563 %d\nname                            type data\n"                                  \
	"hits                            4    %d\nmisses                          4    7\nmemory_available_bytes     " \
	"     3    9\n"

static void arc_put(struct fixture *f, int hits, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text), ARC "%s", 1000 + hits, hits, more);
	put(f, text, KSTAT "/arcstats");
}

static void objset_put(struct fixture *f, const char *pool, int n, int reads)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "31 1 0x01 7 2160 1 2\nname                            type data\ndataset_name                    7   "
		 " %s/d\n"
		 "writes                          4    2\nnwritten                        4    4096\n"
		 "reads                           4    %d\nnread                           4    100\nnunlinks 4 1\n",
		 pool, reads);
	put(f, text, KSTAT "/%s/objset-0x%x", pool, n);
}

static void test_zfs(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "zfs", "required=true", &err), -ENOENT);
	arc_put(f, 12345, "");
	put(f, "ONLINE\n", KSTAT "/tank/state");
	objset_put(f, "tank", 0x36, 10);
	objset_put(f, "tank", 0x37, 20);
	config(f, "zfs", "");
	sample(f, "node-1/zfs/arc");
	assert_string_equal(image_schema(f->sn->im.meta), "zfs_arc");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3);
	check_u64(f, "hits", 12345);
	check_u64(f, "memory_available_bytes", 9);
	arc_put(f, 2000000, "");
	sample(f, "node-1/zfs/arc");
	check_u64(f, "hits", 2000000);
	arc_put(f, 5, "l2_hits                         4    8\n");
	sample(f, "node-1/zfs/arc");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 4);
	check_u64(f, "l2_hits", 8);
	look(f, "node-1/zfs/pools");
	assert_string_equal(image_schema(f->sn->im.meta), "zfs_pools");
	check_word(f, "pool_list", "tank", "state", "ONLINE");
	assert_true(number(f, "pool_list", "tank", "reads") == 30);
	assert_true(number(f, "pool_list", "tank", "nread") == 200);
	assert_true(number(f, "pool_list", "tank", "writes") == 4);
	assert_true(number(f, "pool_list", "tank", "nwritten") == 8192);
	assert_true(number(f, "pool_list", "tank", "datasets") == 2);

	/* a dataset is unmounted, a pool imported, and exported */
	sysroot_del(f->root, KSTAT "/tank/objset-0x37");
	put(f, "DEGRADED\n", KSTAT "/dozer/state");
	sample(f, "node-1/zfs/pools");
	assert_true(number(f, "pool_list", "tank", "reads") == 10);
	check_word(f, "pool_list", "dozer", "state", "DEGRADED");
	assert_true(number(f, "pool_list", "dozer", "datasets") == 0);
	sysroot_del_tree(f->root, KSTAT "/dozer");
	for (int i = 0; i < 300; i++) /* more than descriptors are kept */
		objset_put(f, "tank", i, 1);
	sample(f, "node-1/zfs/pools");
	assert_int_equal(list_len(value(f, "pool_list")), 1);
	assert_true(number(f, "pool_list", "tank", "datasets") == 300);
	assert_int_equal(status(f).errors, 0);
	sysroot_put(f->root, KSTAT "/arcstats", "x\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
}

/* -- Slingshot ----------------------------------------------------------------------------------------------------- */

#define CXI "/sys/class/cxi"

static void nic_put(struct fixture *f, const char *name, const char *ok)
{
	static const char *const others[] = { "hni_rx_ok_64", "hni_rx_paused_0", "atu_x", "reset_counters" };

	put(f, ok, CXI "/%s/device/telemetry/hni_tx_ok_64", name);
	for (int i = 0; i < 4; i++)
		put(f, "5@1.1", CXI "/%s/device/telemetry/%s", name, others[i]);
	for (int i = 0; i < 10; i++)
		put(f, i ? "9\n" : "0\n", CXI "/%s/device/link_restarts/time_%d", name, i);
	put(f, "7\n", "/var/run/cxi/%s/nack_resource_busy", name);
	put(f, "8\n", "/var/run/cxi/%s/nacks", name);
	put(f, "8\n", "/var/run/cxi/%s/config/x", name);
}

static void test_cxi(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "cxi_sampler", "required=true", &err), -ENOENT);
	nic_put(f, "cxi0", "100@1690000000.123");
	config(f, "cxi_sampler", "");
	sample(f, "node-1/cxi_sampler");
	check_digest(f, "cxi_sampler", "4C81CC647179EEFCACA7632E7A1C89FA4D63C2BD1DE857CFFF0AAE294AF584DC");
	check_records(f, "tel_list", "cxi0");
	check_records(f, "rh_list", "cxi0");
	stop(f);

	config(f, "cxi_sampler", "tel_counters=hni_.*_64,derived:link_restarts,nosuch rh_counters=nacks");
	sample(f, "node-1/cxi_sampler");
	check_digest(f, "cxi_sampler", "B9DF0E0D8340F45DB3440AA9219A695A45A2683D3B67E526D49CB27F51B36EAB");
	check_records(f, "tel_list", "cxi0 5 100 9");
	check_records(f, "rh_list", "cxi0 8");
	nic_put(f, "cxi1", "200\n");
	put(f, "10\n", CXI "/cxi0/device/link_restarts/time_3");
	sample(f, "node-1/cxi_sampler");
	check_records(f, "tel_list", "cxi0 5 100 10|cxi1 5 200 9");
	check_records(f, "rh_list", "cxi0 8|cxi1 8");
	sysroot_del_tree(f->root, CXI "/cxi0");
	sysroot_del_tree(f->root, "/var/run/cxi/cxi0");
	sample(f, "node-1/cxi_sampler");
	check_records(f, "tel_list", "cxi1 5 200 9");
	check_records(f, "rh_list", "cxi1 8");
	assert_int_equal(status(f).errors, 0);
	stop(f);

	/* expressions match whole names, in their order; a file may hold them */
	put(f, "# these\nhni_tx.*\n  .*\nhni.*\n", "/etc/counters");
	{
		char *conf =
			xasprintf("tel_counters_file=%s/etc/counters rh_counters=reset.*,.* tel_path=" CXI, f->root);

		config(f, "cxi_sampler", conf);
		free(conf);
	}
	sample(f, "node-1/cxi_sampler");
	check_records(f, "tel_list", "cxi1 200 5 5 5");
	check_records(f, "rh_list", "cxi1 7 8");
	stop(f);
	config(f, "cxi_sampler", "tel_counters=ok");
	sample(f, "node-1/cxi_sampler");
	check_records(f, "tel_list", "cxi1");
	stop(f);

	/* a retry handler that comes later */
	sysroot_del_tree(f->root, "/var/run");
	config(f, "cxi_sampler", "rh_counters=nacks");
	sample(f, "node-1/cxi_sampler");
	check_records(f, "rh_list", "");
	nic_put(f, "cxi1", "1\n");
	sample(f, "node-1/cxi_sampler");
	check_records(f, "rh_list", "cxi1 8");
	stop(f);
	assert_int_equal(try_config(f, "cxi_sampler", "tel_counters=a(b", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "tel_counters=: "));
	assert_int_equal(try_config(f, "cxi_sampler", "rh_counters_file=/nowhere/at/all", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "rh_counters_file=/nowhere/at/all: cannot be opened"));
}

static void test_slingshot_metrics(void **state)
{
	struct fixture *f = *state;
	struct err err;

	nic_put(f, "cxi0", "100@1");
	nic_put(f, "cxi1", "200@1");
	config(f, "slingshot_metrics", "counters=atu_x,group:hni refresh_interval_sec=600");
	sample(f, "node-1/slingshot_metrics");
	assert_string_equal(image_schema(f->sn->im.meta), "slingshot_metrics");
	check_records(f, "nics", "cxi0 5 5 5 100|cxi1 5 5 5 200");
	stop(f);
	config(f, "slingshot_metrics", "");
	sample(f, "node-1/slingshot_metrics");
	check_records(f, "nics", "cxi0 5 5 5 100|cxi1 5 5 5 200");
	stop(f);
	assert_int_equal(try_config(f, "slingshot_metrics", "counters=group:ext2", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "counters=group:ext2: sysfs does not tell this group"));
	assert_int_equal(try_config(f, "slingshot_metrics", "required=true counters=nosuch", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "counters=nosuch: no interface has them"));
}

static void test_slingshot_info(void **state)
{
	static const char *const files[][2] = {
		{ "fru/part_number", "P43012-001\n" },
		{ "fru/serial_number", "GS1\n" },
		{ "uc/qspi_blob_version", "1.5.41\n" },
		{ "properties/nid", "1963\n" },
		{ "properties/pid_granule", "256\n" },
		{ "net/hsn0/address", "02:00:00:00:07:ab\n" },
		{ "properties/current_esm_link_speed", "x\n" },
		{ "net/hsn0/mtu", "9000\n" },
		{ "net/hsn0/operstate", "up\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		put(f, files[i][1], CXI "/cxi0/device/%s", files[i][0]);
	put(f, "", CXI "/cxi1/device/uevent");
	config(f, "slingshot_info", "");
	sample(f, "node-1/slingshot_info");
	assert_int_equal(list_len(value(f, "nics")), 2);
	check_word(f, "nics", "cxi0", "interface", "hsn0");
	check_word(f, "nics", "cxi0", "part_number", "P43012-001");
	check_word(f, "nics", "cxi0", "mac", "02:00:00:00:07:ab");
	check_word(f, "nics", "cxi0", "link_state", "up");
	assert_true(number(f, "nics", "cxi0", "nid") == 1963);
	assert_true(number(f, "nics", "cxi0", "pid_granule") == 256);
	assert_true(number(f, "nics", "cxi0", "link_mtu") == 9000);
	check_word(f, "nics", "cxi1", "serial_number", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_coretemp),       T(test_hwmon), T(test_rapl), T(test_sysclassib),
		T(test_opa2),           T(test_zfs),   T(test_cxi),  T(test_slingshot_metrics),
		T(test_slingshot_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
