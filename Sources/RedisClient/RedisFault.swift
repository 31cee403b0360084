package import Streams

/// Why a server of Redis did not do what was asked; a refusal has the first word of its answer, such as `WRONGPASS`.
package typealias RedisFault = ServerFault<String>
