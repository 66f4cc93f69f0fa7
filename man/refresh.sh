#!/bin/sh
# refresh.sh LDMS - put what LDMS says about its verbs, samplers and stores between the marks of the manuals: behind each
# line `made by `ldms help ...`' goes what that says.
set -e
cd "$(dirname "$0")"
ldms=$1

for page in $(grep -l '^\.\\" made by `ldms ' ./*.[1-9]); do
	awk -v ldms="$ldms" '
		/^\.\\" end of what/ { skip = 0 }
		!skip { print }
		/^\.\\" made by `ldms / {
			split($0, part, "`")
			ask = "'\''" ldms "'\''" substr(part[2], 5)
			while ((ask | getline line) > 0)
				print line
			if (close(ask))
				exit 1
			skip = 1
		}
	' "$page" >"$page.new"
	mv "$page.new" "$page"
done
