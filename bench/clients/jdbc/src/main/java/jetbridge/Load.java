package jetbridge;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.logging.LogManager;

/**
 * Load client on the Arrow Flight SQL JDBC driver: one JSON request per line on stdin, one JSON answer per line on stdout, after one line
 * that says that it is ready. Each result tells the CPU seconds that this process spent on it.
 */
public final class Load {
  private static final Gson GSON = new Gson();

  public static void main(String[] arguments) throws Exception {
    LogManager.getLogManager().reset();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println("{\"ready\":true}");
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      System.out.println(GSON.toJson(serve(JsonParser.parseString(line).getAsJsonObject())));
      System.out.flush();
    }
  }

  private static JsonObject serve(JsonObject request) {
    JsonObject answer = new JsonObject();
    answer.add("id", request.get("id"));
    try {
      double before = cpuSeconds();
      JsonObject result = operate(request.get("op").getAsString(), request.getAsJsonObject("args"));
      result.addProperty("clientCpuS", cpuSeconds() - before);
      answer.add("result", result);
    } catch (Exception error) {
      answer.addProperty("error", String.valueOf(error.getMessage()));
    }
    return answer;
  }

  private static JsonObject operate(String operation, JsonObject args) throws SQLException {
    try (Connection connection = connect(args.getAsJsonObject("target"))) {
      String sql = args.get("sql").getAsString();
      return switch (operation) {
        case "latency" -> latency(connection, sql, args.get("iterations").getAsInt(), args.get("prepared").getAsBoolean());
        case "bulk" -> bulk(connection, sql);
        default -> throw new SQLException("no such operation: " + operation);
      };
    }
  }

  private static Connection connect(JsonObject target) throws SQLException {
    String uri = target.get("uri").getAsString();
    boolean encrypted = uri.startsWith("grpc+tls://");
    Properties properties = new Properties();
    properties.put("useEncryption", String.valueOf(encrypted));
    put(properties, "user", target, "username");
    put(properties, "password", target, "password");
    put(properties, "tlsRootCerts", target, "caFile");
    return DriverManager.getConnection("jdbc:arrow-flight-sql://" + uri.replaceFirst("^grpc(\\+[a-z]+)?://", ""), properties);
  }

  private static void put(Properties properties, String name, JsonObject target, String field) {
    if (target.has(field)) {
      properties.put(name, target.get(field).getAsString());
    }
  }

  private static JsonObject latency(Connection connection, String sql, int iterations, boolean prepared) throws SQLException {
    double[] millis = new double[iterations];
    try (PreparedStatement once = prepared ? connection.prepareStatement(sql) : null) {
      for (int i = 0; i < iterations; i += 1) {
        long started = System.nanoTime();
        if (once != null) {
          drain(once.executeQuery());
        } else {
          try (Statement statement = connection.createStatement()) {
            drain(statement.executeQuery(sql));
          }
        }
        millis[i] = (System.nanoTime() - started) / 1e6;
      }
    }
    Arrays.sort(millis);
    JsonObject result = new JsonObject();
    result.addProperty("p50Ms", millis[iterations / 2]);
    result.addProperty("p99Ms", millis[Math.min(iterations - 1, iterations * 99 / 100)]);
    return result;
  }

  private static JsonObject bulk(Connection connection, String sql) throws SQLException {
    long started = System.nanoTime();
    try (Statement statement = connection.createStatement()) {
      long rows = drain(statement.executeQuery(sql));
      JsonObject result = new JsonObject();
      result.addProperty("rows", rows);
      result.addProperty("seconds", (System.nanoTime() - started) / 1e9);
      return result;
    }
  }

  /** Every value is taken out, as applications do. */
  private static long drain(ResultSet results) throws SQLException {
    try (results) {
      int columns = results.getMetaData().getColumnCount();
      long rows = 0;
      while (results.next()) {
        for (int column = 1; column <= columns; column += 1) {
          results.getObject(column);
        }
        rows += 1;
      }
      return rows;
    }
  }

  private static double cpuSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
  }
}
