package jetbridge;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;

/** The steps of a job, each answered by an outcome that never throws. */
final class Steps {
  private static final long RETRY_EVERY_MS = 100;
  private final Client client;
  private final String jobId;
  private final Connection connection;
  private long rowCount;

  Steps(Client client, String jobId, Connection connection) {
    this.client = client;
    this.jobId = jobId;
    this.connection = connection;
  }

  /** Runs a step again for `retryForMs` while its answer is `unavailable`: gRPC channels wait before they dial again. */
  JsonObject runUntilAvailable(JsonObject step) throws InterruptedException {
    long retryForMs = step.has("retryForMs") ? step.get("retryForMs").getAsLong() : 0;
    long end = System.nanoTime() + retryForMs * 1_000_000;
    while (true) {
      JsonObject outcome = run(step);
      boolean unavailable = outcome.has("error")
          && outcome.getAsJsonObject("error").get("code").getAsString().equals("unavailable");
      if (!unavailable || System.nanoTime() > end) {
        return outcome;
      }
      Thread.sleep(RETRY_EVERY_MS);
    }
  }

  private JsonObject run(JsonObject step) {
    long started = System.nanoTime();
    JsonObject outcome;
    try {
      outcome = dispatch(step);
      outcome.addProperty("ok", true);
    } catch (Exception error) {
      outcome = new JsonObject();
      outcome.addProperty("ok", false);
      outcome.add("error", Failures.describe(error));
      outcome.addProperty("rowCount", rowCount);
    }
    outcome.addProperty("elapsedMs", (System.nanoTime() - started) / 1_000_000);
    return outcome;
  }

  private JsonObject dispatch(JsonObject step) throws Exception {
    return switch (step.get("action").getAsString()) {
      case "wait" -> {
        announce(true);
        yield new JsonObject();
      }
      case "query" -> query(step);
      case "update" -> update(step);
      case "executemany" -> executeMany(step);
      case "metadata" -> Metadata.browse(connection);
      case "getters" -> Metadata.callEveryGetter(connection);
      default -> throw new IllegalArgumentException("unknown action " + step.get("action"));
    };
  }

  private JsonObject query(JsonObject step) throws Exception {
    String sql = step.get("sql").getAsString();
    if (step.has("parameters")) {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        bind(statement, step.getAsJsonArray("parameters"));
        try (ResultSet rows = statement.executeQuery()) {
          return read(rows, step);
        }
      }
    }
    try (Statement statement = connection.createStatement()) {
      if (!statement.execute(sql)) {
        JsonObject outcome = new JsonObject();
        outcome.addProperty("updated", statement.getUpdateCount());
        return outcome;
      }
      try (ResultSet rows = statement.getResultSet()) {
        return read(rows, step);
      }
    }
  }

  private JsonObject read(ResultSet rows, JsonObject step) throws Exception {
    JsonObject outcome = new JsonObject();
    ResultSetMetaData described = rows.getMetaData();
    JsonArray columns = new JsonArray();
    for (int index = 1; index <= described.getColumnCount(); index++) {
      JsonObject column = new JsonObject();
      column.addProperty("name", described.getColumnLabel(index));
      column.addProperty("type", described.getColumnTypeName(index));
      columns.add(column);
    }
    String read = step.has("read") ? step.get("read").getAsString() : "all";
    int limit = step.has("limit") ? step.get("limit").getAsInt() : 100;
    long reportAt = step.has("reportAfterRows") ? step.get("reportAfterRows").getAsLong() : Long.MAX_VALUE;
    long pauseAt = step.has("pauseAfterRows") ? step.get("pauseAfterRows").getAsLong() : Long.MAX_VALUE;
    JsonArray kept = new JsonArray();
    while (!read.equals("none") && rows.next()) {
      rowCount++;
      if (kept.size() < limit) {
        kept.add(row(rows, columns.size()));
      }
      if (rowCount == reportAt || rowCount == pauseAt) {
        announce(rowCount == pauseAt);
      }
      if (read.equals("first")) {
        break;
      }
    }
    outcome.add("columns", columns);
    outcome.add("rows", kept);
    outcome.addProperty("rowCount", rowCount);
    return outcome;
  }

  private void announce(boolean pause) throws Exception {
    JsonObject fields = new JsonObject();
    fields.addProperty("rows", rowCount);
    client.send(jobId, pause ? "paused" : "progress", fields);
    if (pause) {
      client.waitForResume();
    }
  }

  static JsonArray row(ResultSet rows, int columns) throws SQLException {
    JsonArray cells = new JsonArray();
    for (int index = 1; index <= columns; index++) {
      String cell = Cells.plain(rows.getObject(index));
      cells.add(cell == null ? JsonNull.INSTANCE : new com.google.gson.JsonPrimitive(cell));
    }
    return cells;
  }

  private JsonObject update(JsonObject step) throws SQLException {
    JsonObject outcome = new JsonObject();
    String sql = step.get("sql").getAsString();
    if (step.has("parameters")) {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        bind(statement, step.getAsJsonArray("parameters"));
        outcome.addProperty("updated", statement.executeUpdate());
      }
    } else {
      try (Statement statement = connection.createStatement()) {
        outcome.addProperty("updated", statement.executeUpdate(sql));
      }
    }
    return outcome;
  }

  private JsonObject executeMany(JsonObject step) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(step.get("sql").getAsString())) {
      for (JsonElement row : step.getAsJsonArray("parameters")) {
        bind(statement, row.getAsJsonArray());
        statement.addBatch();
      }
      JsonArray counts = new JsonArray();
      for (int count : statement.executeBatch()) {
        counts.add(count);
      }
      JsonObject outcome = new JsonObject();
      outcome.add("counts", counts);
      return outcome;
    }
  }

  private static void bind(PreparedStatement statement, JsonArray values) throws SQLException {
    for (int index = 0; index < values.size(); index++) {
      JsonElement value = values.get(index);
      if (value.isJsonNull()) {
        statement.setNull(index + 1, Types.NULL);
      } else if (value.getAsJsonPrimitive().isBoolean()) {
        statement.setBoolean(index + 1, value.getAsBoolean());
      } else if (value.getAsJsonPrimitive().isNumber()) {
        BigDecimal number = value.getAsBigDecimal();
        if (number.scale() <= 0) {
          statement.setLong(index + 1, number.longValueExact());
        } else {
          statement.setDouble(index + 1, number.doubleValue());
        }
      } else {
        statement.setString(index + 1, value.getAsString());
      }
    }
  }
}
