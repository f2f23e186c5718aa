-- +goose Up
ALTER TABLE etl.ledger RENAME COLUMN object_sha256 TO object_checksum;
COMMENT ON COLUMN etl.ledger.object_checksum IS 'Of the work object: CRC-64/NVME, in base64 as S3 writes it';

-- +goose Down
ALTER TABLE etl.ledger RENAME COLUMN object_checksum TO object_sha256;
COMMENT ON COLUMN etl.ledger.object_sha256 IS NULL;
