#!/usr/bin/env bash
# Fills fuzz/corpus/{parse_bytes,print_roundtrip} with the queries of testdata/traceql and of the recordings, a file each.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p fuzz/corpus/parse_bytes
{
  grep -hv '^#' testdata/traceql/{valid,parse_error,check_error,unsupported}.txt | sed -e 's/^+ //' -e 's/ → .*//'
  for file in testdata/conformance/*.expected.jsonl.gz; do
    gzip -dc "$file" | sed -n 's/.*"q": "\(\([^"\\]\|\\.\)*\)".*/\1/p' | sed -e 's/\\"/"/g' -e 's/\\\\/\\/g'
  done
} | sort -u | awk 'NF { file = sprintf("fuzz/corpus/parse_bytes/%05d", NR); printf "%s", $0 > file; close(file) }'
cp -r fuzz/corpus/parse_bytes fuzz/corpus/print_roundtrip
ls fuzz/corpus/parse_bytes | wc -l
