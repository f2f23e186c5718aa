ALTER DEFAULT PRIVILEGES FOR ROLE etl_owner IN SCHEMA final GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES TO etl_loader;
ALTER DEFAULT PRIVILEGES FOR ROLE etl_owner IN SCHEMA final GRANT SELECT ON TABLES TO etl_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE etl_owner IN SCHEMA staging GRANT SELECT ON TABLES TO etl_loader;
ALTER INDEX final.categories_pkey ATTACH PARTITION partitions.target_categories_IMPORT_g1_pkey;
ALTER INDEX final.clients_pkey ATTACH PARTITION partitions.target_clients_IMPORT_g1_pkey;
ALTER INDEX final.employes_pkey ATTACH PARTITION partitions.target_employes_IMPORT_g1_pkey;
ALTER INDEX final.events_pkey ATTACH PARTITION partitions.events_IMPORT_g1_pkey;
ALTER INDEX final.events_pkey ATTACH PARTITION partitions.published_IMPORT_g1_pkey;
ALTER INDEX final.fournisseurs_pkey ATTACH PARTITION partitions.target_fournisseurs_IMPORT_g1_pkey;
ALTER INDEX final.magasins_pkey ATTACH PARTITION partitions.target_magasins_IMPORT_g1_pkey;
ALTER INDEX final.paiements_pkey ATTACH PARTITION partitions.target_paiements_IMPORT_g1_pkey;
ALTER INDEX final.produits_pkey ATTACH PARTITION partitions.target_produits_IMPORT_g1_pkey;
ALTER INDEX final.retours_pkey ATTACH PARTITION partitions.target_retours_IMPORT_g1_pkey;
ALTER INDEX final.stocks_pkey ATTACH PARTITION partitions.target_stocks_IMPORT_g1_pkey;
ALTER INDEX final.ventes_pkey ATTACH PARTITION partitions.target_ventes_IMPORT_g1_pkey;
ALTER TABLE ONLY etl.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (import_id, attempt);
ALTER TABLE ONLY etl.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (audit_id);
ALTER TABLE ONLY etl.data_keys
    ADD CONSTRAINT data_keys_import_id_key UNIQUE (import_id);
ALTER TABLE ONLY etl.data_keys
    ADD CONSTRAINT data_keys_pkey PRIMARY KEY (key_id);
ALTER TABLE ONLY etl.enrichment_outages
    ADD CONSTRAINT enrichment_outages_pkey PRIMARY KEY (import_id, generation, source);
ALTER TABLE ONLY etl.files
    ADD CONSTRAINT files_import_id_fkey FOREIGN KEY (import_id) REFERENCES etl.imports(import_id);
ALTER TABLE ONLY etl.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (import_id, generation, resource);
ALTER TABLE ONLY etl.goose_db_version
    ADD CONSTRAINT goose_db_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY etl.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (import_id);
ALTER TABLE ONLY etl.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (import_id, generation, phase, resource, chunk);
ALTER TABLE ONLY etl.rejects
    ADD CONSTRAINT rejects_pkey PRIMARY KEY (import_id, generation, resource, line_number);
ALTER TABLE ONLY etl.token_key
    ADD CONSTRAINT token_key_pkey PRIMARY KEY (version);
ALTER TABLE ONLY final.categories
    ADD CONSTRAINT categories_pkey PRIMARY KEY (category_id);
ALTER TABLE ONLY final.categories ATTACH PARTITION partitions.target_categories_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (client_id_token);
ALTER TABLE ONLY final.clients ATTACH PARTITION partitions.target_clients_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.employes
    ADD CONSTRAINT employes_pkey PRIMARY KEY (employee_id_token);
ALTER TABLE ONLY final.employes ATTACH PARTITION partitions.target_employes_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (event_id, import_id);
ALTER TABLE ONLY final.events ATTACH PARTITION partitions.events_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY final.events ATTACH PARTITION partitions.published_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY final.fournisseurs
    ADD CONSTRAINT fournisseurs_pkey PRIMARY KEY (supplier_id);
ALTER TABLE ONLY final.fournisseurs ATTACH PARTITION partitions.target_fournisseurs_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.magasins
    ADD CONSTRAINT magasins_pkey PRIMARY KEY (store_id);
ALTER TABLE ONLY final.magasins ATTACH PARTITION partitions.target_magasins_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.paiements
    ADD CONSTRAINT paiements_pkey PRIMARY KEY (payment_id);
ALTER TABLE ONLY final.paiements ATTACH PARTITION partitions.target_paiements_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.produits
    ADD CONSTRAINT produits_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY final.produits ATTACH PARTITION partitions.target_produits_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.retours
    ADD CONSTRAINT retours_pkey PRIMARY KEY (return_id);
ALTER TABLE ONLY final.retours ATTACH PARTITION partitions.target_retours_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY final.stocks
    ADD CONSTRAINT stocks_pkey PRIMARY KEY (product_id, store_id);
ALTER TABLE ONLY final.stocks ATTACH PARTITION partitions.target_stocks_IMPORT_g1 FOR VALUES FROM (MINVALUE, MINVALUE) TO (MAXVALUE, MAXVALUE);
ALTER TABLE ONLY final.ventes
    ADD CONSTRAINT ventes_pkey PRIMARY KEY (sale_id);
ALTER TABLE ONLY final.ventes ATTACH PARTITION partitions.target_ventes_IMPORT_g1 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
ALTER TABLE ONLY partitions.events_IMPORT_g1
    ADD CONSTRAINT events_IMPORT_g1_pkey PRIMARY KEY (event_id, import_id);
ALTER TABLE ONLY partitions.published_IMPORT_g1
    ADD CONSTRAINT published_IMPORT_g1_pkey PRIMARY KEY (event_id, import_id);
ALTER TABLE ONLY partitions.target_categories_IMPORT_g1
    ADD CONSTRAINT target_categories_IMPORT_g1_pkey PRIMARY KEY (category_id);
ALTER TABLE ONLY partitions.target_clients_IMPORT_g1
    ADD CONSTRAINT target_clients_IMPORT_g1_pkey PRIMARY KEY (client_id_token);
ALTER TABLE ONLY partitions.target_employes_IMPORT_g1
    ADD CONSTRAINT target_employes_IMPORT_g1_pkey PRIMARY KEY (employee_id_token);
ALTER TABLE ONLY partitions.target_fournisseurs_IMPORT_g1
    ADD CONSTRAINT target_fournisseurs_IMPORT_g1_pkey PRIMARY KEY (supplier_id);
ALTER TABLE ONLY partitions.target_magasins_IMPORT_g1
    ADD CONSTRAINT target_magasins_IMPORT_g1_pkey PRIMARY KEY (store_id);
ALTER TABLE ONLY partitions.target_paiements_IMPORT_g1
    ADD CONSTRAINT target_paiements_IMPORT_g1_pkey PRIMARY KEY (payment_id);
ALTER TABLE ONLY partitions.target_produits_IMPORT_g1
    ADD CONSTRAINT target_produits_IMPORT_g1_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY partitions.target_retours_IMPORT_g1
    ADD CONSTRAINT target_retours_IMPORT_g1_pkey PRIMARY KEY (return_id);
ALTER TABLE ONLY partitions.target_stocks_IMPORT_g1
    ADD CONSTRAINT target_stocks_IMPORT_g1_pkey PRIMARY KEY (product_id, store_id);
ALTER TABLE ONLY partitions.target_ventes_IMPORT_g1
    ADD CONSTRAINT target_ventes_IMPORT_g1_pkey PRIMARY KEY (sale_id);
