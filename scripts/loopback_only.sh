#!/bin/sh
# Runs a command in a network namespace of its own, with the loopback interface and nothing else.
# Beam's servers in Java listen on all addresses and have no option for it; in there, all addresses
# are loopback ones. Linux only; no root needed where users may have namespaces. SHARE_NETWORK=1 runs
# the command without one.
set -eu
case ${SHARE_NETWORK:-0} in
    0) ;;
    1) exec "$@" ;;
    *)
        echo "error: SHARE_NETWORK=$SHARE_NETWORK: expected 0 or 1" >&2
        exit 2
        ;;
esac
for program in unshare ip; do
    command -v $program >/dev/null || {
        echo "error: $program is missing (Debian: apt install util-linux iproute2); without it, set SHARE_NETWORK=1 to let Beam's servers listen on all addresses" >&2
        exit 2
    }
done
unshare --map-root-user --net true 2>/dev/null || {
    echo "error: this system allows no network namespaces; set SHARE_NETWORK=1 to let Beam's servers listen on all addresses" >&2
    exit 2
}
exec unshare --map-root-user --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
