#!/usr/bin/env bash
# check.sh
# Everything that must hold before a change goes in: format, lints, and all tests with those in
# namespaces, which need root. Installs what is missing on a Debian machine that has Rust.

set -eu
cd "$(dirname "$0")/.."

netns-scripts/install-missing ip:iproute2 ping:iputils-ping ethtool:ethtool nft:nftables \
    tshark:tshark cc:gcc,libc6-dev setsid:util-linux sysctl:procps tcpdump:tcpdump

echo "== format"
cargo fmt --check
echo "== lints"
cargo clippy --quiet --all-targets -- -D warnings
echo "== tests"
cargo test --quiet
echo "== all good"
