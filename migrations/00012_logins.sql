-- +goose Up
-- The rights of the groups that infra/database/roles.sql creates. The owner is
-- whoever runs the migrations: everything below belongs to it.
GRANT USAGE ON SCHEMA etl, staging, partitions, final TO etl_loader;
GRANT USAGE ON SCHEMA etl, final TO etl_reader;

-- Of tables that later migrations add to final or staging, both groups get the same.
GRANT SELECT ON ALL TABLES IN SCHEMA final TO etl_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA final TO etl_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA staging TO etl_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA final GRANT SELECT ON TABLES TO etl_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA final GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO etl_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA staging GRANT SELECT ON TABLES TO etl_loader;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA partitions TO etl_loader; -- of imports that are open now

-- In etl a right is granted for each table.
GRANT SELECT ON etl.imports, etl.files, etl.errors, etl.rejects, etl.incoherences, etl.attempts TO etl_reader;
GRANT SELECT ON etl.imports TO etl_loader;
GRANT INSERT (import_id, mode, file_date, status, generation, contract_hash, attempt, failed_step, failed_reason) ON etl.imports TO etl_loader;
GRANT UPDATE (status, generation, contract_hash, attempt, failed_step, failed_reason, updated_at) ON etl.imports TO etl_loader;
GRANT SELECT, INSERT, UPDATE ON etl.attempts TO etl_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON etl.files, etl.ledger TO etl_loader;
GRANT SELECT, INSERT, DELETE ON etl.errors, etl.rejects, etl.incoherences TO etl_loader;
GRANT SELECT, INSERT ON etl.data_keys, etl.token_key TO etl_loader;
GRANT USAGE ON SCHEMA etl TO etl_auditor;
GRANT SELECT ON etl.audit TO etl_auditor;
GRANT INSERT (request_id, stage, identity, access_key_id, verified, action, import_id, details, outcome) ON etl.audit TO etl_loader;

-- What the loader cannot do itself, because it owns no table, these functions do with
-- the owner's rights. They make all names from an import, a generation and a resource.

-- leaf is the name of a table in partitions, as postgres.Leaf.Name has it.
-- +goose StatementBegin
CREATE FUNCTION etl.leaf(kind text, resource text, import text, gen integer) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

-- parent is the partitioned table that a leaf is made for.
CREATE FUNCTION etl.parent(kind text, resource text) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
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

-- detached_leaf is a leaf that is still detached, so that nobody reads it yet.
CREATE FUNCTION etl.detached_leaf(kind text, resource text, import text, gen integer) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regclass := format('partitions.%I', etl.leaf(kind, resource, import, gen));
BEGIN
    IF (SELECT c.relispartition FROM pg_class c WHERE c.oid = found) THEN
        RAISE EXCEPTION '% is attached', found USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN found;
END $$;

