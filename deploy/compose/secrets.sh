#!/bin/sh
# Writes the secret files of compose.yaml: the keys from the output of `grantkeeper keys`, and a new password for Redis.
# It changes nothing if one of the files exists, because without the old keys all stored tokens are lost.
set -eu
folder=${1:-$(dirname "$0")/secrets}
keys=$(cat)

# Prints the value of one variable in the output of `grantkeeper keys`.
value_of() {
  value=$(printf '%s\n' "$keys" | sed -n "s/^$1=//p")
  [ -n "$value" ] || { echo "There is no $1=… in the input. Pipe the output of \`grantkeeper keys\` into this script." >&2; exit 1; }
  printf '%s\n' "$value"
}
session_keys=$(value_of SESSION_KEYS)
token_keys=$(value_of TOKEN_KEYS)
# Only hexadecimal digits, which need no encoding in a URL.
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')

for name in session_keys token_keys redis_password redis_url; do
  [ ! -e "$folder/$name" ] || { echo "$folder/$name exists. Keep it, or delete all files there to begin anew." >&2; exit 1; }
done

# The user in the container is another one than yours: it must be able to read the files, and only the folder keeps others out.
mkdir -p "$folder"
chmod 700 "$folder"
umask 022
printf '%s\n' "$session_keys" > "$folder/session_keys"
printf '%s\n' "$token_keys" > "$folder/token_keys"
printf '%s\n' "$password" > "$folder/redis_password"
printf '%s\n' "redis://:$password@redis:6379/0" > "$folder/redis_url"
echo "Wrote session_keys, token_keys, redis_password and redis_url to $folder." >&2
