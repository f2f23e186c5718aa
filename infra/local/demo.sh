#!/usr/bin/env bash
# Imports a small history once, then the next day at each call, as `make demo`
# does. The files are generated; the daily ones have planted faults.
set -euo pipefail

: "${LOCAL_DIR:=.local}"
demo="$LOCAL_DIR/demo"
first=2024-10-07
rows=2000 daily_rows=500 seed=1

# import_folder MODE FOLDER
import_folder() {
  build/local/etlctl import --mode "$1" --dir "$2"
  touch "$2/done"
}

mkdir -p "$demo"
if [ ! -e "$demo/$first/done" ]; then
  rm -rf "${demo:?}/$first"
  echo "== Historique au $first"
  build/local/sample -mode initial -rows $rows -seed $seed -date $first -out "$demo/$first"
  import_folder initial "$demo/$first"
fi

day=$first
while [ -e "$demo/$day/done" ]; do
  day=$(date -u -d "$day + 1 day" +%F)
done
rm -rf "${demo:?}/$day"
echo "== Journée du $day, avec des fautes"
build/local/sample -mode daily -rows $daily_rows -history-rows $rows -seed $seed -date "$day" -faults 0.02 -out "$demo/$day"
import_folder daily "$demo/$day"
