#!/usr/bin/env bash
# Counts the instructions of four key paths with valgrind's callgrind, and compares them with those kept in
# callgrind.txt: unlike times, they are the same on a busy machine. Fails where one has grown by more than 2 %.
#
#   benches/callgrind.sh            counts and compares
#   benches/callgrind.sh --update   counts and keeps
#
# A path is gone once and eleven times in processes of their own; a tenth of the difference is what one way takes, without
# what is made ready before (which differs by some hundred thousand instructions: hashes are seeded anew in each process). Counts hold for one compiler and one kind of processor: keep new ones when either changes.
set -euo pipefail
cd "$(dirname "$0")/.."

kept=benches/callgrind.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --locked -p trace-benches
# Valgrind would read all of the debug information.
strip --strip-debug -o "$work/trace-benches" "${CARGO_TARGET_DIR:-target}/release/trace-benches"

# Instructions of a process that goes a path so many times.
instructions() {
  RAYON_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file="$work/profile" \
    "$work/trace-benches" path "$1" --times "$2" 2>&1 >/dev/null | awk '/Collected/ { print $NF }'
}

for path in ingest needle rate descendant; do
  once=$(instructions "$path" 1)
  often=$(instructions "$path" 11)
  echo "$path $(((often - once) / 10))"
done >"$work/counted"

if [[ ${1:-} == --update ]]; then
  {
    echo "# Instructions of one way along each path of \`trace-benches path\`; see callgrind.sh."
    echo "# $(rustc --version), $(uname -m)"
    cat "$work/counted"
  } >"$kept"
  cat "$kept"
  exit
fi

awk 'NR == FNR { if ($1 != "#") kept[$1] = $2; next }
     { grown = kept[$1] ? 100 * ($2 / kept[$1] - 1) : 0
       printf "%-12s %14d, kept %14d: %+.2f %%\n", $1, $2, kept[$1], grown
       if (!kept[$1] || grown > 2) bad = 1 }
     END { exit bad }' "$kept" "$work/counted"
