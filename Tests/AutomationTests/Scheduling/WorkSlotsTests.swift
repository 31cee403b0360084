import Automation
import Domain
import Synchronization
import Testing

@Suite("Slots of work")
struct WorkSlotsTests {
    private final class Watch: Sendable {
        private struct Counts {
            var running: [WorkSlots.Place: Int] = [:]
            var most = 0
            var mostBehindGateway = 0
            var mostAtHost = 0
            var done = 0
        }

        private let counts = Mutex(Counts())

        func work(at place: WorkSlots.Place) async {
            counts.withLock { counts in
                counts.running[place, default: 0] += 1
                counts.most = max(counts.most, counts.running.values.reduce(0, +))
                let behind = counts.running.filter { $0.key.gateway != nil }.values.reduce(0, +)
                counts.mostBehindGateway = max(counts.mostBehindGateway, behind)
                counts.mostAtHost = max(counts.mostAtHost, counts.running[place] ?? 0)
            }
            for _ in 0..<20 { await Task.yield() }
            counts.withLock { counts in
                counts.running[place, default: 1] -= 1
                counts.done += 1
            }
        }

        var figures: (most: Int, behind: Int, host: Int, done: Int) {
            counts.withLock { ($0.most, $0.mostBehindGateway, $0.mostAtHost, $0.done) }
        }
    }

    @Test("all work is done, and never more of it at once than each limit allows")
    func limits() async {
        let slots = WorkSlots(WorkLimits(overall: 6, perGateway: 2, perHost: 2))
        let (watch, gateway) = (Watch(), AssetID.random())
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let place = WorkSlots.Place(host: "h\(number % 7)", gateway: number % 7 < 3 ? gateway : nil)
                group.addTask { await slots.run(at: place) { await watch.work(at: place) } }
            }
        }
        let figures = watch.figures
        #expect(figures.done == 200)
        #expect((2...6).contains(figures.most) && figures.behind <= 2 && figures.host <= 2)
        #expect(await slots.running == 0)
    }

    @Test("a portion bounds its own work and takes nothing from other work")
    func portions() async {
        let slots = WorkSlots(WorkLimits(overall: 10, perHost: 10))
        let (watch, rest) = (Watch(), Watch())
        let (wide, narrow) = (WorkSlots.Portion("wide", width: 4), WorkSlots.Portion("narrow", width: 2))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let place = WorkSlots.Place(host: "h\(number % 7)")
                switch number % 4 {
                case 0: group.addTask { await slots.run(at: place) { await rest.work(at: place) } }
                case 1: group.addTask { await slots.run(at: place, within: [wide]) { await watch.work(at: place) } }
                default:
                    let other = WorkSlots.Place(host: "h\(number % 7)", gateway: .init(high: 1, low: UInt64(number)))
                    group.addTask { await slots.run(at: place, within: [wide, narrow]) { await watch.work(at: other) } }
                }
            }
        }
        #expect(watch.figures.done == 150 && rest.figures.done == 50)
        // What is behind a gateway here stands for the narrower one.
        #expect(watch.figures.most <= 4 && watch.figures.behind <= 2)
        #expect(await slots.running == 0)
    }

    @Test("one host that is slow does not hold up another")
    func independence() async {
        let slots = WorkSlots(WorkLimits(overall: 10, perHost: 1))
        let (stream, release) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await slots.run(at: WorkSlots.Place(host: "slow")) { for await _ in stream {} } }
            group.addTask { await slots.run(at: WorkSlots.Place(host: "slow")) {} }
            while await slots.running == 0 { await Task.yield() }
            let value = await slots.run(at: WorkSlots.Place(host: "quick")) { 5 }
            #expect(value == 5)
            release.finish()
        }
    }
}
