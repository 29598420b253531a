"""The few protobuf messages of Flight SQL a raw client needs, encoded from the specification's field numbers."""

PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."


def varint(number):
    out = bytearray()
    while True:
        low = number & 0x7F
        number >>= 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def field(number, value):
    """A field that is absent when None: bytes and str length-delimited, int and bool as varint, lists repeated."""
    if value is None:
        return b""
    if isinstance(value, list):
        return b"".join(field(number, item) for item in value)
    if isinstance(value, (bool, int)):
        return varint(number << 3) + varint(int(value))
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def wrap(name, *fields):
    return field(1, PREFIX + name) + field(2, b"".join(fields))


def fields_of(raw):
    """Every field as (number, value); enough for messages of varints and length-delimited fields."""
    at = 0

    def number():
        nonlocal at
        shift = result = 0
        while True:
            byte = raw[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    while at < len(raw):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        else:
            size = number()
            yield tag >> 3, raw[at : at + size]
            at += size


def statement_query(sql):
    return wrap("CommandStatementQuery", field(1, sql))


def statement_update(sql):
    return wrap("CommandStatementUpdate", field(1, sql))


def create_prepared_statement(sql):
    return wrap("ActionCreatePreparedStatementRequest", field(1, sql))


def close_prepared_statement(handle):
    return wrap("ActionClosePreparedStatementRequest", field(1, handle))


def prepared_statement_query(handle):
    return wrap("CommandPreparedStatementQuery", field(1, handle))


def prepared_statement(raw):
    found = dict(fields_of(dict(fields_of(raw))[2]))
    return {"handle": found[1], "datasetSchema": found.get(2, b""), "parameterSchema": found.get(3, b"")}


def bound_handle(raw):
    return dict(fields_of(raw)).get(1)


def update_count(raw):
    count = dict(fields_of(raw)).get(1, 0)
    return count - (1 << 64) if count >> 63 else count


def table_key(name):
    return lambda s: wrap(name, field(1, s.get("catalog")), field(2, s.get("schema")), field(3, s.get("table")))


METADATA = {
    "catalogs": lambda s: wrap("CommandGetCatalogs"),
    "schemas": lambda s: wrap("CommandGetDbSchemas", field(1, s.get("catalog")), field(2, s.get("schema"))),
    "tables": lambda s: wrap(
        "CommandGetTables",
        field(1, s.get("catalog")),
        field(2, s.get("schema")),
        field(3, s.get("table")),
        field(4, s.get("tableTypes")),
        field(5, s.get("includeSchema", False)),
    ),
    "tableTypes": lambda s: wrap("CommandGetTableTypes"),
    "sqlInfo": lambda s: wrap("CommandGetSqlInfo", field(1, s.get("codes"))),
    "typeInfo": lambda s: wrap("CommandGetXdbcTypeInfo", field(1, s.get("dataType"))),
    "primaryKeys": table_key("CommandGetPrimaryKeys"),
    "exportedKeys": table_key("CommandGetExportedKeys"),
    "importedKeys": table_key("CommandGetImportedKeys"),
}
