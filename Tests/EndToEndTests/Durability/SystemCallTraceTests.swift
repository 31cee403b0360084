import Testing

@Suite("The reader of system call traces")
struct SystemCallTraceTests {
    private static let honest = """
        10 100.000100 recvfrom(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\\27\\3\\3", 5, 0, NULL, NULL) = 5
        10 100.000200 recvfrom(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "x", 5, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
        11 100.000300 pwrite64(7</v/data/audit.db-wal>, "a, b"..., 4096, 32) = 4096
        11 100.000400 fdatasync(7</v/data/audit.db-wal> <unfinished ...>
        10 100.000500 write(3<anon_inode:[eventfd]>, "1", 8) = 8
        11 100.000600 <... fdatasync resumed>) = 0
        10 100.000700 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "answer", 6, MSG_NOSIGNAL, NULL, 0) = 6
        10 100.000800 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "more", 4, MSG_NOSIGNAL, NULL, 0) = 4
        """

    @Test("an answer after the sync keeps the promise")
    func honestTrace() {
        let trace = SystemCallTrace(Self.honest)
        #expect(trace.exchanges(after: 0).count == 1)
        #expect(trace.broken(.entry, after: 0).isEmpty)
        #expect(trace.exchanges(after: 101).isEmpty)
    }

    @Test(
        "a doctored trace is found out",
        arguments: [
            // No sync at all; one that failed; of another file; before the write; that ends after the answer.
            ("fdatasync(7</v/data/audit.db-wal> <unfinished ...>", "getpid( <unfinished ...>"),
            ("<... fdatasync resumed>) = 0", "<... fdatasync resumed>) = -1 EIO (Input/output error)"),
            ("fdatasync(7</v/data/audit.db-wal>", "fdatasync(8</v/data/keyturn.db-wal>"),
            ("11 100.000300 pwrite64", "11 100.000650 pwrite64"),
            ("11 100.000600 <...", "11 100.000750 <..."),
            ("pwrite64(7</v/data/audit.db-wal>", "pwrite64(7</v/data/keyturn.db-wal>"),
        ])
    func doctored(_ text: String, _ other: String) {
        #expect(Self.honest.contains(text))
        #expect(SystemCallTrace(Self.honest.replacing(text, with: other)).broken(.entry, after: 0).count == 1)
    }

    @Test("a change needs announcement, change and outcome, each durable before the next")
    func change() {
        #expect(SystemCallTrace(Self.honest).broken(.change, after: 0).count == 1)
        func step(_ time: String, _ file: String) -> String {
            "11 100.\(time)1 pwrite64(7</v/\(file)>, \"a\", 1, 2) = 1\n11 100.\(time)2 fdatasync(7</v/\(file)>) = 0\n"
        }
        let socket = "9<TCP:[127.0.0.1:1->127.0.0.1:2]>"
        func trace(_ files: [String]) -> SystemCallTrace {
            let steps = files.enumerated().map { step("00\($0.offset + 1)", $0.element) }.joined()
            return SystemCallTrace(
                "10 100.000 read(\(socket), \"x\", 1) = 1\n" + steps + "10 100.009 write(\(socket), \"y\", 1) = 1\n")
        }
        #expect(trace(["audit.db-wal", "keyturn.db-wal", "audit.db-wal"]).broken(.change, after: 0).isEmpty)
        #expect(trace(["audit.db-wal", "keyturn.db-wal"]).broken(.change, after: 0).count == 1)
        #expect(trace(["keyturn.db-wal", "audit.db-wal", "audit.db-wal"]).broken(.change, after: 0).count == 1)
    }
}
