package reveal_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/reveal"
	"etl-dataloader/internal/staged"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

const (
	imported = "IMPORT_20241009_150000_001"
	event    = "01926e9c-2b3a-7c4d-8e5f-0123456789ab"
	reason   = "demande d'accès 2024-117"
)

// The values that may stand in an answer and nowhere else.
const (
	clientID = "424242"
	email    = "zoe.canari@example.org"
	nif      = "8877665544"
	iban     = "FR7630006000011234567890189"
	broken   = "424243;\"Zoé;canari.brise@example.org"
	segment  = "segment-canari"
	score    = "0.47114711"
)

var anne = caller.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/Compliance/anne", AccessKey: "ASIA1"}

// fakeKMS wraps and derives keys as KMS does, bound to the encryption context.
type fakeKMS struct {
	protection.KMS
	decrypts, macs int
	fail           error
}

func (k *fakeKMS) Decrypt(_ context.Context, in *kms.DecryptInput, _ ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	k.decrypts++
	if k.fail != nil {
		return nil, k.fail
	}
	id, plain, _ := bytes.Cut(in.CiphertextBlob, []byte("|"))
	if *in.KeyId != "fields" || in.EncryptionContext["import_id"] != string(id) || in.EncryptionContext["system"] != "ETL-DataLoader" {
		return nil, errors.New("the key or its context is wrong")
	}
	return &kms.DecryptOutput{Plaintext: bytes.Clone(plain)}, nil
}

func (k *fakeKMS) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	k.macs++
	mac := hmac.New(sha256.New, []byte(*in.KeyId))
	mac.Write(in.Message)
	return &kms.GenerateMacOutput{Mac: mac.Sum(nil)}, nil
}

// inbox collects alerts.
type inbox struct{ alerts []alert.Alert }

func (b *inbox) Alert(_ context.Context, a alert.Alert) error {
	b.alerts = append(b.alerts, a)
	return nil
}

// trail is the audit of a database whose entries fail, before or after they are saved.
type trail struct {
	*postgres.DB
	failAsked, failReveal, failDone string
}

var errLost = errors.New("connection reset")

func lose(fail string, save func() error) error {
	if fail == "not saved" {
		return errLost
	}
	if err := save(); err != nil || fail == "" {
		return err
	}
	return errLost
}

func (a *trail) Audit(ctx context.Context, e audit.Entry) error {
	fail := a.failDone
	if e.Stage == audit.Asked {
		fail = a.failAsked
	}
	return lose(fail, func() error { return a.DB.Audit(ctx, e) })
}

func (a *trail) AuditReveal(ctx context.Context, e audit.Entry, principal string, records, most int) (used int, entered bool, err error) {
	err = lose(a.failReveal, func() error {
		used, entered, err = a.DB.AuditReveal(ctx, e, principal, records, most)
		return err
	})
	return used, entered, err
}

// house is a revealer on a database with a few sealed records.
type house struct {
	t        *testing.T
	conn     *pgx.Conn
	pkg      *contract.Package
	kms      *fakeKMS
	inbox    *inbox
	trail    *trail
	log      *bytes.Buffer
	key      protection.DataKey
	revealer *reveal.Revealer
	texts    []string // what was said to people and logs, but not answered
}

