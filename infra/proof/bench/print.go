package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"etl-dataloader/internal/registry"
)

// table starts a table on standard output; the caller flushes it.
func table() *tabwriter.Writer {
	return tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// row writes the cells of a line of a table.
func row(w *tabwriter.Writer, cells ...any) {
	for _, cell := range cells {
		switch v := cell.(type) {
		case float64:
			_, _ = fmt.Fprintf(w, "%.1f\t", v)
		case int64:
			_, _ = fmt.Fprintf(w, "%s\t", grouped(v))
		default:
			_, _ = fmt.Fprintf(w, "%v\t", v)
		}
	}
	_, _ = fmt.Fprintln(w)
}

// grouped writes an integer with commas.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// load is the machine's load average over one minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// fact is the value of the first line of a file of /proc that begins with a name.
func fact(file, name string) string {
	text, err := os.ReadFile(file) //nolint:gosec // a file of /proc
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "?"
}

func printMachine(ctx context.Context, d *database) error {
	facts, err := d.facts(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Machine: %d cores (%s), memory %s, %s\n", runtime.NumCPU(), fact("/proc/cpuinfo", "model name"), fact("/proc/meminfo", "MemTotal"), runtime.Version())
	fmt.Println(facts)
	return nil
}

func printImport(s registry.Status, e execution, size int64, upload time.Duration, loads []string) {
	fmt.Printf("\nInitial import %s: %s; load average before and after: %s\n", s.Import.ImportID, s.Import.Status, strings.Join(loads, ", "))
	var total, big registry.Counts
	for _, f := range s.Files {
		total.Read += f.Counts.Read
		total.Rejected += f.Counts.Rejected
		if f.Resource == "clients" || f.Resource == "ventes" {
			big.Read += f.Counts.Read
		}
	}
	fmt.Printf("%s records (%s of clients and sales) in %.0f MiB, %s rejected; upload %.1f s, execution %.1f s, %.0f records/s; %d events of history\n",
		grouped(total.Read), grouped(big.Read), mib(size), grouped(total.Rejected), upload.Seconds(), e.seconds(),
		float64(total.Read)/e.seconds(), e.events)
	w := table()
	row(w, "state of the machine", "seconds", "share")
	for _, st := range e.states {
		row(w, st.name, st.seconds(), fmt.Sprintf("%.0f%%", 100*st.seconds()/e.seconds()))
	}
	row(w, "execution", e.seconds(), "100%")
	_ = w.Flush()
}

// functionOf is the function of a phase.
func functionOf(phase string) string {
	switch phase {
	case "IndexStaging", "IndexTargets":
		return "Index"
	case "CrossCheck":
		return "Crosscheck"
	default:
		return phase
	}
}

// printPhases prints a line a phase. Seconds are those of the phase's state on the
// main line; of a phase inside a Map over chunks, from the beginning of its first
// unit to the end of its last: they overlap, so they do not add up to the
// execution's time. "work" is the sum over the chunks, of which several run at a
// time.
func printPhases(s registry.Status, e execution, m *meter) {
	fmt.Println()
	peaks := m.peaks()
	w := table()
	row(w, "phase", "units", "records", "seconds", "records/s", "work s", "Go CPU s", "PostgreSQL CPU s", "peak RSS MiB")
	var goTotal, postgresTotal float64
	for _, t := range s.States {
		function := functionOf(string(t.State))
		from, to := e.started, e.stopped.Add(time.Second)
		if function == "Index" {
			span := e.find(string(t.State))
			from, to = span.entered, span.exited
		}
		goCPU, postgresCPU := m.spent(function, from, to)
		goTotal, postgresTotal = goTotal+goCPU, postgresTotal+postgresCPU
		seconds, work := e.find(string(t.State)).seconds(), ""
		if t.Planned > 0 {
			seconds, work = t.Seconds(), fmt.Sprintf("%.1f", t.WorkSeconds)
		}
		records, rate := "", ""
		if n := max(t.Counts.Read, t.Counts.Persisted); n > 0 {
			records, rate = grouped(n), grouped(int64(float64(n)/max(seconds, 0.001)))
		}
		row(w, t.State, int64(t.Done), records, seconds, rate, work, goCPU, postgresCPU, fmt.Sprintf("%.0f", mib(peaks[function])))
	}
	row(w, "all phases", "", "", e.seconds(), "", "", goTotal, postgresTotal, "")
	_ = w.Flush()
	fmt.Printf("Besides: PostgreSQL's other processes %.1f s of CPU, the emulator %.1f s and its front %.1f s, the enrichment server %.1f s\n",
		m.unclaimed(), m.last.emulator-m.first.emulator, m.last.front-m.first.front, m.last.enrichment-m.first.enrichment)
	var others []string
	for _, name := range []string{"Intake", "Sweep", "Track"} {
		if peaks[name] > 0 {
			others = append(others, fmt.Sprintf("%s %.0f MiB", name, mib(peaks[name])))
		}
	}
	fmt.Printf("Peak RSS of the control functions: %s\n", strings.Join(others, ", "))
}

func printCalls(ctx context.Context, c *cloud) error {
	var parts []string
	for _, operation := range []string{"GenerateDataKeyWithoutPlaintext", "GenerateMac", "Decrypt"} {
		n, err := c.counted(ctx, operation)
		if err != nil {
			return err
		}
		parts = append(parts, fmt.Sprintf("%s %d", operation, n))
	}
	fmt.Printf("KMS calls: %s\n", strings.Join(parts, ", "))
	return c.record(ctx, false)
}

// printStorage prints the tables over a megabyte.
func printStorage(wal int64, relations []relation) {
	fmt.Printf("WAL: %.0f MiB\n\n", mib(wal))
	w := table()
	row(w, "table", "rows", "MiB", "indexes MiB")
	var tables, indexes int64
	for _, r := range relations {
		tables, indexes = tables+r.Table, indexes+r.Indexes
		if r.Table+r.Indexes > 1<<20 {
			row(w, r.Name, int64(max(r.Rows, 0)), mib(r.Table), mib(r.Indexes))
		}
	}
	row(w, "all tables", "", mib(tables), mib(indexes))
	_ = w.Flush()
}

func printRatio(rounds [][]float64, seconds float64) {
	fmt.Println("\nThe floor: \\copy of the clients and the sales into bare text tables")
	var sums []float64
	w := table()
	row(w, "round", "clients s", "sales s", "both s")
	for i, round := range rounds {
		sum := 0.0
		for _, s := range round {
			sum += s
		}
		sums = append(sums, sum)
		row(w, i+1, fmt.Sprintf("%.2f", round[0]), fmt.Sprintf("%.2f", round[1]), fmt.Sprintf("%.2f", sum))
	}
	_ = w.Flush()
	fmt.Printf("median %.2f s, from %.2f to %.2f; load average now %s\n", median(sums), slices.Min(sums), slices.Max(sums), load())
	fmt.Printf("ratio %.1f\n", seconds/median(sums))
}
