import Cryptography
import Testing

@testable import Connectors

@Suite("Words of a target")
struct TargetWordsTests {
    @Test(
        "verifiers that a server echoes are not kept",
        arguments: [
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
            "md5c3ab8ff13720e8ad9047dd39466b3c89", "*54958E764CE10E50764C2EECBB71D01F08549980",
            "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY", "#2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        ])
    func verifiers(_ verifier: String) {
        let text = TargetWords("syntax error at '\(verifier)' in ALTER").text
        #expect(!text.contains(verifier.suffix(20)))
        #expect(text.hasPrefix("syntax error at '") && text.hasSuffix("' in ALTER"))
    }

    @Test("a secret is masked wherever it stands, also in part")
    func secrets() {
        let text = TargetWords("near 'hunter2-and-more' and hunter2-and").hiding(Secret.of("hunter2-and-more")).text
        #expect(!text.contains("hunter2") && text.hasPrefix("near '"))
    }

    @Test("what cannot be printed is not kept, and there is an end")
    func form() {
        #expect(TargetWords("a\u{1B}[31mred\u{202E}\0\n\tb").text == "a [31mred b")
        #expect(TargetWords(String(repeating: "word ", count: 1000)).text.count <= 500)
        #expect(TargetWords(String(repeating: "é", count: 5000)).text.count <= 500)
    }
}
