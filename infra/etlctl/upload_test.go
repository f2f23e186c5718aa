package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// object is the one object of a bucket, as its HTTP interface shows it.
type object struct {
	path, hash, length string
}

func (o *object) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		_, _ = io.Copy(io.Discard, r.Body)
		o.path, o.hash = r.URL.Path, r.Header.Get("X-Amz-Meta-Sha256")
		o.length = r.Header.Get("X-Amz-Decoded-Content-Length")
		if o.length == "" {
			o.length = r.Header.Get("Content-Length")
		}
		w.Header().Set("X-Amz-Version-Id", "v7")
	case http.MethodHead:
		if r.URL.Path != o.path || r.URL.Query().Get("versionId") != "v7" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("X-Amz-Meta-Sha256", o.hash)
		w.Header().Set("Content-Length", o.length)
	}
}

func TestBucketUploader(t *testing.T) {
	bucket := httptest.NewServer(&object{})
	defer bucket.Close()
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(bucket.URL), Region: "eu-west-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	u := newBucketUploader(client, "landing")
	path := filepath.Join(t.TempDir(), "client_data_20241008.csv")
	write := func(text string) localFile {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file := localFile{Name: filepath.Base(path), Path: path, Size: int64(len(text))}
		file.Mode = daily
		return file
	}
	file := write("12345")
	var sent int64
	version, err := u.upload(t.Context(), file, func(n int64) { sent = n })
	if err != nil || version != "v7" || sent != 5 {
		t.Fatalf("upload = %q, %v; %d bytes sent", version, err, sent)
	}
	if !u.same(t.Context(), file, "v7") {
		t.Error("the same content is not known again")
	}
	if u.same(t.Context(), file, "v6") {
		t.Error("another version has the same content")
	}
	if u.same(t.Context(), write("12346"), "v7") {
		t.Error("another content of the same length is taken for the same")
	}
	if u.same(t.Context(), write("123456"), "v7") {
		t.Error("another length is taken for the same")
	}
	if _, err := u.upload(t.Context(), localFile{Path: path + ".none"}, func(int64) {}); err == nil {
		t.Error("a file that is not there was uploaded")
	}
}
