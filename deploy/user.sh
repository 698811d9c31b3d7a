#!/bin/sh
# user.sh: the user that the server runs as, who may write to its cache and to nothing else.
set -eu
useradd --uid 10001 --user-group --no-log-init --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin faced
mkdir -p /var/cache/faced
chown faced:faced /var/cache/faced
rm -f "$0"
