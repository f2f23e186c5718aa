package landing

import "etl-dataloader/internal/contract"

// FromContract returns the names of the contract's files, in its order.
func FromContract(pkg *contract.Package) (*Names, error) {
	types := make([]FileType, len(pkg.Resources))
	for i, r := range pkg.Resources {
		types[i] = FileType{Resource: r.Name, Prefix: r.FileType, Alias: r.Alias}
	}
	return NewNames(types)
}
