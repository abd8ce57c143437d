#!/bin/sh
# usage: documents.sh BIN EXAMPLES DOCUMENT...
# Runs what the documents show. A fenced block that follows a line `<!-- shown by: COMMAND -->` must
# hold lines of COMMAND's output, in order; a line `...` stands for any number of lines that are left
# out, and lines that begin with `$ ` are the command as the reader types it. COMMAND runs in an
# empty folder with BIN in the path and EXAMPLES as examples/.
bin=$1 examples=$2
shift 2
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
PATH=$bin:$PATH
failures=0

# Splits a document into $folder/N.command and $folder/N.shown.
split() {
  awk -v folder="$folder" '
    /^<!-- shown by: .* -->$/ {
      name = folder "/" ++count
      print substr($0, 16, length($0) - 19) > (name ".command")
      printf "" > (name ".shown")
      expecting = 1
      next
    }
    /^```/ { inside = expecting; expecting = 0; next }
    inside && !/^\$ / { print > (name ".shown") }' "$1"
}

# Prints the first shown line that the output lacks, and fails then.
lacks() {
  awk 'NR == FNR { shown[++count] = $0; next }
    BEGIN { at = 1 }
    {
      while (shown[at] == "...") { skipping = 1; ++at }
      if (at > count) next
      if ($0 == shown[at]) { ++at; skipping = 0 }
      else if (!skipping && at > 1) exit
    }
    END {
      while (shown[at] == "...") ++at
      if (at <= count) { print shown[at]; exit 0 }
      exit 1
    }' "$1" "$2"
}

for document; do
  rm -rf "${folder:?}"/*
  split "$document"
  for command in "$folder"/*.command; do
    [ -e "$command" ] || continue
    shown=${command%.command}.shown
    rm -rf "$folder/work" && mkdir "$folder/work" && ln -s "$examples" "$folder/work/examples"
    (cd "$folder/work" && sh "$command") >"$folder/output" 2>&1
    if missing=$(lacks "$shown" "$folder/output"); then
      echo "$document: $(cat "$command")"
      echo "  does not print, where it is shown: $missing"
      sed 's/^/  | /' "$folder/output" | head -40
      failures=$((failures + 1))
    fi
  done
done
[ "$failures" -eq 0 ]
