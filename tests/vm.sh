#!/bin/sh
# vm.sh - a small virtual machine, for what the kernel of this one lacks (netem: delay and loss on a network)
#
#	vm.sh wanted			exit 0 when this machine's kernel has no netem (or we may not use it)
#	vm.sh fetch			get the kernel, once; exit 1 with the reason when that cannot be
#	vm.sh boot OUT [OPTIONS]	run the machine in the foreground; OUT is a folder, new or left by another one
#	vm.sh do OUT CMD...		run a command of the shell in it: its output, and its exit status; one at a time
#	vm.sh down OUT			end it: boot returns
#	vm.sh run OUT [OPTIONS] -- CMD...	all of it
#
# OPTIONS: -m MEMORY (1G) -c CPUS (2) -t SECONDS, after which it is ended (600) -n HOSTNAME (vm)
#
# No image is built: the machine sees this machine's files at the same places, as they were when it began, and may write
# anywhere; that is gone when it ends.  /out is OUT, and stays.  Its kernel is Debian's, unpacked and not installed, in
# $LDMS_VM_CACHE (build/vm of the tree).  It needs no privilege and no KVM: three seconds to boot, all of it emulated.
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${LDMS_VM_CACHE:-$root/build/vm}
PATH=$PATH:/usr/sbin:/sbin
modules="crc32_generic crc32c_generic libcrc32c virtio_pci 9pnet_virtio 9p overlay af_packet dummy veth bridge 8021q
	tun ifb sch_netem sch_tbf sch_htb sch_ingress cls_u32 act_mirred ipv6"
limit=600 memory=1G cpus=2 name=vm
poll=0.05 # seconds between looks for an answer

die() {
	echo "vm.sh: $*" >&2
	exit 1
}

# In a network of its own, also without being root.
wanted() {
	! unshare -rn sh -c 'ip link set lo up && tc qdisc add dev lo root netem delay 1ms' >/dev/null 2>&1
}

# -- the kernel, and what it boots into: the first process, and the modules that it needs to see our files -----------

kernel() { # into the folder $1
	pkg=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
	[ -n "$pkg" ] || die "there is no package linux-image-amd64 to take a kernel from (Debian has it; apt-get update?)"
	(cd "$1" && apt-get -q download "$pkg" >apt.log 2>&1) ||
		die "the package $pkg cannot be downloaded: $(tail -n 1 "$1/apt.log")"
	(cd "$1" && dpkg-deb --fsys-tarfile "$pkg"*.deb | tar x --wildcards './boot/vmlinuz*' './lib/modules/*' &&
		mv boot/vmlinuz-* vmlinuz && rm -r "$pkg"*.deb boot apt.log) || die "the package $pkg does not unpack"
}

initrd() { # into the folder $1, from the modules there
	w=$1/initrd version=$(ls "$1/lib/modules")
	depmod -b "$1" "$version"
	mkdir -p "$w/bin" "$w/dev" "$w/proc" "$w/sys" "$w/low" "$w/up" "$w/new" "$w/mod"
	cp "$(command -v busybox)" "$w/bin/busybox"
	: >"$w/mod/list"
	for m in $modules; do
		modprobe -S "$version" -d "$1" --show-depends "$m" 2>/dev/null
	done | awk '$1 == "insmod" { print $2 }' | while read -r file; do
		b=$(basename "$file")
		[ -e "$w/mod/$b" ] || { cp "$file" "$w/mod/" && echo "$b" >>"$w/mod/list"; }
	done
	first >"$w/init"
	serve >"$w/serve"
	chmod 755 "$w/init"
	(cd "$w" && find . | cpio -o -H newc --quiet | gzip -1) >"$1/initrd.gz" || die "no initrd could be made"
	rm -r "$w" "$1/lib"
}

first() { # the first process
	cat <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
while read m; do insmod /mod/$m || echo "vm.sh: insmod $m failed"; done </mod/list
nine=trans=virtio,version=9p2000.L,msize=262144
mount -t 9p -o $nine,ro,cache=loose root /low || { echo "vm.sh: no root"; reboot -f; }
mount -t tmpfs up /up; mkdir -p /up/u /up/w
mount -t overlay -o lowerdir=/low,upperdir=/up/u,workdir=/up/w root /new || { echo "vm.sh: no overlay"; reboot -f; }
mkdir -p /new/out; mount -t 9p -o $nine out /new/out || { echo "vm.sh: no /out"; reboot -f; }
for d in proc sys dev; do mkdir -p /new/$d; mount --move /$d /new/$d; done
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts pts /new/dev/pts; mount -t tmpfs shm /new/dev/shm; mount -t tmpfs run /new/run
ip link set lo up
for a in $(cat /new/proc/cmdline); do case $a in host=*) hostname ${a#host=};; esac; done
exec switch_root /new /bin/sh -c "$(cat /serve)"
INIT
}