ALTER TABLE ONLY staging.categories ATTACH PARTITION partitions.staging_categories_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.clients ATTACH PARTITION partitions.staging_clients_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.employes ATTACH PARTITION partitions.staging_employes_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.fournisseurs ATTACH PARTITION partitions.staging_fournisseurs_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.magasins ATTACH PARTITION partitions.staging_magasins_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.paiements ATTACH PARTITION partitions.staging_paiements_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.produits ATTACH PARTITION partitions.staging_produits_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.retours ATTACH PARTITION partitions.staging_retours_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.stocks ATTACH PARTITION partitions.staging_stocks_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE ONLY staging.ventes ATTACH PARTITION partitions.staging_ventes_IMPORT_g1 FOR VALUES IN ('IMPORT');
ALTER TABLE etl.audit ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME etl.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE etl.data_keys ALTER COLUMN key_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME etl.data_keys_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE etl.goose_db_version ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME etl.goose_db_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON AGGREGATE etl.taken(taken numeric, change numeric, most numeric) IS 'What is taken of a bounded stock, row by row: it begins with taken of the first row, and each change that does not lead above most is added';
COMMENT ON COLUMN etl.attempts.failed_reason IS 'Why the attempt before failed; failed_step says where';
COMMENT ON COLUMN etl.attempts.trigger IS 'file, deadline, automatic, console or command; NULL: not recorded then';
COMMENT ON COLUMN etl.audit.access_key_id IS 'Of the key that signed the request; NULL where none is known';
COMMENT ON COLUMN etl.audit.action IS 'What was asked, such as restart or reveal';
COMMENT ON COLUMN etl.audit.details IS 'What else was asked, such as the fields and the reason; never a value of a file';
COMMENT ON COLUMN etl.audit.identity IS 'ARN of whoever asked; the name of a session in it is what its caller wrote';
COMMENT ON COLUMN etl.audit.import_id IS 'The import it was asked of, known to the database or not; NULL: of none';
COMMENT ON COLUMN etl.audit.outcome IS 'What became of it, in the row after the deed';
COMMENT ON COLUMN etl.audit.request_id IS 'The same in the rows before and after the deed';
COMMENT ON COLUMN etl.audit.stage IS 'asked: before the deed; done: after it';
COMMENT ON COLUMN etl.audit.verified IS 'Whether AWS vouches for identity; otherwise it is what the request says';
COMMENT ON COLUMN etl.enrichment_outages.alerted_at IS 'When the operators were told about the source; they are told once';
COMMENT ON COLUMN etl.enrichment_outages.answered_at IS 'When the last outage ended';
COMMENT ON COLUMN etl.enrichment_outages.attempt IS 'The attempt of the import that this time counts for; a later one starts anew';
COMMENT ON COLUMN etl.enrichment_outages.cause IS 'The last failure, by its code';
COMMENT ON COLUMN etl.enrichment_outages.down_seconds IS 'The outages that are over';
COMMENT ON COLUMN etl.enrichment_outages.down_since IS 'Begin of the present outage; NULL while the source answers';
COMMENT ON COLUMN etl.errors.raw IS 'The malformed record, encrypted (column _raw of its chunk)';
COMMENT ON COLUMN etl.errors.resolved_at IS 'When an event completed the record that could not be enriched; NULL until then, and for rejects';
COMMENT ON COLUMN etl.files.reason IS 'Why the file is refused as a whole, in French; never what a cell holds';
COMMENT ON COLUMN etl.imports.attempt IS 'The attempt that status speaks of; 0: none was copied yet. A late copy of an earlier one changes nothing';
COMMENT ON COLUMN etl.imports.contract_hash IS 'Of the contract that Open loads by; empty before Open';
COMMENT ON COLUMN etl.imports.failed_reason IS 'Why it failed, while status is échoué; at most 1 KB, and never what a file holds';
COMMENT ON COLUMN etl.imports.failed_step IS 'Processing step that failed, while status is échoué';
COMMENT ON COLUMN etl.imports.published_generation IS 'The generation that readers of final see; a forced restart replaces it when it is published';
COMMENT ON COLUMN etl.ledger.object_checksum IS 'Of the work object: CRC-64/NVME, in base64 as S3 writes it';
COMMENT ON COLUMN etl.token_key.import_id IS 'The import that was the first to use the key';
COMMENT ON COLUMN etl.token_key.key_check IS 'Made by the key under a label of its own; it tells two keys apart and nothing about tokens';
COMMENT ON COLUMN etl.token_key.version IS 'The first byte of the tokens';
COMMENT ON COLUMN final.events.completes IS 'The event that this one completes: what a source answered after the import was published. NULL for all others';
COMMENT ON COLUMN final.events.enrichment IS 'NULL where no enrichment is configured';
COMMENT ON SCHEMA etl IS 'Imports, their ledger, their errors and their keys';
COMMENT ON SCHEMA final IS 'What readers use: the target tables and the events, complete imports only';
COMMENT ON SCHEMA partitions IS 'The leaves of the partitioned tables, and the detached tables of open imports';
COMMENT ON SCHEMA staging IS 'Raw records, protected, as they were read; one list partition an import';
COMMENT ON TABLE etl.attempts IS 'The attempts of each import, copied from the registry, which has them all at once, when an import opens, when it is published, and after each re-execution that was asked for';
COMMENT ON TABLE etl.audit IS 'What people asked of the product: a row before the deed and one after it. Append only; a row may stand twice where the answer to its insertion was lost';
COMMENT ON TABLE etl.data_keys IS 'The data key of each import, wrapped by KMS; never deleted while a ciphertext refers to it';
COMMENT ON TABLE etl.enrichment_outages IS 'How long each enrichment source gave an import no answer: what its patience is measured by';
COMMENT ON TABLE etl.errors IS 'Every reason of every reject, and every record that could not be enriched';
COMMENT ON TABLE etl.files IS 'The sealed object versions of an import, and what became of their records';
COMMENT ON TABLE etl.imports IS 'One row an import that began to load, failed, or was started over or given up; the copy of the registry that SQL joins with. The generation fences off late writers';
COMMENT ON TABLE etl.incoherences IS 'Published rows whose parent is gone, by relation and missing key (a token in hexadecimal where the key is sensitive)';
COMMENT ON TABLE etl.ledger IS 'One row a persisted unit, written in the transaction that persisted it: the whole of exactly-once';
COMMENT ON TABLE etl.rejects IS 'The rejected records, once each; every one has its reasons in etl.errors';
COMMENT ON TABLE etl.token_key IS 'The KMS key behind the tokens of this database: an import whose tokens come from another one is refused';
CREATE AGGREGATE etl.taken(taken numeric, change numeric, most numeric) (
    SFUNC = etl.take,
    STYPE = numeric
);
CREATE FUNCTION etl.analyze_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('ANALYZE %s%s', etl.detached_leaf(kind, resource, import, gen), ' (' || etl.names(columns) || ')');
END $$;
CREATE FUNCTION etl.analyze_rejects() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    ANALYZE etl.rejects;
END $$;
CREATE FUNCTION etl.attach_leaf(kind text, resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    leaf regclass := etl.detached_leaf(kind, resource, import, gen);
BEGIN
    IF kind <> 'staging' THEN
        PERFORM etl.fence(import, gen);
        EXECUTE format('ALTER TABLE %s RESET (autovacuum_enabled)', leaf);
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%L)', etl.parent(kind, resource), leaf, import);
END $$;
CREATE FUNCTION etl.audit_reveal(request uuid, who text, access_key text, of_principal text, import text, what jsonb, records bigint, most bigint, OUT entered boolean, OUT used bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
CREATE FUNCTION etl.create_leaf(kind text, resource text, import text, gen integer, file_date date, file_type text, file text) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    leaf text := etl.leaf(kind, resource, import, gen);
    of_import text := CASE WHEN kind = 'target' THEN '' ELSE format(', CHECK (import_id = %L)', import) END;
    of_file text := CASE WHEN kind = 'staging' THEN format(', ALTER file_type SET DEFAULT %L, ALTER file SET DEFAULT %L', file_type, file) ELSE '' END;
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS partitions.%I (LIKE %s INCLUDING CONSTRAINTS%s) WITH (autovacuum_enabled = off)',
        leaf, etl.parent(kind, resource), of_import);
    EXECUTE format('ALTER TABLE %s ALTER import_id SET DEFAULT %L, ALTER generation SET DEFAULT %s, ALTER file_date SET DEFAULT %L%s',
        etl.detached_leaf(kind, resource, import, gen), import, gen, file_date, of_file);
    EXECUTE format('GRANT SELECT, INSERT ON partitions.%I TO etl_loader', leaf);
