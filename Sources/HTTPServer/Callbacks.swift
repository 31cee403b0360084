import CHTTPShim
import CMicrohttpd
import Glibc
import Logging

// What libmicrohttpd calls, on the loop's thread. At file scope, so that nothing infers an actor for them.

private func loop(_ context: UnsafeMutableRawPointer?) -> Loop? {
    context.map { Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() }
}

func acceptsCallback(
    _ context: UnsafeMutableRawPointer?, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t
) -> MHD_Result {
    guard let loop = loop(context), let address else { return .NO }
    return loop.accepts(address, length) ? .YES : .NO
}

func connectionCallback(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let loop = loop(context), let handle, let state else { return }
    if change == .CONNECTION_NOTIFY_STARTED {
        state.pointee = loop.started(handle)
    } else if let pointer = state.pointee {
        state.pointee = nil
        loop.closed(Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue())
    }
}

func requestLineCallback(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ handle: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let loop = loop(context), let target, let handle, let exchange = loop.requestLine(target, handle) else { return nil }
    return Unmanaged.passUnretained(exchange).toOpaque()
}

func handlerCallback(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ data: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let pointer = state?.pointee else { return .NO }
    let held = Unmanaged<Exchange>.fromOpaque(pointer)
    // Asked on every pass for each exchange that waits: without counting a reference.
    if held._withUnsafeGuaranteedRef({ $0.isWaiting }) { return .YES }
    guard let loop = loop(context), let method, let version, let size else { return .NO }
    let exchange = held.takeUnretainedValue()
    return loop.proceed(exchange, method: method, version: version, data: data, size: size)
}

func completedCallback(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let loop = loop(context), let pointer = state?.pointee else { return }
    state?.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
    // A slot that was taken for another request meanwhile is none of this one's business.
    guard exchange.handle == handle else { return }
    loop.completed(exchange, isSent: reason == .REQUEST_TERMINATED_COMPLETED_OK)
}

func refusalCallback(_ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ status: UInt32) {
    guard let loop = loop(context), let handle else { return }
    loop.answerMalformed(handle, status: Int(status))
}

func headerCallback(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameLength: Int,
    _ value: UnsafePointer<CChar>?, _ valueLength: Int
) -> MHD_Result {
    guard let context, let name else { return .YES }
    context.assumingMemoryBound(to: HeaderTable.self).pointee.append(
        name: UnsafeRawBufferPointer(start: name, count: nameLength),
        value: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueLength))
    return .YES
}

func streamCallback(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ target: UnsafeMutablePointer<CChar>?, _ count: Int
) -> Int {
    guard let context, let target else { return -2 }
    let feed = Unmanaged<StreamFeed>.fromOpaque(context).takeUnretainedValue()
    return feed.read(into: UnsafeMutableRawBufferPointer(start: target, count: count))
}

func releaseCallback(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<AnyObject>.fromOpaque(context).release()
}

func loggerCallback(_ context: UnsafeMutableRawPointer?, _ format: UnsafePointer<CChar>?, _ arguments: CVaListPointer?) {
    guard let loop = loop(context), let format, let arguments, loop.settings.logger.logLevel <= .debug else { return }
    var text = [CChar](repeating: 0, count: 256)
    vsnprintf(&text, text.count, format, arguments)
    let message = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    loop.settings.logger.debug("http library", metadata: ["message": "\(message)", "loop": "\(loop.index)"])
}
