#!/bin/sh
# check.sh - what `make check` runs: unit tests, manuals, integration tests; one closing line with the counts
#
# Environment: BUILD (the build folder), T (only tests with that word in their name), SAN (for the sanitizers' options).
cd "$(dirname "$0")/.." || exit 2
B=${BUILD:-build}
passed=0 failed=0 skipped=0
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}" LDMS_BUILD="$B"
wanted() { case $1 in *"$T"*) return 0 ;; esac; return 1; }
count() { # of a cmocka program's output
	ok=$(grep -c '^\[       OK' "$1")
	sk=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$1" | head -n 1)
	passed=$((passed + ok)) skipped=$((skipped + ${sk:-0}))
}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
for t in "$B"/tests/unit/*; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	name=$(basename "$t")
	wanted "unit/$name" || continue
	if "$t" >"$log/$name" 2>&1; then
		count "$log/$name"
		grep -h '^skip' "$log/$name"
	else
		count "$log/$name"
		failed=$((failed + 1))
		echo "FAILED unit/$name:"
		tail -n 60 "$log/$name"
	fi
done
echo "unit tests: $passed passed, $failed failed, $skipped skipped"
for m in man/*.[1-9]; do
	[ -f "$m" ] && wanted "$m" || continue
	if mandoc -Tlint -W warning "$m"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
# They wait for most of their time: two halves of them side by side, each file whole in one.
half() {
	out=$1
	shift
	python3 -m pytest -q -rs -p no:cacheprovider ${T:+-k "$T"} "$@" >"$log/$out" 2>&1
	echo $? >"$log/$out.rc"
}
n() { echo "$last" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p;s/^\([0-9][0-9]*\) $1.*/\1/p" | head -n 1; }
half half1 tests/integration/test_[a-l]*.py &
half half2 tests/integration/test_[!a-l]*.py
wait
for half in half1 half2; do
	cat "$log/$half"
	rc=$(cat "$log/$half.rc") last=$(tail -n 1 "$log/$half")
	p=$(n passed) f=$(n failed) e=$(n error) s=$(n skipped)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0}))
	# 5: no test has the word in its name
	[ "$rc" -eq 0 ] || [ "$rc" -eq 5 ] || [ $((${f:-0} + ${e:-0})) -gt 0 ] || failed=$((failed + 1))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
