#!/bin/sh
# run.sh - every fuzz target on its corpus.  Environment: BUILD, RUNS (executions each), F (only this one)
cd "$(dirname "$0")/../.." || exit 2
passed=0 failed=0
for f in "${BUILD:-build}"/fuzz/*; do
	[ -x "$f" ] && [ -f "$f" ] || continue
	name=$(basename "$f")
	[ -z "$F" ] || [ "$F" = "$name" ] || continue
	new=$(mktemp -d)
	if "$f" -runs="${RUNS:-20000}" -max_len=8192 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
		-artifact_prefix="$new/" "$new" "tests/fuzz/corpus/$name" >"$new.log" 2>&1; then
		passed=$((passed + 1))
		echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$new.log") executions, nothing found"
	else
		failed=$((failed + 1))
		tail -n 40 "$new.log"
		echo "fuzz $name: FAILED; the input is in $new"
		continue
	fi
	rm -rf "$new" "$new.log"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
