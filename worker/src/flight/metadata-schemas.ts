import { Binary, Bool, DenseUnion, Field, Int32, Int64, List, Map_, Schema, Struct, Uint8, Uint32, Utf8 } from 'apache-arrow';

// Schemas of the metadata commands, as FlightSql.proto spells them out beside each command: names, types and nullability.

const nullableText = (name: string): Field => new Field(name, new Utf8(), true);
const text = (name: string): Field => new Field(name, new Utf8(), false);
const nullableInt = (name: string): Field => new Field(name, new Int32(), true);
const int = (name: string): Field => new Field(name, new Int32(), false);

export const CATALOGS_SCHEMA = new Schema([text('catalog_name')]);
export const DB_SCHEMAS_SCHEMA = new Schema([nullableText('catalog_name'), text('db_schema_name')]);
export const TABLE_TYPES_SCHEMA = new Schema([text('table_type')]);

const TABLE_FIELDS = [nullableText('catalog_name'), nullableText('db_schema_name'), text('table_name'), text('table_type')];
export const TABLES_SCHEMA = new Schema(TABLE_FIELDS);
export const TABLES_WITH_SCHEMA_SCHEMA = new Schema([...TABLE_FIELDS, new Field('table_schema', new Binary(), false)]);

export const PRIMARY_KEYS_SCHEMA = new Schema([
  nullableText('catalog_name'),
  nullableText('db_schema_name'),
  text('table_name'),
  text('column_name'),
  nullableText('key_name'),
  int('key_sequence'),
]);

/** Of GetImportedKeys, GetExportedKeys and GetCrossReference. */
export const FOREIGN_KEYS_SCHEMA = new Schema([
  nullableText('pk_catalog_name'),
  nullableText('pk_db_schema_name'),
  text('pk_table_name'),
  text('pk_column_name'),
  nullableText('fk_catalog_name'),
  nullableText('fk_db_schema_name'),
  text('fk_table_name'),
  text('fk_column_name'),
  int('key_sequence'),
  nullableText('fk_key_name'),
  nullableText('pk_key_name'),
  new Field('update_rule', new Uint8(), false),
  new Field('delete_rule', new Uint8(), false),
]);

export const XDBC_TYPE_INFO_SCHEMA = new Schema([
  text('type_name'),
  int('data_type'),
  nullableInt('column_size'),
  nullableText('literal_prefix'),
  nullableText('literal_suffix'),
  new Field('create_params', new List(new Field('item', new Utf8(), false)), true),
  int('nullable'),
  new Field('case_sensitive', new Bool(), false),
  int('searchable'),
  new Field('unsigned_attribute', new Bool(), true),
  new Field('fixed_prec_scale', new Bool(), false),
  new Field('auto_increment', new Bool(), true),
  nullableText('local_type_name'),
  nullableInt('minimum_scale'),
  nullableInt('maximum_scale'),
  int('sql_data_type'),
  nullableInt('datetime_subcode'),
  nullableInt('num_prec_radix'),
  nullableInt('interval_precision'),
]);

/** The children of GetSqlInfo's dense union, in the order of their type ids. */
export const SQL_INFO_CHILDREN = [
  new Field('string_value', new Utf8(), true),
  new Field('bool_value', new Bool(), true),
  new Field('bigint_value', new Int64(), true),
  new Field('int32_bitmask', new Int32(), true),
  new Field('string_list', new List(new Field('string_data', new Utf8(), true)), true),
  new Field(
    'int32_to_int32_list_map',
    new Map_<Int32, List<Int32>>(
      new Field(
        'entries',
        new Struct<{ key: Int32; value: List<Int32> }>([
          new Field('key', new Int32(), false),
          new Field('value', new List(new Field('$data$', new Int32(), true)), true),
        ]),
        false,
      ),
    ),
    true,
  ),
];

export const SQL_INFO_SCHEMA = new Schema([
  new Field('info_name', new Uint32(), false),
  new Field(
    'value',
    new DenseUnion(
      SQL_INFO_CHILDREN.map((_child, id) => id),
      SQL_INFO_CHILDREN,
    ),
    false,
  ),
]);
