#!/bin/sh
# documents.sh itself: what a document shows and what it does not.
documents=$(dirname "$0")/documents.sh
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
failures=0

# check pass|fail SHOWN-LINES: of a command that prints 1 to 5.
check() {
  printf '<!-- shown by: seq 5 -->\n```\n%b\n```\n' "$2" >"$folder/document.md"
  if sh "$documents" /bin "$folder" "$folder/document.md" >/dev/null; then found=pass; else found=fail; fi
  if [ "$found" != "$1" ]; then
    echo "expected to $1: $2"
    failures=$((failures + 1))
  fi
}

check pass '1\n2\n3\n4\n5'
check pass '$ seq 5\n2\n3'
check pass '1\n...\n4\n...'
check fail '1\n3'
check fail '1\n...\n6'
check fail '5\n4'
exit $((failures > 0))