END $$;
CREATE FUNCTION etl.create_scratch(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    kind text;
    columns text;
BEGIN
    FOR kind, columns IN VALUES ('links', 'node bigint, parent bigint, valid boolean, shielded boolean'), ('jumps', 'node bigint, jump bigint'),
        ('ahead', 'node bigint, jump bigint'), ('starts', 'node bigint'), ('members', 'node bigint'), ('below', 'node bigint') LOOP
        EXECUTE format('CREATE TABLE partitions.%I (%s)', etl.leaf(kind, resource, import, gen), columns);
        EXECUTE format('GRANT SELECT, INSERT, TRUNCATE ON partitions.%I TO etl_loader', etl.leaf(kind, resource, import, gen));
    END LOOP;
END $$;
CREATE FUNCTION etl.detached_leaf(kind text, resource text, import text, gen integer) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    found regclass := format('partitions.%I', etl.leaf(kind, resource, import, gen));
BEGIN
    IF (SELECT c.relispartition FROM pg_class c WHERE c.oid = found) THEN
        RAISE EXCEPTION '% is attached', found USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN found;
END $$;
CREATE FUNCTION etl.drop_leaf(kind text, resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    leaf regclass := to_regclass(format('partitions.%I', etl.leaf(kind, resource, import, gen)));
BEGIN
    IF leaf IS NULL THEN
        RETURN;
    END IF;
    IF etl.read_by_others(leaf, import) THEN
        RAISE EXCEPTION '% is published', leaf USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE %s', leaf);
END $$;
CREATE FUNCTION etl.drop_leaves(import text, gen integer, staged boolean) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    suffix text := substr(etl.leaf('events', '', import, gen), length('events') + 1);
    leaf regclass;
BEGIN
    FOR leaf IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'partitions' AND c.relkind = 'r' AND right(c.relname, length(suffix)) = suffix
            AND (NOT staged OR c.relname LIKE 'staging\_%') AND NOT etl.read_by_others(c.oid, import) LOOP
        EXECUTE format('DROP TABLE %s', leaf);
    END LOOP;
END $$;
CREATE FUNCTION etl.drop_published_events(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    previous regclass;
BEGIN
    PERFORM etl.fence_initial(import, gen);
    FOR previous IN SELECT h.inhrelid FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'final.events'::regclass AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%L)', import) LOOP
        EXECUTE format('DROP TABLE %s', previous);
    END LOOP;
END $$;
CREATE FUNCTION etl.drop_scratch(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['links', 'jumps', 'ahead', 'starts', 'members', 'below'] LOOP
        EXECUTE format('DROP TABLE partitions.%I', etl.leaf(kind, resource, import, gen));
    END LOOP;
END $$;
CREATE FUNCTION etl.fence(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM etl.imports i WHERE i.import_id = import AND i.generation = gen AND i.status <> 'abandonné' FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not at generation %', import, gen USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;
CREATE FUNCTION etl.fence_initial(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    PERFORM etl.fence(import, gen);
    IF EXISTS (SELECT FROM etl.imports i WHERE i.import_id = import AND i.mode <> 'initial')
        OR EXISTS (SELECT FROM etl.imports i WHERE i.import_id <> import AND i.published_generation IS NOT NULL) THEN
        RAISE EXCEPTION '% may not replace what is published', import USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;
CREATE FUNCTION etl.index_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('CREATE INDEX ON %s (%s)', etl.detached_leaf(kind, resource, import, gen), etl.names(columns));
END $$;
CREATE FUNCTION etl.key_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%s)', etl.detached_leaf(kind, resource, import, gen), etl.names(columns));
END $$;
CREATE FUNCTION etl.leaf(kind text, resource text, import text, gen integer) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    suffix text := '_' || lower(replace(import, 'IMPORT_', '')) || '_g' || gen;
    most integer := 63 - octet_length(kind) - 1 - octet_length(suffix); -- bytes of the resource's name
    short text := resource;
    hash text;
BEGIN
    IF import !~ '^IMPORT_[0-9]{8}_[0-9]{6}_[0-9]{3,}$' OR gen < 1 OR (resource = '') <> (kind IN ('events', 'published'))
        OR kind NOT IN ('staging', 'target', 'events', 'published', 'links', 'jumps', 'ahead', 'starts', 'members', 'below') THEN
        RAISE EXCEPTION 'no such leaf' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF resource = '' THEN
        RETURN kind || suffix;
    END IF;
    IF octet_length(resource) > most THEN
        hash := '_' || substr(encode(sha256(convert_to(resource, 'UTF8')), 'hex'), 1, 16);
        WHILE octet_length(short) > greatest(most - octet_length(hash), 0) LOOP
            short := left(short, -1);
        END LOOP;
        short := short || hash;
    END IF;
    RETURN kind || '_' || short || suffix;
END $_$;
CREATE FUNCTION etl.mark_published(import text, gen integer) RETURNS boolean
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    UPDATE etl.imports i SET status = 'réussi', published_generation = gen, failed_step = NULL, failed_reason = NULL,
        published_at = now(), updated_at = now() WHERE i.import_id = import AND i.generation = gen;
    RETURN FOUND;
END $$;
CREATE FUNCTION etl.names(columns text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    RETURN (SELECT string_agg(quote_ident(n.name), ', '::text ORDER BY n.place) AS string_agg FROM unnest(names.columns) WITH ORDINALITY n(name, place));
CREATE FUNCTION etl.parent(kind text, resource text) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    found regclass := CASE
        WHEN kind = 'staging' THEN to_regclass(format('staging.%I', resource))
        WHEN kind = 'target' AND resource <> 'events' THEN to_regclass(format('final.%I', resource))
        WHEN kind IN ('events', 'published') THEN 'final.events'::regclass END;
BEGIN
    IF (SELECT c.relkind FROM pg_class c WHERE c.oid = found) IS DISTINCT FROM 'p' THEN
        RAISE EXCEPTION 'no such table' USING ERRCODE = 'undefined_table';
    END IF;
    RETURN found;
END $$;
CREATE FUNCTION etl.purge_leaf(leaf text) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF leaf LIKE 'staging\_%' AND EXISTS (SELECT FROM etl.imports i WHERE i.status IN ('réussi', 'abandonné')
        AND position(lower(replace(i.import_id, 'IMPORT_', '')) || '_g' IN leaf) > 0) THEN
        EXECUTE format('DROP TABLE IF EXISTS partitions.%I', leaf);
    END IF;
END $$;
CREATE FUNCTION etl.read_by_others(leaf regclass, import text) RETURNS boolean
    LANGUAGE sql STABLE STRICT
    RETURN ((EXISTS (SELECT FROM ((pg_inherits h JOIN pg_class p ON ((p.oid = h.inhparent))) JOIN pg_namespace n ON ((n.oid = p.relnamespace))) WHERE ((h.inhrelid = (read_by_others.leaf)::oid) AND (n.nspname = 'final'::name)))) AND (EXISTS (SELECT FROM etl.imports i WHERE ((i.import_id = read_by_others.import) AND (i.published_generation IS NOT NULL)))));
CREATE FUNCTION etl.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', DETAIL = 'The table is append only.';
END $$;
CREATE FUNCTION etl.refuse_count() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = TG_RELID) THEN
        RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'etl.audit_reveal alone enters a count.';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION etl.swap_target(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    leaf regclass := etl.detached_leaf('target', resource, import, gen);
    parent regclass := etl.parent('target', resource);
    lowest text := (SELECT rtrim(repeat('MINVALUE, ', p.partnatts), ', ') FROM pg_partitioned_table p WHERE p.partrelid = parent);
    previous regclass;
BEGIN
    PERFORM etl.fence_initial(import, gen);
    FOR previous IN SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = parent LOOP
        EXECUTE format('DROP TABLE %s', previous);
    END LOOP;
    EXECUTE format('ALTER TABLE %s RESET (autovacuum_enabled)', leaf);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)', parent, leaf, lowest, replace(lowest, 'MIN', 'MAX'));
END $$;
CREATE FUNCTION etl.take(so_far numeric, taken numeric, change numeric, most numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((COALESCE(so_far, taken) + change) <= most) THEN (COALESCE(so_far, taken) + change) ELSE COALESCE(so_far, taken) END;
CREATE INDEX audit_import ON etl.audit USING btree (import_id, at);
CREATE INDEX audit_revealed ON etl.audit USING btree (at) WHERE ((action = 'reveal'::text) AND (stage = 'asked'::text));
CREATE INDEX errors_line ON etl.errors USING btree (import_id, generation, resource, line_number);
CREATE INDEX incoherences_import ON etl.incoherences USING btree (import_id);
CREATE INDEX staging_… ON partitions.staging_categories_IMPORT_g1 USING btree (category_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_clients_IMPORT_g1 USING btree (client_id_token, line_number);
CREATE INDEX staging_… ON partitions.staging_clients_IMPORT_g1 USING btree (nif_token, line_number);
CREATE INDEX staging_… ON partitions.staging_employes_IMPORT_g1 USING btree (employee_id_token, line_number);
CREATE INDEX staging_… ON partitions.staging_employes_IMPORT_g1 USING btree (nif_token, line_number);
CREATE INDEX staging_… ON partitions.staging_fournisseurs_IMPORT_g1 USING btree (supplier_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_magasins_IMPORT_g1 USING btree (store_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_paiements_IMPORT_g1 USING btree (payment_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_produits_IMPORT_g1 USING btree (product_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_retours_IMPORT_g1 USING btree (return_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_stocks_IMPORT_g1 USING btree (product_id_key, store_id_key, line_number);
CREATE INDEX staging_… ON partitions.staging_ventes_IMPORT_g1 USING btree (sale_id_key, line_number);
CREATE SCHEMA etl;
CREATE SCHEMA final;
CREATE SCHEMA partitions;
CREATE SCHEMA staging;
CREATE TABLE etl.attempts (
    import_id text NOT NULL,
    attempt integer NOT NULL,
    generation integer NOT NULL,
    kind text NOT NULL,
    execution_arn text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    trigger text,
    failed_step text,
    failed_reason text
);
CREATE TABLE etl.audit (
    audit_id bigint NOT NULL,
    request_id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    stage text NOT NULL,
    identity text NOT NULL,
    access_key_id text,
    verified boolean NOT NULL,
    action text NOT NULL,
    import_id text,
    details jsonb,
    outcome text,
    CONSTRAINT audit_access_key_id_check CHECK (((octet_length(access_key_id) >= 1) AND (octet_length(access_key_id) <= 128))),
    CONSTRAINT audit_action_check CHECK (((octet_length(action) >= 1) AND (octet_length(action) <= 128))),
    CONSTRAINT audit_check CHECK (((stage = 'done'::text) = (outcome IS NOT NULL))),
    CONSTRAINT audit_details_check CHECK (((jsonb_typeof(details) = 'object'::text) AND (octet_length((details)::text) <= 65536))),
    CONSTRAINT audit_identity_check CHECK (((octet_length(identity) >= 1) AND (octet_length(identity) <= 2048))),
    CONSTRAINT audit_import_id_check CHECK (((octet_length(import_id) >= 1) AND (octet_length(import_id) <= 128))),
    CONSTRAINT audit_outcome_check CHECK (((octet_length(outcome) >= 1) AND (octet_length(outcome) <= 1024))),
    CONSTRAINT audit_stage_check CHECK ((stage = ANY (ARRAY['asked'::text, 'done'::text])))
);
CREATE TABLE etl.data_keys (
    key_id integer NOT NULL,
    import_id text NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE etl.enrichment_outages (
    import_id text NOT NULL,
    generation integer NOT NULL,
    source text NOT NULL,
    attempt integer NOT NULL,
    down_since timestamp with time zone,
    answered_at timestamp with time zone,
    down_seconds double precision DEFAULT 0 NOT NULL,
    cause text NOT NULL,
    alerted_at timestamp with time zone
);
CREATE TABLE etl.errors (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file text NOT NULL,
    resource text NOT NULL,
    chunk integer,
    line_number bigint,
    field text,
    rule text NOT NULL,
    error_details text NOT NULL,
    processing_step text NOT NULL,
    raw bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone
);
CREATE TABLE etl.files (
    import_id text NOT NULL,
    generation integer NOT NULL,
    resource text NOT NULL,
    file text NOT NULL,
    object_key text NOT NULL,
    version_id text NOT NULL,
    size_bytes bigint NOT NULL,
    records bigint,
    valid bigint,
    rejected bigint,
    status text,
    reason text,
    CONSTRAINT files_reason_check CHECK ((octet_length(reason) <= 1024)),
    CONSTRAINT files_status_check CHECK ((status = ANY (ARRAY['validé'::text, 'avec rejets'::text, 'rejeté'::text])))
);
CREATE TABLE etl.goose_db_version (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);
CREATE TABLE etl.imports (
    import_id text NOT NULL,
    mode text NOT NULL,
    file_date date NOT NULL,
    status text NOT NULL,
    generation integer NOT NULL,
    contract_hash text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone,
    published_generation integer,
    attempt integer DEFAULT 0 NOT NULL,
    failed_step text,
    failed_reason text,
    CONSTRAINT imports_generation_check CHECK ((generation > 0)),
    CONSTRAINT imports_mode_check CHECK ((mode = ANY (ARRAY['initial'::text, 'daily'::text]))),
    CONSTRAINT imports_status_check CHECK ((status = ANY (ARRAY['en cours'::text, 'réussi'::text, 'échoué'::text, 'abandonné'::text])))
);
CREATE TABLE etl.incoherences (
    import_id text NOT NULL,
    generation integer NOT NULL,
    resource text NOT NULL,
    field text NOT NULL,
    parent text NOT NULL,
    missing_key text NOT NULL,
    row_count bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE etl.ledger (
    import_id text NOT NULL,
    generation integer NOT NULL,
    phase text NOT NULL,
    resource text NOT NULL,
    chunk integer NOT NULL,
    result json,
    object_key text,
    object_version text,
    object_checksum text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE etl.migration_lock (
);
CREATE TABLE etl.rejects (
    import_id text NOT NULL,
    generation integer NOT NULL,
    resource text NOT NULL,
    line_number bigint NOT NULL
);
CREATE TABLE etl.token_key (
    version smallint NOT NULL,
    key_check bytea NOT NULL,
    import_id text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT token_key_key_check_check CHECK ((octet_length(key_check) = 16))
);
CREATE TABLE final.categories (
    category_id bigint NOT NULL,
    name text NOT NULL,
    parent_category_id bigint,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (category_id);
CREATE TABLE final.clients (
    client_id bytea NOT NULL,
    client_id_token bytea NOT NULL,
    first_name bytea NOT NULL,
    last_name bytea NOT NULL,
    email bytea NOT NULL,
    nif bytea NOT NULL,
    nif_token bytea NOT NULL,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text NOT NULL,
    country text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (client_id_token);
CREATE TABLE final.employes (
    employee_id bytea NOT NULL,
    employee_id_token bytea NOT NULL,
    first_name bytea NOT NULL,
    last_name bytea NOT NULL,
    email bytea NOT NULL,
    nif bytea NOT NULL,
    nif_token bytea NOT NULL,
    store_id bigint NOT NULL,
    hired_on date NOT NULL,
    left_on date,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (employee_id_token);
CREATE TABLE final.events (
    event_id uuid NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    event_type text NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    resource text NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    client_id bytea,
    client_id_token bytea,
    enrichment text,
    data json NOT NULL,
    completes uuid,
    CONSTRAINT events_enrichment_check CHECK ((enrichment = ANY (ARRAY['ok'::text, 'not_found'::text, 'failed'::text])))
)
PARTITION BY LIST (import_id);
CREATE TABLE final.fournisseurs (
    supplier_id bigint NOT NULL,
    name text NOT NULL,
    contact_email bytea NOT NULL,
    vat_number text,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (supplier_id);
CREATE TABLE final.magasins (
    store_id bigint NOT NULL,
    name text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    opened_on date NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (store_id);
CREATE TABLE final.paiements (
    payment_id bigint NOT NULL,
    sale_id bigint NOT NULL,
    amount numeric NOT NULL,
    method text NOT NULL,
    iban bytea,
    paid_at timestamp with time zone NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (payment_id);
CREATE TABLE final.produits (
    product_id bigint NOT NULL,
    name text NOT NULL,
    category_id bigint NOT NULL,
    supplier_id bigint NOT NULL,
    unit_price numeric NOT NULL,
    currency text NOT NULL,
    active boolean NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (product_id);
CREATE TABLE final.retours (
    return_id bigint NOT NULL,
    sale_id bigint NOT NULL,
    quantity bigint NOT NULL,
    reason text NOT NULL,
    returned_on date NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (return_id);
CREATE TABLE final.stocks (
    product_id bigint NOT NULL,
    store_id bigint NOT NULL,
    quantity bigint NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (product_id, store_id);
CREATE TABLE final.ventes (
    sale_id bigint NOT NULL,
    client_id bytea NOT NULL,
    client_id_token bytea NOT NULL,
    product_id bigint NOT NULL,
    store_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric NOT NULL,
    sale_amount numeric NOT NULL,
    sale_date date NOT NULL,
    channel text NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL
)
PARTITION BY RANGE (sale_id);
CREATE TABLE partitions.events_IMPORT_g1 (
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT events_timestamp_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT events_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT events_generation_not_null NOT NULL,
    resource text CONSTRAINT events_resource_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT events_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT events_line_number_not_null NOT NULL,
    client_id bytea,
    client_id_token bytea,
    enrichment text,
    data json CONSTRAINT events_data_not_null NOT NULL,
    completes uuid,
    CONSTRAINT events_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text)),
    CONSTRAINT events_enrichment_check CHECK ((enrichment = ANY (ARRAY['ok'::text, 'not_found'::text, 'failed'::text])))
);
CREATE TABLE partitions.published_IMPORT_g1 (
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT events_timestamp_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT events_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT events_generation_not_null NOT NULL,
    resource text CONSTRAINT events_resource_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT events_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT events_line_number_not_null NOT NULL,
    client_id bytea,
    client_id_token bytea,
    enrichment text,
    data json CONSTRAINT events_data_not_null NOT NULL,
    completes uuid,
    CONSTRAINT events_enrichment_check CHECK ((enrichment = ANY (ARRAY['ok'::text, 'not_found'::text, 'failed'::text]))),
    CONSTRAINT published_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
);
CREATE TABLE partitions.staging_categories_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT categories_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT categories_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT categories_file_date_not_null NOT NULL,
    file_type text DEFAULT 'category_data'::text CONSTRAINT categories_file_type_not_null NOT NULL,
    file text DEFAULT 'category_data_DATE.csv'::text CONSTRAINT categories_file_not_null NOT NULL,
    chunk integer CONSTRAINT categories_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT categories_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    category_id text,
    category_id_key bigint,
    name text,
    parent_category_id text,
    parent_category_id_key bigint,
    CONSTRAINT staging_categories_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_clients_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT clients_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT clients_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT clients_file_date_not_null NOT NULL,
    file_type text DEFAULT 'client_data'::text CONSTRAINT clients_file_type_not_null NOT NULL,
    file text DEFAULT 'client_data_DATE.csv'::text CONSTRAINT clients_file_not_null NOT NULL,
    chunk integer CONSTRAINT clients_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT clients_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    client_id bytea,
    client_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text,
    country text,
    created_at text,
    CONSTRAINT staging_clients_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_employes_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT employes_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT employes_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT employes_file_date_not_null NOT NULL,
    file_type text DEFAULT 'employee_data'::text CONSTRAINT employes_file_type_not_null NOT NULL,
    file text DEFAULT 'employee_data_DATE.csv'::text CONSTRAINT employes_file_not_null NOT NULL,
    chunk integer CONSTRAINT employes_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT employes_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    employee_id bytea,
    employee_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    store_id text,
    store_id_key bigint,
    hired_on text,
    left_on text,
    CONSTRAINT staging_employes_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_fournisseurs_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT fournisseurs_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT fournisseurs_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT fournisseurs_file_date_not_null NOT NULL,
    file_type text DEFAULT 'supplier_data'::text CONSTRAINT fournisseurs_file_type_not_null NOT NULL,
    file text DEFAULT 'supplier_data_DATE.csv'::text CONSTRAINT fournisseurs_file_not_null NOT NULL,
    chunk integer CONSTRAINT fournisseurs_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT fournisseurs_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    supplier_id text,
    supplier_id_key bigint,
    name text,
    contact_email bytea,
    vat_number text,
    CONSTRAINT staging_fournisseurs_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_magasins_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT magasins_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT magasins_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT magasins_file_date_not_null NOT NULL,
    file_type text DEFAULT 'store_data'::text CONSTRAINT magasins_file_type_not_null NOT NULL,
    file text DEFAULT 'store_data_DATE.csv'::text CONSTRAINT magasins_file_not_null NOT NULL,
    chunk integer CONSTRAINT magasins_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT magasins_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    store_id text,
    store_id_key bigint,
    name text,
    city text,
    country text,
    opened_on text,
    CONSTRAINT staging_magasins_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_paiements_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT paiements_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT paiements_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT paiements_file_date_not_null NOT NULL,
    file_type text DEFAULT 'payment_data'::text CONSTRAINT paiements_file_type_not_null NOT NULL,
    file text DEFAULT 'payment_data_DATE.csv'::text CONSTRAINT paiements_file_not_null NOT NULL,
    chunk integer CONSTRAINT paiements_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT paiements_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    payment_id text,
    payment_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    amount text,
    method text,
    iban bytea,
    paid_at text,
    CONSTRAINT staging_paiements_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_produits_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT produits_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT produits_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT produits_file_date_not_null NOT NULL,
    file_type text DEFAULT 'product_data'::text CONSTRAINT produits_file_type_not_null NOT NULL,
    file text DEFAULT 'product_data_DATE.csv'::text CONSTRAINT produits_file_not_null NOT NULL,
    chunk integer CONSTRAINT produits_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT produits_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    product_id text,
    product_id_key bigint,
    name text,
    category_id text,
    category_id_key bigint,
    supplier_id text,
    supplier_id_key bigint,
    unit_price text,
    currency text,
    active text,
    CONSTRAINT staging_produits_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_retours_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT retours_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT retours_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT retours_file_date_not_null NOT NULL,
    file_type text DEFAULT 'return_data'::text CONSTRAINT retours_file_type_not_null NOT NULL,
    file text DEFAULT 'return_data_DATE.csv'::text CONSTRAINT retours_file_not_null NOT NULL,
    chunk integer CONSTRAINT retours_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT retours_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    return_id text,
    return_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    quantity text,
    quantity_key bigint,
    reason text,
    returned_on text,
    CONSTRAINT staging_retours_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_stocks_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT stocks_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT stocks_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT stocks_file_date_not_null NOT NULL,
    file_type text DEFAULT 'stock_data'::text CONSTRAINT stocks_file_type_not_null NOT NULL,
    file text DEFAULT 'stock_data_DATE.csv'::text CONSTRAINT stocks_file_not_null NOT NULL,
    chunk integer CONSTRAINT stocks_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT stocks_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    counted_at text,
    CONSTRAINT staging_stocks_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.staging_ventes_IMPORT_g1 (
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT ventes_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT ventes_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT ventes_file_date_not_null NOT NULL,
    file_type text DEFAULT 'sales_data'::text CONSTRAINT ventes_file_type_not_null NOT NULL,
    file text DEFAULT 'sales_data_DATE.csv'::text CONSTRAINT ventes_file_not_null NOT NULL,
    chunk integer CONSTRAINT ventes_chunk_not_null NOT NULL,
    line_number bigint CONSTRAINT ventes_line_number_not_null NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    sale_id text,
    sale_id_key bigint,
    client_id bytea,
    client_id_token bytea,
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    quantity_key bigint,
    unit_price text,
    amount text,
    sale_date text,
    channel text,
    CONSTRAINT staging_ventes_IMPORT_g1_import_id_check CHECK ((import_id = 'IMPORT'::text))
)
WITH (autovacuum_enabled=off);
CREATE TABLE partitions.target_categories_IMPORT_g1 (
    category_id bigint CONSTRAINT categories_category_id_not_null NOT NULL,
    name text CONSTRAINT categories_name_not_null NOT NULL,
    parent_category_id bigint,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT categories_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT categories_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT categories_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT categories_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_clients_IMPORT_g1 (
    client_id bytea CONSTRAINT clients_client_id_not_null NOT NULL,
    client_id_token bytea CONSTRAINT clients_client_id_token_not_null NOT NULL,
    first_name bytea CONSTRAINT clients_first_name_not_null NOT NULL,
    last_name bytea CONSTRAINT clients_last_name_not_null NOT NULL,
    email bytea CONSTRAINT clients_email_not_null NOT NULL,
    nif bytea CONSTRAINT clients_nif_not_null NOT NULL,
    nif_token bytea CONSTRAINT clients_nif_token_not_null NOT NULL,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text CONSTRAINT clients_city_not_null NOT NULL,
    country text CONSTRAINT clients_country_not_null NOT NULL,
    created_at timestamp with time zone CONSTRAINT clients_created_at_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT clients_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT clients_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT clients_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT clients_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_employes_IMPORT_g1 (
    employee_id bytea CONSTRAINT employes_employee_id_not_null NOT NULL,
    employee_id_token bytea CONSTRAINT employes_employee_id_token_not_null NOT NULL,
    first_name bytea CONSTRAINT employes_first_name_not_null NOT NULL,
    last_name bytea CONSTRAINT employes_last_name_not_null NOT NULL,
    email bytea CONSTRAINT employes_email_not_null NOT NULL,
    nif bytea CONSTRAINT employes_nif_not_null NOT NULL,
    nif_token bytea CONSTRAINT employes_nif_token_not_null NOT NULL,
    store_id bigint CONSTRAINT employes_store_id_not_null NOT NULL,
    hired_on date CONSTRAINT employes_hired_on_not_null NOT NULL,
    left_on date,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT employes_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT employes_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT employes_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT employes_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_fournisseurs_IMPORT_g1 (
    supplier_id bigint CONSTRAINT fournisseurs_supplier_id_not_null NOT NULL,
    name text CONSTRAINT fournisseurs_name_not_null NOT NULL,
    contact_email bytea CONSTRAINT fournisseurs_contact_email_not_null NOT NULL,
    vat_number text,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT fournisseurs_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT fournisseurs_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT fournisseurs_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT fournisseurs_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_magasins_IMPORT_g1 (
    store_id bigint CONSTRAINT magasins_store_id_not_null NOT NULL,
    name text CONSTRAINT magasins_name_not_null NOT NULL,
    city text CONSTRAINT magasins_city_not_null NOT NULL,
    country text CONSTRAINT magasins_country_not_null NOT NULL,
    opened_on date CONSTRAINT magasins_opened_on_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT magasins_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT magasins_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT magasins_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT magasins_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_paiements_IMPORT_g1 (
    payment_id bigint CONSTRAINT paiements_payment_id_not_null NOT NULL,
    sale_id bigint CONSTRAINT paiements_sale_id_not_null NOT NULL,
    amount numeric CONSTRAINT paiements_amount_not_null NOT NULL,
    method text CONSTRAINT paiements_method_not_null NOT NULL,
    iban bytea,
    paid_at timestamp with time zone CONSTRAINT paiements_paid_at_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT paiements_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT paiements_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT paiements_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT paiements_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_produits_IMPORT_g1 (
    product_id bigint CONSTRAINT produits_product_id_not_null NOT NULL,
    name text CONSTRAINT produits_name_not_null NOT NULL,
    category_id bigint CONSTRAINT produits_category_id_not_null NOT NULL,
    supplier_id bigint CONSTRAINT produits_supplier_id_not_null NOT NULL,
    unit_price numeric CONSTRAINT produits_unit_price_not_null NOT NULL,
    currency text CONSTRAINT produits_currency_not_null NOT NULL,
    active boolean CONSTRAINT produits_active_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT produits_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT produits_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT produits_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT produits_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_retours_IMPORT_g1 (
    return_id bigint CONSTRAINT retours_return_id_not_null NOT NULL,
    sale_id bigint CONSTRAINT retours_sale_id_not_null NOT NULL,
    quantity bigint CONSTRAINT retours_quantity_not_null NOT NULL,
    reason text CONSTRAINT retours_reason_not_null NOT NULL,
    returned_on date CONSTRAINT retours_returned_on_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT retours_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT retours_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT retours_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT retours_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_stocks_IMPORT_g1 (
    product_id bigint CONSTRAINT stocks_product_id_not_null NOT NULL,
    store_id bigint CONSTRAINT stocks_store_id_not_null NOT NULL,
    quantity bigint CONSTRAINT stocks_quantity_not_null NOT NULL,
    counted_at timestamp with time zone CONSTRAINT stocks_counted_at_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT stocks_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT stocks_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT stocks_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT stocks_line_number_not_null NOT NULL
);
CREATE TABLE partitions.target_ventes_IMPORT_g1 (
    sale_id bigint CONSTRAINT ventes_sale_id_not_null NOT NULL,
    client_id bytea CONSTRAINT ventes_client_id_not_null NOT NULL,
    client_id_token bytea CONSTRAINT ventes_client_id_token_not_null NOT NULL,
    product_id bigint CONSTRAINT ventes_product_id_not_null NOT NULL,
    store_id bigint CONSTRAINT ventes_store_id_not_null NOT NULL,
    quantity bigint CONSTRAINT ventes_quantity_not_null NOT NULL,
    unit_price numeric CONSTRAINT ventes_unit_price_not_null NOT NULL,
    sale_amount numeric CONSTRAINT ventes_sale_amount_not_null NOT NULL,
    sale_date date CONSTRAINT ventes_sale_date_not_null NOT NULL,
    channel text CONSTRAINT ventes_channel_not_null NOT NULL,
    import_id text DEFAULT 'IMPORT'::text CONSTRAINT ventes_import_id_not_null NOT NULL,
    generation integer DEFAULT 1 CONSTRAINT ventes_generation_not_null NOT NULL,
    file_date date DEFAULT 'DATE'::date CONSTRAINT ventes_file_date_not_null NOT NULL,
    line_number bigint CONSTRAINT ventes_line_number_not_null NOT NULL
);
CREATE TABLE staging.categories (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    category_id text,
    category_id_key bigint,
    name text,
    parent_category_id text,
    parent_category_id_key bigint
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.clients (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    client_id bytea,
    client_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text,
    country text,
    created_at text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.employes (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    employee_id bytea,
    employee_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    store_id text,
    store_id_key bigint,
    hired_on text,
    left_on text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.fournisseurs (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    supplier_id text,
    supplier_id_key bigint,
    name text,
    contact_email bytea,
    vat_number text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.magasins (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    store_id text,
    store_id_key bigint,
    name text,
    city text,
    country text,
    opened_on text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.paiements (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    payment_id text,
    payment_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    amount text,
    method text,
    iban bytea,
    paid_at text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.produits (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    product_id text,
    product_id_key bigint,
    name text,
    category_id text,
    category_id_key bigint,
    supplier_id text,
    supplier_id_key bigint,
    unit_price text,
    currency text,
    active text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.retours (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    return_id text,
    return_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    quantity text,
    quantity_key bigint,
    reason text,
    returned_on text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.stocks (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    counted_at text
)
PARTITION BY LIST (import_id);
CREATE TABLE staging.ventes (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    sale_id text,
    sale_id_key bigint,
    client_id bytea,
    client_id_token bytea,
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    quantity_key bigint,
    unit_price text,
    amount text,
    sale_date text,
    channel text
)
PARTITION BY LIST (import_id);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON etl.audit FOR EACH STATEMENT EXECUTE FUNCTION etl.refuse_change();
CREATE TRIGGER counted BEFORE INSERT ON etl.audit FOR EACH ROW WHEN (((new.action = 'reveal'::text) AND (new.stage = 'asked'::text) AND (new.details ? 'count'::text))) EXECUTE FUNCTION etl.refuse_count();
CREATE VIEW staging.categories_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.category_id,
    s.category_id_key,
    s.name,
    s.parent_category_id,
    s.parent_category_id_key
   FROM (staging.categories s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'categories'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'categories'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.clients_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.client_id,
    s.client_id_token,
    s.first_name,
    s.last_name,
    s.email,
    s.nif,
    s.nif_token,
    s.phone,
    s.birth_date,
    s.address,
    s.city,
    s.country,
    s.created_at
   FROM (staging.clients s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'clients'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'clients'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.employes_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.employee_id,
    s.employee_id_token,
    s.first_name,
    s.last_name,
    s.email,
    s.nif,
    s.nif_token,
    s.store_id,
    s.store_id_key,
    s.hired_on,
    s.left_on
   FROM (staging.employes s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'employes'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'employes'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.fournisseurs_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.supplier_id,
    s.supplier_id_key,
    s.name,
    s.contact_email,
    s.vat_number
   FROM (staging.fournisseurs s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'fournisseurs'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'fournisseurs'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.magasins_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.store_id,
    s.store_id_key,
    s.name,
    s.city,
    s.country,
    s.opened_on
   FROM (staging.magasins s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'magasins'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'magasins'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.paiements_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.payment_id,
    s.payment_id_key,
    s.sale_id,
    s.sale_id_key,
    s.amount,
    s.method,
    s.iban,
    s.paid_at
   FROM (staging.paiements s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'paiements'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'paiements'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.produits_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.product_id,
    s.product_id_key,
    s.name,
    s.category_id,
    s.category_id_key,
    s.supplier_id,
    s.supplier_id_key,
    s.unit_price,
    s.currency,
    s.active
   FROM (staging.produits s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'produits'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'produits'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.retours_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.return_id,
    s.return_id_key,
    s.sale_id,
    s.sale_id_key,
    s.quantity,
    s.quantity_key,
    s.reason,
    s.returned_on
   FROM (staging.retours s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'retours'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'retours'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.stocks_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.product_id,
    s.product_id_key,
    s.store_id,
    s.store_id_key,
    s.quantity,
    s.counted_at
   FROM (staging.stocks s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'stocks'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'stocks'::text) AND (r.line_number = s.line_number)))));
CREATE VIEW staging.ventes_ready AS
 SELECT s.import_id,
    s.generation,
    s.file_date,
    s.file_type,
    s.file,
    s.chunk,
    s.line_number,
    s.fault,
    s.raw,
    s.mistyped,
    s.sale_id,
    s.sale_id_key,
    s.client_id,
    s.client_id_token,
    s.product_id,
    s.product_id_key,
    s.store_id,
    s.store_id_key,
    s.quantity,
    s.quantity_key,
    s.unit_price,
    s.amount,
    s.sale_date,
    s.channel
   FROM (staging.ventes s
     JOIN etl.ledger l ON (((l.import_id = s.import_id) AND (l.generation = s.generation) AND (l.phase = 'Validate'::text) AND (l.resource = 'ventes'::text) AND (l.chunk = s.chunk))))
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.rejects r
          WHERE ((r.import_id = s.import_id) AND (r.generation = s.generation) AND (r.resource = 'ventes'::text) AND (r.line_number = s.line_number)))));
GRANT INSERT(access_key_id) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(action) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(attempt),UPDATE(attempt) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(contract_hash),UPDATE(contract_hash) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(details) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(failed_reason),UPDATE(failed_reason) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(failed_step),UPDATE(failed_step) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(file_date) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(generation),UPDATE(generation) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(identity) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(import_id) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(import_id) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(mode) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(outcome) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(request_id) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(stage) ON TABLE etl.audit TO etl_loader;
GRANT INSERT(status),UPDATE(status) ON TABLE etl.imports TO etl_loader;
GRANT INSERT(verified) ON TABLE etl.audit TO etl_loader;
GRANT SELECT ON TABLE etl.attempts TO etl_reader;
GRANT SELECT,INSERT,UPDATE ON TABLE etl.attempts TO etl_loader;
GRANT SELECT ON TABLE etl.audit TO etl_auditor;
GRANT SELECT ON TABLE etl.errors TO etl_reader;
GRANT SELECT,INSERT,DELETE ON TABLE etl.errors TO etl_loader;
GRANT SELECT ON TABLE etl.files TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.files TO etl_loader;
GRANT SELECT ON TABLE etl.imports TO etl_reader;
GRANT SELECT ON TABLE etl.imports TO etl_loader;
GRANT SELECT ON TABLE etl.incoherences TO etl_reader;
GRANT SELECT,INSERT,DELETE ON TABLE etl.incoherences TO etl_loader;
GRANT SELECT ON TABLE etl.rejects TO etl_reader;
GRANT SELECT,INSERT,DELETE ON TABLE etl.rejects TO etl_loader;
GRANT SELECT ON TABLE final.categories TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.categories TO etl_loader;
GRANT SELECT ON TABLE final.clients TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.clients TO etl_loader;
GRANT SELECT ON TABLE final.employes TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.employes TO etl_loader;
GRANT SELECT ON TABLE final.events TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.events TO etl_loader;
GRANT SELECT ON TABLE final.fournisseurs TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.fournisseurs TO etl_loader;
GRANT SELECT ON TABLE final.magasins TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.magasins TO etl_loader;
GRANT SELECT ON TABLE final.paiements TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.paiements TO etl_loader;
GRANT SELECT ON TABLE final.produits TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.produits TO etl_loader;
GRANT SELECT ON TABLE final.retours TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.retours TO etl_loader;
GRANT SELECT ON TABLE final.stocks TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.stocks TO etl_loader;
GRANT SELECT ON TABLE final.ventes TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE final.ventes TO etl_loader;
GRANT SELECT ON TABLE staging.categories TO etl_loader;
GRANT SELECT ON TABLE staging.categories_ready TO etl_loader;
GRANT SELECT ON TABLE staging.clients TO etl_loader;
GRANT SELECT ON TABLE staging.clients_ready TO etl_loader;
GRANT SELECT ON TABLE staging.employes TO etl_loader;
GRANT SELECT ON TABLE staging.employes_ready TO etl_loader;
GRANT SELECT ON TABLE staging.fournisseurs TO etl_loader;
GRANT SELECT ON TABLE staging.fournisseurs_ready TO etl_loader;
GRANT SELECT ON TABLE staging.magasins TO etl_loader;
GRANT SELECT ON TABLE staging.magasins_ready TO etl_loader;
GRANT SELECT ON TABLE staging.paiements TO etl_loader;
GRANT SELECT ON TABLE staging.paiements_ready TO etl_loader;
GRANT SELECT ON TABLE staging.produits TO etl_loader;
GRANT SELECT ON TABLE staging.produits_ready TO etl_loader;
GRANT SELECT ON TABLE staging.retours TO etl_loader;
GRANT SELECT ON TABLE staging.retours_ready TO etl_loader;
GRANT SELECT ON TABLE staging.stocks TO etl_loader;
GRANT SELECT ON TABLE staging.stocks_ready TO etl_loader;
GRANT SELECT ON TABLE staging.ventes TO etl_loader;
GRANT SELECT ON TABLE staging.ventes_ready TO etl_loader;
GRANT SELECT,INSERT ON TABLE etl.data_keys TO etl_loader;
GRANT SELECT,INSERT ON TABLE etl.token_key TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.events_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.published_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_categories_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_clients_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_employes_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_fournisseurs_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_magasins_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_paiements_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_produits_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_retours_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_stocks_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.staging_ventes_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_categories_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_clients_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_employes_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_fournisseurs_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_magasins_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_paiements_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_produits_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_retours_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_stocks_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT ON TABLE partitions.target_ventes_IMPORT_g1 TO etl_loader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.enrichment_outages TO etl_loader;
GRANT SELECT ON TABLE etl.enrichment_outages TO etl_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.ledger TO etl_loader;
GRANT UPDATE(resolved_at) ON TABLE etl.errors TO etl_loader;
GRANT UPDATE(updated_at) ON TABLE etl.imports TO etl_loader;
GRANT USAGE ON SCHEMA etl TO etl_loader;
GRANT USAGE ON SCHEMA etl TO etl_reader;
GRANT USAGE ON SCHEMA etl TO etl_auditor;
GRANT USAGE ON SCHEMA final TO etl_loader;
GRANT USAGE ON SCHEMA final TO etl_reader;
GRANT USAGE ON SCHEMA partitions TO etl_loader;
GRANT USAGE ON SCHEMA staging TO etl_loader;
REVOKE ALL ON FUNCTION etl.analyze_leaf(kind text, resource text, import text, gen integer, columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.analyze_leaf(kind text, resource text, import text, gen integer, columns text[]) TO etl_loader;
REVOKE ALL ON FUNCTION etl.analyze_rejects() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.analyze_rejects() TO etl_loader;
REVOKE ALL ON FUNCTION etl.attach_leaf(kind text, resource text, import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.attach_leaf(kind text, resource text, import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.audit_reveal(request uuid, who text, access_key text, of_principal text, import text, what jsonb, records bigint, most bigint, OUT entered boolean, OUT used bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.audit_reveal(request uuid, who text, access_key text, of_principal text, import text, what jsonb, records bigint, most bigint, OUT entered boolean, OUT used bigint) TO etl_loader;
REVOKE ALL ON FUNCTION etl.create_leaf(kind text, resource text, import text, gen integer, file_date date, file_type text, file text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.create_leaf(kind text, resource text, import text, gen integer, file_date date, file_type text, file text) TO etl_loader;
REVOKE ALL ON FUNCTION etl.create_scratch(resource text, import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.create_scratch(resource text, import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.detached_leaf(kind text, resource text, import text, gen integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.drop_leaf(kind text, resource text, import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.drop_leaf(kind text, resource text, import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.drop_leaves(import text, gen integer, staged boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.drop_leaves(import text, gen integer, staged boolean) TO etl_loader;
REVOKE ALL ON FUNCTION etl.drop_published_events(import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.drop_published_events(import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.drop_scratch(resource text, import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.drop_scratch(resource text, import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.fence(import text, gen integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.fence_initial(import text, gen integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.index_leaf(kind text, resource text, import text, gen integer, columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.index_leaf(kind text, resource text, import text, gen integer, columns text[]) TO etl_loader;
REVOKE ALL ON FUNCTION etl.key_leaf(kind text, resource text, import text, gen integer, columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.key_leaf(kind text, resource text, import text, gen integer, columns text[]) TO etl_loader;
REVOKE ALL ON FUNCTION etl.leaf(kind text, resource text, import text, gen integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.mark_published(import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.mark_published(import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.names(columns text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.parent(kind text, resource text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.purge_leaf(leaf text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.purge_leaf(leaf text) TO etl_loader;
REVOKE ALL ON FUNCTION etl.read_by_others(leaf regclass, import text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.refuse_count() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.swap_target(resource text, import text, gen integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.swap_target(resource text, import text, gen integer) TO etl_loader;
REVOKE ALL ON FUNCTION etl.take(so_far numeric, taken numeric, change numeric, most numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.taken(numeric, numeric, numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.taken(numeric, numeric, numeric) TO etl_loader;
