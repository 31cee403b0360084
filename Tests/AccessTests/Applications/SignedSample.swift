import Access
import Cryptography
import Domain
import Foundation
import Sealing
import Storage

/// A request as the edge would show it to the application gate; its texts live as long as it does.
// Unchecked: it never changes after it was made.
final class SampleRequest: @unchecked Sendable {
    let methodName: StaticString
    let rawTarget: UnsafeRawBufferPointer
    let origin: RequestOrigin
    let addressFault: String?
    private let headers: [(name: [UInt8], value: UnsafeRawBufferPointer)]

    init(
        method: StaticString = "GET", target: String, headers: [String: String], origin: RequestOrigin,
        addressFault: String? = nil
    ) {
        methodName = method
        rawTarget = Self.lasting(target)
        self.headers = headers.map { (Array($0.key.lowercased().utf8), Self.lasting($0.value)) }
        self.origin = origin
        self.addressFault = addressFault
    }

    deinit {
        rawTarget.deallocate()
        for header in headers { header.value.deallocate() }
    }

    func header(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        headers.first { name.elementsEqual($0.name) }?.value
    }

    /// What the gate is shown.
    var shown: SignedRequest {
        SignedRequest(methodName: methodName, rawTarget: rawTarget, origin: origin, addressFault: addressFault)
    }

    private static func lasting(_ text: String) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        copy.copyBytes(from: text.utf8)
        return UnsafeRawBufferPointer(copy)
    }
}

/// How a test's application signs.
struct Signer {
    var keyID: String
    var secret: String
    var target = "/api/v1/accounts/integration-applications/account-secret/?asset=web&account=root"
    var method = "GET"
    var names = "(request-target) accept date x-jms-org"
    var organization: String? = "00000000-0000-0000-0000-000000000002"
    var source: String? = "jms-pam"

    /// The headers of a request of the moment, given in seconds since 1970.
    func headers(at moment: Timestamp) throws -> [String: String] { try headers(date: HTTPDate.format(moment)) }

    func headers(date: String) throws -> [String: String] {
        var headers = ["accept": "application/json", "date": date]
        headers["x-jms-org"] = organization
        headers["x-source"] = source
        let lines = names.split(separator: " ").map { name in
            name == "(request-target)" ? "\(name): \(method.lowercased()) \(target)" : "\(name): \(headers[String(name)] ?? "")"
        }
        var key = Array(secret.utf8)
        let code = try HMACSHA256.authenticate(Array(lines.joined(separator: "\n").utf8), key: Secret(moving: &key))
        let signature = Data(code).base64EncodedString()
        headers["authorization"] =
            #"Signature keyId="\#(keyID)",algorithm="hmac-sha256",headers="\#(names)",signature="\#(signature)""#
        return headers
    }
}

/// An application with one credential, as the admin API would have stored them.
struct SampleApplication {
    var application: Application
    var credential: Credential
    let key: String

    init(_ number: UInt64 = 1, in organization: OrganizationID = .default, key: String = "6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8") {
        self.key = key
        let id = ApplicationID(high: 0xA, low: number)
        application = Application(
            id: id, organization: organization, name: "ci-\(number)", accounts: #"{"type":"all"}"#,
            ipGroup: ["192.0.2.0/24", "2001:db8::/32"],
            dateCreated: TestHouse.start, dateUpdated: TestHouse.start)
        credential = Credential(
            id: id.retyped(), application: id, organization: organization, name: "first", secret: Sealed(bytes: []),
            dateCreated: TestHouse.start)
    }

    var signer: Signer { Signer(keyID: credential.id.description, secret: key) }

    func store(in house: TestHouse) throws {
        let (keyring, key, application) = (house.keyring, key, application)
        var credential = credential
        let place = Place.credentialSecret(credential.id, in: credential.organization)
        credential.secret = try house.database.writeSync { db in
            try keyring.seal(secret(key), at: place, with: SealingWorkspace(), now: TestHouse.start, in: db)
        }
        try house.store(application) { try Applications.insert($0, on: $1) }
        try house.store(credential) { try Credentials.insert($0, on: $1) }
    }
}