serve() { # what it becomes when the files are together
	cat <<'SERVE'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
echo up >/out/up
n=0
while [ ! -e /out/down ]; do
	if [ ! -e /out/$n.ready ]; then sleep 0.05; continue; fi
	/bin/sh /out/$n.cmd </dev/null >/out/$n.log 2>&1
	echo $? >/out/$n.rc; echo >/out/$n.done
	n=$((n + 1))
done
sync
busybox reboot -f
SERVE
}

fetch() {
	[ "$(uname -m)" = x86_64 ] || die "there is no kernel for a $(uname -m) here; the small machine is x86_64"
	for c in qemu-system-x86_64 busybox cpio depmod; do
		command -v $c >/dev/null || die "$c is not here; run: tests/deps.sh install vm"
	done
	recipe=$( (echo "$modules" && first && serve) | cksum)
	[ "$(cat "$cache/recipe" 2>/dev/null)" = "$recipe" ] && return
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new.XXXXXX") || die "$cache cannot be written"
	trap 'rm -rf "$new"' EXIT
	kernel "$new"
	initrd "$new"
	# another one may have done the same meanwhile
	mv -f "$new/vmlinuz" "$cache/vmlinuz" && mv -f "$new/initrd.gz" "$cache/initrd.gz" && echo "$recipe" >"$cache/recipe"
	rm -rf "$new"
	trap - EXIT
}

# -- running it ------------------------------------------------------------------------------------------------------

# Options; the words behind them are left in $rest.
options() {
	while [ $# -gt 0 ]; do
		case $1 in
		-m) memory=$2 ;;
		-c) cpus=$2 ;;
		-t) limit=$2 ;;
		-n) name=$2 ;;
		--) shift && rest=$* && return ;;
		*) die "boot: $1 is no option" ;;
		esac
		shift 2
	done
}

boot() { # becomes it
	mkdir -p "$out"
	rm -f "$out"/*.cmd "$out"/*.ready "$out"/*.rc "$out"/*.log "$out"/*.done "$out/up" "$out/down" "$out/console"
	echo $$ >"$out/pid"
	exec timeout "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp "$cpus" -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot -kernel "$cache/vmlinuz" -initrd "$cache/initrd.gz" \
		-append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on tsc=reliable no_timer_check rdinit=/init host=$name" \
		-serial "file:$out/console" \
		-fsdev local,id=r,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=r,mount_tag=root \
		-fsdev "local,id=o,path=$out,security_model=none" -device virtio-9p-pci,fsdev=o,mount_tag=out </dev/null
}

runs() { # and has not ended unnoticed by who began it
	grep -q '^State:[[:space:]]*[^ZX]' "/proc/$(cat "$out/pid")/status" 2>/dev/null
}

await() { # a file in OUT
	until [ -e "$out/$1" ]; do
		runs || die "the machine has ended; its console is $out/console"
		sleep $poll
	done
}

order() { # in the folder that we are in
	n=0
	while [ -e "$out/$n.cmd" ]; do n=$((n + 1)); done
	printf 'cd "%s" || exit 125\n%s\n' "$(pwd)" "$*" >"$out/$n.cmd"
	: >"$out/$n.ready"
	await $n.done
	cat "$out/$n.log"
	return "$(cat "$out/$n.rc")"
}

verb=$1
[ $# -eq 0 ] || shift
case $verb in
boot | do | down | run)
	[ $# -gt 0 ] || die "$verb: OUT is missing"
	mkdir -p "$1" && out=$(cd "$1" && pwd) || die "$1 cannot be made"
	shift
	;;
esac
case $verb in
wanted) wanted ;;
fetch) fetch ;;
boot) options "$@" && fetch && boot ;;
do) await up && order "$@" ;;
down) : >"$out/down" ;;
run)
	options "$@"
	fetch
	rm -f "$out/up"
	sh "$0" boot "$out" -m "$memory" -c "$cpus" -t "$limit" -n "$name" &
	echo $! >"$out/pid"
	(await up && order "$rest")
	rc=$?
	: >"$out/down"
	wait
	exit $rc
	;;
*) sed -n '2,/^root=/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
