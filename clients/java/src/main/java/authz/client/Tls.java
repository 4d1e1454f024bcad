package authz.client;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * How a listener proves itself, and how this client does. Values do not change: each method gives a
 * new one. Files are PEM and are read at once; a key is PKCS #8.
 */
public final class Tls {
  private final byte[] ca;
  private final byte[] certificate;
  private final byte[] key;
  private final String serverName;

  private Tls(byte[] ca, byte[] certificate, byte[] key, String serverName) {
    this.ca = ca;
    this.certificate = certificate;
    this.key = key;
    this.serverName = serverName;
  }

  /** Trusts the system's authorities. */
  public static Tls system() {
    return new Tls(null, null, null, null);
  }

  /** Trusts the authorities in a file. */
  public static Tls trusting(Path ca) {
    return trusting(read(ca));
  }

  /** Trusts these authorities. */
  public static Tls trusting(byte[] ca) {
    return new Tls(ca.clone(), null, null, null);
  }

  /** The same, with a certificate for this client and its key. */
  public Tls identity(Path certificate, Path key) {
    return identity(read(certificate), read(key));
  }

  /** The same, with a certificate for this client and its key. */
  public Tls identity(byte[] certificate, byte[] key) {
    return new Tls(ca, certificate.clone(), key.clone(), serverName);
  }

  /** The same, with the name in the listener's certificate, if not that of the address. */
  public Tls serverName(String name) {
    return new Tls(ca, certificate, key, Objects.requireNonNull(name));
  }

  String serverName() {
    return serverName;
  }

  ChannelCredentials credentials() {
    TlsChannelCredentials.Builder made = TlsChannelCredentials.newBuilder();
    try {
      if (ca != null) {
        made.trustManager(new ByteArrayInputStream(ca));
      }
      if (certificate != null) {
        made.keyManager(new ByteArrayInputStream(certificate), new ByteArrayInputStream(key));
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return made.build();
  }

  private static byte[] read(Path path) {
    try {
      return Files.readAllBytes(path);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
