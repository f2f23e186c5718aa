-- The logins of the product. A database administrator runs this once, with psql,
-- connected to the product's own, new database:
--
--   psql -d etl -v database=etl -v owner=etl_owner -v loader=etl_load -v reader=etl_read -f infra/database/roles.sql
--
-- and then sets the passwords (\password etl_owner), which are in no file and no log.
-- docs/deploy.md says more; the local stack and the tests run these statements too.

-- Without a right of its own, no other login of the server connects.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;

-- The migrations grant rights on schemas, tables and functions to these three groups,
-- which all databases of the server share.
DO $$ BEGIN CREATE ROLE etl_loader NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE etl_reader NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE etl_auditor NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

-- The owner runs the migrations, and nothing else.
CREATE ROLE :"owner" LOGIN;
GRANT CONNECT, CREATE ON DATABASE :"database" TO :"owner";

-- The loader is what all other functions of the product connect as.
CREATE ROLE :"loader" LOGIN;
GRANT etl_loader TO :"loader";
GRANT CONNECT ON DATABASE :"database" TO :"loader";

-- A reader reads the schema final and the state of imports. Make one for each user.
CREATE ROLE :"reader" LOGIN;
GRANT etl_reader TO :"reader";
GRANT CONNECT ON DATABASE :"database" TO :"reader";
