import Foundation
import JSON
import Logging
import TestSupport
import Testing

@testable import Server

@Suite("LineLog")
struct LineLogTests {
    private let scratch: TemporaryDirectory
    private let file: FileHandle

    init() throws {
        scratch = try TemporaryDirectory()
        let path = try scratch.write("", to: "log")
        file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    }

    private func log(_ format: LogFormat, _ level: LogLevel = .info) -> LineLog {
        // 2026-11-21T03:04:05.067Z
        LineLog(format: format, level: level, descriptor: file.fileDescriptor) {
            timespec(tv_sec: 1_795_230_245, tv_nsec: 67_000_000)
        }
    }

    private var written: String { (try? String(contentsOfFile: scratch.path + "/log", encoding: .utf8)) ?? "" }

    @Test("a text line has time, level, label, message and sorted metadata")
    func text() {
        log(.text).logger("keyturn").info("started", metadata: ["port": "8443", "a": "b"])
        #expect(written == "2026-11-21T03:04:05.067Z INFO keyturn: started a=b port=8443\n")
    }

    @Test("a JSON line is one object; metadata cannot replace its own fields")
    func json() throws {
        log(.json).logger("keyturn").error("bad \"thing\"\n", metadata: ["request_id": "7", "level": "forged"])
        let lines = written.split(separator: "\n")
        #expect(lines.count == 1)
        let value = try JSONDocument.parse(String(lines[0]))
        #expect(value["level"]?.string == "error")
        #expect(value["level_"]?.string == "forged")
        #expect(value["message"]?.string == "bad \"thing\"\n")
        #expect(value["request_id"]?.string == "7")
    }

    @Test("no text makes a second line or commands the terminal")
    func injection() {
        log(.text).logger("keyturn").info("a\nb\u{1B}[2J\u{9B}", metadata: ["x\ny": "\r\t"])
        #expect(written.hasSuffix(#"keyturn: a\nb\x{1b}[2J\x{9b} x\ny=\r\t"# + "\n"))
    }

    @Test("a line is bounded, whatever is said", arguments: LogFormat.allCases)
    func bounded(format: LogFormat) {
        let long = String(repeating: "é", count: 100_000)
        let metadata = Logger.Metadata(uniqueKeysWithValues: (0..<100).map { ("key\($0)", .string(long)) })
        log(format).logger("keyturn").info("\(long)", metadata: metadata)
        #expect(written.utf8.count < 4 * LineLog.byteLimit)
        #expect(written.filter { $0 == "\n" }.count == 1)
    }

    @Test("the level can be changed for loggers that exist already")
    func level() {
        let log = log(.text, .warning)
        let logger = log.logger("keyturn")
        logger.info("one")
        log.setLevel(.info)
        logger.info("two")
        log.setLevel(.critical)
        logger.error("three")
        #expect(written.contains("two"))
        #expect(!written.contains("one") && !written.contains("three"))
    }
}
