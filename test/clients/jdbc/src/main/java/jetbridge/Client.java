package jetbridge;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.logging.LogManager;

/** Runs jobs from stdin through the Arrow Flight SQL JDBC driver; the protocol is described in python/protocol.py. */
public final class Client {
  private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
  private final BufferedReader input =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  public static void main(String[] arguments) throws Exception {
    // The driver logs every refused sign-in with its stack; the outcome carries the same.
    LogManager.getLogManager().reset();
    new Client().serve();
  }

  private void serve() throws Exception {
    send("", "ready", new JsonObject());
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonObject job = JsonParser.parseString(line).getAsJsonObject();
      send(job.get("id").getAsString(), "done", run(job));
    }
  }

  void send(String id, String event, JsonObject fields) {
    fields.addProperty("id", id);
    fields.addProperty("event", event);
    System.out.println(GSON.toJson(fields));
    System.out.flush();
  }

  /** Waits for the line that lets a paused step read on. */
  void waitForResume() throws Exception {
    input.readLine();
  }

  private JsonObject run(JsonObject job) {
    JsonObject result = new JsonObject();
    JsonArray outcomes = new JsonArray();
    try (Connection connection = connect(job)) {
      for (JsonElement step : job.getAsJsonArray("steps")) {
        outcomes.add(new Steps(this, job.get("id").getAsString(), connection).runUntilAvailable(step.getAsJsonObject()));
      }
    } catch (Exception error) {
      if (outcomes.size() == 0) {
        result.add("connectError", Failures.describe(error));
      } else {
        // Closing over a dead link must not hide the steps' results.
        System.err.println("close: " + error);
      }
    }
    result.add("steps", outcomes);
    return result;
  }

  private static Connection connect(JsonObject job) throws SQLException {
    Properties properties = new Properties();
    put(properties, "user", job, "user");
    put(properties, "password", job, "password");
    put(properties, "token", job, "bearer");
    put(properties, "tlsRootCerts", job, "caFile");
    if (job.has("headers")) {
      for (var header : job.getAsJsonObject("headers").entrySet()) {
        properties.put(header.getKey(), header.getValue().getAsString());
      }
    }
    String uri = job.get("uri").getAsString();
    String url = uri.startsWith("jdbc:")
        ? uri
        : uri.replaceFirst("^grpc\\+tls://", "jdbc:arrow-flight-sql://") + "/?useEncryption=true";
    return DriverManager.getConnection(url, properties);
  }

  private static void put(Properties properties, String property, JsonObject job, String name) {
    if (job.has(name) && !job.get(name).isJsonNull()) {
      properties.put(property, job.get(name).getAsString());
    }
  }
}
