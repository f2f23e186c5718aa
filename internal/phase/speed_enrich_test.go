package phase_test

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

// BenchmarkEnrichUnit is a unit of Enrich of an initial import as a whole: one function
// asks the stand-in's process for 200,000 clients, and its parts go to PostgreSQL and the
// emulator's S3. `make build` makes the stand-in.
func BenchmarkEnrichUnit(b *testing.B) {
	const clients = 200_000
	l := newLine(b)
	r := l.upload(b, etl.ModeInitial, "2024-10-08", crowd(clients).csv(b)).through(b, "Open", "CrossCheck")
	_, chunk := r.chunkOf(b, "clients")
	in := phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}
	of := l.common.Contract.Resource("clients").Enrichment
	source, err := enrichment.NewREST(enrichment.RESTConfig{
		URL: standIn(b), Name: of.Source, Fields: of.Fields, Connections: of.Limits.CallsInFlight, Batches: true, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	enricher, err := enrichment.New(enrichment.Initial(source, of.Limits.Batch, of.Limits.BatchTimeout))
	if err != nil {
		b.Fatal(err)
	}
	enrich := l.enrich()
	enrich.Now = time.Now
	enrich.Enrichers = func(string, etl.Mode) (phase.Enricher, error) { return enricher, nil }
	var used time.Duration // by this process, which is the function
	for b.Loop() {
		before := processorTime(b)
		out, err := enrich.Run(b.Context(), in)
		if err != nil || !out.Done || out.Answers.Records != clients || out.Answers.NotEnriched != 0 || out.Calls != clients/1000 {
			b.Fatalf("%+v, %v", out, err)
		}
		b.StopTimer()
		used += processorTime(b) - before
		r.clean(b)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*clients/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.N)*clients/used.Seconds(), "records/cpu-s")
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// standIn starts the process of the enrichment server, and returns its URL.
func standIn(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "../../build/local/enrichment", "-addr", "127.0.0.1:0") //nolint:gosec // a tool of the repository
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatalf("%v: run make build first", err)
	}
	b.Cleanup(func() { _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http" + strings.TrimSpace(strings.SplitN(line, "http", 2)[1])
}
