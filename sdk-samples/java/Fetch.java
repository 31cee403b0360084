import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Fetches a secret from Keyturn with Java's standard library (17 or later): java Fetch.java ASSET ACCOUNT [--show] */
public class Fetch {
    static final String ROUTE = "/api/v1/accounts/integration-applications/account-secret/";

    // 1. Load credentials.
    final URI url = URI.create(variable("KEYTURN_URL").replaceAll("/+$", ""));
    final String keyId = variable("KEYTURN_KEY_ID");
    final byte[] secret = variable("KEYTURN_KEY_SECRET").getBytes(StandardCharsets.UTF_8);
    final String organization = System.getenv("KEYTURN_ORG") != null ? variable("KEYTURN_ORG") : "00000000-0000-0000-0000-000000000002";
    final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(Duration.ofSeconds(10)).sslContext(trust(System.getenv("KEYTURN_CA"))).build();

    Fetch() throws Exception {
        if (!"https".equals(url.getScheme())) throw new IOException("KEYTURN_URL must begin with https://");
    }

    static String variable(String name) throws IOException {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) throw new IOException(name + " is not set");
        return value;
    }

    static SSLContext trust(String file) throws Exception {
        if (file == null || file.isEmpty()) return SSLContext.getDefault();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var input = Files.newInputStream(Path.of(file))) {
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(input))
                store.setCertificateEntry("ca" + store.size(), certificate);
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    // 2. Sign the request exactly as it is sent.
    String sign(String target, String date) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        String text = "(request-target): get " + target + "\naccept: application/json\ndate: " + date + "\nx-jms-org: " + organization;
        return "Signature keyId=\"" + keyId + "\",algorithm=\"hmac-sha256\",headers=\"(request-target) accept date x-jms-org\",signature=\""
            + Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8))) + "\"";
    }

    // 3. Fetch one secret.
    HttpResponse<String> fetch(String asset, String account) throws Exception {
        String target = url.getRawPath() + ROUTE + "?asset=" + encode(asset) + "&account=" + encode(account);
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC));
        HttpRequest request = HttpRequest.newBuilder(url.resolve(target)).timeout(Duration.ofSeconds(10))
            .header("Accept", "application/json").header("Date", date).header("X-JMS-ORG", organization)
            .header("X-Source", "jms-pam").header("Authorization", sign(target, date)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** A field of a flat JSON object; the standard library reads no JSON. */
    static String field(String json, String name) {
        var match = Pattern.compile("\"" + name + "\"\\s*:\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([0-9]+))").matcher(json);
        if (!match.find()) return "none";
        if (match.group(2) != null) return match.group(2);
        return Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|(.))").matcher(match.group(1)).replaceAll(escape -> {
            char plain = escape.group(1) != null ? (char) Integer.parseInt(escape.group(1), 16) : escape.group(2).charAt(0);
            int control = escape.group(1) == null ? "bfnrt".indexOf(plain) : -1;
            return java.util.regex.Matcher.quoteReplacement(String.valueOf(control >= 0 ? "\b\f\n\r\t".charAt(control) : plain));
        });
    }

    /** Prints what came, and returns its version; a refusal here ends the program. */
    static String describe(HttpResponse<String> response, boolean isShown) throws Exception {
        if (response.statusCode() != 200)
            throw new IOException("status " + response.statusCode() + ", code " + field(response.body(), "code"));
        String secret = field(response.body(), "secret"), version = field(response.body(), "version");
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        System.out.println("fetched: version " + version + ", " + secret.codePointCount(0, secret.length()) + " characters, sha256 "
            + HexFormat.of().formatHex(digest, 0, 4));
        if (isShown) System.out.println(secret);
        return version;
    }

    public static void main(String[] arguments) throws Exception {
        try {
            if (arguments.length < 2) throw new IOException("usage: Fetch.java ASSET ACCOUNT [--show]");
            boolean isShown = arguments.length > 2 && arguments[2].equals("--show");
            Fetch client = new Fetch();
            String first = describe(client.fetch(arguments[0], arguments[1]), isShown);

            // 4. A refusal is an answer like any other.
            var refused = client.fetch(arguments[0], "no-such-account");
            System.out.println("refused: status " + refused.statusCode() + ", code " + field(refused.body(), "code"));

            // 5. Nothing is cached: the next fetch sees the new secret.
            System.out.println("change the secret now, then press Enter");
            new BufferedReader(new InputStreamReader(System.in)).readLine();
            String second = describe(client.fetch(arguments[0], arguments[1]), isShown);
            System.out.println("changed: " + (second.equals(first) ? "no" : "yes"));
        } catch (Exception error) {
            System.err.println("failed: " + (error.getMessage() != null ? error.getMessage() : error));
            System.exit(1);
        }
    }
}
