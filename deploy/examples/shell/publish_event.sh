#!/bin/sh
# Publish a disconnect event from a shell: publish_event.sh EMAIL [GOOGLE_ID]
#
# Needs rabbitmqadmin, which RabbitMQ's management plugin serves at /cli/rabbitmqadmin. Which broker and
# user it speaks to is its own matter: put its options into RABBITMQADMIN, such as
#   RABBITMQADMIN="rabbitmqadmin --host=127.0.0.1 --vhost=production --username=upstream --password=…"
set -eu

email=$1
google_id=${2:+\"$2\"}
id=evt_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# What stands in the arguments must need no escaping in JSON: no quote and no backslash.
case $email${2-} in *[\"\\]*) echo "a quote or a backslash in the arguments" >&2; exit 2 ;; esac

event='{"id":"'$id'","event_type":"user.calendar.disconnected","timestamp":"'$now'","api_version":"v1",
"data":{"user_email":"'$email'","google_id":'${google_id:-null}',"provider":"google",
"disconnected_at":"'$now'","reason":"user_requested"}}'

# Through standard input, so that no address stands in the list of processes.
said=$(printf '%s' "$event" | ${RABBITMQADMIN:-rabbitmqadmin} publish \
  exchange=calendar.events routing_key=user.calendar.disconnected \
  properties='{"delivery_mode":2,"content_type":"application/json","message_id":"'$id'"}')

case $said in
  *"NOT routed"*) echo "no queue took the event: run 'fanout migrate', publish again" >&2; exit 1 ;;
esac
echo "$id"
