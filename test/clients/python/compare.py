"""Compares a result that came through the mesh with Python DuckDB's own answer over the same files."""

import math

import duckdb
import pyarrow


def sent_type(kind):
    """The type a value is sent as: an ENUM (a dictionary) travels as its text."""
    if pyarrow.types.is_dictionary(kind):
        return sent_type(kind.value_type)
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(kind.value_field.with_type(sent_type(kind.value_type)))
    if pyarrow.types.is_fixed_size_list(kind):
        return pyarrow.list_(kind.value_field.with_type(sent_type(kind.value_type)), kind.list_size)
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([kind.field(i).with_type(sent_type(kind.field(i).type)) for i in range(kind.num_fields)])
    if pyarrow.types.is_map(kind):
        return pyarrow.map_(sent_type(kind.key_type), sent_type(kind.item_type))
    return kind


def same(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-12)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    return left == right


def decoded(column):
    """The column as it is sent: dictionaries written out."""
    return column.cast(sent_type(column.type)) if sent_type(column.type) != column.type else column


def same_column(left, right):
    """Bit for bit; only NaN, which Arrow finds unequal to itself, needs a look at the values."""
    right = decoded(right)
    return left.equals(right) or same(left.to_pylist(), right.to_pylist())


def schema_differences(sent, own):
    found = []
    if sent.names != own.names:
        found.append(f"columns {sent.names} instead of {own.names}")
    for left, right in zip(sent, own):
        if not left.type.equals(sent_type(right.type)):
            found.append(f"column {right.name}: type {left.type} instead of {right.type}")
        if left.nullable != right.nullable:
            found.append(f"column {right.name}: nullable {left.nullable} instead of {right.nullable}")
    return found


def row_key(row):
    return tuple("" if value is None else "\x01" + str(value) for value in row)


def value_differences(sent, own):
    if sent.num_rows != own.num_rows:
        return [f"{sent.num_rows} rows instead of {own.num_rows}"]
    columns = [name for name, left, right in zip(own.schema.names, sent.columns, own.columns) if not same_column(left, right)]
    if not columns:
        return []
    # Rows that tie in ORDER BY may come in either order.
    left, right = (list(zip(*(column.to_pylist() for column in table.columns))) for table in (sent, own))
    if same(sorted(left, key=row_key), sorted(right, key=row_key)):
        return []
    at = next(index for index, (a, b) in enumerate(zip(left, right)) if not same(a, b))
    return [f"row {at} differs in {columns}: {str(left[at])[:600]} instead of {str(right[at])[:600]}"]


def compare_with_duckdb(fetch, step):
    """Step: sql (through the mesh), localSql (same text unless given), localSetup (statements run first)."""
    with duckdb.connect() as local:
        for statement in step.get("localSetup", []):
            local.execute(statement)
        own = local.execute(step.get("localSql", step["sql"])).to_arrow_table()
    sent = fetch(step["sql"])
    sent.validate()
    differences = schema_differences(sent.schema, own.schema) + value_differences(sent, own)
    return {"rowCount": own.num_rows, "columnCount": own.num_columns, "differences": differences}