-- fence fails unless the import is at the generation and not given up, and keeps it so.
CREATE FUNCTION etl.fence(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM etl.imports i WHERE i.import_id = import AND i.generation = gen AND i.status <> 'abandonné' FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not at generation %', import, gen USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;

-- fence_initial also fails unless it is an initial import, and no other is published.
CREATE FUNCTION etl.fence_initial(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM etl.fence(import, gen);
    IF EXISTS (SELECT FROM etl.imports i WHERE i.import_id = import AND i.mode <> 'initial')
        OR EXISTS (SELECT FROM etl.imports i WHERE i.import_id <> import AND i.published_generation IS NOT NULL) THEN
        RAISE EXCEPTION '% may not replace what is published', import USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;

-- create_leaf creates a leaf as an empty, detached table without indexes, unless it
-- exists. Its rows share the defaults. A leaf that is attached by import has the
-- constraint that lets ATTACH PARTITION skip its scan. While it is filled, autovacuum
-- is off.
CREATE FUNCTION etl.create_leaf(kind text, resource text, import text, gen integer, file_date date, file_type text, file text) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- create_scratch creates the tables of a rule over a relation of a resource to itself.
CREATE FUNCTION etl.create_scratch(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- drop_scratch drops them.
CREATE FUNCTION etl.drop_scratch(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['links', 'jumps', 'ahead', 'starts', 'members', 'below'] LOOP
        EXECUTE format('DROP TABLE partitions.%I', etl.leaf(kind, resource, import, gen));
    END LOOP;
END $$;

-- names quotes the names of columns, as a list.
CREATE FUNCTION etl.names(columns text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    RETURN (SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place) FROM unnest(columns) WITH ORDINALITY n(name, place));

-- index_leaf indexes columns of a detached leaf.
CREATE FUNCTION etl.index_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE INDEX ON %s (%s)', etl.detached_leaf(kind, resource, import, gen), etl.names(columns));
END $$;

-- key_leaf gives a detached leaf its primary key.
CREATE FUNCTION etl.key_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%s)', etl.detached_leaf(kind, resource, import, gen), etl.names(columns));
END $$;

-- analyze_leaf collects statistics of a detached leaf: of these columns, of all for none.
CREATE FUNCTION etl.analyze_leaf(kind text, resource text, import text, gen integer, columns text[]) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %s%s', etl.detached_leaf(kind, resource, import, gen), ' (' || etl.names(columns) || ')');
END $$;

-- analyze_rejects collects statistics of the rejects.
CREATE FUNCTION etl.analyze_rejects() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    ANALYZE etl.rejects;
END $$;

-- attach_leaf makes a leaf the partition of its import. Autovacuum takes care of what
-- is published; a staging leaf never changes again.
CREATE FUNCTION etl.attach_leaf(kind text, resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    leaf regclass := etl.detached_leaf(kind, resource, import, gen);
BEGIN
    IF kind <> 'staging' THEN
        PERFORM etl.fence(import, gen);
        EXECUTE format('ALTER TABLE %s RESET (autovacuum_enabled)', leaf);
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%L)', etl.parent(kind, resource), leaf, import);
END $$;

-- swap_target makes a target leaf the only partition of its parent, and drops the one
-- before.
CREATE FUNCTION etl.swap_target(resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- drop_published_events drops the partition of an import's published events, which the
-- import replaces.
CREATE FUNCTION etl.drop_published_events(import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    previous regclass;
BEGIN
    PERFORM etl.fence_initial(import, gen);
    FOR previous IN SELECT h.inhrelid FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'final.events'::regclass AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%L)', import) LOOP
        EXECUTE format('DROP TABLE %s', previous);
    END LOOP;
END $$;

-- mark_published records that readers see the generation, and reports whether it is
-- the import's. The loader cannot take that back.
CREATE FUNCTION etl.mark_published(import text, gen integer) RETURNS boolean
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE etl.imports i SET status = 'réussi', published_generation = gen, failed_step = NULL, failed_reason = NULL,
        published_at = now(), updated_at = now() WHERE i.import_id = import AND i.generation = gen;
    RETURN FOUND;
END $$;

-- read_by_others reports whether readers see a leaf of a published import.
CREATE FUNCTION etl.read_by_others(leaf regclass, import text) RETURNS boolean
    LANGUAGE sql STABLE STRICT
    RETURN EXISTS (SELECT FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
            WHERE h.inhrelid = leaf AND n.nspname = 'final')
        AND EXISTS (SELECT FROM etl.imports i WHERE i.import_id = import AND i.published_generation IS NOT NULL);

-- drop_leaf drops a leaf, if it exists, attached or not, but not what readers see.
CREATE FUNCTION etl.drop_leaf(kind text, resource text, import text, gen integer) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- drop_leaves drops the leaves of a generation, but not what readers see: all, or the
-- staged records alone.
CREATE FUNCTION etl.drop_leaves(import text, gen integer, staged boolean) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- purge_leaf drops a staging leaf of an import that was published or given up.
CREATE FUNCTION etl.purge_leaf(leaf text) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF leaf LIKE 'staging\_%' AND EXISTS (SELECT FROM etl.imports i WHERE i.status IN ('réussi', 'abandonné')
        AND position(lower(replace(i.import_id, 'IMPORT_', '')) || '_g' IN leaf) > 0) THEN
        EXECUTE format('DROP TABLE IF EXISTS partitions.%I', leaf);
    END IF;
END $$;
-- +goose StatementEnd

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.create_leaf, etl.create_scratch, etl.drop_scratch, etl.index_leaf, etl.key_leaf, etl.analyze_leaf,
    etl.analyze_rejects, etl.attach_leaf, etl.swap_target, etl.drop_published_events, etl.mark_published, etl.drop_leaf, etl.drop_leaves,
    etl.purge_leaf, etl.taken TO etl_loader;

-- +goose Down
DROP FUNCTION etl.purge_leaf, etl.drop_leaves, etl.drop_leaf, etl.read_by_others, etl.mark_published, etl.drop_published_events,
    etl.swap_target, etl.attach_leaf, etl.analyze_rejects, etl.analyze_leaf, etl.key_leaf, etl.index_leaf, etl.names,
    etl.drop_scratch, etl.create_scratch, etl.create_leaf, etl.fence_initial, etl.fence, etl.detached_leaf, etl.parent, etl.leaf;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA etl TO PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA etl FROM etl_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA final REVOKE ALL ON TABLES FROM etl_reader, etl_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA staging REVOKE ALL ON TABLES FROM etl_loader;
REVOKE ALL ON ALL TABLES IN SCHEMA etl, staging, partitions, final FROM etl_loader, etl_reader, etl_auditor;
REVOKE ALL ON SCHEMA etl, staging, partitions, final FROM etl_loader, etl_reader, etl_auditor;
