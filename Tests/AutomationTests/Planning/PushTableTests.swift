import Automation
import Domain
import Testing

@Suite("The table of a push")
struct PushTableTests {
    private static let (plain, update, set) = (ExistingPolicy.nothing, ExistingPolicy.updateAttributes, ExistingPolicy.setSecret)

    /// Every cell, for a task that leaves system accounts alone: the three columns are the policies for what exists on both sides.
    @Test(
        "each cell does what the user's table says",
        arguments: [
            (PushTable.OnTarget.absent, PushTable.InVault.absent, PushAct.create, PushAct.create, PushAct.create),
            (.absent, .withSecret, .createWithStored, .createWithStored, .createWithStored),
            (.present, .absent, .adopt, .adopt, .adopt),
            (.present, .withSecret, .nothing, .updateAttributes, .setStored),
            (.system, .absent, .refuseSystem, .refuseSystem, .refuseSystem),
            (.system, .withSecret, .nothing, .refuseSystem, .refuseSystem),
        ])
    func cells(
        onTarget: PushTable.OnTarget, inVault: PushTable.InVault, plain: PushAct, update: PushAct, set: PushAct
    ) {
        for (policy, expected) in [(Self.plain, plain), (Self.update, update), (Self.set, set)] {
            #expect(PushTable.act(onTarget, inVault, existing: policy, includesSystem: false) == expected)
        }
    }

    @Test("a task that includes system accounts treats them as any other")
    func system() {
        for inVault in PushTable.InVault.allCases {
            for policy in ExistingPolicy.allCases {
                let other = PushTable.act(.present, inVault, existing: policy, includesSystem: true)
                #expect(PushTable.act(.system, inVault, existing: policy, includesSystem: true) == other)
                #expect(PushTable.act(.present, inVault, existing: policy, includesSystem: false) == other)
            }
        }
    }

    @Test("nothing that the vault holds is ever replaced by a new secret, and nothing is created twice")
    func promises() {
        for onTarget in PushTable.OnTarget.allCases {
            for inVault in PushTable.InVault.allCases {
                for policy in ExistingPolicy.allCases {
                    for system in [true, false] {
                        let act = PushTable.act(onTarget, inVault, existing: policy, includesSystem: system)
                        if inVault == .withSecret { #expect(![.create, .adopt].contains(act)) }
                        if onTarget != .absent { #expect(![.create, .createWithStored].contains(act)) }
                    }
                }
            }
        }
    }
}
