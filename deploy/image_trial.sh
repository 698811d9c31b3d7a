#!/bin/sh
# image_trial.sh ROOT USER ENTRYPOINT HEALTH: the last part of image_proof.py, in namespaces of its own.
set -eu
root=$1 user=$2 entrypoint=$3 health=$4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev"
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/tmp"
# As a new volume: with what the image has there.
volume=$(mktemp -d)
mount -t tmpfs -o nosuid,nodev tmpfs "$volume"
cp --archive "$root/var/cache/faced/." "$volume/"
mount --bind "$volume" "$root/var/cache/faced"
mount -o remount,ro,bind "$root"
ip link set lo up
[ "$(ip -o link | wc -l)" = 1 ]

inside() { chroot --userspec="$user" "$root" "$@"; }
fail() { echo "image-proof: FAILED: $1" >&2; exit 1; }

[ "$(inside id -u)" != 0 ] || fail "the server would run as root"
if inside touch /opt/faced/x 2>/dev/null || inside touch /x 2>/dev/null; then fail "the root can be written"; fi

begun=$(date +%s)
chroot --userspec="$user" "$root" $entrypoint &
server=$!
until inside $health >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || fail "the server ended"
    [ $(($(date +%s) - begun)) -lt 90 ] || fail "not healthy within 90 s"
    sleep 0.5
done
echo "image-proof: healthy after $(($(date +%s) - begun)) s"

inside /opt/faced/bin/python - <<'PYTHON' || fail "no analysis"
import re
from importlib.resources import files
from urllib.request import urlopen

from faced_client import Client

picture = (files("faced_service") / "bench" / "astronaut.jpg").read_bytes()
with Client("localhost:50051") as client:
    (face,) = client.analyze(picture).faces
    print("image-proof: a face at", face.detection.box, face["emotion"].top)
    outcomes = list(client.stream([picture] * 5))
    assert [len(outcome.result.faces) for outcome in outcomes] == [1] * 5, outcomes
page = urlopen("http://localhost:9090/metrics", timeout=5).read().decode()
assert re.search(r'faced_requests_total{[^}]*code="OK",method="Analyze"} 1.0', page), page
PYTHON

kill -TERM "$server"
code=0
wait "$server" || code=$?
[ "$code" = 0 ] || fail "ended with $code on SIGTERM"
echo "image-proof: passed"
