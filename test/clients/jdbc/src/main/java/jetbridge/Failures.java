package jetbridge;

import com.google.gson.JsonObject;
import java.util.Locale;

/** A failure with its gRPC status code in the words Jetbridge uses. */
final class Failures {
  private Failures() {}

  static JsonObject describe(Throwable error) {
    JsonObject described = new JsonObject();
    described.addProperty("code", codeOf(error));
    StringBuilder text = new StringBuilder();
    for (Throwable at = error; at != null; at = at.getCause()) {
      text.append(text.length() == 0 ? "" : ": ").append(at.getMessage() == null ? at.toString() : at.getMessage());
    }
    described.addProperty("message", text.toString());
    described.addProperty("driverCode", error.getClass().getName());
    return described;
  }

  /** The driver's exceptions are shaded, so their status is read by reflection. */
  private static String codeOf(Throwable error) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      try {
        if (at.getClass().getSimpleName().equals("FlightRuntimeException")) {
          Object status = at.getClass().getMethod("status").invoke(at);
          return inOurWords(status.getClass().getMethod("code").invoke(status).toString());
        }
        if (at.getClass().getSimpleName().equals("StatusRuntimeException")) {
          Object status = at.getClass().getMethod("getStatus").invoke(at);
          return inOurWords(status.getClass().getMethod("getCode").invoke(status).toString());
        }
      } catch (ReflectiveOperationException unreadable) {
        return "unknown";
      }
    }
    return "unknown";
  }

  private static String inOurWords(String code) {
    return switch (code) {
      case "TIMED_OUT" -> "deadline_exceeded";
      case "UNAUTHORIZED" -> "permission_denied";
      default -> code.toLowerCase(Locale.ROOT);
    };
  }
}
