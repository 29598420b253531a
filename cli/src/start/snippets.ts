import type { MeshReport } from './mesh-report.ts';

export interface SnippetContext {
  readonly report: MeshReport;
  readonly passwordFile: string;
  /** Printed with the snippets this one time; afterwards they read the file. */
  readonly password: string | undefined;
  /** Flags that lead `jetbridge sql` to this mesh; none when it is found by itself. */
  readonly sqlFlags: string;
  /** A statement worth running on what is served. */
  readonly statement: string;
}

/** Ready-made connections, each of which works as printed. */
export function snippets(context: SnippetContext): string {
  return [
    heading('Python (pip install adbc-driver-flightsql pyarrow)'),
    python(context),
    heading('JDBC, DBeaver (flight-sql-jdbc-driver 18.3.0; the JVM needs --add-opens=java.base/java.nio=ALL-UNNAMED)'),
    jdbc(context),
    heading('SQL prompt'),
    `npx jetbridge sql${context.sqlFlags}`,
    '',
  ].join('\n');
}

function heading(text: string): string {
  return `\n# ${text}`;
}

/** Autocommit, as a driver that begins a transaction by itself would hold it open. The password stays out of the snippet, and so out of notebooks. */
function python({ report, passwordFile, statement }: SnippetContext): string {
  const read = (file: string): string => `open(${JSON.stringify(file)}).read()`;
  const password = report.password === undefined ? '"YOUR PASSWORD"' : `${read(passwordFile)}.strip()`;
  return `import adbc_driver_flightsql.dbapi as flight_sql

with flight_sql.connect(
    ${JSON.stringify(report.flightUri)},
    db_kwargs={
        "username": ${JSON.stringify(report.username)},
        "password": ${password},
        "adbc.flight.sql.client_option.tls_root_certs": ${read(report.caFile)},
    },
    autocommit=True,
) as connection, connection.cursor() as cursor:
    cursor.execute(${JSON.stringify(statement)})
    print(cursor.fetch_arrow_table())`;
}

function jdbc({ report, password }: SnippetContext): string {
  const parameters = [
    'useEncryption=true',
    `tlsRootCerts=${encodePath(report.caFile)}`,
    ...(password === undefined ? [] : [`user=${encodeURIComponent(report.username)}`, `password=${encodeURIComponent(password)}`]),
  ];
  const url = `jdbc:arrow-flight-sql://${report.flightUri.replace(/^grpc\+tls:\/\//, '')}/?${parameters.join('&')}`;
  return password === undefined ? `${url}\n(user ${report.username} and its password go into the driver's own fields)` : url;
}

/** Slashes stay readable; what separates parameters does not get through. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
