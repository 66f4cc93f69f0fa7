/* slingshot_info.c - what Slingshot's network interfaces are and how they are connected, a record for each
 *
 * ldmsd asks libcxi; here it comes from sysfs.  What a driver's version does not tell there is empty or 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/cxi.h"
#include "plugins/dirscan.h"
#include "plugins/sysnum.h"

enum { TEXT = 64 };

#define WORDS(name, help)                                                                                              \
	{                                                                                                              \
		name, V_CHAR_ARRAY, "", METRIC_GAUGE, help, TEXT                                                       \
	}
#define NUMBER(name, help)                                                                                             \
	{                                                                                                              \
		name, V_U32, "", METRIC_GAUGE, help, 1                                                                 \
	}

static const struct metric_def members[] = {
	WORDS("name", "device"),
	WORDS("interface", "network interface"),
	WORDS("fru_description", "what kind of card it is"),
	WORDS("part_number", "of the card"),
	WORDS("serial_number", "of the card"),
	WORDS("firmware_version", "of the card"),
	WORDS("mac", "address of the interface"),
	NUMBER("nid", "number of the interface in the fabric"),
	NUMBER("pid_granule", "process numbers of an endpoint"),
	WORDS("pcie_speed", "of its slot"),
	WORDS("pcie_slot", "which one that is"),
	WORDS("link_layer_retry", "on or off"),
	WORDS("link_loopback", "on or off"),
	WORDS("link_media", "electrical or optical"),
	NUMBER("link_mtu", "bytes of a packet"),
	WORDS("link_speed", "of the link"),
	WORDS("link_state", "up or down"),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { MEMBERS = sizeof(members) / sizeof(*members) - 1, PLACES = 3 };
static const struct rows_type list = { "slingshot", "nics", "", members, MEMBERS };

/* The files of each, below the device's folder, of which the first that is there counts; %s is the interface. */
static const char *const places[MEMBERS][PLACES] = {
	[2] = { "device/fru/description", "device/fru/fru_description" },
	[3] = { "device/fru/part_number" },
	[4] = { "device/fru/serial_number" },
	[5] = { "device/uc/qspi_blob_version", "device/fru/firmware_version" },
	[6] = { "device/net/%s/address" },
	[7] = { "device/properties/nid", "device/properties/nic_addr" },
	[8] = { "device/properties/pid_granule" },
	[9] = { "device/properties/current_esm_link_speed", "device/current_link_speed" },
	[11] = { "device/port/link_layer_retry", "device/port/0/link_layer_retry" },
	[12] = { "device/port/loopback", "device/port/0/loopback" },
	[13] = { "device/port/media", "device/port/0/media" },
	[14] = { "device/net/%s/mtu" },
	[15] = { "device/port/speed", "device/port/0/speed", "device/net/%s/speed" },
	[16] = { "device/port/link", "device/port/0/link", "device/net/%s/operstate" },
};
enum { NAME = 0, INTERFACE = 1, PCIE_SLOT = 10 };

struct nic {
	char *path;
	char name[TEXT];
};

struct slingshot_info {
	struct folder folder;
	struct rows rows;
};

static void nic_end(struct samp *sp, void *item)
{
	struct nic *nic = item;

	(void)sp;
	free(nic->path);
	free(nic);
}

static int nic_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct nic *nic = xcalloc(1, sizeof(*nic));

	(void)sp;
	(void)owner;
	(void)err;
	nic->path = xstrdup(path);
	snprintf(nic->name, sizeof(nic->name), "%.*s", TEXT - 1, name);
	*ret = nic;
	return 0;
}

/* The one that is in device/net. */
static void interface_get(const struct nic *nic, char text[TEXT])
{
	char path[PATH_MAX];
	struct dirscan d;
	int fd;

	memset(text, 0, TEXT);
	snprintf(path, sizeof(path), "%s/device/net", nic->path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	dirscan_begin(&d, fd);
	if (dirscan_next(&d))
		snprintf(text, TEXT, "%.*s", TEXT - 1, d.name);
	close(fd);
}

/* What the link `device` ends in: 0000:dc:00.0 */
static void slot_get(const struct nic *nic, char text[TEXT])
{
	char path[PATH_MAX], to[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/device", nic->path);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = 0;
	slash = strrchr(to, '/');
	snprintf(text, TEXT, "%.*s", TEXT - 1, slash ? slash + 1 : to);
}

static void member_get(const struct nic *nic, int member, const char *interface, char text[TEXT])
{
	memset(text, 0, TEXT);
	for (int k = 0; k < PLACES && places[member][k] && !*text; k++) {
		const char *place = places[member][k], *mark = strstr(place, "%s");
		char path[PATH_MAX];

		if (mark && !*interface)
			continue;
		snprintf(path, sizeof(path), "%s/%.*s%s%s", nic->path, mark ? (int)(mark - place) : (int)strlen(place),
			 place, mark ? interface : "", mark ? mark + 2 : "");
		sysnum_text(path, text, TEXT);
	}
}

static int nic_sample(struct samp *sp, void *item, struct err *err)
{
	struct slingshot_info *si = samp_state(sp);
	const struct nic *nic = item;
	char interface[TEXT], text[TEXT];
	uint8_t *to = rows_next(&si->rows);

	(void)err;
	if (!to)
		return -ENOSPC;
	interface_get(nic, interface);
	for (int i = 0; i < MEMBERS; i++) {
		size_t size = members[i].type == V_U32 ? sizeof(uint64_t) : TEXT;
		uint64_t number;

		member_get(nic, i, interface, text);
		if (i == PCIE_SLOT)
			slot_get(nic, text);
		number = htole64((uint32_t)strtoul(text, NULL, 0));
		memset(to, 0, size);
		if (size == TEXT)
			memcpy(to, i == NAME ? nic->name : i == INTERFACE ? interface : text, TEXT);
		else
			memcpy(to, &number, size);
		to += size;
	}
	return 0;
}

static const struct folder_type nics = {
	.places = (const char *const[]){ CXI_SOURCE, NULL },
	.prefix = "cxi",
	.hint = "has this node Slingshot, and is its driver loaded?",
	.make = nic_make,
	.end = nic_end,
};

static int slingshot_info_open(struct samp *sp, struct err *err)
{
	struct slingshot_info *si = samp_state(sp);
	int rc;

	folder_init(&si->folder, &nics, samp_root(sp), NULL, si);
	rc = folder_look(&si->folder, sp, err);
	if (rc)
		return rc;
	return rows_set_new(&si->rows, sp, "slingshot_info", "", &list, si->folder.names.n, CXI_MIN, err);
}

static int slingshot_info_sample(struct samp *sp, struct err *err)
{
	struct slingshot_info *si = samp_state(sp);
	int rc = folder_look(&si->folder, sp, err);

	if (rc)
		return rc;
	samp_begin(sp, si->rows.set);
	rc = folder_rows(&si->folder, sp, &si->rows, nic_sample, err);
	if (rc == -ESTALE)
		samp_cancel(sp, si->rows.set);
	else
		samp_end(sp, si->rows.set);
	return rc;
}

static void slingshot_info_close(struct samp *sp)
{
	struct slingshot_info *si = samp_state(sp);

	folder_close(&si->folder, sp);
	rows_fini(&si->rows);
}

const struct samp_type samp_slingshot_info = {
	.name = "slingshot_info",
	.brief = "what Slingshot's interfaces are, a record each",
	.source = CXI_SOURCE,
	.metrics = members,
	.state_size = sizeof(struct slingshot_info),
	.open = slingshot_info_open,
	.sample = slingshot_info_sample,
	.close = slingshot_info_close,
};
