import Testing

@testable import Connectors

@Suite("Host key pin")
struct HostKeyPinTests {
    @Test("a pinned host is trusted by its key alone, whatever the policy", arguments: HostKeyPin.Policy.allCases)
    func pinned(_ policy: HostKeyPin.Policy) {
        let pin = HostKeyPin(policy: policy, fingerprints: ["SHA256:a"])
        #expect(pin.accepts("SHA256:a"))
        #expect(!pin.accepts("SHA256:b"))
    }

    @Test("an unknown host is taken on first sight only if new keys are accepted")
    func unknown() {
        #expect(HostKeyPin(policy: .acceptNew).accepts("SHA256:a"))
        #expect(!HostKeyPin(policy: .strict).accepts("SHA256:a"))
    }
}
