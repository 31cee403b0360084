package import JSON

/// What the server says to a command: a result, or why there is none.
package enum ControlAnswer: Sendable, Equatable {
    /// A JSON object.
    case done([UInt8])
    /// A stable short code, and a text for the operator.
    case failed(code: String, detail: String)

    /// Answers are one line of at most so many bytes.
    static let byteLimit = 64 << 10

    package static func done(_ write: (inout JSONWriter<[UInt8]>) -> Void) -> ControlAnswer {
        var writer = JSONWriter()
        writer.object { write(&$0) }
        return .done(writer.bytes)
    }

    /// `{"ok":true,"result":{…}}` or `{"ok":false,"code":…,"detail":…}`, and a line feed.
    var line: [UInt8] {
        var writer = JSONWriter()
        writer.object { answer in
            switch self {
            case .done(let result):
                answer.field("ok", true)
                answer.key("result")
                answer.raw(result)
            case .failed(let code, let detail):
                answer.field("ok", false)
                answer.field("code", code)
                answer.field("detail", detail)
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    init(reading line: UnsafeRawBufferPointer) throws(ControlFault) {
        let fault = ControlFault("malformed", "the server's answer cannot be read")
        guard let root = try? JSONDocument(line, limits: JSONLimits(depth: 8, bytes: Self.byteLimit, values: 4096)).root,
            let isDone = root["ok"]?.bool
        else { throw fault }
        guard isDone else {
            guard let code = root["code"]?.string, let detail = root["detail"]?.string else { throw fault }
            self = .failed(code: code, detail: detail)
            return
        }
        guard let result = root["result"], result.object != nil else { throw fault }
        self = .done(result.withRawText { Array($0) })
    }
}
