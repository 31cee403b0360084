internal import Cryptography
package import Domain
internal import Glibc
package import JSON

/// What a snapshot holds: its files with their digests. It proves that a copy is whole, not that nobody made another one.
package struct SnapshotManifest: Sendable, Equatable {
    static let fileName = "manifest.json"
    private static let format = 1

    package struct File: Sendable, Equatable {
        package let name: String
        package let bytes: Int64
        /// SHA-256 in hexadecimal digits.
        package let digest: String
    }

    package let version: String
    package let date: Timestamp
    package let files: [File]

    var text: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.field("format", Self.format)
            $0.field("version", version)
            $0.field("date", date.milliseconds)
            $0.array("files") { list in
                for file in files {
                    list.object {
                        $0.field("name", file.name)
                        $0.field("bytes", file.bytes)
                        $0.field("sha256", file.digest)
                    }
                }
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Reads the manifest of a snapshot's directory. Names of files are a closed list, so that none leads out of the directory.
    package init(of directory: String) throws {
        let path = directory + "/" + Self.fileName
        let bytes = try PrivateFile.read(path, limit: 64 << 10)
        func fault(_ reason: String) -> SnapshotFault { SnapshotFault("\(path) \(reason)") }
        guard let root = try? JSONDocument.parse(bytes, limits: JSONLimits(depth: 4, bytes: 64 << 10, values: 256)) else {
            throw fault("is no manifest")
        }
        guard root["format"]?.int == Int64(Self.format) else {
            throw fault("is of another format: use the program that wrote it")
        }
        guard let version = root["version"]?.string, let date = root["date"]?.int, let list = root["files"]?.array else {
            throw fault("is no manifest")
        }
        self.version = version
        self.date = Timestamp(milliseconds: date)
        files = try list.map { value in
            guard let name = value["name"]?.string, Snapshot.fileNames.contains(name), let bytes = value["bytes"]?.int,
                let digest = value["sha256"]?.string
            else { throw fault("names something that is no part of a snapshot") }
            return File(name: name, bytes: bytes, digest: digest)
        }
        guard Set(files.map(\.name)).count == files.count, files.contains(where: { $0.name == Snapshot.database }),
            files.contains(where: { $0.name == Snapshot.auditDatabase })
        else { throw fault("does not name the databases") }
    }

    init(version: String, date: Timestamp, files: [File]) {
        self.version = version
        self.date = date
        self.files = files
    }

    /// Throws unless every file is there as it was written.
    package func verify(in directory: String) throws {
        for file in files {
            guard try Self.describe(file.name, in: directory) == file else {
                throw SnapshotFault("\(directory)/\(file.name) is not the file that was written: the copy is damaged")
            }
        }
    }

    static func describe(_ name: String, in directory: String) throws -> File {
        let path = directory + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw PrivateFile.fault(path) }
        defer { close(descriptor) }
        let hash = try SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var bytes: Int64 = 0
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw PrivateFile.fault(path) }
            if count == 0 { break }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            bytes += Int64(count)
        }
        let digest = try hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return text.utf8.count == 1 ? "0" + text : text
        }
        return File(name: name, bytes: bytes, digest: digest.joined())
    }
}

/// Why a snapshot cannot be made or restored.
package struct SnapshotFault: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension SnapshotManifest {
    /// Where it is and what is in it, as members of an object.
    package func write(_ directory: String, to writer: inout JSONWriter<[UInt8]>) {
        writer.field("directory", directory)
        writer.field("date", WireDate.format(date))
        writer.object("files") {
            for file in files { $0.field(file.name, file.bytes) }
        }
    }
}
