package registry_test

import (
	"testing"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
)

func TestCorrected(t *testing.T) {
	sealed := func(resource string, status registry.FileStatus) registry.SealedFile {
		return registry.SealedFile{Resource: resource, Key: resource, VersionID: "v1", ETag: "e1", LastModified: at(10), FileStatus: status}
	}
	arrival := func(version string, modified time.Time) registry.Arrival {
		return registry.Arrival{Key: "clients", VersionID: version, ETag: "e" + version[1:], LastModified: modified}
	}
	refused := registry.FileStatus{Status: etl.FileRejected}
	differs := registry.FileStatus{Status: etl.FileRejected, ByControl: true}
	for name, test := range map[string]struct {
		clients  registry.FileStatus
		control  string // version that arrived; empty: none, and none sealed
		arrivals registry.Arrival
		want     bool
	}{
		"newer version":                 {refused, "", arrival("v2", at(20)), true},
		"newer version, same second":    {refused, "", arrival("v2", at(10)), true},
		"same version":                  {refused, "", arrival("v1", at(10)), false},
		"older one is the newest again": {refused, "", arrival("v0", at(5)), false},
		"gone":                          {refused, "", registry.Arrival{}, false},
		"nothing refused":               {registry.FileStatus{Status: etl.FileValid}, "", arrival("v2", at(20)), false},
		"newer totals":                  {differs, "v2", arrival("v1", at(10)), true},
		"same totals":                   {differs, "v1", arrival("v1", at(10)), false},
		"newer totals of another fault": {refused, "v2", arrival("v1", at(10)), false},
	} {
		imp := registry.Import{Generation: 1, SealedGeneration: 1, Files: []registry.SealedFile{sealed("clients", test.clients), sealed("ventes", registry.FileStatus{})}}
		arrivals := map[string]registry.Arrival{"ventes": {Key: "ventes", VersionID: "v9", LastModified: at(50)}}
		if test.arrivals.Key != "" {
			arrivals["clients"] = test.arrivals
		}
		if test.control != "" {
			imp.Files = append(imp.Files, sealed(totals.Prefix, registry.FileStatus{}))
			arrivals[totals.Prefix] = registry.Arrival{Key: totals.Prefix, VersionID: test.control, ETag: "e" + test.control[1:], LastModified: at(30)}
			if test.control == "v1" {
				a := arrivals[totals.Prefix]
				a.LastModified = at(10)
				arrivals[totals.Prefix] = a
			}
		}
		if got := imp.Corrected(arrivals); got != test.want {
			t.Errorf("%s: corrected is %v", name, got)
		}
		if imp.SealedGeneration = 0; imp.Corrected(arrivals) {
			t.Errorf("%s: the list of an earlier generation counts", name)
		}
	}
}
