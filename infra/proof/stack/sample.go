package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
)

// Set is a folder with the ten files of a date.
type Set struct {
	Mode   string // "initial" or "daily"
	Date   string // YYYY-MM-DD
	Folder string
}

// Make makes the files with the generator (infra/local/sample), which takes more
// options than those of the set.
func (f Set) Make(ctx context.Context, options ...string) error {
	arguments := append([]string{"-mode", f.Mode, "-date", f.Date, "-out", f.Folder}, options...)
	cmd := exec.CommandContext(ctx, "build/local/sample", arguments...) //nolint:gosec // a tool of the repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build/local/sample: %w: %s", err, out)
	}
	return nil
}

// Files returns the names of the ten files, in their order.
func (f Set) Files() ([]string, error) {
	entries, err := os.ReadDir(f.Folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), "_"+f.Compact()+".") {
			names = append(names, e.Name())
		}
	}
	if len(names) != 10 {
		return nil, fmt.Errorf("%s holds %d files, want ten: %v", f.Folder, len(names), names)
	}
	return names, nil
}

// Compact is the date as the names of the files have it.
func (f Set) Compact() string { return strings.ReplaceAll(f.Date, "-", "") }

// Path is where a file of the set is.
func (f Set) Path(name string) string { return filepath.Join(f.Folder, name) }

// File returns the name of the file of a type, such as "client_data".
func (f Set) File(fileType string) (string, error) {
	names, err := f.Files()
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasPrefix(name, fileType+"_"+f.Compact()+".") {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s holds no %s", f.Folder, fileType)
}

// Size is how many bytes the ten files have.
func (f Set) Size() (bytes int64, err error) {
	names, err := f.Files()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		info, err := os.Stat(f.Path(name))
		if err != nil {
			return 0, err
		}
		bytes += info.Size()
	}
	return bytes, nil
}

// UploadAll puts the ten files of a set into the landing bucket.
func (s *Stack) UploadAll(ctx context.Context, from Set) error {
	names, err := from.Files()
	if err != nil {
		return err
	}
	return s.Upload(ctx, from, names...)
}

// Upload puts files of a set into the landing bucket, one after the other.
func (s *Stack) Upload(ctx context.Context, from Set, names ...string) error {
	for _, name := range names {
		body, err := os.Open(from.Path(name))
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, from.Mode+"/"+name, body)
		_ = body.Close() // it was read only
		if err != nil {
			return err
		}
	}
	return nil
}

// Put puts an object into the landing bucket and returns its version.
func (s *Stack) Put(ctx context.Context, key string, body io.Reader) (versionID string, err error) {
	out, err := s.uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: aws.String(s.Env["LANDING_BUCKET"]), Key: &key, Body: body,
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionID), nil
}
