package objectstore

import (
	"encoding/base64"
	"hash"

	"github.com/minio/crc64nvme"
)

// NewChecksum returns the checksum of an object's content: CRC-64/NVME, the one
// that S3 keeps of an object. It detects damage by storage, network or memory. It does
// not detect replacement: for that, readers name the version of an object, and no
// version can be written again.
func NewChecksum() hash.Hash { return crc64nvme.New() }

// ChecksumText is a checksum as S3 writes it: base64 of its eight bytes.
func ChecksumText(sum hash.Hash) string { return base64.StdEncoding.EncodeToString(sum.Sum(nil)) }
