package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadFolder(t *testing.T) {
	clients, sales := "client_data_20241008.csv", "sales_data_20241008.jsonl"
	next := "clients_20241009.json"
	for name, test := range map[string]struct {
		files []string
		date  string
		want  []string // nil: a usage error
		left  int
	}{
		"two files":             {[]string{sales, clients}, "", []string{clients, sales}, 0},
		"others stay":           {[]string{clients, "planted.json", "README", "client_data_20241332.csv", "sales_20241008.txt"}, "", []string{clients}, 4},
		"an alias":              {[]string{next}, "", []string{next}, 0},
		"several dates":         {[]string{clients, next}, "", nil, 0},
		"one of several dates":  {[]string{clients, next}, "2024-10-09", []string{next}, 0},
		"none of that date":     {[]string{clients}, "2024-10-07", nil, 0},
		"nothing":               {nil, "", nil, 0},
		"alias and name":        {[]string{clients, "clients_20241008.csv"}, "", nil, 0},
		"two formats":           {[]string{clients, "client_data_20241008.json"}, "", nil, 0},
		"two of another date":   {[]string{clients, next, "clients_20241009.csv"}, "2024-10-08", []string{clients}, 0},
		"only badly named ones": {[]string{"client_data.csv"}, "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte("12345"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, "stock_data_20241008.csv"), 0o700); err != nil {
				t.Fatal(err)
			}
			got, err := readFolder(dir, daily, test.date, names(t))
			if test.want == nil {
				if _, ok := errors.AsType[*usageError](err); !ok {
					t.Fatalf("error %v, want a usage error", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, f := range got.Files {
				files = append(files, f.Name)
				if f.key() != "daily/"+f.Name || f.Path != filepath.Join(dir, f.Name) || f.Size != 5 || f.Date != got.Date {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(files, test.want) || len(got.Left) != test.left || got.bytes() != int64(5*len(files)) {
				t.Errorf("files %v, left %v, %d bytes", files, got.Left, got.bytes())
			}
		})
	}
	if _, err := readFolder(filepath.Join(t.TempDir(), "none"), daily, "", names(t)); !errors.As(err, new(*usageError)) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
