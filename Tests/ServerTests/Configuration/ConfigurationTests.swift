import Outbound
import Automation
import API
import Access
import Audit
import Domain
import HTTPServer
import TestSupport
import Testing

@testable import Server

@Suite("Configuration")
struct ConfigurationTests {
    @Test("nothing in the file means the defaults", arguments: ["", "# only a comment\n", "limits:\n", "tls: ~\n"])
    func defaults(text: String) throws {
        #expect(try Configuration(yaml: text) == Configuration())
    }

    @Test("every key is read")
    func everyKey() throws {
        let configuration = try Configuration(
            yaml: """
                listen: "[::1]:9443"
                plain_listen: localhost:9444
                data_directory: /srv/keyturn/
                key_directory: /srv/keys
                tls: {certificate: /etc/c.pem, key: /etc/k.pem}
                trusted_proxies: [10.0.0.5, 10.1.0.0/24, "2001:db8::/32"]
                loops: 3
                disk_reserve: 64MiB
                lock_memory: true
                limits:
                  connections: 100
                  connections_per_address: 10
                  header_bytes: 8KiB
                  body_bytes_applications: 2048
                  body_bytes_admin: 1MiB
                  body_bytes_in_all: 128MiB
                  body_bytes_per_address: 32MiB
                  json_depth: 8
                  header_timeout: 500ms
                  body_timeout: 2m
                  idle_timeout: 1h
                  request_timeout: 7s
                  send_timeout: 9s
                signature: {window: 5m, accept_before_start: true, replay_entries_per_credential: 2000}
                rate: {fetches_per_minute: 0, bad_signatures_per_minute: 7, login_failures: 3, lock_out: 1h}
                audit: {checkpoint_file: /mnt/other/checkpoints, refusals_per_minute: 9}
                automation:
                  executions: 2
                  accounts_at_once: 3
                  accounts_per_gateway: 4
                  accounts_per_host: 5
                  step_timeout: 6s
                  conversation_timeout: 90s
                  execution_retention: 30d
                  rejected_logins_per_day: 7
                  uncertain_alert: 8m
                notifications:
                  email: {server: "mail.example.org:587", security: tls, certificate_authority: /a.pem, username: u,
                    password_file: /p, from: keyturn@example.org}
                  webhook: {url: "https://example.org/hook", secret_file: /s, certificate_authority: /b.pem}
                log: {level: debug, format: json}
                """)
        #expect(
            configuration.assembly.limits == .init(executions: 2, overall: 3, perGateway: 4, perHost: 5)
                && configuration.assembly.turns.stepLimit == .seconds(6) && configuration.assembly.turns.rejectedLogins == 7
                && configuration.assembly.turns.uncertainAlert == .seconds(480))
        #expect(
            configuration.assembly.turns.conversationLimit == .seconds(90)
                && configuration.assembly.turns.executionRetention == .seconds(30 * 86_400))
        #expect(configuration.notifications.email.server == .init(host: "mail.example.org", port: 587))
        #expect(configuration.notifications.email.security == .tls && configuration.notifications.email.username == "u")
        #expect(configuration.notifications.webhook.url == "https://example.org/hook")
        #expect(configuration.listen == ListenAddress(host: "::1", port: 9443))
        #expect(configuration.plainListen == ListenAddress(host: "127.0.0.1", port: 9444))
        #expect(configuration.dataDirectory == "/srv/keyturn")
        #expect(configuration.keys == "/srv/keys")
        #expect(configuration.tls == .init(certificate: "/etc/c.pem", key: "/etc/k.pem"))
        #expect(configuration.trustedProxies.map(\.description) == ["10.0.0.5/32", "10.1.0.0/24", "2001:db8::/32"])
        #expect(configuration.loops == 3)
        #expect(configuration.diskReserve == 64 << 20)
        #expect(configuration.locksMemory)
        #expect(configuration.limits.connections == 100)
        #expect(configuration.limits.headerBytes == 8192)
        #expect(configuration.limits.headerTimeout == .milliseconds(500))
        #expect(configuration.limits.bodyTimeout == .seconds(120))
        #expect(configuration.limits.idleTimeout == .seconds(3600))
        #expect(configuration.listener.limits.sendDeadline == .seconds(9))
        #expect(configuration.listener.limits.bodyBytesInAll == 128 << 20)
        #expect(configuration.listener.limits.bodyBytesPerAddress == 32 << 20)
        #expect(
            configuration.signature == .init(window: .seconds(300), acceptsBeforeStart: true, replayEntriesPerCredential: 2000))
        #expect(configuration.rate.fetchesPerMinute == 0)
        #expect(configuration.rate.lockOut == .seconds(3600))
        #expect(configuration.audit == .init(checkpointFile: "/mnt/other/checkpoints", refusalsPerMinute: 9))
        #expect(configuration.log == .init(level: .debug, format: .json))
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int?
        let key: String
        var testDescription: String { text }

        init(_ text: String, _ line: Int?, _ key: String) {
            (self.text, self.line, self.key) = (text, line, key)
        }
    }

    @Test(
        "what is wrong is named with its key and line",
        arguments: [
            Bad("limits:\n  conections: 5\n", 2, "limits.conections"),
            Bad("a: 1\n", 1, "a"),
            Bad("loops: 1\nloops: 2\n", 1, "loops"),
            Bad("loops: two\n", 1, "loops"),
            Bad("loops: 65\n", 1, "loops"),
            Bad("loops: 0x10\n", 1, "loops"),
            Bad("loops: -1\n", 1, "loops"),
            Bad("loops: 99999999999999999999\n", 1, "loops"),
            Bad("listen: 127.0.0.1\n", 1, "listen"),
            Bad("listen: ''\n", 1, "listen"),
            Bad("listen: example.com:443\n", 1, "listen"),
            Bad("listen: ::1:443\n", 1, "listen"),
            Bad("listen: [1]\n", 1, "listen"),
            Bad("data_directory: var/lib\n", 1, "data_directory"),
            Bad("data_directory: /d\nkey_directory: /d/keys\n", 2, "key_directory"),
            Bad("tls:\n  certificate: /c.pem\n", nil, "tls.key"),
            Bad("trusted_proxies: [10.0.0.1, ten]\n", 1, "trusted_proxies[1]"),
            Bad("trusted_proxies: 10.0.0.1\n", 1, "trusted_proxies"),
            Bad("trusted_proxies: [10.0.0.1/24]\n", 1, "trusted_proxies[0]"),
            Bad("limits: 5\n", 1, "limits"),
            Bad("limits:\n  header_timeout: 10\n", 2, "limits.header_timeout"),
            Bad("limits:\n  header_timeout: 0s\n", 2, "limits.header_timeout"),
            Bad("limits:\n  header_bytes: 1KB\n", 2, "limits.header_bytes"),
            Bad("limits:\n  body_bytes_admin: 9999999999GiB\n", 2, "limits.body_bytes_admin"),
            Bad("signature:\n  window: 5s\n", 2, "signature.window"),
            Bad("signature:\n  accept_before_start: yes\n", 2, "signature.accept_before_start"),
            Bad("log:\n  level: loud\n", 2, "log.level"),
            Bad("automation:\n  accounts_per_host: 0\n", 2, "automation.accounts_per_host"),
            Bad("notifications:\n  email:\n    server: mail.example.org\n", 3, "notifications.email.server"),
            Bad("notifications:\n  email:\n    server: a:+25\n    from: a@b.c\n", 3, "notifications.email.server"),
            Bad("notifications:\n  email:\n    server: a:25\n", nil, "notifications.email.from"),
            Bad("notifications:\n  email:\n    username: u\n", nil, "notifications.email.password_file"),
            Bad("notifications:\n  webhook:\n    url: http://a/\n    secret_file: /s\n", 3, "notifications.webhook.url"),
            Bad("notifications:\n  webhook:\n    url: https://u@a/\n    secret_file: /s\n", 3, "notifications.webhook.url"),
            Bad("notifications:\n  webhook:\n    url: https://a/\n", nil, "notifications.webhook.secret_file"),
            Bad("- 1\n- 2\n", 1, ""),
            Bad("log: &a {level: info}\n", 1, ""),
            Bad("loops: !!int 5\n", 1, ""),
            Bad("limits: {\n", nil, ""),
            Bad("\u{0}", nil, ""),
        ])
    func faults(bad: Bad) {
        let fault = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: bad.text) }
        let problem = fault?.problems.first
        #expect(problem?.key == bad.key)
        if let line = bad.line { #expect(problem?.line == line) }
    }

    @Test("all that is wrong is told at once, and no value is repeated")
    func collects() {
        let fault = #expect(throws: ConfigurationFault.self) {
            try Configuration(yaml: "loops: hunter2\nlisten: hunter2\nlog:\n  level: hunter2\nsecret: x\n")
        }
        #expect(fault?.problems.map(\.key) == ["loops", "listen", "log.level", "secret"])
        #expect(fault.map { !$0.description.contains("hunter2") } == true)
    }

    @Test("the sample configuration names every key with its default")
    func sample() throws {
        let path = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/config/keyturn.yaml"
        #expect(try Configuration(file: path) == Configuration())
    }

    @Test("the command line wins over the file")
    func options() throws {
        let scratch = try TemporaryDirectory()
        let file = try scratch.write("listen: 10.0.0.1:1\nlog: {level: error}\n", to: "keyturn.yaml")
        var options = Configuration.Options()
        options.listen = "127.0.0.1:2"
        options.data = "/tmp/./a/../b"
        let configuration = try Configuration.load(file: file, options: options)
        #expect(configuration.listen.description == "127.0.0.1:2")
        #expect(configuration.dataDirectory == "/tmp/b")
        #expect(configuration.keys == "/tmp/b-keys")
        #expect(configuration.log.level == .error && configuration.log.format == .text)
        options.logsJSON = true
        #expect(try Configuration.load(file: file, options: options).log.format == .json)
        options.listen = "nonsense"
        options.keys = "/tmp/b/keys"
        let fault = #expect(throws: ConfigurationFault.self) { try Configuration.load(file: nil, options: options) }
        #expect(fault?.problems.map(\.key) == ["--listen", "--keys"])
    }

    @Test("what is configured reaches the parts")
    func assembly() throws {
        let configuration = try Configuration(
            yaml: """
                listen: 127.0.0.1:9000
                plain_listen: "[::1]:9001"
                trusted_proxies: [10.0.0.5, 10.1.0.0/24, "2001:db8::/32"]
                loops: 3
                disk_reserve: 0
                tls: {certificate: /c.pem, key: /k.pem}
                limits: {connections: 7, connections_per_address: 6, header_bytes: 8KiB, body_bytes_admin: 1MiB, json_depth: 9, idle_timeout: 5s}
                signature: {window: 90s, accept_before_start: true, replay_entries_per_credential: 1234}
                rate: {fetches_per_minute: 11, bad_signatures_per_minute: 12, login_failures: 13, lock_out: 14s}
                audit: {checkpoint_file: /x/y, refusals_per_minute: 15}
                """)
        let options = configuration.assembly
        #expect(options.listener.port == 9000 && options.listener.loops == 3 && options.listener.tls?.certificate == "/c.pem")
        #expect(options.listener.limits.connections == 7 && options.listener.limits.connectionsPerAddress == 6)
        #expect(options.listener.limits.headerBytes == 8192 && options.listener.limits.idleDeadline == .seconds(5))
        #expect(options.edge.adminBody == 1 << 20 && options.jsonDepth == 9 && options.diskReserve == 0)
        #expect(options.signatures.windowSeconds == 90 && options.signatures.acceptsBeforeStart)
        #expect(options.replay.entriesPerCredential == 1234 && options.rates.fetchesPerMinute == 11)
        #expect(options.badSignaturesPerMinute == 12 && options.logins.failures == 13 && options.logins.lockOutSeconds == 14)
        #expect(options.audit.checkpointFile == "/x/y" && options.audit.refusals.overall == 15)
        for (address, isTrusted) in [("10.0.0.5", true), ("10.1.0.77", true), ("2001:db8::9", true), ("10.0.0.6", false)] {
            #expect(options.trustedProxies.allows(try #require(IPAddress(address))) == isTrusted, "\(address)")
        }
        #expect(configuration.plainListener?.host == "::1" && configuration.plainListener?.tls == nil)
        #expect(Configuration().plainListener == nil)
        #expect(!Configuration().assembly.trustedProxies.allows(try #require(IPAddress("127.0.0.1"))))
    }

    @Test("a file that is too large, missing or not text is refused")
    func badFiles() throws {
        let scratch = try TemporaryDirectory()
        let large = try scratch.write(String(repeating: "# filler\n", count: 10_000), to: "large")
        let binary = try scratch.write([0xFF, 0xFE, 0x00], to: "binary")
        for path in [large, binary, scratch.path, scratch.path + "/none"] {
            let fault = #expect(throws: ConfigurationFault.self) { try Configuration(file: path) }
            #expect(fault?.file == path)
        }
    }

    @Test("fuzzed files are read or refused, never a trap")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 0x5EED_0001,
            samples: [
                "listen: 127.0.0.1:8443\nlimits:\n  connections: 5\n  header_timeout: 10s\n",
                "trusted_proxies: [10.0.0.5, 10.1.0.0/24]\ntls: {certificate: /a, key: /b}\nlog:\n  level: info\n",
                "a: [[[[{b: 'c', \"d\": e}]]]]\n? x\n: y\n--- \n...\n", "log: |\n  level\n >- x\n%YAML 1.1\n", "- - - - ? a\n",
            ])
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(1500) {
            let text = String(decoding: fuzzer.next(), as: UTF8.self)
            if (try? Configuration(yaml: text)) != nil { accepted += 1 }
        }
        #expect(accepted > 0)
    }

    @Test("deep nesting and huge numbers of brackets are refused")
    func nesting() {
        for text in ["[", "{a: ", "- ", "? "].map({ String(repeating: $0, count: 15_000) }) {
            #expect(throws: ConfigurationFault.self) { try Configuration(yaml: text) }
        }
    }
}
