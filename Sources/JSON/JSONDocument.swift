import Glibc

/// A JSON text that was checked as a whole: syntax, limits, UTF-8 and duplicate keys (RFC 8259).
///
/// It owns a copy of the text, because values are read from it on demand, and wipes it when the last value is gone:
/// a request body may carry a secret.
// `@unchecked Sendable`: the memory is allocated in `init`, never written afterwards and freed in `deinit` only.
package final class JSONDocument: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    let tokens: [JSONToken]

    /// Throws what is wrong with `bytes` and where; the fault never carries content.
    package init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
        var scanner = JSONScanner(bytes, limits: limits)
        try scanner.scan()
        tokens = scanner.tokens
        memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyMemory(from: bytes)
    }

    deinit {
        if let start = memory.baseAddress { explicit_bzero(start, memory.count) }
        memory.deallocate()
    }

    /// A document from an array, which stays its owner's to wipe.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONFault) -> JSONValue {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONFault) in
            try JSONDocument(UnsafeRawBufferPointer(buffer), limits: limits).root
        }
    }

    /// A document from text that holds no secret.
    package static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONFault) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    /// The outermost value.
    package var root: JSONValue { JSONValue(self, 0) }

    /// The text; valid as long as the document is.
    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }
}
