import Glibc
import TestSupport
import Testing

@testable import Connectors

@Suite("Refused guesses")
struct RefusedGuessesTests {
    /// What comes of several trials of one host that begin while the first is under way.
    private func trials(firstSucceeds: Bool) async throws -> (tries: Int, faults: Int) {
        let guesses = RefusedGuesses()
        let (tries, faults, waiting) = (Counter(), Counter(), Counter())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await onOwnThread {
                        do throws(ConnectorFault) {
                            waiting.add()
                            try guesses.oneAtATime(at: "host password") { () throws(ConnectorFault) in
                                if guesses.wasRefused(at: "host password") { return }
                                tries.add()
                                // Until everybody is there, so that the rest have come while this one was under way.
                                while waiting.count < 6 { usleep(20_000) }
                                usleep(20_000)
                                guard firstSucceeds else { throw ConnectorFault(.timedOut, effect: .none) }
                                guesses.note("host password")
                            }
                        } catch {
                            faults.add()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return (tries.count, faults.count)
    }

    @Test("turns that come to a new host together try one wrong secret and no more")
    func together() async throws {
        let (tries, faults) = try await trials(firstSucceeds: true)
        #expect(tries == 1 && faults == 0)
    }

    @Test("a trial holds up whoever comes, from the moment in which it can be seen")
    func fromTheFirstMoment() async throws {
        for round in 0..<3000 {
            let guesses = RefusedGuesses()
            let (tries, ready) = (Counter(), Counter())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await onOwnThread {
                            ready.add()
                            while ready.count < 2 {}
                            try? guesses.oneAtATime(at: "host password") { () throws(ConnectorFault) in
                                if guesses.wasRefused(at: "host password") { return }
                                tries.add()
                                guesses.note("host password")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(tries.count == 1, "round \(round)")
            if tries.count != 1 { return }
        }
    }

    @Test("where the first trial says nothing, each of those that waited for it makes its own")
    func failing() async throws {
        let (tries, faults) = try await trials(firstSucceeds: false)
        #expect(tries == 6 && faults == 6)
    }

    @Test("what was seen at one host says nothing of another, or of another method")
    func places() {
        let guesses = RefusedGuesses()
        guesses.note("host password")
        #expect(guesses.wasRefused(at: "host password"))
        #expect(!guesses.wasRefused(at: "other password") && !guesses.wasRefused(at: "host su"))
    }
}
