#!/usr/bin/env bash
# package.sh
# Makes the Debian package of the dev program, installs it in a folder of its own, looks at its files, and
# removes it. Needs root.

set -eu
cd "$(dirname "$0")/.."
netns-scripts/install-missing dpkg-deb:dpkg gzip:gzip node:nodejs tshark:tshark

fail() {
    echo "$*" >&2
    exit 1
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg/"{info,updates,triggers}
touch "$root/var/lib/dpkg/status"
# The folder has no other package. The programs that a lab needs are those of the machine.
in_root() {
    dpkg --root="$root" --force-depends "$@" >"$root/said" 2>&1 || fail "dpkg $*: $(cat "$root/said")"
}

package=$(.ci/deb --dev)
in_root --install "$package"
"$root/usr/bin/eidway" --version | grep -qx 'eidway [0-9.]*' || fail "the program does not tell its version"
gzip -dc "$root/usr/share/man/man1/eidway.1.gz" | grep -q '^\.TH eidway 1' || fail "no manual page"
bash -n "$root/usr/share/bash-completion/completions/eidway"
grep -q '^#compdef eidway' "$root/usr/share/zsh/vendor-completions/_eidway" || fail "no completions of zsh"
grep -q 'complete -c eidway' "$root/usr/share/fish/vendor_completions.d/eidway.fish" ||
    fail "no completions of fish"
wireshark=$root/usr/lib/x86_64-linux-gnu/wireshark
# A capture file without packets: tshark refuses fields that no dissector has.
printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0' >"$root/empty.pcap"
tshark -X "lua_script:$wireshark/plugins/eidway.lua" -T fields -e eidway.message -r "$root/empty.pcap" 2>"$root/said" ||
    fail "tshark does not read the dissector: $(cat "$root/said")"
grep -qx "exec /usr/bin/eidway extcap \"\$@\"" "$wireshark/extcap/eidway" || fail "no extcap script"
[ -x "$wireshark/extcap/eidway" ] || fail "the extcap script cannot be run"
# The labs and the page come with the package.
(cd / && EIDWAY_PAGE="$root/usr/share/eidway/page.html" "$root/usr/bin/eidway" lab page two-sites \
    -o "$root/two-sites.html" >/dev/null)
(cd / && "$root/usr/bin/eidway" lab ping two-sites A B --sim >/dev/null) || fail "no ping on the simulator"

in_root --purge eidway
left=$(find "$root/usr" -type f 2>/dev/null || true)
[ -z "$left" ] || fail "left behind: $left"
echo "the package installs, works and leaves nothing"
