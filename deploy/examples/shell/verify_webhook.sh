#!/bin/sh
# Verify a webhook in a shell, with openssl:
#   WEBHOOK_SECRET=whsec_… verify_webhook.sh ID TIMESTAMP SIGNATURES < raw-body
# Exits with 0 if it is ours, else with 1. For a look by hand: openssl gets the key as an argument, which
# others on the machine can read, and a shell does not compare in constant time.
set -eu

id=$1 timestamp=$2 signatures=$3

age=$(($(date +%s) - timestamp))
if [ "${age#-}" -gt 300 ]; then echo "too old, or from the future" >&2; exit 1; fi

key=$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
right=$({ printf '%s.%s.' "$id" "$timestamp"; cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

for one in $signatures; do # two while a secret is rotated
  if [ "$one" = "v1,$right" ]; then echo "it is ours"; exit 0; fi
done
echo "it is not ours" >&2
exit 1
