package import Streams

/// Why a server of MariaDB or MySQL did not do what was asked; a refusal has the server's error number.
package typealias MariaDBFault = ServerFault<Int>
