package objectstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"

	"etl-dataloader/internal/objectstore"
)

// put writes an object and returns it.
func put(t *testing.T, s *objectstore.Store, key string, b []byte) objectstore.Object {
	t.Helper()
	object, _, err := s.PutOnce(t.Context(), key, nil, writing(b))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// TestVersions: a later version of a key changes nothing for who names his.
func TestVersions(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := put(t, s, "k", []byte("first"))
	if err := s.Put(t.Context(), "k", "text/plain", []byte("second")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "k", first.VersionID); string(got) != "first" {
		t.Errorf("the version holds %q", got)
	}
	if got := read(t, s, "k", ""); string(got) != "second" {
		t.Errorf("the newest holds %q", got)
	}
}

func TestOpenRange(t *testing.T) {
	t.Parallel()
	s, all := open(t), content(1000, 6)
	object := put(t, s, "k", all)
	for _, r := range [][2]int64{{0, 1000}, {0, 1}, {999, 1000}, {250, 750}, {500, 500}} {
		body, err := s.OpenRange(t.Context(), "k", object.VersionID, r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, all[r[0]:r[1]]) {
			t.Errorf("[%d, %d): %d bytes, %v", r[0], r[1], len(got), err)
		}
		_ = body.Close()
	}
}

// TestOpenAhead: whatever the number of segments, the content is the object's.
func TestOpenAhead(t *testing.T) {
	t.Parallel()
	const segment = 8 << 20
	s, all := open(t), content(5*segment+123, 7)
	whole := put(t, s, "whole", all)
	for _, size := range []int{0, 1, segment - 1, segment, segment + 1, len(all)} {
		body := s.OpenAhead(t.Context(), "whole", whole.VersionID, int64(size))
		sum := sha256.New()
		n, err := io.Copy(sum, body)
		want := sha256.Sum256(all[:size])
		if err != nil || n != int64(size) || !bytes.Equal(sum.Sum(nil), want[:]) {
			t.Errorf("of %d bytes %d were read, %v", size, n, err)
		}
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenAheadByBytes reads as the most awkward consumer does.
func TestOpenAheadByBytes(t *testing.T) {
	t.Parallel()
	s, all := open(t), content(3000, 8)
	object := put(t, s, "k", all)
	body := s.OpenAhead(t.Context(), "k", object.VersionID, int64(len(all)))
	defer func() { _ = body.Close() }()
	if err := iotest.TestReader(body, all); err != nil {
		t.Error(err)
	}
}

// TestOpenAheadCancelled: a reader whose context ends never sees the end of the
// file, which would be taken for a shorter file.
func TestOpenAheadCancelled(t *testing.T) {
	t.Parallel()
	const segment = 8 << 20
	s, all := open(t), content(6*segment, 9)
	object := put(t, s, "k", all)
	for name, stop := range map[string]func(cancel func(), body io.Closer){
		"cancelled": func(cancel func(), _ io.Closer) { cancel() },
		"closed":    func(_ func(), body io.Closer) { _ = body.Close() },
	} {
		for _, after := range []int{0, 1, segment, 2*segment + 1, 6*segment - 1} {
			ctx, cancel := context.WithCancel(t.Context())
			body := s.OpenAhead(ctx, "k", object.VersionID, object.Bytes)
			if _, err := io.CopyN(io.Discard, body, int64(after)); err != nil {
				t.Fatal(err)
			}
			stop(cancel, body)
			rest, err := io.Copy(io.Discard, body)
			if err == nil && int64(after)+rest != object.Bytes {
				t.Errorf("%s after %d bytes: the end of the file comes %d bytes early", name, after, object.Bytes-int64(after)-rest)
			}
			if _, again := body.Read(make([]byte, 1)); err != nil && (again == nil || errors.Is(again, io.EOF)) {
				t.Errorf("%s after %d bytes: the error %v is followed by %v", name, after, err, again)
			}
			cancel()
			_ = body.Close()
		}
	}
}

// TestBrokenConnection: a connection that breaks in mid-object is a Transient
// fault, never the end of the object.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	s, p := open(t), newProxy(t)
	object := put(t, s, "k", content(1<<20, 10))
	lossy := through(t, p, s.Bucket(), 1)
	for name, use := range map[string]func() error{
		"Open": func() error {
			body, err := lossy.Open(t.Context(), "k", object.VersionID)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, body)
			return err
		},
		"OpenRange": func() error {
			body, err := lossy.OpenRange(t.Context(), "k", object.VersionID, 10, 1<<20)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, body)
			return err
		},
		"OpenAhead": func() error {
			body := lossy.OpenAhead(t.Context(), "k", object.VersionID, object.Bytes)
			defer func() { _ = body.Close() }()
			_, err := io.Copy(io.Discard, body)
			return err
		},
		"Read": func() error {
			_, err := lossy.Read(t.Context(), object, func(io.Reader) error { return nil })
			return err
		},
	} {
		p.disturb(disturbance{match: getObject, times: 1, serve: truncate})
		if err := use(); !isTransient(err) {
			t.Errorf("%s: got %v, want a Transient fault", name, err)
		}
		p.disturb(disturbance{match: getObject, times: 1, serve: refuse(http.StatusInternalServerError, "InternalError")})
		if err := use(); !isTransient(err) {
			t.Errorf("%s of a failing server: got %v, want a Transient fault", name, err)
		}
	}
}

// TestRead: the checksum is the whole object's, however much was consumed.
func TestRead(t *testing.T) {
	t.Parallel()
	s, all := open(t), content(100_000, 11)
	object := put(t, s, "k", all)
	for _, n := range []int64{0, 1, 50_000, 100_000} {
		consumed := new(bytes.Buffer)
		got, err := s.Read(t.Context(), objectstore.Object{Key: "k", VersionID: object.VersionID}, func(r io.Reader) error {
			_, err := io.CopyN(consumed, r, n)
			return err
		})
		if err != nil || got.Checksum != checksum(all) || got.Bytes != int64(len(all)) {
			t.Errorf("after %d bytes: %+v, %v", n, got, err)
		}
		if !bytes.Equal(consumed.Bytes(), all[:n]) {
			t.Errorf("other bytes were consumed than the first %d", n)
		}
	}
	broken := errors.New("the consumer broke")
	if _, err := s.Read(t.Context(), object, func(io.Reader) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestMissing: an object that is not there is no matter of waiting.
func TestMissing(t *testing.T) {
	t.Parallel()
	s := open(t)
	_, err := s.Open(t.Context(), "nothing", "")
	if err == nil || isTransient(err) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Read(t.Context(), objectstore.Object{Key: "nothing"}, func(io.Reader) error { return nil }); err == nil || isTransient(err) {
		t.Errorf("got %v", err)
	}
}
