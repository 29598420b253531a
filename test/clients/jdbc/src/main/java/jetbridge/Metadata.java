package jetbridge;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Comparator;

/** What a SQL tool asks of a connection before a person types anything. */
final class Metadata {
  private Metadata() {}

  static JsonObject browse(Connection connection) throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    JsonObject outcome = new JsonObject();
    outcome.add("catalogs", drain(metadata.getCatalogs()));
    outcome.add("schemas", drain(metadata.getSchemas()));
    outcome.add("tables", drain(metadata.getTables(null, null, "%", null)));
    outcome.add("columns", drain(metadata.getColumns(null, null, "%", "%")));
    outcome.add("tableTypes", drain(metadata.getTableTypes()));
    outcome.add("typeInfo", drain(metadata.getTypeInfo()));
    outcome.add("primaryKeys", drain(metadata.getPrimaryKeys(null, null, "region")));
    outcome.add("importedKeys", drain(metadata.getImportedKeys(null, null, "region")));
    outcome.add("exportedKeys", drain(metadata.getExportedKeys(null, null, "region")));
    outcome.add("crossReference", drain(metadata.getCrossReference(null, null, "region", null, null, "nation")));
    return outcome;
  }

  /** Calls each getter without parameters; a missing GetSqlInfo code shows as an exception here. */
  static JsonObject callEveryGetter(Connection connection) throws SQLException, IllegalAccessException {
    DatabaseMetaData metadata = connection.getMetaData();
    JsonObject values = new JsonObject();
    JsonArray failures = new JsonArray();
    Method[] methods = DatabaseMetaData.class.getMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName));
    for (Method method : methods) {
      if (method.getParameterCount() != 0 || method.getName().equals("getConnection")) {
        continue;
      }
      try {
        Object value = method.invoke(metadata);
        if (value instanceof ResultSet rows) {
          values.addProperty(method.getName(), drain(rows).size() + " rows");
        } else {
          values.addProperty(method.getName(), String.valueOf(value));
        }
      } catch (InvocationTargetException failure) {
        failures.add(method.getName() + ": " + failure.getCause());
      }
    }
    JsonObject outcome = new JsonObject();
    outcome.add("values", values);
    outcome.add("failures", failures);
    return outcome;
  }

  private static JsonArray drain(ResultSet rows) throws SQLException {
    JsonArray all = new JsonArray();
    try (rows) {
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        all.add(Steps.row(rows, columns));
      }
    }
    return all;
  }
}