func open(t *testing.T) *house {
	t.Helper()
	url := server.URL(t)
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, conn: postgrestest.Connect(t, url), pkg: pkg, kms: &fakeKMS{}, inbox: &inbox{}, log: &bytes.Buffer{}}
	db := server.Open(t, url)
	h.trail = &trail{DB: db}
	h.revealer, err = reveal.New(reveal.Config{
		Contract: pkg, Store: db, Tracer: db, Trail: h.trail, Alerts: h.inbox, Log: centrallog.New(h.log, slog.LevelInfo), PerDay: 150,
		Keys: reveal.KMSKeys{Wrapped: db, KMS: h.kms, FieldsKeyID: "fields", TokensKeyID: "tokens"},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.fill()
	return h
}

// fill adds an import with a client, its event, a payment and two rejects.
func (h *house) fill() {
	h.t.Helper()
	plain := bytes.Repeat([]byte{7}, protection.KeySize)
	h.exec(`INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ($1, 'daily', '2024-10-08', 'réussi', 2, 'hash')`, imported)
	h.exec(`INSERT INTO etl.data_keys (import_id, ciphertext) VALUES ($1, $2)`, imported, append([]byte(imported+"|"), plain...))
	id := postgrestest.Scan[int](h.t, h.conn, `SELECT key_id FROM etl.data_keys WHERE import_id = $1`, imported)
	var err error
	if h.key, err = protection.NewDataKey(uint32(id), plain); err != nil {
		h.t.Fatal(err)
	}
	for resource, file := range map[string]string{"clients": "client_data_20241008.csv", "paiements": "payment_data_20241008.csv"} {
		h.exec(`INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes) VALUES ($1, 2, $2, $3, 'daily/' || $3::text, 'v1', 1)`,
			imported, resource, file)
	}
	h.client(clientID, 7)
	h.insert("final", "paiements", 9, map[string]string{
		"payment_id": "501", "sale_id": "1", "amount": "25.00", "method": "virement", "iban": iban, "paid_at": "2024-10-08T10:00:00Z",
	})
	h.event(clientID, 7)
	h.rejects()
}

// rejects adds a malformed line and a well-formed one.
func (h *house) rejects() {
	h.t.Helper()
	h.exec(`INSERT INTO etl.rejects (import_id, generation, resource, line_number) VALUES ($1, 2, 'clients', 11), ($1, 2, 'clients', 12)`, imported)
	h.exec(`INSERT INTO etl.errors (import_id, generation, file, resource, chunk, line_number, rule, error_details, processing_step, raw)
		VALUES ($1, 2, 'client_data_20241008.csv', 'clients', 0, 11, 'quote', 'd', 's', $2), ($1, 2, 'client_data_20241008.csv', 'clients', 0, 12, 'format', 'd', 's', NULL)`,
		imported, h.sealer("clients").Seal(nil, protection.Record{Line: 11}, protection.RawColumn, []byte(broken)))
	h.exec(`CREATE TABLE partitions.staged PARTITION OF staging.clients FOR VALUES IN ('` + imported + `')`)
	h.insert("staging", "clients", 12, clientValues(clientID))
}

func clientValues(id string) map[string]string {
	return map[string]string{
		"client_id": id, "first_name": "Zoé", "last_name": "Canari", "email": email, "nif": nif, "city": "Lyon", "country": "FR", "created_at": "2024-10-08T10:00:00Z",
	}
}

// client adds a client to the target table.
func (h *house) client(id string, line int64) {
	h.t.Helper()
	h.insert("final", "clients", line, clientValues(id))
}

func (h *house) sealer(resource string) *protection.Sealer {
	h.t.Helper()
	s, err := protection.NewSealer(h.key, protection.Scope{ImportID: imported, Generation: 2, Resource: resource}, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// token returns the token of a value.
func (h *house) token(f *contract.Field, value string) []byte {
	h.t.Helper()
	key, err := protection.NewTokenKey(h.t.Context(), h.kms, "tokens", f.Domain)
	if err != nil {
		h.t.Fatal(err)
	}
	tokenizer, err := protection.NewTokenizer(key)
	if err != nil {
		h.t.Fatal(err)
	}
	text, _ := f.AppendCanonical(nil, []byte(value))
	token := tokenizer.Token(text)
	return token[:]
}

// sealed returns the columns of a record, sealed as Protect does.
func (h *house) sealed(resource string, line int64, values map[string]string) map[string]any {
	h.t.Helper()
	res, columns := h.pkg.Resource(resource), map[string]any{}
	of := protection.Record{Line: line}
	for _, f := range staged.PublicKey(res) {
		of.Key = staged.AppendKey(of.Key, f, []byte(values[f.Name]))
	}
	for name, value := range values {
		f := res.Field(name)
		if f == nil {
			h.t.Fatalf("%s has no field %s", resource, name)
		}
		if !f.Sensitive() {
			columns[name] = value
			continue
		}
		columns[name] = h.sealer(resource).Seal(nil, of, name, []byte(value))
		if f.Sensitivity == contract.Token {
			columns[name+contract.TokenSuffix] = h.token(f, value)
		}
	}
	return columns
}

// insert adds a record to a table.
func (h *house) insert(schema, resource string, line int64, values map[string]string) {
	h.t.Helper()
	columns := h.sealed(resource, line, values)
	maps.Copy(columns, map[string]any{"import_id": imported, "generation": 2, "file_date": "2024-10-08", "line_number": line})
	if schema == "staging" {
		maps.Copy(columns, map[string]any{"file_type": "client_data", "file": "client_data_20241008.csv", "chunk": 0})
	}
	var names, marks []string
	var args []any
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		names, args = append(names, name), append(args, columns[name])
		mark := fmt.Sprintf("$%d", len(args))
		if text, ok := columns[name].(string); ok {
			mark, args[len(args)-1] = "'"+text+"'", nil
			args = args[:len(args)-1]
		}
		marks = append(marks, mark)
	}
	h.exec(fmt.Sprintf(`INSERT INTO %s.%s (%s) VALUES (%s)`, schema, resource, strings.Join(names, ", "), strings.Join(marks, ", ")), args...)
}

// event adds the event of a client, as it is enriched.
func (h *house) event(id string, line int64) {
	h.t.Helper()
	data := map[string]any{}
	columns := h.sealed("clients", line, clientValues(id))
	for name, value := range columns {
		if b, ok := value.([]byte); ok && !strings.HasSuffix(name, contract.TokenSuffix) {
			value = base64.StdEncoding.EncodeToString(b)
		}
		if !strings.HasSuffix(name, contract.TokenSuffix) {
			data[name] = value
		}
	}
	for name, value := range map[string]string{"segment": segment, "risk_score": score} {
		data[name] = base64.StdEncoding.EncodeToString(h.sealer("clients").Seal(nil, protection.Record{Line: line}, name, []byte(value)))
	}
	data["loyalty_tier"] = "or"
	text, err := json.Marshal(data)
	if err != nil {
		h.t.Fatal(err)
	}
	h.exec(`CREATE TABLE partitions.events_of PARTITION OF final.events FOR VALUES IN ('` + imported + `')`)
	h.exec(`INSERT INTO final.events (event_id, "timestamp", event_type, import_id, generation, resource, file_date, line_number, client_id, client_id_token, data)
		VALUES ($1, now(), 'client', $2, 2, 'clients', '2024-10-08', $3, $4, $5, $6)`, event, imported, line, columns["client_id"], columns["client_id_token"], string(text))
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	postgrestest.Exec(h.t, h.conn, sql, args...)
}

// entries lists the audit: stage, outcome's first word, count.
func (h *house) entries() string {
	h.t.Helper()
	return postgrestest.Scan[string](h.t, h.conn, `SELECT coalesce(string_agg(concat_ws(' ', action, stage, split_part(outcome, ':', 1), details->>'count'), ', ' ORDER BY audit_id), '') FROM etl.audit`)
}

// asked lists the details of the entries before the deed.
func (h *house) asked() string {
	h.t.Helper()
	return postgrestest.Scan[string](h.t, h.conn, `SELECT coalesce(string_agg(details::text, ' ' ORDER BY audit_id), '') FROM etl.audit WHERE stage = 'asked'`)
}
