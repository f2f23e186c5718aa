package objectstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
)

// keys are the keys of a listing's entries.
func keys(entries []objectstore.Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Key
	}
	return names
}

// TestList: current objects alone, in order, by prefix and after a key, whatever
// characters their keys have.
func TestList(t *testing.T) {
	t.Parallel()
	s := open(t)
	listing := objectstore.NewListing(emulator.S3(t), s.Bucket())
	all := []string{"daily/a\x01b\n.csv", "daily/a+b c%20.csv", "daily/b.csv", "daily/é.csv", "initial/b.csv"}
	for _, key := range append([]string{"daily/b.csv", "daily/c.csv"}, all...) {
		place(t, s, key)
	}
	if _, err := emulator.S3(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(s.Bucket()), Key: aws.String("daily/c.csv")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", all},
		{"daily/", "", all[:4]},
		{"daily/", "daily/b.csv", all[3:4]},
		{"", "daily/é.csv", all[4:]},
		{"weekly/", "", nil},
	} {
		entries, more, err := listing.List(t.Context(), c.prefix, c.after)
		if err != nil || more || !slices.Equal(keys(entries), c.want) {
			t.Errorf("List(%q, %q) = %q, %t, %v; want %q", c.prefix, c.after, keys(entries), more, err, c.want)
		}
	}
	entries, _, err := listing.List(t.Context(), "daily/b.csv", "")
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	current, exists, err := listing.Current(t.Context(), "daily/b.csv")
	if err != nil || !exists || current.VersionID == "" {
		t.Fatalf("Current = %+v, %t, %v", current, exists, err)
	}
	listed := entries[0]
	listed.VersionID = current.VersionID
	if listed != current || current.Size != int64(len("daily/b.csv")) || current.LastModified.IsZero() {
		t.Errorf("listed as %+v, current %+v", listed, current)
	}
}

// TestListPages: a page has a thousand entries, and the last of them leads to the
// next page.
func TestListPages(t *testing.T) {
	t.Parallel()
	s := open(t)
	const many = 1001
	for n := range many {
		place(t, s, fmt.Sprintf("%04d", n))
	}
	listing := objectstore.NewListing(emulator.S3(t), s.Bucket())
	first, more, err := listing.List(t.Context(), "", "")
	if err != nil || !more || len(first) != 1000 {
		t.Fatalf("%d entries, %t, %v", len(first), more, err)
	}
	rest, more, err := listing.List(t.Context(), "", first[999].Key)
	if err != nil || more || len(rest) != 1 || rest[0].Key != "1000" {
		t.Errorf("%q, %t, %v", keys(rest), more, err)
	}
}

// TestCurrent: the newest version of the very key, or none.
func TestCurrent(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, key := range []string{"k.json", "k.jsonl", "gone", "gone/not"} {
		place(t, s, key)
	}
	if err := s.Put(t.Context(), "k.json", "text/plain", []byte("newer and longer")); err != nil {
		t.Fatal(err)
	}
	if _, err := emulator.S3(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(s.Bucket()), Key: aws.String("gone")}); err != nil {
		t.Fatal(err)
	}
	listing := objectstore.NewListing(emulator.S3(t), s.Bucket())
	for key, size := range map[string]int64{"k.json": int64(len("newer and longer")), "k.jsonl": 7, "k.js": 0, "gone": 0, "never": 0} {
		got, exists, err := listing.Current(t.Context(), key)
		if err != nil || exists != (size > 0) || got.Size != size || exists && got.Key != key {
			t.Errorf("Current(%s) = %+v, %t, %v", key, got, exists, err)
		}
	}
}

// TestListingFails: a bucket that is missing is named, as a fault of the machine.
func TestListingFails(t *testing.T) {
	t.Parallel()
	listing := objectstore.NewListing(emulator.S3(t), "none")
	_, _, listErr := listing.List(t.Context(), "daily/", "")
	_, _, currentErr := listing.Current(t.Context(), "daily/k")
	for _, err := range []error{listErr, currentErr} {
		if err == nil || !strings.Contains(err.Error(), "s3://none/daily/") || errors.As(err, new(*fault.Transient)) {
			t.Errorf("error is %v", err)
		}
	}
}
