"""Steps run through the ADBC Flight SQL driver, as a Python application uses it."""

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as dbapi
import pyarrow
import pyarrow.ipc

from statuscode import code_in


def connect(job):
    options = {}
    if job.get("caFile"):
        with open(job["caFile"]) as file:
            options[adbc_driver_flightsql.DatabaseOptions.TLS_ROOT_CERTS.value] = file.read()
    if job.get("user") is not None:
        options["username"] = job["user"]
        options["password"] = job["password"]
    if job.get("bearer"):
        options[adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value] = "Bearer " + job["bearer"]
    prefix = adbc_driver_flightsql.DatabaseOptions.RPC_CALL_HEADER_PREFIX.value
    for name, value in job.get("headers", {}).items():
        options[prefix + name] = value
    return dbapi.connect(job["uri"], db_kwargs=options, autocommit=job.get("autocommit", True))


def describe(error):
    status = getattr(error, "status_code", None)
    name = status.name.lower() if status is not None else None
    text = str(error)
    return {"code": code_in(text) or name or "unknown", "message": text, "driverCode": name}


def query(connection, step, sink):
    with connection.cursor() as cursor:
        cursor.execute(step["sql"], step.get("parameters"))
        read = step.get("read", "all")
        if read == "none":
            return {"columns": [], "rows": [], "rowCount": 0}
        reader = cursor.fetch_record_batch()
        for batch in reader:
            sink.take(batch)
            if read == "first":
                break
        return sink.outcome(reader.schema)


def table(connection, sql):
    """The whole result as one Arrow table."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def update(connection, step):
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query(step["sql"])
        return {"updated": cursor.adbc_statement.execute_update()}


def executemany(connection, step):
    with connection.cursor() as cursor:
        cursor.executemany(step["sql"], step["parameters"])
        return {"updated": cursor.rowcount}


def metadata(connection, step):
    filters = {key: step[key] for key in ("catalog_filter", "db_schema_filter", "table_name_filter") if key in step}
    tables = []
    schemas = []
    catalogs = []
    for catalog in connection.adbc_get_objects(depth="all", **filters).read_all().to_pylist():
        catalogs.append(catalog["catalog_name"])
        for schema in catalog["catalog_db_schemas"] or []:
            schemas.append([catalog["catalog_name"], schema["db_schema_name"]])
            for item in schema["db_schema_tables"] or []:
                columns = [
                    [column["column_name"], column["ordinal_position"], column["xdbc_type_name"]]
                    for column in item["table_columns"] or []
                ]
                name = [catalog["catalog_name"], schema["db_schema_name"], item["table_name"], item["table_type"]]
                tables.append({"name": name, "columns": columns})
    types = connection.adbc_get_table_types()
    return {"catalogs": catalogs, "schemas": schemas, "tables": tables, "tableTypes": types}


def table_schema(connection, step):
    schema = connection.adbc_get_table_schema(step["table"], **step.get("filters", {}))
    return {"columns": [{"name": f.name, "type": str(f.type), "nullable": f.nullable} for f in schema]}


def server_facts(connection, _step):
    return {"facts": {str(key): str(value) for key, value in connection.adbc_get_info().items()}}


def compare(connection, step):
    from compare import compare_with_duckdb

    return compare_with_duckdb(lambda sql: table(connection, sql), step)


def ingest(connection, step):
    """Rows of three columns, in several record batches, one of them with NULLs."""
    first, rows = step["firstId"], step["rows"]
    batches = []
    for start in range(first, first + rows, step["batchRows"]):
        ids = list(range(start, min(start + step["batchRows"], first + rows)))
        names = [None if i % 7 == 0 else f"name {i}" for i in ids]
        batches.append(pyarrow.record_batch({"id": ids, "name": names, "ratio": [i / 8 for i in ids]}))
    reader = pyarrow.RecordBatchReader.from_batches(batches[0].schema, batches)
    with connection.cursor() as cursor:
        return {"updated": cursor.adbc_ingest(step["table"], reader, mode=step["mode"])}


def commit(connection, _step):
    connection.commit()
    return {}


def rollback(connection, _step):
    connection.rollback()
    return {}


ACTIONS = {
    "ingest": ingest,
    "commit": commit,
    "rollback": rollback,
    "update": update,
    "executemany": executemany,
    "metadata": metadata,
    "tableSchema": table_schema,
    "serverFacts": server_facts,
    "compare": compare,
}


def act(_job, connection, step):
    return ACTIONS[step["action"]](connection, step)
