package phase

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/staged"
	"etl-dataloader/internal/validation"
)

// oneKey is a KMS that knows one data key and one key for tokens.
type oneKey struct{}

func (oneKey) GenerateDataKeyWithoutPlaintext(context.Context, *kms.GenerateDataKeyWithoutPlaintextInput, ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: []byte{1}}, nil
}

func (oneKey) Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	return &kms.DecryptOutput{Plaintext: make([]byte, 32)}, nil
}

func (oneKey) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write(in.Message)
	return &kms.GenerateMacOutput{Mac: mac.Sum(nil)}, nil
}

const (
	clientRow = "%d,Éléonore,Dupont Martin,eleonore.dupont@example.fr,%010d,+33612345678,1984-02-29,\"12, rue de la Paix, bâtiment C\",Paris,FR,2024-10-08T09:30:00.123Z\n"
	saleRow   = "%d,%d,4711,12,3,19.99,59.97,2024-10-07,web\n"
)

// protectedChunk makes the work object of a chunk of a resource.
func protectedChunk(b testing.TB, r *contract.Resource, in ChunkIn, text string) []byte {
	b.Helper()
	step := Protect{KMS: oneKey{}}
	checker, keys, err := step.prepare(b.Context(), in, r)
	if err != nil {
		b.Fatal(err)
	}
	var stream bytes.Buffer
	var out Protected
	records := record.NewReader(strings.NewReader(text), in.Chunk.Range, validation.Layout(r, "csv"), r.Columns())
	if err := protect(records, staged.NewWriter(&stream, r, in.Chunk.Range.Index, checker, keys), &out); err != nil {
		b.Fatal(err)
	}
	return stream.Bytes()
}

// processorTime is what the process has used so far: on a machine that does other
// things too it tells more than the time that passes.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkValidate is the way of a staged record through Validate on one core:
// read from the work object, its hash checked, decrypted, and checked; the row of
// PostgreSQL and the log apart, which only rejects have.
func BenchmarkValidate(b *testing.B) {
	pkg, err := contract.Load()
	if err != nil {
		b.Fatal(err)
	}
	for name, line := range map[string]string{"clients": clientRow, "ventes": saleRow} {
		b.Run(name, func(b *testing.B) {
			r := pkg.Resource(name)
			in, text := speedChunk(name, line)
			stream := protectedChunk(b, r, in, text)
			sum := objectstore.NewChecksum()
			sum.Write(stream)
			object := objectstore.Object{Key: "k", Checksum: objectstore.ChecksumText(sum)}
			checker, err := validation.NewChecker(r, time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC))
			if err != nil {
				b.Fatal(err)
			}
			key, err := openKey(b.Context(), oneKey{}, "", in.Import)
			if err != nil {
				b.Fatal(err)
			}
			rows := staged.NewReader(r, protection.NewOpener(key, in.Import.scope(name)).Open)
			b.ReportAllocs()
			b.SetBytes(int64(len(stream)))
			before := processorTime(b)
			for b.Loop() {
				out := Validated{}
				errors := postgres.NewErrorStream(io.Discard, in.unit("Validate"), in.Chunk.File.File)
				check := &checking{checker: checker, rows: rows, errors: errors, out: &out}
				content := newHashed(bytes.NewReader(stream), object)
				if err := copybinary.Each(content, check.record); err != nil {
					b.Fatal(err)
				}
				if err := content.check(); err != nil || out.Valid != speedRows {
					b.Fatalf("%+v, %v", out, err)
				}
			}
			b.ReportMetric(float64(b.N)*speedRows/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(b.N)*speedRows/(processorTime(b)-before).Seconds(), "records/cpu-s")
		})
	}
}
