-- +goose Up
CREATE INDEX audit_revealed ON etl.audit (at) WHERE action = 'reveal' AND stage = 'asked';

-- audit_reveal enters the records of a person's request before they are decrypted, unless
-- the principal would then have asked for more than the most of a day (UTC). The row that
-- precedes the search has no count. used is what
-- it has asked for today, this request included if it was entered; a repeated call enters
-- it once. Requests are counted one after the other. The loader may enter into the audit, but not read it.
-- +goose StatementBegin
CREATE FUNCTION etl.audit_reveal(request uuid, who text, access_key text, of_principal text, import text, what jsonb, records bigint, most bigint,
    OUT entered boolean, OUT used bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF records < 0 THEN
        RAISE EXCEPTION 'a negative count' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE etl.audit IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(sum((a.details->>'count')::bigint), 0) INTO used FROM etl.audit a
        WHERE a.action = 'reveal' AND a.stage = 'asked' AND a.at >= date_trunc('day', now(), 'UTC')
            AND a.details->>'principal' = of_principal AND a.request_id <> request;
    entered := used + records <= most;
    IF entered AND NOT EXISTS (SELECT FROM etl.audit a WHERE a.request_id = request AND a.stage = 'asked' AND a.action = 'reveal' AND a.details ? 'count') THEN
        INSERT INTO etl.audit (request_id, stage, identity, access_key_id, verified, action, import_id, details)
            VALUES (request, 'asked', who, nullif(access_key, ''), true, 'reveal', nullif(import, ''),
                what || jsonb_build_object('principal', of_principal, 'count', records));
    END IF;
    IF entered THEN
        used := used + records;
    END IF;
END $$;

-- A count that the loader entered itself could lift the bound of a day, or jam it.
CREATE FUNCTION etl.refuse_count() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = TG_RELID) THEN
        RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'etl.audit_reveal alone enters a count.';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER counted BEFORE INSERT ON etl.audit FOR EACH ROW
    WHEN (NEW.action = 'reveal' AND NEW.stage = 'asked' AND NEW.details ? 'count') EXECUTE FUNCTION etl.refuse_count();
REVOKE EXECUTE ON FUNCTION etl.audit_reveal, etl.refuse_count FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.audit_reveal TO etl_loader;

-- +goose Down
DROP TRIGGER counted ON etl.audit;
DROP FUNCTION etl.audit_reveal, etl.refuse_count;
DROP INDEX etl.audit_revealed;
