#!/bin/sh
# refresh.sh LDMS - put what LDMS says about its verbs and samplers between the marks of the manuals
set -e
cd "$(dirname "$0")"
ldms=$1

refresh() {
	"$ldms" help "$2" >"$1.new"
	awk -v part="$1.new" '
		/^\.\\" end of what/ { skip = 0 }
		!skip { print }
		/^\.\\" made by/ { while ((getline line < part) > 0) print line; skip = 1 }
	' "$1" >"$1.page"
	rm "$1.new"
	mv "$1.page" "$1"
}

refresh ldms.conf.5 --conf
refresh ldms-samplers.7 --samplers
refresh ldms-wire.7 --wire
