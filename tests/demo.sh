#!/bin/sh
# demo.sh - real metrics from a sampler through an aggregator into the embedded store, until Ctrl-C or for DEMO_S seconds
cd "$(dirname "$0")/.." || exit 2
ldms=$PWD/${BUILD:-build}/ldms
dir=${DEMO_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/ldms-demo.XXXXXX")}
db=$dir/ldms.db
rows() { "$ldms" query "$db" "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + $$ % 20000 + $1)); }
p1=$(free_port 1) p2=$(free_port 2)
wait_until() { # COMMAND: until it succeeds, 10 s at most
	i=0
	until eval "$1" >/dev/null 2>&1; do
		i=$((i + 1))
		[ $i -lt 100 ] || { echo "demo: gave up waiting for: $1" >&2; cat "$dir"/*.log >&2; kill $agg $samp; exit 1; }
		sleep 0.1
	done
}
"$ldms" samp -x "sock:$p1:127.0.0.1" -n demo-1 --samp "loadavg meminfo vmstat procstat2 procnetdev2" --log-file "$dir/samp.log" &
samp=$!
"$ldms" agg -x "sock:$p2:127.0.0.1" -n demo-agg --prdcr "127.0.0.1:$p1" --offset 200ms \
	--to "sqlite:$db" --log-file "$dir/agg.log" &
agg=$!
finish() {
	trap '' INT TERM
	kill $agg $samp 2>/dev/null
	wait $agg $samp 2>/dev/null
	echo
	echo "== what is stored, in $db"
	rows | grep -v '^ '
	echo "== the newest of loadavg"
	rows loadavg | sed -n '1p;$p'
	rows loadavg --metric load1min,runnable --plot
	echo "more: ldms query $db meminfo --metric Active,MemFree --since 10m --plot"
	exit 0
}
trap finish INT TERM
wait_until "\"$ldms\" ls -h 127.0.0.1 -p $p2 -l demo-1/loadavg | grep -q '^demo-1/loadavg: consistent'"
echo "== a sampler on port $p1, an aggregator on port $p2: what the aggregator has"
"$ldms" ls -h 127.0.0.1 -p "$p2" -v
echo
"$ldms" ls -h 127.0.0.1 -p "$p2" -l demo-1/loadavg
wait_until "\"$ldms\" query \"$db\" loadavg | grep -q demo-1"
echo "== rows are being stored in $db; $([ -n "$DEMO_S" ] && echo "for $DEMO_S s" || echo "Ctrl-C ends it")"
if [ -n "$DEMO_S" ]; then
	sleep "$DEMO_S" &
	wait $!
	finish
fi
while kill -0 $agg $samp 2>/dev/null; do
	sleep 5 &
	wait $!
	printf 'loadavg: '
	rows loadavg --metric load1min,load5min,load15min --since 1m | tail -n 1
done
echo "demo: a daemon ended by itself; see $dir" >&2
kill $agg $samp 2>/dev/null
exit 1
