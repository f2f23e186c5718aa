package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"etl-dataloader/infra/proof/stack"
)

func TestGrowth(t *testing.T) {
	day := func(records int64, seconds float64) publication {
		return publication{records: records, publish: seconds}
	}
	for _, c := range []struct {
		name     string
		days     []publication
		exponent float64
		fits     int64
	}{
		{"in proportion", []publication{day(1000, 1), day(2000, 2), day(4000, 4)}, 1, 840_000},
		{"faster than in proportion", []publication{day(1000, 1), day(10_000, 100)}, 2, 28_982},
		{"slower counts as in proportion", []publication{day(1000, 1), day(4000, 2)}, 1, 1_680_000},
		{"a single day", []publication{day(1000, 8.4)}, 1, 100_000},
	} {
		g := growthOf(c.days, 840*time.Second)
		if math.Abs(g.exponent-c.exponent) > 1e-9 || g.fits < c.fits-1 || g.fits > c.fits+1 || g.largest.records != c.days[len(c.days)-1].records {
			t.Errorf("%s: exponent %f, %d records, largest %+v", c.name, g.exponent, g.fits, g.largest)
		}
	}
}

func TestRecommended(t *testing.T) {
	for fits, want := range map[int64]int64{22_555_180: 5_600_000, 399: 99, 400: 100, 4_039: 1000, 0: 0} {
		if got := recommended(fits, 4); got != want {
			t.Errorf("of %d: %d, want %d", fits, got, want)
		}
	}
}

func TestRenamed(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	files := stack.Set{Mode: "daily", Date: "2024-10-08", Folder: from}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "client_data"} {
		if err := os.WriteFile(files.Path(name+"_20241008.csv"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := renamed(files, time.Date(2024, 10, 9, 0, 0, 0, 0, time.UTC), to)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(to, "client_data_20241009.csv"))
	if name, found := again.File("client_data"); err != nil || found != nil || string(content) != "client_data" || name != "client_data_20241009.csv" {
		t.Errorf("%q, %v, %v, %v", content, err, again, found)
	}
}

func TestCeilingRefuses(t *testing.T) {
	for _, days := range []string{"", "x", "0", "2,1", "5,5"} {
		if err := ceiling(t.Context(), []string{"-days", days}); err == nil {
			t.Errorf("-days %q is accepted", days)
		}
	}
}
