-- +goose Up
-- Why a file is refused as a whole (status «rejeté»); the registry has the same.
ALTER TABLE etl.files ADD COLUMN reason text CHECK (octet_length(reason) <= 1024);
COMMENT ON COLUMN etl.files.reason IS 'Why the file is refused as a whole, in French; never what a cell holds';

-- +goose Down
ALTER TABLE etl.files DROP COLUMN reason;
