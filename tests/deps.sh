#!/bin/sh
# deps.sh have|install GROUP...  - the packages that building and testing need, on Debian and Ubuntu
#
# have: exit 1 and name what is missing.  install: get what is missing with apt-get (root or sudo).
# Groups: build (compiler, libraries), edit (what the build can do without), test (unit and integration tests, manuals'
# lint), sinks (databases that rows are stored in), kafka (who reads topics, and what a real broker runs on), cluster (what
# virtual clusters run beside LDMS), vm (the small virtual machine for what this kernel lacks); tests that need something of
# the last four are skipped without.
verb=$1
shift
packages() {
	case $1 in
	build) echo gcc:bin make:bin pkg-config:bin libc6-dev:h:stdio.h libev-dev:h:ev.h nettle-dev:h:nettle/sha2.h uthash-dev:h:uthash.h libyaml-dev:h:yaml.h libmunge-dev:h:munge.h libjansson-dev:h:jansson.h ;;
	edit) echo libedit-dev:h:histedit.h libsqlite3-dev:h:sqlite3.h libcurl4-openssl-dev:h:curl/curl.h zlib1g-dev:h:zlib.h librdkafka-dev:h:librdkafka/rdkafka.h ;; # the prompt of `ldms ctl`; the embedded store; HTTP: stores influx and remote_write, the sampler prom; the Kafka stores
	test) echo libcmocka-dev:h:cmocka.h python3:bin python3-pytest:py:pytest mandoc:bin munge:bin faketime:bin iproute2:bin:ip nftables:bin:nft iputils-ping:bin:ping ;;
	sinks) echo victoria-metrics:bin influxdb:bin:influxd openssl:bin ;;
	vm) echo qemu-system-x86:bin:qemu-system-x86_64 busybox-static:bin:busybox cpio:bin kmod:bin:depmod iproute2:bin:tc ;;
	cluster) echo etcd-server:bin:etcd etcd-client:bin:etcdctl slurmctld:bin slurmd:bin slurm-client:bin:srun prometheus-node-exporter:bin ;;
	kafka) echo kcat:bin default-jre-headless:bin:java openssl:bin ;;
	*) echo "deps.sh: no group $1" >&2; exit 2 ;;
	esac
}
there() { # package:kind:what; a program is most often called as its package
	pkg=${1%%:*}
	rest=${1#*:}
	program=${rest#bin:}
	case ${rest%%:*} in
	bin) case $pkg in pkg-config) command -v pkg-config || command -v pkgconf ;; *) [ "$program" != bin ] || program=$pkg; PATH=$PATH:/usr/sbin:/sbin command -v "$program" ;; esac ;;
	h) printf '#include <stddef.h>\n#include <stdarg.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <%s>\n' "${rest#h:}" | ${CC:-cc} -E - ;;
	py) python3 -c "import ${rest#py:}" ;;
	esac >/dev/null 2>&1
}
missing=
for g in "$@"; do
	for p in $(packages "$g"); do
		there "$p" || missing="$missing ${p%%:*}"
	done
done
[ -n "$missing" ] || exit 0
if [ "$verb" = have ]; then
	echo "missing packages:$missing" >&2
	exit 1
fi
command -v apt-get >/dev/null || { echo "missing:$missing; install them with your system's package manager" >&2; exit 1; }
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing:$missing"
# what is installed for tests is started by them, not by its package
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root sh -c "cat >$policy && chmod 755 $policy"
	trap '$as_root rm -f $policy' EXIT
fi
$as_root apt-get -q update >/dev/null
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 install $missing >/dev/null || {
	echo "apt-get could not install:$missing" >&2
	exit 1
}
