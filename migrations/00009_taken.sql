-- +goose Up
CREATE FUNCTION etl.take(so_far numeric, taken numeric, change numeric, most numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN coalesce(so_far, taken) + change <= most THEN coalesce(so_far, taken) + change ELSE coalesce(so_far, taken) END;
CREATE AGGREGATE etl.taken(taken numeric, change numeric, most numeric) (SFUNC = etl.take, STYPE = numeric);
COMMENT ON AGGREGATE etl.taken(numeric, numeric, numeric) IS
    'What is taken of a bounded stock, row by row: it begins with taken of the first row, and each change that does not lead above most is added';

-- +goose Down
DROP AGGREGATE etl.taken(numeric, numeric, numeric);
DROP FUNCTION etl.take(numeric, numeric, numeric, numeric);
