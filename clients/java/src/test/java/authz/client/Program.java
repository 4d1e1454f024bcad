package authz.client;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of clients/conformance that serves until its standard input ends. */
public final class Program implements AutoCloseable {
  private static final Path CONFORMANCE = Path.of("..", "conformance").toAbsolutePath().normalize();
  private static final Path PYTHON = Path.of("..", "..", ".venv", "bin", "python").toAbsolutePath();

  private final Process process;
  private final JsonObject told;

  private Program(Process process, JsonObject told) {
    this.process = process;
    this.told = told;
  }

  /** A sidecar that serves the world of tenancy, with TLS too. */
  public static Program sidecar() throws IOException {
    String world = CONFORMANCE.resolve("worlds/tenancy.yaml").toString();
    return started("serve.py", "--world", world, "--tls");
  }

  /** A server that no client may believe. */
  public static Program liar(String mode, String address) throws IOException {
    return started("hostile.py", "--mode", mode, "--address", address);
  }

  private static Program started(String name, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Files.exists(PYTHON) ? PYTHON.toString() : "python3");
    command.add(CONFORMANCE.resolve(name).toString());
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
    String line = output.readLine();
    if (line == null) {
      throw new IOException("the program ended");
    }
    return new Program(process, JsonParser.parseString(line).getAsJsonObject());
  }

  /** What it said of itself. */
  public String told(String name) {
    return told.get(name).getAsString();
  }

  /** What it said of its listener with TLS. */
  public String toldOfTls(String name) {
    return told.getAsJsonObject("tls").get(name).getAsString();
  }

  /** Sends a signal, such as STOP. */
  public void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
